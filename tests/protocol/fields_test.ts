/**
 * Declared fields: texts to values and back.
 *
 * @module
 */
import fc from "fast-check";
import { RocketdError } from "../../src/errors.ts";
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

Deno.test("parseBytes() gives what parse() gives of the same text", () => {
  const table = new FieldTable({ count: int, at: long, on: maybe.bool, topic: str });
  const outcome = (parse: () => unknown) => {
    try {
      return parse();
    } catch (error) {
      if (error instanceof RocketdError) return error.message;
      throw error;
    }
  };
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: 20, size: "max" });
  const odd = fc.constantFrom("007", "2147483647", "2147483648", "1e3", "1.0", "true", "TRUE", "\ufeff", "é");
  const text = fc.oneof(fc.tuple(fc.constantFrom("", "-", "+", "--"), digits).map((parts) => parts.join("")), odd);
  fc.assert(
    fc.property(text, fc.nat(table.names.length - 1), (text, index) => {
      const bytes = new TextEncoder().encode(`1${text}1`);
      const found = outcome(() => table.parseBytes(index, bytes, 1, bytes.length - 1));
      assertEquals(found, outcome(() => table.parse(index, text)));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("a boolean is true only as true, in letters of any case", () => {
  const table = new FieldTable({ on: maybe.bool, at: long });
  assertEquals(["true", "True", "yes", "1", ""].map((text) => table.parse(0, text)), [true, true, false, false, false]);
});
