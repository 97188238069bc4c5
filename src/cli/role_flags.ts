/**
 * The flags that say what a node is and how it is set up, shared by starting one and by checking a file.
 *
 * @module
 */
import { type Loaded, loadSettings, problemLine, type Role, ROLES } from "../config/mod.ts";
import { type Args, type Flag, UsageError } from "./command.ts";
import { complain } from "./output.ts";

export const ROLE_FLAG: Flag = {
  name: "role",
  value: "ROLE[,ROLE]",
  words: ROLES,
  help: `what the node is: ${ROLES.join(", ")}; several are joined by commas`,
  required: true,
};

export const CONFIG_FLAG: Flag = {
  name: "config",
  value: "FILE",
  help: "settings: YAML, or broker.conf's form if named .conf or .properties",
};

export const SET_FLAG: Flag = {
  name: "set",
  value: "KEY=VALUE",
  help: "a setting, before what environment and file say",
  repeats: true,
};

/** Reads the value of `--role`. */
export function rolesOf(text: string): Role[] {
  const roles = text.split(",").map((name) => {
    const role = ROLES.find((known) => known === name.trim());
    if (role) return role;
    throw new UsageError(`--role ${JSON.stringify(text)}: expected ${ROLES.join(", ")}, or several joined by commas`);
  });
  if (new Set(roles).size < roles.length) {
    throw new UsageError(`--role ${JSON.stringify(text)}: expected each role only once`);
  }
  if (roles.includes("master") && roles.includes("slave")) {
    throw new UsageError(`--role ${JSON.stringify(text)}: expected master or slave, not both in one process`);
  }
  return roles;
}

/** The settings that flags, file and environment give; undefined where they are wrong, and `who` has said so. */
export async function settingsOf(
  args: Pick<Args, "text" | "all">,
  roles: readonly Role[],
  who: string,
): Promise<Extract<Loaded, { ok: true }> | undefined> {
  const file = args.text("config");
  const loaded = await loadSettings({
    roles,
    ...(file !== undefined && { file }),
    sets: args.all("set"),
    env: Deno.env.toObject(),
  });
  if (loaded.ok) return loaded;
  await complain(loaded.problems.map((problem) => `${who}: ${problemLine(problem, file)}\n`).join(""));
  return undefined;
}
