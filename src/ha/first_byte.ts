/**
 * How a fresh slave gets the byte at offset 0 of a log that begins there and has several files.
 *
 * The protocol has no way to ask for it: a first report of 0 means "your last file only" (HAConnection 4.1–4.9), and from
 * 1 on a report means what it says. So the slave asks for offset 1 and works the one missing byte out: it is the highest
 * of the four that hold the first record's total size. The record's body length, which has come whole, leaves just one
 * value: all that is in a record beside its body is less than 2^24 bytes. A filler's size is the whole file.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { readInt64 } from "../protocol/byte_writer.ts";
import { SysFlag } from "../protocol/codes.ts";
import { FILLER_MAGIC, hostBytes, PHYSICAL_OFFSET_AT, RECORD_MAGIC } from "../protocol/message_record.ts";

/** A record up to its body, with IPv4 and with IPv6 hosts; a record and a filler to the end of a file are longer. */
const HEAD_BYTES_MIN = 88;
const HEAD_BYTES_MAX = 112;
const LOW_BYTES = 0x100_0000;

/** Gathers the log's first bytes, from offset 1 on, until the one before them is known. */
export class FirstByte {
  readonly #bytes = new Uint8Array(HEAD_BYTES_MAX);
  readonly #view = new DataView(this.#bytes.buffer);
  #length = 1;

  /** @param fileBytes size of the log's files */
  constructor(readonly fileBytes: number) {}

  /** Takes as much of `bytes` as is needed, and returns how much that was. */
  take(bytes: Uint8Array): number {
    const count = Math.min(this.#needed - this.#length, bytes.length);
    this.#bytes.set(bytes.subarray(0, count), this.#length);
    this.#length += count;
    return count;
  }

  /** The log's first bytes, that at offset 0 included, once it is known. Throws `malformed` for what begins no log. */
  get beginning(): Uint8Array | undefined {
    if (this.#length < this.#needed) return undefined;
    const low = this.#view.getInt32(0) & (LOW_BYTES - 1);
    const magic = this.#view.getInt32(4);
    const least = magic === FILLER_MAGIC ? this.fileBytes : this.#view.getInt32(this.#needed - 4);
    const size = least + ((low - least % LOW_BYTES) + LOW_BYTES) % LOW_BYTES;
    const fits = magic === FILLER_MAGIC
      ? size === this.fileBytes
      : magic === RECORD_MAGIC && least >= 0 && size <= this.fileBytes &&
        readInt64(this.#view, PHYSICAL_OFFSET_AT) === 0;
    if (!fits) throw new RocketdError("malformed", "its log does not begin with a message");
    this.#bytes[0] = size / LOW_BYTES;
    return this.#bytes.subarray(0, this.#length);
  }

  /** Bytes of the record before its body, as far as that can be told. */
  get #needed(): number {
    if (this.#length < HEAD_BYTES_MIN) return HEAD_BYTES_MIN;
    const sysFlag = this.#view.getInt32(36);
    return 72 + hostBytes(sysFlag, SysFlag.BORN_HOST_V6) + hostBytes(sysFlag, SysFlag.STORE_HOST_V6);
  }
}
