/**
 * Messages that come back, and those that clients send to a retry topic themselves, over real connections and a real
 * store.
 *
 * @module
 */
import type { BrokerContext } from "../../src/broker/context.ts";
import { SubscriptionGroupTable } from "../../src/broker/groups.ts";
import { Intake } from "../../src/broker/intake.ts";
import { retriesAllowed } from "../../src/broker/retries.ts";
import { sendBackHandlers } from "../../src/broker/send_back.ts";
import { sendingHandlers } from "../../src/broker/sending.ts";
import { TopicTable } from "../../src/broker/topics.ts";
import { type BrokerSettings, checkSettings } from "../../src/config/mod.ts";
import { subscriptionGroup, topicConfig } from "../../src/protocol/bodies/mod.ts";
import { MQVersion, ResponseCode } from "../../src/protocol/codes.ts";
import { formatMessageId } from "../../src/protocol/message_id.ts";
import { decodeRecord, type MessageRecord } from "../../src/protocol/message_record.ts";
import { formatProperties, parseProperties } from "../../src/protocol/properties.ts";
import * as requests from "../../src/protocol/requests.ts";
import type { GetResult, MessageStore, StoreOptions } from "../../src/store/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { sendHeader } from "../headers.ts";
import { Bench, HOST, put, putMany } from "../store/kit.ts";
import { Desk, HandClock, statsOf, until } from "./workshop.ts";

const { SUCCESS, SYSTEM_ERROR, NO_PERMISSION, SUBSCRIPTION_GROUP_NOT_EXIST } = ResponseCode;

/** A broker of the handlers under test, and what its test needs to look behind them. */
interface Served {
  readonly bench: Bench;
  readonly store: MessageStore;
  readonly topics: TopicTable;
  readonly groups: SubscriptionGroupTable;
  sendBack(given?: Partial<SendBack>): Promise<{ code: number; remark?: string | undefined }>;
  send(given: Partial<Send>): Promise<{ code: number; remark?: string | undefined }>;
  /** The newest record of a queue. */
  last(topic: string, queueId?: number): MessageRecord;
}
type SendBack = { offset: number; group: string; delayLevel: number; maxReconsumeTimes: number; unitMode: boolean };
type Send = { topic: string; properties: string; reconsumeTimes: number; maxReconsumeTimes: number; queueId: number };

async function served(
  test: (broker: Served) => Promise<void>,
  sets: string[] = [],
  options: Partial<StoreOptions> = {},
): Promise<void> {
  using bench = new Bench();
  const store = await bench.open(options);
  const [disk, clock] = [bench.disk, new HandClock()];
  const settings = settingsOf([`storePathRootDir=${bench.dir}`, "brokerName=broker-a", ...sets]);
  const topics = new TopicTable({ settings, disk, clock });
  const groups = new SubscriptionGroupTable({ settings, disk, clock });
  const broker = {
    settings,
    clock,
    topics,
    groups,
    store,
    storeHost: HOST,
    intake: new Intake(store),
    stats: statsOf(clock),
  };
  const desk = new Desk((table) => {
    sendBackHandlers(table, broker);
    sendingHandlers(table, broker as unknown as BrokerContext);
  });
  const { ask } = desk.client();
  try {
    await test({
      bench,
      store,
      topics,
      groups,
      sendBack: (given = {}) => ask(requests.ConsumerSendMsgBack, { offset: 0, group: "CG", delayLevel: 0, ...given }),
      send: (given) =>
        ask(
          requests.SendMessageV2,
          sendHeader({ topic: "%RETRY%CG", bornTimestamp: clock.now(), ...given }),
          new TextEncoder().encode("again"),
        ),
      last: (topic, queueId = 0) => {
        const { records } = store.get(topic, queueId, store.maxOffset(topic, queueId) - 1, 1) as GetResult;
        assert(records[0] !== undefined, `nothing in queue ${queueId} of ${topic}`);
        return decodeRecord(records[0].slice());
      },
    });
  } finally {
    await desk.close();
    await store.close();
  }
}

function settingsOf(sets: string[]): BrokerSettings {
  const loaded = checkSettings("", { roles: ["master"], sets });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.settings.broker!;
}

const SCHEDULE = "SCHEDULE_TOPIC_XXXX";
const all = (record: MessageRecord) => Object.fromEntries(parseProperties(record.properties));

