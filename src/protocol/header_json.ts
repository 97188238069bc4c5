/**
 * The JSON header: an object with code, language, version, opaque, flag, remark and extFields (text to text).
 *
 * @module
 */
import { messageOf, RocketdError } from "../errors.ts";
import { HEADER_FIELDS_MAX } from "../limits.ts";
import type { ByteWriter } from "./byte_writer.ts";
import { type Fields, type FieldTable, formatInteger, HeaderFields, tooManyFields } from "./fields.ts";
import type { Header } from "./frame.ts";
import type { HeaderParts } from "./header_binary.ts";
import { decodePlainJson } from "./plain_json.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const INT_MAX = 0x7fff_ffff;
const QUOTE = 0x22, COMMA = 0x2c, COLON = 0x3a, CLOSING = 0x7d;
/** What stands between the parts of a header. */
const CODE = encoder.encode('{"code":');
const EXT_FIELDS = encoder.encode(',"extFields":{');
const FLAG = encoder.encode('},"flag":');
const OPAQUE = encoder.encode(',"language":"JAVA","opaque":');
const REMARK = encoder.encode(',"remark":');
const VERSION = encoder.encode(',"serializeTypeCurrentRPC":"JSON","version":');

function integer(object: Record<string, unknown>, key: string): number {
  const value = object[key] ?? 0;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new RocketdError("malformed", `a JSON header's ${key} is no whole number`, { field: key, value });
  }
  return value | 0;
}

/** Decodes the header that lies in `bytes[start, end)`. Throws `malformed`. */
export function decodeJsonHeader(bytes: Uint8Array, start: number, end: number): Header {
  return decodePlainJson(bytes, start, end) ?? decodeAnyJson(bytes.subarray(start, end));
}

/** The same by `JSON.parse`, which decides what a header means. */
export function decodeAnyJson(bytes: Uint8Array): Header {
  let object: unknown;
  try {
    object = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new RocketdError("malformed", `a JSON header cannot be read: ${messageOf(cause)}`, { cause });
  }
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    throw new RocketdError("malformed", "a JSON header is no object", { field: "header" });
  }
  const header = object as Record<string, unknown>;
  const ext = typeof header.extFields === "object" && header.extFields !== null ? header.extFields : {};
  if (Object.keys(ext).length > HEADER_FIELDS_MAX) throw tooManyFields();
  return {
    code: integer(header, "code"),
    language: typeof header.language === "string" ? header.language : "OTHER",
    version: integer(header, "version"),
    opaque: integer(header, "opaque"),
    flag: integer(header, "flag"),
    remark: typeof header.remark === "string" ? header.remark : undefined,
    fields: new JsonFields(ext as Record<string, unknown>),
  };
}

class JsonFields extends HeaderFields {
  constructor(readonly ext: Record<string, unknown>) {
    super();
  }

  override all(): Map<string, string> {
    const all = new Map<string, string>();
    for (const name of Object.keys(this.ext)) {
      const text = textOf(this.ext[name]);
      if (text !== undefined) all.set(name, text);
    }
    return all;
  }

  protected override fill(table: FieldTable): Record<string, unknown> {
    const values = table.empty();
    const { names, wireNames } = table;
    for (let i = 0; i < names.length; i++) {
      const text = textOf(this.ext[wireNames[i]!]);
      if (text !== undefined) values[names[i]!] = table.parse(i, text);
    }
    return values;
  }
}

/** Numbers and booleans as they are; Java's null, and what is no text, count as missing. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** Writes a JSON header, its members in fastjson's order. */
export function encodeJsonHeader<S extends Fields>(out: ByteWriter, parts: HeaderParts<S>): void {
  out.raw(CODE);
  integerText(out, parts.code);
  out.raw(EXT_FIELDS);
  const before = out.length;
  if (parts.table && parts.values) {
    const { names, jsonKeys, types } = parts.table;
    const values = parts.values as Record<string, unknown>;
    for (let i = 0; i < names.length; i++) {
      const value = values[names[i]!];
      if (value === undefined) continue;
      if (out.length > before) out.int8(COMMA);
      out.raw(jsonKeys[i]!);
      const type = types[i]!;
      if (type !== "int" && type !== "long") out.quoted(String(value));
      else {
        out.int8(QUOTE);
        integerText(out, value as number);
        out.int8(QUOTE);
      }
    }
  }
  for (const [key, value] of parts.extra ?? []) {
    if (out.length > before) out.int8(COMMA);
    out.quoted(key);
    out.int8(COLON);
    out.quoted(value);
  }
  out.raw(FLAG);
  integerText(out, parts.flag);
  out.raw(OPAQUE);
  integerText(out, parts.opaque);
  if (parts.remark !== undefined) {
    out.raw(REMARK);
    out.quoted(parts.remark);
  }
  out.raw(VERSION);
  integerText(out, parts.version);
  out.int8(CLOSING);
}

function integerText(out: ByteWriter, value: number): void {
  // Whole numbers below 2^31.
  if (value === (value & INT_MAX)) out.digits(value);
  else out.text(formatInteger(value));
}
