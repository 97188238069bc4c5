/**
 * What goes through a broker in a second, and until the last mornings.
 *
 * @module
 */
import { assertEquals } from "../../../src/std.ts";
import { PutFigures } from "../../../src/store/put_figures.ts";
import { HandClock, statsOf } from "../workshop.ts";

Deno.test("rates need as many samples as they look back over", () => {
  const clock = new HandClock();
  const puts = new PutFigures(clock);
  const stats = statsOf(clock, puts);
  const { throughput } = stats;
  stats.start();
  for (let second = 1; second <= 601; second++) {
    puts.messages += second > 591 ? 100 : 10;
    throughput.read(second % 2 === 0 ? 8 : 0, 3);
    clock.go(1000);
    const known = [10, 60, 600].filter((seconds) => throughput.tps("put", seconds) !== undefined);
    assertEquals(known, [10, 60, 600].filter((seconds) => second > seconds));
  }
  assertEquals([10, 60, 600].map((seconds) => throughput.tps("put", seconds)), [100, 25, 11.5]);
  assertEquals(throughput.tps("found", 10), 0.5);
  assertEquals(throughput.tps("missed", 10), 0.5);
  assertEquals(throughput.tps("transferred", 10), 4);
  assertEquals([throughput.found, throughput.missed, throughput.slowestGetMs], [300, 301, 3]);
  stats.close();
  assertEquals(clock.timers, 0);
});

Deno.test("totals are noted at midnight, local time, today's and yesterday's", () => {
  const clock = new HandClock();
  const puts = new PutFigures(clock);
  const stats = statsOf(clock, puts);
  const { throughput } = stats;
  const midnight = new Date(clock.now());
  midnight.setHours(24, 0, 0, 0);
  stats.start();
  puts.messages = 5;
  throughput.read(3, 0);
  clock.go(midnight.getTime() - clock.now() - 1);
  assertEquals([throughput.put, throughput.got], [{ today: 0, yesterday: 0 }, { today: 0, yesterday: 0 }]);
  clock.go(1);
  assertEquals([throughput.put, throughput.got], [{ today: 5, yesterday: 0 }, { today: 3, yesterday: 0 }]);
  puts.messages = 12;
  clock.go(24 * 3_600_000);
  assertEquals([throughput.put, throughput.got], [{ today: 12, yesterday: 5 }, { today: 3, yesterday: 3 }]);
});

Deno.test("midnight is noted once though a timer comes before it, and though the clock leaps over it", () => {
  const clock = new HandClock();
  const puts = new PutFigures(clock);
  const stats = statsOf(clock, puts);
  const { throughput } = stats;
  const midnight = new Date(clock.now()).setHours(24, 0, 0, 0);
  const { now } = clock;
  let ahead = 0;
  clock.now = () => now.call(clock) + ahead;
  stats.start();
  puts.messages = 5;
  clock.go(midnight - clock.now() - 1000);
  ahead = -10;
  clock.go(2000);
  assertEquals(throughput.put, { today: 5, yesterday: 0 });
  puts.messages = 12;
  clock.go(20 * 3_600_000);
  ahead += 6 * 3_600_000;
  clock.go(3_600_000);
  assertEquals(throughput.put, { today: 12, yesterday: 5 });
  stats.close();
});
