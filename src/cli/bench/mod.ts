/**
 * `rocketd bench send|batch|pull|e2e`: measures a broker or a cluster, ours or another.
 *
 * @module
 */
import { type Figures, load, LOAD_KINDS, type LoadKind } from "../../client/load/mod.ts";
import type { Args, Command, CommandGroup } from "../command.ts";
import { print } from "../output.ts";
import { Progress } from "../progress.ts";
import { flagsOf, optionsOf } from "./flags.ts";
import { hasFailed, Live, resultText } from "./report.ts";

/** How often the line on a terminal is written over, ms. */
const TERMINAL_INTERVAL_MS = 1_000;

const ANY_RATE = "With --rate, latencies count from the moment when a message was due, so that a broker that stalls " +
  "shows in all messages that had to wait, those never sent or answered among them; without, from the write of a request " +
  "to the read of its answer.";
const ENDS =
  "Ctrl-C ends it early, with the result so far. The exit code is 1 when anything was refused or not answered, " +
  "or a connection was lost.";

const ABOUT: Readonly<Record<LoadKind, { summary: string; notes: readonly string[] }>> = {
  send: { summary: "Send single messages", notes: [ANY_RATE, ENDS] },
  batch: { summary: "Send messages in batches", notes: [ANY_RATE, ENDS] },
  pull: {
    summary: "Read the queues of a topic",
    notes: ["Ends when it has read all queues to their end, unless --from is last.", ENDS],
  },
  e2e: {
    summary: "Send, and receive the same messages with held pulls",
    notes: [
      "Latency is the whole way of a message, from the moment when it was due to its arrival at a consumer.",
      `${ENDS.slice(0, -1)}, and when a message that was acknowledged did not arrive.`,
    ],
  },
};

const COMMANDS: readonly Command[] = LOAD_KINDS.map((kind) => ({
  name: `bench ${kind}`,
  ...ABOUT[kind],
  flags: flagsOf(kind),
  run: (args) => run(kind, args),
}));

/** `rocketd bench`. */
export const bench: CommandGroup = {
  name: "bench",
  summary: "Measure how fast a broker takes and gives messages",
  sections: [{ title: "What to measure", commands: COMMANDS }],
  find: (name) => COMMANDS.find((command) => command.name === `bench ${name}`),
};

async function run(kind: LoadKind, args: Args): Promise<number> {
  const options = await optionsOf(kind, args);
  const shows = !args.has("quiet") && (args.has("progress") || Deno.stderr.isTerminal());
  const aborting = new AbortController();
  // Only once: a second Ctrl-C ends the process.
  const abort = () => {
    unlisten();
    aborting.abort();
  };
  const unlisten = () => SIGNALS.forEach((signal) => Deno.removeSignalListener(signal, abort));
  SIGNALS.forEach((signal) => Deno.addSignalListener(signal, abort));
  let progress: Progress | undefined;
  const began = (figures: Figures) => {
    const live = new Live(figures);
    if (shows) progress = new Progress(() => live.line(), TERMINAL_INTERVAL_MS);
  };
  try {
    const result = await load(options, { signal: aborting.signal, began });
    await progress?.stop();
    await print(args.has("json") ? `${JSON.stringify(result)}\n` : resultText(result));
    return hasFailed(result) ? 1 : 0;
  } finally {
    progress?.[Symbol.dispose]();
    unlisten();
  }
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
