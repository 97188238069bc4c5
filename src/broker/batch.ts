/**
 * The body of a batch send (`MessageDecoder.encodeMessage` 4.9.7), big-endian, entry after entry:
 *
 *     entry = size:int32 magic:int32 crc:int32 flag:int32 bodyLength:int32 body propertiesLength:int16 properties
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { RECORD_BYTES_MIN } from "../protocol/message_record.ts";
import type { NewMessage } from "../store/types.ts";

// A byte order mark at the front is part of the text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const FIXED_BYTES = 22;

/**
 * The messages of a batch: each like `base` but for flag, body and properties; the batch's own properties come behind
 * an entry's. Bodies are views into `bytes`. Throws `malformed`, also for more than could be stored in `bytesMax` bytes:
 * an entry of a few bytes makes a message of hundreds.
 */
export function decodeBatch(bytes: Uint8Array, base: NewMessage, shared: string, bytesMax: number): NewMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: NewMessage[] = [];
  const overhead = RECORD_BYTES_MIN + base.topic.length + shared.length - FIXED_BYTES;
  let at = 0;
  let stored = 0;
  while (at < bytes.length) {
    const left = bytes.length - at;
    const size = left >= FIXED_BYTES ? view.getInt32(at) : 0;
    const bodyLength = left >= FIXED_BYTES ? view.getInt32(at + 16) : -1;
    const propertiesAt = at + 20 + bodyLength;
    if (size < FIXED_BYTES || size > left || bodyLength < 0 || bodyLength > size - FIXED_BYTES) {
      throw malformed(messages.length, `its size is ${size}, its body's ${bodyLength}, ${left} bytes are left`);
    }
    const propertiesLength = view.getInt16(propertiesAt);
    if (propertiesLength !== size - FIXED_BYTES - bodyLength) {
      throw malformed(messages.length, `its properties have ${propertiesLength} bytes, its size is ${size}`);
    }
    stored += size + overhead;
    if (stored > bytesMax) {
      const reason = `its messages have more than ${bytesMax} bytes in the log, allowed are ${bytesMax}`;
      throw new RocketdError("malformed", reason, { field: "body" });
    }
    const own = decoder.decode(bytes.subarray(propertiesAt + 2, at + size));
    messages.push({
      ...base,
      flag: view.getInt32(at + 12),
      body: bytes.subarray(at + 20, propertiesAt),
      properties: own === "" || own.endsWith("\x02") ? own + shared : `${own}\x02${shared}`,
    });
    at += size;
  }
  if (messages.length === 0) throw new RocketdError("malformed", "it holds no message", { field: "body" });
  return messages;
}

function malformed(index: number, what: string): RocketdError {
  return new RocketdError("malformed", `entry ${index} is cut short: ${what}`, { field: "body" });
}
