/**
 * Load from `rocketd bench`, which runs in a process of its own, and what it does to those who serve.
 *
 * @module
 */
import type { LoadResult } from "../../../src/client/load/mod.ts";
import type { Node } from "../../../tests/launch.ts";
import { ask } from "../../../tests/probe.ts";
import { busySeconds, countCalls, cpuSeconds, diskBytes, memory } from "./meters.ts";
import type { Sample, Side } from "./model.ts";
import { outputOf, spawn } from "./processes.ts";

/** What is to be done: a measurement of `rocketd bench`, and its flags. */
export interface Load {
  readonly kind?: "send" | "batch" | "pull" | "e2e";
  readonly flags: Readonly<Record<string, string | number>>;
}

/** The nodes of one side, and those among them whose work counts. */
export interface Place {
  readonly side: Side;
  readonly nameserver: Node;
  readonly broker: Node;
  readonly servers: readonly { readonly pid: number }[];
}

/** How long a client waits for the last answers: a machine that has much to do is not what this is about. */
const TIMEOUT_MS = 30_000;
const UPDATE_AND_CREATE_TOPIC = 17;
const READ_AND_WRITE = 6;
const PROBE_SECONDS_MAX = 2;

/** Loads a broker; ends after so many seconds, if the load has no other end. */
export async function runLoad(address: string, { kind = "send", flags }: Load, seconds?: number): Promise<LoadResult> {
  const all = { broker: address, timeout: TIMEOUT_MS, ...(seconds === undefined ? {} : { seconds }), ...flags };
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const program = Deno.env.get("ROCKETD_BIN")!;
  const child = spawn(program, ["bench", kind, "--json", ...args], { stdout: "piped", stderr: "piped" });
  const { out, err } = await outputOf(child);
  // It exits with 1 when anything at all was refused, and has a result all the same.
  if (!out.startsWith("{")) throw new Error(`rocketd bench ${kind} failed: ${(err + out).trim()}`);
  const result: LoadResult = JSON.parse(out);
  if (result.messages === 0) throw new Error(`rocketd bench ${kind}: nothing came: ${result.problems.join("; ")}`);
  return result;
}

/** What the client tells, as figures. */
export function figuresOf(result: LoadResult): Sample {
  const { latencyMs: { p50, p99, p999 }, seconds, failed, unanswered, connectionsLost, lost = 0 } = result;
  const refused = Object.values(failed).reduce((sum, count) => sum + count, 0);
  return {
    rate: result.perSecond,
    mib: result.mibPerSecond,
    p50,
    p99,
    p999,
    client: result.clientCpuSeconds / seconds,
    failed: refused + unanswered + connectionsLost + lost,
  };
}

/** What a client did: its messages, and the CPU seconds that it used for them. */
interface Work {
  readonly messages: number;
  readonly clientCpuSeconds: number;
}

/** What it cost those who serve to do something. */
export async function costOf<R extends Work>(
  { servers }: Pick<Place, "servers">,
  work: () => Promise<R>,
): Promise<{ result: R; cost: Sample }> {
  const pids = servers.map(({ pid }) => pid);
  const [before, busy, began] = [cpuSeconds(pids), busySeconds(), performance.now()];
  const result = await work();
  const used = cpuSeconds(pids) - before;
  const others = (busySeconds() - busy - used - result.clientCpuSeconds) / ((performance.now() - began) / 1000);
  const cost = { cpuSeconds: used, cpuMicros: used / result.messages * 1e6, others: Math.max(0, others) };
  return { result, cost: { ...cost, ...memory(pids) } };
}

/** One round of a load. */
export async function measured(place: Place, load: Load, seconds?: number): Promise<Sample> {
  const stores = load.kind === "pull" ? [] : [place.broker.storeDir];
  const before = await diskBytes(stores);
  const { result, cost } = await costOf(place, () => runLoad(place.broker.address, load, seconds));
  const grown = await diskBytes(stores) - before;
  // Files that went meanwhile, or were made beforehand, would make it less.
  return { ...figuresOf(result), ...cost, ...(grown > 0 ? { disk: grown / result.messages } : {}) };
}

/** System calls a message under a load; nothing where nobody can count them. */
export async function probed(place: Place, load: Load, seconds: number): Promise<Sample> {
  const pids = place.servers.map(({ pid }) => pid);
  const work = () => runLoad(place.broker.address, load, Math.min(seconds, PROBE_SECONDS_MAX));
  const counted = await countCalls(pids, work);
  return counted === undefined ? {} : { calls: counted.calls / counted.result.messages };
}

/** Makes a topic with so many queues. */
export async function makeTopic({ broker }: Place, topic: string, queues: number): Promise<void> {
  const { code, remark } = await ask(broker.port, UPDATE_AND_CREATE_TOPIC, {
    topic,
    defaultTopic: "TBW102",
    readQueueNums: String(queues),
    writeQueueNums: String(queues),
    perm: String(READ_AND_WRITE),
    topicFilterType: "SINGLE_TAG",
    topicSysFlag: "0",
    order: "false",
  });
  if (code !== 0) throw new Error(`Cannot make ${topic} with ${queues} queues: ${code} ${remark}`);
}

/** Bodies of what fills stores, and messages that go into one batch of it. */
export const FILL_BYTES = 1024, FILL_BATCH = 32;

/** Fills a topic with so many messages of 1 KiB, as fast as it goes, evenly over its queues. */
export async function fill(place: Place, topic: string, messages: number): Promise<void> {
  const flags = { connections: 1, "in-flight": 8, topic, size: FILL_BYTES, "batch-size": FILL_BATCH, messages };
  await runLoad(place.broker.address, { kind: "batch", flags });
}
