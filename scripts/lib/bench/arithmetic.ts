/**
 * The arithmetic of the tables: what stands for several rounds, ratios, and whether a goal is reached.
 *
 * @module
 */
import { type Goal, type Metric, METRICS, type Report, type RowResult, type Sample, type Side } from "./model.ts";

/** The middle of some values and what half of them lie between. */
export interface Spread {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** The value below which a share of the sorted values lies, between neighbours in proportion; NaN if there are none. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)], above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) return NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** Median and quartiles; undefined if there is nothing. */
export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  return {
    middle: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
    count: sorted.length,
  };
}

/** What a side's rounds found out of a figure. */
export function figure(result: RowResult | undefined, side: Side, metric: Metric): Spread | undefined {
  return spread((result?.samples[side] ?? []).flatMap((sample) => sample[metric] ?? []));
}

/** Ratios of rounds that were made one after the other. Those with a round that has no figure are left out. */
export function ratio(
  ours: readonly Sample[] | undefined,
  theirs: readonly Sample[] | undefined,
  metric: Metric,
): Spread | undefined {
  const ratios = (ours ?? []).map((sample, i) => (sample[metric] ?? NaN) / (theirs?.[i]?.[metric] ?? NaN));
  return spread(ratios.filter(Number.isFinite));
}

/** The side that ours is compared with in a row. */
export function baseOf({ samples, failures }: RowResult): Side {
  return samples.other !== undefined || failures.other !== undefined ? "other" : "java";
}

/** Ours to the other side's, of a figure of a row. */
export function ratioOf(result: RowResult | undefined, metric: Metric): Spread | undefined {
  if (result === undefined) return undefined;
  return ratio(result.samples.rocketd, result.samples[baseOf(result)], metric);
}

/** How a goal stands: its ratio, if both sides have a figure, and whether it is reached. */
export interface Verdict {
  readonly goal: Goal;
  readonly ratio: Spread | undefined;
  readonly reached: boolean | undefined;
}

/** Compares what a row found out with its goal. */
export function verdict(goal: Goal, name: string, rows: Report["rows"]): Verdict {
  const { metric, against, atLeast = -Infinity, atMost = Infinity } = goal;
  const found = against === undefined
    ? ratioOf(rows[name], metric)
    : ratio(rows[name]?.samples.rocketd, rows[against]?.samples.rocketd, metric);
  return { goal, ratio: found, reached: found && found.middle >= atLeast && found.middle <= atMost };
}

/** How much of what the machine could do at most ours reaches, 0 to 1. */
export function shareOfLimit(rows: Report["rows"], name: string, limit: string | undefined): number | undefined {
  const [ours, most] = [
    figure(rows[name], "rocketd", "rate"),
    limit === undefined ? undefined : figure(rows[limit], "limit", "rate"),
  ];
  return ours && most && most.middle > 0 ? ours.middle / most.middle : undefined;
}

/** By how much ours is better, whichever direction is the better one: 2 is twice as fast, or half as late. */
export function timesBetter(found: Spread, metric: Metric): Spread {
  if (METRICS[metric].better === "more") return found;
  const { middle, low, high, count } = found;
  return { middle: 1 / middle, low: 1 / high, high: 1 / low, count };
}

/** A figure as people read it: `12,345`, `0.42`. */
export function shown(value: number, metric: Metric): string {
  const { digits } = METRICS[metric];
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A ratio with what half of the rounds lie between: `2.10 (2.05–2.17)`. */
export function shownRatio({ middle, low, high, count }: Spread): string {
  const [mid, from, to] = [middle, low, high].map((value) => value.toFixed(value < 0.1 ? 3 : 2));
  return count < 2 ? mid! : `${mid} (${from}–${to})`;
}

/** A share as people read it: `50 %`; nothing where there is none. */
export function shownShare(share: number | undefined): string {
  return share === undefined ? "" : `${Math.round(share * 100)} %`;
}

/** What a goal wants: `≥ 2`, `≤ 0.4`, `≥ 0.85 × queues-1`. */
export function shownGoal({ atLeast, atMost, against }: Goal): string {
  const bounds = [
    ...(atLeast === undefined ? [] : [`≥ ${atLeast}`]),
    ...(atMost === undefined ? [] : [`≤ ${atMost}`]),
  ].join(", ");
  return against === undefined ? bounds : `${bounds} × ${against}`;
}
