/**
 * The scripts that complete commands in a shell, run by that shell.
 *
 * @module
 */
import { admin } from "../../src/cli/admin.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";

const PROGRAM = Deno.env.get("ROCKETD_BIN") ?? new URL("../../scripts/rocketd", import.meta.url).pathname;
const decoder = new TextDecoder();

async function output(command: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args }).output();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

async function has(shell: string): Promise<boolean> {
  return await new Deno.Command(shell, { args: ["-c", ":"] }).output().then(({ success }) => success, () => false);
}

/** Runs completion as bash does: `=` is a word of its own. */
const BASH_PROBE = `source "$0"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _rocketd; printf '%s\\n' "\${COMPREPLY[@]}"`;

Deno.test({ name: "bash completes commands, flags and values", ignore: !await has("bash") }, async () => {
  const { code, out: script } = await output(PROGRAM, "completion", "bash");
  assertEquals(code, 0);
  const file = await Deno.makeTempFile({ prefix: "rocketd-completion-" });
  try {
    await Deno.writeTextFile(file, script);
    const complete = async (...words: string[]) => {
      const { code, out, err } = await output("bash", "-c", BASH_PROBE, file, "rocketd", ...words);
      assertEquals([code, err], [0, ""], words.join(" "));
      return out.split("\n").filter((line) => line !== "");
    };
    assertEquals(await complete("co"), ["consume", "completion"]);
    assertEquals(await complete("admin", "topicL"), ["topicList"]);
    assertEquals(await complete("admin", "TOPICROUTE", "--top"), ["--topic"]);
    assertEquals(await complete("admin", "updateTopic", "-o", ""), ["true", "false"]);
    assertEquals(await complete("admin", "updateTopic", "--perm", "=", ""), ["2", "4", "6"]);
    assertEquals(await complete("--role", "=", "ma"), ["master"]);
    assertEquals(await complete("consume", "--from", ""), ["first", "last"]);
    assertEquals(await complete("completion", "z"), ["zsh"]);
    assertEquals(await complete("check-config", file.slice(0, -1)), [file]);
    assertEquals(await complete("produce", "--topic", ""), []);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("both scripts know every command of rocketd admin", async () => {
  const names = admin.sections.flatMap(({ commands }) => commands.map(({ name }) => name.replace("admin ", "")));
  assert(names.length > 50);
  for (const shell of ["bash", "zsh"]) {
    const { out } = await output(PROGRAM, "completion", shell);
    for (const name of names) assertStringIncludes(out, name, shell);
  }
});

Deno.test({ name: "zsh can read its script", ignore: !await has("zsh") }, async () => {
  const { out: script } = await output(PROGRAM, "completion", "zsh");
  const { code, err } = await output("zsh", "-fc", `eval "checked() { $1 }"`, "zsh", script);
  assertEquals([code, err], [0, ""]);
});

Deno.test("another shell is refused", async () => {
  for (const args of [[], ["fish"], ["bash", "zsh"]]) {
    const { code, err } = await output(PROGRAM, "completion", ...args);
    assertEquals(code, 2);
    assertStringIncludes(err, "expected which shell: bash or zsh");
  }
});
