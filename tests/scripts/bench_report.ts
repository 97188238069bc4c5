/**
 * A small report for tests of the measurements' tables, with rows that the harness has.
 *
 * @module
 */
import type { Report, RowResult, Sample } from "../../scripts/lib/bench/model.ts";

/** A row's result with the samples of its sides. */
export function resultOf(samples: RowResult["samples"], failures: RowResult["failures"] = {}): RowResult {
  const options = { rounds: 3, seconds: 4, warm: 25, scale: 1 };
  return { at: "2026-01-02T03:04:05.000Z", options, samples, failures };
}

/** Rounds with these values of one figure. */
export function rounds(metric: keyof Sample, ...values: number[]): Sample[] {
  return values.map((value) => ({ [metric]: value }));
}

/** A report with some rows. */
export function reportOf(rows: Report["rows"]): Report {
  const machine = { cpu: "Some CPU", cores: 2, memoryGib: 8, kernel: "6.1", rocketd: "rocketd 0.1.0", java: "java 17" };
  return { machine, rows };
}

/** Figures of several rows, one of which failed on a side. */
export const REPORT: Report = reportOf({
  "send-4x16": resultOf({
    java: [{ rate: 1000, p99: 10 }, { rate: 2000, p99: 10 }, { rate: 1000, p99: 20 }],
    rocketd: [{ rate: 3000, p99: 1 }, { rate: 5000, p99: 2 }, { rate: 2000, p99: 8 }],
  }),
  "limit-4x16": resultOf({ limit: rounds("rate", 6000) }),
  "start-clean": resultOf({ java: rounds("seconds", 4), rocketd: rounds("seconds", 1) }),
  "queues-1": resultOf({ java: rounds("rate", 90), rocketd: rounds("rate", 200) }),
  "queues-10000": resultOf({ java: rounds("rate", 100), rocketd: rounds("rate", 180) }),
  "sync-flush": resultOf({ rocketd: rounds("rate", 50) }, { java: "it ended | with <a> trouble" }),
});
