/**
 * Declared fields: texts to values and back.
 *
 * @module
 */
import { FieldTable, formatInteger, int, long, maybe, named, parseInteger, str } from "../../src/protocol/fields.ts";
import { assertEquals } from "../../src/std.ts";

Deno.test("parseInteger() takes what Java takes", () => {
  assertEquals([parseInteger("-2147483648", "int"), parseInteger("2147483647", "int")], [-2147483648, 2147483647]);
  assertEquals([parseInteger("2147483648", "int"), parseInteger("2147483648", "long")], [undefined, 2147483648]);
  for (const bad of ["", " 1", "1.0", "0x1", "1e3", "--1", "one", "9".repeat(20)]) {
    assertEquals(parseInteger(bad, "long"), undefined, bad);
  }
});

Deno.test("formatInteger() writes a long, also where a number is not exact", () => {
  assertEquals([0, -5, 2 ** 53 - 1].map(formatInteger), ["0", "-5", "9007199254740991"]);
  assertEquals([2 ** 63, -(2 ** 63), 1e300].map(formatInteger), [
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775807",
  ]);
});

Deno.test("FieldTable finds fields by their name on the wire", () => {
  const table = new FieldTable({
    ...named({ topic: str, queueId: int }, { topic: "b", queueId: "é" }),
    offset: maybe.long,
  });
  const indexOf = (name: string) => {
    const bytes = new TextEncoder().encode(`offset${name}offset`);
    return table.indexOf(bytes, 6, bytes.length - 6);
  };
  assertEquals(["b", "é", "offset", "topic", "offsets", "offseT", "c", ""].map(indexOf), [0, 1, 2, -1, -1, -1, -1, -1]);
  assertEquals(table.empty(), { topic: undefined, queueId: undefined, offset: undefined });
});

Deno.test("a boolean is true only as true, in letters of any case", () => {
  const table = new FieldTable({ on: maybe.bool, at: long });
  assertEquals(["true", "True", "yes", "1", ""].map((text) => table.parse(0, text)), [true, true, false, false, false]);
});
