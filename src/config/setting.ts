/**
 * What a setting is: one entry of a table, from which reading, checking, help and the TypeScript type all come.
 *
 * @module
 */

/** What a default may depend on besides a constant. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
  readonly hostName: string;
  /** First IPv4 address of this machine that is not a loopback address, else 127.0.0.1. */
  readonly address: string;
  readonly role: "nameserver" | "master" | "slave";
  /** The value of a setting that stands earlier in the same table. */
  readonly chosen: (name: string) => unknown;
}

/** What every setting may say beyond its type. */
export interface About<T> {
  /** One line for the operator, with the unit. */
  readonly help: string;
  readonly default: T | ((about: Surroundings) => T);
  /** May change while the node runs. */
  readonly hot?: boolean;
  /** Never printed. */
  readonly secret?: boolean;
  /** The environment variable that sets it too, where the command line does not. */
  readonly env?: string;
  /** Roles in one process cannot share its value. */
  readonly perRole?: boolean;
  /** Older spellings, of RocketMQ 4.1. */
  readonly aliases?: readonly string[];
}

/** A setting whose values are of type T. */
export interface Setting<T> extends About<T> {
  readonly type: "string" | "int" | "long" | "bool" | "enum" | "path" | "list";
  /** What values are allowed, to follow "expected". */
  readonly allowed: string;
  /** Gives undefined for a text that is not allowed. */
  readonly parse: (text: string) => T | undefined;
  /** The text that {@linkcode parse} reads back as the same value. */
  format(value: T): string;
}

/** Settings by name. */
export type Table = Readonly<Record<string, Setting<unknown>>>;

/** The values of a table's settings, by name. */
export type SettingsOf<T> = { readonly [K in keyof T]: T[K] extends Setting<infer V> ? V : never };

const INT_MAX = 2 ** 31 - 1;

interface Range {
  readonly min?: number;
  readonly max?: number;
}

function whole(type: "int" | "long", typeMax: number, about: About<number> & Range): Setting<number> {
  const { min = 0, max = typeMax } = about;
  return {
    ...about,
    type,
    allowed: max === typeMax ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`,
    parse: (text) => {
      const value = /^[-+]?\d{1,16}$/.test(text) ? Number(text) : NaN;
      // "+ 0" makes a plain zero of "-0".
      return Number.isSafeInteger(value) && value >= min && value <= max ? value + 0 : undefined;
    },
    format: String,
  };
}

/** A whole number from `min` (0) to `max` (2^31 - 1). */
export function int(about: About<number> & Range): Setting<number> {
  return whole("int", INT_MAX, about);
}

/** A whole number from `min` (0) to `max` (2^53 - 1). */
export function long(about: About<number> & Range): Setting<number> {
  return whole("long", Number.MAX_SAFE_INTEGER, about);
}

/** `true` or `false`, in letters of any case as in Java. */
export function bool(about: About<boolean>): Setting<boolean> {
  const values: Readonly<Record<string, boolean>> = { true: true, false: false };
  return {
    ...about,
    type: "bool",
    allowed: "true or false",
    parse: (text) => Object.hasOwn(values, text.toLowerCase()) ? values[text.toLowerCase()] : undefined,
    format: String,
  };
}

/** One of some words. */
export function choice<const W extends string>(words: readonly W[], about: About<W>): Setting<W> {
  return {
    ...about,
    type: "enum",
    allowed: `one of ${words.join(", ")}`,
    parse: (text) => words.find((word) => word === text),
    format: String,
  };
}

/** Text of a form; `allowed` says the form in words. */
export interface Form {
  readonly pattern: RegExp | { readonly test: (text: string) => boolean };
  readonly allowed: string;
}

/** Text on one line, of some form. */
export function string(form: Form, about: About<string>): Setting<string> {
  return { ...about, type: "string", ...matching(form), format: String };
}

/** A file or folder; not empty, and without control characters. */
export function path(about: About<string>): Setting<string> {
  const form = { pattern: /^[^\p{Cc}]+$/u, allowed: "a path" };
  return { ...about, type: "path", ...matching(form), format: String };
}

/** A file or folder, or none. */
export function optionalPath(about: About<string>): Setting<string> {
  return {
    ...about,
    type: "path",
    ...matching({ pattern: /^[^\p{Cc}]*$/u, allowed: "a path, or nothing" }),
    format: String,
  };
}

/** Texts of some form, joined by `;`; blank ones are dropped, as Java does. */
export function list(form: Form, about: About<readonly string[]>): Setting<readonly string[]> {
  return {
    ...about,
    type: "list",
    allowed: `${form.allowed}; several are joined by ";"`,
    parse: (text) => {
      const items = text.split(";").map((item) => item.trim()).filter((item) => item !== "");
      return items.every((item) => form.pattern.test(item)) ? items : undefined;
    },
    format: (items) => items.join(";"),
  };
}

function matching({ pattern, allowed }: Form): Pick<Setting<string>, "allowed" | "parse"> {
  return { allowed, parse: (text) => pattern.test(text) ? text : undefined };
}

/** A setting whose text is read into another value than it says: `adjust` is applied to what was read. */
export function adjusted<T>(setting: Setting<T>, adjust: (value: T) => T): Setting<T> {
  return {
    ...setting,
    parse: (text) => {
      const value = setting.parse(text);
      return value === undefined ? undefined : adjust(value);
    },
  };
}

/** Defaults of settings whose default is the same everywhere. Throws for one that hangs on its surroundings. */
export function constantDefaults<T extends Table, K extends keyof T & string>(
  table: T,
  names: readonly K[],
): Pick<SettingsOf<T>, K> {
  return Object.fromEntries(names.map((name) => {
    const value = table[name]!.default;
    if (typeof value === "function") throw new Error(`the default of ${name} is worked out from its surroundings`);
    return [name, value];
  })) as Pick<SettingsOf<T>, K>;
}
