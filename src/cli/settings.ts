/**
 * `rocketd settings`: prints every setting of a role with its value and what it is for, as a file of settings.
 *
 * @module
 */
import { partOf, type Setting, TABLES } from "../config/mod.ts";
import { type Command, UsageError } from "./command.ts";
import { print } from "./output.ts";
import { CONFIG_FLAG, ROLE_FLAG, rolesOf, SET_FLAG, settingsOf } from "./role_flags.ts";

export const settingsCommand: Command = {
  name: "settings",
  summary: "Print every setting with its value and what it is for, as a file of settings",
  flags: [ROLE_FLAG, CONFIG_FLAG, SET_FLAG],
  notes: [
    "A setting that is marked with (*) can be changed while the node runs, until its next start: " +
    "rocketd admin updateBrokerConfig and updateNamesrvConfig, and mqadmin's, do that.",
    "Secrets are left out.",
  ],
  run: async (args) => {
    const roles = rolesOf(args.text("role") ?? "");
    const [role, more] = roles;
    if (role === undefined || more !== undefined) throw new UsageError("expected one role: each has a file of its own");
    const loaded = await settingsOf(args, roles, "rocketd settings");
    if (loaded === undefined) return 2;
    const part = partOf(role);
    const values = new Map<string, unknown>(Object.entries(loaded.settings[part] ?? {}));
    const open = Object.entries(TABLES[part]).filter(([, { secret }]) => secret !== true);
    await print(open.map(([name, setting]) => settingText(name, setting, values.get(name))).join(""));
    return 0;
  },
};

function settingText(key: string, { help, allowed, hot, format }: Setting<unknown>, value: unknown): string {
  const text = format(value);
  const plain = /^[\w./-]+$/.test(text) ? text : JSON.stringify(text);
  return `# ${help}\n#   ${hot ? "(*) " : ""}${allowed}\n${key}: ${plain}\n`;
}
