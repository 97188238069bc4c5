/**
 * Options of administrators' commands: what is read from which text, and what is said of others.
 *
 * @module
 */
import { NOW, readValues } from "../../../src/client/admin/mod.ts";
import { flag, text, texts, time, truth, whole, word } from "../../../src/client/admin/options.ts";
import { RocketdError } from "../../../src/errors.ts";
import { assertEquals, assertThrows } from "../../../src/std.ts";

const options = {
  topic: text({ short: "t", value: "TOPIC", required: true, help: "the topic" }),
  count: whole(1, 9)({ short: "c", otherwise: 3, help: "how many" }),
  order: truth({ short: "o", help: "ordered" }),
  method: word("put", "get")({ help: "what to do" }),
  begin: time({ short: "b", help: "from when on" }),
  members: texts({ help: "the members" }),
  all: flag({ short: "a", help: "all of them" }),
};

function read(given: Record<string, string>) {
  return readValues(options, (name) => Object.hasOwn(given, name) ? given[name] : undefined);
}

Deno.test("an option that is not given has its default, or is undefined", () => {
  const none = { order: undefined, method: undefined, begin: undefined, members: undefined };
  assertEquals(read({ topic: "T" }), { topic: "T", count: 3, all: false, ...none });
});

Deno.test("options are read by their kind", () => {
  const given = { topic: " T ", count: "9", order: "TRUE", method: "get", members: "a, b,,c", all: "" };
  assertEquals(read(given), {
    topic: "T",
    count: 9,
    order: true,
    method: "get",
    begin: undefined,
    members: ["a", "b", "c"],
    all: true,
  });
});

Deno.test("a time is now, ms, ISO 8601, or what mqadmin takes in this machine's zone", () => {
  const begin = (text: string) => read({ topic: "T", begin: text }).begin;
  assertEquals(begin("now"), NOW);
  assertEquals(begin("-1"), NOW);
  assertEquals(begin("1700000000000"), 1700000000000);
  assertEquals(begin("2026-01-31T12:00:00Z"), Date.UTC(2026, 0, 31, 12));
  assertEquals(begin("2026-01-31#12:00:00:250"), new Date(2026, 0, 31, 12, 0, 0, 250).getTime());
});

const WRONG: [given: Record<string, string>, message: string][] = [
  [{}, "--topic TOPIC is missing"],
  [{ topic: " " }, '--topic " ": expected something that is not blank'],
  [{ topic: "T", count: "0" }, '--count "0": expected a whole number from 1 to 9'],
  [{ topic: "T", count: "1e1" }, '--count "1e1": expected a whole number from 1 to 9'],
  [{ topic: "T", order: "yes" }, '--order "yes": expected true or false'],
  [{ topic: "T", method: "delete" }, '--method "delete": expected put, get'],
  [{ topic: "T", all: "no" }, '--all "no": expected true or false'],
  [
    { topic: "T", begin: "yesterday" },
    '--begin "yesterday": expected now, ms since 1970, 2026-01-31T12:00:00Z, or 2026-01-31#12:00:00:000',
  ],
];

for (const [given, message] of WRONG) {
  Deno.test(`what cannot be read is refused: ${message}`, () => {
    const error = assertThrows(() => read(given), RocketdError) as RocketdError;
    assertEquals([error.message, error.code], [message, "invalidArgument"]);
  });
}
