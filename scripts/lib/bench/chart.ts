/**
 * The chart: for each figure that has a goal or leads its row, how many times as good as Java's ours is. Bars are on a
 * logarithmic scale, with the quartiles as a line and the goal as a mark; colours suit light and dark pages.
 *
 * @module
 */
import { ratioOf, timesBetter, verdict } from "./arithmetic.ts";
import { type Goal, type Metric, METRICS, type Report, type Row } from "./model.ts";
import { CHAPTERS } from "./rows.ts";

const WIDTH = 860, LEFT = 250, RIGHT = 80, BAR = 12, LINE = 22, TOP = 56, BOTTOM = 34;
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

/** One bar. */
export interface Bar {
  readonly label: string;
  readonly middle: number;
  readonly low: number;
  readonly high: number;
  /** How many times as good it is to be. */
  readonly goal: number | undefined;
}

function goalTimes(goal: Goal | undefined, metric: Metric): number | undefined {
  const wanted = goal?.atLeast ?? goal?.atMost;
  if (wanted === undefined) return undefined;
  return METRICS[metric].better === "more" ? wanted : 1 / wanted;
}

/** The bars of a report, in the order of the rows. */
export function barsOf(report: Report, rows: readonly Row[]): Bar[] {
  return rows.flatMap((row) => {
    const goals = (row.goals ?? []).filter(({ against }) => against === undefined);
    const metrics = [...new Set([row.shows[0]!, ...goals.map(({ metric }) => metric)])];
    return metrics.flatMap((metric) => {
      const goal = goals.find((one) => one.metric === metric);
      const ratio = goal ? verdict(goal, row.name, report.rows).ratio : ratioOf(report.rows[row.name], metric);
      if (ratio === undefined) return [];
      const { middle, low, high } = timesBetter(ratio, metric);
      return [{ label: `${row.name}: ${METRICS[metric].title}`, middle, low, high, goal: goalTimes(goal, metric) }];
    });
  });
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const STYLE = [
  "text { font: 12px system-ui, sans-serif; fill: #24292f }",
  ".title { font-size: 15px; font-weight: 600 }",
  ".small { font-size: 11px }",
  ".value { text-anchor: start; font-weight: 600 }",
  ".label { text-anchor: end }",
  ".tick { text-anchor: middle }",
  ".grid { stroke: #d0d7de }",
  ".one { stroke: #57606a; stroke-width: 2 }",
  ".bar { fill: #2f81f7 }",
  ".below { fill: #d29922 }",
  ".spread { stroke: #24292f; stroke-width: 2 }",
  ".goal { stroke: #cf222e; stroke-width: 3 }",
  "@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .grid { stroke: #3d444d } .one { stroke: #9198a1 } " +
  ".spread { stroke: #e6edf3 } .goal { stroke: #ff7b72 } }",
];

/** The chart as SVG, one element a line. */
export function chart(report: Report, rows: readonly Row[] = CHAPTERS.flatMap((one) => one.rows)): string {
  const bars = barsOf(report, rows);
  const values = bars.flatMap(({ middle, low, high, goal }) => [middle, low, high, goal ?? 1]);
  const [least, most] = [Math.min(0.8, ...values) * 0.9, Math.max(2, ...values) * 1.1];
  const x = (value: number) => {
    const share = Math.log(value / least) / Math.log(most / least);
    return (LEFT + share * (WIDTH - LEFT - RIGHT)).toFixed(1);
  };
  const bottom = TOP + bars.length * LINE, height = bottom + BOTTOM;
  const line = (kind: string, at: string, from: number, to: number) =>
    `<line class="${kind}" x1="${at}" x2="${at}" y1="${from}" y2="${to}" />`;
  const grid = TICKS.filter((tick) => tick >= least && tick <= most).flatMap((tick) => [
    line(tick === 1 ? "one" : "grid", x(tick), TOP - 6, bottom),
    `<text class="tick small" x="${x(tick)}" y="${bottom + 16}">${tick} ×</text>`,
  ]);
  const drawn = bars.flatMap(({ label, middle, low, high, goal }, i) => {
    const y = TOP + i * LINE, centre = y + BAR / 2;
    const [from, to] = [Math.min(1, middle), Math.max(1, middle)];
    const width = (Number(x(to)) - Number(x(from))).toFixed(1);
    return [
      `<text class="label" x="${LEFT - 8}" y="${y + BAR - 2}">${escaped(label)}</text>`,
      `<rect class="${middle < 1 ? "below" : "bar"}" x="${x(from)}" y="${y}" width="${width}" height="${BAR}" />`,
      `<line class="spread" x1="${x(low)}" x2="${x(high)}" y1="${centre}" y2="${centre}" />`,
      ...(goal === undefined ? [] : [line("goal", x(goal), y - 3, y + BAR + 3)]),
      `<text class="value" x="${(Number(x(Math.max(1, middle, high, goal ?? 1))) + 6).toFixed(1)}" y="${
        y + BAR - 2
      }">` +
      `${middle.toFixed(middle < 10 ? 2 : 1)} ×</text>`,
    ];
  });
  return [
    "<!-- deno-fmt-ignore-file -->",
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">`,
    "<style>",
    ...STYLE,
    "</style>",
    `<text class="title" x="12" y="22">How many times as good as Java 4.9.7</text>`,
    `<text class="small" x="12" y="40">Line: quartiles of the rounds; red mark: what is wanted; logarithmic</text>`,
    ...grid,
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
}
