/**
 * What is wrong with a setting, in words for the operator.
 *
 * @module
 */

/**
 * One mistake in settings. `message` names key, value and what is allowed; the other fields are its parts.
 *
 * @example
 * ```ts
 * import { loadSettings, type Problem } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const loaded = await loadSettings({ roles: ["master"], sets: ["listenPrt=10911"] });
 * const problems: readonly Problem[] = loaded.ok ? [] : loaded.problems;
 * assertEquals(problems.map(({ key, allowed }) => [key, allowed]), [["listenPrt", "listenPort"]]);
 * ```
 */
export interface Problem {
  /** Where the value was given. */
  readonly origin: "file" | "environment" | "--set";
  /** Line of the file, from 1; none for what is in no file, or written in an odd way. */
  readonly line?: number;
  /** Column of the file, from 1. */
  readonly column?: number;
  /** The setting as it was written. */
  readonly key: string;
  /** Its value as it was written. */
  readonly value: string;
  /** What would have been right. */
  readonly allowed: string;
  /** All of it as a sentence. */
  readonly message: string;
}

/** Where a value was given. */
export type Origin = Problem["origin"];

/** Where in the file something stands. */
export type Place = Pick<Problem, "line" | "column">;

const VALUE_LENGTH_SHOWN = 100;

/** A value as it is shown: on one line, in quotes, and cut when it is long. */
export function shown(value: string): string {
  const cut = value.length > VALUE_LENGTH_SHOWN ? `${value.slice(0, VALUE_LENGTH_SHOWN)}…` : value;
  return printable(JSON.stringify(cut));
}

/** A text without characters that move a terminal's cursor. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A key as it is shown: as it is where it looks like one. */
export function shownKey(key: string): string {
  return /^[\w.-]{1,100}$/.test(key) ? key : shown(key);
}

/** The value of a key as it is shown; never that of a secret, however the key is spelt, and be it within the value. */
export function shownValue(key: string, value: string): string {
  return SECRET_NAME.test(key) || SECRET_NAME.test(value) ? "(not shown)" : shown(value);
}

/** What every setting with a secret has in its name, so that a mistake in its line cannot tell it either. */
export const SECRET_NAME = /secret|passw|token/i;

/** A problem as one line: `broker.yaml:3:13: listenPort "x": expected a whole number`. */
export function problemLine(problem: Problem, file: string | undefined): string {
  const origin = { file: file ?? "file", environment: "environment", "--set": "--set" }[problem.origin];
  return `${[origin, problem.line, problem.column].filter((part) => part !== undefined).join(":")}: ${problem.message}`;
}
