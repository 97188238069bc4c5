/**
 * JSON as RocketMQ's Java side writes and reads it (fastjson 1.2): numbers and whole objects as keys of an object, names
 * without quotes, single quotes. Strict JSON is read by the platform's parser; only what that refuses is read here.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { JSON_DEPTH_MAX } from "../limits.ts";
import { formatInteger } from "./fields.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Reads a text. Objects come out plain, with number keys as text; an object with objects as keys becomes a `Map`.
 * Throws `malformed` and nothing else.
 */
export function parseFastJson(text: string): unknown {
  try {
    if (!isDeep(text)) return JSON.parse(text);
  } catch {
    // It is not strict, or nothing at all.
  }
  return new Parser(text).whole();
}

/** Whether brackets are nested deeper than is allowed: the platform's parser takes very long for such a text. */
function isDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === QUOTE) quoted = !quoted;
    else if (quoted) i += unit === BACKSLASH ? 1 : 0;
    else if (unit === CURLY || unit === SQUARE) {
      if (++depth > JSON_DEPTH_MAX) return true;
    } else if (unit === CURLY + 2 || unit === SQUARE + 2) depth--;
  }
  return false;
}

/** The same from UTF-8. */
export function parseFastJsonBytes(bytes: Uint8Array): unknown {
  return parseFastJson(decoder.decode(bytes));
}

