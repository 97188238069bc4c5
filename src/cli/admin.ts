/**
 * `rocketd admin COMMAND`: what administrators do, as mqadmin does it. Flags, help and checks come from the table of
 * commands in src/client/admin.
 *
 * @module
 */
import {
  Admin,
  ADMIN_COMMANDS,
  type AdminCommand,
  type AdminResult,
  AREAS,
  findAdminCommand,
  readValues,
  resultData,
} from "../client/admin/mod.ts";
import { messageOf, RocketdError } from "../errors.ts";
import { setup } from "../logging/mod.ts";
import { CLIENT_FLAGS, clientOptions, nameserversOf, secretIn } from "./client_flags.ts";
import { type Args, type Command, type CommandGroup, type Flag, UsageError } from "./command.ts";
import { complain, print, printable } from "./output.ts";
import { resultText } from "./table.ts";

const JSON_FLAG: Flag = { name: "json", help: "print the result as one JSON object, with raw numbers" };
const YES_FLAG: Flag = { name: "yes", short: "y", help: "do it without asking" };
const TIMEOUT_FLAG: Flag = { name: "timeout", value: "MS", help: "time for each answer (5000)" };
const FILE_FLAG: Flag = {
  name: "filePath",
  short: "f",
  value: "DIR",
  help: "write it into this folder, under the name that mqadmin gives it, instead of to standard output",
};
const INTERVAL_FLAG: Flag = { name: "interval", short: "i", value: "S", help: "show it again after so many seconds" };
/** Longest time for an answer, ms, and between two showings, s. */
const TIMEOUT_MS_MAX = 3_600_000;
const INTERVAL_S_MAX = 86_400;

/** `rocketd admin`. */
export const admin: CommandGroup = {
  name: "admin",
  summary: "Look after a cluster, as mqadmin does",
  sections: AREAS.map((area) => ({
    title: area,
    commands: ADMIN_COMMANDS.filter((command) => command.area === area).map(commandOf),
  })).filter(({ commands }) => commands.length > 0),
  notes: [
    "Names and letters are mqadmin's; capitals do not matter in names. A command that loses something asks first, or " +
    "takes --yes. The exit code is 1 if anybody asked did not answer or refused, and 2 for wrong usage.",
  ],
  find: (name) => {
    const found = findAdminCommand(name);
    return found && commandOf(found);
  },
};

function commandOf(command: AdminCommand): Command {
  return {
    name: `admin ${command.name}`,
    summary: command.summary,
    flags: flagsOf(command),
    ...(command.notes && { notes: command.notes }),
    run: (args) => run(command, args),
  };
}

function flagsOf({ options, asks, watched, exports }: AdminCommand): Flag[] {
  const own = Object.entries(options).map(([name, { short, aliases, value, help, required, words }]): Flag => ({
    name,
    ...(short !== undefined && { short }),
    ...(aliases && { aliases: aliases.filter((one) => one !== name) }),
    ...(value !== undefined && { value }),
    help,
    ...(required && { required }),
    ...(words && { words }),
  }));
  return [
    ...own,
    ...(watched ? [INTERVAL_FLAG] : []),
    ...(asks ? [YES_FLAG] : []),
    ...(exports === undefined ? [] : [FILE_FLAG]),
    JSON_FLAG,
    TIMEOUT_FLAG,
    ...CLIENT_FLAGS,
  ];
}

async function run(command: AdminCommand, args: Args): Promise<number> {
  await setup({ level: "warn" });
  const timeoutMs = args.int(TIMEOUT_FLAG.name, { min: 1, max: TIMEOUT_MS_MAX });
  const seconds = args.int(INTERVAL_FLAG.name, { min: 1, max: INTERVAL_S_MAX });
  return await asUsage(async () => {
    const values = readValues(command.options, await givenTexts(command, args));
    const question = args.has(YES_FLAG.name) ? undefined : command.asks?.(values);
    if (question !== undefined && !await agreed(question)) {
      await complain("Nothing was done.\n");
      return 1;
    }
    await using admin = new Admin({
      nameservers: nameserversOf(args),
      ...await clientOptions(args),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    for (;;) {
      const { code, isRead } = await show(command, await command.run(admin, values), args);
      if (seconds === undefined || !isRead) return code;
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      if (!args.has(JSON_FLAG.name)) await print("\n");
    }
  });
}

/** What a person or script gave and cannot be used is wrong usage, wherever it is found. */
async function asUsage(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RocketdError && error.code === "invalidArgument") throw new UsageError(error.message);
    throw error;
  }
}

async function agreed(question: string): Promise<boolean> {
  if (!Deno.stdin.isTerminal()) {
    throw new UsageError(`${question} Nobody can be asked here: expected --yes`);
  }
  await complain(`${question} [y/N] `);
  const buffer = new Uint8Array(16);
  const count = await Deno.stdin.read(buffer) ?? 0;
  return /^y(es)?$/i.test(new TextDecoder().decode(buffer.subarray(0, count)).trim());
}

/** The texts of a command's options; secrets may be in a file, or come on standard input. */
async function givenTexts({ options }: AdminCommand, args: Args): Promise<(name: string) => string | undefined> {
  const texts = new Map<string, string>();
  for (const [name, { secret }] of Object.entries(options)) {
    const text = args.text(name);
    if (text === undefined) continue;
    texts.set(name, secret && text.startsWith("@") ? await secretIn(text.slice(1), `--${name} ${text}`) : text);
  }
  return (name) => texts.get(name);
}

/** Shows a result. Gives the exit code, and whether somebody still reads what is printed. */
async function show(
  { exports }: AdminCommand,
  result: AdminResult,
  args: Args,
): Promise<{ code: number; isRead: boolean }> {
  const { parts, failures, document } = result;
  let isRead = true;
  if (document !== undefined) await putDocument(document, args.text(FILE_FLAG.name), exports ?? "document.json");
  else if (args.has(JSON_FLAG.name)) isRead = await print(`${JSON.stringify(resultData(result))}\n`);
  // Tables of nothing would hide that nobody answered.
  else if (failures.length === 0 || parts.some(({ rows }) => rows.length > 0)) isRead = await print(resultText(result));
  for (const { name, address, reason } of failures) {
    const where = `${name} ${name === address ? "" : address}`.trim();
    await complain(`${printable(`rocketd admin: ${where}: ${reason}`)}\n`);
  }
  return { code: failures.length === 0 ? 0 : 1, isRead };
}

async function putDocument(document: unknown, folder: string | undefined, name: string): Promise<void> {
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (folder === undefined) return void await print(text);
  const path = `${folder.replace(/\/+$/, "")}/${name}`;
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(path, text);
  } catch (error) {
    throw new RocketdError("disk", `Cannot write ${path}: ${messageOf(error)}`);
  }
  await print(`${path}\n`);
}
