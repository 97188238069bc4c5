/**
 * What no client should send, again and again: each request gets its answer, the master goes on serving, and its memory
 * does not grow by it.
 *
 * @module
 */
import { ResponseCode } from "../../src/protocol/codes.ts";
import {
  CheckClientConfig,
  ConsumerSendMsgBack,
  EndTransaction,
  HeartBeat,
  LockBatchMq,
  PullMessage,
  QueryConsumerOffset,
  QueryMessage,
  SearchOffsetByTimestamp,
  SendMessageV2,
  UnlockBatchMq,
  UpdateAndCreateTopic,
  UpdateConsumerOffset,
  ViewMessageById,
} from "../../src/protocol/requests.ts";
import type { RequestInput, RequestType } from "../../src/protocol/request.ts";
import type { Received } from "../../src/remoting/connection.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { sendHeader } from "../headers.ts";
import { type Node, startRocketd } from "../launch.ts";

const TIMEOUT_MS = 30_000;
const MiB = 1 << 20;
const MANY = 100_000;
/** Of each request in each pass, and of those that take long to make; the first pass fills caches and heaps. */
const ROUNDS = 100;
const ROUNDS_OF_LARGE = 10;
const PASSES = 3;
/** What the process may grow by in the passes after the first: a heap breathes, a leak of all that is sent has GiB. */
const GROWTH_MAX_MIB = 160;
const GROUP = "CID_ONSAPI_OWNER";

const encoder = new TextEncoder();
const json = (value: unknown) => encoder.encode(JSON.stringify(value));

let used = 0;
/** A name that was never used before, so that what remembers names remembers each. */
const fresh = () => `n${used++}`;

type Ask = <R extends RequestType>(type: R, header: RequestInput<R>, body?: Uint8Array) => Promise<Received>;

/** A request, and the code and the words of its answer. */
type Attack = readonly [ask: () => Promise<Received>, code: number, ...words: string[]];

const { SUCCESS, SYSTEM_ERROR, QUERY_NOT_FOUND, MESSAGE_ILLEGAL, SUBSCRIPTION_PARSE_FAILED } = ResponseCode;
const { SUBSCRIPTION_GROUP_NOT_EXIST } = ResponseCode;

const none = {};
const queueOf = (topic: string, queueId = 0) => ({ topic, brokerName: "broker-a", queueId });
const locks = (consumerGroup: string, mqSet: unknown[]) => json({ consumerGroup, clientId: fresh(), mqSet });
const ended = { tranStateTableOffset: 0, commitOrRollback: 8 };
const many = <T>(item: (i: number) => T) => Array.from({ length: MANY }, (_, i) => item(i));
const subscription = { topic: "T", subString: "*" };
const sql = (subString: string) => ({ ...subscription, subString, expressionType: "SQL92" });
const consumer = (subscriptions: unknown[], groupName = fresh()) => ({ groupName, subscriptionDataSet: subscriptions });
const heartbeat = (consumers: unknown[], producers: unknown[] = []) =>
  json({ clientID: fresh(), consumerDataSet: consumers, producerDataSet: producers });
const pull = {
  topic: "T",
  queueId: 0,
  queueOffset: 0,
  maxMsgNums: 32,
  sysFlag: 4,
  commitOffset: 0,
  suspendTimeoutMillis: 0,
  subVersion: 0,
};
const send = sendHeader();
const DEEP_SQL = "(".repeat(30_000) + "a = 1" + ")".repeat(30_000);
const LONG_SQL = "a = 1 OR ".repeat(7000) + "a = 1";

