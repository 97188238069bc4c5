/**
 * What a broker counts, by RocketMQ's names and keys.
 *
 * @module
 */
import { type BrokerStats, STATS_NAMES } from "../../../src/broker/stats/mod.ts";
import { assertEquals } from "../../../src/std.ts";
import { HandClock, statsOf } from "../workshop.ts";

const SCHEDULE = "SCHEDULE_TOPIC_XXXX";

/** Sums of the last minute by `NAME key`, of all names with these keys. */
function sums(stats: BrokerStats, ...keys: string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of Object.keys(STATS_NAMES)) {
    for (const key of keys) {
      const data = stats.view(name, key);
      if (data !== undefined) found[`${name} ${key}`] = data.statsMinute.sum;
    }
  }
  return found;
}

function counted(count: (stats: BrokerStats) => void): { stats: BrokerStats; clock: HandClock } {
  const clock = new HandClock();
  const stats = statsOf(clock);
  stats.start();
  count(stats);
  clock.go(10_000);
  return { stats, clock };
}

Deno.test("sends count by topic and for the broker, a batch by its messages", () => {
  const { stats } = counted((stats) => {
    stats.sent("T", 0, 1, 100);
    stats.sent("T", 1, 5, 500);
  });
  assertEquals(sums(stats, "T", "T@0", "DefaultCluster"), {
    "TOPIC_PUT_NUMS T": 6,
    "TOPIC_PUT_SIZE T": 600,
    "BROKER_PUT_NUMS DefaultCluster": 6,
  });
  assertEquals(stats.view("TOPIC_PUT_NUMS", "T")?.statsMinute.avgpt, 3);
  assertEquals(stats.view("BROKER_PUT_NUMS", "DefaultCluster")?.statsMinute.avgpt, 0);
});

Deno.test("a delayed message counts for the schedule topic, and for its own when it is delivered", () => {
  const { stats } = counted((stats) => {
    stats.sent(SCHEDULE, 2, 1, 100);
    stats.delivered("T", 2, 110);
  });
  const keys = [SCHEDULE, "T", `${SCHEDULE}@2`, `${SCHEDULE}@2@SCHEDULE_CONSUMER`, `${SCHEDULE}@SCHEDULE_CONSUMER`];
  assertEquals(sums(stats, ...keys, "DefaultCluster"), {
    [`TOPIC_PUT_NUMS ${SCHEDULE}`]: 1,
    "TOPIC_PUT_NUMS T": 1,
    [`TOPIC_PUT_SIZE ${SCHEDULE}`]: 100,
    "TOPIC_PUT_SIZE T": 110,
    [`GROUP_GET_NUMS ${SCHEDULE}@SCHEDULE_CONSUMER`]: 1,
    [`GROUP_GET_SIZE ${SCHEDULE}@SCHEDULE_CONSUMER`]: 110,
    "BROKER_PUT_NUMS DefaultCluster": 2,
    [`QUEUE_PUT_NUMS ${SCHEDULE}@2`]: 1,
    [`QUEUE_PUT_SIZE ${SCHEDULE}@2`]: 100,
    [`QUEUE_GET_NUMS ${SCHEDULE}@2@SCHEDULE_CONSUMER`]: 1,
    [`QUEUE_GET_SIZE ${SCHEDULE}@2@SCHEDULE_CONSUMER`]: 110,
  });
});

Deno.test("a message that comes back counts for its group, a dead letter for no topic", () => {
  const { stats } = counted((stats) => {
    stats.broughtBack("CG", "T", { topic: SCHEDULE, queueId: 2, size: 100 });
    stats.broughtBack("CG", "T", { topic: "%DLQ%CG", queueId: 0, size: 100 });
  });
  assertEquals(sums(stats, "T@CG", SCHEDULE, `${SCHEDULE}@2`, "%DLQ%CG", "DefaultCluster"), {
    "SNDBCK_PUT_NUMS T@CG": 2,
    [`TOPIC_PUT_NUMS ${SCHEDULE}`]: 1,
    [`TOPIC_PUT_SIZE ${SCHEDULE}`]: 100,
    [`QUEUE_PUT_NUMS ${SCHEDULE}@2`]: 1,
    [`QUEUE_PUT_SIZE ${SCHEDULE}@2`]: 100,
  });
});

