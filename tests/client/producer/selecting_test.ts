/**
 * Queues of keys, as Java's producers choose them.
 *
 * @module
 */
import { queueOfKey, type QueueSelector, selectQueue } from "../../../src/client/producer/selecting.ts";
import { Route } from "../../../src/client/routes.ts";
import { RocketdError } from "../../../src/errors.ts";
import { assertEquals, assertThrows } from "../../../src/std.ts";

const queues = Array.from({ length: 5 }, (_, queueId) => ({ topic: "T", brokerName: "b", queueId }));
const message = { topic: "T", body: "" };

Deno.test("A key's queue is Java's hash of it, modulo the number of queues", () => {
  // hashCode: "TagA" 2598919, "order-1" -1207111310, "" 0, "polygenelubricants" -2^31; Long 2^40 + 7 → 263, -(2^40) → -256.
  const expected: [string | number, number][] = [
    ["TagA", 4],
    ["order-1", 0],
    ["", 0],
    ["polygenelubricants", 3],
    [7, 2],
    [-7, 2],
    [2 ** 40 + 7, 3],
    [-(2 ** 40), 1],
  ];
  for (const [key, queueId] of expected) assertEquals(queueOfKey(queues, key).queueId, queueId, String(key));
});

Deno.test("A selector sees queues and message, and its choice is the message's queue", () => {
  const to: QueueSelector = (all, { body }) => all[body.length]!;
  assertEquals(selectQueue(queues, { to }, { topic: "T", body: "xyz" })?.queueId, 3);
  assertEquals(selectQueue(queues, { to: { brokerName: "c", queueId: 9 } }, message), {
    topic: "T",
    brokerName: "c",
    queueId: 9,
  });
  assertEquals(selectQueue(queues, {}, message), undefined);
});

Deno.test("What chooses no queue is refused", () => {
  const none = { brokerName: "b", queueId: -1 };
  for (const options of [{ by: 1.5 }, { by: "k", to: queues[0]! }, { to: () => undefined as never }, { to: none }]) {
    assertEquals(assertThrows(() => selectQueue(queues, options, message), RocketdError).code, "invalidArgument");
  }
});

Deno.test("Keys of an ordered topic choose as its configuration says, whoever is gone", () => {
  const route = new Route("T", {
    orderTopicConf: "b:2;a:1",
    queueDatas: [{ brokerName: "a", readQueueNums: 2, writeQueueNums: 2, perm: 6, topicSysFlag: 0 }],
    brokerDatas: [{ cluster: "C", brokerName: "a", brokerAddrs: new Map([[0, "127.0.0.1:1"]]) }],
    filterServerTable: new Map(),
  });
  const names = (queues: Route["writable"]) => queues.map(({ brokerName, queueId }) => `${brokerName}/${queueId}`);
  assertEquals(names(route.selectable), ["b/0", "b/1", "a/0"]);
  assertEquals(names(route.writable), ["a/0", "a/1"]);
});
