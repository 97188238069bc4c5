/**
 * What the machine could do at most: frames that are answered without any work, and the same bytes written to a file and
 * nothing else.
 *
 * @module
 */
import { TextLineStream } from "../../../src/std.ts";
import { costOf, figuresOf, type Load, runLoad } from "./load.ts";
import type { Chapter, Row, Scene } from "./model.ts";
import { run, script, signal, spawn } from "./processes.ts";

/** A process that answers each frame at once. */
interface Echo {
  readonly address: string;
  readonly pid: number;
}

async function openEcho({ stack }: Scene): Promise<Echo> {
  const child = spawn(Deno.execPath(), script("echo_server.ts"), { stdout: "piped" });
  stack.defer(async () => {
    signal(child, "SIGTERM");
    await child.status;
  });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const address of lines) return { address, pid: child.pid };
  throw new Error("the echo does not start");
}

function echoRow(name: string, title: string, flags: Load["flags"], kind: Load["kind"] = "send"): Row<Echo> {
  return {
    name,
    title: `frames answered without work: ${title}`,
    shows: ["rate"],
    measure: async ({ address, pid }, seconds) => {
      const { result, cost } = await costOf({ servers: [{ pid }] }, () => runLoad(address, { kind, flags }, seconds));
      return { ...figuresOf(result), ...cost };
    },
  };
}

/** Records of 1 KiB messages, so many in one write; `flush`: each write goes to disk before the next. */
function writeRow(name: string, title: string, records: number, flush = false): Row<unknown> {
  return {
    name,
    title: `records of 1 KiB messages written to a file: ${title}`,
    shows: ["rate", "mib"],
    measure: async (_, seconds) =>
      JSON.parse(
        await run(Deno.execPath(), ...script("write_file.ts", String(records), String(flush), String(seconds))),
      ),
  };
}

/** All limits. */
export const LIMITS: readonly Chapter[] = [
  {
    name: "limits",
    sides: ["limit"],
    open: openEcho,
    rows: [
      echoRow("limit-4x16", "4 × 16", { connections: 4, "in-flight": 16 }),
      echoRow("limit-4x64", "4 × 64", { connections: 4, "in-flight": 64 }),
      echoRow("limit-1x1", "1 × 1", { connections: 1, "in-flight": 1 }),
      echoRow("limit-64x1", "64 × 1", { connections: 64, "in-flight": 1 }),
      echoRow("limit-json-4x16", "JSON headers, 4 × 16", { connections: 4, "in-flight": 16, encoding: "json" }),
      echoRow("limit-batch", "batches of 32 × 128 B, 4 × 16", {
        connections: 4,
        "in-flight": 16,
        size: 128,
        "batch-size": 32,
      }, "batch"),
    ] as readonly Row[],
  },
  {
    name: "writes",
    sides: ["limit"],
    open: () => Promise.resolve(undefined),
    rows: [
      writeRow("limit-write", "one by one", 1),
      writeRow("limit-write-16", "16 at a time", 16),
      writeRow("limit-flush", "64 at a time, each on disk before the next", 64, true),
    ],
  },
];
