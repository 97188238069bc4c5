/**
 * Help texts, made from the tables of commands and flags.
 *
 * @module
 */
import { VERSION } from "../version.ts";
import type { Command, CommandGroup, Flag } from "./command.ts";

/** Characters of a line, as many as terminals have at least. */
const WIDTH = 80;

/** Two columns, the second one aligned and, where it is long, in several lines. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  const indent = `\n${" ".repeat(width + 4)}`;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${wrapped(right, WIDTH - width - 4).join(indent)}`);
}

/** A text in lines of at most this width, broken at blanks; a longer word has a line of its own. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function paragraphs(notes: readonly string[]): string[] {
  return notes.flatMap((note) => wrapped(note, WIDTH));
}

function flagRow({ name, short, value, help, repeats, required }: Flag): readonly [string, string] {
  const spelling = `${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}`;
  const marks = [required ? "required" : "", repeats ? "may be repeated" : ""].filter((mark) => mark !== "");
  return [spelling, marks.length === 0 ? help : `${help} (${marks.join(", ")})`];
}

/** What `rocketd COMMAND --help` prints. */
export function commandHelp(command: Command): string {
  const operands = command.operands ? ` ${command.operands}` : "";
  const lines = [command.summary, "", `Usage: rocketd ${command.name}${operands} [flags]`, "", "Flags:"];
  lines.push(...columns([...command.flags.map(flagRow), ["-h, --help", "show this"]]));
  if (command.notes) lines.push("", ...paragraphs(command.notes));
  return `${lines.join("\n")}\n`;
}

/** What `rocketd admin --help` prints. */
export function groupHelp({ name, summary, sections, notes = [] }: CommandGroup): string {
  const rows = sections.flatMap(({ commands }) =>
    commands.map((one) => [one.name.slice(name.length + 1), one.summary] as const)
  );
  const lines = columns(rows);
  const shown = sections.flatMap(({ title, commands }) => ["", `${title}:`, ...lines.splice(0, commands.length)]);
  return `${
    [
      summary,
      "",
      `Usage: rocketd ${name} COMMAND [flags]`,
      `       rocketd ${name} COMMAND --help`,
      ...shown,
      "",
      ...paragraphs(notes),
    ].join("\n")
  }\n`;
}

/** What `rocketd --help` prints. */
export function mainHelp(run: Command, commands: readonly (Command | CommandGroup)[]): string {
  return `${
    [
      "rocketd: a RocketMQ 4.x compatible nameserver and broker in one program",
      "",
      "Usage:",
      "  rocketd --role ROLE[,ROLE] [--config FILE] [--set KEY=VALUE]...",
      "  rocketd COMMAND [flags]",
      "",
      `${run.summary}:`,
      ...columns(run.flags.map(flagRow)),
      "",
      "Commands (rocketd COMMAND --help tells more):",
      ...columns(commands.map(({ name, summary }) => [name, summary] as const)),
      "",
      "Other flags:",
      ...columns([["-h, --help", "show this"], ["--version", "show the version"]]),
      ...(run.notes ? ["", ...paragraphs(run.notes)] : []),
    ].join("\n")
  }\n`;
}

/** What `rocketd --version` prints. */
export function versionLine(): string {
  const names = ["net", "read", "write", "env", "sys", "run", "ffi"] as const;
  const may = (name: typeof names[number]) => Deno.permissions.querySync({ name }).state === "granted";
  return `rocketd ${VERSION} (deno ${Deno.version.deno}, ${Deno.build.target})\n` +
    `may: ${names.filter(may).join(", ")}\n` +
    `may not: ${names.filter((name) => !may(name)).join(", ")}\n`;
}
