/**
 * A growing buffer that frames are written into: no object per field, no copy at the end.
 *
 * @module
 */
import { SHORT_COPY_BYTES, WRITE_BUFFER_BYTES, WRITE_BUFFER_BYTES_KEPT } from "../limits.ts";

/** A UTF-16 unit has at most this many bytes in UTF-8. */
export const UTF8_BYTES_PER_UNIT = 3;
const encoder = new TextEncoder();
const INT_RANGE = 0x1_0000_0000;
const ASCII_MAX = 0x7f;
const SPACE = 0x20, QUOTE = 0x22, ASCII_0 = 0x30, BACKSLASH = 0x5c;
/** Characters up to which a loop of our own beats the encoder's call. */
const SHORT_TEXT = 64;

/** Big-endian writer over one buffer that grows as needed and can be used again after {@linkcode ByteWriter.reset}. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView<ArrayBuffer>;
  /** Where the next byte goes; everything before it is written. */
  length = 0;

  constructor(readonly capacity = WRITE_BUFFER_BYTES) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes and returns where they begin; the caller moves {@linkcode length}. */
  ensure(count: number): number {
    const needed = this.length + count;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return this.length;
  }

  /** Forgets what was written; the buffer is kept unless it grew beyond `keepBytes`. */
  reset(keepBytes = WRITE_BUFFER_BYTES_KEPT): void {
    this.length = 0;
    if (this.bytes.length > Math.max(keepBytes, this.capacity)) {
      this.bytes = new Uint8Array(this.capacity);
      this.view = new DataView(this.bytes.buffer);
    }
  }

  int8(value: number): void {
    const at = this.ensure(1);
    this.view.setInt8(at, value);
    this.length = at + 1;
  }

  int16(value: number): void {
    const at = this.ensure(2);
    this.view.setInt16(at, value);
    this.length = at + 2;
  }

  int32(value: number): void {
    const at = this.ensure(4);
    this.view.setInt32(at, value);
    this.length = at + 4;
  }

  /** A safe integer as 64 bits. */
  int64(value: number): void {
    const at = this.ensure(8);
    writeInt64(this.view, at, value);
    this.length = at + 8;
  }

  raw(bytes: Uint8Array): void {
    const at = this.ensure(bytes.length);
    this.bytes.set(bytes, at);
    this.length = at + bytes.length;
  }

  /** UTF-8 of a text, without its length; returns the number of bytes. */
  text(text: string): number {
    const { length } = text;
    const at = this.ensure(length * UTF8_BYTES_PER_UNIT);
    if (length <= SHORT_TEXT) {
      const { bytes } = this;
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > ASCII_MAX) break;
        bytes[at + i] = unit;
      }
      if (i === length) {
        this.length = at + length;
        return length;
      }
    }
    const written = encoder.encodeInto(text, at === 0 ? this.bytes : this.bytes.subarray(at)).written;
    this.length = at + written;
    return written;
  }

  /** A text in double quotes, as JSON. */
  quoted(text: string): void {
    const { length } = text;
    if (length <= SHORT_TEXT) {
      const start = this.ensure(length + 2);
      const { bytes } = this;
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit < SPACE || unit > ASCII_MAX || unit === QUOTE || unit === BACKSLASH) break;
        bytes[start + 1 + i] = unit;
      }
      if (i === length) {
        bytes[start] = bytes[start + 1 + length] = QUOTE;
        this.length = start + length + 2;
        return;
      }
    }
    this.text(JSON.stringify(text));
  }

  /** The decimal digits of a number from 0 to 2^31 - 1. */
  digits(value: number): void {
    let count = 1;
    for (let rest = value; rest > 9; rest = (rest / 10) | 0) count++;
    const at = this.ensure(count);
    const { bytes } = this;
    let rest = value;
    for (let i = at + count - 1; i >= at; i--) {
      const tens = (rest / 10) | 0;
      bytes[i] = ASCII_0 + rest - tens * 10;
      rest = tens;
    }
    this.length = at + count;
  }

  /** What was written so far; valid until the next write or reset. */
  written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }
}

/** Writes a safe integer as 64 bits, big-endian, through two 32-bit halves (BigInt costs ten times as much). */
export function writeInt64(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / INT_RANGE);
  view.setInt32(at, high);
  view.setUint32(at + 4, value - high * INT_RANGE);
}

/** Reads 64 bits, big-endian; exact to 2^53. */
export function readInt64(view: DataView, at: number): number {
  return view.getInt32(at) * INT_RANGE + view.getUint32(at + 4);
}

/** As {@linkcode copyBytes}, several times as fast for texts as short as properties, where there are views. */
export function copyWords(from: DataView, start: number, end: number, to: DataView, at: number): number {
  const stop = at + end - start;
  for (; start + 4 <= end; start += 4, at += 4) to.setInt32(at, from.getInt32(start));
  for (; start < end; start++, at++) to.setInt8(at, from.getInt8(start));
  return stop;
}

/** Copies `from[start, end)` to `at` of another array, and returns where it ends there. */
export function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  if (end - start > SHORT_COPY_BYTES) to.set(from.subarray(start, end), at);
  else for (let i = start, target = at; i < end; i++, target++) to[target] = from[i]!;
  return at + end - start;
}
