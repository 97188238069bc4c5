/**
 * SQL92 expressions with what RocketMQ 4.9.7 says of them; `tests/interop/sql_test.ts` asks RocketMQ itself whether
 * that is so.
 *
 * @module
 */
import { FAILED, parseSql, SqlMistake, type Truth } from "../../../src/broker/sql/sql.ts";

/** R: the expression is refused; T, F, N, X: true, false, unknown, failed. */
export type Letter = "R" | "T" | "F" | "N" | "X";

/** An expression, and what is said of messages with some properties. */
export type Case = readonly [expression: string, ...messages: (readonly [properties: Properties, letter: Letter])[]];
export type Properties = Readonly<Record<string, string>>;

/** The properties as a record holds them. */
export function textOf(properties: Properties): string {
  return Object.entries(properties).map(([name, value]) => `${name}\x01${value}`).join("\x02");
}

/** What we say of an expression and some messages: "R", or a letter for each. */
export function answerOf(expression: string, messages: readonly Properties[]): string {
  try {
    const sql = parseSql(expression);
    return messages.map((properties) => letterOf(sql.evaluate(textOf(properties)))).join("");
  } catch (error) {
    if (error instanceof SqlMistake) return "R";
    throw error;
  }
}

function letterOf(truth: Truth): Letter {
  if (truth === FAILED) return "X";
  return truth === null ? "N" : truth ? "T" : "F";
}