const QUOTE = 0x22, BACKSLASH = 0x5c, SQUARE = 0x5b, CURLY = 0x7b, COMMA = 0x2c;
const NUMBER = /[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const WORD = /[\p{L}_$@][\p{L}\p{N}_$.@-]*/uy;
const BLANK = /\s/;
const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", "0": "\0" };

class Parser {
  #at = 0;

  constructor(readonly text: string) {}

  whole(): unknown {
    const value = this.#value(0);
    this.#skip();
    if (this.#at < this.text.length) throw this.#malformed("the end");
    return value;
  }

  #value(depth: number): unknown {
    if (depth > JSON_DEPTH_MAX) throw this.#malformed(`at most ${JSON_DEPTH_MAX} levels`);
    this.#skip();
    const first = this.text[this.#at];
    if (first === "{") return this.#object(depth);
    if (first === "[") return this.#array(depth);
    if (first === '"' || first === "'") return this.#string(first);
    const number = this.#match(NUMBER);
    if (number !== undefined) return Number(number);
    const start = this.#at;
    const word = this.#match(WORD);
    if (word === "true") return true;
    if (word === "false") return false;
    if (word === "null") return null;
    this.#at = start;
    throw this.#malformed("a value");
  }

  #array(depth: number): unknown[] {
    const values: unknown[] = [];
    this.#at++;
    while (!this.#ends("]")) {
      values.push(this.#value(depth + 1));
      this.#separator("]");
    }
    return values;
  }

  #object(depth: number): unknown {
    const entries: [key: unknown, value: unknown][] = [];
    let plain = true;
    this.#at++;
    while (!this.#ends("}")) {
      const key = this.#key(depth);
      plain &&= typeof key === "string";
      this.#skip();
      if (this.text[this.#at] !== ":") throw this.#malformed('":"');
      this.#at++;
      entries.push([key, this.#value(depth + 1)]);
      this.#separator("}");
    }
    return plain ? Object.fromEntries(entries as [string, unknown][]) : new Map(entries);
  }

  #key(depth: number): unknown {
    const first = this.text[this.#at];
    if (first === "{" || first === "[") return this.#value(depth + 1);
    if (first === '"' || first === "'") return this.#string(first);
    const key = this.#match(NUMBER) ?? this.#match(WORD);
    if (key === undefined) throw this.#malformed("a key");
    return key;
  }

  /** Moves to the next item or the end; fastjson takes several commas as one. */
  #ends(closing: string): boolean {
    this.#skip(true);
    if (this.text[this.#at] !== closing) return false;
    this.#at++;
    return true;
  }

  #separator(closing: string): void {
    this.#skip();
    const next = this.text[this.#at];
    if (next !== "," && next !== closing) throw this.#malformed(`"," or "${closing}"`);
  }

  #string(quote: string): string {
    let value = "";
    let from = ++this.#at;
    const closing = quote.charCodeAt(0);
    while (this.#at < this.text.length) {
      const unit = this.text.charCodeAt(this.#at);
      if (unit === closing) {
        value += this.text.slice(from, this.#at++);
        return value;
      }
      if (unit === BACKSLASH) {
        value += this.text.slice(from, this.#at) + this.#escape();
        from = this.#at;
      } else this.#at++;
    }
    throw this.#malformed(`a closing ${quote}`);
  }

  #escape(): string {
    const kind = this.text[this.#at + 1] ?? "";
    this.#at += 2;
    const digits = kind === "u" ? 4 : kind === "x" ? 2 : 0;
    if (digits === 0) return ESCAPES[kind] ?? kind;
    const hex = this.text.slice(this.#at, this.#at + digits);
    if (hex.length < digits || !/^[0-9a-fA-F]+$/.test(hex)) throw this.#malformed(`${digits} hex digits`);
    this.#at += digits;
    return String.fromCharCode(parseInt(hex, 16));
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** Moves over blanks, and over commas too if they are `asBlanks`. */
  #skip(asBlanks = false): void {
    for (; this.#at < this.text.length; this.#at++) {
      const unit = this.text.charCodeAt(this.#at);
      if (unit === COMMA ? !asBlanks : unit !== 0x20 && !BLANK.test(this.text[this.#at]!)) return;
    }
  }

  #malformed(expected: string): RocketdError {
    const near = this.text.slice(this.#at, this.#at + 16);
    return new RocketdError(
      "malformed",
      `JSON cannot be read: expected ${expected} at character ${this.#at}, found ${JSON.stringify(near)}`,
      { value: near },
    );
  }
}

/** How {@linkcode stringifyFastJson} writes. */
export interface FastJsonOptions {
  /** On many lines with tabs, as Java writes its configuration files (fastjson's PrettyFormat). */
  readonly pretty?: boolean;
}

/**
 * Writes a value. Keys of plain objects are sorted, and undefined and null values left out, as fastjson does. The keys of a
 * `Map` keep their order: text is quoted, numbers stand bare, objects are written as objects.
 */
export function stringifyFastJson(value: unknown, options: FastJsonOptions = {}): string {
  return options.pretty ? pretty(value, "\n") : compact(value);
}

/** The same as UTF-8. */
export function fastJsonBytes(value: unknown, options: FastJsonOptions = {}): Uint8Array<ArrayBuffer> {
  return encoder.encode(stringifyFastJson(value, options));
}

function scalar(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Math.abs(value) <= 2 ** 63 && Number.isInteger(value)) return formatInteger(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "null";
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  return "null";
}

function entriesOf(value: object): [key: unknown, value: unknown][] {
  if (value instanceof Map) return [...value];
  return Object.entries(value).filter(([, item]) => item !== undefined && item !== null)
    .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
}

function compact(value: unknown): string {
  if (typeof value !== "object" || value === null) return scalar(value);
  if (Array.isArray(value)) return `[${value.map(compact).join(",")}]`;
  return `{${entriesOf(value).map(([key, item]) => `${compact(key)}:${compact(item)}`).join(",")}}`;
}

/** `line` is a line break and the tabs of the current level. Entries with a key other than text share a line. */
function pretty(value: unknown, line: string): string {
  if (typeof value !== "object" || value === null) return scalar(value);
  const inner = line + "\t";
  if (Array.isArray(value)) {
    return value.length === 0 ? "[]" : `[${value.map((item) => inner + pretty(item, inner)).join(",")}${line}]`;
  }
  const entries = entriesOf(value);
  if (entries.length === 0) return "{}";
  const items = entries.map(([key, item]) =>
    `${typeof key === "string" ? inner : ""}${pretty(key, inner)}:${pretty(item, inner)}`
  );
  return `{${items.join(",")}${line}}`;
}
