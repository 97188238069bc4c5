/**
 * JSON headers as fastjson and JSON.stringify write them, read straight from their bytes: no blanks, whole numbers,
 * fields that are text. `JSON.parse` decides what a header means; of these it says the same, and all others go to it.
 *
 * @module
 */
import { HEADER_FIELDS_MAX, HEADER_TEXT_BYTES_KEPT } from "../limits.ts";
import { FieldTable, HeaderFields, int, str } from "./fields.ts";
import type { Header } from "./frame.ts";
import { textAt } from "./known_texts.ts";

const QUOTE = 0x22, COMMA = 0x2c, MINUS = 0x2d, COLON = 0x3a, BACKSLASH = 0x5c, OPENING = 0x7b, CLOSING = 0x7d;
const ASCII_0 = 0x30;
const LETTER_U = 0x75;
/** Digits that a number holds exactly. */
const DIGITS_MAX = 15;

/** Bytes that stand for themselves within quotes. Those beyond ASCII do: no sequence of UTF-8 reaches over a quote. */
const PLAIN = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 0 : 1,
);
const IS_ESCAPE = bytesOf('"\\/bfnrt');
const IS_HEX = bytesOf("0123456789abcdefABCDEF");
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** 1 for each byte that is one of these characters. */
function bytesOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

/** What the header's own members mean; any others must only be JSON. */
const MEMBERS = new FieldTable({
  code: int,
  version: int,
  opaque: int,
  flag: int,
  language: str,
  remark: str,
  extFields: str,
});
const CODE = 0, VERSION = 1, OPAQUE = 2, FLAG = 3, LANGUAGE = 4, REMARK = 5, EXT_FIELDS = 6;

/** Of each field: where its name begins and ends and where its value ends, which is negated behind escapes. */
const MARKS_PER_FIELD = 3;
const marks = new Int32Array(MARKS_PER_FIELD * HEADER_FIELDS_MAX);
let marked = 0;
/** Whose fields the marks are: the header that was read last. */
let owner: PlainJsonFields | undefined;
/** Where the last number ended. */
let numberEnd = 0;

/** No place, since a frame begins before its header. */
const NOWHERE = 0;

/** Reads the header that lies in `bytes[start, end)`; undefined when it is not plain or not JSON at all. */
export function decodePlainJson(bytes: Uint8Array, start: number, end: number): Header | undefined {
  let code = 0, version = 0, opaque = 0, flag = 0;
  let language = "OTHER";
  let remark: string | undefined;
  let at = start;
  if (bytes[at] !== OPENING) return undefined;
  owner = undefined;
  marked = 0;
  do {
    if (bytes[at + 1] !== QUOTE) return undefined;
    const keyEnd = textEnd(bytes, at + 2, end);
    if (keyEnd <= NOWHERE || bytes[keyEnd + 1] !== COLON) return undefined;
    const member = MEMBERS.indexOf(bytes, at + 2, keyEnd);
    at = keyEnd + 2;
    const first = bytes[at];
    if (first === QUOTE) {
      const valueEnd = textEnd(bytes, at + 1, end);
      if (valueEnd === NOWHERE || (member >= 0 && member !== LANGUAGE && member !== REMARK)) return undefined;
      if (member === LANGUAGE) language = quotedText(bytes, at + 1, valueEnd);
      else if (member === REMARK) remark = quotedText(bytes, at + 1, valueEnd);
      at = Math.abs(valueEnd) + 1;
    } else if (first === OPENING) {
      if (member !== EXT_FIELDS) return undefined;
      at = markFields(bytes, at, end);
      if (at === NOWHERE) return undefined;
    } else {
      const value = integerAt(bytes, at, end);
      if (numberEnd === NOWHERE || member > FLAG) return undefined;
      at = numberEnd;
      if (member === CODE) code = value;
      else if (member === VERSION) version = value;
      else if (member === OPAQUE) opaque = value;
      else if (member === FLAG) flag = value;
    }
  } while (bytes[at] === COMMA);
  // Whatever was read beyond the end, this says so.
  if (at !== end - 1 || bytes[at] !== CLOSING) return undefined;
  const fields = owner = new PlainJsonFields(bytes, start, end);
  return { code: code | 0, language, version: version | 0, opaque: opaque | 0, flag: flag | 0, remark, fields };
}

/** Where the text that begins at `at` has its closing quote: negated behind escapes, NOWHERE when there is none. */
function textEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && PLAIN[bytes[at]!] === 1) at++;
  if (at >= end) return NOWHERE;
  return bytes[at] === QUOTE ? at : escapedEnd(bytes, at, end);
}

function escapedEnd(bytes: Uint8Array, at: number, end: number): number {
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (PLAIN[byte] === 1) continue;
    if (byte === QUOTE) return -at;
    if (byte !== BACKSLASH) return NOWHERE;
    const kind = bytes[++at]!;
    if (kind === LETTER_U) {
      for (let digits = 0; digits < 4; digits++) if (IS_HEX[bytes[++at]!] !== 1) return NOWHERE;
    } else if (IS_ESCAPE[kind] !== 1) return NOWHERE;
  }
  return NOWHERE;
}

