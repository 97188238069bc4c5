/**
 * A slave's log: pieces of the master's, cut anywhere, are taken when they continue it. Whole records go to the disk, the
 * tail in memory, queues and index; the begin of one waits in memory until its rest has come, so that what is on disk
 * ends between two records, or in the unused rest of a file.
 *
 * @module
 */
import { messageOf, RocketdError } from "../errors.ts";
import { COPY_BYTES_KEPT, LOG_TAIL_CHUNK_SPARE, RECORD_BYTES_MAX } from "../limits.ts";
import { readInt64 } from "../protocol/byte_writer.ts";
import {
  FILLER_BYTES,
  FILLER_MAGIC,
  measureRecord,
  PHYSICAL_OFFSET_AT,
  RECORD_BYTES_MIN,
  RECORD_MAGIC,
} from "../protocol/message_record.ts";
import type { CommitLog } from "./commit_log.ts";
import { type Dispatcher, entryOf } from "./dispatcher.ts";
import type { StoreOptions } from "./options.ts";
import type { StoreState } from "./state.ts";
import type { DispatchEntry } from "./types.ts";

/** Bytes that go to the log as they are; `entry` is there for a record. */
interface Part {
  readonly bytes: Uint8Array;
  readonly entry: DispatchEntry | undefined;
}

/** What a piece brings: parts, and behind them the begin of another record, `rest`. */
interface Brought {
  readonly parts: readonly Part[];
  readonly rest: Uint8Array;
  /** Where the unused rest of a file ends that begins in this piece. */
  readonly unusedEnd: number;
  /** Where the last whole record begins, of this piece or of one before. */
  readonly lastRecord: number | undefined;
}

const NO_BYTES = new Uint8Array(0);

export class LogCopy {
  /** The begin of a record or a filler, which lies at the log's end. */
  #held: Uint8Array = NO_BYTES;
  #heldBytes = 0;
  /** Up to here a file's unused rest is copied; it may be below the log's end. */
  #unusedEnd = 0;
  readonly #recordBytesMax: number;

  constructor(
    readonly log: CommitLog,
    readonly dispatcher: Dispatcher,
    readonly options: StoreOptions,
    readonly state: StoreState,
    /** Where the log's last whole record begins; undefined when that is not known. */
    public lastRecord: number | undefined,
  ) {
    this.#recordBytesMax = Math.max(RECORD_BYTES_MAX, options.maxMessageSize + LOG_TAIL_CHUNK_SPARE);
  }

  /** Where the next piece must begin: behind what is written and what is held. */
  get end(): number {
    return this.log.end + this.#heldBytes;
  }

  /** A view of bytes that wait in memory, up to `most` from `from` on; undefined elsewhere. */
  held(from: number, most: number): Uint8Array | undefined {
    const at = from - this.log.end;
    return at >= 0 && at < this.#heldBytes ? this.#held.subarray(at, Math.min(at + most, this.#heldBytes)) : undefined;
  }

  /** See `MessageStore.appendCopy`. */
  append(from: number, bytes: Uint8Array): void {
    const { log, state, options } = this;
    if (options.brokerRole !== "SLAVE") {
      const message = `Cannot append a copy to the log: the store's role is ${options.brokerRole}`;
      throw new RocketdError("invalidArgument", message, { field: "brokerRole", value: options.brokerRole });
    }
    if (!state.writable) throw new RocketdError("disk", `Cannot append to the log: ${state.refusal}`);
    const begins = this.#begins(from);
    if (bytes.length === 0) return;
    let brought: Brought;
    try {
      brought = this.#look(begins ? from : log.end, bytes);
    } catch (error) {
      // What was held may have been wrong as well: it comes again.
      this.#heldBytes = 0;
      throw error;
    }
    try {
      if (begins) log.beginAt(from);
      this.#write(brought);
    } catch (error) {
      state.fail(`the commit log cannot be written: ${messageOf(error)}`);
      throw new RocketdError("disk", `Cannot append to the log: ${state.refusal}`, { cause: error });
    }
    this.dispatcher.dispatch(brought.parts.flatMap(({ entry }) => entry ?? []));
  }

