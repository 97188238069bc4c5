/**
 * The level of the log, changed while the program runs.
 *
 * @module
 */
import { configureSync, resetSync } from "@logtape/logtape";
import { logger, setLevel, setup } from "../../src/logging/mod.ts";
import { LiveSettings } from "../../src/remoting/live_settings.ts";
import { assertEquals } from "../../src/std.ts";

const decoder = new TextDecoder();

/** What `test` writes to standard error, line by line, without times. */
async function written(test: () => unknown): Promise<string[]> {
  const { writeSync } = Deno.stderr;
  let text = "";
  Deno.stderr.writeSync = (bytes) => {
    text += decoder.decode(bytes);
    return bytes.length;
  };
  try {
    await test();
  } finally {
    Deno.stderr.writeSync = writeSync;
  }
  return text.split("\n").slice(0, -1).map((line) => line.replace(/^\S+ /, ""));
}

Deno.test("a program that configured its log itself keeps it, whatever a request says", async () => {
  const kept: string[] = [];
  configureSync({
    reset: true,
    sinks: { mine: (record) => kept.push(record.category.join(".")) },
    loggers: [{ category: [], lowestLevel: "error", sinks: ["mine"] }],
  });
  try {
    assertEquals(await written(() => setLevel("trace")), []);
    logger("x").error("one");
    assertEquals(kept, ["rocketd.x"]);
  } finally {
    resetSync();
  }
});

Deno.test("requests that change the level at the same time leave each line there once", async () => {
  const lines = await written(async () => {
    await setup({ level: "info", color: false });
    const live = new LiveSettings({ part: "nameserver", settings: { logLevel: "info" }, clock: Date });
    const connection = { peer: "a:1" } as never;
    const change = (level: string) => live.change({ connection, body: new TextEncoder().encode(`logLevel=${level}`) });
    await Promise.all(["warn", "debug", "error", "warn"].map(change));
    logger("x").warn("two");
    logger("x").info("three");
  });
  resetSync();
  assertEquals(lines.filter((line) => !line.includes("changed settings")), ["WARN x two"]);
});
