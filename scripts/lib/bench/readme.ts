/**
 * The performance part of README.md and its chart, made from the figures that are kept.
 *
 * @module
 */
import { figure, ratioOf, shareOfLimit, shown, shownGoal, shownRatio, shownShare, verdict } from "./arithmetic.ts";
import { chart } from "./chart.ts";
import { type Metric, METRICS, type Report, type Row, type RowResult } from "./model.ts";
import { CHAPTERS } from "./rows.ts";

/** The figures that README.md shows, the chart made of them, and where that is in the repository. */
export const KEPT = new URL("latest.json", import.meta.url);
export const CHART = new URL("latest.svg", import.meta.url);
const CHART_PATH = "scripts/lib/bench/latest.svg";
const README = new URL("../../../README.md", import.meta.url);

const BEGIN = "<!-- figures: begin, made by scripts/bench chart -->";
const END = "<!-- figures: end -->";

/** Rows in the order of the chapters. */
type Rows = readonly Row[];

/** What a row shows, and whether anything went wrong that its other figures do not tell. */
function metricsOf({ shows, goals = [] }: Row, result: RowResult | undefined): Metric[] {
  const wentWrong = Object.values(result?.samples ?? {}).some((samples) =>
    samples.some(({ failed = 0 }) => failed > 0)
  );
  return [...new Set([...shows, ...goals.map(({ metric }) => metric), ...wentWrong ? ["failed" as const] : []])];
}

function lines(row: Row, report: Report): string[] {
  const result = report.rows[row.name];
  return metricsOf(row, result).flatMap((metric, i) => {
    const [java, ours] = (["java", "rocketd"] as const).map((side) => figure(result, side, metric));
    if (java === undefined && ours === undefined) return [];
    const goal = row.goals?.find((one) => one.metric === metric);
    const own = goal && verdict(goal, row.name, report.rows);
    const ratio = own?.ratio ?? ratioOf(result, metric);
    const share = i === 0 ? shareOfLimit(report.rows, row.name, row.limit) : undefined;
    const wanted = goal === undefined ? "" : `${shownGoal(goal)}${own?.reached === false ? ", not reached" : ""}`;
    const cells = [
      i === 0 ? row.title : "",
      METRICS[metric].title,
      java ? shown(java.middle, metric) : failed(result?.failures.java),
      ours ? shown(ours.middle, metric) : failed(result?.failures.rocketd),
      ratio ? shownRatio(ratio) : "",
      wanted,
      shownShare(share),
    ];
    return [`| ${cells.join(" | ")} |`];
  });
}

function failed(failure: string | undefined): string {
  return failure === undefined ? "" : "failed";
}

/** What the machine could do: no sides, no ratios. */
function limitLines(rows: Rows, report: Report): string[] {
  return rows.flatMap((row) => {
    const rate = figure(report.rows[row.name], "limit", "rate");
    const mib = figure(report.rows[row.name], "limit", "mib");
    if (rate === undefined) return [];
    return [`| ${row.title} | ${shown(rate.middle, "rate")} | ${mib ? shown(mib.middle, "mib") : ""} |`];
  });
}

function table(head: readonly string[], body: readonly string[]): string[] {
  return body.length === 0 ? [] : ["", `| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...body];
}

/** The part of README.md, with its markers. */
export function readmePart(report: Report): string {
  const { cpu, cores, memoryGib, kernel, rocketd, java } = report.machine;
  const rows = CHAPTERS.filter(({ sides }) => !sides?.includes("limit")).flatMap((one) => one.rows);
  const limits = CHAPTERS.filter(({ sides }) => sides?.includes("limit")).flatMap((one) => one.rows);
  const results = Object.values(report.rows);
  const days = results.map(({ at }) => at.slice(0, 10)).toSorted();
  const [first, last] = [days[0], days.at(-1)];
  const rounds = [...new Set(results.map(({ options }) => options.rounds))].toSorted((a, b) => a - b).join(" or ");
  return [
    BEGIN,
    "",
    `![How many times as good as Java 4.9.7 rocketd is, by row](${CHART_PATH})`,
    "",
    `${cpu}, ${cores} cores, ${memoryGib} GiB, Linux ${kernel}; ${rocketd}; ${java}; ` +
    `${
      first === last ? first : `${first} to ${last}`
    }. Medians of ${rounds} alternating rounds, ratios with their quartiles.`,
    ...table(
      ["what", "figure", "Java 4.9.7", "rocketd", "ratio", "wanted", "of the limit"],
      rows.flatMap((row) => lines(row, report)),
    ),
    ...table(["what the machine allows", "a second", "MiB/s"], limitLines(limits, report)),
    "",
    END,
  ].join("\n");
}

/** Where the part stands in a text; undefined if it is not there. */
export function partIn(text: string): { from: number; to: number } | undefined {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  return from < 0 || to < from ? undefined : { from, to: to + END.length };
}

/** Reads what is kept; undefined if nothing is. */
export async function keptReport(path: URL | string = KEPT): Promise<Report | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The text of a report's file. */
export function reportText(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** Renews the chart, and the part of README.md if it has one; gives whether it has. */
export async function renewReadme(): Promise<boolean> {
  const report = await keptReport();
  if (report === undefined) throw new Error("no figures are kept: scripts/bench --keep");
  await Deno.writeTextFile(CHART, chart(report));
  const text = await Deno.readTextFile(README);
  const place = partIn(text);
  if (place === undefined) return false;
  await Deno.writeTextFile(README, text.slice(0, place.from) + readmePart(report) + text.slice(place.to));
  return true;
}
