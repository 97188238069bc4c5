/**
 * The JSON header: an object with code, language, version, opaque, flag, remark and extFields (text to text).
 *
 * @module
 */
import { messageOf, RocketdError } from "../errors.ts";
import { HEADER_FIELDS_MAX } from "../limits.ts";
import type { ByteWriter } from "./byte_writer.ts";
import { type Fields, type FieldTable, type FieldType, formatInteger, HeaderFields, tooManyFields } from "./fields.ts";
import type { Header } from "./frame.ts";
import type { HeaderParts } from "./header_binary.ts";

const decoder = new TextDecoder();

function integer(object: Record<string, unknown>, key: string): number {
  const value = object[key] ?? 0;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new RocketdError("malformed", `a JSON header's ${key} is no whole number`, { field: key, value });
  }
  return value | 0;
}

/** Decodes a JSON header. Throws `malformed`. */
export function decodeJsonHeader(bytes: Uint8Array): Header {
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

/** Writes a JSON header. */
export function encodeJsonHeader<S extends Fields>(out: ByteWriter, parts: HeaderParts<S>): void {
  let fields = "";
  if (parts.table && parts.values) {
    const { names, jsonKeys, types } = parts.table;
    const values = parts.values as Record<string, unknown>;
    for (let i = 0; i < names.length; i++) {
      const value = values[names[i]!];
      if (value === undefined) continue;
      const type = types[i]!;
      if (fields !== "") fields += ",";
      fields += jsonKeys[i]! + (type === "string" ? JSON.stringify(String(value)) : quotedScalar(type, value));
    }
  }
  for (const [key, value] of parts.extra ?? []) {
    if (fields !== "") fields += ",";
    fields += `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  }
  const remark = parts.remark === undefined ? "" : `"remark":${JSON.stringify(parts.remark)},`;
  out.text(
    `{"code":${parts.code},"extFields":{${fields}},"flag":${parts.flag},"language":"JAVA","opaque":${parts.opaque},` +
      `${remark}"serializeTypeCurrentRPC":"JSON","version":${parts.version}}`,
  );
}

/** Numbers and booleans need no escapes. */
function quotedScalar(type: FieldType, value: unknown): string {
  return type === "bool" ? `"${value}"` : `"${formatInteger(value as number)}"`;
}
