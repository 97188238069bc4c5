/**
 * @module
 */
import { tagFilter, TagFilters } from "../../src/broker/tag_filters.ts";
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

Deno.test("tagFilter() of a star, of nothing and of bars alone wants everything", () => {
  assertEquals(["*", " * ", "", "||", " || "].map(tagFilter), new Array(5).fill(undefined));
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
