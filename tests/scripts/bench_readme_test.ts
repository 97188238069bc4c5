/**
 * What `scripts/bench` makes of figures: tables, chart and README.md's part, which is made of the figures that are kept.
 *
 * @module
 */
import { barsOf, chart } from "../../scripts/lib/bench/chart.ts";
import { CHART, keptReport, partIn, readmePart } from "../../scripts/lib/bench/readme.ts";
import { ROWS } from "../../scripts/lib/bench/rows.ts";
import { figuresTable, goalsTable } from "../../scripts/lib/bench/tables.ts";
import { assert, assertEquals, assertMatch } from "../../src/std.ts";
import { REPORT, reportOf } from "./bench_report.ts";

const kept = await keptReport();
const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const place = partIn(readme);

Deno.test({
  name: "README.md's part about performance and its chart are what scripts/bench chart makes of the kept figures",
  ignore: kept === undefined,
  fn: async () => {
    if (place !== undefined) assertEquals(readme.slice(place.from, place.to), readmePart(kept!));
    assertEquals(await Deno.readTextFile(CHART), chart(kept!));
  },
});

Deno.test("README.md has a part about performance only if figures are kept, and those are of rows that there are", () => {
  if (place !== undefined) assert(kept !== undefined);
  assertEquals(Object.keys(kept?.rows ?? {}).filter((name) => !ROWS.some((row) => row.name === name)), []);
});

Deno.test("README.md's table has a line for each figure that is shown, with its ratio, goal and share of the limit", () => {
  const lines = readmePart(REPORT).split("\n").filter((line) => line.startsWith("|"));
  const cells = lines.map((line) => line.split(" | ").map((cell) => cell.replaceAll("|", "").trim()));
  assertEquals(cells.slice(2, 4), [
    ["1 KiB, 4 connections × 16 in flight", "a second", "1,000", "3,000", "2.50 (2.25–2.75)", "≥ 2", "50 %"],
    ["", "p99 ms", "10.00", "2.00", "0.20 (0.15–0.30)", "≤ 0.4", ""],
  ]);
  const flush = cells.find(([title]) => title!.startsWith("SYNC_FLUSH"));
  assertEquals(flush?.slice(1), ["a second", "failed", "50", "", "≥ 1.5", ""]);
  const many = cells.find(([title]) => title!.includes("10,000 queues"));
  assertEquals(many?.slice(4, 6), ["0.90", "≥ 0.85 × queues-1"]);
  const start = cells.find(([title]) => title!.startsWith("start on"));
  assertEquals(start?.slice(2, 6), ["4.00", "1.00", "0.25", "≤ 0.2, not reached"]);
  assertEquals(cells.at(-1), ["frames answered without work: 4 × 16", "6,000", ""]);
});

Deno.test("README.md's table tells what failed in a row, only where something did", () => {
  const { rows } = REPORT;
  assert(!readmePart(REPORT).includes("|  | failed |"));
  const samples = { java: [{ rate: 1, failed: 0 }], rocketd: [{ rate: 5, failed: 2 }] };
  const lines = readmePart(reportOf({ "queues-1": { ...rows["queues-1"]!, samples } })).split("\n");
  assert(lines.includes("|  | failed | 0 | 2 |  |  |  |"));
});

Deno.test("README.md's part is found between its markers, and is replaced whole", () => {
  const part = readmePart(REPORT);
  const text = `before\n${part}\nafter\n`;
  assertEquals(partIn(text), { from: 7, to: 7 + part.length });
  assertEquals(partIn("no part"), undefined);
});

Deno.test("the printed tables tell all figures, failures, and which goals are reached", () => {
  const rows = ROWS.filter(({ name }) => name in REPORT.rows);
  const figures = figuresTable(rows, REPORT.rows);
  assertMatch(figures[0]!, /^row +side +a second +p99 ms +s +ratio +of limit$/);
  assertMatch(
    figures.find((line) => line.startsWith("send-4x16") && line.includes("rocketd"))!,
    /2\.50 \(2\.25–2\.75\) +50 %$/,
  );
  assertEquals(figures.at(-1), "sync-flush java: it ended | with <a> trouble");
  const goals = goalsTable(rows, REPORT.rows).map((line) => line.split(/ {2,}/));
  assertEquals(goals.find(([name]) => name === "start-clean")?.at(-1), "NO");
  assertEquals(goals.find(([name]) => name === "queues-10000")?.at(-1), "yes");
  assertEquals(goals.find(([name]) => name === "sync-flush")?.at(-1), "not measured");
});

Deno.test("the chart has a bar for the leading figure of each row and for each goal, longer the better ours is", () => {
  const bars = barsOf(REPORT, ROWS);
  assertEquals(bars.map(({ label, middle, goal }) => [label, middle, goal]), [
    ["send-4x16: a second", 2.5, 2],
    ["send-4x16: p99 ms", 5, 2.5],
    ["queues-1: a second", 200 / 90, undefined],
    ["queues-10000: a second", 1.8, undefined],
    ["start-clean: s", 4, 5],
  ]);
  const text = chart(REPORT);
  assertEquals(text.split('<rect class="bar"').length - 1, bars.length);
  assertEquals(text.split('<line class="goal"').length - 1, 3);
  assert(text.includes("prefers-color-scheme: dark"));
});

Deno.test("a bar that falls short of Java's is drawn to the left of 1, in another colour", () => {
  const { rows } = REPORT;
  const worse = { ...rows["queues-1"]!, samples: { java: [{ rate: 2 }], rocketd: [{ rate: 1 }] } };
  const text = chart(reportOf({ "queues-1": worse }));
  const one = /<line class="one" x1="([\d.]+)"/.exec(text)?.[1];
  const [, x, width] = /<rect class="below" x="([\d.]+)" y="\d+" width="([\d.]+)"/.exec(text) ?? [];
  assertEquals((Number(x) + Number(width)).toFixed(1), one);
});
