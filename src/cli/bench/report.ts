/**
 * What a measurement tells people: a line while it goes on, and its result.
 *
 * @module
 */
import type { Figures, Latencies, LoadKind, LoadResult } from "../../client/load/mod.ts";
import { responseCodeName } from "../../protocol/codes.ts";
import { printable } from "../output.ts";

/** Time over which the present rate is measured, ms. */
const WINDOW_MS = 900;

/** Tells how a run goes, in one line at a time. */
export class Live {
  readonly #began = performance.now();
  #at = this.#began;
  #messages = 0;
  #rate = 0;

  constructor(readonly figures: Figures) {}

  line(): string {
    const { messages, latencies, refused } = this.figures;
    const now = performance.now();
    if (now - this.#at >= WINDOW_MS) {
      this.#rate = (messages - this.#messages) / (now - this.#at) * 1000;
      this.#at = now;
      this.#messages = messages;
    }
    const overall = messages / Math.max(1, now - this.#began) * 1000;
    return `${count(messages)} messages, ${count(this.#rate)} a second now, ${count(overall)} overall, ` +
      `p99 ${latencies.quantile(0.99).toFixed(2)} ms, ${count(refused)} refused`;
  }
}

const WHAT: Readonly<Record<LoadKind, string>> = {
  send: "sent",
  batch: "sent in batches",
  pull: "pulled",
  e2e: "sent and received",
};

/** The result in some lines. */
export function resultText(result: LoadResult): string {
  const { kind, messages, seconds, perSecond, mibPerSecond, latencyMs, sendLatencyMs, clientCpuSeconds } = result;
  const share = seconds === 0 ? 0 : clientCpuSeconds / seconds * 100;
  const lines = [
    `${count(perSecond)} messages a second, ${mibPerSecond.toFixed(1)} MiB/s: ` +
    `${count(messages)} ${WHAT[kind]} in ${seconds.toFixed(1)} s, ${share.toFixed(0)} % of a core used for it`,
    latencyLine(kind === "e2e" ? "on the way" : kind === "pull" ? "latency of a pull" : "latency", latencyMs),
  ];
  if (sendLatencyMs !== undefined) lines.push(latencyLine("latency of a send", sendLatencyMs));
  lines.push(...troubles(result));
  return lines.map((line) => `${printable(line)}\n`).join("");
}

function latencyLine(title: string, { p50, p90, p99, p999, max, mean }: Latencies): string {
  const named = Object.entries({ p50, p90, p99, "p99.9": p999, max, mean });
  return `${title}: ${named.map(([name, ms]) => `${name} ${ms.toFixed(2)}`).join(", ")} ms`;
}

function troubles(result: LoadResult): string[] {
  const { failed, unanswered, behind, connectionsLost, lost = 0, doubled = 0, problems } = result;
  const some = (number: number, text: string) => number === 0 ? [] : [`${count(number)} ${text}`];
  return [
    ...Object.entries(failed).map(([code, number]) => `${count(number)} refused: ${responseCodeName(Number(code))}`),
    ...some(unanswered, "requests were not answered"),
    ...some(connectionsLost, "connections were lost"),
    ...some(behind, "requests were due and could not be sent, with so many in flight"),
    ...some(lost, "messages were acknowledged and did not arrive"),
    ...some(doubled, "messages arrived more than once"),
    ...problems,
  ];
}

/** Whether something went wrong that the exit code tells. */
export function hasFailed({ failed, unanswered, connectionsLost, lost = 0 }: LoadResult): boolean {
  return Object.keys(failed).length > 0 || unanswered + connectionsLost + lost > 0;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}
