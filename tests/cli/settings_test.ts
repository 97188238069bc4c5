/**
 * `rocketd settings`.
 *
 * @module
 */
import { settingsCommand } from "../../src/cli/settings.ts";
import { checkSettings, loadSettings, TABLES } from "../../src/config/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";

/** What the program prints with these arguments, and its exit code. */
async function printed(args: string[], env: Record<string, string> = {}) {
  const program = Deno.env.get("ROCKETD_BIN") ?? new URL("../../scripts/rocketd", import.meta.url).pathname;
  const command = new Deno.Command(program, { args: [settingsCommand.name, ...args], env });
  const { code, stdout, stderr } = await command.output();
  const [out = "", err = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err };
}

Deno.test("rocketd settings prints a file that says what is so already, with each setting's meaning", async () => {
  const roles = ["slave"] as const;
  const sets = ["storePathRootDir=/a \\b:#c", "namesrvAddr=a:1;b:2"];
  const account = { ROCKETD_ACCESS_KEY: "somebody", ROCKETD_SECRET_KEY: "not-to-be-seen" };
  const { code, out, err } = await printed(["--role", roles.join(), ...sets.flatMap((set) => ["--set", set])], account);
  assertEquals([code, err], [0, ""]);
  const env = Deno.env.toObject();
  const withoutKey = out.replace(/^.*aclAccessKey: .*$/m, "");
  const [again, plain] = [
    checkSettings(withoutKey, { roles, file: "a.yaml", env }),
    await loadSettings({ roles, sets, env: { ...env, ...account } }),
  ];
  assert(again.ok && plain.ok, JSON.stringify(again));
  const open = { ...plain.settings, broker: { ...plain.settings.broker!, aclAccessKey: "", aclSecretKey: "" } };
  assertEquals([again.settings, again.warnings], [open, []]);
  assertEquals(out.includes("not-to-be-seen"), false);
  const names = Object.entries(TABLES.broker).filter(([, { secret }]) => !secret).map(([name]) => name);
  assertEquals(out.split("\n").filter((line) => /^\w/.test(line)).map((line) => line.split(":")[0]), names);
});

Deno.test("rocketd settings marks what may change while the node runs, and names mistakes", async () => {
  const { out } = await printed(["--role", "master"]);
  assertStringIncludes(
    out,
    "# hours that messages are kept\n#   (*) a whole number of at least 1\nfileReservedTime: 72\n",
  );
  assertStringIncludes(out, "# folder of the store\n#   a path\nstorePathRootDir: ");
  assertEquals((await printed(["--role", "master,nameserver"])).code, 2);
  const wrong = await printed(["--role", "master", "--set", "listenPort=x"]);
  assertEquals([wrong.code, wrong.out], [2, ""]);
  assertStringIncludes(wrong.err, 'rocketd settings: --set: listenPort "x": expected a whole number');
});
