/**
 * `rocketd produce`, `rocketd consume` and `rocketd bench` as a shell uses them, against real nodes of ours.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../src/std.ts";
import { startRocketd } from "../launch.ts";

const program = Deno.env.get("ROCKETD_BIN") ?? new URL("../../scripts/rocketd", import.meta.url).pathname;
const decoder = new TextDecoder();
/** After so long nothing more comes: a consumer that has only begun must have had its first messages before. */
const QUIET_MS = "4000";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function rocketd(args: readonly string[], { input = "", env = {} } = {}): Promise<Ended> {
  const child = new Deno.Command(program, { args: [...args], env, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const lines = (text: string) => text.split("\n").filter((line) => line !== "").sort();

Deno.test("The shell's clients send and receive", async (t) => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  await using master = await startRocketd({ role: "master", namesrvAddr: nameserver.address });
  const namesrv = `--namesrv=${nameserver.address}`;

  await t.step("produce sends its arguments, consume prints them", async () => {
    const sent = await rocketd(["produce", namesrv, "--topic", "Args", "one", "two", "--", "--three"]);
    assertEquals([sent.code, sent.out], [0, ""], sent.err);
    assertStringIncludes(sent.err, "3 sent");
    const got = await rocketd(["consume", namesrv, "--topic", "Args", "--group", "args", "--count", "3"]);
    assertEquals([got.code, lines(got.out)], [0, ["--three", "one", "two"]], got.err);
  });

  await t.step("produce sends each line of its input, and a group reads each once", async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `line ${i} äöü`);
    const input = many.join("\n") + "\n";
    const env = { NAMESRV_ADDR: nameserver.address };
    const sent = await rocketd(["produce", "-t", "Lines"], { input, env });
    assertEquals(sent.code, 0, sent.err);
    assertStringIncludes(sent.err, "3000 sent");
    const half = await rocketd(["consume", "-t", "Lines", "-g", "lines", "--count", "1000"], { env });
    const rest = await rocketd(["consume", "-t", "Lines", "-g", "lines", "--count", "2000"], { env });
    assertEquals([half.code, rest.code], [0, 0], half.err + rest.err);
    assertEquals(lines(half.out + rest.out), [...many].sort());
  });

  await t.step("produce says which line it could not send", async () => {
    const sent = await rocketd(["produce", namesrv, "-t", "Lines"], { input: "one\n\nthree\n" });
    assertEquals(sent.code, 1);
    assertMatch(sent.err, /^rocketd produce: message 2: /m);
  });

  await t.step("consume ends when its reader goes, and what nobody read is left for the group", async () => {
    const env = { NAMESRV_ADDR: nameserver.address };
    const input = Array.from({ length: 3000 }, (_, i) => `row ${i}`).join("\n") + "\n";
    assertEquals((await rocketd(["produce", "-t", "Rows"], { input, env })).code, 0);
    const line = `${program} consume -t Rows -g rows | head -n 1`;
    const { code } = await new Deno.Command("timeout", { args: ["120", "sh", "-c", line], env }).output();
    assertEquals(code, 0);
    const rest = await rocketd(["consume", "-t", "Rows", "-g", "rows", "--timeout", QUIET_MS], { env });
    assert(lines(rest.out).length > 1000, `${lines(rest.out).length} were left`);
  });

  await t.step("tags choose, and --json tells all fields", async () => {
    const [red, blue] = [["--tag", "red", "--key", "k1", "--key", "k2", "--json"], ["--tag", "blue"]];
    const sent = await rocketd(["produce", namesrv, "--topic", "Colours", ...red, "r"]);
    assertEquals((await rocketd(["produce", namesrv, "--topic", "Colours", ...blue, "b"])).code, 0);
    const { uniqueKey, queueId, queueOffset, status } = JSON.parse(sent.out);
    assertEquals(status, "SEND_OK");
    const choice = ["--tag", "red || green", "--json", "--timeout", QUIET_MS];
    const got = await rocketd(["consume", namesrv, "--topic", "Colours", "--group", "colours", ...choice]);
    assertEquals([got.code, lines(got.out).length], [0, 1], got.err + got.out);
    const message = JSON.parse(got.out);
    assertEquals([message.body, message.tag, message.keys, message.topic], ["r", "red", ["k1", "k2"], "Colours"]);
    assertEquals([message.uniqueKey, message.queueId, message.queueOffset], [uniqueKey, queueId, queueOffset]);
  });

  await t.step("consume ends with 1 when too little came", async () => {
    const args = ["--topic", "Args", "--group", "late", "--count", "4", "--timeout", QUIET_MS];
    const got = await rocketd(["consume", namesrv, ...args]);
    assertEquals([got.code, lines(got.out).length], [1, 3], got.err);
    assertStringIncludes(got.err, "3 of 4 messages");
  });

  await t.step("a signal ends consume in order", async () => {
    const args = ["consume", namesrv, "--topic", "Args", "--group", "signalled"];
    const child = new Deno.Command(program, { args, stdout: "piped", stderr: "null" }).spawn();
    const reader = child.stdout.getReader();
    let out = "";
    while (lines(out).length < 3) out += decoder.decode((await reader.read()).value);
    child.kill("SIGTERM");
    while (!(await reader.read()).done);
    assertEquals((await child.status).code, 0);
    assertEquals(lines(out), ["--three", "one", "two"]);
    // It committed where it stood: at most the message in hand comes again.
    const rest = await rocketd(["consume", namesrv, "--topic", "Args", "--group", "signalled", "--timeout", "800"]);
    assertEquals([rest.code, lines(rest.out).length <= 1], [0, true], rest.out);
  });

  await t.step("bench send measures", async () => {
    const got = await rocketd(["bench", "send", "--broker", master.address, "--seconds", "1", "--json"]);
    assertEquals(got.code, 0, got.err + got.out);
    const { answered, failed, latencyMs } = JSON.parse(got.out);
    assertEquals([answered > 100, failed, latencyMs.p50 <= latencyMs.p99], [true, {}, true]);
  });
});

Deno.test("The shell's clients say what is wrong", async () => {
  const nowhere = "--namesrv=127.0.0.1:1";
  const unreachable = await rocketd(["produce", nowhere, "--topic", "T", "x"]);
  assertEquals(unreachable.code, 1);
  assertMatch(unreachable.err, /^rocketd produce: .*127\.0\.0\.1:1/m);
  const wrong: [args: string[], told: string][] = [
    [["produce", "x"], "--topic TOPIC is missing"],
    [["consume", "--topic", "T"], "--group GROUP is missing"],
    [["consume", "--topic", "T", "--group", "g", "--from", "middle"], '--from "middle": expected first or last'],
    [["consume", "--topic", "T", "--group", "g", "--count", "0"], '--count "0"'],
    [["bench", "receive", "--broker", "h:1"], 'unknown command "receive"'],
    [["bench", "send", "--broker", "h:1", "--encoding", "xml"], '--encoding "xml": expected binary or json'],
  ];
  for (const [args, told] of wrong) {
    const { code, err } = await rocketd(args);
    assertEquals(code, 2, args.join(" "));
    assertStringIncludes(err, told);
  }
});
