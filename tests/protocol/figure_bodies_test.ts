/**
 * Bodies with figures: texts as Java's 4.9.7 classes write them, with queues as keys of tables.
 *
 * @module
 */
import fc from "fast-check";
import { RocketdError } from "../../src/errors.ts";
import * as bodies from "../../src/protocol/bodies/mod.ts";
import { long } from "../../src/protocol/bodies/shape.ts";
import { fastJsonBytes } from "../../src/protocol/fastjson.ts";
import { assertEquals, assertThrows } from "../../src/std.ts";
import { onlyMalformed } from "./only_malformed.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const joined = (pieces: Iterable<string>) => [...pieces].join("");

const KEY = (queueId: number, topic = "T") => `{"brokerName":"broker-a","queueId":${queueId},"topic":"${topic}"}`;
const PROGRESS = `{"consumeTps":1.5,"offsetTable":{${KEY(0)}:{"brokerOffset":5,"consumerOffset":3,"lastTimestamp":9},` +
  `${KEY(1)}:{"brokerOffset":1,"consumerOffset":0,"lastTimestamp":0}}}`;
const PROGRESSES = `{"brokerAddr":"10.0.0.1:10911","consumeStatsList":[{"CG":[${PROGRESS},${
  PROGRESS.replaceAll('"T"', '"U"')
}]},{"CG2":[]}],"totalDiff":6}`;
const TOPIC = `{"offsetTable":{${KEY(0)}:{"lastUpdateTimestamp":7,"maxOffset":5,"minOffset":2}}}`;
const STATS = '{"statsDay":{"avgpt":1,"sum":9,"tps":0.25},"statsHour":{"avgpt":0,"sum":0,"tps":0},' +
  '"statsMinute":{"avgpt":3.5,"sum":7,"tps":0.125}}';
const ENTRIES = '{"filterData":"CG@T is not online!","maxQueueIndex":9,"minQueueIndex":0,"queueData":[' +
  '{"eval":false,"physicOffset":100,"physicSize":90,"tagsCode":2598919}]}';
const SPANS = `{"consumeTimeSpanSet":[{"consumeTimeStamp":1,"delayTime":2,"maxTimeStamp":3,"messageQueue":${
  KEY(4)
},"minTimeStamp":0}]}`;

Deno.test("progress of groups is written as Java writes it, and read", () => {
  const stats = bodies.decodeConsumeStats(bytes(PROGRESS));
  assertEquals([...stats.offsetTable], [
    [{ topic: "T", brokerName: "broker-a", queueId: 0 }, { brokerOffset: 5, consumerOffset: 3, lastTimestamp: 9 }],
    [{ topic: "T", brokerName: "broker-a", queueId: 1 }, { brokerOffset: 1, consumerOffset: 0, lastTimestamp: 0 }],
  ]);
  const source = ({ consumeTps, offsetTable }: bodies.ConsumeStats) => ({ consumeTps, offsetTable: () => offsetTable });
  assertEquals(joined(bodies.consumeStatsPieces(source(stats))), PROGRESS);
  const all = bodies.decodeConsumeStatsList(bytes(PROGRESSES));
  assertEquals([...all.groups.keys()], ["CG", "CG2"]);
  const groups = [...all.groups].map(([group, topics]) => [group, topics.map(source)] as const);
  assertEquals(joined(bodies.consumeStatsListPieces("10.0.0.1:10911", groups)), PROGRESSES);
});

Deno.test("figures of topics, counters and queue entries are written as Java writes them, and read", () => {
  assertEquals(joined(bodies.topicStatsPieces(bodies.decodeTopicStats(bytes(TOPIC)))), TOPIC);
  assertEquals(text(bodies.encodeBrokerStats(bodies.decodeBrokerStats(bytes(STATS)))), STATS);
  assertEquals(text(bodies.encodeQueueEntries(bodies.decodeQueueEntries(bytes(ENTRIES)))), ENTRIES);
});

Deno.test("time spans are there for people too, in local time", () => {
  const spans = bodies.decodeTimeSpans(bytes(SPANS));
  const written = joined(bodies.timeSpanPieces(spans));
  assertEquals(bodies.decodeTimeSpans(bytes(written)), spans);
  const [first] = spans;
  const at = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
  const one = joined(bodies.timeSpanPieces([{ ...first!, maxTimeStamp: at }]));
  assertEquals(JSON.parse(one).consumeTimeSpanSet[0].maxTimeStampStr, "2026-01-02#03:04:05:006");
});

Deno.test("a table without queues is an empty one, also where a queue should be a key", () => {
  assertEquals(bodies.decodeTopicStats(bytes("{}")).size, 0);
  assertEquals(bodies.decodeTopicStats(bytes('{"offsetTable":{}}')).size, 0);
  assertEquals(joined(bodies.topicStatsPieces([])), '{"offsetTable":{}}');
  assertThrows(() => bodies.decodeTopicStats(bytes('{"offsetTable":{"a":{}}}')), RocketdError, "offsetTable key 0");
});

Deno.test("tables of numbers by queue, as those of a reset, are written and read", () => {
  const queue = { topic: "T", brokerName: "broker-a", queueId: 0 };
  const written = `{${KEY(0)}:7}`;
  assertEquals(text(fastJsonBytes(new Map([[queue, 7]]))), written);
  assertEquals(bodies.queueTable(long)(new Map([[queue, 7]]), "t"), new Map([[queue, 7]]));
  assertEquals(`{${bodies.queueKeyText(queue)}:7}`, written);
});

Deno.test("what is no number in a figure is 0, as Java writes it as null", () => {
  const stats = bodies.decodeBrokerStats(bytes('{"statsMinute":{"sum":1,"tps":null,"avgpt":null}}'));
  assertEquals(stats.statsMinute, { sum: 1, tps: 0, avgpt: 0 });
  assertEquals(stats.statsDay, { sum: 0, tps: 0, avgpt: 0 });
});

const DECODERS: readonly [name: string, decode: (bytes: Uint8Array) => unknown, sample: string][] = [
  ["progress of a group", bodies.decodeConsumeStats, PROGRESS],
  ["progress of all groups", bodies.decodeConsumeStatsList, PROGRESSES],
  ["figures of a topic", bodies.decodeTopicStats, TOPIC],
  ["time spans", bodies.decodeTimeSpans, SPANS],
  ["counters", bodies.decodeBrokerStats, STATS],
  ["queue entries", bodies.decodeQueueEntries, ENTRIES],
];

for (const [name, decode, sample] of DECODERS) {
  Deno.test(`mutated ${name}: read or malformed`, () => {
    const original = bytes(sample);
    const change = fc.tuple(fc.nat(original.length - 1), fc.constantFrom(...bytes('{}[]:,"0-nt\\\0é')));
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
