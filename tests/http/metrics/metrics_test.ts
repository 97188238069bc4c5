/**
 * The text of /metrics: its form, its names, and that many topics and groups hold up nobody.
 *
 * @module
 */
import { BrokerStats } from "../../../src/broker/stats/mod.ts";
import { ALL_FAMILIES, Metrics } from "../../../src/http/metrics/mod.ts";
import { type Family, linesOf } from "../../../src/http/metrics/family.ts";
import type { NodeView } from "../../../src/http/node_view.ts";
import { HTTP_MS_PER_TURN, METRICS_CHARACTERS_MAX } from "../../../src/limits.ts";
import { topicConfig } from "../../../src/protocol/bodies/topic_config.ts";
import { assert, assertEquals, assertThrows } from "../../../src/std.ts";
import { PutFigures } from "../../../src/store/put_figures.ts";
import { HandClock } from "../../broker/workshop.ts";
import { EXPORTER_METRICS } from "./exporter.ts";
import { readMetrics, valueOf } from "./prometheus.ts";

function* many(count: number, prefix: string): Generator<string> {
  for (let i = 0; i < count; i++) yield `${prefix}${i}`;
}

const QUEUES = 4, MESSAGES = 10;

/** A broker with topics and groups, each of which has an offset in the topic of its number. */
function nodeWith(count: number, topicPrefix = "topic-"): NodeView {
  const clock = new HandClock();
  const settings = { brokerClusterName: "c", brokerName: "b", brokerIP1: "10.0.0.1" };
  const stats = new BrokerStats({ settings, puts: new PutFigures(clock), clock });
  const topics = new Map(
    [...many(count, topicPrefix)].map((name) => {
      return [name, topicConfig(name, { readQueueNums: QUEUES, writeQueueNums: QUEUES })];
    }),
  );
  for (const topic of topics.keys()) stats.sent(topic, 0, 2, 100);
  const view = {
    settings,
    address: "10.0.0.1:10911",
    clock,
    stats,
    servers: [{ connections: new Set([1, 2]), counts: { accepted: 5, refused: 1, malformed: 0, idle: 0 } }],
    slaves: () => [{ peer: "10.0.0.2:1", reported: 5, lag: 7 }],
    runtimeInfo: () =>
      Object.entries({
        bootTimestamp: "1",
        putTps: "1.5 2.5 3.5",
        commitLogDirCapacity: "Total : 2.0 GiB, Free : 512.5 MiB.",
        putMessageDistributeTime: "[<=0ms]:4 [0~10ms]:3 [10s~]:1 ",
        remainHowManyDataToFlush: "12 B",
        commitLogDiskRatio: "0.5",
        getFoundTps: "",
      }),
    store: { trouble: "", minLogOffset: 0, maxLogOffset: 99, maxOffset: () => MESSAGES },
    topics: { size: count, get: (name: string) => topics.get(name), all: () => topics.values() },
    groups: { size: count },
    offsets: {
      *pairs() {
        for (let i = 0; i < count; i++) {
          yield { group: `group-${i}`, topic: `${topicPrefix}${i}`, queues: new Map([[0, 3], [1, 4]]) };
        }
      },
    },
    consumers: {
      size: 1,
      find: (group: string) =>
        group === "group-0" ? { members: new Map([[1, 1]]), messageModel: "CLUSTERING" } : undefined,
    },
    producers: { names: () => ["p"], find: () => new Map([[1, 1], [2, 2]]) },
  };
  return { roles: ["master"], broker: { view } } as unknown as NodeView;
}

const decoder = new TextDecoder();

async function textOf(metrics: Metrics): Promise<string> {
  return (await metrics.text()).map((piece) => decoder.decode(piece)).join("");
}

Deno.test("a broker's metrics are well formed, and say what the broker says", async () => {
  const families = readMetrics(await textOf(new Metrics(nodeWith(2))));
  const value = (name: string, labels?: Record<string, string>) => valueOf(families, name, labels);
  assertEquals(value("rocketd_metrics_complete"), 1);
  assertEquals(value("rocketd_role_serves", { role: "master" }), 1);
  assertEquals(value("rocketmq_producer_offset", { cluster: "c", broker: "b", topic: "topic-1" }), QUEUES * MESSAGES);
  assertEquals(value("rocketmq_consumer_offset", { group: "group-1", topic: "topic-1" }), 7);
  const online = { group: "group-0", topic: "topic-0", countOfOnlineConsumers: "1", msgModel: "1" };
  assertEquals(value("rocketmq_group_diff", online), QUEUES * MESSAGES - 7);
  assertEquals(value("rocketmq_group_diff", { group: "group-1", countOfOnlineConsumers: "0" }), QUEUES * MESSAGES - 7);
  assertEquals(value("rocketmq_broker_commitlog_diff", { brokerIP: "10.0.0.2:1" }), 7);
  assertEquals(value("rocketmq_producer_count", { group: "p" }), 2);
  assertEquals(value("rocketd_topic_messages_in_total", { topic: "topic-0" }), 2);
  assertEquals(value("rocketd_topic_message_bytes_in_total", { topic: "topic-0" }), 100);
  assertEquals(value("rocketd_broker_connections"), 2);
  assertEquals(value("rocketd_broker_connections_accepted_total"), 5);
});

