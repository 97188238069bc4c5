/**
 * Counters and their samples, against what StatsItem of RocketMQ 4.9.7 computes from the same calls at the same times.
 *
 * @module
 */
import { COUNTERS_MAX } from "../../../src/limits.ts";
import type { StatsSnapshot } from "../../../src/protocol/bodies/broker_stats.ts";
import { Counters } from "../../../src/broker/stats/counters.ts";
import { Sampling } from "../../../src/broker/stats/sampling.ts";
import { assertEquals } from "../../../src/std.ts";
import { HandClock } from "../workshop.ts";

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const NOTHING: StatsSnapshot = { sum: 0, tps: 0, avgpt: 0 };

function bench() {
  const clock = new HandClock();
  const sampling = new Sampling(clock);
  const counters = new Counters(sampling);
  sampling.start(() => counters.dropIdle());
  return { clock, counters };
}

Deno.test("what was counted is seen at the next sample: after 10 seconds, 10 minutes, an hour", () => {
  const { clock, counters } = bench();
  clock.go(5 * SECOND);
  const counter = counters.of("T");
  counter.add(6, 600, 2);
  clock.go(4 * SECOND);
  for (const span of [0, 1, 2] as const) assertEquals(counter.in(span, "nums"), NOTHING);
  clock.go(1 * SECOND);
  assertEquals(counter.in(0, "nums"), { sum: 6, tps: 0.6, avgpt: 3 });
  assertEquals(counter.in(0, "bytes"), { sum: 600, tps: 60, avgpt: 300 });
  clock.go(10 * MINUTE - 11 * SECOND);
  assertEquals(counter.in(1, "nums"), NOTHING);
  clock.go(1 * SECOND);
  assertEquals(counter.in(1, "nums"), { sum: 6, tps: 6 / 600, avgpt: 3 });
  assertEquals(counter.in(0, "nums"), NOTHING);
  assertEquals(counter.in(2, "nums"), NOTHING);
  clock.go(50 * MINUTE);
  assertEquals(counter.in(2, "nums"), { sum: 6, tps: 6 / 3600, avgpt: 3 });
});

Deno.test("a minute, an hour and a day look back over six, six and 24 spaces between samples", () => {
  const { clock, counters } = bench();
  const counter = counters.of("T");
  for (let tick = 0; tick < 3 * 360; tick++) {
    counter.add(10, 0, 1);
    clock.go(10 * SECOND);
  }
  assertEquals(counter.in(0, "nums"), { sum: 60, tps: 1, avgpt: 10 });
  assertEquals(counter.in(1, "nums"), { sum: 3600, tps: 1, avgpt: 10 });
  assertEquals(counter.in(2, "nums"), { sum: 3 * 3600, tps: 1, avgpt: 10 });
  for (let tick = 0; tick < 24 * 360; tick++) {
    counter.add(20, 0, 1);
    clock.go(10 * SECOND);
  }
  assertEquals(counter.in(2, "nums"), { sum: 24 * 7200, tps: 2, avgpt: 20 });
});

Deno.test("a counter that rests has the same samples as one that is looked at each time", () => {
  const { clock, counters } = bench();
  const [resting, looked] = [counters.of("A"), counters.of("B")];
  for (const [i, pause] of [3, 17, 65, 600, 7, 4000, 90_000, 11].entries()) {
    for (const counter of [resting, looked]) counter.add(i + 1, 100 * i, 1);
    for (let second = 0; second < pause; second++) {
      clock.go(SECOND);
      looked.in(0, "nums");
    }
    for (const span of [0, 1, 2] as const) assertEquals(resting.in(span, "nums"), looked.in(span, "nums"));
  }
});

Deno.test("RocketMQ averages nothing where it does not count how many times", () => {
  const { clock, counters } = bench();
  counters.of("DefaultCluster").add(5, 50, 0);
  clock.go(10 * SECOND);
  assertEquals(counters.of("DefaultCluster").in(0, "nums"), { sum: 5, tps: 0.5, avgpt: 0 });
});

Deno.test("a clock that is set back makes no figure negative", () => {
  const { clock, counters } = bench();
  let back = 0;
  const { now } = clock;
  clock.now = () => now.call(clock) - back;
  counters.of("T").add(10, 0, 1);
  clock.go(10 * SECOND);
  back = HOUR;
  clock.go(10 * SECOND);
  assertEquals(counters.of("T").in(0, "nums"), { sum: 10, tps: 0.5, avgpt: 10 });
});

Deno.test("what counted nothing for a day is let go, though it was looked at", () => {
  const { clock, counters } = bench();
  counters.of("old").add(1, 0, 1);
  for (let hour = 0; hour < 25; hour++) {
    clock.go(HOUR);
    counters.find("old")?.in(2, "nums");
    counters.of("busy").add(1, 0, 1);
  }
  assertEquals(counters.find("old") !== undefined, true);
  clock.go(2 * HOUR);
  assertEquals([...counters].map(([key]) => key), ["busy"]);
  clock.go(2 * DAY);
  assertEquals([...counters].length, 0);
});

Deno.test("counters are bounded: the one that was made first gives way", () => {
  const { counters } = bench();
  for (let i = 0; i <= COUNTERS_MAX; i++) counters.of(`T${i}`).add(1, 1, 1);
  assertEquals([...counters].length, COUNTERS_MAX);
  assertEquals(counters.find("T0"), undefined);
  assertEquals(counters.find("T1")?.nums, 1);
  assertEquals(counters.find(`T${COUNTERS_MAX}`)?.nums, 1);
});
