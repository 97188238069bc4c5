/**
 * JSON headers read from their bytes mean what `JSON.parse` says they mean.
 *
 * @module
 */
import fc from "fast-check";
import { RocketdError } from "../../src/errors.ts";
import { FieldTable, int, long, maybe, named, str } from "../../src/protocol/fields.ts";
import type { Header } from "../../src/protocol/frame.ts";
import { decodeAnyJson, decodeJsonHeader } from "../../src/protocol/header_json.ts";
import { textAt } from "../../src/protocol/known_texts.ts";
import { decodePlainJson } from "../../src/protocol/plain_json.ts";
import { assertEquals } from "../../src/std.ts";

const AT = 8;
const encoder = new TextEncoder();

/** A header's bytes as they lie in a frame, with more JSON before and behind. */
function framed(header: Uint8Array): [bytes: Uint8Array, start: number, end: number] {
  const bytes = new Uint8Array(AT + header.length + AT).fill("0".charCodeAt(0));
  bytes.set(encoder.encode('{"flag":'));
  bytes.set(header, AT);
  bytes.set(encoder.encode('"}}}}}}}'), AT + header.length);
  return [bytes, AT, AT + header.length];
}

const table = new FieldTable({
  topic: str,
  count: int,
  offset: long,
  ...named({ on: maybe.bool, tiny: maybe.int, note: maybe.str }, { on: "a", tiny: "b", note: "i" }),
});

/** Everything that a reader may ask of a header, `malformed` for what throws that. */
function meaning(decode: () => Header): unknown {
  const orMalformed = (read: () => unknown) => {
    try {
      return read();
    } catch (error) {
      if (error instanceof RocketdError && error.code === "malformed") return "malformed";
      throw error;
    }
  };
  return orMalformed(() => {
    const { fields, ...rest } = decode();
    return {
      ...rest,
      all: orMalformed(() => [...fields.all()].sort()),
      read: orMalformed(() => fields.read(table)),
      readLoosely: orMalformed(() => fields.readLoosely(table)),
    };
  });
}

function assertSame(header: Uint8Array): void {
  const [bytes, start, end] = framed(header);
  assertEquals(meaning(() => decodeJsonHeader(bytes, start, end)), meaning(() => decodeAnyJson(header)));
}

const isPlain = (text: string) => decodePlainJson(...framed(encoder.encode(text))) !== undefined;

const name = fc.oneof(fc.constantFrom("topic", "count", "offset", "a", "b", "i", "é", "__proto__"), fc.string())
  .filter((name) => JSON.stringify(name) === `"${name}"`);
const value = fc.oneof(
  fc.integer().map(String),
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "true",
    "False",
    "-0",
    "+1",
    "2147483648",
    "99999999999999999999",
    "T\u0001a\u0002K\u0001b",
    "\ufeffT",
  ),
);
/** JSON of a text, in which some characters are escaped that need not be. */
const quoted = fc.tuple(value, fc.array(fc.boolean(), { minLength: 1 })).map(([text, escapes]) => {
  const units = Array.from({ length: text.length }, (_, i) => {
    const hex = text.charCodeAt(i).toString(16).padStart(4, "0");
    if (!escapes[i % escapes.length]) return undefined;
    return text[i] === "/" ? "\\/" : `\\u${i % 2 === 0 ? hex : hex.toUpperCase()}`;
  });
  return JSON.stringify(text) === `"${text}"`
    ? `"${units.map((unit, i) => unit ?? text[i]).join("")}"`
    : JSON.stringify(text);
});
const fields = fc.array(fc.tuple(name, quoted), { maxLength: 12 });
const members = fc.record({
  code: fc.oneof(fc.integer(), fc.integer({ min: -1e15 + 1, max: 1e15 - 1 })),
  extFields: fields.map((pairs) => `{${pairs.map(([name, value]) => `"${name}":${value}`)}}`),
  flag: fc.integer(),
  language: fc.constantFrom("JAVA", "GO", ""),
  opaque: fc.integer(),
  remark: fc.string({ unit: "binary" }),
  serializeTypeCurrentRPC: fc.constant("JSON"),
  version: fc.integer(),
}, { requiredKeys: ["code"] });
/** Headers as they are written by clients; members and fields come in any order, and fields may come twice. */
const plain = members.chain((members) => fc.shuffledSubarray(Object.entries(members), { minLength: 1 })).map((pairs) =>
  `{${pairs.map(([key, value]) => `"${key}":${key === "extFields" ? value : JSON.stringify(value)}`)}}`
);

