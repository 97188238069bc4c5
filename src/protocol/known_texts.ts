/**
 * Texts that come again and again, as names of topics and groups: found by their bytes, they need no decoding, and it is
 * the same string each time, whose hash is known to every map that it is looked up in.
 *
 * @module
 */
import { KNOWN_TEXT_BYTES_MAX, KNOWN_TEXTS_MAX } from "../limits.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NO_BYTES = new Uint8Array(0);

/** Each text has one place, and the newest holds it. */
const texts: string[] = new Array(KNOWN_TEXTS_MAX).fill("");
const bytesOf: Uint8Array[] = new Array(KNOWN_TEXTS_MAX).fill(NO_BYTES);

/** The text whose UTF-8 lies in `bytes[start, end)`. */
export function textAt(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return "";
  if (length > KNOWN_TEXT_BYTES_MAX) return decoder.decode(bytes.subarray(start, end));
  const middle = bytes[start + (length >> 1)]!, last = bytes[end - 1]!;
  const place = (Math.imul(bytes[start]! * 31 + middle, 31) + last * 7 + length) % KNOWN_TEXTS_MAX;
  const there = bytesOf[place]!;
  if (isAt(bytes, start, length, there)) return texts[place]!;
  const kept = bytes.slice(start, end);
  bytesOf[place] = kept;
  return texts[place] = decoder.decode(kept);
}

function isAt(bytes: Uint8Array, start: number, length: number, other: Uint8Array): boolean {
  if (other.length !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== other[i]) return false;
  return true;
}
