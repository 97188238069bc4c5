/**
 * What `rocketd bench` reads from its flags, and what it tells.
 *
 * @module
 */
import { bench } from "../../src/cli/bench/mod.ts";
import { flagsOf, optionsOf } from "../../src/cli/bench/flags.ts";
import { hasFailed, Live, resultText } from "../../src/cli/bench/report.ts";
import { readArgs, UsageError } from "../../src/cli/command.ts";
import { Figures } from "../../src/client/load/figures.ts";
import { LOAD_KINDS, type LoadKind, type LoadOptions, type LoadResult } from "../../src/client/load/mod.ts";
import { HeaderEncoding } from "../../src/protocol/codes.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../../src/std.ts";

async function read(kind: LoadKind, ...args: string[]): Promise<LoadOptions> {
  return await optionsOf(kind, readArgs({ flags: flagsOf(kind) }, args));
}

Deno.test("every kind of measurement is a command, and tells what its flags are when not given", () => {
  for (const kind of LOAD_KINDS) {
    const { flags } = bench.find(kind)!;
    const help = (name: string) => flags.find((flag) => flag.name === name)?.help;
    assertStringIncludes(help("connections")!, "(4)");
    assertEquals(help("rate")?.endsWith(kind === "e2e" ? "(1000)" : "(0)"), kind === "pull" ? undefined : true);
    assertEquals(help("batch-size") !== undefined, kind === "batch");
    assertEquals([help("from") !== undefined, help("max") !== undefined], [
      kind === "pull",
      kind === "pull" || kind === "e2e",
    ]);
  }
  assertEquals(bench.find("receive"), undefined);
});

Deno.test("flags become what to do", async () => {
  const send = await read(
    "send",
    "-b",
    "h:1",
    "--rate",
    "500",
    "--wait-store",
    "false",
    "--delay-level=3",
    "--queues",
    "7",
  );
  assertEquals([send.target, send.topic, send.group], [{ broker: "h:1" }, "Bench", "rocketd_bench"]);
  assertEquals([send.rate, send.waitStored, send.delayLevel, send.queues], [500, false, 3, 7]);
  assertEquals([send.connections, send.inFlight, send.bodyBytes, send.encoding], [
    4,
    64,
    1024,
    HeaderEncoding.ROCKETMQ,
  ]);
  const pull = await read("pull", "--namesrv-addr", "a:1;b:2", "-t", "T", "-g", "G", "--from", "17", "--encoding=json");
  assertEquals([pull.target, pull.topic, pull.group], [{ nameservers: "a:1;b:2" }, "T", "G"]);
  assertEquals([pull.from, pull.pullMax, pull.encoding], [17, 32, HeaderEncoding.JSON]);
  const e2e = await read("e2e", "-b", "h:1");
  assertEquals([e2e.rate, e2e.seconds, e2e.drainSeconds, e2e.messages], [1000, 10, 10, undefined]);
});

Deno.test("a run ends after ten seconds, unless something else ends it", async () => {
  const secondsOf = async (kind: LoadKind, ...args: string[]) => (await read(kind, "-b", "h:1", ...args)).seconds;
  assertEquals(await secondsOf("send"), 10);
  assertEquals(await secondsOf("send", "--messages", "5"), undefined);
  assertEquals(await secondsOf("send", "--messages", "5", "--seconds", "3"), 3);
  assertEquals(await secondsOf("pull"), undefined);
  assertEquals(await secondsOf("pull", "--from", "last"), 10);
});

Deno.test("flags that do not go together or are out of range are refused", async () => {
  const wrong: [kind: LoadKind, args: string[], told: string][] = [
    ["send", ["-b", "h:1", "-n", "h:2"], "exclude each other"],
    ["send", ["--connections", "0"], "--connections"],
    ["send", ["--wait-store", "maybe"], "expected true or false"],
    ["send", ["-t", "a b"], "--topic"],
    ["pull", ["--from", "middle"], "expected first, last or an offset"],
    ["e2e", ["--size", "10"], "at least 24"],
    ["batch", ["--size", "1000000", "--batch-size", "5"], "a batch may have"],
  ];
  for (const [kind, args, told] of wrong) {
    assertStringIncludes((await assertRejects(() => read(kind, ...args), UsageError)).message, told);
  }
});

const RESULT: LoadResult = {
  kind: "e2e",
  target: "h:1",
  topic: "T",
  group: "rocketd_bench",
  connections: 4,
  queues: 4,
  inFlight: 64,
  encoding: "ROCKETMQ",
  answered: 2000,
  failed: {},
  unanswered: 0,
  behind: 0,
  connectionsLost: 0,
  messages: 2000,
  bytes: 2_048_000,
  seconds: 2,
  perSecond: 1000,
  mibPerSecond: 0.977,
  latencyMs: { p50: 0.5, p90: 1, p99: 2, p999: 3, max: 4, mean: 0.6 },
  sendLatencyMs: { p50: 0.4, p90: 1, p99: 2, p999: 3, max: 4, mean: 0.5 },
  lost: 0,
  doubled: 0,
  clientCpuSeconds: 0.2,
  problems: [],
};

Deno.test("a result is told in words, and what went wrong decides the exit code", () => {
  const text = resultText(RESULT);
  for (
    const part of [
      "1,000 messages a second",
      "1.0 MiB/s",
      "10 % of a core",
      "p99.9 3.00",
      "latency of a send: p50 0.40",
    ]
  ) {
    assertStringIncludes(text, part);
  }
  assertEquals(text.split("\n").length, 4);
  const wrong: [some: Partial<LoadResult>, told: string][] = [
    [{ failed: { 2: 17 } }, "17 refused: SYSTEM_BUSY"],
    [{ unanswered: 3 }, "3 requests were not answered"],
    [{ connectionsLost: 1 }, "1 connections were lost"],
    [{ lost: 5 }, "5 messages were acknowledged and did not arrive"],
  ];
  for (const [some, told] of wrong) {
    assertStringIncludes(resultText({ ...RESULT, ...some }), told);
    assert(hasFailed({ ...RESULT, ...some }), told);
  }
  const harmless = { ...RESULT, behind: 4, doubled: 2, problems: ["bad\x1b[31m"] };
  assertEquals(hasFailed(harmless), false);
  for (const part of ["4 requests were due", "2 messages arrived more than once", "bad\\x1b"]) {
    assertStringIncludes(resultText(harmless), part);
  }
});

Deno.test("a line tells how a run goes", () => {
  const figures = new Figures();
  const live = new Live(figures);
  figures.messages = 1234;
  figures.refuse(2);
  figures.latencies.add(0.2);
  const line = live.line();
  for (const part of ["1,234 messages", "overall", "p99 0.20 ms", "1 refused"]) assertStringIncludes(line, part);
});
