/**
 * Shapes of JSON bodies declared as data: from one declaration come the validating reader and the TypeScript type. What
 * does not fit is `malformed` with the path of the field; unknown keys are ignored; absent and null are the same.
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { ROUTE_TEXT_LENGTH_MAX } from "../../limits.ts";
import { parseFastJsonBytes } from "../fastjson.ts";
import { parseInteger } from "../fields.ts";

/** Reads a parsed value; `field` is its path, for the error. */
export type Shape<T> = (value: unknown, field: string) => T;
/** The type of what a shape reads. */
export type ShapeOf<S> = S extends Shape<infer T> ? T : never;

/** The error for a field that is not what it should be. */
export function misfit(field: string, value: unknown, allowed: string): RocketdError {
  const isAbsent = value === undefined || value === null;
  const kind = Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : JSON.stringify(value);
  const shown = isAbsent ? "missing" : String(kind).slice(0, 64);
  return new RocketdError("malformed", `the field ${field} is ${shown}, allowed is ${allowed}`, {
    field,
    value,
    allowed,
  });
}

/** Text of bounded length. */
export function text(lengthMax = ROUTE_TEXT_LENGTH_MAX): Shape<string> {
  return (value, field) => {
    if (typeof value !== "string") throw misfit(field, value, "text");
    if (value.length > lengthMax) throw misfit(field, value, `text of at most ${lengthMax} characters`);
    return value;
  };
}

/** A whole number within bounds; digits in quotes are taken too, as fastjson does. */
export function whole(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, field) => {
    const number = typeof value === "string" && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) return number;
    throw misfit(field, value, `a whole number from ${min} to ${max}`);
  };
}

/**
 * 64 bits, as the nearest number: exact to 2^53, and rounded as a header's long is, so that the two can be compared.
 * Clients that count in nanoseconds send such numbers.
 */
export const long: Shape<number> = (value, field) => {
  const number = typeof value === "string" ? parseInteger(value, "long") : value;
  if (typeof number === "number" && Number.isInteger(number) && Math.abs(number) <= 2 ** 63) return number;
  throw misfit(field, value, "a whole number of 64 bits");
};

/** A number with a fraction. Java writes what is no number as null: 0. */
export const real: Shape<number> = (value, field) => {
  if (value === undefined || value === null) return 0;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw misfit(field, value, "a number");
};

/** 32 bits. */
export const int32: Shape<number> = whole(-0x8000_0000, 0x7fff_ffff);

export const flag: Shape<boolean> = (value, field) => {
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "false") return value === "true";
  throw misfit(field, value, "true or false");
};

/** One of some words; Java's ordinal is taken too. */
export function oneOf<const W extends string>(...words: readonly W[]): Shape<W> {
  return (value, field) => {
    const word = typeof value === "number" ? words[value] : words.find((word) => word === value);
    if (word === undefined) throw misfit(field, value, `one of ${words.join(", ")}`);
    return word;
  };
}

/** A field that may be absent. */
export function maybe<T>(shape: Shape<T>): Shape<T | undefined>;
export function maybe<T>(shape: Shape<T>, otherwise: () => T): Shape<T>;
export function maybe<T>(shape: Shape<T>, otherwise?: () => T): Shape<T | undefined> {
  return (value, field) => value === undefined || value === null ? otherwise?.() : shape(value, field);
}

/** A list with a bounded number of items. */
export function list<T>(item: Shape<T>, countMax: number): Shape<T[]> {
  return (value, field) => {
    if (!Array.isArray(value)) throw misfit(field, value, "a list");
    if (value.length > countMax) throw misfit(field, value, `at most ${countMax} items`);
    return value.map((one, i) => item(one, `${field}[${i}]`));
  };
}

/** An object used as a table from text to items, with a bounded number of them. Keys are bounded in length. */
export function table<T>(item: Shape<T>, countMax: number): Shape<Map<string, T>> {
  return (value, field) => {
    const entries = Object.entries(plain(value, field));
    if (entries.length > countMax) throw misfit(field, value, `at most ${countMax} entries`);
    return new Map(entries.map(([key, one]) => [boundedKey(key, field), item(one, `${field}.${key}`)]));
  };
}

const KEY_LENGTH_MAX = 2 * ROUTE_TEXT_LENGTH_MAX;

function boundedKey(key: string, field: string): string {
  if (key.length > KEY_LENGTH_MAX) throw misfit(field, key, `keys of at most ${KEY_LENGTH_MAX} characters`);
  return key;
}

/** The same with whole numbers as keys. */
export function numberTable<T>(item: Shape<T>, countMax: number): Shape<Map<number, T>> {
  const entries = table(item, countMax);
  const key = whole();
  return (value, field) => new Map([...entries(value, field)].map(([name, one]) => [key(name, field), one]));
}

/** An object with objects as keys (fastjson's `{{..}:v}`), such as queues, with a bounded number of entries. */
export function objectTable<K, T>(key: Shape<K>, item: Shape<T>, countMax: number): Shape<Map<K, T>> {
  return (value, field) => {
    // Without any entry it looks like every object.
    const entries = value instanceof Map ? [...value] : Object.entries(plain(value, field));
    if (entries.length > countMax) throw misfit(field, value, `at most ${countMax} entries`);
    return new Map(entries.map(([name, one], i) => [key(name, `${field} key ${i}`), item(one, `${field}[${i}]`)]));
  };
}

/** An object with declared fields. */
export function object<F extends Readonly<Record<string, Shape<unknown>>>>(
  fields: F,
): Shape<{ [K in keyof F]: ShapeOf<F[K]> }> {
  const declared = Object.entries(fields);
  return (value, field) => {
    const given = plain(value, field);
    const prefix = field === "" ? "" : `${field}.`;
    return Object.fromEntries(
      declared.map(([name, shape]) => [
        name,
        shape(Object.hasOwn(given, name) ? given[name] : undefined, prefix + name),
      ]),
    ) as { [K in keyof F]: ShapeOf<F[K]> };
  };
}

function plain(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Map) {
    throw misfit(field === "" ? "body" : field, value, "an object");
  }
  return value as Record<string, unknown>;
}

/** Reads a JSON body. Throws `malformed` and nothing else. */
export function decodeJson<T>(shape: Shape<T>, bytes: Uint8Array): T {
  return shape(parseFastJsonBytes(bytes), "");
}
