/**
 * What a node writes for systemd's journal.
 *
 * @module
 */
import { assertEquals, assertMatch } from "../../src/std.ts";

const SCRIPT = `
  import { logger, setup } from "${new URL("../../src/logging/mod.ts", import.meta.url)}";
  await setup({ level: "info" });
  logger("a").info("one");
  logger("a").warn("two");
  logger("a").error("three");
`;

/** What the script logs to a file; `journal` gives JOURNAL_STREAM for that file. */
async function logged(journal: (file: Deno.FileInfo) => string): Promise<string[]> {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/log`;
    await Deno.writeTextFile(path, "");
    await Deno.writeTextFile(`${dir}/script.ts`, SCRIPT);
    const { code } = await new Deno.Command("sh", {
      args: [
        "-c",
        'exec "$@" 2>>"$0"',
        path,
        Deno.execPath(),
        "run",
        "-A",
        "--quiet",
        "--no-check",
        "--config",
        configPath,
      ]
        .concat(`${dir}/script.ts`),
      env: { JOURNAL_STREAM: journal(await Deno.stat(path)) },
    }).output();
    assertEquals(code, 0, await Deno.readTextFile(path));
    return (await Deno.readTextFile(path)).trimEnd().split("\n");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const configPath = new URL("../../deno.json", import.meta.url).pathname;

Deno.test("lines for the journal begin with their level", async () => {
  const lines = await logged(({ dev, ino }) => `${dev}:${ino}`);
  assertEquals(lines.map((line) => line.slice(0, 3)), ["<6>", "<4>", "<3>"]);
  assertMatch(lines[1]!, /^<4>\S+ WARN a two$/);
});

Deno.test("lines that go elsewhere do not, though JOURNAL_STREAM was inherited", async () => {
  const lines = await logged(({ dev, ino }) => `${dev}:${(ino ?? 0) + 1}`);
  assertMatch(lines[1]!, /^\S+ WARN a two$/);
});
