/**
 * Frames in both header encodings: Java's bytes, round trips, and bytes that are no frame.
 *
 * @module
 */
import fc from "fast-check";
import { RocketdError } from "../../src/errors.ts";
import { FRAME_BYTES_MAX, HEADER_BYTES_MAX, HEADER_FIELDS_MAX } from "../../src/limits.ts";
import { ByteWriter } from "../../src/protocol/byte_writer.ts";
import { HeaderEncoding } from "../../src/protocol/codes.ts";
import { encodeFrame } from "../../src/protocol/encode_frame.ts";
import { type Fields, FieldTable, int, long, maybe, named, str } from "../../src/protocol/fields.ts";
import { decodeFrame, type Frame, frameLength } from "../../src/protocol/frame.ts";
import type { HeaderParts } from "../../src/protocol/header_binary.ts";
import { GetRouteinfoByTopic, SendMessageV2 } from "../../src/protocol/requests.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "../../src/std.ts";
import { onlyMalformed } from "./only_malformed.ts";

const ENCODINGS = [HeaderEncoding.JSON, HeaderEncoding.ROCKETMQ];

function encoded<S extends Fields>(encoding: HeaderEncoding, header: HeaderParts<S>, body = ""): Uint8Array {
  const out = new ByteWriter();
  encodeFrame(out, encoding, header, [new TextEncoder().encode(body)]);
  return out.written();
}

/** Reads a frame that lies somewhere inside a larger buffer, as in a connection. */
function decoded(bytes: Uint8Array): Frame {
  const at = 3;
  const buffer = new Uint8Array(bytes.length + 8).fill(0xff);
  buffer.set(bytes, at);
  const view = new DataView(buffer.buffer);
  return decodeFrame(buffer, view, at, frameLength(view, at, at + bytes.length)!);
}

const route = { version: 407, opaque: 0, flag: 0, code: 105, table: GetRouteinfoByTopic.request };

Deno.test("a binary header is Java's, byte for byte", () => {
  const java = "0000002501000021006900019700000000000000000000000000" + "00000C0005746F7069630000000154";
  const bytes = encoded(HeaderEncoding.ROCKETMQ, { ...route, values: { topic: "T" } });
  assertEquals(bytes.toHex().toUpperCase(), java);
  const { header, encoding, body } = decoded(Uint8Array.fromHex(java));
  assertEquals([header.code, header.language, header.version, header.opaque, header.flag], [105, "JAVA", 407, 0, 0]);
  assertEquals([header.remark, encoding, body.length], [undefined, HeaderEncoding.ROCKETMQ, 0]);
  assertEquals(header.fields.read(GetRouteinfoByTopic.request), { topic: "T", acceptStandardJsonOnly: undefined });
});

Deno.test("a JSON header is Java's, byte for byte", () => {
  const java = '{"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":0,' +
    '"serializeTypeCurrentRPC":"JSON","version":407}';
  const bytes = encoded(HeaderEncoding.JSON, { ...route, values: { topic: "T" } });
  assertEquals(new TextDecoder().decode(bytes.subarray(8)), java);
  assertEquals([...decoded(bytes).header.fields.all()], [["topic", "T"]]);
});

Deno.test("codes beyond 16 bits travel as JSON whatever was asked for", () => {
  const frame = decoded(encoded(HeaderEncoding.ROCKETMQ, { ...route, code: 200050 }));
  assertEquals([frame.encoding, frame.header.code], [HeaderEncoding.JSON, 200050]);
});

const everyType = new FieldTable({
  name: str,
  count: int,
  offset: long,
  note: maybe.str,
  some: maybe.int,
  at: maybe.long,
  on: maybe.bool,
  ...named({ short: maybe.str, tiny: maybe.int }, { short: "a", tiny: "b" }),
});
// An empty text is Java's null in the binary header.
const someText = fc.string({ minLength: 1, unit: "grapheme" });
const int32 = fc.integer();
const long64 = fc.maxSafeInteger();
const option = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined });
const values = fc.record({
  name: someText,
  count: int32,
  offset: long64,
  note: option(someText),
  some: option(int32),
  at: option(long64),
  on: option(fc.boolean()),
  short: option(someText),
  tiny: option(int32),
});

Deno.test("declared fields, remark and body survive both encodings", () => {
  const fixed = fc.record({
    code: fc.integer({ min: 0, max: 0x7fff }),
    version: fc.integer({ min: 0, max: 0x7fff }),
    opaque: int32,
    flag: int32,
    remark: option(someText),
  });
  fc.assert(fc.property(fc.constantFrom(...ENCODINGS), fixed, values, fc.string(), (encoding, fixed, values, body) => {
    const extra = new Map([["Signature", "x="]]);
    const frame = decoded(encoded(encoding, { ...fixed, table: everyType, values, extra }, body));
    const { code, version, opaque, flag, remark, language, fields } = frame.header;
    assertEquals({ code, version, opaque, flag, remark }, fixed);
    assertEquals([language, frame.encoding, new TextDecoder().decode(frame.body)], ["JAVA", encoding, body]);
    assertEquals(fields.read(everyType), values);
    assertEquals(fields.all().get("Signature"), "x=");
  }));
});

