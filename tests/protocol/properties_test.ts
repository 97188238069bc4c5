import fc from "fast-check";
import { assertEquals } from "../../src/std.ts";
import { dropProperty, formatProperties, parseProperties, propertyOf } from "../../src/protocol/properties.ts";

const text = fc.string({ unit: fc.constantFrom("T", "A", "G", "S", "K", "E", "Y", "\u0001", "\u0002", "é", " ") });

Deno.test("parseProperties() takes texts with and without a last separator", () => {
  const expected = new Map([["TAGS", "a"], ["KEYS", "k1 k2"]]);
  assertEquals(parseProperties("TAGS\u0001a\u0002KEYS\u0001k1 k2"), expected);
  assertEquals(parseProperties("TAGS\u0001a\u0002KEYS\u0001k1 k2\u0002"), expected);
});

Deno.test("parseProperties() drops pieces without a name or a value, and the last of equal names wins", () => {
  assertEquals(parseProperties("\u0001v\u0002n\u0001\u0002x\u0002a\u00011\u0002a\u00012"), new Map([["a", "2"]]));
});

Deno.test("formatProperties() writes no last separator and leaves out what is empty", () => {
  assertEquals(formatProperties([["a", "1"], ["", "x"], ["y", ""], ["b", "2"]]), "a\u00011\u0002b\u00012");
});

Deno.test("parseProperties() reads back what formatProperties() wrote", () => {
  const word = fc.string({ minLength: 1 }).filter((word) => !word.includes("\u0001") && !word.includes("\u0002"));
  fc.assert(fc.property(fc.uniqueArray(fc.tuple(word, word), { selector: (pair) => pair[0] }), (pairs) => {
    assertEquals([...parseProperties(formatProperties(pairs))], pairs);
  }));
});

Deno.test("propertyOf() agrees with parseProperties() on any text", () => {
  fc.assert(
    fc.property(text, fc.constantFrom("TAGS", "KEYS", "A", "G"), (text, name) => {
      assertEquals(propertyOf(text, name), parseProperties(text).get(name));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("dropProperty() leaves out the pieces of a name, wherever and however often they stand", () => {
  fc.assert(
    fc.property(text, fc.constantFrom("T", "A", "TA"), (text, name) => {
      const pieces = text.split("\u0002").filter((piece) => !piece.startsWith(`${name}\u0001`));
      assertEquals(dropProperty(text, name), pieces.join("\u0002"));
    }),
    { numRuns: 2000 },
  );
});
