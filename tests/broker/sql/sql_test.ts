/**
 * @module
 */
import { parseSql, SqlMistake } from "../../../src/broker/sql/sql.ts";
import { SQL_DEPTH_MAX, SQL_PARTS_MAX, SUBSCRIPTION_LENGTH_MAX } from "../../../src/limits.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "../../../src/std.ts";
import { ACCEPTED, answerOf, REFUSED, textOf } from "./sql_cases.ts";

for (const [expression, ...messages] of ACCEPTED) {
  Deno.test(`SQL: ${expression}`, () => {
    for (const [properties, letter] of messages) {
      assertEquals(answerOf(expression, [properties]), letter, JSON.stringify(properties));
    }
  });
}

for (const [expression, place] of REFUSED) {
  Deno.test(`SQL refuses ${JSON.stringify(expression)} and tells where`, () => {
    const error = assertThrows(() => parseSql(expression), SqlMistake);
    assertEquals(error.message.slice(error.message.lastIndexOf(" at ") + 4), place, error.message);
  });
}

Deno.test("SQL tells what it ignores behind a whole expression", () => {
  assertEquals(parseSql("a = 1\n LIKE 'x%'").ignored, "LIKE is ignored at line 2, column 2");
  assertEquals(parseSql("a = 1 -- nothing\n").ignored, undefined);
});

Deno.test("SQL bounds its levels, its parts and its length, each with a clear reason", () => {
  const nested = (levels: number) => "(".repeat(levels) + "a = 1" + ")".repeat(levels);
  assertEquals(answerOf(nested(SQL_DEPTH_MAX - 1), [{ a: "1" }]), "T");
  const message = (expression: string) => assertThrows(() => parseSql(expression), SqlMistake).message;
  assertStringIncludes(message(nested(SQL_DEPTH_MAX)), `more than ${SQL_DEPTH_MAX} levels`);
  for (const sign of ["-", "NOT ", "+", "NOT -"]) {
    assertStringIncludes(message(sign.repeat(SQL_DEPTH_MAX + 1) + "a"), "levels");
  }
  assertStringIncludes(message("a" + " IS NULL".repeat(SQL_PARTS_MAX)), `more than ${SQL_PARTS_MAX} values`);
  assertStringIncludes(message("a = 1 OR ".repeat(SQL_PARTS_MAX) + "a = 1"), `more than ${SQL_PARTS_MAX} values`);
  assertStringIncludes(message("a".repeat(SUBSCRIPTION_LENGTH_MAX + 1)), `more than ${SUBSCRIPTION_LENGTH_MAX} char`);
});

Deno.test("SQL evaluates the deepest expressions that it takes", () => {
  const below = (depth: number, then: () => void): void => depth === 0 ? then() : below(depth - 1, then);
  // Far up the stack already, as an event of a busy server is at most.
  below(500, () => {
    const parts = SQL_PARTS_MAX - 1;
    assertEquals(answerOf("a" + " IS NULL".repeat(parts), [{ a: "1" }]), "F");
    assertEquals(answerOf("a = 1" + " = TRUE".repeat((parts - 2) / 2), [{ a: "1" }]), "T");
    assertEquals(answerOf("a = 1 AND ".repeat(parts / 3 - 1) + "a = 1", [{ a: "1" }]), "T");
  });
});

Deno.test("SQL evaluates nested conditions once, however often they stand as bounds", () => {
  const nested = "-(".repeat(90) + "a = 1" + ") BETWEEN 1 AND 2".repeat(90);
  assertEquals(answerOf(nested, [{ a: "1" }, { a: "x" }]), "NX");
  const negative = "-(".repeat(90) + "a = 1" + ") NOT BETWEEN 1 AND 2".repeat(90);
  assertEquals(answerOf(negative, [{ a: "1" }, { a: "x" }]), "NX");
});

Deno.test("SQL looks up few names and many alike, for each message anew", () => {
  for (const count of [3, 30]) {
    const names = Array.from({ length: count }, (_, i) => `n${i}`);
    const sql = parseSql(names.map((name) => `${name} = '${name}'`).join(" AND "));
    const all = Object.fromEntries(names.map((name) => [name, name]));
    assertEquals(sql.evaluate(textOf(all)), true);
    assertEquals(sql.evaluate(textOf({ ...all, [`n${count - 1}`]: "other" })), false);
    assertEquals(sql.evaluate(""), null);
    assertEquals(sql.evaluate(textOf(all)), true);
  }
});

Deno.test("SQL looks up long names in long properties, one of which is nearly another", () => {
  const long = "n".repeat(16_000);
  const sql = parseSql(`${long} = '1'`);
  // A search for the name would compare thousands of characters at thousands of places, and this would take a minute.
  const near = textOf({ a: `${long.slice(1)}m${long.slice(1)}` });
  for (let i = 0; i < 500; i++) assertEquals(sql.evaluate(near), null);
  assertEquals(sql.evaluate(textOf({ [long]: "1" })), true);
  assertEquals(sql.evaluate(textOf({ [long]: "2", [`m${long}`]: "1" })), false);
});
