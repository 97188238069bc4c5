/**
 * The processes and the folder of a measurement, which end with it however it ends: nodes, clients, and helpers.
 *
 * @module
 */

const running = new Set<Deno.ChildProcess>();
const REMOVALS_MAX = 50, REMOVAL_PAUSE_MS = 20;
const decoder = new TextDecoder();

/** Whatever is still running ends with this process. Those that tests/launch.ts started, it ends itself. */
addEventListener("unload", () => running.forEach((child) => signal(child, "SIGKILL")));

/** To a process that may have ended by itself. */
export function signal({ pid }: { readonly pid: number }, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // It has ended.
  }
}

/**
 * Makes a folder for everything that is measured, below `$TMPDIR`, and lets all temporary files be made in it. It goes
 * when this process ends, on Ctrl-C too.
 */
export function enterFolder(): void {
  const folder = Deno.makeTempDirSync({ prefix: "rocketd-bench-" });
  Deno.env.set("TMPDIR", folder);
  addEventListener("unload", () => {
    // Those that were just killed may still be making files.
    for (let tries = 1;; tries++) {
      try {
        return Deno.removeSync(folder, { recursive: true });
      } catch (error) {
        if (tries === REMOVALS_MAX) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, REMOVAL_PAUSE_MS);
      }
    }
  });
  // Else it would end without what is to be done at its end.
  addEventListener("unhandledrejection", ({ reason }) => {
    say(String(reason));
    Deno.exit(1);
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => Deno.exit(signal === "SIGINT" ? 130 : 143));
  }
}

/** Starts a program that ends with this process at the latest. */
export function spawn(command: string, args: readonly string[], options: Deno.CommandOptions = {}): Deno.ChildProcess {
  const child = new Deno.Command(command, { stdin: "null", ...options, args: [...args] }).spawn();
  running.add(child);
  child.status.finally(() => running.delete(child));
  return child;
}

/** What a program wrote, and its exit code. */
export interface Output {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Waits for the end of a program. */
export async function outputOf(child: Deno.ChildProcess): Promise<Output> {
  const { code, stdout, stderr } = await child.output();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Runs a program to its end. Throws with what it wrote when it fails. */
export async function run(command: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await outputOf(spawn(command, args, { stdout: "piped", stderr: "piped" }));
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ${err}${out}`);
  return out;
}

/** Whether a program is there. */
export async function isThere(command: string, ...args: string[]): Promise<boolean> {
  return await run(command, ...args).then(() => true, () => false);
}

/** A program of this folder, run by Deno. */
export function script(name: string, ...args: string[]): string[] {
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const path = new URL(name, import.meta.url).pathname;
  return ["run", "--quiet", "--no-check", "--allow-all", "--config", config, path, ...args];
}

/** To standard error: what happens. */
export function say(text: string): void {
  write(Deno.stderr, text);
}

/** To standard output: what came of it. */
export function print(text: string): void {
  write(Deno.stdout, text);
}

function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  try {
    to.writeSync(new TextEncoder().encode(`${text}\n`));
  } catch {
    // Nobody reads any more, as behind `| head`: the figures still go into their file.
  }
}
