/**
 * Measures brokers, ours or others, with a client that costs next to nothing: one event loop, no promise for a single
 * message, frames made once, of answers only the code read.
 *
 * @module
 */
import process from "node:process";
import { HeaderEncoding } from "../../protocol/codes.ts";
import type { Figures } from "./figures.ts";
import { openLines } from "./line.ts";
import type { LoadOptions, LoadResult } from "./options.ts";
import { Run } from "./run.ts";
import { findTargets, type Target } from "./targets.ts";

export type { Figures } from "./figures.ts";
export { MARK_BYTES } from "./frames.ts";
export type { Latencies } from "./histogram.ts";
export { LOAD_KINDS, type LoadKind, type LoadOptions, type LoadResult } from "./options.ts";

/** What goes on beside a run. */
export interface LoadWatch {
  /** Ends the run early; it gives its result then. */
  readonly signal?: AbortSignal;
  /** Called when the run begins, with what it counts. */
  readonly began?: (figures: Figures) => void;
}

/**
 * Loads brokers until the run's time or messages are over, it has read everything (pull), nothing but refusals comes, or
 * no connection is left; what went wrong meanwhile is counted. Rejects with `unavailable` when a broker cannot be
 * reached or breaks all connections before it answered, `notFound` for a topic that is not there.
 */
export async function load(options: LoadOptions, { signal, began }: LoadWatch = {}): Promise<LoadResult> {
  const targets = await findTargets(options);
  const lines = await openLines(addressesOf(targets, options), options);
  const run = new Run(options, targets, lines, signal);
  const cpu = process.cpuUsage();
  const started = performance.now();
  began?.(run.figures);
  await run.work();
  const { user, system } = process.cpuUsage(cpu);
  const ended = run.figures.lastAnswerAt;
  const seconds = ended > started ? (ended - started) / 1000 : 0;
  const each = (value: number) => seconds === 0 ? 0 : rounded(value / seconds);
  return {
    ...described(options, targets),
    ...counted(run),
    seconds: rounded(seconds),
    perSecond: each(run.figures.messages),
    mibPerSecond: each(run.figures.bytes / 2 ** 20),
    latencyMs: run.figures.latencies.latencies(),
    ...(run.arrivals && {
      sendLatencyMs: run.sends.latencies(),
      lost: run.arrivals.missing,
      doubled: run.arrivals.doubled,
    }),
    clientCpuSeconds: (user + system) / 1e6,
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** A connection to each target in turn, for e2e two: one that sends and one that pulls. */
function addressesOf(targets: readonly Target[], { kind, connections }: LoadOptions): string[] {
  const count = Math.max(connections, targets.length);
  const addresses = Array.from({ length: count }, (_, i) => targets[i % targets.length]!.address);
  return kind === "e2e" ? [...addresses, ...addresses] : addresses;
}

function described(options: LoadOptions, targets: readonly Target[]) {
  const { kind, target, topic, group, connections, inFlight, encoding, rate, bodyBytes, batchSize, pullMax } = options;
  return {
    kind,
    target: "broker" in target ? target.broker : target.nameservers,
    topic,
    group,
    connections: Math.max(connections, targets.length),
    queues: targets.reduce((sum, { queues }) => sum + queues.length, 0),
    inFlight,
    encoding: encoding === HeaderEncoding.JSON ? "JSON" as const : "ROCKETMQ" as const,
    ...(kind !== "pull" && { rate, bodyBytes }),
    ...(kind === "batch" && { batchSize }),
    ...((kind === "pull" || kind === "e2e") && { pullMax }),
  };
}

function counted({ figures, pulls, schedule }: Run) {
  const { answered, abandoned, connectionsLost, messages, bytes } = figures;
  const failed = { ...figures.failed };
  if (pulls !== figures) { for (const code in pulls.failed) failed[code] = (failed[code] ?? 0) + pulls.failed[code]!; }
  const problems = [...new Set([...figures.problems, ...pulls.problems])];
  const behind = schedule.behind(performance.now());
  return { answered, failed, unanswered: abandoned, behind, connectionsLost, messages, bytes, problems };
}
