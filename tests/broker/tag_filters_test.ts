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
  assertEquals([TAG_A, TAG_B, TAG_C, 0].map(filter), [true, true, false, false]);
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
  assertEquals([TAG_A, TAG_B].map(filters.of(tooLong)!), [true, false]);
});
