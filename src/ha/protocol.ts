/**
 * RocketMQ's replication protocol (HAService of 4.x), plain TCP without remoting frames. A slave reports the end of its
 * log in 8 bytes; the master sends frames: the log offset in 8 bytes, a size in 4, then so many bytes of the log. A frame
 * of size 0 is a heartbeat. All numbers are big-endian. Readers here take bytes however the network cut them.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { HA_FRAME_DATA_BYTES_MAX } from "../limits.ts";
import { readInt64, writeInt64 } from "../protocol/byte_writer.ts";

/** Bytes before a frame's data: log offset (8) and size (4). */
export const FRAME_HEADER_BYTES = 12;
/** Bytes of a slave's report. */
export const REPORT_BYTES = 8;

/** Writes a frame's header at byte `at`; `size` 0 makes it a heartbeat. */
export function writeFrameHeader(view: DataView, at: number, logOffset: number, size: number): void {
  writeInt64(view, at, logOffset);
  view.setInt32(at + REPORT_BYTES, size);
}

/** The report that a slave's log ends at `logOffset`. */
export function encodeReport(logOffset: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(REPORT_BYTES);
  writeInt64(new DataView(bytes.buffer), 0, logOffset);
  return bytes;
}

/** Puts values of a fixed size together from bytes that come in any pieces. */
class Gatherer {
  readonly view: DataView<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
    this.view = new DataView(this.#bytes.buffer);
  }

  /** Takes what is still missing from `bytes` at `at`; returns how many bytes it took. */
  take(bytes: Uint8Array, at: number): number {
    const count = Math.min(this.#bytes.length - this.#length, bytes.length - at);
    this.#bytes.set(bytes.subarray(at, at + count), this.#length);
    this.#length += count;
    return count;
  }

  /** Whether the value is whole; then the next bytes begin a new one. */
  whole(): boolean {
    if (this.#length < this.#bytes.length) return false;
    this.#length = 0;
    return true;
  }
}

/** The master's ear: reports out of the bytes of one connection. */
export class ReportReader {
  readonly #report = new Gatherer(REPORT_BYTES);

  /** The newest report that these bytes complete, as HAConnection of RocketMQ takes it; undefined when none. */
  take(bytes: Uint8Array): number | undefined {
    let newest: number | undefined;
    for (let at = 0; at < bytes.length;) {
      at += this.#report.take(bytes, at);
      if (this.#report.whole()) newest = readInt64(this.#report.view, 0);
    }
    return newest;
  }
}

/** What a slave does with the parts of frames. */
export interface FrameSink {
  /** A frame begins: `size` bytes of the log from `logOffset` on follow; with 0 it was a heartbeat. */
  frame(logOffset: number, size: number): void;
  /** Some of its bytes, from a log offset on: a view into what was read. */
  data(logOffset: number, bytes: Uint8Array): void;
}

/** The slave's ear: frames out of the bytes of one connection, without a copy and without waiting for whole frames. */
export class FrameReader {
  readonly #header = new Gatherer(FRAME_HEADER_BYTES);
  /** Where the rest of the frame in hand belongs, and how much of it is missing. */
  #logOffset = 0;
  #missing = 0;

  /** Takes the bytes of one read. Throws `malformed` for what cannot be a frame; then the connection is of no more use. */
  take(bytes: Uint8Array, sink: FrameSink): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#missing > 0) {
        const count = Math.min(this.#missing, bytes.length - at);
        const from = this.#logOffset;
        this.#logOffset += count;
        this.#missing -= count;
        sink.data(from, bytes.subarray(at, at + count));
        at += count;
        continue;
      }
      at += this.#header.take(bytes, at);
      if (this.#header.whole()) this.#begin(sink);
    }
  }

  #begin(sink: FrameSink): void {
    const logOffset = readInt64(this.#header.view, 0);
    const size = this.#header.view.getInt32(REPORT_BYTES);
    if (!(logOffset >= 0 && Number.isSafeInteger(logOffset)) || size < 0 || size > HA_FRAME_DATA_BYTES_MAX) {
      const allowed = `an offset from 0 and a size from 0 to ${HA_FRAME_DATA_BYTES_MAX}`;
      throw new RocketdError(
        "malformed",
        `Cannot read a frame of the log: it says offset ${logOffset}, size ${size}; allowed is ${allowed}`,
        { field: "frame", value: { logOffset, size }, allowed },
      );
    }
    this.#logOffset = logOffset;
    this.#missing = size;
    sink.frame(logOffset, size);
  }
}