Deno.test("all fields of a header are the texts that were written, whatever their characters and lengths", () => {
  const anyText = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.string({ minLength: 120, maxLength: 400 }));
  const name = fc.string({ unit: "binary", minLength: 1 }).filter((name) => name !== "__proto__");
  const fields = fc.array(fc.tuple(name, anyText));
  fc.assert(fc.property(fc.constantFrom(...ENCODINGS), fields, (encoding, fields) => {
    const extra = new Map(fields);
    const { header } = decoded(encoded(encoding, { code: 1, version: 0, opaque: 1, flag: 0, extra }, ""));
    assertEquals([...header.fields.all()].sort(), [...extra].sort());
  }));
});

Deno.test("texts that begin with a byte order mark keep it, as Java's do", () => {
  for (const encoding of ENCODINGS) {
    const bytes = encoded(encoding, { ...route, values: { topic: "\ufeffT" }, extra: new Map([["\ufeff", "\ufeff"]]) });
    const { fields } = decoded(bytes).header;
    assertEquals(fields.read(GetRouteinfoByTopic.request).topic, "\ufeffT");
    assertEquals([...fields.all()], [["topic", "\ufeffT"], ["\ufeff", "\ufeff"]]);
  }
});

Deno.test("a JSON header is what JSON.stringify() would write, whatever its characters and numbers", () => {
  // Halves of characters too, which UTF-8 does not have, and what escapes are for.
  const unit = fc.oneof(
    fc.integer({ min: 0, max: 0xffff }),
    fc.constantFrom(0, 9, 34, 92, 127, 0x2028, 0xd800, 0xdfff),
  );
  const anyText = fc.array(unit).map((units) => String.fromCharCode(...units));
  const any = fc.tuple(anyText, option(anyText), option(anyText), fc.double({ noNaN: true }));
  fc.assert(fc.property(any, fc.boolean(), int32, ([name, note, remark, number], on, code) => {
    const offset = Math.trunc(Math.max(-(2 ** 70), Math.min(2 ** 70, number)));
    const values = { name, count: -1, offset, note, on };
    const extra = new Map([[`+${name}`, name]]);
    const header = { code, version: 1, opaque: -2, flag: 3, remark, table: everyType, values, extra };
    const bytes = encoded(HeaderEncoding.JSON, header);
    const java = JSON.stringify({
      code,
      extFields: { ...everyType.texts(values), ...Object.fromEntries(extra) },
      ...{ flag: 3, language: "JAVA", opaque: -2, remark, serializeTypeCurrentRPC: "JSON", version: 1 },
    });
    assertEquals(new TextDecoder().decode(bytes.subarray(8)), java);
  }));
});

Deno.test("a binary header may say a field twice, as Java's clients that sign do, but with one value", () => {
  const twice = (value: string) => {
    const header = { ...route, values: { topic: "T" }, extra: new Map([["topic", value]]) };
    return decoded(encoded(HeaderEncoding.ROCKETMQ, header)).header.fields;
  };
  assertEquals([...twice("T").all()], [["topic", "T"]]);
  for (const other of ["U", ""]) assertThrows(() => twice(other).all(), RocketdError, "the field topic has two values");
});

Deno.test("what is no text in a JSON header counts as missing, whoever reads it", () => {
  const extFields = { topic: { toString: 1 }, list: ["T"], nothing: null, size: 1, on: true, text: "t" };
  const json = new TextEncoder().encode(JSON.stringify({ code: 105, extFields }));
  const frame = new Uint8Array(8 + json.length);
  new DataView(frame.buffer).setInt32(0, 4 + json.length);
  new DataView(frame.buffer).setInt32(4, json.length);
  frame.set(json, 8);
  const { fields } = decoded(frame).header;
  assertEquals([...fields.all()], [["size", "1"], ["on", "true"], ["text", "t"]]);
  assertThrows(() => fields.read(GetRouteinfoByTopic.request), RocketdError, "topic is missing");
});

Deno.test("a header of more bytes or fields than any request has is malformed before it costs much", () => {
  const header = (extra: Map<string, string>) => ({ ...route, values: { topic: "T" }, extra });
  const many = (count: number) => new Map(Array.from({ length: count }, (_, i) => [`name-${i}`, ""] as const));
  for (const encoding of ENCODINGS) {
    const read = (extra: Map<string, string>) => {
      const { fields } = decoded(encoded(encoding, header(extra))).header;
      return [fields.read(GetRouteinfoByTopic.request).topic, fields.all().size];
    };
    assertEquals(read(many(HEADER_FIELDS_MAX - 1)), ["T", HEADER_FIELDS_MAX]);
    assertThrows(() => read(many(HEADER_FIELDS_MAX)), RocketdError, `more than ${HEADER_FIELDS_MAX} fields`);
    assertEquals(read(new Map([["long", "x".repeat(HEADER_BYTES_MAX - 1024)]])), ["T", 2]);
    const long = new Map([["long", "x".repeat(HEADER_BYTES_MAX)]]);
    assertThrows(() => read(long), RocketdError, `allowed are ${HEADER_BYTES_MAX}`);
  }
  const all = decoded(encoded(HeaderEncoding.ROCKETMQ, header(many(HEADER_FIELDS_MAX)))).header.fields;
  assertThrows(() => all.all(), RocketdError, `more than ${HEADER_FIELDS_MAX} fields`);
});

