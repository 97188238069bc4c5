/**
 * The arithmetic of `scripts/bench`.
 *
 * @module
 */
import {
  baseOf,
  quantile,
  ratio,
  ratioOf,
  shareOfLimit,
  shown,
  shownGoal,
  shownRatio,
  spread,
  timesBetter,
  verdict,
} from "../../scripts/lib/bench/arithmetic.ts";
import { busyTicks, callsInPerf, callsInStrace, countCalls } from "../../scripts/lib/bench/meters.ts";
import { assertEquals } from "../../src/std.ts";
import { REPORT, reportOf, resultOf, rounds } from "./bench_report.ts";

Deno.test("a quantile lies between its neighbours in proportion", () => {
  assertEquals([0, 0.25, 0.5, 0.9, 1].map((share) => quantile([10, 20, 30, 40, 50], share)), [10, 20, 30, 46, 50]);
  assertEquals(quantile([10, 20], 0.5), 15);
  assertEquals(quantile([7], 0.99), 7);
  assertEquals(quantile([], 0.5), NaN);
});

Deno.test("a spread is the median and the quartiles, in whatever order the rounds were", () => {
  assertEquals(spread([50, 10, 40, 20, 30]), { middle: 30, low: 20, high: 40, count: 5 });
  assertEquals(spread([3]), { middle: 3, low: 3, high: 3, count: 1 });
  assertEquals(spread([]), undefined);
});

Deno.test("ratios are of rounds that belong together, not of medians", () => {
  const [java, ours] = [rounds("rate", 100, 200, 400), rounds("rate", 300, 400, 400)];
  assertEquals(ratio(ours, java, "rate"), { middle: 2, low: 1.5, high: 2.5, count: 3 });
});

Deno.test("rounds that only one side made, other figures and divisions by zero give no ratio", () => {
  assertEquals(ratio(rounds("rate", 2, 4, 9), rounds("rate", 1, 1), "rate")?.count, 2);
  assertEquals(ratio(rounds("rate", 2), rounds("rate", 0), "rate"), undefined);
  assertEquals(ratio(rounds("rate", 2), rounds("p99", 1), "rate"), undefined);
  assertEquals(ratio(undefined, rounds("rate", 1), "rate"), undefined);
  // A round without the figure does not let those that follow be paired with others.
  assertEquals(ratio([{ rate: 2 }, {}, { rate: 8 }], rounds("rate", 1, 5, 2), "rate")?.high, 3.5);
  assertEquals(ratio([{ rate: 2 }, {}, { rate: 8 }], rounds("rate", 1, 5, 2), "rate")?.count, 2);
  // The last sample of a side is that of the probe, which has calls only.
  const probed = (rate: number) => [{ rate }, { calls: 3 }];
  assertEquals(ratio(probed(4), probed(2), "rate"), { middle: 2, low: 2, high: 2, count: 1 });
});

Deno.test("ours is compared with another binary where there is one, and else with Java", () => {
  const own = rounds("rate", 6);
  assertEquals(ratioOf(resultOf({ java: rounds("rate", 3), rocketd: own }), "rate")?.middle, 2);
  assertEquals(ratioOf(resultOf({ other: rounds("rate", 2), rocketd: own }), "rate")?.middle, 3);
  assertEquals(baseOf(resultOf({ rocketd: own }, { other: "it does not start" })), "other");
});

Deno.test("a goal is reached by the middle ratio, from below or from above", () => {
  const reached = (atLeast: number) => verdict({ metric: "rate", atLeast }, "send-4x16", REPORT.rows).reached;
  assertEquals([2.4, 2.5, 2.6].map(reached), [true, true, false]);
  const below = (atMost: number) => verdict({ metric: "p99", atMost }, "send-4x16", REPORT.rows).reached;
  assertEquals([0.1, 0.2, 0.3].map(below), [false, true, true]);
});

Deno.test("a goal against another row compares ours with ours", () => {
  const goal = { metric: "rate", atLeast: 0.85, against: "queues-1" } as const;
  const { ratio: found, reached } = verdict(goal, "queues-10000", REPORT.rows);
  assertEquals([found?.middle, reached], [0.9, true]);
});

Deno.test("a goal without figures is neither reached nor missed", () => {
  const goal = { metric: "rate", atLeast: 1.5 } as const;
  for (const name of ["sync-flush", "send-1x1"]) {
    assertEquals(verdict(goal, name, REPORT.rows), { goal, ratio: undefined, reached: undefined });
  }
});

Deno.test("the share of a limit is of medians", () => {
  assertEquals(shareOfLimit(REPORT.rows, "send-4x16", "limit-4x16"), 0.5);
  assertEquals(shareOfLimit(REPORT.rows, "send-4x16", undefined), undefined);
  assertEquals(shareOfLimit(reportOf({}).rows, "send-4x16", "limit-4x16"), undefined);
});

Deno.test("better is more of a rate and less of a time", () => {
  const found = { middle: 0.5, low: 0.25, high: 1, count: 3 };
  assertEquals(timesBetter(found, "rate"), found);
  assertEquals(timesBetter(found, "p99"), { middle: 2, low: 1, high: 4, count: 3 });
});

Deno.test("figures, ratios and goals are written for people", () => {
  assertEquals([shown(1234567.8, "rate"), shown(0.456, "p99"), shown(12, "cpuMicros")], ["1,234,568", "0.46", "12.0"]);
  assertEquals(shownRatio({ middle: 2.1, low: 2.05, high: 2.17, count: 5 }), "2.10 (2.05–2.17)");
  assertEquals(shownRatio({ middle: 0.042, low: 0.042, high: 0.042, count: 1 }), "0.042");
  assertEquals(shownGoal({ metric: "rate", atLeast: 2 }), "≥ 2");
  assertEquals(shownGoal({ metric: "rate", atLeast: 0.85, against: "queues-1" }), "≥ 0.85 × queues-1");
  assertEquals(shownGoal({ metric: "p99", atMost: 0.4 }), "≤ 0.4");
});

Deno.test("system calls are counted from what perf and strace print", () => {
  assertEquals(callsInPerf("29,,raw_syscalls:sys_enter,1000,100.00,,\n"), 29);
  assertEquals(callsInPerf("# started\n123456,,raw_syscalls:sys_enter:u,1,100.00,,\n"), 123456);
  assertEquals(callsInPerf("<not counted>,,raw_syscalls:sys_enter,0,0.00,,\n"), undefined);
  const head = "% time     seconds  usecs/call     calls    errors syscall\n";
  const rule = "------ ----------- ----------- --------- --------- ----------------\n";
  assertEquals(callsInStrace(`${head}${rule}100.00    0.000123           4       107        34 total\n`), 107);
  assertEquals(callsInStrace(`${head}${rule}100.00    0.000123                   107        34 total\n`), 107);
  assertEquals(callsInStrace(`${head}${rule}100.00    0.000123           4       107           total\n`), 107);
  assertEquals(callsInStrace("strace: attach: ptrace(PTRACE_SEIZE, 1): Operation not permitted\n"), undefined);
});

Deno.test("a tracer that ends at once, as there is nothing for it to trace, counts nothing and spoils nothing", async () => {
  const gone = new Deno.Command("true").spawn();
  await gone.status;
  assertEquals(await countCalls([gone.pid], () => Promise.resolve()), undefined);
});

Deno.test("of /proc/stat all counts as busy that is neither idle nor waiting for disks, guests once", () => {
  assertEquals(busyTicks("cpu  1 2 4 800 1600 8 16 32 64 128\ncpu0 9 9 9 9 9 9 9 9 9 9\n"), 63);
});
