/**
 * `rocketd check-config`: says every mistake in a file of settings, with its line, and starts nothing.
 *
 * @module
 */
import { loadSettings, problemLine } from "../config/mod.ts";
import { type Command, UsageError } from "./command.ts";
import { complain, print } from "./output.ts";
import { ROLE_FLAG, rolesOf, SET_FLAG } from "./role_flags.ts";

export const checkConfig: Command = {
  name: "check-config",
  summary: "Say every mistake in a file of settings, with line and column",
  operands: "FILE",
  flags: [ROLE_FLAG, SET_FLAG],
  notes: ["The exit code is 0 when the file is good, 2 when it is not."],
  run: async (args) => {
    const [file, more] = args.operands;
    if (file === undefined || more !== undefined) throw new UsageError("expected one FILE");
    const roles = rolesOf(args.text("role") ?? "");
    const loaded = await loadSettings({ roles, file, sets: args.all("set"), env: Deno.env.toObject() });
    if (!loaded.ok) {
      await complain(loaded.problems.map((problem) => `${problemLine(problem, file)}\n`).join(""));
      return 2;
    }
    await print(loaded.warnings.map((warning) => `${file}: ${warning}\n`).join(""));
    await print(`${file}: good for --role ${roles.join(",")}\n`);
    return 0;
  },
};
