/**
 * The arithmetic of rates, on times that the tests make up.
 *
 * @module
 */
import fc from "fast-check";
import { Schedule } from "../../../src/client/load/schedule.ts";
import { assertEquals } from "../../../src/std.ts";

/** All that can be taken now. */
function takeAll(schedule: Schedule, now: number, most = Infinity): number[] {
  const times: number[] = [];
  for (let time; times.length < most && (time = schedule.take(now)) !== undefined;) times.push(time);
  schedule.settle();
  return times;
}

Deno.test("Whenever its timer wakes, a schedule gives out what is due, and in the end rate times seconds", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 2000 }),
    fc.integer({ min: 1, max: 3 }),
    fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 50 }),
    (rate, seconds, waits) => {
      const schedule = new Schedule(rate, Infinity);
      schedule.begin(5_000, 5_000 + seconds * 1000);
      let now = 5_000, taken = 0;
      for (const wait of waits) {
        now += wait;
        if (now >= 5_000 + seconds * 1000) break;
        schedule.release(now);
        taken += takeAll(schedule, now).length;
        assertEquals(taken, Math.ceil(rate * (now - 5_000) / 1000 - 1e-6));
      }
      const end = 5_000 + seconds * 1000;
      schedule.release(end);
      taken += takeAll(schedule, end).length;
      assertEquals([taken, schedule.taken, schedule.over(end), schedule.behind(end)], [
        rate * seconds,
        rate * seconds,
        true,
        0,
      ]);
    },
  ));
});

Deno.test("What waits for a free slot counts from when it was due, what a timer woke late for from now", () => {
  const schedule = new Schedule(100, Infinity);
  schedule.begin(0, 1000);
  assertEquals(schedule.release(1), 9);
  assertEquals(takeAll(schedule, 1), [1]);
  // 10, 20 and 30 are due; the last one was so just now.
  assertEquals(schedule.release(31), 9);
  assertEquals(takeAll(schedule, 31, 1), [10]);
  assertEquals(takeAll(schedule, 31.5), [20, 30]);
  schedule.release(41);
  assertEquals(takeAll(schedule, 41), [41]);
  // A timer that woke very late counts.
  schedule.release(55);
  assertEquals(takeAll(schedule, 55), [50]);
});

Deno.test("What could not be sent before the end is behind", () => {
  const schedule = new Schedule(100, Infinity);
  schedule.begin(0, 100);
  schedule.release(95);
  assertEquals(takeAll(schedule, 95, 4).length, 4);
  assertEquals([schedule.over(100), schedule.over(120), schedule.behind(120)], [false, true, 6]);
  assertEquals(schedule.take(120), undefined);
  assertEquals([...schedule.waits(120)], [80, 70, 60, 50, 40, 30].map((ms) => [ms, 1]));
});

Deno.test("However many are behind, their waits are told in bounded steps", () => {
  const schedule = new Schedule(1_000_000, Infinity);
  schedule.begin(0, 1000);
  const waits = [...schedule.waits(1000)];
  assertEquals(waits.reduce((sum, [, count]) => sum + count, 0), 1_000_000);
  assertEquals([waits.length, waits[0], waits[5000]], [10_000, [1000, 100], [500, 100]]);
});

Deno.test("A schedule ends with its last message, and when it is told to", () => {
  const few = new Schedule(100, 3);
  few.begin(0, 1000);
  few.release(500);
  assertEquals([takeAll(few, 500).length, few.over(500), few.behind(900)], [3, true, 0]);
  const ended = new Schedule(100, Infinity);
  ended.begin(0, 1000);
  ended.end(45);
  ended.release(50);
  assertEquals([takeAll(ended, 50), ended.over(50)], [[0, 10, 20, 30, 40], true]);
});

Deno.test("A schedule that is cut short has behind it only what was released and could not be sent", () => {
  const cut = (most: number) => {
    const schedule = new Schedule(100, Infinity);
    schedule.begin(0, 1000);
    schedule.release(35);
    takeAll(schedule, 35, most);
    schedule.cut();
    return [schedule.over(60), schedule.behind(60), schedule.take(60)];
  };
  assertEquals([cut(4), cut(1)], [[true, 0, undefined], [true, 3, undefined]]);
});

Deno.test("The time between two requests is that of the rate", () => {
  assertEquals([0.5, 100, 0].map((rate) => new Schedule(rate, Infinity).interval), [2000, 10, 0]);
});

Deno.test("Without a rate a request is due whenever one can be sent", () => {
  const schedule = new Schedule(0, 3);
  schedule.begin(0, 10);
  assertEquals([schedule.take(1), schedule.take(7), schedule.take(10)], [1, 7, undefined]);
  assertEquals([schedule.behind(20), schedule.over(9), schedule.over(10)], [0, false, true]);
});
