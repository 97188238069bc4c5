/**
 * What the measurements share: the Java machine's flags, the client under load, and output.
 *
 * @module
 */
import type { LoadResult } from "../../src/client/load/mod.ts";
import type { Node } from "../../tests/launch.ts";

/** How a broker is loaded. */
export interface Case {
  readonly connections: number;
  readonly inFlight: number;
  readonly encoding: "binary" | "json";
  /** Bytes of a body, if not the client's default. */
  readonly size?: number;
}

/** The Java machine as an operator would run it (bin/runbroker.sh), but for a heap that suits this machine. */
export const JVM = [
  "-server",
  "-Xms2g",
  "-Xmx2g",
  "-XX:+UseG1GC",
  "-XX:G1HeapRegionSize=16m",
  "-XX:G1ReservePercent=25",
  "-XX:InitiatingHeapOccupancyPercent=30",
  "-XX:SoftRefLRUPolicyMSPerMB=0",
  "-XX:-OmitStackTraceInFastThrow",
  "-XX:MaxDirectMemorySize=2g",
  "-XX:-UseLargePages",
];

/** To standard error: what happens. */
export function say(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text + "\n"));
}

/** To standard output: what came of it. */
export function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

/** Loads a broker with a client in a process of its own. */
export async function send(
  broker: Node,
  { connections, inFlight, encoding, size }: Case,
  forSeconds: number,
): Promise<LoadResult> {
  const settings = {
    broker: broker.address,
    connections,
    "in-flight": inFlight,
    encoding,
    seconds: forSeconds,
    ...(size === undefined ? {} : { size }),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const command = new Deno.Command(Deno.env.get("ROCKETD_BIN")!, { args: ["bench", "send", "--json", ...args] });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`the client failed: ${decoder.decode(stderr)}${decoder.decode(stdout)}`);
  return JSON.parse(decoder.decode(stdout));
}

/** The middle one of some values; NaN if there are none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
