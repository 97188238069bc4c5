/**
 * @module
 */
import { tagFilter, TagFilters } from "../../src/broker/tag_filters.ts";
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
