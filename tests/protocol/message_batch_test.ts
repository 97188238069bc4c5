/**
 * @module
 */
import fc from "fast-check";
import { encodeBatch } from "../../src/client/message.ts";
import { RocketdError } from "../../src/errors.ts";
import { BatchReader, measureBatch } from "../../src/protocol/message_batch.ts";
import { assertEquals, assertThrows } from "../../src/std.ts";

/** As many bytes as a batch may have in the log. */
const ROOM = 1 << 20;
const RECORD = 91;

interface Entry {
  flag: number;
  body: Uint8Array;
  properties: string;
}

function encode(entries: Entry[]): Uint8Array {
  return encodeBatch(
    entries.map(({ flag, body, properties }) => ({ message: { topic: "T", flag, body }, properties })),
  );
}

function read(bytes: Uint8Array): Entry[] {
  const reader = new BatchReader(bytes);
  const entries: Entry[] = [];
  while (reader.next()) {
    const { flag, bodyFrom, bodyTo, propertiesFrom, propertiesTo } = reader;
    const properties = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.slice(propertiesFrom, propertiesTo));
    entries.push({ flag, body: bytes.slice(bodyFrom, bodyTo), properties });
  }
  return entries;
}

const ENTRIES: Entry[] = [
  { flag: 7, body: Uint8Array.of(1, 2, 3), properties: "\ufeffTAGS\x01ä\x02" },
  { flag: -1, body: new Uint8Array(), properties: "KEYS\x01k" },
  { flag: 0, body: Uint8Array.of(9), properties: "" },
];

Deno.test("BatchReader gives back every message of a batch, and measureBatch() counts them", () => {
  const bytes = encode(ENTRIES);
  assertEquals(read(bytes), ENTRIES);
  const { count, contentBytes, longestBody, longestProperties } = measureBatch(bytes, RECORD, ROOM);
  // Nothing but the second's properties needs a separator before others.
  assertEquals([count, contentBytes, longestBody, longestProperties], [3, 3 + 11 + 7 + 1, 3, 11]);
});

Deno.test("measureBatch() takes properties as they are read where they are not UTF-8", () => {
  const bytes = encode([{ flag: 1, body: Uint8Array.of(5), properties: "a\x01xyz" }, ENTRIES[0]!]);
  assertEquals(measureBatch(bytes, RECORD, ROOM).bytes, bytes);
  bytes[20 + 1 + 2 + 3] = 0xff;
  const measured = measureBatch(bytes, RECORD, ROOM);
  assertEquals(read(measured.bytes), [{ flag: 1, body: Uint8Array.of(5), properties: "a\x01x\ufffdz" }, ENTRIES[0]]);
  assertEquals(measured.contentBytes, 1 + 8 + 3 + 11);
  const long = encode([{ flag: 0, body: new Uint8Array(), properties: "x".repeat(20_000) }]).fill(0xff, 22);
  assertThrows(() => measureBatch(long, RECORD, ROOM), RocketdError, "properties have 60000 bytes, allowed are 32767");
});

Deno.test("measureBatch() refuses an empty body, a cut one and lengths that lie", () => {
  const whole = encode([{ flag: 0, body: Uint8Array.of(1, 2, 3), properties: "a\x01b" }]);
  const lying = whole.slice();
  new DataView(lying.buffer).setInt32(16, 100);
  for (const bytes of [new Uint8Array(), whole.subarray(0, whole.length - 1), lying]) {
    assertEquals(assertThrows(() => measureBatch(bytes, RECORD, ROOM), RocketdError).code, "malformed");
  }
});

Deno.test("measureBatch() stops at more messages than the log could take, and takes as many as it can", () => {
  const size = (count: number) => count * (RECORD + "a\x01b\x02".length);
  const many = (count: number) =>
    encode(Array(count).fill({ flag: 0, body: new Uint8Array(), properties: "a\x01b\x02" }));
  const measure = (count: number, room: number) => measureBatch(many(count), RECORD, room);
  assertEquals(measure(1000, size(1000)).count, 1000);
  assertThrows(() => measure(1000, size(1000) - 1), RocketdError, String(size(1000) - 1));
});

Deno.test("measureBatch() throws nothing but `malformed`, whatever the bytes", () => {
  const entry = fc.record({ flag: fc.nat(), body: fc.uint8Array({ maxLength: 40 }), properties: fc.string() });
  fc.assert(fc.property(
    fc.array(entry, { maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
    (entries, flips) => {
      const bytes = encode(entries).slice();
      for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
      try {
        measureBatch(bytes, RECORD, ROOM);
      } catch (error) {
        if (!(error instanceof RocketdError) || error.code !== "malformed") throw error;
      }
    },
  ));
});
