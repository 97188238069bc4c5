/**
 * The ROCKETMQ binary header (`RocketMQSerializable`, 4.9.7):
 *
 *     header = code:int16 language:int8 version:int16 opaque:int32 flag:int32
 *              remarkLength:int32 remark extLength:int32 { keyLength:int16 key valueLength:int32 value }
 *
 * @module
 */
import { RocketdError, shortened } from "../errors.ts";
import { FIELD_NAMES_KEPT_MAX, HEADER_FIELDS_MAX } from "../limits.ts";
import type { ByteWriter } from "./byte_writer.ts";
import { LANGUAGES } from "./codes.ts";
import { type Fields, type FieldTable, formatInteger, HeaderFields, type InputOf, tooManyFields } from "./fields.ts";
import type { Header } from "./frame.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();
const FIXED_BYTES = 21;

function malformed(what: string): RocketdError {
  return new RocketdError("malformed", `a binary header is cut short: ${what}`, { field: "header" });
}

function twoValues(name: string): RocketdError {
  const message = `the field ${shortened(name)} has two values`;
  return new RocketdError("malformed", message, { field: name });
}

/** Decodes the header that lies in `bytes[start, end)`. Throws `malformed`. */
export function decodeBinaryHeader(bytes: Uint8Array, view: DataView, start: number, end: number): Header {
  if (end - start < FIXED_BYTES) throw malformed(`${end - start} bytes`);
  const remarkLength = view.getInt32(start + 13);
  const extWord = start + 17 + remarkLength;
  if (remarkLength < 0 || extWord + 4 > end) throw malformed(`remark of ${remarkLength} bytes`);
  const extLength = view.getInt32(extWord);
  if (extLength < 0 || extWord + 4 + extLength > end) throw malformed(`fields of ${extLength} bytes`);
  return {
    code: view.getInt16(start),
    language: LANGUAGES[view.getInt8(start + 2)] ?? "OTHER",
    version: view.getInt16(start + 3),
    opaque: view.getInt32(start + 5),
    flag: view.getInt32(start + 9),
    remark: remarkLength > 0 ? decoder.decode(bytes.subarray(start + 17, extWord)) : undefined,
    fields: new BinaryFields(bytes, view, extWord + 4, extWord + 4 + extLength),
  };
}

/** Fields as bytes of a frame; only what a declaration asks for becomes a value. */
class BinaryFields extends HeaderFields {
  constructor(
    readonly bytes: Uint8Array,
    readonly view: DataView,
    readonly start: number,
    readonly end: number,
  ) {
    super();
  }

  override all(): Map<string, string> {
    const all = new Map<string, string>();
    const { start, end } = this;
    // Decoding at once is faster than piece by piece. Bytes become fewer characters where there is a character of several
    // bytes, and never more: where there are as many, each stands at the place of its byte.
    const whole = this.#text(start, end);
    const text = whole.length === end - start
      ? (from: number, to: number) => whole.slice(from - start, to - start)
      : (from: number, to: number) => this.#text(from, to);
    let at = start;
    while (at < end) {
      const keyEnd = this.#keyEnd(at), valueEnd = this.#valueEnd(keyEnd);
      const name = text(at + 2, keyEnd), value = text(keyEnd + 4, valueEnd);
      if (all.size === HEADER_FIELDS_MAX) throw tooManyFields();
      // Java's clients that sign write fields twice, with the same value.
      if ((all.get(name) ?? value) !== value) throw twoValues(name);
      all.set(name, value);
      at = valueEnd;
    }
    return all;
  }

  protected override fill(table: FieldTable): Record<string, unknown> {
    const values = table.empty();
    const { bytes } = this;
    let at = this.start, count = 0;
    while (at < this.end) {
      const keyEnd = this.#keyEnd(at), valueEnd = this.#valueEnd(keyEnd);
      const index = table.indexOf(bytes, at + 2, keyEnd);
      // An empty value is Java's null.
      if (index >= 0 && valueEnd > keyEnd + 4) {
        values[table.names[index]!] = table.parseBytes(index, bytes, keyEnd + 4, valueEnd);
      }
      if (++count > HEADER_FIELDS_MAX) throw tooManyFields();
      at = valueEnd;
    }
    return values;
  }

  #keyEnd(at: number): number {
    const keyEnd = at + 6 <= this.end ? at + 2 + this.view.getUint16(at) : this.end;
    if (keyEnd + 4 > this.end) throw malformed("a field's name");
    return keyEnd;
  }

  #valueEnd(keyEnd: number): number {
    const length = this.view.getInt32(keyEnd);
    if (length < 0 || keyEnd + 4 + length > this.end) throw malformed("a field's value");
    return keyEnd + 4 + length;
  }

  #text(start: number, end: number): string {
    return decoder.decode(this.bytes.subarray(start, end));
  }
}

/** What a header is written from. */
export interface HeaderParts<S extends Fields> {
  readonly code: number;
  readonly version: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark?: string | undefined;
  readonly table?: FieldTable<S> | undefined;
  readonly values?: InputOf<S> | undefined;
  /** Fields that no declaration names, as a signature's. */
  readonly extra?: ReadonlyMap<string, string> | undefined;
}

const keyBytes = new Map<string, Uint8Array>();

/** A key with its length in front; field names are few and fixed. */
function keyWithLength(key: string): Uint8Array {
  let made = keyBytes.get(key);
  if (made === undefined) {
    const text = encoder.encode(key);
    made = new Uint8Array(2 + text.length);
    new DataView(made.buffer).setInt16(0, text.length);
    made.set(text, 2);
    if (keyBytes.size < FIELD_NAMES_KEPT_MAX) keyBytes.set(key, made);
  }
  return made;
}

function sizedText(out: ByteWriter, text: string): void {
  const at = out.ensure(4);
  out.length = at + 4;
  // First the text: it may move the buffer, and its view with it.
  const bytes = out.text(text);
  out.view.setInt32(at, bytes);
}

/** Writes a binary header. */
export function encodeBinaryHeader<S extends Fields>(out: ByteWriter, parts: HeaderParts<S>): void {
  const at = out.ensure(FIXED_BYTES);
  out.view.setInt16(at, parts.code);
  out.view.setInt8(at + 2, 0);
  out.view.setInt16(at + 3, parts.version);
  out.view.setInt32(at + 5, parts.opaque);
  out.view.setInt32(at + 9, parts.flag);
  out.length = at + 13;
  sizedText(out, parts.remark ?? "");
  const extAt = out.ensure(4);
  out.length = extAt + 4;
  if (parts.table && parts.values) {
    const { names, wireNames, types } = parts.table;
    const values = parts.values as Record<string, unknown>;
    for (let i = 0; i < names.length; i++) {
      const value = values[names[i]!];
      if (value === undefined) continue;
      out.raw(keyWithLength(wireNames[i]!));
      const type = types[i]!;
      sizedText(out, type === "int" || type === "long" ? formatInteger(value as number) : String(value));
    }
  }
  for (const [key, value] of parts.extra ?? []) {
    out.raw(keyWithLength(key));
    sizedText(out, value);
  }
  out.view.setInt32(extAt, out.length - extAt - 4);
}
