/**
 * What is wrong with a setting, in words for the operator.
 *
 * @module
 */

/** Where a value was given. */
export type Origin = "file" | "environment" | "--set";

/** Where in the file something stands, both from 1; empty for what is in no file, or written in an odd way. */
export interface Place {
  readonly line?: number;
  readonly column?: number;
}

/** One mistake. `message` names key, value and what is allowed; the other fields are its parts. */
export interface Problem extends Place {
  readonly origin: Origin;
  readonly key: string;
  readonly value: string;
  readonly allowed: string;
  readonly message: string;
}

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
