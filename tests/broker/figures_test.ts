/**
 * Figures of topics, groups and queues over the wire.
 *
 * @module
 */
import { MessageFilters } from "../../src/broker/filters.ts";
import { consumeFigureHandlers } from "../../src/broker/consume_figures.ts";
import { ConsumerFilters } from "../../src/broker/consumer_filters.ts";
import { ConsumerGroups } from "../../src/broker/consumers.ts";
import { figureHandlers } from "../../src/broker/figures.ts";
import { SubscriptionGroupTable } from "../../src/broker/groups.ts";
import { LargeAnswers } from "../../src/broker/large_answers.ts";
import { ConsumerOffsets } from "../../src/broker/offsets.ts";
import { TopicTable } from "../../src/broker/topics.ts";
import { QUEUE_READ_ENTRIES_MAX } from "../../src/limits.ts";
import * as requests from "../../src/protocol/admin_requests.ts";
import * as bodies from "../../src/protocol/bodies/mod.ts";
import { javaHash } from "../../src/protocol/java_hash.ts";
import { assertEquals } from "../../src/std.ts";
import type { MessageStore, StoreOptions } from "../../src/store/mod.ts";
import { Bench, message } from "../store/kit.ts";
import { consumerData } from "./admin_desk.ts";
import { type Ask, Desk, RecordingConnection, settingsIn, statsOf } from "./workshop.ts";

const ADDRESS = "10.1.2.3:10911";
const queue = (queueId: number, topic = "T") => ({ topic, brokerName: "broker-a", queueId });

/** A broker with the topic T of two queues, ordered topic O, and what else it needs to tell figures. */
class Office {
  readonly topics: TopicTable;
  readonly offsets: ConsumerOffsets;
  readonly consumers: ConsumerGroups;
  readonly stats;
  readonly ask: Ask;
  readonly #desk: Desk;

  constructor(readonly bench: Bench, readonly store: MessageStore) {
    const { disk, dir, clock } = bench;
    const settings = settingsIn(dir);
    const topics = this.topics = new TopicTable({ settings, disk, clock });
    const groups = new SubscriptionGroupTable({ settings, disk, clock });
    const offsets = this.offsets = new ConsumerOffsets({ settings, topics, disk, clock });
    const consumers = this.consumers = new ConsumerGroups({ settings, groups, clock });
    const { sql } = new MessageFilters(settings);
    const consumerFilters = new ConsumerFilters({ settings, consumers, sql, disk, clock });
    const stats = this.stats = statsOf(clock);
    for (const [name, queues] of [["T", 2], ["O", 1]] as const) {
      topics.update(bodies.topicConfig(name, { readQueueNums: queues, writeQueueNums: queues }));
    }
    topics.setOrder(new Set(["O"]));
    const tables = { topics, groups, offsets, consumers, consumerFilters, stats };
    const broker = { settings, address: ADDRESS, store, clock, ...tables };
    this.#desk = new Desk((table) => figureHandlers(table, broker));
    this.ask = this.#desk.client().ask;
    for (const group of ["CG", "CG2"]) groups.find(group);
  }

  /** Puts a message; gives when it was stored. */
  put(topic: string, queueId: number, tag = ""): Promise<number> {
    const properties = tag === "" ? "" : `TAGS\x01${tag}`;
    return new Promise((resolve) =>
      this.store.put(message({ topic, queueId, properties }), ({ storeTimestamp }) => resolve(storeTimestamp))
    );
  }

  /** A group that is online and subscribes to topics. */
  online(group: string, ...topics: string[]): void {
    this.consumers.register(consumerData(group, ...topics), new RecordingConnection("127.0.0.1:1"), {
      clientId: "c",
      language: "JAVA",
      version: 407,
    });
  }

  close(): Promise<void> {
    this.stats.close();
    return this.#desk.close();
  }
}

async function office(test: (office: Office) => Promise<void>, options: Partial<StoreOptions> = {}): Promise<void> {
  using bench = new Bench();
  const store = await bench.open(options);
  const place = new Office(bench, store);
  try {
    await test(place);
  } finally {
    await place.close();
    await store.close();
  }
}

Deno.test("GET_TOPIC_STATS_INFO tells from where to where each queue goes, and when it came there", () =>
  office(async (place) => {
    const { bench: { clock } } = place;
    await place.put("T", 1);
    clock.advance(5_000);
    const last = await place.put("T", 1);
    const { code, body } = await place.ask(requests.GetTopicStatsInfo, { topic: "T" });
    assertEquals([code, [...bodies.decodeTopicStats(body)]], [0, [
      [queue(0), { minOffset: 0, maxOffset: 0, lastUpdateTimestamp: 0 }],
      [queue(1), { minOffset: 0, maxOffset: 2, lastUpdateTimestamp: last }],
    ]]);
    const unknown = await Promise.all([
      place.ask(requests.GetTopicStatsInfo, { topic: "U" }),
      place.ask(requests.QueryConsumeTimeSpan, { topic: "U", group: "CG" }),
    ]);
    for (const { code, remark } of unknown) assertEquals([code, remark], [17, "topic[U] not exist"]);
  }));

