/**
 * Bodies: texts recorded from Java's 4.9.7 classes, and what is refused.
 *
 * @module
 */
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { RocketdError } from "../../src/errors.ts";
import { REGISTER_BYTES_MAX } from "../../src/limits.ts";
import * as bodies from "../../src/protocol/bodies/mod.ts";
import { parseInteger } from "../../src/protocol/fields.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "../../src/std.ts";
import { onlyMalformed } from "./only_malformed.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const V4_9_7 = 407;

const TOPICS =
  '{"dataVersion":{"counter":2,"timestamp":1795390186730},"topicConfigTable":{"T":{"order":false,"perm":6,' +
  '"readQueueNums":4,"topicFilterType":"SINGLE_TAG","topicName":"T","topicSysFlag":0,"writeQueueNums":4}}}';
const GROUPS = '{"dataVersion":{"counter":1,"timestamp":5},"subscriptionGroupTable":{"CG":{"brokerId":0,' +
  '"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable":true,"groupName":"CG",' +
  '"notifyConsumerIdsChangedEnable":true,"retryMaxTimes":16,"retryQueueNums":1,"whichBrokerWhenConsumeSlowly":1}}}';
const HEARTBEAT = '{"clientID":"10.0.0.1@1234","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",' +
  '"consumeType":"CONSUME_PASSIVELY","groupName":"CG","messageModel":"CLUSTERING","subscriptionDataSet":[{' +
  '"classFilterMode":false,"codeSet":[2598919,2598920],"expressionType":"TAG","subString":"TagA || TagB",' +
  '"subVersion":1700000000000,"tagsSet":["TagA","TagB"],"topic":"T"}],"unitMode":false}],' +
  '"producerDataSet":[{"groupName":"PG"}]}';

Deno.test("texts of the Java classes are read and written as they were", () => {
  assertEquals(text(bodies.encodeTopicConfigTable(bodies.decodeTopicConfigTable(bytes(TOPICS)))), TOPICS);
  assertEquals(text(bodies.encodeSubscriptionGroupTable(bodies.decodeSubscriptionGroupTable(bytes(GROUPS)))), GROUPS);
  assertEquals(text(bodies.encodeHeartbeat(bodies.decodeHeartbeat(bytes(HEARTBEAT)))), HEARTBEAT);
  const register = `{"filterServerList":[],"topicConfigSerializeWrapper":${TOPICS}}`;
  const decoded = bodies.decodeRegisterBroker(bytes(register), false, V4_9_7);
  assertEquals(text(bodies.encodeRegisterBroker(decoded, false)), register);
  const offsets = '{"offsetTable":{"T@CG":{0:7,1:5}}}';
  assertEquals(text(bodies.encodeConsumerOffsets(bodies.decodeConsumerOffsets(bytes(offsets)))), offsets);
  const ids = '{"consumerIdList":["10.0.0.1@1234"]}';
  assertEquals(text(bodies.encodeConsumerIds(bodies.decodeConsumerIds(bytes(ids)))), ids);
  const kv = '{"table":{"k":"v"}}';
  assertEquals(text(bodies.encodeKvTable(bodies.decodeKvTable(bytes(kv)))), kv);
  const list = '{"brokerAddr":"127.0.0.1:10911","topicList":["DefaultCluster","broker-a"]}';
  assertEquals(text(bodies.encodeTopicList(bodies.decodeTopicList(bytes(list)))), list);
  const check = '{"clientId":"c","group":"CG","subscriptionData":{"classFilterMode":false,"codeSet":[],' +
    '"expressionType":"SQL92","subString":"a > 1","subVersion":1,"tagsSet":[],"topic":"T"}}';
  assertEquals(text(bodies.encodeCheckClientConfig(bodies.decodeCheckClientConfig(bytes(check)))), check);
});

