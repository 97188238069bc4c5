/**
 * The offset message id, which tells where a message is stored: upper-case hex of the store host's address (4 or 16
 * bytes) and port (4) and of the log offset (8).
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { SysFlag } from "./codes.ts";
import { hostBytes } from "./message_record.ts";

const INT_RANGE = 0x1_0000_0000;
const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, "0"));

/** Upper-case hex. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += hexOfByte[bytes[i]!];
  return text;
}

/** The id of the record at `logOffset` of the broker whose store host (address and port bytes) this is. */
export function formatMessageId(storeHost: Uint8Array, logOffset: number): string {
  return toHex(storeHost) + logOffset.toString(16).toUpperCase().padStart(16, "0");
}

/** Makes the ids of one broker's records: what they begin with, host and high half of the offset, is seldom another. */
export class MessageIds {
  #high = -1;
  #begin = "";

  constructor(readonly storeHost: Uint8Array) {}

  /** As {@linkcode formatMessageId}. */
  of(logOffset: number): string {
    const high = Math.floor(logOffset / INT_RANGE), low = logOffset % INT_RANGE;
    if (high !== this.#high) {
      this.#high = high;
      this.#begin = formatMessageId(this.storeHost, logOffset).slice(0, -8);
    }
    return this.#begin + hexOfByte[low >>> 24] + hexOfByte[low >>> 16 & 0xff] + hexOfByte[low >>> 8 & 0xff] +
      hexOfByte[low & 0xff];
  }

  /** The ids of several records, joined by commas. */
  list(logOffsets: readonly number[]): string {
    return logOffsets.map((logOffset) => this.of(logOffset)).join(",");
  }
}

/** Reads an id back. Throws `RocketdError` (`malformed`) for a text that is none. */
export function parseMessageId(id: string): { storeHost: Uint8Array; logOffset: number } {
  const v4 = (hostBytes(0, SysFlag.STORE_HOST_V6) + 8) * 2;
  const v6 = (hostBytes(SysFlag.STORE_HOST_V6, SysFlag.STORE_HOST_V6) + 8) * 2;
  const logOffset = Number.parseInt(id.slice(-16), 16);
  if ((id.length !== v4 && id.length !== v6) || !/^[0-9A-Fa-f]+$/.test(id) || !Number.isSafeInteger(logOffset)) {
    const allowed = `${v4} or ${v6} hexadecimal digits`;
    throw new RocketdError("malformed", `Cannot read message id "${id.slice(0, v6)}": allowed are ${allowed}`, {
      field: "msgId",
      value: id,
      allowed,
    });
  }
  const storeHost = new Uint8Array((id.length - 16) / 2);
  for (let i = 0; i < storeHost.length; i++) storeHost[i] = Number.parseInt(id.slice(2 * i, 2 * i + 2), 16);
  return { storeHost, logOffset };
}