Deno.test("QUERY_CONSUME_TIME_SPAN tells when what a group read was stored, and how long the next has waited", () =>
  office(async (place) => {
    const { bench: { clock } } = place;
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      times.push(await place.put("T", 0));
      clock.advance(1_000);
    }
    const [first = 0, second = 0, third = 0] = times;
    const span = async () => {
      const { body } = await place.ask(requests.QueryConsumeTimeSpan, { topic: "T", group: "CG" });
      return bodies.decodeTimeSpans(body);
    };
    const whole = { messageQueue: queue(0), minTimeStamp: first, maxTimeStamp: third };
    const empty = { messageQueue: queue(1), minTimeStamp: -1, maxTimeStamp: -1, consumeTimeStamp: -1, delayTime: 0 };
    assertEquals(await span(), [{ ...whole, consumeTimeStamp: first, delayTime: clock.now() - first }, empty]);
    place.offsets.commit("CG", "T", 0, 2);
    assertEquals(await span(), [{ ...whole, consumeTimeStamp: second, delayTime: clock.now() - third }, empty]);
    place.offsets.commit("CG", "T", 0, 3);
    assertEquals(await span(), [{ ...whole, consumeTimeStamp: third, delayTime: 0 }, empty]);
  }));

Deno.test("GET_CONSUME_STATS tells how far a group is, in all its topics or one", () =>
  office(async (place) => {
    const first = await place.put("T", 0);
    await place.put("T", 0);
    place.offsets.commit("CG", "T", 0, 1);
    place.offsets.commit("CG", "O", 0, 0);
    place.stats.pulled("CG", "T", 0, 10, 1000, 0);
    const stats = async (topic?: string) => {
      const { code, body } = await place.ask(requests.GetConsumeStats, { consumerGroup: "CG", topic });
      assertEquals(code, 0);
      return [...bodies.decodeConsumeStats(body).offsetTable];
    };
    const ofT = [
      [queue(0), { brokerOffset: 2, consumerOffset: 1, lastTimestamp: first }],
      [queue(1), { brokerOffset: 0, consumerOffset: 0, lastTimestamp: 0 }],
    ];
    const ofO = [[queue(0, "O"), { brokerOffset: 0, consumerOffset: 0, lastTimestamp: 0 }]];
    assertEquals<unknown>(await stats(), [...ofT, ...ofO]);
    assertEquals<unknown>(await stats(" "), [...ofT, ...ofO]);
    assertEquals<unknown>(await stats("T"), ofT);
    assertEquals<unknown>(await stats("U"), []);
    place.online("CG", "O");
    assertEquals<unknown>(await stats(), ofO);
  }));

Deno.test("GET_BROKER_CONSUME_STATS tells how far all groups are, topic by topic, or in ordered topics only", () =>
  office(async (place) => {
    for (let i = 0; i < 3; i++) await place.put("T", 0);
    await place.put("O", 0);
    place.offsets.commit("CG", "T", 0, 1);
    place.offsets.commit("CG", "O", 0, 0);
    place.offsets.commit("CG2", "O", 0, 1);
    const stats = async (isOrder: boolean) => {
      const { body } = await place.ask(requests.GetBrokerConsumeStats, { isOrder });
      const { brokerAddr, totalDiff, groups } = bodies.decodeConsumeStatsList(body);
      const topicsOf = (group: string) =>
        groups.get(group)?.map(({ offsetTable }) => [...offsetTable.keys()].map(({ topic }) => topic).join());
      return [brokerAddr, totalDiff, topicsOf("CG"), topicsOf("CG2"), topicsOf("TOOLS_CONSUMER")];
    };
    assertEquals(await stats(false), [ADDRESS, 3, ["T,T", "O"], ["O"], []]);
    assertEquals(await stats(true), [ADDRESS, 1, ["O"], ["O"], []]);
  }));

Deno.test("GET_SYSTEM_TOPIC_LIST_FROM_BROKER names RocketMQ's topics and those of this broker and its cluster", () =>
  office(async (place) => {
    const { body } = await place.ask(requests.GetSystemTopicListFromBroker, {});
    const { topicList } = bodies.decodeTopicList(body);
    assertEquals([...topicList].sort(), [
      "BenchmarkTest",
      "DefaultCluster",
      "DefaultCluster_REPLY_TOPIC",
      "OFFSET_MOVED_EVENT",
      "RMQ_SYS_TRACE_TOPIC",
      "RMQ_SYS_TRANS_HALF_TOPIC",
      "RMQ_SYS_TRANS_OP_HALF_TOPIC",
      "SCHEDULE_TOPIC_XXXX",
      "SELF_TEST_TOPIC",
      "TBW102",
      "TRANS_CHECK_MAX_TIME_TOPIC",
      "broker-a",
    ]);
  }));