Deno.test("routes are read in both forms and written in the strict one", () => {
  const strict =
    '{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:10911","1":"127.0.0.1:10921"},"brokerName":"broker-a",' +
    '"cluster":"DefaultCluster"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,' +
    '"readQueueNums":4,"topicSysFlag":2,"writeQueueNums":4}]}';
  const java = strict.replace('"0"', "0").replace('"1"', "1").replace("topicSysFlag", "topicSynFlag");
  for (const form of [strict, java]) {
    const route = bodies.decodeTopicRoute(bytes(form));
    assertEquals(route.brokerDatas[0]?.brokerAddrs, new Map([[0, "127.0.0.1:10911"], [1, "127.0.0.1:10921"]]));
    assertEquals(text(bodies.encodeTopicRoute(route)), strict);
  }
  const cluster = '{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.1:10911"},"brokerName":"broker-a",' +
    '"cluster":"DefaultCluster"}},"clusterAddrTable":{"DefaultCluster":["broker-a"]}}';
  const info = bodies.decodeClusterInfo(bytes(cluster));
  assertEquals(text(bodies.encodeClusterInfo(info)), cluster.replace("{0:", '{"0":'));
});

Deno.test("a register body survives compression, but for what that form cannot carry", () => {
  const T = bodies.topicConfig("T", { readQueueNums: 3, writeQueueNums: 5, perm: 4, topicFilterType: "MULTI_TAG" });
  const wrapper = { dataVersion: { counter: 7, timestamp: 9 }, topicConfigTable: new Map([["T", T]]) };
  const body = { topicConfigSerializeWrapper: wrapper, filterServerList: ["127.0.0.1:1"] };
  for (const compressed of [true, false]) {
    const encoded = bodies.encodeRegisterBroker(body, compressed);
    assertEquals<bodies.RegisterBrokerBody>(bodies.decodeRegisterBroker(encoded, compressed, V4_9_7), body);
    assertEquals(bodies.registerBodyCrc(encoded) >= 0, true);
  }
});

Deno.test("a register body may be empty, or the topics alone from a broker before 3.0.11", () => {
  const none = bodies.decodeRegisterBroker(new Uint8Array(), true, V4_9_7);
  assertEquals(none.topicConfigSerializeWrapper.dataVersion, { counter: 0, timestamp: 0 });
  const old = bodies.decodeRegisterBroker(bytes(TOPICS), false, 36);
  assertEquals([...old.topicConfigSerializeWrapper.topicConfigTable.keys()], ["T"]);
});

function unfolding(parts: (number | string)[]): Uint8Array {
  const out = parts.flatMap((part) => {
    if (typeof part === "number") return [part >> 24, part >> 16, part >> 8, part];
    return [...unfolding([bytes(part).length]), ...bytes(part)];
  });
  return Uint8Array.from(out);
}

Deno.test("topics of a 5.x broker with a sixth part are read", () => {
  const raw = unfolding(["{}", 1, 'T 4 8 6 SINGLE_TAG {"+a":"b"}', "[]"]);
  const { topicConfigSerializeWrapper } = bodies.decodeRegisterBroker(deflateSync(raw), true, V4_9_7);
  assertEquals(topicConfigSerializeWrapper.topicConfigTable.get("T")?.writeQueueNums, 8);
});

Deno.test("a compressed body that lies about its sizes, or unfolds too far, is malformed", () => {
  const lies: (number | string)[][] = [
    [],
    [-1],
    [0x7fffffff],
    ["{}", -1],
    ["{}", 0x7fffffff],
    ["{}", 2, "T 4 4 6 SINGLE_TAG"],
    ["{}", 1, "T 4 4", "[]"],
    ["{}", 1, "T 4 4 6 OTHER", "[]"],
    ["{}", 1, "T -1 4 6 SINGLE_TAG", "[]"],
    ["{}", 0, "{}"],
  ];
  const bodiesOfLies = lies.map((parts) => deflateSync(unfolding(parts)));
  bodiesOfLies.push(deflateSync(new Uint8Array(REGISTER_BYTES_MAX + 1)), deflateSync(bytes("{}")).subarray(0, 4));
  for (const body of bodiesOfLies) {
    const error = assertThrows(() => bodies.decodeRegisterBroker(body, true, V4_9_7), RocketdError);
    assertEquals(error.code, "malformed");
  }
});

