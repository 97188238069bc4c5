/**
 * The shape of what mqadmin prints: its lines and columns, without the figures, times, ids and addresses in them.
 *
 * @module
 */
import type { Step } from "./mqadmin_steps.ts";

const HOST = String.raw`\d+\.\d+\.\d+\.\d+`;

const ALWAYS: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d[ #T]\d\d:\d\d:\d\d([,:.]\d{3})?/g, "TIME"],
  [new RegExp(`${HOST}@[^\\s,\\])]+`, "g"), "CLIENT"],
  [new RegExp(`${HOST}:\\d+`, "g"), "ADDRESS"],
  [new RegExp(HOST, "g"), "HOST"],
  [/\d+(\.\d+)? ([KMGT]i)?B\b/g, "SIZE"],
  [/(?<![\w.-])\d+\.\d+(?![\d.])/g, "#"],
  [/[0-9A-F]{32,}/g, "ID"],
  [/(\/[\w.-]+){3,}/g, "PATH"],
  // Ours shows no secret to anybody.
  [/^(\s*secretKey\s*: ).*/, "$1SECRET"],
  // A Java object without a text of its own.
  [/(Lambda\$\S*)?@[0-9a-f]+\b/g, "@"],
  // As many figures as the broker has been up for spans of time.
  [/(Tps\s*: )[-\d.E ]*$/, "$1#"],
  [/[ \t]+/g, " "],
];
const FIGURE = [/(?<![\w.]|CODE: )-?\d+(\.\d+)?(E-?\d+)?/g, "#"] as const;
const WORDS = [/(CODE: \d+ +DESC:).*/, "$1"] as const;

/**
 * Java makes these when its check of transactions runs for the first time, which no step waits for; and brokers hear of
 * consumers that only look something up if that takes them a second.
 */
const BY_TIMER = /\bRMQ_SYS_TRANS_(OP_)?HALF_TOPIC\b|(?<![\w-])(interop-observer|TOOLS_CONSUMER)(?![\w-])/;

function lineShape(line: string, step: Step): string {
  const rules = [...step.ownWords ? [WORDS] : [], ...ALWAYS, ...step.exact ? [] : [FIGURE]];
  return rules.reduce((text, [pattern, name]) => text.replace(pattern, name), line).trimEnd();
}

/** True for a line of a stack trace. */
function ofStack(line: string): boolean {
  return /^\s*at \S+\(.*\)$/.test(line) || /^\s*\.\.\. \d+ (more|common frames omitted)$/.test(line);
}

/** The lines of an output as two clusters must agree on them. Throws when a command failed that should not. */
export function outputShape(text: string, step: Step): string[] {
  const lines = text.split("\n").filter((line) => !BY_TIMER.test(line));
  if (lines.some(ofStack) !== (step.fails ?? false) || / not exist\.$/m.test(text)) {
    throw new Error(`"${step.run}" ${step.fails ? "did not fail" : "failed"}:\n${text}`);
  }
  const shape = lines.filter((line) => !ofStack(line)).map((line) => lineShape(line, step));
  if (step.settings) {
    return [...new Set(shape.map((line) => line.replace(/^\w[\w.]* = .*|^\w[\w.]* =$/, "NAME = VALUE")))];
  }
  return step.anyOrder ? shape.sort() : shape;
}

/** The names and kinds of values in JSON; of the items of a list only the first, for all are alike. */
export function jsonShape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(jsonShape);
  if (typeof value !== "object" || value === null) return typeof value;
  const entries = Object.entries(value).filter(([name]) => !BY_TIMER.test(name)).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([name, part]) => [name, jsonShape(part)]));
}
