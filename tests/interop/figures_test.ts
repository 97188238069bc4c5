/**
 * What a broker counts and tells: Java's client sends and reads known numbers of messages, and Java's administration tool
 * reads the figures, of our broker and (with CLUSTER=java) of Java's. Figures of the last minute come with the next
 * sample, up to ten seconds later, from both: each is waited for.
 *
 * @module
 */
import { assert, assertEquals } from "../../src/std.ts";
import { hasJava, SERVER_VERSION } from "../java.ts";
import { startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell, type Report } from "./java_shell.ts";
import { toolHome } from "./mqadmin_run.ts";

const TOPIC = "Figures", GROUP = "figures-first", SECOND = "figures-second";
const SCHEDULE = "SCHEDULE_TOPIC_XXXX", DELAYS = "SCHEDULE_CONSUMER", CLUSTER = "DefaultCluster";

/** Sends: 5, a batch of 4, 2 delayed. Deliveries: those 2, and one that was given back. */
const SENT = 11, DELIVERED = 3, BACK = 1;

/** Names, keys, sums of the last minute, and how many it is on the average each time: 0 where times are not counted. */
const COUNTED: readonly (readonly [name: string, key: string, sum: number, avgpt: number])[] = [
  ["TOPIC_PUT_NUMS", TOPIC, SENT, SENT / 8],
  ["TOPIC_PUT_NUMS", SCHEDULE, 2 + BACK, 1],
  ["TOPIC_PUT_NUMS", `%RETRY%${GROUP}`, BACK, 1],
  ["QUEUE_PUT_NUMS", `${SCHEDULE}@0`, 2 + BACK, 1],
  ["QUEUE_GET_NUMS", `${SCHEDULE}@0@${DELAYS}`, DELIVERED, 1],
  ["GROUP_GET_NUMS", `${SCHEDULE}@${DELAYS}`, DELIVERED, 1],
  ["GROUP_GET_NUMS", `${TOPIC}@${GROUP}`, 9, 3],
  ["GROUP_GET_NUMS", `${TOPIC}@${SECOND}`, SENT, SENT / 2],
  ["SNDBCK_PUT_NUMS", `${TOPIC}@${GROUP}`, BACK, 1],
  ["BROKER_PUT_NUMS", CLUSTER, SENT + DELIVERED, 0],
  ["BROKER_GET_NUMS", CLUSTER, 9 + SENT, 0],
];

/** Every figure that Java's 4.9.7 tells of itself, but for those whose names have parts of their own. */
const RUNTIME = `
  bootTimestamp runtime brokerVersionDesc brokerVersion startAcceptSendRequestTimeStamp
  putMessageTimesTotal putMessageSizeTotal putMessageAverageSize putMessageFailedTimes putMessageEntireTimeMax
  putMessageDistributeTime putLatency99 putLatency999 getMessageEntireTimeMax dispatchMaxBuffer dispatchBehindBytes
  putTps getFoundTps getMissTps getTotalTps getTransferedTps pageCacheLockTimeMills
  msgPutTotalYesterdayMorning msgPutTotalTodayMorning msgPutTotalTodayNow
  msgGetTotalYesterdayMorning msgGetTotalTodayMorning msgGetTotalTodayNow
  sendThreadPoolQueueSize sendThreadPoolQueueCapacity sendThreadPoolQueueHeadWaitTimeMills
  pullThreadPoolQueueSize pullThreadPoolQueueCapacity pullThreadPoolQueueHeadWaitTimeMills
  queryThreadPoolQueueSize queryThreadPoolQueueCapacity queryThreadPoolQueueHeadWaitTimeMills
  EndTransactionQueueSize EndTransactionThreadPoolQueueCapacity
  commitLogMinOffset commitLogMaxOffset earliestMessageTimeStamp commitLogDirCapacity commitLogDiskRatio
  consumeQueueDiskRatio remainTransientStoreBufferNumbs remainHowManyDataToFlush
`.trim().split(/\s+/);

async function counters(java: JavaShell, address: string): Promise<void> {
  for (const [name, key, sum, avgpt] of COUNTED) {
    const [figure] = await java.run("figures-view", address, name, key, sum);
    assertEquals(figure?.["avgpt"], avgpt, `${name} ${key}`);
    // From one sample to another, which come every ten seconds, or a little later.
    const seconds = sum / Number(figure?.["tps"]);
    assert(seconds > 3 && seconds < 200, `${name} ${key}: ${sum} in ${seconds} s`);
  }
  const [none] = await java.run("figures-view-none", address, "TOPIC_PUT_NUMS", "Nowhere");
  assertEquals([none?.["code"], none?.["reason"]], [1, "The stats <TOPIC_PUT_NUMS> <Nowhere> not exist"]);
}

async function runtime(java: JavaShell, address: string): Promise<void> {
  const [report] = await java.run("figures-runtime", address);
  const table = report?.["table"] as Record<string, string>;
  const names = Object.keys(table).filter((name) => !/^(commitLogDiskRatio_|scheduleMessageOffset_)/.test(name));
  assertEquals(names.sort(), RUNTIME.toSorted());
  const number = (name: string) => Number(table[name]);
  // The store counts what goes through the schedule topic twice.
  const stored = SENT + BACK + DELIVERED;
  assertEquals(["putMessageTimesTotal", "msgPutTotalTodayNow", "msgGetTotalTodayNow"].map(number), [
    stored,
    stored,
    20,
  ]);
  assertEquals(number("putMessageSizeTotal"), number("commitLogMaxOffset"));
  assertEquals(number("putMessageAverageSize"), number("putMessageSizeTotal") / stored);
  assertEquals(table["scheduleMessageOffset_1"], "3,3");
  // Java cannot tell before there are twice as many bytes as its longest message may have.
  const earliest = number("earliestMessageTimeStamp");
  assert(earliest === -1 || Math.abs(Date.now() - earliest) < 300_000);
  for (const name of ["commitLogDiskRatio", "consumeQueueDiskRatio"]) {
    assert(number(name) > 0 && number(name) < 1, name);
  }
  const [ten = NaN] = table["putTps"]!.split(" ").map(Number);
  assert(ten >= 0);
}

