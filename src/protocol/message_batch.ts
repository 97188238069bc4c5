/**
 * The body of a batch send (`MessageDecoder.encodeMessage` 4.9.7), big-endian, entry after entry:
 *
 *     entry = size:int32 magic:int32 crc:int32 flag:int32 bodyLength:int32 body propertiesLength:int16 properties
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { RocketdError } from "../errors.ts";
import { PROPERTIES_BYTES_MAX } from "../limits.ts";
import { ByteWriter } from "./byte_writer.ts";
import { isAscii, SEPARATOR } from "./property_bytes.ts";

// A byte order mark at the front is part of the text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const FIXED_BYTES = 22;
const PROPERTIES_LENGTH_BYTES = 2;

/** Goes through the messages of a batch. */
export class BatchReader {
  readonly view: DataView;
  flag = 0;
  bodyFrom = 0;
  /** Behind it come two bytes of length, and the properties. */
  bodyTo = 0;
  propertiesFrom = 0;
  /** The entry's end. */
  propertiesTo = 0;
  /** Bytes of the entry. */
  size = 0;
  #index = 0;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether there is another message, which is then the one that the fields speak of. Throws `malformed`. */
  next(): boolean {
    const { bytes, view, propertiesTo: at } = this;
    const left = bytes.length - at;
    if (left === 0) return false;
    const size = left >= FIXED_BYTES ? view.getInt32(at) : 0;
    const bodyLength = left >= FIXED_BYTES ? view.getInt32(at + 16) : -1;
    if (size < FIXED_BYTES || size > left || bodyLength < 0 || bodyLength > size - FIXED_BYTES) {
      throw this.#malformed(`its size is ${size}, its body's ${bodyLength}, ${left} bytes are left`);
    }
    this.size = size;
    this.flag = view.getInt32(at + 12);
    this.bodyFrom = at + 20;
    this.bodyTo = this.bodyFrom + bodyLength;
    this.propertiesFrom = this.bodyTo + PROPERTIES_LENGTH_BYTES;
    this.propertiesTo = at + size;
    const propertiesLength = view.getInt16(this.bodyTo);
    if (propertiesLength !== this.propertiesTo - this.propertiesFrom) {
      throw this.#malformed(`its properties have ${propertiesLength} bytes, its size is ${size}`);
    }
    this.#index++;
    return true;
  }

  #malformed(what: string): RocketdError {
    return new RocketdError("malformed", `entry ${this.#index} is cut short: ${what}`, { field: "body" });
  }
}

/** What is known of a batch before it is stored. */
export interface MeasuredBatch {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Bytes of all bodies and all properties; and of separators, where properties need one for others behind them. */
  readonly contentBytes: number;
  readonly longestBody: number;
  /** With the separator. */
  readonly longestProperties: number;
}

/**
 * Looks through a batch. Properties that are not UTF-8 are stored as they are read, so that the bytes may be others then.
 * Throws `malformed`, also for more than could be stored in `bytesMax` bytes: an entry of a few bytes makes a message of
 * hundreds.
 *
 * @param recordBytes of a record of this batch, without body and the properties of its own
 */
export function measureBatch(bytes: Uint8Array, recordBytes: number, bytesMax: number): MeasuredBatch {
  const reader = new BatchReader(bytes);
  let count = 0, contentBytes = 0, longestBody = 0, longestProperties = 0;
  let isClean = true;
  while (reader.next()) {
    const { bodyFrom, bodyTo, propertiesFrom, propertiesTo } = reader;
    const separated = propertiesFrom === propertiesTo || bytes[propertiesTo - 1] === SEPARATOR;
    const properties = propertiesTo - propertiesFrom + (separated ? 0 : 1), body = bodyTo - bodyFrom;
    count++;
    contentBytes += body + properties;
    if (contentBytes + count * recordBytes > bytesMax) {
      const reason = `its messages have more than ${bytesMax} bytes in the log, allowed are ${bytesMax}`;
      throw new RocketdError("malformed", reason, { field: "body" });
    }
    if (body > longestBody) longestBody = body;
    if (properties > longestProperties) longestProperties = properties;
    isClean &&= isAscii(reader.view, propertiesFrom, propertiesTo) ||
      isUtf8(bytes.subarray(propertiesFrom, propertiesTo));
  }
  if (count === 0) throw new RocketdError("malformed", "it holds no message", { field: "body" });
  if (!isClean) return measureBatch(cleaned(bytes), recordBytes, bytesMax);
  return { bytes, count, contentBytes, longestBody, longestProperties };
}

/** The batch with properties that are UTF-8 all through. */
function cleaned(bytes: Uint8Array): Uint8Array {
  const reader = new BatchReader(bytes);
  const out = new ByteWriter(bytes.length);
  while (reader.next()) {
    const { bodyTo, propertiesFrom, propertiesTo } = reader;
    const start = out.length;
    out.raw(bytes.subarray(propertiesTo - reader.size, propertiesFrom));
    const length = out.text(decoder.decode(bytes.subarray(propertiesFrom, propertiesTo)));
    if (length > PROPERTIES_BYTES_MAX) {
      const reason = `properties have ${length} bytes, allowed are ${PROPERTIES_BYTES_MAX}`;
      throw new RocketdError("malformed", reason, { field: "body" });
    }
    out.view.setInt32(start, out.length - start);
    out.view.setInt16(start + bodyTo - (propertiesTo - reader.size), length);
  }
  return out.written();
}
