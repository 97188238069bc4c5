/**
 * A timer whose time may change while it runs.
 *
 * @module
 */
import { ManualClock } from "../../src/platform/manual_clock.ts";
import { everyNow } from "../../src/platform/pace.ts";
import { assertEquals } from "../../src/std.ts";

Deno.test("a timer keeps its time, and takes a new one into the wait that goes on", () => {
  const clock = new ManualClock(0);
  const ran: number[] = [];
  let ms = 100;
  const timer = everyNow(clock, () => ms, () => ran.push(clock.now()));
  clock.advance(250);
  assertEquals(ran, [100, 200]);
  ms = 10_000;
  clock.advance(9_950);
  assertEquals(ran, [100, 200, 10_200]);
  clock.advance(5_000);
  ms = 50;
  clock.advance(1_000);
  assertEquals(ran[3]! <= 16_200 && ran.length > 3, true, String(ran));
  ran.length = 0;
  timer.cancel();
  clock.advance(60_000);
  assertEquals([ran, clock.timers], [[], 0]);
});

Deno.test("a clock that is set back holds no timer up", () => {
  const clock = new ManualClock(0);
  let back = 0, runs = 0;
  const told = { now: () => clock.now() - back, after: clock.after.bind(clock), every: clock.every.bind(clock) };
  const timer = everyNow(told, () => 5_000, () => runs++);
  clock.advance(4_000);
  back = 1_000_000;
  clock.advance(6_000);
  assertEquals(runs, 2);
  timer.cancel();
});
