/**
 * Properties as the UTF-8 that they come and are stored in. What a send and the store need of them is found in one pass
 * over the bytes, without a text; see properties.ts for what they mean.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { javaHash } from "./java_hash.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NO_BYTES = new Uint8Array(0);
const ASCII_MAX = 0x7f;
const SPACE = 0x20;
const MIDDLE = 1;
/** Between two properties. */
export const SEPARATOR = 2;
const [TAGS, KEYS, WAIT, UNIQ, _KEY, DELA, TRAN, _MSG, CLUS] = [
  "TAGS",
  "KEYS",
  "WAIT",
  "UNIQ",
  "_KEY",
  "DELA",
  "TRAN",
  "_MSG",
  "CLUS",
].map((letters) => wordAt(new TextEncoder().encode(letters), 0));
const LETTER_Y = 0x59;
/** The property WAIT, its name with the separator. */
const WAIT_BYTES = 5;
const TRUE = wordAt(new TextEncoder().encode("true"), 0), SMALL_LETTERS = 0x2020_2020;
const FALSE = wordAt(new TextEncoder().encode("alse"), 0), LETTER_F = 0x66;
const TRUE_BYTES = 4, FALSE_BYTES = 5;

/** Four bytes as a number; beyond the end they count as 0. */
function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!;
}

/** Whether all bytes are ASCII, so that they are also the units of their text. */
export function isAscii(view: DataView, from: number, to: number): boolean {
  let all = 0;
  for (; from + 4 <= to; from += 4) all |= view.getInt32(from);
  for (; from < to; from++) all |= view.getInt8(from);
  return (all & 0x8080_8080) === 0;
}

/** `String.hashCode` of the text whose UTF-8 this is; see {@linkcode javaHash}. */
export function utf8Hash(bytes: Uint8Array, from: number, to: number, seed = 0): number {
  let hash = seed;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if (byte > ASCII_MAX) return javaHash(decoder.decode(bytes.subarray(from, to)), 0, undefined, seed);
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  return hash;
}

/** Calls `take` with the begin and end of each word between spaces. */
export function eachWord(bytes: Uint8Array, from: number, to: number, take: (from: number, to: number) => void): void {
  for (let start = from; start < to;) {
    let end = start;
    while (end < to && bytes[end] !== SPACE) end++;
    if (end > start) take(start, end);
    start = end + 1;
  }
}

/** Where the properties lie that the store itself needs; both ends of one that is missing are 0. */
export class StoreProperties {
  bytes: Uint8Array = NO_BYTES;
  tagsFrom = 0;
  tagsTo = 0;
  keysFrom = 0;
  keysTo = 0;
  uniqKeyFrom = 0;
  uniqKeyTo = 0;
  delayFrom = 0;
  delayTo = 0;
  /** False where WAIT is anything but "true", in any case. */
  wait = true;

  /** Looks through `bytes[from, to)`, which it borrows until the next call. */
  read(bytes: Uint8Array, from: number, to: number): this {
    this.bytes = bytes;
    this.tagsFrom =
      this.tagsTo =
      this.keysFrom =
      this.keysTo =
        0;
    this.uniqKeyFrom =
      this.uniqKeyTo =
      this.delayFrom =
      this.delayTo =
        0;
    this.wait = true;
    for (let start = from; start < to;) {
      let end = start;
      while (end < to && bytes[end] !== SEPARATOR) end++;
      // Only names of 4, 5 and 8 letters matter.
      if (bytes[start + 4] === MIDDLE && end > start + 5) {
        const name = wordAt(bytes, start);
        if (name === TAGS) {
          this.tagsFrom = start + 5;
          this.tagsTo = end;
        } else if (name === KEYS) {
          this.keysFrom = start + 5;
          this.keysTo = end;
        } else if (name === WAIT) this.wait = isTrue(bytes, start + 5, end);
      } else if (bytes[start + 8] === MIDDLE && end > start + 9) {
        if (wordAt(bytes, start) === UNIQ && wordAt(bytes, start + 4) === _KEY) {
          this.uniqKeyFrom = start + 9;
          this.uniqKeyTo = end;
        }
      } else if (bytes[start + 5] === MIDDLE && end > start + 6) {
        if (wordAt(bytes, start) === DELA && bytes[start + 4] === LETTER_Y) {
          this.delayFrom = start + 6;
          this.delayTo = end;
        }
      }
      start = end + 1;
    }
    return this;
  }

  /** Whether there are none but WAIT. */
  get isEmpty(): boolean {
    return this.tagsTo + this.keysTo + this.uniqKeyTo + this.delayTo === 0;
  }

  /** The text of DELAY; "" for none. */
  get delay(): string {
    return decoder.decode(this.bytes.subarray(this.delayFrom, this.delayTo));
  }
}

function isTrue(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from === TRUE_BYTES && (wordAt(bytes, from) | SMALL_LETTERS) === TRUE;
}

/** What is stored of a message's properties: all but `bytes[cutFrom, cutTo)`, and `behind` as the last of them. */
export interface PropertyBytes {
  /** Well-formed UTF-8; borrowed. */
  readonly bytes: Uint8Array;
  readonly cutFrom: number;
  readonly cutTo: number;
  readonly behind: Uint8Array;
}

/** Bytes of properties as they are stored. */
export function storedLength({ bytes, cutFrom, cutTo, behind }: PropertyBytes): number {
  const length = bytes.length - (cutTo - cutFrom);
  if (behind.length === 0 || length === 0) return length + behind.length;
  const last = cutTo === bytes.length ? cutFrom : bytes.length;
  return length + (bytes[last - 1] === SEPARATOR ? 0 : 1) + behind.length;
}

/** The properties of a send as they came. */
export class SentProperties implements PropertyBytes {
  bytes: Uint8Array = NO_BYTES;
  /** Where the property WAIT lies, which 4.9.7 does not store, with a separator. */
  cutFrom = 0;
  cutTo = 0;
  /** Whether the sender waits for disk and slave. */
  wait = true;

  constructor(readonly behind: Uint8Array) {}

  /**
   * Looks through properties, which it borrows until the next call. False where that is not enough: they are not UTF-8, or
   * ask for something (DELAY, TRAN_MSG), or have what the broker sets itself (CLUSTER), or say WAIT twice.
   */
  read(bytes: Uint8Array): boolean {
    const { length } = bytes;
    this.bytes = bytes;
    this.cutFrom = this.cutTo = 0;
    this.wait = true;
    let all = 0;
    for (let start = 0; start < length;) {
      let end = start;
      for (; end < length; end++) {
        const byte = bytes[end]!;
        if (byte === SEPARATOR) break;
        all |= byte;
      }
      const name = wordAt(bytes, start);
      if (name === WAIT && bytes[start + 4] === MIDDLE) {
        if (this.cutTo > 0) return false;
        // The last one goes with the separator before it.
        this.cutFrom = end < length ? start : Math.max(start - 1, 0);
        this.cutTo = Math.min(end + 1, length);
        this.wait = !isFalse(bytes, start + WAIT_BYTES, end);
      } else if (name === DELA || name === CLUS || (name === TRAN && wordAt(bytes, start + 4) === _MSG)) return false;
      start = end + 1;
    }
    return all <= ASCII_MAX || isUtf8(bytes);
  }
}

function isFalse(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from === FALSE_BYTES && bytes[from] === LETTER_F && wordAt(bytes, from + 1) === FALSE;
}