Deno.test("VIEW_BROKER_STATS_DATA tells a counter, or that there is none", () =>
  office(async (place) => {
    place.stats.sent("T", 0, 4, 400);
    const view = (statsName: string, statsKey: string) =>
      place.ask(requests.ViewBrokerStatsData, { statsName, statsKey });
    const { code, body } = await view("TOPIC_PUT_NUMS", "T");
    const nothing = { sum: 0, tps: 0, avgpt: 0 };
    const unsampled = { statsMinute: nothing, statsHour: nothing, statsDay: nothing };
    assertEquals([code, bodies.decodeBrokerStats(body)], [0, unsampled]);
    place.stats.start();
    place.bench.clock.advance(10_000);
    const sampled = bodies.decodeBrokerStats((await view("TOPIC_PUT_NUMS", "T")).body);
    assertEquals(sampled, { ...unsampled, statsMinute: { sum: 4, tps: 0.4, avgpt: 4 } });
    const unknown = await view("GROUP_GET_NUMS", "T@CG");
    assertEquals([unknown.code, unknown.remark], [1, "The stats <GROUP_GET_NUMS> <T@CG> not exist"]);
  }));

Deno.test("QUERY_CONSUME_QUEUE shows entries of a queue, and what a group wants of it", () =>
  office(async (place) => {
    for (const tag of ["A", "B", ""]) await place.put("T", 0, tag);
    const query = async (index: number, count: number, consumerGroup?: string) => {
      const { body, ...rest } = await place.ask(requests.QueryConsumeQueue, {
        topic: "T",
        queueId: 0,
        index,
        count,
        consumerGroup,
      });
      return { ...rest, told: bodies.decodeQueueEntries(body) };
    };
    const { code, told } = await query(1, 2);
    assertEquals([code, told.minQueueIndex, told.maxQueueIndex], [0, 0, 3]);
    const offset = place.store.logOffsetOf("T", 0, 1)!, next = place.store.logOffsetOf("T", 0, 2)!;
    assertEquals(
      told.queueData?.map(({ physicOffset, physicSize, tagsCode }) => [physicOffset, physicSize, tagsCode]),
      [
        [offset, next - offset, javaHash("B")],
        [next, place.store.maxLogOffset - next, 0],
      ],
    );
    assertEquals((await query(0, 1_000_000)).told.queueData?.length, 3);
    assertEquals([(await query(0, 0)).told.queueData, (await query(0, -1)).told.queueData], [[], []]);
    for (const index of [3, -1]) {
      const none = await query(index, 1);
      assertEquals([none.code, none.told.queueData, none.told.maxQueueIndex], [0, undefined, 3]);
      assertEquals(none.remark, `Index ${index} of 0@T is not exist!`);
    }
    assertEquals((await query(0, 1, "CG")).told.filterData, "CG@T is not online!");
    place.online("CG", "T");
    const subscribed = (await query(0, 1, "CG")).told;
    assertEquals([subscribed.subscriptionData?.subString, subscribed.filterData], ["*", "null"]);
    const unknown = await place.ask(requests.QueryConsumeQueue, { topic: "T", queueId: 7, index: 0, count: 1 });
    assertEquals([unknown.code, unknown.remark], [1, "7@T is not exist!"]);
  }));

Deno.test("one answer shows a bounded number of entries", () =>
  office(async (place) => {
    const puts = Array.from({ length: QUEUE_READ_ENTRIES_MAX + 10 }, () => place.put("T", 0));
    await Promise.all(puts);
    const header = { topic: "T", queueId: 0, index: 0, count: 2 ** 31 - 1 };
    const { body } = await place.ask(requests.QueryConsumeQueue, header);
    assertEquals(bodies.decodeQueueEntries(body).queueData?.length, QUEUE_READ_ENTRIES_MAX);
  }, { mappedFileSizeConsumeQueue: 2 * QUEUE_READ_ENTRIES_MAX * 20 }));

Deno.test("others have their turn while the rates of a group's many topics are summed up", async () => {
  let now = 0, pauses = 0, pausesBefore: number | undefined;
  const clock = {
    now: () => now,
    after: (_: number, fn: () => void) => {
      pauses++;
      queueMicrotask(fn);
      return { cancel: () => {} };
    },
  };
  const broker = {
    address: ADDRESS,
    clock,
    settings: { brokerName: "broker-a" },
    topics: { get: (name: string) => bodies.topicConfig(name) },
    consumers: { find: () => undefined },
    offsets: { get: () => 0, topicsOf: () => Array.from({ length: 100 }, (_, i) => `T${i}`) },
    // Each takes a millisecond.
    stats: { groupTps: () => ++now && 1 },
    store: {
      maxOffset: () => {
        pausesBefore ??= pauses;
        return 0;
      },
    },
  };
  const desk = new Desk((table) =>
    consumeFigureHandlers(table, broker as never, new LargeAnswers("cannot tell", clock as never))
  );
  try {
    const { body } = await desk.client().ask(requests.GetConsumeStats, { consumerGroup: "CG" });
    assertEquals(bodies.decodeConsumeStats(body).consumeTps, 100);
    assertEquals(pausesBefore! >= 10, true, `${pausesBefore} pauses`);
  } finally {
    await desk.close();
  }
});
