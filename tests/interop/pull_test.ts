import { assert, assertEquals } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import type { Node } from "../launch.ts";
import { clusterKind, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell, type Serialization } from "./java_shell.ts";

/** Request codes. */
const PULL = 11, QUERY_OFFSET = 14, UPDATE_OFFSET = 15, UPDATE_TOPIC = 17, UPDATE_GROUP = 200, DELETE_TOPIC = 215;
const SEARCH_OFFSET = 29, GET_MAX_OFFSET = 30, GET_MIN_OFFSET = 31, EARLIEST_STORE_TIME = 32;

/** Bits of a pull's sysFlag. */
const COMMIT = 1, SUSPEND = 2, SUBSCRIPTION = 4, CLASS_FILTER = 8;

/** Entries of a queue file: small, so that queues have several. */
const QUEUE_FILE_ENTRIES = 100;
const LOG_FILE_BYTES = 1 << 20;
const SETTINGS = {
  mappedFileSizeCommitLog: LOG_FILE_BYTES,
  mappedFileSizeConsumeQueue: 20 * QUEUE_FILE_ENTRIES,
  slaveReadEnable: true,
};

type Fields = Record<string, string | number>;
type Expected = Record<string, unknown>;

/** Asks one broker as an official client of one version does. */
class Asker {
  constructor(readonly java: JavaShell, readonly broker: Node) {}

  async ask(code: number, fields: Fields, body: unknown = undefined): Promise<Expected> {
    const pairs = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
    const text = body === undefined ? "-" : JSON.stringify(body);
    const [answer] = await this.java.run("ask", this.broker.address, code, text, ...pairs);
    return answer!;
  }

  /** The code of a request that only has to be taken. */
  async code(code: number, fields: Fields, body: unknown = undefined): Promise<unknown> {
    return (await this.ask(code, fields, body))["code"];
  }

  /** What a pull gives: for answers that come from the store their status, offsets, suggested broker, and how many messages. */
  async pull(given: Fields): Promise<Expected> {
    const { code, remark, fields, records } = await this.ask(PULL, {
      consumerGroup: "interop-pull",
      queueId: 0,
      queueOffset: 0,
      maxMsgNums: 32,
      sysFlag: SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: 1000,
      subscription: "*",
      subVersion: 0,
      ...given,
    });
    const { nextBeginOffset, minOffset, maxOffset, suggestWhichBrokerId } = fields as Record<string, string>;
    if (nextBeginOffset === undefined) return { code };
    const [next, min, max, suggested] = [nextBeginOffset, minOffset, maxOffset, suggestWhichBrokerId].map(Number);
    return { code, status: remark, next, min, max, suggested, count: records };
  }

  /** The one field of an answer about a queue. */
  async number(code: number, fields: Fields): Promise<number> {
    const answer = await this.ask(code, fields);
    assertEquals(answer["code"], 0);
    return Number(Object.values(answer["fields"] as Record<string, string>)[0]);
  }

  async topic(topic: string, readQueueNums: number, writeQueueNums = readQueueNums, perm = 6): Promise<void> {
    const fields = {
      topic,
      defaultTopic: "TBW102",
      readQueueNums,
      writeQueueNums,
      perm,
      topicFilterType: "SINGLE_TAG",
    };
    assertEquals(await this.code(UPDATE_TOPIC, { ...fields, topicSysFlag: 0, order: "false" }), 0);
  }

  async group(groupName: string, given: Record<string, unknown>): Promise<void> {
    assertEquals(await this.code(UPDATE_GROUP, {}, { groupName, ...given }), 0);
  }
}

/** Starts with a topic on one broker, made and known to the clients. */
async function made(asker: Asker, topic: string, queues: number): Promise<void> {
  await asker.java.run("create-topic", asker.broker.address, topic, queues);
}

