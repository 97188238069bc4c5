/**
 * The program as a shell sees it: exit codes and lines.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../src/std.ts";
import { VERSION } from "../../src/version.ts";
import denoJson from "../../deno.json" with { type: "json" };

const PROGRAM = Deno.env.get("ROCKETD_BIN") ?? new URL("../../scripts/rocketd", import.meta.url).pathname;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function command(args: readonly string[]): Deno.Command {
  const env = { DENO: Deno.execPath(), NO_COLOR: "1", NAMESRV_ADDR: "" };
  return new Deno.Command(PROGRAM, { args: [...args], env, stdin: "null", stdout: "piped", stderr: "piped" });
}

async function rocketd(...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await command(args).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("rocketd --version tells the version of deno.json", async () => {
  const { code, out } = await rocketd("--version");
  assertEquals([code, VERSION], [0, denoJson.version]);
  assertMatch(out, /^rocketd \d+\.\d+\.\d+ \(deno [\d.]+, [\w-]+\)\n/);
  assertStringIncludes(out, VERSION);
});

Deno.test("rocketd --help names the commands, and each command's --help its flags", async () => {
  const { code, out, err } = await rocketd("--help");
  assertEquals([code, err], [0, ""]);
  for (const word of ["--role", "--config", "--set", "check-config", "--version"]) assertStringIncludes(out, word);
  const one = await rocketd("check-config", "--help");
  assertEquals([one.code, one.err], [0, ""]);
  assertStringIncludes(one.out, "Usage: rocketd check-config FILE [flags]");
});

for (
  const [args, line] of [
    [[], "--role ROLE[,ROLE] is missing"],
    [["--role", "broker"], '--role "broker": expected nameserver, master, slave'],
    [["--role", "master", "--st", "a=b"], "unknown flag --st: did you mean --set?"],
    [["chek-config"], 'unknown command "chek-config": did you mean check-config?'],
    [["check-config", "--role", "master"], "expected one FILE"],
    [
      ["--role", "master", "--set", "flushDiskTyp=x"],
      'flushDiskTyp = "x" is not a setting: did you mean flushDiskType?',
    ],
    [
      ["--role", "nameserver", "--set", "listenPort=99999"],
      'listenPort "99999": expected a whole number from 0 to 65535',
    ],
    [["--role", "nameserver,master", "--set", "listenPort=1"], "expected nameserver.listenPort or broker.listenPort"],
    [["--role", "master", "--config", "/nonexistent/a.yaml"], "/nonexistent/a.yaml: Cannot read the file"],
  ] as const
) {
  Deno.test(`wrong usage ends with exit code 2 and one line: rocketd ${args.join(" ")}`, async () => {
    const { code, out, err } = await rocketd(...args);
    assertEquals([code, out, err.trimEnd().split("\n").length], [2, "", 1], err);
    assertStringIncludes(err, line);
  });
}

Deno.test("rocketd check-config names every mistake with line and column, and says when there is none", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const file = `${dir}/broker.yaml`;
    await Deno.writeTextFile(file, "brokerName: a\nlistenPort: many\nflushDiskType: LATER\n");
    const bad = await rocketd("check-config", file, "--role", "master");
    assertEquals([bad.code, bad.err.trimEnd().split("\n").map((line) => line.split(" ")[0])], [
      2,
      [`${file}:2:13:`, `${file}:3:16:`],
    ]);
    await Deno.writeTextFile(file, "brokerName: a\n");
    assertEquals(await rocketd("check-config", file, "--role", "master"), {
      code: 0,
      out: `${file}: good for --role master\n`,
      err: "",
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** Reads lines of a running node until one matches. */
async function lineMatching(lines: ReadableStreamDefaultReader<string>, pattern: RegExp): Promise<RegExpExecArray> {
  let seen = "";
  while (true) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`The node ended without a line like ${pattern}:\n${seen}`);
    seen += value;
    const found = pattern.exec(seen);
    if (found) return found;
  }
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`a nameserver says when it is ready, and ${signal} ends it with exit code 0`, async () => {
    const home = await Deno.makeTempDir();
    const sets = ["listenPort=0", "bindAddress=127.0.0.1", `storePathRootDir=${home}`];
    const node = command(["--role", "nameserver", ...sets.flatMap((text) => ["--set", text])]).spawn();
    const lines = node.stderr.pipeThrough(new TextDecoderStream()).getReader();
    try {
      const [, port] = await lineMatching(lines, /rocketd nameserver ready on 127\.0\.0\.1:(\d+)\n/);
      const taken = await rocketd(
        "--role",
        "nameserver",
        "--set",
        `listenPort=${port}`,
        "--set",
        "bindAddress=127.0.0.1",
        "--set",
        "httpListen=0",
      );
      assertEquals(taken.code, 1);
      assert(taken.err.includes(`${port} (listenPort)`), taken.err);
    } finally {
      node.kill(signal);
      while (!(await lines.read()).done);
      await node.stdout.cancel();
      assertEquals((await node.status).code, 0);
      await Deno.remove(home, { recursive: true });
    }
  });
}