Deno.test("a header as clients write it is plain, and means what JSON.parse says", () => {
  fc.assert(
    fc.property(plain, (text) => {
      assertEquals([text, isPlain(text)], [text, true]);
      assertSame(encoder.encode(text));
    }),
    { numRuns: 500 },
  );
});

Deno.test("a header with any bytes changed, taken away or added means what JSON.parse says", () => {
  const interesting = fc.constantFrom(...encoder.encode('{}[]:,"\\u0 -+.1eéé\u0001tn'));
  const change = fc.record({ at: fc.nat(600), kind: fc.nat(2), byte: fc.oneof(interesting, fc.nat(255)) });
  fc.assert(
    fc.property(plain, fc.array(change, { minLength: 1, maxLength: 3 }), (text, changes) => {
      const bytes = [...encoder.encode(text)];
      for (const { at, kind, byte } of changes) {
        bytes.splice(at % (bytes.length + 1), kind === 0 ? 0 : 1, ...(kind === 1 ? [] : [byte]));
      }
      assertSame(Uint8Array.from(bytes));
    }),
    { numRuns: 1500 },
  );
});

Deno.test("a header of any JSON, with or without blanks, means what JSON.parse says", () => {
  const key = fc.oneof(fc.constantFrom("code", "language", "remark", "extFields", "topic", "count", ""), fc.string());
  const any = fc.oneof(
    value,
    fc.integer(),
    fc.double(),
    fc.constant(null),
    fc.boolean(),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const object = fc.dictionary(key, any, { maxKeys: 5, noNullPrototype: true });
  const header = fc.dictionary(key, fc.oneof(any, object), { maxKeys: 5, noNullPrototype: true });
  const blanks = fc.constantFrom("", "", " ", "\t");
  fc.assert(
    fc.property(header, blanks, (header, blanks) => assertSame(encoder.encode(JSON.stringify(header, null, blanks)))),
    { numRuns: 1000 },
  );
});

Deno.test("of a header that is not plain, JSON.parse reads all", () => {
  for (
    const text of [
      "",
      "{}",
      "[]",
      '{"code":"1"}',
      '{"code":01}',
      '{"code":1.0}',
      '{"code":1e2}',
      '{"code":-}',
      '{"code":1234567890123456}',
      '{"code":null}',
      '{"code": 1}',
      '{"code":1}}',
      '{"code":1',
      '{"code":1,}',
      '{"flag":{}}',
      '{"language":1}',
      '{"remark":null}',
      '{"extFields":"x"}',
      '{"extFields":null}',
      '{"extFields":{"topic":1}}',
      '{"extFields":{"topic":"\\x"}}',
      '{"extFields":{"topic":"\\u12g4"}}',
      '{"extFields":{"t\\u006fpic":"T"}}',
      '{"extFields":{"topic":"T"}',
      '{"extFields":{"topic":"T",}}',
      '{"\\u0063ode":1}',
      '\ufeff{"code":1}',
    ]
  ) {
    assertEquals([text, isPlain(text)], [text, false]);
    assertSame(encoder.encode(text));
  }
  for (
    const text of [
      '{"code":1}',
      '{"code":-0,"x":"","extFields":{}}',
      '{"code":1,"code":2}',
      '{"extFields":{"topic":"T"},"extFields":{"count":"1"}}',
    ]
  ) {
    assertEquals([text, isPlain(text)], [text, true]);
    assertSame(encoder.encode(text));
  }
});

Deno.test("of two headers that were decoded before their fields are read, each keeps its own", () => {
  const header = (topic: string) => {
    const text = `{"code":1,"extFields":{"topic":"${topic}","count":"1","offset":"2"}}`;
    return decodeJsonHeader(...framed(encoder.encode(text)));
  };
  const first = header("first"), second = header("the second");
  const topics = () => [first, second].map(({ fields }) => fields.read(table).topic);
  assertEquals([topics(), topics()], [["first", "the second"], ["first", "the second"]]);
  assertEquals([first, second].map(({ fields }) => fields.all().get("topic")), ["first", "the second"]);
});

Deno.test("textAt() decodes UTF-8, however often it has seen it and whatever came between", () => {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const similar = fc.array(fc.constantFrom(0x61, 0x62, 0xc3, 0xa9, 0xef, 0xbb, 0xbf), { maxLength: 6 });
  const texts = fc.oneof(similar.map((bytes) => Uint8Array.from(bytes)), fc.uint8Array({ maxLength: 80 }));
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = Uint8Array.of(0x61, ...text, 0x61);
      for (let i = 0; i < 2; i++) assertEquals(textAt(bytes, 1, 1 + text.length), decoder.decode(text));
    }),
    { numRuns: 1500 },
  );
});
