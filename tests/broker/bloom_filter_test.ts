/**
 * @module
 */
import { BloomFilter } from "../../src/broker/bloom_filter.ts";
import { assertEquals } from "../../src/std.ts";

/** Group names and what a RocketMQ 4.9.7 broker wrote into consumerFilter.json for them and the topic T. */
const WRITTEN_BY_JAVA: readonly (readonly [length: number, bitPos: readonly number[]])[] = [
  [5, [948, 4902, 3449, 1996, 543, 4389]],
  [13, [4901, 3139, 5926, 3095, 5970, 3051]],
  [14, [5328, 56, 5342, 42, 5356, 28]],
  [15, [1208, 765, 322, 7183, 6740, 6297]],
  [22, [3280, 6243, 5401, 2438, 4004, 6967]],
  [29, [6141, 2167, 6996, 2782, 5526, 4252]],
  [30, [6728, 359, 1294, 5074, 4139, 3204]],
  [31, [1983, 2372, 2761, 329, 7244, 6855]],
  [46, [2308, 6920, 1541, 13, 5392, 3836]],
  [100, [3898, 2937, 5327, 4495, 3534, 4730]],
];

Deno.test("BloomFilter gives texts of all lengths the places that RocketMQ gives them", () => {
  // maxErrorRateOfBloomFilter=3, expectConsumerNumUseFilter=1000
  const filter = new BloomFilter(3, 1000);
  for (const [length, bitPos] of WRITTEN_BY_JAVA) {
    assertEquals(filter.bitsOf(`${"G".padEnd(length, "roup-")}#T`), { bitNum: 7304, bitPos });
  }
});

Deno.test("BloomFilter has RocketMQ's size with its defaults", () => {
  assertEquals(new BloomFilter(20, 32).bitsOf("CG#T"), { bitNum: 112, bitPos: [0, 73, 34] });
});
