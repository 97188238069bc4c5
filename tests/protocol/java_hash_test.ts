/** Java's string hash. @module */
import { indexHash, javaHash } from "../../src/protocol/java_hash.ts";
import { assertEquals } from "../../src/std.ts";

Deno.test("javaHash() gives String.hashCode of ASCII, wide and empty texts", () => {
  assertEquals(javaHash("TagA"), 2598919);
  assertEquals(javaHash(""), 0);
  assertEquals(javaHash("Aa"), javaHash("BB"));
  assertEquals(javaHash("polygenelubricants"), -2147483648);
  assertEquals(javaHash("消息"), 28040 * 31 + 24687);
  assertEquals(javaHash("😀"), 0xd83d * 31 + 0xde00);
});

Deno.test("javaHash() goes on from the hash of the text before", () => {
  assertEquals(javaHash("x key y", 2, 5, javaHash("Topic#")), javaHash("Topic#key"));
});

Deno.test("indexHash() is never negative, even for the number that has no opposite", () => {
  assertEquals(indexHash(-5), 5);
  assertEquals(indexHash(7), 7);
  assertEquals(indexHash(-2147483648), 0);
});
