/**
 * Promise 4: the program may not run programs nor load native code, whatever reaches it.
 *
 * @module
 */
import { assert, assertMatch } from "../../src/std.ts";

const program = Deno.env.get("ROCKETD_BIN") ?? new URL("../../scripts/rocketd", import.meta.url).pathname;

Deno.test("rocketd has no permission to run programs or to load native code", async () => {
  const { code, stdout } = await new Deno.Command(program, { args: ["--version"] }).output();
  const text = new TextDecoder().decode(stdout);
  assert(code === 0, text);
  assertMatch(text, /^may not: .*\brun\b.*\bffi\b/m);
  assertMatch(text, /^may: .*\bnet\b/m);
});