Deno.test("the texts of a broker's runtime info become numbers, and what is missing there is no metric", async () => {
  const families = readMetrics(await textOf(new Metrics(nodeWith(1))));
  const value = (name: string) => valueOf(families, `rocketmq_brokeruntime_${name}`, { brokerHost: "10.0.0.1" });
  assertEquals([value("put_tps10"), value("put_tps60"), value("put_tps600")], [1.5, 2.5, 3.5]);
  assertEquals([value("commitlogdir_capacity_total"), value("commitlogdir_capacity_free")], [2 ** 31, 512.5 * 2 ** 20]);
  assertEquals([value("pmdt_0ms"), value("pmdt_0to10ms"), value("pmdt_10stomore")], [4, 3, 1]);
  assertEquals([value("remain_howmanydata_toflush"), value("commitlog_disk_ratio")], [12, 0.5]);
  assertEquals([value("getfound_tps10"), value("put_latency_99"), value("pmdt_1to2s")], [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("retry topics and dead letters stand apart, as in rocketmq-exporter", async () => {
  const retry = readMetrics(await textOf(new Metrics(nodeWith(1, "%RETRY%g"))));
  assertEquals(retry.has("rocketmq_producer_offset"), false);
  assertEquals(valueOf(retry, "rocketmq_topic_retry_offset", { topic: "%RETRY%g0" }), QUEUES * MESSAGES);
  assertEquals(valueOf(retry, "rocketmq_group_retrydiff", { topic: "%RETRY%g0" }), QUEUES * MESSAGES - 7);
  const dead = readMetrics(await textOf(new Metrics(nodeWith(1, "%DLQ%g"))));
  assertEquals(valueOf(dead, "rocketmq_topic_dlq_offset", { group: "g0" }), QUEUES * MESSAGES);
  assertEquals(valueOf(dead, "rocketmq_group_dlqdiff", { topic: "%DLQ%g0" }), QUEUES * MESSAGES - 7);
});

Deno.test("a metric with rocketmq-exporter's prefix is one of its metrics, with its labels", () => {
  const claimed = ALL_FAMILIES.filter(({ name }) => name.startsWith("rocketmq_"));
  assert(claimed.length > 50);
  for (const { name, labels, type } of claimed) {
    assertEquals([name, labels, type], [name, EXPORTER_METRICS.get(name), "gauge"]);
  }
});

Deno.test("each metric has its own name and a line of help", () => {
  const names = ALL_FAMILIES.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  for (const { name, help, type } of ALL_FAMILIES) {
    assert(help !== "" && !/[.\n]$/.test(help), name);
    if (type === "counter") assert(name.endsWith("_total"), name);
  }
});

Deno.test("texts that come from outside cannot break the form", () => {
  const family: Family<undefined> = {
    name: "a",
    type: "gauge",
    help: 'a \\ "b"\nc',
    labels: ["x"],
    samples: () => [[['q"\\\n} 1\n# HELP'], NaN], [[""], -Infinity]],
  };
  const read = readMetrics([...linesOf(family, undefined)].join("")).get("a")!;
  assertEquals(read.samples.map(({ labels, value }) => [labels["x"], value]), [['q"\\\n} 1\n# HELP', NaN], [
    "",
    -Infinity,
  ]]);
});

Deno.test("10,000 topics and groups are told a slice at a time", async () => {
  const clock = new HandClock();
  let now = 0, pauses = 0, longest = 0, began = 0;
  const after = (ms: number, fn: () => void) => {
    pauses++;
    longest = Math.max(longest, now - began);
    return clock.after(ms, () => {
      began = now;
      fn();
    });
  };
  const metrics = new Metrics(nodeWith(10_000), { clock: { after }, elapsed: () => now += 0.01 });
  let text: string | undefined;
  textOf(metrics).then((made) => text = made);
  while (text === undefined) {
    await Promise.resolve();
    clock.go(1);
  }
  const families = readMetrics(text);
  assertEquals(families.get("rocketmq_group_diff")?.samples.length, 10_000);
  assertEquals(valueOf(families, "rocketd_metrics_complete"), 1);
  assert(pauses > 50, `${pauses} pauses`);
  assert(longest < HTTP_MS_PER_TURN + 0.1, `a slice of ${longest}`);
});

Deno.test("metrics have an end, after a whole line, and say that they are not all", async () => {
  const text = await textOf(new Metrics(nodeWith(30_000, `${"t".repeat(100)}-`)));
  assert(text.length < METRICS_CHARACTERS_MAX + 1000);
  assertEquals(valueOf(readMetrics(text), "rocketd_metrics_complete"), 0);
});

Deno.test("those who ask at the same time share one text", async () => {
  const metrics = new Metrics(nodeWith(1));
  const [one, two] = await Promise.all([metrics.text(), metrics.text()]);
  assert(one === two);
  assert(await metrics.text() !== one);
});

Deno.test("the reader of these tests refuses what is not well formed", () => {
  const good = "# HELP a b\n# TYPE a gauge\n";
  const wrong = [
    "a 1\n",
    `${good}a 1`,
    `${good}a x\n`,
    `${good}a{} 1 2\n`,
    `${good}a{x="1",} 1\n`,
    `${good}a{x="1" y="2"} 1\n`,
    `${good}a{x="1",x="2"} 1\n`,
    `${good}a{x="1"} 1\na{x="1"} 2\n`,
    `${good}a{x="1"} 1\na{y="1"} 2\n`,
    `${good}a{x="\\q"} 1\n`,
    `${good}b 1\n`,
    `${good}a 1\n${good}a 1\n`,
    good,
    "# TYPE a gauge\na 1\n",
    "# HELP a b\n# TYPE a counter\na 1\n",
  ];
  for (const text of wrong) assertThrows(() => readMetrics(text), Error);
});