async function places(java: JavaShell, address: string): Promise<void> {
  const reports = await java.run("figures-places", address, TOPIC, GROUP);
  const of = (what: string) => reports.filter((report) => report.what === what).map(({ what: _, ...rest }) => rest);
  assertEquals(of("topic"), [
    { queue: 0, broker: "broker-a", min: 0, max: 5, dated: true },
    { queue: 1, broker: "broker-a", min: 0, max: 6, dated: true },
  ]);
  const progress = [
    { topic: TOPIC, queue: 0, end: 5, at: 3, dated: true },
    { topic: TOPIC, queue: 1, end: 6, at: 0, dated: false },
  ];
  assertEquals(of("group"), progress);
  assertEquals(of("listed"), progress);
  assertEquals(of("all"), [{ address, diff: 8 }]);
  assertEquals(of("span").map(({ queue, first, read, delayed }) => [queue, first, read, delayed]), [
    [0, true, true, true],
    [1, true, true, true],
  ]);
  const [told] = await java.run("figures-entries", address, TOPIC, 0, 1, 3, GROUP);
  assertEquals([told?.["min"], told?.["max"], told?.["filter"]], [0, 5, `${GROUP}@${TOPIC} is not online!`]);
  assertEquals(Object.values(told?.["entries"] as Record<string, number>), [2598919, 2598919, 2598919]);
}

/** What mqadmin prints, by words. */
async function printed(java: JavaShell, ...command: string[]): Promise<string[][]> {
  const [report] = await java.run("mqadmin", ...command) as [Report];
  return String(report["text"]).split("\n").map((line) => line.trim().split(/\s+/));
}

async function mqadmin(java: JavaShell, namesrvAddr: string, address: string): Promise<void> {
  const run = async (begins: string, command: string, ...more: string[]) => {
    const lines = await printed(java, command, "-n", namesrvAddr, ...more);
    return lines.filter(([first]) => first === begins);
  };
  const all = await run(TOPIC, "statsAll", "-t", TOPIC);
  const inAndOut = all.map(([, group, behind, , , came, went]) => [group, behind, came, went]);
  assertEquals(inAndOut.sort(), [[GROUP, "8", "11", "9"], [SECOND, "0", "11", "11"]]);
  const queues = await run("broker-a", "topicStatus", "-t", TOPIC);
  assertEquals(queues.map(([, queue, min, max]) => [queue, min, max]), [["0", "0", "5"], ["1", "0", "6"]]);
  const [total] = await run("Diff", "consumerProgress", "-g", GROUP);
  assertEquals(total, ["Diff", "Total:", "8"]);
  const [stats] = await run("Diff", "brokerConsumeStats", "-b", address);
  assertEquals(stats, ["Diff", "Total:", "8"]);
  const [put] = await run("msgPutTotalTodayNow", "brokerStatus", "-b", address);
  assertEquals(put, ["msgPutTotalTodayNow", ":", "15"]);
  const [more] = await run(CLUSTER, "clusterList", "-m");
  assertEquals(more, [CLUSTER, "broker-a", "0", "0", "15", "20"]);
  const entries = await printed(
    java,
    "queryCq",
    "-n",
    namesrvAddr,
    "-t",
    TOPIC,
    "-q",
    "0",
    "-i",
    "0",
    "-c",
    "2",
    "-b",
    address,
  );
  assertEquals(entries.filter(([first]) => first === "idx:").length, 2);
}

Deno.test({
  name: `a broker counts what Java's ${SERVER_VERSION} clients send and read, and tells that to Java's tools`,
  ignore: !hasJava(),
  fn: async (t) => {
    await using nameserver = await startNameserver();
    await using broker = await startBroker({ namesrvAddr: nameserver.address });
    const home = await toolHome();
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(home, { recursive: true }));
    const flags = [`-Drocketmq.home.dir=${home}`];
    await using java = await JavaShell.start(`server-${SERVER_VERSION}`, "JSON", nameserver.address, flags);
    await withLogs([nameserver, broker], async () => {
      await java.run("create-topic", broker.address, TOPIC, 2);
      const [sizes] = await java.run("figures-use", TOPIC, GROUP, SECOND);
      await t.step("counters", async () => {
        await counters(java, broker.address);
        const bytes = [["GROUP_GET_SIZE", `${TOPIC}@${GROUP}`, "first"], ["TOPIC_PUT_SIZE", TOPIC, "second"]] as const;
        for (const [name, key, group] of bytes) {
          await java.run("figures-view", broker.address, name, key, Number(sizes?.[group]));
        }
      });
      await t.step("the broker as a whole", () => runtime(java, broker.address));
      await t.step("topics, groups and queues", () => places(java, broker.address));
      await t.step("mqadmin prints them", () => mqadmin(java, nameserver.address, broker.address));
    });
  },
});
