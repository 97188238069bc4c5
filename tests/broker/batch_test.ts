/**
 * @module
 */
import fc from "fast-check";
import { decodeBatch } from "../../src/broker/batch.ts";
import { RocketdError } from "../../src/errors.ts";
import { ByteWriter } from "../../src/protocol/byte_writer.ts";
import { assertEquals, assertThrows } from "../../src/std.ts";
import type { NewMessage } from "../../src/store/types.ts";

const base: NewMessage = {
  topic: "T",
  queueId: 2,
  flag: 0,
  sysFlag: 0,
  bornTimestamp: 1,
  bornHost: Uint8Array.of(127, 0, 0, 1, 0, 0, 0, 9),
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: new Uint8Array(),
  properties: "",
};

/** As many bytes as a batch may have in the log. */
const ROOM = 1 << 20;

interface Entry {
  flag: number;
  body: Uint8Array;
  properties: string;
}

function encode(entries: Entry[]): Uint8Array {
  const out = new ByteWriter();
  for (const { flag, body, properties } of entries) {
    const text = new TextEncoder().encode(properties);
    out.int32(22 + body.length + text.length);
    out.int32(0);
    out.int32(0);
    out.int32(flag);
    out.int32(body.length);
    out.raw(body);
    out.int16(text.length);
    out.raw(text);
  }
  return out.written();
}

Deno.test("decodeBatch() gives back every entry, with the batch's properties behind its own", () => {
  const entries: Entry[] = [
    { flag: 7, body: Uint8Array.of(1, 2, 3), properties: "\ufeffTAGS\x01a\x02" },
    { flag: -1, body: new Uint8Array(), properties: "KEYS\x01k" },
    { flag: 0, body: Uint8Array.of(9), properties: "" },
  ];
  const messages = decodeBatch(encode(entries), base, "CLUSTER\x01c", ROOM);
  assertEquals(messages.map((m) => [m.topic, m.queueId, m.flag, [...m.body], m.properties]), [
    ["T", 2, 7, [1, 2, 3], "\ufeffTAGS\x01a\x02CLUSTER\x01c"],
    ["T", 2, -1, [], "KEYS\x01k\x02CLUSTER\x01c"],
    ["T", 2, 0, [9], "CLUSTER\x01c"],
  ]);
});

Deno.test("decodeBatch() refuses an empty body, a cut one and lengths that lie", () => {
  const whole = encode([{ flag: 0, body: Uint8Array.of(1, 2, 3), properties: "a\x01b" }]);
  const lying = whole.slice();
  new DataView(lying.buffer).setInt32(16, 100);
  for (const bytes of [new Uint8Array(), whole.subarray(0, whole.length - 1), lying]) {
    assertEquals(assertThrows(() => decodeBatch(bytes, base, "", ROOM), RocketdError).code, "malformed");
  }
});

Deno.test("decodeBatch() stops at more messages than the log could take, and takes as many as it can", () => {
  const size = (count: number) => count * (91 + "T".length + "a\x01b\x02".length + "CLUSTER\x01c".length);
  const many = (count: number) =>
    encode(Array(count).fill({ flag: 0, body: new Uint8Array(), properties: "a\x01b\x02" }));
  const decode = (count: number, room: number) => decodeBatch(many(count), base, "CLUSTER\x01c", room);
  assertEquals(decode(1000, size(1000)).length, 1000);
  assertThrows(() => decode(1000, size(1000) - 1), RocketdError, String(size(1000) - 1));
});

Deno.test("decodeBatch() throws nothing but `malformed`, whatever the bytes", () => {
  const entry = fc.record({ flag: fc.integer(), body: fc.uint8Array({ maxLength: 40 }), properties: fc.string() });
  fc.assert(fc.property(
    fc.array(entry, { maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
    (entries, flips) => {
      const bytes = encode(entries).slice();
      for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
      try {
        decodeBatch(bytes, base, "", ROOM);
      } catch (error) {
        if (!(error instanceof RocketdError) || error.code !== "malformed") throw error;
      }
    },
  ));
});
