/**
 * What is printed: every figure of every row, and how the goals stand.
 *
 * @module
 */
import { figure, ratioOf, shareOfLimit, shown, shownGoal, shownRatio, shownShare, verdict } from "./arithmetic.ts";
import { type Metric, METRICS, type Report, type Row, SIDES } from "./model.ts";

/** Lines with their cells below each other: the first `left` columns to the left, the others to the right. */
function aligned(lines: readonly (readonly string[])[], left: number): string[] {
  const columns = lines[0] ?? [];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines.map((line) =>
    line.map((cell, i) => i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ").trimEnd()
  );
}

/** All figures: a line for each side of a row; failures below. */
export function figuresTable(rows: readonly Row[], report: Report["rows"]): string[] {
  const metrics = (Object.keys(METRICS) as Metric[]).filter((metric) =>
    rows.some(({ name }) => SIDES.some((side) => figure(report[name], side, metric) !== undefined))
  );
  const lines = [["row", "side", ...metrics.map((metric) => METRICS[metric].title), "ratio", "of limit"]];
  const troubles: string[] = [];
  for (const { name, shows, limit } of rows) {
    const result = report[name];
    for (const side of SIDES) {
      const failure = result?.failures[side];
      if (failure !== undefined) troubles.push(`${name} ${side}: ${failure}`);
      if (!result?.samples[side]?.length) continue;
      const cells = metrics.map((metric) => {
        const found = figure(result, side, metric);
        return found === undefined ? "" : shown(found.middle, metric);
      });
      const ratio = side === "rocketd" ? ratioOf(result, shows[0]!) : undefined;
      const share = side === "rocketd" ? shareOfLimit(report, name, limit) : undefined;
      lines.push([name, side, ...cells, ratio ? shownRatio(ratio) : "", shownShare(share)]);
    }
  }
  return [...aligned(lines, 2), ...troubles];
}

/** The goals: a line for each. */
export function goalsTable(rows: readonly Row[], report: Report["rows"]): string[] {
  const lines = [["goal", "figure", "ratio", "wanted", "reached"]];
  for (const { name, goals = [] } of rows) {
    for (const goal of goals) {
      const { ratio, reached } = verdict(goal, name, report);
      const word = reached === undefined ? "not measured" : reached ? "yes" : "NO";
      lines.push([name, METRICS[goal.metric].title, ratio ? shownRatio(ratio) : "", shownGoal(goal), word]);
    }
  }
  return lines.length === 1 ? [] : aligned(lines, 2);
}
