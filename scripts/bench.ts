/**
 * Measures rocketd and a warm Java 4.9.7 broker on this machine: the same lean client, in rounds that alternate, each
 * broker in a cluster of its own. Prints a table, or with `--json` every round.
 *
 * @module
 */
import type { LoadResult } from "../src/client/load/mod.ts";
import { parseArgs } from "../src/std.ts";
import { type Node, startJavaBroker, startJavaNameserver, startRocketd } from "../tests/launch.ts";
import { type Case, JVM, median, print, say, send } from "./lib/bench.ts";

const CASES: readonly Case[] = (["binary", "json"] as const).flatMap((encoding) => [
  { connections: 4, inFlight: 64, encoding },
  { connections: 4, inFlight: 16, encoding },
  { connections: 1, inFlight: 1, encoding },
]);

const CLOCK_TICKS_PER_SECOND = 100;

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds", "warm", "only"], boolean: ["json"] });
const rounds = Number(flags.rounds ?? 3), seconds = Number(flags.seconds ?? 4), warm = Number(flags.warm ?? 25);

/** One server under test. */
interface Subject {
  readonly name: "rocketd" | "java";
  readonly broker: Node;
}

interface Round extends LoadResult {
  readonly subject: Subject["name"];
  readonly case: Case;
  /** CPU seconds that the server used meanwhile, and its resident memory after it, MiB. */
  readonly cpuSeconds: number;
  readonly residentMib: number;
}

/** CPU seconds that a process has used, user and system. */
function cpuSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name, in parentheses, may hold blanks; utime and stime are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

function residentMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

async function round(subject: Subject, which: Case): Promise<Round> {
  const before = cpuSeconds(subject.broker.pid);
  const result = await send(subject.broker, which, seconds);
  const used = cpuSeconds(subject.broker.pid) - before;
  const { name, broker } = subject;
  return { ...result, subject: name, case: which, cpuSeconds: used, residentMib: residentMib(broker.pid) };
}

function table(all: readonly Round[]): string[] {
  const row = (...cells: (string | number)[]) => {
    return cells.map((cell, i) => i === 0 ? String(cell).padEnd(14) : String(cell).padStart(10)).join(" ");
  };
  const lines = [
    row("case", "server", "sends/s", "ratio", "p50 ms", "p99 ms", "p99.9 ms", "µs CPU", "RSS MiB", "client µs"),
  ];
  for (const which of CASES) {
    const of = (name: Subject["name"]) => all.filter((one) => one.subject === name && one.case === which);
    const rate = (name: Subject["name"]) => median(of(name).map(({ perSecond }) => perSecond));
    for (const name of ["java", "rocketd"] as const) {
      const results = of(name);
      if (results.length === 0) continue;
      const mid = (value: (one: Round) => number) => median(results.map(value));
      lines.push(row(
        `${which.connections}×${which.inFlight} ${which.encoding}`,
        name,
        Math.round(rate(name)),
        name === "rocketd" && of("java").length > 0 ? (rate("rocketd") / rate("java")).toFixed(2) : "",
        mid(({ latencyMs }) => latencyMs.p50).toFixed(2),
        mid(({ latencyMs }) => latencyMs.p99).toFixed(2),
        mid(({ latencyMs }) => latencyMs.p999).toFixed(2),
        mid(({ cpuSeconds, answered }) => cpuSeconds / answered * 1e6).toFixed(1),
        Math.round(mid(({ residentMib }) => residentMib)),
        mid(({ clientCpuSeconds, answered }) => clientCpuSeconds / answered * 1e6).toFixed(1),
      ));
    }
  }
  return lines;
}

async function run(subjects: readonly Subject[]): Promise<Round[]> {
  const java = subjects.find(({ name }) => name === "java");
  if (java !== undefined) {
    say(`warming the Java broker for ${warm} s`);
    await send(java.broker, CASES[0]!, Math.ceil(warm * 2 / 3));
    await send(java.broker, CASES[3]!, Math.ceil(warm / 3));
  }
  const results: Round[] = [];
  for (const which of CASES) {
    for (let i = 0; i < rounds; i++) {
      for (const subject of i % 2 === 0 ? subjects : [...subjects].reverse()) {
        const result = await round(subject, which);
        results.push(result);
        const { connections, inFlight, encoding } = which;
        say(`${connections}×${inFlight} ${encoding} ${subject.name}: ${Math.round(result.perSecond)} a second`);
      }
    }
  }
  return results;
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const subjects: Subject[] = [];
  if (flags.only !== "rocketd") {
    const nameserver = stack.use(await startJavaNameserver());
    const broker = stack.use(await startJavaBroker({ namesrvAddr: nameserver.address, jvm: JVM }));
    subjects.push({ name: "java", broker });
  }
  if (flags.only !== "java") {
    const nameserver = stack.use(await startRocketd({ role: "nameserver" }));
    const broker = stack.use(await startRocketd({ role: "master", namesrvAddr: nameserver.address }));
    subjects.push({ name: "rocketd", broker });
  }
  const results = await run(subjects);
  if (flags.json) print(JSON.stringify(results));
  else table(results).forEach(print);
}

await main();