/** Small messages at the ends of a queue, and in between. */
async function edges(asker: Asker, topic: string): Promise<void> {
  const { java } = asker;
  await made(asker, topic, 2);
  await java.run("post-to", topic, "broker-a", 0, 250, 10, "TagA");
  const found = (next: number, count: number) => {
    return { code: 0, status: "FOUND", next, min: 0, max: 250, suggested: 0, count };
  };
  const nothing = (code: number, status: string, next: number, max = 250) => {
    return { code, status, next, min: 0, max, suggested: 0, count: 0 };
  };
  const filtered = (next: number) => nothing(20, "NO_MATCHED_MESSAGE", next);
  const CASES: [what: string, given: Fields, expected: Expected][] = [
    ["the first", {}, found(32, 32)],
    ["in the middle", { queueOffset: 31 }, found(63, 32)],
    ["five", { queueOffset: 31, maxMsgNums: 5 }, found(36, 5)],
    ["more than memory gives", { maxMsgNums: 1000 }, found(32, 32)],
    ["none", { maxMsgNums: 0 }, found(1, 1)],
    ["at the end of a queue file", { queueOffset: 90 }, found(100, 10)],
    ["the last", { queueOffset: 249 }, found(250, 1)],
    ["at the end", { queueOffset: 250 }, nothing(19, "OFFSET_OVERFLOW_ONE", 250)],
    [
      "at the end, held",
      { queueOffset: 250, sysFlag: SUBSCRIPTION | SUSPEND },
      nothing(19, "OFFSET_OVERFLOW_ONE", 250),
    ],
    ["one beyond the end", { queueOffset: 251 }, nothing(21, "OFFSET_OVERFLOW_BADLY", 250)],
    ["far beyond", { queueOffset: 2 ** 40 }, nothing(21, "OFFSET_OVERFLOW_BADLY", 250)],
    ["beyond, held", { queueOffset: 251, sysFlag: 6 }, nothing(21, "OFFSET_OVERFLOW_BADLY", 250)],
    ["below 0", { queueOffset: -1 }, nothing(21, "OFFSET_TOO_SMALL", 0)],
    ["empty", { queueId: 1 }, nothing(19, "NO_MESSAGE_IN_QUEUE", 0, 0)],
    ["empty from 5", { queueId: 1, queueOffset: 5 }, nothing(21, "NO_MESSAGE_IN_QUEUE", 0, 0)],
    ["empty from -1", { queueId: 1, queueOffset: -1 }, nothing(21, "NO_MESSAGE_IN_QUEUE", 0, 0)],
    ["nothing that matches", { subscription: "TagB" }, filtered(100)],
    ["nothing that matches in the last file", { subscription: "TagB", queueOffset: 210 }, filtered(250)],
    ["all that matches", { subscription: "TagB||TagA" }, found(32, 32)],
    ["a queue beyond", { queueId: 2 }, { code: 1 }],
    ["queue -1", { queueId: -1 }, { code: 1 }],
    ["an unknown topic", { topic: "NoSuchTopic" }, { code: 17 }],
    ["without a subscription, offline", { sysFlag: 0 }, { code: 24 }],
  ];
  for (const [what, given, expected] of CASES) assertEquals(await asker.pull({ topic, ...given }), expected, what);
  assertEquals((await asker.pull({ topic, maxMsgNums: -1 }))["code"], 1, "a negative number");
  const filtering = await asker.pull({ topic, sysFlag: SUBSCRIPTION | CLASS_FILTER });
  // Java's broker does not look at the bit: the client asks a filter server then, which 4.3 and later do not have.
  assertEquals(filtering, clusterKind().endsWith("java") ? found(32, 32) : { code: 1 }, "with a class as filter");
}

/** A pull may carry the offset that the consumer has come to. */
async function commits(asker: Asker, topic: string): Promise<void> {
  const of = { consumerGroup: "interop-commits", topic, queueId: 0 };
  const committed = async () => await asker.number(QUERY_OFFSET, of);
  assertEquals(await committed(), 0, "never committed: the queue has its beginning in memory");
  await asker.pull({ ...of, commitOffset: 9 });
  assertEquals(await committed(), 0, "without the bit");
  await asker.pull({ ...of, commitOffset: 9, sysFlag: SUBSCRIPTION | COMMIT });
  assertEquals(await committed(), 9, "with the bit");
  await asker.pull({ ...of, commitOffset: 7, sysFlag: SUBSCRIPTION | COMMIT, queueOffset: 10_000 });
  assertEquals(await committed(), 7, "back, and off the ends");
  await asker.pull({ ...of, commitOffset: 8, sysFlag: SUBSCRIPTION | COMMIT | SUSPEND, queueOffset: 250 });
  assertEquals(await committed(), 8, "held");
  await asker.pull({ ...of, commitOffset: 5, sysFlag: COMMIT });
  assertEquals(await committed(), 8, "refused, as the group is offline");
  assertEquals(await asker.code(UPDATE_OFFSET, { ...of, commitOffset: 3 }), 0);
  assertEquals(await committed(), 3, "by its own request");
}

