/**
 * Bodies about clients; the texts are those that the classes of RocketMQ 4.9.7 write.
 *
 * @module
 */
import fc from "fast-check";
import * as bodies from "../../src/protocol/bodies/mod.ts";
import { assertEquals, assertThrows } from "../../src/std.ts";
import { onlyMalformed } from "./only_malformed.ts";

const encoder = new TextEncoder(), decoder = new TextDecoder();
const bytes = (text: string) => encoder.encode(text);
const text = (pieces: Iterable<string>) => [...pieces].join("");

const QUEUE = { topic: "T", brokerName: "broker-a", queueId: 0 };
const KEY = `{"brokerName":"broker-a","queueId":0,"topic":"T"}`;
const SUBSCRIPTION = {
  topic: "T",
  subString: "*",
  tagsSet: [],
  codeSet: [],
  subVersion: 1,
  expressionType: "TAG",
  classFilterMode: false,
};
const SUBSCRIPTION_TEXT =
  `{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1,"tagsSet":[],"topic":"T"}`;
const CONNECTION = { clientAddr: "1.1.1.1:2", clientId: "c", language: "JAVA", version: 407 };
const CONNECTION_TEXT = `{"clientAddr":"1.1.1.1:2","clientId":"c","language":"JAVA","version":407}`;

Deno.test("ConsumerConnection is written and read as Java does", () => {
  const group = {
    consumeType: "CONSUME_PASSIVELY",
    messageModel: "CLUSTERING",
    consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
  } as const;
  const java = `{"connectionSet":[${CONNECTION_TEXT}],"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",` +
    `"consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING","subscriptionTable":{"T":${SUBSCRIPTION_TEXT}}}`;
  const subscriptions = new Map([["T", SUBSCRIPTION]]);
  assertEquals(text(bodies.consumerConnectionPieces([CONNECTION], { ...group, subscriptions })), java);
  assertEquals(bodies.decodeConsumerConnection(bytes(java)), {
    ...group,
    connectionSet: [CONNECTION],
    subscriptionTable: subscriptions,
  });
  assertThrows(() => bodies.decodeConsumerConnection(bytes(`{"connectionSet":[{}]}`)), Error, "connectionSet[0]");
});

Deno.test("ProducerConnection and ProducerTableInfo are written and read as Java does", () => {
  const java = `{"connectionSet":[${CONNECTION_TEXT},${CONNECTION_TEXT}]}`;
  assertEquals(text(bodies.producerConnectionPieces([CONNECTION, CONNECTION])), java);
  assertEquals(bodies.decodeProducerConnection(bytes(java)), [CONNECTION, CONNECTION]);

  const table =
    `{"data":{"PG":[{"clientId":"c","language":"JAVA","lastUpdateTimestamp":1,"remoteIP":"/1.1.1.1:2","version":407}],` +
    `"QG":[]}}`;
  const producer = { clientId: "c", language: "JAVA", lastUpdateTimestamp: 1, remoteIP: "/1.1.1.1:2", version: 407 };
  assertEquals(text(bodies.producerTablePieces([["PG", [producer]], ["QG", []]])), table);
  assertEquals(bodies.decodeProducerTable(bytes(table)), new Map([["PG", [producer]], ["QG", []]]));
});

Deno.test("offsets to go on from are an object with queues as keys, and a list for clients in C++", () => {
  const offsets = new Map([[QUEUE, 7]]);
  const java = `{"offsetTable":{${KEY}:7}}`;
  const cpp = `{"offsetTable":[{"brokerName":"broker-a","offset":7,"queueId":0,"topic":"T"}]}`;
  assertEquals(decoder.decode(bodies.encodeResetOffset(offsets)), java);
  assertEquals(decoder.decode(bodies.encodeResetOffsetForC(offsets)), cpp);
  for (const form of [java, cpp]) assertEquals(bodies.decodeResetOffset(bytes(form)), offsets);
  assertEquals(bodies.decodeResetOffset(bytes(`{"offsetTable":{}}`)), new Map());
  assertThrows(() => bodies.decodeResetOffset(bytes(`{"offsetTable":{"T":7}}`)), Error, "offsetTable");
});

Deno.test("where consumers are is read from a client, and written for all clients", () => {
  const offsets = new Map([[QUEUE, 7]]);
  const client = `{"consumerTable":{},"messageQueueTable":{${KEY}:7}}`;
  assertEquals(decoder.decode(bodies.encodeClientStatus(offsets)), client);
  assertEquals(bodies.decodeClientStatus(bytes(client)), offsets);
  const all = `{"consumerTable":{"c1":{${KEY}:7},"c2":{}},"messageQueueTable":{}}`;
  const table = new Map<string, bodies.QueueOffsets>([["c1", offsets], ["c2", new Map()]]);
  assertEquals(text(bodies.consumerStatusPieces(table)), all);
  assertEquals(bodies.decodeConsumerStatus(bytes(all)), table);
});

