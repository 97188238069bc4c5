/**
 * Of an answer's header only what measuring needs, without decoding the rest.
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { HeaderEncoding, responseCodeName } from "../../protocol/codes.ts";
import { decodeFrame } from "../../protocol/frame.ts";

const ASCII_0 = 48;
const BINARY_HEADER_BYTES_MIN = 21;
/** Bytes between a field's name and its digits: punctuation in JSON, a length of four bytes in binary headers. */
const GAP_BYTES_MAX = 8;
const encoder = new TextEncoder();
const CODE = encoder.encode('"code":');
const OPAQUE = encoder.encode('"opaque":');
const NEXT_BEGIN_OFFSET = encoder.encode("nextBeginOffset");

/** One answer at a time; each {@linkcode Answer.read} overwrites the one before. */
export class Answer {
  code = 0;
  opaque = 0;
  /** Where the body lies. */
  bodyAt = 0;
  end = 0;
  #bytes: Uint8Array = new Uint8Array();
  #view: DataView = new DataView(this.#bytes.buffer);
  #at = 0;

  /** Reads the frame that lies at `at`. Throws `malformed`. */
  read(bytes: Uint8Array, view: DataView, at: number, end: number): void {
    this.#bytes = bytes;
    this.#view = view;
    this.#at = at;
    this.end = end;
    this.bodyAt = at + 8 + (view.getInt32(at + 4) & 0xffffff);
    if (this.bodyAt > end) throw malformed("its header is longer than the frame");
    if (view.getUint8(at + 4) === HeaderEncoding.ROCKETMQ) {
      if (this.bodyAt - at - 8 < BINARY_HEADER_BYTES_MIN) throw malformed("its header is cut short");
      this.code = view.getInt16(at + 8);
      this.opaque = view.getInt32(at + 13);
    } else {
      this.code = numberAfter(bytes, at + 8, this.bodyAt, CODE);
      this.opaque = numberAfter(bytes, at + 8, this.bodyAt, OPAQUE);
    }
  }

  /** Where a pull goes on; undefined when the answer does not say. */
  nextBeginOffset(): number | undefined {
    const at = find(this.#bytes, this.#at + 8, this.bodyAt, NEXT_BEGIN_OFFSET);
    return at < 0 ? undefined : digitsFrom(this.#bytes, at + NEXT_BEGIN_OFFSET.length, this.bodyAt);
  }

  /** Code and remark in words. */
  text(): string {
    const { remark = "" } = decodeFrame(this.#bytes, this.#view, this.#at, this.end - this.#at).header;
    return `${responseCodeName(this.code)} (${this.code}) ${remark}`.trim();
  }
}

function malformed(reason: string): RocketdError {
  return new RocketdError("malformed", `Cannot read an answer: ${reason}`);
}

function numberAfter(bytes: Uint8Array, start: number, end: number, name: Uint8Array): number {
  const at = find(bytes, start, end, name);
  const value = at < 0 ? undefined : digitsFrom(bytes, at + name.length, end);
  if (value === undefined) throw malformed(`${new TextDecoder().decode(name)} is missing in its header`);
  return value;
}

/** Where the bytes of `part` begin; -1 when they are not there. */
export function find(bytes: Uint8Array, start: number, end: number, part: Uint8Array): number {
  const second = part[1]!;
  for (let at = start; at + part.length <= end; at++) {
    if (bytes[at + 1] !== second) continue;
    let i = 0;
    while (i < part.length && bytes[at + i] === part[i]) i++;
    if (i === part.length) return at;
  }
  return -1;
}

function digitsFrom(bytes: Uint8Array, start: number, end: number): number | undefined {
  let at = start;
  const isDigit = () => at < end && bytes[at]! >= ASCII_0 && bytes[at]! <= ASCII_0 + 9;
  while (at < start + GAP_BYTES_MAX && !isDigit()) at++;
  if (!isDigit()) return undefined;
  let value = 0;
  for (; isDigit(); at++) value = value * 10 + bytes[at]! - ASCII_0;
  return value;
}