function obey(bytes: Uint8Array): void {
  const { header } = decoded(bytes);
  for (const table of [everyType, SendMessageV2.request, GetRouteinfoByTopic.request]) {
    onlyMalformed(() => header.fields.read<Fields>(table));
    onlyMalformed(() => header.fields.readLoosely<Fields>(table));
  }
  onlyMalformed(() => header.fields.all());
}

Deno.test("random bytes are a frame or malformed", () => {
  const random = fc.tuple(fc.constantFrom(0, 1, 2, 255), fc.nat(64), fc.uint8Array({ maxLength: 96 }));
  fc.assert(
    fc.property(random, ([encoding, headerLength, rest]) => {
      const bytes = new Uint8Array(8 + rest.length);
      const view = new DataView(bytes.buffer);
      view.setInt32(0, bytes.length - 4);
      view.setUint32(4, encoding * 2 ** 24 + headerLength);
      bytes.set(rest, 8);
      onlyMalformed(() => obey(bytes));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("mutated frames are frames or malformed", () => {
  const change = fc.tuple(fc.nat(400), fc.nat(255));
  const changes = fc.array(change, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...ENCODINGS), values, changes, (encoding, values, changes) => {
      const bytes = encoded(encoding, { ...route, remark: "why", table: everyType, values });
      const length = new DataView(bytes.buffer).getInt32(0);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      // The length word has decided how much was read.
      new DataView(bytes.buffer).setInt32(0, length);
      onlyMalformed(() => obey(bytes));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("frameLength() waits for four bytes, and refuses what no frame can have", () => {
  const view = new DataView(new ArrayBuffer(8));
  assertEquals(frameLength(view, 5, 8), undefined);
  for (const [length, fine] of [[4, true], [FRAME_BYTES_MAX, true], [3, false], [0, false], [-1, false]] as const) {
    view.setInt32(0, length);
    if (fine) assertEquals(frameLength(view, 0, 8), length + 4);
    else assertThrows(() => frameLength(view, 0, 8), RocketdError, `length word is ${length}`);
  }
  view.setInt32(0, FRAME_BYTES_MAX + 1);
  assertThrows(() => frameLength(view, 0, 8), RocketdError, "length word");
});

Deno.test("a header longer than its frame, or of an unknown encoding, is malformed", () => {
  const bytes = encoded(HeaderEncoding.JSON, route);
  const view = new DataView(bytes.buffer);
  const word = view.getInt32(4);
  view.setInt32(4, word + 1);
  assertThrows(() => decoded(bytes), RocketdError, "says its header has");
  view.setInt32(4, word + (2 << 24));
  assertThrows(() => decoded(bytes), RocketdError, "a header's encoding is 2");
});

Deno.test("the fields are views: they change with the buffer they were read from", () => {
  const bytes = encoded(HeaderEncoding.ROCKETMQ, { ...route, values: { topic: "T" } }, "body");
  const view = new DataView(bytes.buffer);
  const frame = decodeFrame(bytes, view, 0, frameLength(view, 0, bytes.length)!);
  const kept = frame.body.slice();
  bytes.fill(0x5a, bytes.length - 4);
  assertEquals([new TextDecoder().decode(frame.body), new TextDecoder().decode(kept)], ["ZZZZ", "body"]);
});

Deno.test("a missing or malformed field is named, with what is allowed", () => {
  for (const encoding of ENCODINGS) {
    const read = (given: Record<string, string>) => {
      const frame = decoded(encoded(encoding, { ...route, table: undefined, extra: new Map(Object.entries(given)) }));
      return () => frame.header.fields.read(everyType);
    };
    const missing = assertThrows(read({ name: "n", offset: "1" }), RocketdError);
    assertEquals(missing.message, "the field count is missing, it is required");
    const range = assertThrows(read({ name: "n", offset: "1", count: "2147483648" }), RocketdError);
    assertEquals(
      range.message,
      'the field count is "2147483648", allowed is a whole number from -2147483648 to 2147483647',
    );
    const short = assertThrows(read({ b: "x" }), RocketdError);
    assertStringIncludes(short.message, 'the field tiny (b) is "x"');
    assertEquals(read({ name: "n", offset: "-7", count: "+5", on: "TRUE", extra: "ignored" })(), {
      ...everyType.empty(),
      name: "n",
      offset: -7,
      count: 5,
      on: true,
    } as ReturnType<ReturnType<typeof read>>);
  }
});
