/**
 * Measures how fast a slave catches up that is 1 GiB behind, ours from ours and Java 4.9.7's from Java's, in rounds that
 * alternate; and what that does to the latency of sends to the master, which are going on meanwhile.
 *
 * @module
 */
import { parseArgs } from "../src/std.ts";
import { logOf } from "../tests/cluster/replication.ts";
import {
  delay,
  type Node,
  startJavaBroker,
  startJavaNameserver,
  startJavaSlave,
  startRocketd,
} from "../tests/launch.ts";
import { freePort } from "../tests/ports.ts";
import { type Case, JVM, median, print, say, send } from "./lib/bench.ts";

const flags = parseArgs(Deno.args, { string: ["rounds", "mib", "only"] });
const rounds = Number(flags.rounds ?? 3), behind = Number(flags.mib ?? 1024) * 2 ** 20;

/** What fills the log, and the load whose latency counts: one send at a time on each connection. */
const FILL: Case = { connections: 4, inFlight: 16, encoding: "binary", size: 4000 };
const PROBE: Case = { connections: 2, inFlight: 1, encoding: "binary" };
const WINDOW_SECONDS = 1, WINDOWS_BEFORE = 3;
const POLL_MS = 20;
const PATIENCE_MS = 180_000;

type Name = "rocketd" | "java";

/** One kind of master, filled, with a copy of the slave's store from before. */
interface Subject {
  readonly name: Name;
  readonly master: Node;
  /** Starts a slave that is behind. */
  readonly slave: () => Promise<Node>;
}

interface Round {
  readonly subject: Name;
  /** MiB a second from the first byte that came to the last one that was missing. */
  readonly rate: number;
  /** From the start of the process to then, s; a Java slave waits for 5 s before it asks. */
  readonly seconds: number;
  /** 99th percentile of sends to the master, ms: the middle and the worst of windows of a second. */
  readonly before: number;
  readonly during: number;
  readonly worst: number;
}

async function reaches(node: Node, offset: number): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; (await logOf(node)).max < offset; await delay(POLL_MS)) {
    if (Date.now() > deadline) throw new Error(`${node.name} does not catch up:\n${await node.log()}`);
  }
}

async function copy(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", { args: ["-a", "--sparse=always", from, to] }).output();
  if (!success) throw new Error(`Cannot copy ${from}`);
}

async function prepare(name: Name, stack: AsyncDisposableStack): Promise<Subject> {
  const java = name === "java";
  const dir = await Deno.makeTempDir({ prefix: "rocketd-catch-up-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const nameserver = stack.use(java ? await startJavaNameserver() : await startRocketd({ role: "nameserver" }));
  const options = { namesrvAddr: nameserver.address, jvm: JVM };
  const master = stack.use(java ? await startJavaBroker(options) : await startRocketd({ role: "master", ...options }));
  const port = freePort();
  const start = (storeDir: string) => {
    const all = { ...options, port, storeDir };
    return java ? startJavaSlave(all) : startRocketd({ role: "slave", ...all });
  };
  const kept = `${dir}/kept`, used = `${dir}/used`;
  {
    // One that was there at the beginning: a fresh Java slave would be sent the last file only.
    await using slave = await start(kept);
    await send(master, PROBE, 1);
    await reaches(slave, (await logOf(master)).max);
    await slave.stop();
  }
  const from = (await logOf(master)).max;
  say(`${name}: filling the master`);
  while ((await logOf(master)).max < from + behind) await send(master, FILL, 1);
  const slave = async () => {
    await Deno.remove(used, { recursive: true }).catch(() => {});
    await copy(kept, used);
    return await start(used);
  };
  return { name, master, slave };
}

async function round({ name, master, slave: start }: Subject): Promise<Round> {
  const before: number[] = [], during: number[] = [];
  for (let n = 0; n < WINDOWS_BEFORE; n++) before.push((await send(master, PROBE, WINDOW_SECONDS)).latencyMs.p99);
  const target = (await logOf(master)).max;
  const started = performance.now();
  await using slave = await start();
  const { max: first } = await logOf(slave);
  await reaches(slave, first + 1);
  const begun = performance.now(), had = (await logOf(slave)).max;
  let ended: number | undefined;
  const arriving = reaches(slave, target).then(() => ended = performance.now());
  while (ended === undefined) {
    // A failure of the slave ends this too.
    const window = await Promise.race([send(master, PROBE, WINDOW_SECONDS), arriving.then(() => undefined)]);
    if (window !== undefined) during.push(window.latencyMs.p99);
  }
  return {
    subject: name,
    rate: (target - had) / 2 ** 20 / ((ended - begun) / 1000),
    seconds: (ended - started) / 1000,
    before: median(before),
    during: median(during),
    worst: Math.max(...during),
  };
}

function table(all: readonly Round[]): string[] {
  const row = (...cells: string[]) => cells.map((cell, i) => i === 0 ? cell.padEnd(10) : cell.padStart(12)).join(" ");
  const lines = [row("slave", "MiB/s", "ratio", "s from start", "p99 before", "p99 during", "worst")];
  const mid = (name: Name, value: (one: Round) => number) =>
    median(all.filter((one) => one.subject === name).map(value));
  const ratio = mid("rocketd", ({ rate }) => rate) / mid("java", ({ rate }) => rate);
  for (const name of ["java", "rocketd"] as const) {
    if (!all.some(({ subject }) => subject === name)) continue;
    lines.push(row(
      name,
      mid(name, ({ rate }) => rate).toFixed(0),
      name === "rocketd" && !Number.isNaN(ratio) ? ratio.toFixed(2) : "",
      mid(name, ({ seconds }) => seconds).toFixed(1),
      ...([({ before }) => before, ({ during }) => during, ({ worst }) => worst] as ((one: Round) => number)[])
        .map((value) => mid(name, value).toFixed(2)),
    ));
  }
  return lines;
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const subjects: Subject[] = [];
  for (const name of ["java", "rocketd"] as const) {
    if ((flags.only ?? name) === name) subjects.push(await prepare(name, stack));
  }
  const results: Round[] = [];
  for (let i = 0; i < rounds; i++) {
    for (const subject of i % 2 === 0 ? subjects : [...subjects].reverse()) {
      const one = await round(subject);
      results.push(one);
      const { rate, before, during, worst } = one;
      const [p99, meanwhile, most] = [before, during, worst].map((ms) => ms.toFixed(2));
      say(
        `${subject.name}: ${rate.toFixed(0)} MiB/s; p99 of sends ${p99} ms before, ${meanwhile} during, worst ${most}`,
      );
    }
  }
  table(results).forEach(print);
}

await main();