  /** Whether an empty log begins with a piece from here; throws `gap` when one from here cannot be next. */
  #begins(from: number): boolean {
    const { log } = this;
    if (from === this.end) return false;
    const { fileSize } = log.files;
    if (!log.isEmpty || this.#heldBytes > 0) {
      const message = `Cannot append to the log: it ends at ${this.end}, and the piece begins at ${from}`;
      throw new RocketdError("gap", message, { field: "offset", value: from, allowed: `${this.end}` });
    }
    if (Number.isSafeInteger(from) && from >= 0 && from % fileSize === 0) return true;
    const message =
      `Cannot begin the log at ${from}: no file of mappedFileSizeCommitLog=${fileSize} bytes begins there`;
    throw new RocketdError("gap", message, { field: "offset", value: from, allowed: `multiples of ${fileSize}` });
  }

  /** Cuts held and new bytes, which follow the log's end `at`, into parts. Throws `foreign`; changes nothing that counts. */
  #look(at: number, bytes: Uint8Array): Brought {
    const parts: Part[] = [];
    let { lastRecord } = this;
    let unusedEnd = this.#unusedEnd;
    let rest = bytes;
    let held = this.#heldBytes;
    const take = (count: number): Uint8Array => {
      const part = held > 0 ? this.#joined(rest, count) : rest.subarray(0, count);
      rest = rest.subarray(count - held);
      held = 0;
      at += count;
      return part;
    };
    while (held + rest.length > 0) {
      if (at < unusedEnd) {
        parts.push({ bytes: take(Math.min(unusedEnd - at, rest.length)), entry: undefined });
        continue;
      }
      if (held + rest.length < FILLER_BYTES) break;
      const head = held > 0 ? this.#joined(rest, FILLER_BYTES) : rest;
      const size = this.#sizeIn(head, at);
      if (size === FILLER_BYTES) {
        unusedEnd = this.#fileEnd(at);
        parts.push({ bytes: take(FILLER_BYTES), entry: undefined });
        continue;
      }
      if (held + rest.length < size) break;
      const place = lastRecord = at;
      const record = take(size);
      parts.push({ bytes: record, entry: this.#entryOf(record, place) });
    }
    return { parts, rest, unusedEnd, lastRecord };
  }

  #write({ parts, rest, unusedEnd, lastRecord }: Brought): void {
    const { log } = this;
    this.#unusedEnd = unusedEnd;
    this.lastRecord = lastRecord;
    for (const { bytes, entry } of parts) {
      if (entry === undefined) log.takeRaw(bytes);
      else {
        log.takeRecord(bytes);
        log.lastStoreTimestamp = Math.max(log.lastStoreTimestamp, entry.storeTimestamp);
      }
    }
    log.write();
    if (parts.length > 0) {
      this.#heldBytes = 0;
      if (this.#held.length > COPY_BYTES_KEPT) this.#held = NO_BYTES;
    }
    this.#joined(rest, this.#heldBytes + rest.length);
    this.#heldBytes += rest.length;
  }

  /** The held bytes with as many of `more` behind them as make `count`: a view of the memory for held ones. */
  #joined(more: Uint8Array, count: number): Uint8Array {
    if (this.#held.length < count) {
      const grown = new Uint8Array(Math.max(count, this.#held.length * 2));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    if (count > this.#heldBytes) this.#held.set(more.subarray(0, count - this.#heldBytes), this.#heldBytes);
    return this.#held.subarray(0, count);
  }

  /** How many bytes belong together that begin with `head` at a log offset: a filler's two words, or a whole record. */
  #sizeIn(head: Uint8Array, at: number): number {
    const view = viewOf(head);
    const size = view.getInt32(0);
    const magic = view.getInt32(4);
    const room = this.#fileEnd(at) - at;
    const { fileSize } = this.log.files;
    if (magic === FILLER_MAGIC) {
      if (size === room) return FILLER_BYTES;
      throw foreign(
        at,
        `the file ends ${size} bytes behind it, with mappedFileSizeCommitLog=${fileSize} ${room} bytes`,
      );
    }
    if (magic !== RECORD_MAGIC) throw foreign(at, `no record begins there (magic ${hex(magic)}, size ${size})`);
    if (size < RECORD_BYTES_MIN || size > this.#recordBytesMax) {
      throw foreign(at, `a record of ${size} bytes, allowed are ${RECORD_BYTES_MIN} to ${this.#recordBytesMax}`);
    }
    if (size + FILLER_BYTES <= room) return size;
    throw foreign(at, `a record of ${size} bytes does not fit into its file of mappedFileSizeCommitLog=${fileSize}`);
  }

  #entryOf(record: Uint8Array, at: number): DispatchEntry {
    const view = viewOf(record);
    if (measureRecord(record, view, 0, record.length, true) !== record.length) {
      throw foreign(at, `a record of ${record.length} bytes with wrong lengths or a wrong checksum`);
    }
    const place = readInt64(view, PHYSICAL_OFFSET_AT);
    if (place !== at) throw foreign(at, `a record that says it lies at ${place}`);
    const entry = entryOf(record, this.options.delayLevels);
    const problem = this.dispatcher.queues.problemOf(entry);
    if (problem !== undefined) throw foreign(at, problem);
    return entry;
  }

  #fileEnd(at: number): number {
    const { files } = this.log;
    return at + files.fileSize - (at - (files.first?.start ?? 0)) % files.fileSize;
  }
}

function foreign(at: number, what: string): RocketdError {
  const message = `Cannot append to the log at ${at}: ${what}; the bytes are not from the log that this is a copy of`;
  return new RocketdError("foreign", message, { field: "offset", value: at });
}

function hex(word: number): string {
  return `0x${(word >>> 0).toString(16)}`;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
