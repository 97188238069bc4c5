/**
 * Numbers as Java reads them. That the grammar is Java's is proved against Java in tests/interop/sql_test.ts.
 *
 * @module
 */
import { formatDouble, javaDouble } from "../../src/protocol/java_numbers.ts";
import { assertEquals } from "../../src/std.ts";

Deno.test("javaDouble() reads every form of a number, and nothing else", () => {
  const read: [string, number][] = [
    ["1.", 1],
    [".5", 0.5],
    ["-1.5e2", -150],
    ["1e-2f", 0.01],
    ["\t2D ", 2],
    ["0x1p3", 8],
    ["0x.8p1", 1],
    ["-0XaB.cP-1d", -85.875],
    ["0x1.p0", 1],
    ["+Infinity", Infinity],
  ];
  for (const [text, value] of read) assertEquals(javaDouble(text), value, text);
  for (const text of ["", ".", "1..2", "e1", "1e", "1.2.3", "0x1", "0xp1", "0x.p1", "0x1..2p1", "Infinityf", "1 2"]) {
    assertEquals(javaDouble(text), undefined, text);
  }
});

Deno.test("javaDouble() refuses a long text that is no number without trying each division of its digits", () => {
  // With expressions that do try, each of these takes minutes.
  const digits = "1".repeat(500_000);
  for (const text of [`${digits}x`, `${digits}.${digits}x`, `1e${digits}x`, `0x${digits}`, `0x${digits}.${digits}p`]) {
    assertEquals(javaDouble(text), undefined);
  }
});

Deno.test("floating point numbers are written as Double.toString writes them", () => {
  const written: [number, string][] = [
    [0, "0.0"],
    [12, "12.0"],
    [0.001, "0.001"],
    [9_999_999.5, "9999999.5"],
    [1e7, "1.0E7"],
    [12_345_678.5, "1.23456785E7"],
    [0.00012, "1.2E-4"],
    [-3.5, "-3.5"],
    [NaN, "NaN"],
    [-Infinity, "-Infinity"],
  ];
  for (const [value, text] of written) assertEquals(formatDouble(value), text);
});
