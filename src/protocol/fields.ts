/**
 * Header fields declared as data. From one declaration come the decoder, the encoder, the error for a missing or
 * malformed field, and the TypeScript type.
 *
 * @module
 */
import { RocketdError, shortened } from "../errors.ts";
import { HEADER_FIELDS_MAX } from "../limits.ts";
import { textAt } from "./known_texts.ts";

/**
 * The types that RocketMQ's custom headers know; on the wire all of them are text. The text of a `utf8` is given as the
 * bytes it came in, which need not be well-formed: a view that is valid until the handler returns or first awaits.
 */
export type FieldType = "string" | "utf8" | "int" | "long" | "bool";

interface InputTypeOf {
  string: string;
  utf8: string;
  int: number;
  long: number;
  bool: boolean;
}

interface TypeOf extends Omit<InputTypeOf, "utf8"> {
  utf8: Uint8Array;
}

/** One field: its type, whether a request without it is refused, and its name on the wire where it has another. */
export interface Field<T extends FieldType = FieldType, Required extends boolean = boolean> {
  readonly type: T;
  readonly required: Required;
  readonly wireName?: string;
}

/** Fields by the names that handlers use. */
export type Fields = Readonly<Record<string, Field>>;

/** The values of a declaration: required fields are there, the others may be undefined. */
export type ValuesOf<S extends Fields> = {
  [K in keyof S]: S[K]["required"] extends true ? TypeOf[S[K]["type"]] : TypeOf[S[K]["type"]] | undefined;
};

/** What an encoder takes: optional fields may be left out. */
export type InputOf<S extends Fields> =
  & { [K in keyof S as S[K]["required"] extends true ? K : never]: InputTypeOf[S[K]["type"]] }
  & { [K in keyof S as S[K]["required"] extends true ? never : K]?: InputTypeOf[S[K]["type"]] | undefined };

const required = <T extends FieldType>(type: T): Field<T, true> => ({ type, required: true });
const optional = <T extends FieldType>(type: T): Field<T, false> => ({ type, required: false });

/** Required text. */
export const str = required("string");
/** Required 32-bit integer. */
export const int = required("int");
/** Required 64-bit integer; kept as a number, exact to 2^53. */
export const long = required("long");
/** Required boolean: "true" in any case is true, all else is false, as in Java. */
export const bool = required("bool");
/** The same fields where a peer may leave them out. */
export const maybe = {
  str: optional("string"),
  utf8: optional("utf8"),
  int: optional("int"),
  long: optional("long"),
  bool: optional("bool"),
};

/** Gives fields their names on the wire: `named(sendFields, { topic: "b" })`. */
export function named<S extends Fields>(fields: S, names: { readonly [K in keyof S]: string }): S {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, { ...field, wireName: names[name] }]),
  ) as unknown as S;
}

const INT_MAX = 0x7fff_ffff;
const encoder = new TextEncoder();

/** Parses Java's decimal text of an int or long; undefined when it is none. */
export function parseInteger(text: string, type: "int" | "long"): number | undefined {
  const short = parseShort(text);
  if (short >= 0) return short;
  if (!/^[+-]?\d{1,19}$/.test(text)) return undefined;
  const value = Number(text);
  if (type === "int" && (value > INT_MAX || value < -INT_MAX - 1)) return undefined;
  return value;
}

