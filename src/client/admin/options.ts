/**
 * The options of an administrator's command, declared as data: letter, value, meaning. From one declaration come help,
 * completion, checking, and the TypeScript type of what the command receives.
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";

/** An option by itself; its long name is the key under which a command declares it. */
export interface Option<T = unknown> {
  /** The letter that mqadmin has for it. */
  readonly short?: string;
  /** Other long names that mqadmin gives it elsewhere. */
  readonly aliases?: readonly string[];
  /** What its value is called in the help; a switch has none. */
  readonly value?: string;
  readonly help: string;
  readonly required?: boolean;
  /** The command changes something when this is given, even if it is a reading one otherwise. */
  readonly changes?: boolean;
  /** A secret, which may be read from a file instead. */
  readonly secret?: boolean;
  /** The words that it takes, for completion. */
  readonly words?: readonly string[];
  /** Reads the text of a value; throws {@linkcode Unreadable} saying what is allowed. */
  readonly read: (text: string) => T;
  /** What the command receives when it is not given. */
  readonly otherwise?: () => T;
}

/** Options by their long names. */
export type Options = Readonly<Record<string, Option>>;
/** What a command receives for its options. */
export type Values<O extends Options> = { readonly [N in keyof O]: O[N] extends Option<infer T> ? T : never };

/** A text that is no value of an option; the message says what is allowed. */
class Unreadable extends Error {}

interface Form {
  readonly short?: string;
  readonly aliases?: readonly string[];
  readonly value?: string;
  readonly help: string;
  readonly changes?: boolean;
  readonly secret?: boolean;
}
type Required<T> = Form & { readonly required: true; readonly otherwise?: never; readonly unused?: T };
type Otherwise<T> = Form & { readonly required?: never; readonly otherwise: T };
type Maybe = Form & { readonly required?: never; readonly otherwise?: never };
type AnyForm<T> = Form & { readonly required?: true; readonly otherwise?: T };

/** Makes the declaring function of a kind of option. */
function kind<T>(value: string, read: (text: string) => T, words?: readonly string[]) {
  function declare(form: Required<T> | Otherwise<T>): Option<T>;
  function declare(form: Maybe): Option<T | undefined>;
  function declare({ otherwise, ...form }: AnyForm<T>): Option<T | undefined> {
    return { value, ...form, ...(words && { words }), read, otherwise: () => otherwise };
  }
  return declare;
}

function readTruth(text: string): boolean {
  const word = text.trim().toLowerCase();
  if (word !== "true" && word !== "false") throw new Unreadable("true or false");
  return word === "true";
}

/** Text that is not empty. */
export const text = kind("TEXT", (given) => {
  if (given.trim() === "") throw new Unreadable("something that is not blank");
  return given.trim();
});

/** `true` or `false`, as mqadmin wants it written out. */
export const truth = kind("true|false", readTruth, ["true", "false"]);

/** A whole number within bounds. */
export function whole(min = 0, max = Number.MAX_SAFE_INTEGER) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return kind("N", (given) => {
    const value = /^-?\d{1,16}$/.test(given.trim()) ? Number(given) : NaN;
    if (!Number.isSafeInteger(value) || value < min || value > max) throw new Unreadable(`a whole number ${range}`);
    return value;
  });
}

/** One of some words. */
export function word<const W extends string>(...words: readonly W[]) {
  return kind<W>(words.join("|"), (given) => {
    const found = words.find((one) => one === given.trim());
    if (found === undefined) throw new Unreadable(words.join(", "));
    return found;
  }, words);
}

/** Several texts joined by commas. */
export const texts = kind("A,B", (given) => given.split(",").map((one) => one.trim()).filter((one) => one !== ""));

/** A switch, which takes no value (`true` and `false` from where every option has one). */
export function flag(form: Form): Option<boolean> {
  const read = (given: string) => given === "" ? true : readTruth(given);
  return { ...form, read, otherwise: () => false };
}

/** What {@linkcode time} gives for `now`: the end of a queue, as RocketMQ's -1. */
export const NOW = -1;
const JAVA_TIME = /^(\d{4})-(\d\d)-(\d\d)#(\d\d):(\d\d):(\d\d):(\d{1,3})$/;

/**
 * A moment in ms: `now` (-1), ms since 1970, ISO 8601, or mqadmin's `yyyy-MM-dd#HH:mm:ss:SSS` in this machine's zone.
 */
export const time = kind("TIME", (given) => {
  const trimmed = given.trim();
  if (trimmed === "now" || trimmed === "-1") return NOW;
  if (/^\d{1,15}$/.test(trimmed)) return Number(trimmed);
  const java = JAVA_TIME.exec(trimmed)?.slice(1).map(Number);
  const [year = 0, month = 0, day, hour, minute, second, ms] = java ?? [];
  const value = java
    ? new Date(year, month - 1, day, hour, minute, second, ms).getTime()
    : /^\d{4}-\d\d-\d\d/.test(trimmed)
    ? Date.parse(trimmed)
    : NaN;
  if (Number.isNaN(value)) throw new Unreadable("now, ms since 1970, 2026-01-31T12:00:00Z, or 2026-01-31#12:00:00:000");
  return value;
});

/**
 * Reads what was given for a command's options. Throws `invalidArgument` naming the option, its value and what is
 * allowed.
 */
export function readValues<O extends Options>(
  options: O,
  given: (name: keyof O & string) => string | undefined,
): Values<O> {
  const entries = Object.entries(options).map(([name, option]) => [name, readValue(name, option, given(name))]);
  return Object.fromEntries(entries) as Values<O>;
}

function readValue(name: string, option: Option, text: string | undefined): unknown {
  if (text === undefined) {
    if (!option.required) return option.otherwise?.();
    throw refusal(name, text, `--${name} ${option.value ?? ""} is missing`.trim(), option.help);
  }
  try {
    return option.read(text);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    throw refusal(name, text, `--${name} ${JSON.stringify(text)}: expected ${error.message}`, error.message);
  }
}

function refusal(field: string, value: unknown, message: string, allowed: string): RocketdError {
  return new RocketdError("invalidArgument", message, { field, value, allowed });
}