/** Questions about queues, whether there are such or not. */
async function queues(asker: Asker, topic: string): Promise<void> {
  const about = async (fields: Fields) => [
    await asker.number(GET_MAX_OFFSET, fields),
    await asker.number(GET_MIN_OFFSET, fields),
    await asker.number(SEARCH_OFFSET, { ...fields, timestamp: 0 }),
    await asker.number(EARLIEST_STORE_TIME, fields) > 0,
  ];
  assertEquals(await about({ topic, queueId: 0 }), [250, 0, 0, true]);
  for (const nowhere of [{ topic, queueId: 1 }, { topic, queueId: 77 }, { topic: "NoSuchTopic", queueId: 0 }]) {
    assertEquals(await about(nowhere), [0, 0, 0, false]);
  }
  const unknown = { consumerGroup: "NoSuchGroup", topic: "NoSuchTopic", queueId: 0 };
  assertEquals(await asker.number(QUERY_OFFSET, unknown), 0);
}

/** Topics and groups that change under their consumers. */
async function changes(asker: Asker, topic: string): Promise<void> {
  await asker.topic(topic, 4);
  await made(asker, topic, 4);
  await asker.java.run("post-to", topic, "broker-a", 3, 1, 10, "TagA");
  const codeOf = async (queueId: number, given: Fields = {}) =>
    (await asker.pull({ topic, queueId, ...given }))["code"];
  assertEquals([await codeOf(0), await codeOf(3)], [19, 0]);
  await asker.topic(topic, 2, 4);
  assertEquals([await codeOf(0), await codeOf(3)], [19, 1], "fewer queues to read");
  await asker.topic(topic, 4, 4, 2);
  assertEquals([await codeOf(0), await codeOf(3)], [16, 16], "not to be read");
  await asker.topic(topic, 4, 4, 4);
  assertEquals([await codeOf(0), await codeOf(3)], [19, 0], "to be read only");
  const consumerGroup = "interop-no-consumers";
  await asker.group(consumerGroup, { consumeEnable: false });
  assertEquals(await codeOf(3, { consumerGroup }), 16, "consumeEnable");
  await asker.group(consumerGroup, { consumeFromMinEnable: false, consumeBroadcastEnable: false });
  assertEquals(await codeOf(3, { consumerGroup }), 0, "consumeFromMinEnable is kept, and decides nothing");
  assertEquals(await asker.code(DELETE_TOPIC, { topic }), 0);
  assertEquals(await codeOf(3), 17, "deleted");
  await asker.topic(topic, 4);
  const empty = { min: 0, max: 0, suggested: 0, count: 0 };
  const again = await asker.pull({ topic, queueId: 3, queueOffset: 1 });
  assertEquals(again, { code: 21, status: "NO_MESSAGE_IN_QUEUE", next: 0, ...empty }, "made again");
}

/** How much comes at once, and from which broker the consumer is told to pull next. */
async function limits(asker: Asker, topic: string, fromDisk: boolean): Promise<void> {
  await made(asker, topic, 2);
  await asker.java.run("post-to", topic, "broker-a", 0, 40, 10, "TagA");
  await asker.java.run("post-to", topic, "broker-a", 1, 4, 100 << 10, "TagA");
  await asker.group("interop-slow", { brokerId: 3, whichBrokerWhenConsumeSlowly: 5 });
  const pulled = async (given: Fields) => {
    const { code, count, suggested } = await asker.pull({ topic, consumerGroup: "interop-slow", ...given });
    return [code, count, suggested];
  };
  const suggested = fromDisk ? 5 : 3;
  assertEquals(await pulled({}), [0, fromDisk ? 8 : 32, suggested], "small messages");
  assertEquals(await pulled({ maxMsgNums: 5 }), [0, 5, suggested]);
  assertEquals(await pulled({ queueId: 1 }), [0, fromDisk ? 1 : 2, suggested], "messages of 100 KiB");
  assertEquals(await pulled({ queueId: 1, queueOffset: 3 }), [0, 1, suggested], "the last record of the log");
  assertEquals(await pulled({ subscription: "TagB" }), [20, 0, suggested], "nothing that matches");
  assertEquals(await pulled({ queueOffset: 40 }), [19, 0, 3], "nothing was read");
  assertEquals(await pulled({ queueOffset: 41 }), [21, 0, 3], "nothing was read");
  assertEquals((await asker.pull({ topic }))["suggested"], fromDisk ? 1 : 0, "a group as it is made");
  const unknown = { consumerGroup: "NoSuchGroup", topic, queueId: 0 };
  assertEquals(await asker.code(QUERY_OFFSET, unknown), fromDisk ? 22 : 0, "the beginning is far back");
}

