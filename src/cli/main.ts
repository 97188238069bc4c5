/**
 * The program: finds the command, reads its flags, runs it.
 *
 * @module
 */
import { nearest } from "../config/mod.ts";
import { messageOf, RocketdError } from "../errors.ts";
import { admin } from "./admin.ts";
import { bench } from "./bench/mod.ts";
import { checkConfig } from "./check_config.ts";
import { type Command, type CommandGroup, readArgs, UsageError } from "./command.ts";
import { completion } from "./completion.ts";
import { consume } from "./consume.ts";
import { commandHelp, groupHelp, mainHelp, versionLine } from "./help.ts";
import { complain, print, printable } from "./output.ts";
import { produce } from "./produce.ts";
import { runCommand } from "./run.ts";
import { settingsCommand } from "./settings.ts";

/** All commands, in the order of the help. */
const COMMANDS: readonly (Command | CommandGroup)[] = [
  produce,
  consume,
  bench,
  admin,
  settingsCommand,
  checkConfig,
  completion(() => ({ commands: COMMANDS, flags: runCommand.flags })),
];

/** Runs `rocketd` with the arguments after its name. Gives the exit code: 0, 1 for a failure, 2 for wrong usage. */
export async function main(args: readonly string[]): Promise<number> {
  const [first] = args;
  if (first !== undefined && !first.startsWith("-")) {
    const command = COMMANDS.find(({ name }) => name === first);
    if (command && "run" in command) return await runOne(command, args.slice(1));
    if (command) return await runOneOf(command, args.slice(1));
    const names = COMMANDS.map(({ name }) => name);
    return await unknown("rocketd", first, names, `expected one of ${names.join(", ")}, or --role`);
  }
  if (wants(args, "--help", "-h")) {
    await print(mainHelp(runCommand, COMMANDS));
    return 0;
  }
  if (wants(args, "--version")) {
    await print(versionLine());
    return 0;
  }
  return await runOne(runCommand, args);
}

async function unknown(program: string, given: string, names: readonly string[], expected: string): Promise<number> {
  const guess = nearest(given, names);
  const hint = guess ? `did you mean ${guess}?` : expected;
  await complain(`${program}: unknown command ${JSON.stringify(given)}: ${hint}\n`);
  return 2;
}

async function runOneOf(group: CommandGroup, [first, ...rest]: readonly string[]): Promise<number> {
  const program = `rocketd ${group.name}`;
  if (first === undefined || (first.startsWith("-") && !wants([first], "--help", "-h"))) {
    await complain(`${program}: expected a command (${program} --help lists them)\n`);
    return 2;
  }
  // `admin help COMMAND` is how mqadmin is asked.
  if (first === "help" && rest[0] !== undefined) return await runOneOf(group, [rest[0], "--help"]);
  if (first === "help" || first.startsWith("-")) {
    await print(groupHelp(group));
    return 0;
  }
  const command = group.find(first);
  if (command) return await runOne(command, rest);
  const names = group.sections.flatMap(({ commands }) => commands.map(({ name }) => name.slice(group.name.length + 1)));
  return await unknown(program, first, names, `${program} --help lists them`);
}

/** Whether one of the spellings stands before `--`. */
function wants(args: readonly string[], ...spellings: string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).some((arg) => spellings.includes(arg));
}

async function runOne(command: Command, args: readonly string[]): Promise<number> {
  const name = `rocketd ${command.name}`.trim();
  if (wants(args, "--help", "-h")) {
    await print(commandHelp(command));
    return 0;
  }
  try {
    return await command.run(readArgs(command, args));
  } catch (error) {
    if (error instanceof UsageError) {
      await complain(`${name}: ${error.message} (${name} --help tells more)\n`);
      return 2;
    }
    if (error instanceof RocketdError) {
      // It may repeat what a peer said.
      await complain(`${name}: ${printable(error.message, "\n")}\n`);
      return error.code === "invalidSettings" ? 2 : 1;
    }
    await complain(`${name}: ${error instanceof Error ? error.stack ?? messageOf(error) : messageOf(error)}\n`);
    return 1;
  }
}
