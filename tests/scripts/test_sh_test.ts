/**
 * `scripts/test` in small projects of its own: a gate must be seen to close.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "../../src/std.ts";

const SCRIPTS = new URL("../../scripts/", import.meta.url).pathname;

/** Runs `scripts/test --fast` in a project of the given files. */
async function gate(files: Record<string, string>, ...args: string[]): Promise<{ passes: boolean; lines: string[] }> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/scripts/lib`, { recursive: true });
    await Deno.mkdir(`${root}/tests`);
    for (const name of ["test", "lib/deno.sh"]) await Deno.copyFile(SCRIPTS + name, `${root}/scripts/${name}`);
    for (const [name, text] of Object.entries({ "deno.json": "{}\n", ...files })) {
      await Deno.writeTextFile(`${root}/${name}`, text);
    }
    const { success, stdout, stderr } = await new Deno.Command(`${root}/scripts/test`, {
      args: ["--fast", ...args],
      env: { DENO: Deno.execPath() },
    }).output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    return { passes: success, lines: text.trimEnd().split("\n") };
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** A module whose example works; its only word tells whether it throws. */
const EXAMPLE = `/** A module.
 *
 * @module
 */

/**
 * A number.
 *
 * @example
 * \`\`\`ts
 * const thrown = 0;
 * if (thrown > 0) throw new Error("as it should");
 * \`\`\`
 */
export const a = 1;
`;

function verdict(lines: string[]): string[] {
  return lines.filter((line) => /^\d+ passed, \d+ failed(, \d+ skipped)?$/.test(line));
}

const PASSING = 'Deno.test("passes", async (test) => {\n  await test.step("in a step", () => {});\n});\n';
const IGNORED = 'Deno.test({ name: "is ignored", ignore: true, fn: () => {} });\n';
const FAILING = 'Deno.test("fails", () => {\n  throw new Error("as it should");\n});\n';

Deno.test("scripts/test passes and counts what passed and what was skipped", async () => {
  const { passes, lines } = await gate({
    "tests/a_test.ts": PASSING + IGNORED,
    "tests/b_test.ts": PASSING,
    "mod.ts": EXAMPLE,
  });
  assertEquals([passes, ...verdict(lines)], [true, "3 passed, 0 failed, 1 skipped"], lines.join("\n"));
});

Deno.test("scripts/test counts also where tests print what is no text", async () => {
  const prints = 'Deno.test("prints", () => {\n  Deno.stdout.writeSync(new Uint8Array([10, 0, 255, 10]));\n});\n';
  const { passes, lines } = await gate({ "tests/a_test.ts": PASSING + prints });
  assertEquals([passes, ...verdict(lines)], [true, "2 passed, 0 failed"], lines.join("\n"));
});

for (
  const [what, files, expected] of [
    ["a test fails", { "tests/a_test.ts": PASSING + FAILING }, "1 passed, 1 failed"],
    ["a test file cannot be loaded", { "tests/a_test.ts": 'import "./missing.ts";\n' }, "0 passed, 2 failed"],
    ["a test file fails outside its tests", {
      "tests/a_test.ts": PASSING,
      "tests/b_test.ts": 'throw new Error("as it should");\n',
    }, "1 passed, 1 failed"],
    ["a test ends the process", { "tests/a_test.ts": 'Deno.kill(Deno.pid, "SIGKILL");\n' }, "0 passed, 1 failed"],
    ["a file is not formatted", { "tests/a_test.ts": PASSING, "b.ts": "const   a = 1;\na;\n" }, "1 passed, 1 failed"],
    ["lint complains", { "tests/a_test.ts": PASSING, "b.ts": "debugger;\n" }, "1 passed, 1 failed"],
    ["types are wrong", {
      "tests/a_test.ts": PASSING,
      "b.ts": 'export const a: number = "1";\n',
    }, "1 passed, 1 failed"],
    ["something is not documented", {
      "tests/a_test.ts": PASSING,
      "mod.ts": "export const a = 1;\n",
    }, "1 passed, 1 failed"],
    ["an example fails", {
      "tests/a_test.ts": PASSING,
      "mod.ts": EXAMPLE.replace("thrown = 0", "thrown = 1"),
    }, "1 passed, 1 failed"],
    ["no test is run", { "tests/a.ts": "export {};\n" }, "0 passed, 1 failed"],
    ["all tests are skipped", { "tests/a_test.ts": IGNORED }, "0 passed, 1 failed, 1 skipped"],
  ] as const
) {
  Deno.test(`scripts/test fails when ${what}`, async () => {
    const { passes, lines } = await gate(files);
    assertEquals([passes, ...verdict(lines)], [false, expected], lines.join("\n"));
  });
}

Deno.test("scripts/test runs only the tests it is given, with the options it is given", async () => {
  const files = { "tests/a_test.ts": PASSING, "tests/b_test.ts": FAILING };
  const one = await gate(files, "tests/a_test.ts");
  assertEquals([one.passes, ...verdict(one.lines)], [true, "1 passed, 0 failed"], one.lines.join("\n"));
  const filtered = await gate(files, "--filter", "passes");
  assertEquals([filtered.passes, ...verdict(filtered.lines)], [true, "1 passed, 0 failed"], filtered.lines.join("\n"));
});

Deno.test("scripts/test refuses a path that is not there", async () => {
  const { passes, lines } = await gate({ "tests/a_test.ts": PASSING }, "tests/c_test.ts");
  assertEquals(passes, false);
  assertStringIncludes(lines.join("\n"), "no such test: tests/c_test.ts");
});
