/**
 * Which messages arrived, beside plain sets.
 *
 * @module
 */
import fc from "fast-check";
import { Arrivals } from "../../../src/client/load/arrivals.ts";
import { BENCH_ARRIVALS_PER_PIECE } from "../../../src/limits.ts";
import { assertEquals } from "../../../src/std.ts";

const events = fc.array(fc.tuple(fc.constantFrom("stored", "arrive"), fc.integer({ min: 0, max: 40 })));

Deno.test("Lost and doubled messages are told apart in whatever order acknowledgements and arrivals come", () => {
  fc.assert(fc.property(events, fc.constantFrom(0, BENCH_ARRIVALS_PER_PIECE - 20), (events, first) => {
    const arrivals = new Arrivals();
    const stored = new Set<number>(), arrived = new Set<number>();
    let doubled = 0;
    for (const [event, number] of events) {
      if (event === "stored") {
        stored.add(number);
        arrivals.stored(first + number);
      } else {
        assertEquals(arrivals.arrive(first + number), !arrived.has(number));
        if (arrived.has(number)) doubled++;
        arrived.add(number);
      }
    }
    assertEquals([arrivals.arrived, arrivals.doubled, arrivals.missing], [
      arrived.size,
      doubled,
      stored.difference(arrived).size,
    ]);
  }));
});

Deno.test("A piece whose messages have all arrived is let go, and what comes again is still doubled", () => {
  const arrivals = new Arrivals();
  for (let number = 0; number < BENCH_ARRIVALS_PER_PIECE; number++) {
    if (number % 1000 === 0) arrivals.refused(number);
    else {
      arrivals.stored(number);
      arrivals.arrive(number);
    }
  }
  assertEquals([arrivals.missing, arrivals.doubled], [0, 0]);
  assertEquals([arrivals.arrive(1), arrivals.doubled], [false, 1]);
  arrivals.stored(1);
  arrivals.refused(1);
  assertEquals(arrivals.missing, 0);
});
