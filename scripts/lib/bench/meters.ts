/**
 * What the machine tells of processes: their CPU time, memory, system calls, and the bytes of their stores.
 *
 * @module
 */
import { isThere, outputOf, run, signal, spawn } from "./processes.ts";

const CLOCK_TICKS_PER_SECOND = 100;
/** Of `st_blocks`. */
const BLOCK_BYTES = 512;
const ATTACH_MS = 300;
const TOUCHED_AT_ONCE_BYTES = 2 ** 20;

/** CPU seconds that processes have used, user and system. */
export function cpuSeconds(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name, in parentheses, may hold blanks; utime and stime are the 12th and 13th field after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
  });
}

/** CPU seconds that all processors were busy with since the machine's start. */
export function busySeconds(): number {
  return busyTicks(Deno.readTextFileSync("/proc/stat")) / CLOCK_TICKS_PER_SECOND;
}

/** The first line of /proc/stat, `cpu user nice system idle iowait irq softirq steal …`, without what is idle. */
export function busyTicks(stat: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0, steal = 0] = stat.split("\n")[0]!
    .split(/\s+/).slice(1).map(Number);
  return user + nice + system + irq + soft + steal;
}

/** Memory of processes, MiB: all that is resident, and what of it is no page of a file. */
export function memory(pids: readonly number[]): { resident: number; private: number } {
  const mib = (name: string) =>
    sum(pids, (pid) => {
      const status = Deno.readTextFileSync(`/proc/${pid}/status`);
      return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? NaN) / 1024;
    });
  return { resident: mib("VmRSS"), private: mib("RssAnon") };
}

/**
 * Lets the machine have memory at hand for files that will be written or read. A virtual machine gives memory that is
 * free back to its host, and each page of it costs some 10 µs when it is used again: more than a broker's own work for
 * what is in it, and by chance on this or that side's account.
 */
export function touchMemory(bytes: number): void {
  const path = Deno.makeTempFileSync();
  try {
    // Nothing of it is on disk: what is read are pages of zeros, each in memory of its own.
    Deno.truncateSync(path, bytes);
    using file = Deno.openSync(path);
    const piece = new Uint8Array(TOUCHED_AT_ONCE_BYTES);
    while (file.readSync(piece) !== null);
  } finally {
    Deno.removeSync(path);
  }
}

/** Bytes that are allocated on disk for folders: of sparse files only what was written. */
export async function diskBytes(folders: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const folder of folders) {
    for await (const path of filesBelow(folder)) {
      // A file may go while this looks.
      bytes += (await Deno.stat(path).catch(() => undefined))?.blocks ?? 0;
    }
  }
  return bytes * BLOCK_BYTES;
}

/** The files below a folder. */
async function* filesBelow(folder: string): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

/** Writes files out, and lets the machine forget what it holds of them in memory. */
export async function forget(folder: string): Promise<void> {
  await run("sync");
  for await (const path of filesBelow(folder)) {
    await run("dd", `if=${path}`, "iflag=nocache", "count=0", "status=none");
  }
}

/**
 * Counts the system calls of processes while something is done: with perf, which hardly disturbs them, or else with
 * strace. Undefined where neither may look.
 */
export async function countCalls<T>(
  pids: readonly number[],
  work: () => Promise<T>,
): Promise<{ calls: number; result: T } | undefined> {
  const tracer = await findTracer(pids);
  if (tracer === undefined) return undefined;
  const child = spawn(tracer.command, tracer.args, { stdout: "null", stderr: "piped" });
  await new Promise((resolve) => setTimeout(resolve, ATTACH_MS));
  let result: T;
  try {
    result = await work();
  } finally {
    signal(child, "SIGINT");
  }
  const { stderr } = await child.output();
  const calls = tracer.count(new TextDecoder().decode(stderr));
  return calls === undefined ? undefined : { calls, result };
}

interface Tracer {
  readonly command: string;
  readonly args: readonly string[];
  readonly count: (output: string) => number | undefined;
}

async function findTracer(pids: readonly number[]): Promise<Tracer | undefined> {
  const event = ["stat", "-x,", "-e", "raw_syscalls:sys_enter"];
  if (await isThere("perf", ...event, "true")) {
    return { command: "perf", args: [...event, "-p", pids.join(",")], count: callsInPerf };
  }
  if (await isThere("strace", "-c", "-f", "true")) {
    return {
      command: "strace",
      args: ["-c", "-f", ...pids.flatMap((pid) => ["-p", String(pid)])],
      count: callsInStrace,
    };
  }
  return undefined;
}

/** The count in what `perf stat -x,` prints: `29,,raw_syscalls:sys_enter,…`. */
export function callsInPerf(output: string): number | undefined {
  const count = /^(\d+),[^\n]*raw_syscalls:sys_enter/m.exec(output)?.[1];
  return count === undefined ? undefined : Number(count);
}

/** The sum in what `strace -c` prints: in its last line, below `calls`; other columns may be empty. */
export function callsInStrace(output: string): number | undefined {
  const lines = output.split("\n");
  const header = lines.find((line) => line.startsWith("% time")) ?? "";
  const total = lines.find((line) => line.startsWith("100.00") && line.endsWith(" total")) ?? "";
  const [from, to] = [header.indexOf("usecs/call") + "usecs/call".length, header.indexOf("calls ") + "calls".length];
  const count = total.slice(from, to).trim();
  return /^\d+$/.test(count) ? Number(count) : undefined;
}

/** What runs here. */
export async function machine(rocketd: string): Promise<
  { cpu: string; cores: number; memoryGib: number; kernel: string; rocketd: string; java: string }
> {
  const cpu = /^model name\s*:\s*(.*)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? "unknown";
  const java = await outputOf(spawn("java", ["-version"], { stdout: "piped", stderr: "piped" })).catch(() => undefined);
  return {
    cpu,
    cores: navigator.hardwareConcurrency,
    memoryGib: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    kernel: Deno.osRelease(),
    rocketd: (await run(rocketd, "--version")).split("\n")[0]!,
    java: java?.err.split("\n")[0] ?? "none",
  };
}

function sum(pids: readonly number[], each: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + each(pid), 0);
}