Deno.test("pulls count by topic and group, how long they took by queue, topic and group", () => {
  const { stats } = counted((stats) => {
    stats.pulled("CG", "T", 3, 32, 3200, 4);
    stats.pulled("CG", "T", 3, 16, 1600, 8);
  });
  assertEquals(sums(stats, "T@CG", "3@T@CG", "T@3@CG", "DefaultCluster"), {
    "GROUP_GET_NUMS T@CG": 48,
    "GROUP_GET_SIZE T@CG": 4800,
    "GROUP_GET_LATENCY 3@T@CG": 12,
    "BROKER_GET_NUMS DefaultCluster": 48,
  });
  assertEquals(stats.view("GROUP_GET_NUMS", "T@CG")?.statsMinute, { sum: 48, tps: 4.8, avgpt: 24 });
  assertEquals(stats.view("GROUP_GET_LATENCY", "3@T@CG")?.statsMinute.avgpt, 6);
  assertEquals([stats.groupTps("CG", "T"), stats.groupTps("CG", "U")], [4.8, 0]);
});

Deno.test("nothing is told of what was never counted, or has no such name", () => {
  const { stats } = counted((stats) => stats.sent("T", 0, 1, 1));
  const unknown = [["TOPIC_PUT_NUMS", "U"], ["BROKER_GET_NUMS", "DefaultCluster"], [
    "BROKER_PUT_NUMS",
    "other",
  ]] as const;
  for (const [name, key] of [...unknown, ["toString", "T"], ["GROUP_GET_FALL_SIZE", "0@T@CG"]] as const) {
    assertEquals(stats.view(name, key), undefined, name);
  }
});

Deno.test("figures go with their topic or group, and those with similar names stay", () => {
  const all = (stats: BrokerStats) => {
    for (const topic of ["T", "T2"]) {
      stats.sent(topic, 0, 1, 1);
      for (const group of ["G", "G2"]) {
        stats.pulled(group, topic, 0, 1, 1, 0);
        stats.broughtBack(group, topic, { topic: "%DLQ%", queueId: 0, size: 1 });
      }
    }
  };
  const keysOf = (stats: BrokerStats) => ({
    topics: [...stats.topicsPut()].map(([topic]) => topic),
    groups: [...stats.groupsGot()].map(({ topic, group }) => `${topic} ${group}`),
    backs: [...stats.sentBack()].map(({ topic, group }) => `${topic} ${group}`),
    latencies: ["0@T@G", "0@T@G2", "0@T2@G", "0@T2@G2"].filter((key) => stats.view("GROUP_GET_LATENCY", key)),
  });
  const { stats } = counted(all);
  stats.topicDeleted("T");
  const T2 = ["T2 G", "T2 G2"];
  assertEquals(keysOf(stats), { topics: ["T2"], groups: T2, backs: T2, latencies: ["0@T2@G", "0@T2@G2"] });
  stats.groupDeleted("G");
  assertEquals(keysOf(stats), { topics: ["T2"], groups: ["T2 G2"], backs: ["T2 G2"], latencies: ["0@T2@G2"] });
});

Deno.test("totals only grow, for those who compute their own rates", () => {
  const { stats, clock } = counted((stats) => stats.sent("T", 0, 2, 200));
  clock.go(24 * 3_600_000);
  stats.sent("T", 0, 1, 100);
  const [, counter] = [...stats.topicsPut()][0]!;
  assertEquals([counter.nums, counter.bytes, counter.times, stats.put.nums], [3, 300, 2, 3]);
});