Deno.test("A message that comes back waits for the retry topic: ten seconds at first, with its origin", async () => {
  await served(async ({ store, topics, sendBack, last }) => {
    await put(store, { topic: "Before" });
    const { logOffset } = await put(store, { properties: "TAGS\u0001TagA\u0002UNIQ_KEY\u0001U1", flag: 7, sysFlag: 1 });
    assertEquals((await sendBack({ offset: logOffset })).code, SUCCESS);
    const retry = last(SCHEDULE, 2);
    assertEquals([retry.flag, retry.sysFlag & 1, retry.reconsumeTimes, retry.bornTimestamp], [
      7,
      1,
      1,
      1_600_000_000_000,
    ]);
    assertEquals(new TextDecoder().decode(retry.body), "hello");
    assertEquals(all(retry), {
      TAGS: "TagA",
      UNIQ_KEY: "U1",
      RETRY_TOPIC: "T",
      ORIGIN_MESSAGE_ID: formatMessageId(HOST, logOffset),
      DELAY: "3",
      WAIT: "false",
      REAL_TOPIC: "%RETRY%CG",
      REAL_QID: "0",
    });
    assertEquals(topics.get("%RETRY%CG"), topicConfig("%RETRY%CG", { readQueueNums: 1, writeQueueNums: 1 }));
  });
});

Deno.test("Every further retry waits longer, and keeps the first topic and id", async () => {
  await served(async ({ store, sendBack, last }) => {
    const properties = formatProperties([["RETRY_TOPIC", "First"], ["ORIGIN_MESSAGE_ID", "ID1"], ["DELAY", "9"]]);
    for (const [times, level] of [[1, 4], [5, 8], [14, 17], [15, 18]] as const) {
      const { logOffset } = await put(store, { topic: "%RETRY%CG", properties, reconsumeTimes: times });
      assertEquals((await sendBack({ offset: logOffset })).code, SUCCESS);
      const retry = last(SCHEDULE, level - 1);
      const { RETRY_TOPIC, ORIGIN_MESSAGE_ID, DELAY } = all(retry);
      assertEquals([retry.reconsumeTimes, RETRY_TOPIC, ORIGIN_MESSAGE_ID], [times + 1, "First", "ID1"]);
      assertEquals(DELAY, String(level));
    }
  });
});

Deno.test("The consumer may say which delay level; one beyond the last is the last", async () => {
  await served(async ({ store, sendBack, last }) => {
    const { logOffset: offset } = await put(store, { reconsumeTimes: 2 });
    assertEquals((await sendBack({ offset, delayLevel: 1 })).code, SUCCESS);
    assertEquals(all(last(SCHEDULE, 0))["DELAY"], "1");
    assertEquals((await sendBack({ offset, delayLevel: 2_000_000_000 })).code, SUCCESS);
    assertEquals(all(last(SCHEDULE, 17))["DELAY"], "18");
  });
});

const ENDS: [string, Partial<SendBack>, number][] = [
  ["after the group's 16 retries", {}, 16],
  ["after as many retries as the consumer allows", { maxReconsumeTimes: 2 }, 2],
  ["at once where the consumer allows none", { maxReconsumeTimes: 0 }, 0],
  ["at once for a delay level below 0", { delayLevel: -1 }, 0],
  ["even if its count of retries can grow no more", { delayLevel: -1 }, 0x7fff_ffff],
];

for (const [when, given, reconsumeTimes] of ENDS) {
  Deno.test(`A message ends in the dead letter queue ${when}`, async () => {
    await served(async ({ store, topics, sendBack, last }) => {
      const { logOffset } = await put(store, { reconsumeTimes });
      assertEquals((await sendBack({ offset: logOffset, ...given })).code, SUCCESS);
      const dead = last("%DLQ%CG");
      assertEquals(dead.reconsumeTimes, Math.min(reconsumeTimes + 1, 0x7fff_ffff));
      assertEquals(all(dead), {
        TAGS: "TagA",
        RETRY_TOPIC: "T",
        ORIGIN_MESSAGE_ID: formatMessageId(HOST, logOffset),
        DELAY: "0",
        WAIT: "false",
      });
      assertEquals(topics.get("%DLQ%CG"), topicConfig("%DLQ%CG", { readQueueNums: 1, writeQueueNums: 1 }));
    });
  });
}

Deno.test("The group says how often, and clients before 3.4.9 have no say in it", () => {
  const group = subscriptionGroup("CG", { retryMaxTimes: 5 });
  assertEquals(retriesAllowed(group, undefined, MQVersion.V4_9_7), 5);
  assertEquals(retriesAllowed(group, 1, MQVersion.V3_4_9), 1);
  assertEquals(retriesAllowed(group, 1, MQVersion.V3_4_9 - 1), 5);
});

