/**
 * Walking through the log record by record, when the store is opened.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { RECOVERY_BLOCK_BYTES } from "../limits.ts";
import { FILLER_BYTES, FILLER_MAGIC, measureRecord, NOT_A_RECORD, RECORD_MAGIC } from "../protocol/message_record.ts";
import { readInt64 } from "../protocol/byte_writer.ts";
import { isZeros, type LogFile, type LogFiles } from "./log_file.ts";

/** Where a walk ended, and whether there were zeros, as behind the last record, or other bytes. */
export interface WalkEnd {
  readonly offset: number;
  readonly clean: boolean;
  /** Where the filler begins that was the last that came; undefined when it was a record. */
  readonly filler?: number | undefined;
}

/** Reads the log forward through a window of a few MiB. */
export class LogWalk {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  #start = 0;
  #length = 0;

  /** @param recordBytesMax a longer record counts as damaged */
  constructor(readonly files: LogFiles, readonly recordBytesMax: number, readonly checkCrc: boolean) {
    this.#bytes = new Uint8Array(Math.max(RECOVERY_BLOCK_BYTES, recordBytesMax));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /**
   * Hands every good record from a record's begin on to `take`: a view that is valid during the call. A record at
   * `until` counts as damaged.
   *
   * @param checkCrc not where the records were walked through before
   */
  run(
    from: number,
    take: (record: Uint8Array<ArrayBuffer>) => void,
    until?: number,
    checkCrc = this.checkCrc,
  ): WalkEnd {
    let at = from;
    let filler: number | undefined;
    for (;;) {
      const file = this.files.at(at);
      if (file === undefined) return { offset: at, clean: true, filler };
      if (file.end - at < FILLER_BYTES) {
        at = file.end;
        continue;
      }
      const head = this.#window(file, at, FILLER_BYTES);
      const size = this.#view.getInt32(head);
      const magic = this.#view.getInt32(head + 4);
      if (magic === FILLER_MAGIC && size === file.end - at) {
        filler = at;
        at = file.end;
        continue;
      }
      if (size === 0) return { offset: at, clean: true, filler };
      const record = at === until ? undefined : this.recordAt(file, at, checkCrc);
      if (record === undefined) return { offset: at, clean: false, filler };
      filler = undefined;
      take(record);
      at += size;
    }
  }

  /** The good record that begins at a log offset: whole, its CRC right, and at the place it names itself. */
  recordAt(file: LogFile, at: number, checkCrc = this.checkCrc): Uint8Array<ArrayBuffer> | undefined {
    const head = this.#window(file, at, FILLER_BYTES);
    if (file.end - at < FILLER_BYTES) return undefined;
    const size = this.#view.getInt32(head);
    const magic = this.#view.getInt32(head + 4);
    if (magic !== RECORD_MAGIC || size > this.recordBytesMax || size > file.end - at || size <= 0) return undefined;
    const begin = this.#window(file, at, size);
    if (measureRecord(this.#bytes, this.#view, begin, begin + size, checkCrc) === NOT_A_RECORD) return undefined;
    if (readInt64(this.#view, begin + 28) !== at) return undefined;
    return this.#bytes.subarray(begin, begin + size);
  }

  /** The log offset of the first good record from `from` on, the log's end being right before; undefined for none. */
  findAfter(from: number): number | undefined {
    for (const file of this.files.all) {
      if (file.end <= from) continue;
      let at = Math.max(from, file.start);
      const end = file.dataEnd(Math.max(from - 1, file.start));
      while (at < end) {
        const length = Math.min(RECOVERY_BLOCK_BYTES, end - at);
        const begin = this.#window(file, at, length);
        const hit = this.#magicAfter(begin, begin + length);
        if (hit < 0) {
          at += Math.max(length - FILLER_BYTES, FILLER_BYTES);
          continue;
        }
        const candidate = at + hit - begin - 4;
        if (candidate > from - 1 && candidate >= file.start && this.recordAt(file, candidate) !== undefined) {
          return candidate;
        }
        at = candidate + 5;
      }
    }
    return undefined;
  }

  /** The place of the next magic in the window, or -1. */
  #magicAfter(from: number, to: number): number {
    const window = Buffer.from(this.#bytes.buffer, from, to - from);
    // Most of a file that was not full is zeros, which are compared in no time but searched for long.
    if (isZeros(window)) return -1;
    const hit = window.indexOf(MAGIC);
    return hit < 0 ? -1 : from + hit;
  }

  /** Makes sure that `size` bytes of a file are in the window; returns where they begin. */
  #window(file: LogFile, at: number, size: number): number {
    if (at < this.#start || at + size > this.#start + this.#length) {
      const length = Math.min(Math.max(RECOVERY_BLOCK_BYTES, size), file.end - at);
      this.#length = file.handle.readSync(this.#bytes.subarray(0, length), at - file.start);
      this.#start = at;
    }
    return at - this.#start;
  }
}

const MAGIC = Buffer.alloc(4);
MAGIC.writeInt32BE(RECORD_MAGIC);