export const ACCEPTED: readonly Case[] = [
  // Numbers of 32 bits: the property must be one too.
  ["a > 5", [{ a: "6" }, "T"], [{ a: "5" }, "F"], [{}, "N"], [{ a: "x" }, "X"], [{ a: "5.5" }, "X"], [
    { a: "+6" },
    "T",
  ]],
  ["a > 5", [{ a: "2147483647" }, "T"], [{ a: "2147483648" }, "X"], [{ a: " 6" }, "X"], [{ a: "6L" }, "X"]],
  ["a = 0", [{ a: "-0" }, "T"], [{ a: "000" }, "T"], [{ a: "0.0" }, "X"]],
  ["a >= 5 and a <= 7", [{ a: "5" }, "T"], [{ a: "7" }, "T"], [{ a: "8" }, "F"], [{ a: "4" }, "F"]],
  ["5 < a", [{ a: "6" }, "T"], [{ a: "5" }, "F"], [{ a: "?" }, "X"]],
  ["a > -5", [{ a: "-4" }, "T"], [{ a: "-6" }, "F"]],
  ["a = 5L", [{ a: "5" }, "T"], [{ a: "2147483648" }, "X"]],
  // Numbers of 64 bits.
  ["a = 9223372036854775807", [{ a: "9223372036854775807" }, "T"], [{ a: "9223372036854775806" }, "F"]],
  ["a < 2147483648", [{ a: "2147483647" }, "T"], [{ a: "9223372036854775808" }, "X"], [{ a: "1.5" }, "X"]],
  ["a > -2147483648", [{ a: "-2147483648" }, "F"], [{ a: "-2147483647" }, "T"]],
  // Floating point numbers.
  ["a > 2.5", [{ a: "3" }, "T"], [{ a: "2.5" }, "F"], [{ a: " 2.6 " }, "T"], [{ a: "1e3" }, "T"], [{ a: "3f" }, "T"]],
  ["a > 2.5", [{ a: "NaN" }, "T"], [{ a: "-Infinity" }, "F"], [{ a: "0x1p3" }, "T"], [{ a: "0x10" }, "X"]],
  ["a = .5", [{ a: "0.5" }, "T"], [{ a: "5e-1" }, "T"], [{ a: "," }, "X"]],
  ["a = 5.", [{ a: "5" }, "T"]],
  ["a = 1E2", [{ a: "100" }, "T"]],
  ["1 = 1.0", [{}, "T"]],
  ["9007199254740993 = 9007199254740992.0", [{}, "T"]],
  ["2147483648 > 2147483647", [{}, "T"]],
  // Texts.
  ["a = 'x'", [{ a: "x" }, "T"], [{ a: "X" }, "F"], [{}, "N"]],
  ["a <> 'x'", [{ a: "x" }, "F"], [{ a: "X" }, "T"], [{}, "N"]],
  ["a = 'it''s'", [{ a: "it's" }, "T"]],
  ["a = 'a -- b /* c */'", [{ a: "a -- b /* c */" }, "T"]],
  ["a = '中文'", [{ a: "中文" }, "T"]],
  ["'a' = 'a'", [{}, "T"]],
  ["'5' = 5", [{}, "T"]],
  ["'x' = 5", [{}, "X"]],
  ["a = '5'", [{ a: "5" }, "T"], [{ a: "05" }, "F"]],
  // Two properties: as texts, or in order as floating point numbers.
  ["a = b", [{ a: "1", b: "1" }, "T"], [{ a: "1", b: "1.0" }, "F"], [{ a: "1" }, "F"], [{ b: "1" }, "N"], [{}, "T"]],
  ["a <> b", [{ a: "1", b: "1" }, "F"], [{ a: "1" }, "T"], [{ b: "1" }, "N"], [{}, "F"]],
  ["a < b", [{ a: "9", b: "10" }, "T"], [{ a: "x", b: "10" }, "X"], [{ a: "-0", b: "0" }, "T"], [{ a: "x" }, "N"]],
  ["a < b", [{ a: "1", b: "NaN" }, "T"], [{ a: "NaN", b: "1" }, "F"], [{ b: "x" }, "N"]],
  // Booleans.
  ["a = TRUE", [{ a: "true" }, "T"], [{ a: "True" }, "T"], [{ a: "1" }, "F"], [{}, "N"]],
  ["a = FALSE", [{ a: "false" }, "T"], [{ a: "x" }, "T"], [{ a: "true" }, "F"]],
  ["TRUE = a", [{ a: "true" }, "X"], [{}, "F"]],
  ["TRUE = FALSE", [{}, "F"]],
  ["'a' = TRUE", [{}, "F"]],
  ["TRUE = -5", [{}, "F"]],
  ["a", [{ a: "true" }, "F"], [{}, "N"]],
  ["NOT a", [{ a: "true" }, "T"], [{}, "N"]],
  ["TRUE", [{}, "T"]],
  ["NULL", [{}, "N"]],
  ["(a > 1) = (b > 1)", [{ a: "2", b: "2" }, "T"], [{ a: "2", b: "0" }, "F"], [{ a: "2" }, "F"], [{ b: "2" }, "N"]],
  // NULL.
  ["a IS NULL", [{}, "T"], [{ a: "x" }, "F"]],
  ["a is not null", [{}, "F"], [{ a: "x" }, "T"]],
  ["NULL IS NULL", [{}, "T"]],
  ["5 IS NULL", [{}, "F"]],
  ["(a > 1) IS NULL", [{}, "T"], [{ a: "2" }, "F"], [{ a: "x" }, "X"]],
  // Unknown.
  ["a > 1 AND b > 1", [{ a: "2" }, "N"], [{ a: "0" }, "F"], [{ b: "0" }, "F"], [{ b: "x" }, "X"], [
    { a: "0", b: "x" },
    "F",
  ]],
  ["a > 1 OR b > 1", [{ a: "2" }, "T"], [{ b: "2" }, "T"], [{ a: "0" }, "N"], [{ a: "2", b: "x" }, "T"], [
    { a: "x" },
    "X",
  ]],
  ["NOT (a > 1)", [{}, "N"], [{ a: "1" }, "T"], [{ a: "x" }, "X"]],
  // BETWEEN and IN.
  ["a BETWEEN 1 AND 5", [{ a: "1" }, "T"], [{ a: "5" }, "T"], [{ a: "6" }, "F"], [{}, "N"], [{ a: "x" }, "X"]],
  ["a NOT BETWEEN 1 AND 5", [{ a: "1" }, "F"], [{ a: "6" }, "T"], [{}, "N"]],
  ["a NOT BETWEEN 5 AND 1", [{ a: "3" }, "T"]],
  ["a BETWEEN -1 AND -5", [{ a: "-3" }, "F"]],
  ["a BETWEEN b AND c", [{ a: "2", b: "1", c: "3" }, "T"], [{ a: "2", b: "1" }, "N"], [{ a: "2", b: "3" }, "F"]],
  ["a BETWEEN 1 AND 2147483648", [{ a: "2147483647" }, "T"], [{ a: "2147483648" }, "X"]],
  ["-(a = 1) BETWEEN 1 AND 2", [{ a: "1" }, "N"], [{ a: "x" }, "X"]],
  ["a IN ('x', 'y')", [{ a: "x" }, "T"], [{ a: "z" }, "F"], [{}, "N"]],
  ["a NOT IN ('x', 'y')", [{ a: "x" }, "F"], [{ a: "z" }, "T"], [{}, "N"]],
  ["(a) IN ('x')", [{ a: "x" }, "T"]],
  // Precedence, signs, keywords, comments.
  ["a = 1 OR b = 1 AND c = 1", [{ a: "1" }, "T"], [{ b: "1", c: "1" }, "T"], [{ a: "2", b: "1", c: "2" }, "F"]],
  ["NOT (a = 'x')", [{ a: "x" }, "F"]],
  ["NOT a = 'x'", [{ a: "x" }, "X"], [{}, "N"]],
  ["a > 1 = TRUE", [{ a: "2" }, "T"]],
  ["a = + 5", [{ a: "5" }, "T"]],
  ["a = - - 5", [{ a: "5" }, "T"]],
  ["-a = 5", [{ a: "5" }, "N"], [{}, "N"]],
  ["TaGs iN('x') aNd nOt(a Is NuLl)", [{ TaGs: "x", a: "1" }, "T"]],
  ["_a$1 = 1", [{ _a$1: "1" }, "T"]],
  ["a /* one */ = -- two\n 1", [{ a: "1" }, "T"]],
  ["a\t=\r\n\f1", [{ a: "1" }, "T"]],
  // What follows a whole expression is ignored.
  ["a = 1 b", [{ a: "1" }, "T"]],
  ["a = 1)", [{ a: "1" }, "T"]],
  ["a = 1 -- no line end", [{ a: "1" }, "T"]],
  ["a LIKE 'x%'", [{ a: "xy" }, "F"]],
  ["a CONTAINS 'x'", [{ a: "xy" }, "F"]],
  ["a = 0L", [{ a: "0" }, "T"]],
  ["a = 007", [{ a: "0" }, "T"], [{ a: "7" }, "F"]],
  ["a = 0x10", [{ a: "0" }, "T"]],
  ["a + 1 = 2 AND .", [{ a: "1" }, "F"]],
  ["a = 1 b #", [{ a: "1" }, "T"]],
];