Deno.test("Retries spread over the group's queues, but not beyond those of its topic", async () => {
  await served(async ({ store, topics, groups, sendBack }) => {
    groups.update(subscriptionGroup("CG", { retryQueueNums: 3 }));
    const { logOffset: offset } = await put(store);
    const used = async () => {
      const before = store.maxOffset(SCHEDULE, 0);
      for (let i = 0; i < 60; i++) await sendBack({ offset, delayLevel: 1 });
      const { records } = store.get(SCHEDULE, 0, before, 60) as GetResult;
      return new Set(records.map((record) => all(decodeRecord(record))["REAL_QID"]));
    };
    assertEquals((await used()).size, 3);
    assertEquals(topics.get("%RETRY%CG")?.readQueueNums, 3);
    groups.update(subscriptionGroup("CG", { retryQueueNums: 1000 }));
    for (const queueId of await used()) assert(Number(queueId) < 3, `queue ${queueId}`);
  });
});

Deno.test("A group without queues for retries lets go of what comes back", async () => {
  await served(async ({ store, topics, groups, sendBack }) => {
    groups.update(subscriptionGroup("CG", { retryQueueNums: 0 }));
    const end = (await put(store)).logOffset;
    const before = store.maxLogOffset;
    assertEquals((await sendBack({ offset: end })).code, SUCCESS);
    assertEquals((await sendBack({ offset: end, delayLevel: -1 })).code, SUCCESS);
    assertEquals([store.maxLogOffset, topics.get("%RETRY%CG")], [before, undefined]);
  });
});

Deno.test("A consumer in unit mode makes its retry topic a unit's", async () => {
  await served(async ({ store, topics, sendBack }) => {
    const { logOffset: offset } = await put(store);
    await sendBack({ offset, unitMode: true });
    assertEquals(topics.get("%RETRY%CG")?.topicSysFlag, 2);
  });
});

Deno.test("What is no message cannot come back", async () => {
  await served(async ({ store, sendBack }) => {
    const { logOffset } = await put(store);
    const end = store.maxLogOffset;
    for (const offset of [logOffset + 1, logOffset + 4, end, end + 1000, -1, Number.MAX_SAFE_INTEGER]) {
      const { code, remark } = await sendBack({ offset });
      assertEquals([code, remark], [SYSTEM_ERROR, `look message by offset failed, ${offset}`]);
    }
    assertEquals(store.maxLogOffset, end);
  });
});

Deno.test("A message that is no longer in memory comes back like any other", async () => {
  await served(async ({ store, sendBack, last }) => {
    const { logOffset: offset } = await put(store, { properties: "" });
    // More than the pieces of the log's end that stay in memory.
    await putMany(store, 60, "m", 15_000);
    assert(store.fetchRecord(offset) instanceof Promise);
    assertEquals((await sendBack({ offset })).code, SUCCESS);
    assertEquals(all(last(SCHEDULE, 2))["ORIGIN_MESSAGE_ID"], formatMessageId(HOST, offset));
    for (const beside of [offset + 1, offset + 90]) {
      assertEquals((await sendBack({ offset: beside })).remark, `look message by offset failed, ${beside}`);
    }
  });
});

Deno.test("With SYNC_FLUSH a message has come back when the one stored anew is safe on disk", async () => {
  await served(
    async ({ bench, store, sendBack, last }) => {
      const { logOffset: offset } = await put(store);
      const log = bench.logFile();
      for (const [delayLevel, topic, queueId] of [[0, SCHEDULE, 2], [-1, "%DLQ%CG", 0]] as const) {
        const before = bench.disk.syncsOf(log);
        assertEquals((await sendBack({ offset, delayLevel })).code, SUCCESS);
        assertEquals(bench.disk.syncsOf(log), before + 1);
        assertEquals(all(last(topic, queueId))["WAIT"], "false");
      }
      const held = Promise.withResolvers<void>();
      bench.disk.holdSyncs = held.promise;
      const late = sendBack({ offset });
      await until(() => store.maxOffset(SCHEDULE, 2) === 2, "the message stored anew");
      bench.clock.advance(5_000);
      const { code, remark } = await late;
      assertEquals(code, SYSTEM_ERROR);
      assertStringIncludes(remark ?? "", "FLUSH_DISK_TIMEOUT: the disk did not sync");
      held.resolve();
    },
    [],
    { flushDiskType: "SYNC_FLUSH" },
  );
});

