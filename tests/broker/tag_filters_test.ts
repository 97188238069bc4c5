/**
 * @module
 */
import { tagFilter, TagFilters, tagsProblem } from "../../src/broker/tag_filters.ts";
import { TAG_FILTER_KEPT_LENGTH_MAX } from "../../src/limits.ts";
import { assertEquals } from "../../src/std.ts";

// Hash codes as Java computes them: "TagA".hashCode() and so on.
const TAG_A = 2598919, TAG_B = 2598920, TAG_C = 2598921;

Deno.test("tagFilter() wants the named tags by Java's hash codes, and no others", () => {
  const filter = tagFilter(" TagA||TagB ")!;
  assertEquals([TAG_A, TAG_B, TAG_C, 0].map(filter.entry!), [true, true, false, false]);
  assertEquals(filter.record, undefined);
});

Deno.test("tagFilter() lets through what may have any tag: entries that point into a Java broker's consumequeue_ext", () => {
  const filter = tagFilter("TagA")!;
  const LONG_MIN = -(2 ** 63), INT_MIN = -(2 ** 31);
  assertEquals([LONG_MIN, LONG_MIN + 4096, INT_MIN - 1, INT_MIN].map(filter.entry!), [true, true, true, false]);
});

Deno.test("tagFilter() of a star and of nothing wants everything, but of blanks nothing", () => {
  assertEquals(["*", ""].map(tagFilter), [undefined, undefined]);
  for (const blank of [" ", " || ", "|| ", "\u0001"]) {
    assertEquals([0, TAG_A, -(2 ** 63)].map(tagFilter(blank)!.entry!), [false, false, false], JSON.stringify(blank));
  }
});

Deno.test("tagFilter() takes a star among blanks or other tags for a tag, as Java's String.trim leaves it", () => {
  const STAR = 42, WIDE_BLANK_A = 380_993; // "\u3000A".hashCode()
  for (const stars of [" *", "* ", "*||*", "||*"]) {
    assertEquals([STAR, TAG_A].map(tagFilter(stars)!.entry!), [true, false]);
  }
  assertEquals([WIDE_BLANK_A, 65].map(tagFilter(" \u3000A\t")!.entry!), [true, false]);
});

Deno.test("tagsProblem() finds bars alone, of which RocketMQ reads nothing", () => {
  assertEquals(["||", "||||"].map((bars) => tagsProblem(bars) === undefined), [false, false]);
  assertEquals(["", "*", " || ", "|", "|||", "||a"].map(tagsProblem), new Array(6).fill(undefined));
});

Deno.test("TagFilters makes the filter of an expression once", () => {
  const filters = new TagFilters();
  assertEquals(filters.of("TagA") === filters.of("TagA"), true);
  assertEquals(filters.of("*"), undefined);
});

Deno.test("TagFilters does not keep the filter of a long expression", () => {
  const filters = new TagFilters();
  const longest = "TagA||".padEnd(TAG_FILTER_KEPT_LENGTH_MAX, "x");
  assertEquals(filters.of(longest) === filters.of(longest), true);
  const tooLong = `${longest}x`;
  assertEquals(filters.of(tooLong) === filters.of(tooLong), false);
  assertEquals([TAG_A, TAG_B].map(filters.of(tooLong)!.entry!), [true, false]);
});
