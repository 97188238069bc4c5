/**
 * fastjson's dialect: what Java writes is read, and what we write is what Java writes.
 *
 * @module
 */
import fc from "fast-check";
import { RocketdError } from "../../src/errors.ts";
import { JSON_DEPTH_MAX } from "../../src/limits.ts";
import { parseFastJson, stringifyFastJson } from "../../src/protocol/fastjson.ts";
import { assertEquals, assertThrows } from "../../src/std.ts";
import { onlyMalformed } from "./only_malformed.ts";

Deno.test("number keys, bare words, single quotes and spare commas are read", () => {
  assertEquals<unknown>(parseFastJson('{0:"a",1:{-2:true}}'), { "0": "a", "1": { "-2": true } });
  assertEquals<unknown>(parseFastJson("{a : 'it''s', }".replace("''", "\\'")), { a: "it's" });
  assertEquals<unknown>(parseFastJson("[1,,2.5,-3e2,null,false,]"), [1, 2.5, -300, null, false]);
  assertEquals<unknown>(parseFastJson('{k:"\\u00e9\\x41\\n\\/"}'), { k: "éA\n/" });
});

Deno.test("an object with objects as keys becomes a Map", () => {
  const text = '{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:7}}';
  const key = { brokerName: "broker-a", queueId: 0, topic: "T" };
  assertEquals<unknown>(parseFastJson(text), { offsetTable: new Map([[key, 7]]) });
  assertEquals(stringifyFastJson(parseFastJson(text)), text);
});

Deno.test("a key named __proto__ is only a key", () => {
  for (const text of ['{"__proto__":{"a":1}}', "{__proto__:{a:1}}"]) {
    const value = parseFastJson(text) as Record<string, unknown>;
    assertEquals(Object.keys(value), ["__proto__"]);
    assertEquals(value.a, undefined);
  }
});

Deno.test("what cannot be read is malformed, with the place", () => {
  for (
    const text of ["", "{", "{a", "{a:", "{a:1", "[1 2]", "{'a:1}", "tru", "{0:1}x", "{a:'\\uzzzz'}", "{]:1}", "\0"]
  ) {
    const error = assertThrows(() => parseFastJson(text), RocketdError, "JSON cannot be read: expected");
    assertEquals(error.code, "malformed");
  }
});

Deno.test("nesting is bounded where our parser reads", () => {
  const nested = (depth: number) => `${"{0:".repeat(depth)}1${"}".repeat(depth)}`;
  parseFastJson(nested(JSON_DEPTH_MAX));
  assertThrows(() => parseFastJson(nested(JSON_DEPTH_MAX + 1)), RocketdError, `at most ${JSON_DEPTH_MAX} levels`);
  assertThrows(() => parseFastJson("{".repeat(100_000)), RocketdError);
  assertThrows(() => parseFastJson("{a:[".repeat(100_000)), RocketdError);
});

Deno.test("any text is read or malformed", () => {
  const piece = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "'",
    '"',
    "\\",
    "0",
    "-1",
    "a",
    "null",
    " ",
    "\\u00",
    "é",
  );
  const text = fc.oneof(fc.array(piece).map((pieces) => pieces.join("")), fc.string());
  fc.assert(
    fc.property(text, (text) => onlyMalformed(() => parseFastJson(text))),
    { numRuns: 1000 },
  );
});

Deno.test("what is written is read back, also with number keys", () => {
  const key = fc.oneof(fc.string(), fc.integer().map(String));
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 4 }, fc.string({ unit: "binary" }), fc.integer(), fc.boolean(), tie("list"), tie("map")),
    list: fc.array(tie("any"), { maxLength: 4 }),
    map: fc.dictionary(key, tie("any"), { maxKeys: 4, noNullPrototype: true }),
  })).any;
  fc.assert(fc.property(value, (value) => {
    for (const pretty of [false, true]) {
      assertEquals(parseFastJson(stringifyFastJson(value, { pretty })), value);
      assertEquals(parseFastJson(stringifyFastJson(new Map([[1, value]]), { pretty })), { "1": value });
    }
  }));
});

Deno.test("keys are sorted, and absent values left out", () => {
  assertEquals(stringifyFastJson({ b: 1, a: [true, "x"], c: undefined, d: null }), '{"a":[true,"x"],"b":1}');
});

Deno.test("pretty is the form of Java's files", () => {
  // Recorded from fastjson 1.2.69 with PrettyFormat.
  const offsets = new Map([["A@G", new Map<number, number>()], ["T@G", new Map([[0, 7], [1, 5]])]]);
  assertEquals(
    stringifyFastJson({ list: ["a", 1, [], {}], offsetTable: offsets }, { pretty: true }),
    '{\n\t"list":[\n\t\t"a",\n\t\t1,\n\t\t[],\n\t\t{}\n\t],\n\t"offsetTable":{\n\t\t"A@G":{},\n\t\t"T@G":{0:7,1:5\n\t\t}\n\t}\n}',
  );
  const queue = { brokerName: "b", queueId: 0, topic: "T" };
  assertEquals(
    stringifyFastJson({ offsetTable: new Map([[queue, 7]]) }, { pretty: true }),
    '{\n\t"offsetTable":{{\n\t\t\t"brokerName":"b",\n\t\t\t"queueId":0,\n\t\t\t"topic":"T"\n\t\t}:7\n\t}\n}',
  );
});

Deno.test("parseFastJson() counts the depth of brackets, not of those in texts", () => {
  const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${"}]".repeat(depth / 2)}`;
  const texts = { a: '["\\"'.repeat(500), b: "{'[".repeat(500) };
  assertEquals(parseFastJson(JSON.stringify(texts)), texts);
  assertEquals(JSON.stringify(parseFastJson(nested(JSON_DEPTH_MAX))), nested(JSON_DEPTH_MAX));
  for (const deep of [nested(JSON_DEPTH_MAX + 2), "[".repeat(1 << 20), "{a:".repeat(1 << 18)]) {
    assertEquals(assertThrows(() => parseFastJson(deep), RocketdError).code, "malformed");
  }
});