/** `place` is the log offset of a stored message, of a plain one. */
function smallAttacks(ask: Ask, place: number): Record<string, Attack> {
  const lock = (body: Uint8Array) => ask(LockBatchMq, none, body);
  const end = (commitLogOffset: number) => ask(EndTransaction, { ...ended, producerGroup: fresh(), commitLogOffset });
  const back = (offset: number, group: string) => ask(ConsumerSendMsgBack, { offset, group, delayLevel: 3 });
  const beat = (body: Uint8Array) => ask(HeartBeat, none, body);
  const check = (expression: string) =>
    ask(CheckClientConfig, none, json({ clientId: "c", group: fresh(), subscriptionData: sql(expression) }));
  const filtered = (expression: string) =>
    ask(PullMessage, { ...pull, consumerGroup: GROUP, subscription: expression, expressionType: "SQL92" });
  return {
    "a lock for an unknown group": [() => lock(locks(fresh(), [queueOf("T")])), SUCCESS, "group", "does not exist"],
    "a lock of an unknown topic": [() => lock(locks(GROUP, [queueOf(fresh())])), SUCCESS, "not exist"],
    "a lock of a queue beyond the topic's": [() => lock(locks(GROUP, [queueOf("T", 4)])), SUCCESS, "queueId[4]"],
    "a lock without a body": [() => lock(new Uint8Array()), SYSTEM_ERROR, "LOCK_BATCH_MQ", "JSON"],
    "an unlock for an unknown group": [() => ask(UnlockBatchMq, none, locks(fresh(), [queueOf("T")])), SUCCESS],
    "the offset of an unknown group": [
      () => ask(QueryConsumerOffset, { consumerGroup: fresh(), topic: fresh(), queueId: 3 }),
      SUCCESS,
    ],
    "an offset for an unknown topic": [
      () => ask(UpdateConsumerOffset, { consumerGroup: fresh(), topic: fresh(), queueId: 0, commitOffset: 5 }),
      SYSTEM_ERROR,
      "topic",
      "does not exist",
    ],
    "an offset for an unknown group": [
      () => ask(UpdateConsumerOffset, { consumerGroup: fresh(), topic: "T", queueId: 0, commitOffset: 5 }),
      SUCCESS,
    ],
    "the end of a transaction in the middle of a message": [
      () => end(place + 1),
      SYSTEM_ERROR,
      `commitLogOffset ${place + 1}`,
    ],
    "the end of a transaction beyond the log": [() => end(1e15), SYSTEM_ERROR, "commitLogOffset 1000000000000000"],
    "the end of a transaction before the log": [() => end(-5), SYSTEM_ERROR, "commitLogOffset -5"],
    "the end of a transaction for a plain message": [() => end(place), SYSTEM_ERROR, "no half message"],
    "a send-back of no message": [() => back(place + 7, GROUP), SYSTEM_ERROR, `${place + 7}`],
    "a send-back beyond the log": [() => back(1e15, GROUP), SYSTEM_ERROR, "1000000000000000"],
    "a send-back of an unknown group": [() => back(place, fresh()), SUBSCRIPTION_GROUP_NOT_EXIST, "not exist"],
    "a heartbeat of many groups": [
      () => beat(heartbeat([consumer([subscription])], Array.from({ length: 100 }, () => ({ groupName: fresh() })))),
      SUCCESS,
    ],
    "a heartbeat with an expression too deep": [() => beat(heartbeat([consumer([sql(DEEP_SQL)])])), SUCCESS],
    "a check of an expression too deep": [() => check(DEEP_SQL), SUBSCRIPTION_PARSE_FAILED, "levels", "column"],
    "a check of an expression too long": [() => check(LONG_SQL), SUBSCRIPTION_PARSE_FAILED, "more than", "column"],
    "a check of an expression in part": [() => check("a = 'x"), SUBSCRIPTION_PARSE_FAILED, "column 5"],
    "a pull with an expression too deep": [() => filtered(DEEP_SQL), SUBSCRIPTION_PARSE_FAILED, "levels"],
    "a pull with an expression too long": [() => filtered(LONG_SQL), SUBSCRIPTION_PARSE_FAILED, "more than"],
    "a pull with an expression never used before": [
      () => filtered(`a = '${fresh()}'`),
      ResponseCode.PULL_RETRY_IMMEDIATELY,
    ],
    "a pull of an unknown group": [
      () => ask(PullMessage, { ...pull, consumerGroup: fresh(), subscription: "*" }),
      SUBSCRIPTION_GROUP_NOT_EXIST,
      "does not exist",
    ],
    "a look at the middle of a message": [() => ask(ViewMessageById, { offset: place + 1 }), SYSTEM_ERROR, "offset"],
    "a search in an unknown queue": [
      () => ask(SearchOffsetByTimestamp, { topic: fresh(), queueId: -5, timestamp: -1 }),
      SUCCESS,
    ],
  };
}

/** Much text that was never sent before: a megabyte in a body, and what a header may have. */
function textAttacks(ask: Ask): Record<string, Attack> {
  const text = () => fresh().padEnd(MiB, "x");
  const field = () => fresh().padEnd(500_000, "x");
  const query = (topic: string, key: string) =>
    ask(QueryMessage, { topic, key, maxNum: 0x7fff_ffff, beginTimestamp: 0, endTimestamp: 1e15 });
  return {
    "a heartbeat with an expression of 1 MB": [
      () => ask(HeartBeat, none, heartbeat([consumer([{ topic: "T", subString: text() }])])),
      SYSTEM_ERROR,
      "subString",
      "at most",
    ],
    "an offset for a group with a name of 500 kB": [
      () => ask(UpdateConsumerOffset, { consumerGroup: field(), topic: "T", queueId: 0, commitOffset: 5 }),
      SYSTEM_ERROR,
      "group",
    ],
    "a pull with an expression of 500 kB": [
      () => ask(PullMessage, { ...pull, consumerGroup: GROUP, subscription: field() }),
      SUBSCRIPTION_PARSE_FAILED,
      "characters",
    ],
    "a query with a topic of 500 kB": [() => query(field(), "k"), QUERY_NOT_FOUND, "can not find message"],
    "a query with a key of 500 kB": [() => query("T", field()), QUERY_NOT_FOUND, "can not find message"],
  };
}