/** The text from behind a quote to its end, which is negated behind escapes. */
function quotedText(bytes: Uint8Array, start: number, end: number): string {
  if (end >= 0) return textAt(bytes, start, end);
  return JSON.parse(decoder.decode(bytes.subarray(start - 1, 1 - end)));
}

/** What escapes of one letter stand for. */
const UNESCAPED = new Uint8Array(256);
for (const [i, letter] of [...'"\\/bfnrt'].entries()) UNESCAPED[letter.charCodeAt(0)] = '"\\/\b\f\n\r\t'.charCodeAt(i);
const HEX_VALUE = Uint8Array.from({ length: 256 }, (_, byte) => Number.parseInt(String.fromCharCode(byte), 16) || 0);
const kept = new Uint8Array(HEADER_TEXT_BYTES_KEPT);

/**
 * The UTF-8 of a text with escapes, all of which stand for ASCII, or undefined; it is valid until the next one. As
 * properties have separators that JSON must escape, this is how they come.
 */
function unescaped(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  if (end - start > kept.length) return undefined;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte !== BACKSLASH) {
      kept[length++] = byte;
      continue;
    }
    const kind = bytes[++at]!;
    if (kind !== LETTER_U) {
      kept[length++] = UNESCAPED[kind]!;
      continue;
    }
    const high = HEX_VALUE[bytes[at + 3]!]!;
    if (bytes[at + 1] !== ASCII_0 || bytes[at + 2] !== ASCII_0 || high > 7) return undefined;
    kept[length++] = high << 4 | HEX_VALUE[bytes[at + 4]!]!;
    at += 4;
  }
  return kept.subarray(0, length);
}

/** The whole number at `at`, and `numberEnd` behind it: NOWHERE when there is none, or too great a one. */
function integerAt(bytes: Uint8Array, at: number, end: number): number {
  const negative = bytes[at] === MINUS;
  const first = negative ? at + 1 : at;
  let value = 0;
  for (at = first; at < end; at++) {
    const digit = bytes[at]! - ASCII_0;
    if (!(digit >= 0 && digit <= 9)) break;
    value = value * 10 + digit;
  }
  const count = at - first;
  const isOne = count > 0 && count <= DIGITS_MAX && (count === 1 || bytes[first] !== ASCII_0);
  numberEnd = isOne ? at : NOWHERE;
  return negative ? -value : value;
}

/** Marks the fields of the object that begins at `at`, and says what is behind it; NOWHERE when it is not plain. */
function markFields(bytes: Uint8Array, at: number, end: number): number {
  marked = 0;
  if (bytes[at + 1] === CLOSING) return at + 2;
  do {
    if (bytes[at + 1] !== QUOTE || marked === marks.length) return NOWHERE;
    const keyEnd = textEnd(bytes, at + 2, end);
    if (keyEnd <= NOWHERE || bytes[keyEnd + 1] !== COLON || bytes[keyEnd + 2] !== QUOTE) return NOWHERE;
    const valueEnd = textEnd(bytes, keyEnd + 3, end);
    if (valueEnd === NOWHERE) return NOWHERE;
    marks[marked] = at + 2;
    marks[marked + 1] = keyEnd;
    marks[marked + 2] = valueEnd;
    marked += MARKS_PER_FIELD;
    at = Math.abs(valueEnd) + 1;
  } while (bytes[at] === COMMA);
  return bytes[at] === CLOSING ? at + 1 : NOWHERE;
}

/** Fields as bytes of a frame; only what a declaration asks for becomes a value. */
class PlainJsonFields extends HeaderFields {
  constructor(readonly bytes: Uint8Array, readonly start: number, readonly end: number) {
    super();
  }

  /** Takes the marks back that another header's fields have. */
  #mark(): void {
    if (owner === this) return;
    decodePlainJson(this.bytes, this.start, this.end);
    owner = this;
  }

  override all(): Map<string, string> {
    this.#mark();
    const all = new Map<string, string>();
    for (let i = 0; i < marked; i += MARKS_PER_FIELD) {
      const keyEnd = marks[i + 1]!;
      all.set(textAt(this.bytes, marks[i]!, keyEnd), quotedText(this.bytes, keyEnd + 3, marks[i + 2]!));
    }
    return all;
  }

  protected override fill(table: FieldTable): Record<string, unknown> {
    this.#mark();
    const values = table.empty();
    const { bytes } = this;
    // From the last one on: of fields with one name, the last counts.
    for (let i = marked - MARKS_PER_FIELD; i >= 0; i -= MARKS_PER_FIELD) {
      const keyEnd = marks[i + 1]!, valueEnd = marks[i + 2]!;
      const index = table.indexOf(bytes, marks[i]!, keyEnd);
      if (index < 0) continue;
      const name = table.names[index]!;
      if (values[name] !== undefined) continue;
      if (valueEnd >= 0) values[name] = table.parseBytes(index, bytes, keyEnd + 3, valueEnd);
      else {
        values[name] = (table.types[index] === "utf8" ? unescaped(bytes, keyEnd + 3, -valueEnd) : undefined) ??
          table.parse(index, quotedText(bytes, keyEnd + 3, valueEnd));
      }
    }
    return values;
  }
}
