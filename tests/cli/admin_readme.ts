/**
 * The table of administrators' commands in README.md, made from their declarations. Run this file to renew it:
 * `deno run -A tests/cli/admin_readme.ts`.
 *
 * @module
 */
import { ADMIN_COMMANDS, type AdminCommand, AREAS, type Option } from "../../src/client/admin/mod.ts";

export const BEGIN = "<!-- rocketd admin: begin, made by tests/cli/admin_readme.ts -->";
export const END = "<!-- rocketd admin: end -->";
const README = new URL("../../README.md", import.meta.url);

function spelt([name, { short, value }]: [string, Option]): string {
  return `${short === undefined ? `--${name}` : `-${short}`}${value === undefined ? "" : ` ${value}`}`;
}

function row({ name, summary, options, asks }: AdminCommand): string {
  const entries = Object.entries(options);
  const required = entries.filter(([, option]) => option.required).map(spelt);
  const others = entries.filter(([, option]) => !option.required).map((entry) => `[${spelt(entry)}]`);
  const usage = [name, ...required, ...others].join(" ").replaceAll("|", "\\|");
  return `| \`${usage}\` | ${summary}${asks ? " (asks)" : ""} |`;
}

/** The block with its markers. */
export function readmeBlock(): string {
  const rows = AREAS.flatMap((area) => {
    const commands = ADMIN_COMMANDS.filter((command) => command.area === area);
    return [`| **${area}** | |`, ...commands.map(row)];
  });
  return [BEGIN, "| command | what it does |", "| --- | --- |", ...rows, END].join("\n");
}

/** Where the block stands in a text; undefined if it is not there. */
export function blockIn(text: string): { from: number; to: number } | undefined {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  return from < 0 || to < from ? undefined : { from, to: to + END.length };
}

if (import.meta.main) {
  const text = await Deno.readTextFile(README);
  const place = blockIn(text);
  if (place === undefined) throw new Error(`README.md has no ${BEGIN}`);
  await Deno.writeTextFile(README, text.slice(0, place.from) + readmeBlock() + text.slice(place.to));
}