/** The first 40 messages of a queue are gone, and there are no others: Java leaves its minimum where it was. */
const GONE = {
  java: { code: 20, status: "MESSAGE_WAS_REMOVING", next: 40, min: 0, max: 40, suggested: 0, count: 0 },
  rocketd: { code: 21, status: "OFFSET_TOO_SMALL", next: 40, min: 40, max: 40, suggested: 0, count: 0 },
};

const CLIENTS: readonly [version: "4.9.7" | "4.1.0-incubating", headers: Serialization][] = [
  ["4.9.7", "ROCKETMQ"],
  ["4.1.0-incubating", "JSON"],
];

Deno.test({
  name: "pulls at every edge, from memory and from disk, of queues that shrink and come anew",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nameserver = await startNameserver();
    const namesrvAddr = nameserver.address;
    await using broker = await startBroker({ namesrvAddr, brokerName: "broker-a", settings: SETTINGS });
    for (const [version, headers] of CLIENTS) {
      await using java = await JavaShell.start(`client-${version}`, headers, namesrvAddr);
      const asker = new Asker(java, broker);
      const topic = `Interop-pull-${version.replaceAll(".", "_")}`;
      const step = async (name: string, work: () => Promise<unknown>) => {
        await t.step(`${version}: ${name}`, () => withLogs([broker], async () => void await work()));
      };
      await step("codes, statuses and offsets at the ends", () => edges(asker, topic));
      await step("questions about queues", () => queues(asker, topic));
      await step("offsets that pulls commit", () => commits(asker, topic));
      await step("topics and groups that change", () => changes(asker, `${topic}-changing`));
      await step("limits from memory", () => limits(asker, `${topic}-limits`, false));
      if (version === "4.9.7") {
        await step("a lite pull consumer that moves about", async () => {
          await made(asker, `${topic}-lite`, 1);
          await java.run("post-to", `${topic}-lite`, "broker-a", 0, 40, 10, "TagA");
          await java.run("lite-pull-places", `${topic}-lite`, "interop-lite-places");
        });
        await step("10,000 pulls that wait on one connection", async () => {
          await made(asker, `${topic}-held`, 100);
          const reports = await java.run("hold-pulls", broker.address, `${topic}-held`, "broker-a", 100, 100);
          assertEquals(reports.map(({ what, answered }) => [what, answered]), [
            ["held", 0],
            ["one queue woken", 100],
            ["all woken", 10_000],
          ]);
        });
      }
      await step("a queue that retention has shortened", async () => {
        const shortened = `${topic}-shortened`;
        await made(asker, shortened, 1);
        await java.run("post-to", shortened, "broker-a", 0, 90, 30 << 10, "TagA");
        await broker.stop();
        await removeOldLog(broker);
        await broker.start();
        const gone = await asker.pull({ topic: `${topic}-limits` });
        assertEquals(
          gone,
          GONE[clusterKind().endsWith("java") ? "java" : "rocketd"],
          "a queue of which nothing is left",
        );
        await java.run("pull-after-retention", shortened, `interop-shortened-${version.replaceAll(".", "_")}`);
      });
    }
  },
});

/** Takes away all of the log but its last two files, as retention does after days. */
async function removeOldLog(broker: Node): Promise<void> {
  const folder = `${broker.storeDir}/commitlog`;
  const names = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  assert(names.length >= 4, `only ${names.length} log files`);
  for (const name of names.sort().slice(0, -2)) await Deno.remove(`${folder}/${name}`);
}

Deno.test({
  name: "pulls of what counts as on disk",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nameserver = await startNameserver();
    const namesrvAddr = nameserver.address;
    const settings = { ...SETTINGS, accessMessageInMemoryMaxRatio: 0 };
    await using broker = await startBroker({ namesrvAddr, brokerName: "broker-a", settings });
    await using java = await JavaShell.start("client-4.9.7", "JSON", namesrvAddr);
    await t.step("limits and the broker that is suggested", async () => {
      await withLogs([broker], () => limits(new Asker(java, broker), "Interop-pull-disk", true));
    });
  },
});
