/**
 * The bound for lines that peers can cause.
 *
 * @module
 */
import { LineBudget } from "../../src/logging/line_budget.ts";
import { assertEquals } from "../../src/std.ts";

Deno.test("so many lines are written in a span of time, and the first one after it says how many were not", () => {
  const budget = new LineBudget(2, 1000);
  assertEquals([0, 999, 999, 999].map((now) => budget.spend(now)), ["", "", undefined, undefined]);
  const left = (count: number) => `; ${count} more such lines were left out since the last one`;
  assertEquals([1000, 1001, 1002, 5000].map((now) => budget.spend(now)), [left(2), "", undefined, left(1)]);
});