function largeAttacks(ask: Ask): Record<string, Attack> {
  const beat = (body: Uint8Array) => ask(HeartBeat, none, body);
  const lockOfMany = locks(GROUP, many((i) => queueOf("T", i)));
  const strict = heartbeat([consumer(many(() => ({ topic: "T" })))]);
  const lenient = encoder.encode(new TextDecoder().decode(strict).replaceAll('"', "'"));
  const long = heartbeat([consumer(many(() => ({ topic: "t".repeat(60) })))]);
  const deep = encoder.encode("[".repeat(MiB));
  const letters = new Uint8Array(MiB).fill(0x61);
  // Entries of 22 bytes, with neither body nor properties.
  const batch = new Uint8Array(22 * Math.floor(4 * MiB / 22));
  for (let at = 3; at < batch.length; at += 22) batch[at] = 22;
  const topics = Array.from({ length: 4000 }, (_, i) => ({ topic: `${"t".repeat(220)}${i}`, subString: "*" }));
  return {
    "a lock of 100,000 queues": [() => ask(LockBatchMq, none, lockOfMany), SYSTEM_ERROR, "mqSet", "at most"],
    "a lock nested a million times": [() => ask(LockBatchMq, none, deep), SYSTEM_ERROR, "levels"],
    "a heartbeat of 1 MB": [() => beat(heartbeat([consumer(topics, "g")])), SUCCESS],
    "a heartbeat of 1 MB that is none": [() => beat(letters), SYSTEM_ERROR, "HEART_BEAT", "JSON"],
    "a heartbeat of 100,000 subscriptions": [() => beat(strict), SYSTEM_ERROR, "subscriptionDataSet", "at most 4096"],
    "the same in fastjson's dialect": [() => beat(lenient), SYSTEM_ERROR, "subscriptionDataSet", "at most 4096"],
    "the same with long names": [() => beat(long), SYSTEM_ERROR, "bytes, allowed are"],
    "a batch of 190,000 messages": [
      () => ask(SendMessageV2, { ...send, batch: true }, batch),
      MESSAGE_ILLEGAL,
      "batch",
      "allowed are",
    ],
  };
}

function residentMib({ pid }: Node): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]) / 1024;
}

Deno.test("a master answers bad requests by the thousand, goes on serving, and does not grow", async (t) => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  const settings = { autoCreateTopicEnable: false, autoCreateSubscriptionGroup: false, enablePropertyFilter: true };
  await using broker = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings });
  const { address } = broker;
  const asker = (client: RemotingClient): Ask => (type, header, body) =>
    client.invoke(address, type, header, body, TIMEOUT_MS);
  using well = new RemotingClient();
  const ask = asker(well);
  const queues = { readQueueNums: 4, writeQueueNums: 4, perm: 6 };
  await ask(UpdateAndCreateTopic, { topic: "T", defaultTopic: "TBW102", topicFilterType: "SINGLE_TAG", ...queues });
  const { header } = await ask(SendMessageV2, send, encoder.encode("a message".repeat(20)));
  const place = parseInt((header as { msgId: string }).msgId.slice(16), 16);

  const attack = async (attacks: Record<string, Attack>, rounds: number) => {
    for (const [name, [asked, code, ...words]] of Object.entries(attacks)) {
      await t.step(`${name}, ${rounds} times`, async () => {
        for (let i = 0; i < rounds; i++) {
          const { code: got, remark = "" } = await asked();
          assertEquals(got, code, remark);
          for (const word of words) assertStringIncludes(remark, word);
        }
      });
      if (!isRunning(broker)) throw new Error(`the master ended:\n${await broker.log()}`);
    }
  };
  const sizes: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    // What a client says of itself is forgotten with its connection.
    using bad = new RemotingClient();
    await attack(smallAttacks(asker(bad), place), ROUNDS);
    await attack(textAttacks(asker(bad)), ROUNDS);
    await attack(largeAttacks(asker(bad)), ROUNDS_OF_LARGE);
    sizes.push(residentMib(broker));
  }
  await t.step("its memory stays", () => {
    const growth = Math.max(...sizes.slice(1)) - sizes[0]!;
    assert(growth < GROWTH_MAX_MIB, `MiB after each pass: ${sizes.map(Math.round)}`);
  });
  await t.step("it still takes messages and gives them", async () => {
    assertEquals((await ask(SendMessageV2, send, encoder.encode("after"))).code, SUCCESS);
    const got = await ask(PullMessage, { ...pull, consumerGroup: GROUP, subscription: "*" });
    assertEquals(got.code, SUCCESS);
    assertStringIncludes(new TextDecoder().decode(got.body), "after");
    assertEquals(await broker.stop(), 0);
  });
});

function isRunning({ pid }: Node): boolean {
  try {
    return Deno.statSync(`/proc/${pid}`).isDirectory;
  } catch {
    return false;
  }
}
