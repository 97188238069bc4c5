/**
 * The histogram of latencies beside exact quantiles.
 *
 * @module
 */
import fc from "fast-check";
import { Histogram } from "../../../src/client/load/histogram.ts";
import { assert, assertEquals } from "../../../src/std.ts";

/** From a microsecond to an hour, each size as likely as any other. */
const milliseconds = fc.double({ min: -3, max: 6.5, noNaN: true }).map((exponent) => 10 ** exponent);

Deno.test("Quantiles are within 1 % of the exact ones, and never above the greatest time", () => {
  fc.assert(fc.property(
    fc.array(milliseconds, { minLength: 1, maxLength: 300 }),
    fc.double({ min: 0.001, max: 1, noNaN: true }),
    (times, share) => {
      const histogram = new Histogram();
      for (const time of times) histogram.add(time);
      const sorted = [...times].sort((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(times.length * share) - 1)]!;
      const told = histogram.quantile(share);
      // What is below a microsecond is rounded.
      assert(Math.abs(told - exact) <= exact * 0.01 + 0.001, `${told} for ${exact}`);
      assert(told <= sorted.at(-1)!);
      assertEquals(histogram.quantile(1), sorted.at(-1));
    },
  ));
});

Deno.test("Mean and greatest time are exact, and times out of range count as the nearest", () => {
  const histogram = new Histogram();
  for (const time of [0.1, 0.2, 6, -5, NaN]) histogram.add(time);
  assertEquals(histogram.latencies(), { p50: 0.1, p90: 6, p99: 6, p999: 6, max: 6, mean: 1.26 });
  histogram.add(10 ** 9);
  assertEquals([histogram.quantile(1), histogram.count], [10 ** 9, 6]);
  assert(histogram.quantile(0.999) > 4_200_000);
});

Deno.test("A histogram without times tells 0", () => {
  assertEquals(new Histogram().latencies(), { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0 });
});

Deno.test("A time can be counted many times at once", () => {
  const histogram = new Histogram();
  histogram.add(0.1, 999);
  histogram.add(5);
  assertEquals([histogram.count, histogram.quantile(0.999), histogram.quantile(1)], [1000, 0.1, 5]);
  assertEquals(histogram.latencies().mean, 0.105);
});