Deno.test("With SYNC_MASTER a message has come back when a slave has the one stored anew, or there is no slave", async () => {
  await served(
    async ({ bench, store, sendBack }) => {
      const { logOffset: offset } = await put(store);
      assertEquals((await sendBack({ offset })).code, SUCCESS);
      store.replicas = { connected: () => 1 };
      const good = sendBack({ offset });
      await until(() => store.maxOffset(SCHEDULE, 2) === 2, "the message stored anew");
      store.acknowledged(store.maxLogOffset);
      assertEquals((await good).code, SUCCESS);
      const late = sendBack({ offset });
      await until(() => store.maxOffset(SCHEDULE, 2) === 3, "the message stored anew");
      bench.clock.advance(3_100);
      const { code, remark } = await late;
      assertEquals(code, SYSTEM_ERROR);
      assertStringIncludes(remark ?? "", "FLUSH_SLAVE_TIMEOUT");
    },
    [],
    { brokerRole: "SYNC_MASTER" },
  );
});

Deno.test("A group that does not exist and may not be made gets nothing back", async () => {
  await served(async ({ store, sendBack, send, groups }) => {
    const { logOffset: offset } = await put(store);
    const end = store.maxLogOffset;
    const none = { code: SUBSCRIPTION_GROUP_NOT_EXIST, remark: "subscription group not exist, CG" };
    for (const { code, remark } of [await sendBack({ offset }), await send({})]) assertEquals({ code, remark }, none);
    for (const group of ["", "a/b", "../CG", "g".repeat(256)]) {
      assertEquals((await sendBack({ offset, group })).code, SUBSCRIPTION_GROUP_NOT_EXIST);
    }
    assertEquals([store.maxLogOffset, groups.get("CG")], [end, undefined]);
  }, ["autoCreateSubscriptionGroup=false"]);
});

Deno.test("A group whose name leaves no room for a retry topic gets nothing back", async () => {
  await served(async ({ store, sendBack }) => {
    const { logOffset: offset } = await put(store);
    assertEquals((await sendBack({ offset, group: "g".repeat(120) })).code, SUCCESS);
    const { code, remark } = await sendBack({ offset, group: "g".repeat(121) });
    assertEquals(code, SYSTEM_ERROR);
    assertStringIncludes(remark ?? "", "longer than topic max length 127");
  });
});

Deno.test("Neither a broker nor a retry topic without write permission takes anything back", async () => {
  await served(async ({ sendBack }) => {
    const { code, remark } = await sendBack();
    assertEquals(code, NO_PERMISSION);
    assertStringIncludes(remark ?? "", "its brokerPermission is 4");
  }, ["brokerPermission=4"]);
  await served(async ({ topics, sendBack }) => {
    topics.update(topicConfig("%RETRY%CG", { perm: 4 }));
    const { code, remark } = await sendBack();
    assertEquals(code, NO_PERMISSION);
    assertStringIncludes(remark ?? "", "the topic[%RETRY%CG] sending message is forbidden: its perm is 4");
  });
});

Deno.test("A message whose properties have no room for its origin cannot come back", async () => {
  await served(async ({ store, sendBack }) => {
    const { logOffset: offset } = await put(store, { properties: formatProperties([["p", "x".repeat(32_700)]]) });
    const { code, remark } = await sendBack({ offset });
    assertEquals(code, SYSTEM_ERROR);
    assertStringIncludes(remark ?? "", "MESSAGE_ILLEGAL: properties have");
  });
});

Deno.test("A client may send to the retry topic itself; one try too many makes a dead letter", async () => {
  await served(async ({ groups, topics, send, last }) => {
    groups.update(subscriptionGroup("CG", { retryMaxTimes: 3 }));
    const properties = formatProperties([["RETRY_TOPIC", "T"], ["TAGS", "A"]]);
    assertEquals((await send({ properties, reconsumeTimes: 2 })).code, SUCCESS);
    assertEquals(last("%RETRY%CG").reconsumeTimes, 2);
    assertEquals(topics.get("%DLQ%CG"), undefined);
    const late = formatProperties([["RETRY_TOPIC", "T"], ["DELAY", "6"], ["TAGS", "A"]]);
    assertEquals((await send({ properties: late, reconsumeTimes: 3 })).code, SUCCESS);
    const dead = last("%DLQ%CG");
    assertEquals(dead.reconsumeTimes, 3);
    assertEquals(all(dead), { RETRY_TOPIC: "T", TAGS: "A", CLUSTER: "DefaultCluster" });
    assertEquals((await send({ properties, reconsumeTimes: 3, maxReconsumeTimes: 4 })).code, SUCCESS);
    assertEquals(last("%RETRY%CG").reconsumeTimes, 3);
    assertEquals((await send({ properties, reconsumeTimes: 1, maxReconsumeTimes: 1 })).code, SUCCESS);
    assertEquals(last("%DLQ%CG").reconsumeTimes, 1);
  });
});