/** Expressions that are refused, and where. */
export const REFUSED: readonly (readonly [expression: string, place: string])[] = [
  ["", "line 1, column 1"],
  ["a >", "line 1, column 4"],
  ["a = 1 AND", "line 1, column 10"],
  ["a = 1 #", "line 1, column 7"],
  ["a != 1", "line 1, column 3"],
  ["a == 1", "line 1, column 4"],
  ['a = "x"', "line 1, column 5"],
  ["a.b = 1", "line 1, column 2"],
  ["a = 'x", "line 1, column 5"],
  ["a = 1 /* x", "line 1, column 7"],
  ["(a = 1", "line 1, column 7"],
  ["a = 1\nAND b = \n  ?", "line 3, column 3"],
  ["a > 'x'", "line 1, column 3"],
  ["'x' < a", "line 1, column 5"],
  ["a > TRUE", "line 1, column 3"],
  ["a > NULL", "line 1, column 3"],
  ["(a > 1) > 2", "line 1, column 9"],
  ["a = NULL", "line 1, column 3"],
  ["a <> NULL", "line 1, column 3"],
  ["TRUE = 'a'", "line 1, column 6"],
  ["TRUE = 5", "line 1, column 6"],
  ["5", "line 1, column 1"],
  ["'x'", "line 1, column 1"],
  ["-a", "line 1, column 1"],
  ["NOT 5", "line 1, column 5"],
  ["a = 1 AND 5", "line 1, column 11"],
  ["5 OR a = 1", "line 1, column 1"],
  ["a IS 5", "line 1, column 6"],
  ["a IS NOT 5", "line 1, column 10"],
  ["a NOT 5", "line 1, column 7"],
  ["a BETWEEN 5 AND 1", "line 1, column 3"],
  ["a BETWEEN 1.5 AND 1", "line 1, column 3"],
  ["a BETWEEN 'a' AND 'b'", "line 1, column 3"],
  ["a BETWEEN 1 OR 2", "line 1, column 13"],
  ["a BETWEEN NULL AND 2", "line 1, column 3"],
  ["a IN ()", "line 1, column 7"],
  ["a IN (1)", "line 1, column 7"],
  ["a IN ('x' 'y')", "line 1, column 11"],
  ["a IN 'x'", "line 1, column 6"],
  ["5 IN ('x')", "line 1, column 3"],
  ["a = 0.0", "line 1, column 5"],
  ["a = 1e-400", "line 1, column 5"],
  ["a = 1e400", "line 1, column 5"],
  ["a = 9223372036854775808", "line 1, column 5"],
  ["NOT a > 1", "line 1, column 7"],
  ["AND", "line 1, column 1"],
];