Deno.test("correction offsets have bare queue ids as keys, and the greatest long for any offset", () => {
  const java = `{"correctionOffsets":{0:3,1:9223372036854775807}}`;
  const offsets = new Map([[0, 3], [1, 2 ** 63]]);
  assertEquals(decoder.decode(bodies.encodeCorrectionOffsets(offsets)), java);
  assertEquals(bodies.decodeCorrectionOffsets(bytes(java)), offsets);
});

Deno.test("ConsumerRunningInfo and ConsumeMessageDirectlyResult are read and written as Java does", () => {
  const java = `{"jstack":"main\\n","mqTable":{${KEY}:{"cachedMsgCount":1,"cachedMsgMaxOffset":2,` +
    `"cachedMsgMinOffset":2,"cachedMsgSizeInMiB":0,"commitOffset":2,"droped":false,"lastConsumeTimestamp":5,` +
    `"lastLockTimestamp":4,"lastPullTimestamp":6,"locked":true,"transactionMsgCount":0,"transactionMsgMaxOffset":0,` +
    `"transactionMsgMinOffset":0,"tryUnlockTimes":0}},"properties":{"PROP_CONSUMEORDERLY":"false"},` +
    `"statusTable":{"T":{"consumeFailedMsgs":1,"consumeFailedTPS":0.5,"consumeOKTPS":1.5,"consumeRT":2.5,` +
    `"pullRT":0.25,"pullTPS":0.125}},"subscriptionSet":[${SUBSCRIPTION_TEXT}]}`;
  const info = bodies.decodeRunningInfo(bytes(java));
  assertEquals([...info.mqTable.keys()], [QUEUE]);
  assertEquals([info.jstack, info.statusTable.get("T")?.pullRT], ["main\n", 0.25]);
  assertEquals(decoder.decode(bodies.encodeRunningInfo(info)), java);
  // What clients of 4.1.0 and others leave out.
  const [queue] = bodies.decodeRunningInfo(bytes(`{"mqTable":{${KEY}:{"commitOffset":2}}}`)).mqTable.values();
  assertEquals([queue?.commitOffset, queue?.cachedMsgSizeInMiB, queue?.locked], [2, 0, false]);

  const result =
    `{"autoCommit":true,"consumeResult":"CR_THROW_EXCEPTION","order":false,"remark":"x","spentTimeMills":3}`;
  assertEquals(decoder.decode(bodies.encodeConsumeDirectly(bodies.decodeConsumeDirectly(bytes(result)))), result);
  assertThrows(() => bodies.decodeConsumeDirectly(bytes(`{"consumeResult":"CR_X"}`)), Error, "consumeResult");
});

const DECODERS: [name: string, text: string, decode: (bytes: Uint8Array) => unknown][] = [
  [
    "ConsumerConnection",
    `{"connectionSet":[${CONNECTION_TEXT}],"subscriptionTable":{"T":${SUBSCRIPTION_TEXT}}}`,
    bodies.decodeConsumerConnection,
  ],
  ["ProducerConnection", `{"connectionSet":[${CONNECTION_TEXT}]}`, bodies.decodeProducerConnection],
  ["ProducerTableInfo", `{"data":{"PG":[{"clientId":"c","remoteIP":"/1.1.1.1:2"}]}}`, bodies.decodeProducerTable],
  ["ResetOffsetBody", `{"offsetTable":{${KEY}:7}}`, bodies.decodeResetOffset],
  [
    "ResetOffsetBodyForC",
    `{"offsetTable":[{"brokerName":"b","offset":7,"queueId":0,"topic":"T"}]}`,
    bodies.decodeResetOffset,
  ],
  [
    "GetConsumerStatusBody",
    `{"consumerTable":{"c1":{${KEY}:7}},"messageQueueTable":{${KEY}:1}}`,
    bodies.decodeConsumerStatus,
  ],
  ["QueryCorrectionOffsetBody", `{"correctionOffsets":{0:3,1:4}}`, bodies.decodeCorrectionOffsets],
  ["ConsumerRunningInfo", `{"mqTable":{${KEY}:{"locked":true}},"properties":{"a":"b"}}`, bodies.decodeRunningInfo],
  ["ConsumeMessageDirectlyResult", `{"consumeResult":"CR_LATER","spentTimeMills":3}`, bodies.decodeConsumeDirectly],
];

for (const [name, given, decode] of DECODERS) {
  Deno.test(`whatever comes in place of ${name}, it is read or malformed`, () => {
    const original = bytes(given);
    decode(original);
    const change = fc.tuple(fc.nat(original.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const mutated = original.slice();
        for (const [at, byte] of changes) mutated[at] = byte;
        onlyMalformed(() => decode(mutated));
      }),
      { numRuns: 200 },
    );
  });
}