Deno.test("a body of the wrong shape is malformed, with the field's path", () => {
  const wrong = '{"clientID":"c","consumerDataSet":[{"groupName":"g","subscriptionDataSet":[{"topic":7}]}]}';
  const error = assertThrows(() => bodies.decodeHeartbeat(bytes(wrong)), RocketdError);
  assertEquals(error.message, "the field consumerDataSet[0].subscriptionDataSet[0].topic is 7, allowed is text");
  const missing = assertThrows(() => bodies.decodeHeartbeat(bytes("{}")), RocketdError);
  assertStringIncludes(missing.message, "the field clientID is missing");
  const negative = '{"topicConfigTable":{"T":{"readQueueNums":-1}}}';
  const range = assertThrows(() => bodies.decodeTopicConfigTable(bytes(negative)), RocketdError);
  assertStringIncludes(range.message, "topicConfigTable.T.readQueueNums is -1, allowed is a whole number from 0");
});

Deno.test("versions of subscriptions may have 64 bits, as a Go client's nanoseconds, and round as a pull's header does", () => {
  const version = (written: string) => {
    const heartbeat = bodies.decodeHeartbeat(bytes(HEARTBEAT.replace("1700000000000", written)));
    return { heartbeat, subVersion: heartbeat.consumerDataSet[0]?.subscriptionDataSet[0]?.subVersion };
  };
  for (const long of ["1795443402606182723", "9223372036854775807", "-9223372036854775808"]) {
    const { heartbeat, subVersion } = version(long);
    assertEquals(subVersion, parseInteger(long, "long"));
    assertEquals(version(`"${long}"`).subVersion, subVersion);
    const again = text(bodies.encodeHeartbeat(heartbeat)).match(/"subVersion":(-?\d+),/)?.[1] ?? "";
    assertEquals(BigInt.asIntN(64, BigInt(again)), BigInt(again));
    assertEquals(Number(again), subVersion);
  }
  for (const wrong of ["9300000000000000000", "1.5", "1e30", '"9300000000000000000"', "true"]) {
    const error = assertThrows(() => version(wrong), RocketdError);
    assertStringIncludes(error.message, "subVersion is ");
    assertStringIncludes(error.message, "allowed is a whole number of 64 bits");
  }
});

Deno.test("unknown keys are ignored, null is absent, and enums may be ordinals", () => {
  const heartbeat = bodies.decodeHeartbeat(
    bytes('{"clientID":"c","new":{},"producerDataSet":null,"consumerDataSet":[{"groupName":"g","messageModel":0}]}'),
  );
  assertEquals(heartbeat.producerDataSet, []);
  assertEquals(heartbeat.consumerDataSet[0]?.messageModel, "BROADCASTING");
});

Deno.test("names of JavaScript's own are only names", () => {
  const table = '{"topicConfigTable":{"__proto__":{"perm":4},"constructor":{}}}';
  const { topicConfigTable } = bodies.decodeTopicConfigTable(bytes(table));
  assertEquals([...topicConfigTable.keys()], ["__proto__", "constructor"]);
  assertEquals(topicConfigTable.get("__proto__")?.perm, 4);
});

const DECODERS: readonly [name: string, decode: (bytes: Uint8Array) => unknown, sample: string][] = [
  ["heartbeats", bodies.decodeHeartbeat, HEARTBEAT],
  ["topic tables", bodies.decodeTopicConfigTable, TOPICS],
  ["group tables", bodies.decodeSubscriptionGroupTable, GROUPS],
  ["routes", bodies.decodeTopicRoute, '{"brokerDatas":[{"brokerAddrs":{0:"a"},"brokerName":"b"}],"queueDatas":[]}'],
  ["offsets", bodies.decodeConsumerOffsets, '{"offsetTable":{"a@b":{0:1}}}'],
];

for (const [name, decode, sample] of DECODERS) {
  Deno.test(`mutated ${name} are read or malformed`, () => {
    const original = bytes(sample);
    const at = fc.nat(original.length - 1);
    const change = fc.tuple(at, fc.constantFrom(...bytes('{}[]:,"0-nt\\\0é')));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const mutated = original.slice();
        for (const [at, byte] of changes) mutated[at] = byte;
        onlyMalformed(() => decode(mutated));
      }),
      { numRuns: 300 },
    );
  });
}