/** The value of one to nine digits, which most integers on the wire are; -1 for any other text. */
function parseShort(text: string): number {
  const { length } = text;
  if (length === 0 || length > 9) return -1;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Java's text of an integer; a long that a number cannot hold exactly is written as the nearest long. */
export function formatInteger(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  const most = 2n ** 63n - 1n;
  const exact = BigInt(Math.trunc(value));
  return String(exact > most ? most : exact < -most - 1n ? -most - 1n : exact);
}

/** A declaration made ready: names, wire names and types in arrays, for the codecs. */
export class FieldTable<S extends Fields = Fields> {
  readonly names: readonly string[];
  readonly wireNames: readonly string[];
  readonly types: readonly FieldType[];
  readonly required: readonly boolean[];
  /** Names of the fields whose values are views of what was read. */
  readonly views: readonly string[];
  readonly #empty: Record<string, undefined>;
  readonly #wireBytes: readonly Uint8Array[];
  /** Wire names as the keys of a JSON object, as UTF-8: `"topic":`. */
  readonly jsonKeys: readonly Uint8Array[];
  /** Position of a field whose wire name is one ASCII letter (as in SEND_MESSAGE_V2), by that letter; -1 if none. */
  readonly #byLetter = new Int16Array(128).fill(-1);

  constructor(readonly fields: S) {
    this.names = Object.keys(fields);
    this.wireNames = this.names.map((name) => fields[name]!.wireName ?? name);
    this.types = this.names.map((name) => fields[name]!.type);
    this.required = this.names.map((name) => fields[name]!.required);
    this.views = this.names.filter((name) => fields[name]!.type === "utf8");
    this.#empty = Object.fromEntries(this.names.map((name) => [name, undefined]));
    this.#wireBytes = this.wireNames.map((wireName) => encoder.encode(wireName));
    this.jsonKeys = this.wireNames.map((wireName) => encoder.encode(`${JSON.stringify(wireName)}:`));
    this.wireNames.forEach((wireName, i) => {
      if (wireName.length === 1) this.#byLetter[wireName.charCodeAt(0)] = i;
    });
  }

  /** Position of the field whose wire name lies in `bytes[start, end)`, -1 if the declaration has none. */
  indexOf(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 1) return bytes[start]! < 128 ? this.#byLetter[bytes[start]!]! : -1;
    const names = this.#wireBytes;
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!;
      if (name.length !== length) continue;
      let i = 0;
      while (i < length && name[i] === bytes[start + i]) i++;
      if (i === length) return index;
    }
    return -1;
  }

  /** An object with every field present and undefined: one hidden class for all of a kind. */
  empty(): Record<string, unknown> {
    return { ...this.#empty };
  }

  /** The texts of values by wire name, without those that are undefined. */
  texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
    const texts: Record<string, string> = {};
    const { names, wireNames, types } = this;
    for (let i = 0; i < names.length; i++) {
      const value = values[names[i]!];
      if (value === undefined) continue;
      const type = types[i]!;
      texts[wireNames[i]!] = type === "int" || type === "long" ? formatInteger(value as number) : String(value);
    }
    return texts;
  }

  /** The value of a field's text. Throws `malformed` with field, value and what is allowed. */
  parse(index: number, text: string): unknown {
    const type = this.types[index]!;
    if (type === "string") return text;
    if (type === "utf8") return encoder.encode(text);
    if (type === "bool") return text.toLowerCase() === "true";
    const value = parseInteger(text, type);
    if (value === undefined) throw this.malformed(index, text);
    return value;
  }

  /** The same from the text's UTF-8. Short digits are read as they stand, without a string in between. */
  parseBytes(index: number, bytes: Uint8Array, start: number, end: number): unknown {
    const type = this.types[index]!;
    if (type === "int" || type === "long") {
      const negative = bytes[start] === 0x2d;
      let value = 0, at = negative ? start + 1 : start;
      if (at < end && end - at <= 15) {
        for (; at < end; at++) {
          const digit = bytes[at]! - 0x30;
          if (digit < 0 || digit > 9) break;
          value = value * 10 + digit;
        }
        if (at === end && (type === "long" || value <= INT_MAX)) return negative ? -value : value;
      }
    }
    if (type === "utf8") return bytes.subarray(start, end);
    // Only four letters can say "true".
    if (type === "bool" && end - start !== 4) return false;
    return this.parse(index, textAt(bytes, start, end));
  }

  /** The error for a field whose text is not of its type. */
  malformed(index: number, text: string): RocketdError {
    const type = this.types[index]!;
    const allowed = type === "int" ? "a whole number from -2147483648 to 2147483647" : "a whole number of 64 bits";
    const field = this.#label(index);
    return new RocketdError("malformed", `the field ${field} is "${shortened(text)}", allowed is ${allowed}`, {
      field,
      value: text,
      allowed,
    });
  }

  /** Throws `malformed` when a required field is undefined. */
  check(values: Record<string, unknown>): void {
    for (let i = 0; i < this.names.length; i++) {
      if (this.required[i] && values[this.names[i]!] === undefined) {
        const field = this.#label(i);
        throw new RocketdError("malformed", `the field ${field} is missing, it is required`, { field });
      }
    }
  }

  #label(index: number): string {
    const name = this.names[index]!, wireName = this.wireNames[index]!;
    return name === wireName ? name : `${name} (${wireName})`;
  }
}

/** The error for a header of more fields than a declaration can have. */
export function tooManyFields(): RocketdError {
  const message = `the header has more than ${HEADER_FIELDS_MAX} fields`;
  return new RocketdError("malformed", message, { field: "extFields", allowed: `up to ${HEADER_FIELDS_MAX}` });
}

/** The fields of a header as they came, still as text: a declared table is filled from them. */
export abstract class HeaderFields {
  /** Values of the declared fields that are there; throws `malformed` where one is not of its type. */
  protected abstract fill(table: FieldTable): Record<string, unknown>;

  /** All of them by wire name; throws `malformed` where one has two values, of which handlers might see the other. */
  abstract all(): Map<string, string>;

  /** Values of the declared fields; throws `malformed` where one is missing or not of its type. */
  read<S extends Fields>(table: FieldTable<S>): ValuesOf<S> {
    const values = this.fill(table);
    table.check(values);
    return values as ValuesOf<S>;
  }

  /** The same without the check for missing fields: what an error answer may lack. */
  readLoosely<S extends Fields>(table: FieldTable<S>): Partial<ValuesOf<S>> {
    return this.fill(table) as Partial<ValuesOf<S>>;
  }
}
