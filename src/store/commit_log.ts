/**
 * The commit log: bytes are gathered in memory at its end (`room`, `advance`), written with one call (`write`) and made
 * durable (`sync`). A record never crosses the end of a file: a filler closes the file and the next one begins.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { LOG_TAIL_CHUNK_SPARE, RECORD_BYTES_MAX } from "../limits.ts";
import { FILLER_BYTES, FILLER_MAGIC } from "../protocol/message_record.ts";
import type { Recovered } from "./recovery.ts";
import type { LogFile, LogFiles } from "./log_file.ts";
import { LogTail, type TailChunk } from "./log_tail.ts";

/** Sizes the log is made with. */
export interface CommitLogOptions {
  tailChunkBytes: number;
  maxMessageSize: number;
}

export class CommitLog {
  readonly tail: LogTail;
  /** Where the next record goes. */
  end: number;
  /** Everything before it was written to the files. */
  writtenEnd: number;
  /** Everything before it survives a power loss. */
  syncedEnd: number;
  /** Store time of the newest record. */
  lastStoreTimestamp = 0;
  #file: LogFile | undefined;
  /** Files with bytes that a power loss may take, and where these end. */
  readonly #unsynced = new Map<LogFile, number>();
  /** The sync that began last. */
  #lastSync: Promise<void> = Promise.resolve();

  /** Takes loaded files, whose data ends at `end`; from `unsafeFrom` on it may still be only in the page cache. */
  constructor(readonly files: LogFiles, { end, unsafeFrom }: Recovered, options: CommitLogOptions) {
    this.end = this.writtenEnd = this.syncedEnd = end;
    // No frame brings more than the second, whatever the setting says.
    const recordMax = () => Math.min(options.maxMessageSize + LOG_TAIL_CHUNK_SPARE, RECORD_BYTES_MAX);
    this.tail = new LogTail(() => Math.max(options.tailChunkBytes, recordMax()));
    for (const file of files.all) if (file.end > unsafeFrom || file.end >= end) this.#unsynced.set(file, end);
  }

  /** Where the log begins; without a file, where it will. */
  get minOffset(): number {
    return this.files.first?.start ?? this.end;
  }

  /** The most bytes that one reservation can have. */
  get roomMax(): number {
    return Math.min(this.tail.chunkBytes, this.files.fileSize - FILLER_BYTES);
  }

  /** Bytes that can be encoded right now at the end without leaving the file or the chunk; the filler's are kept. */
  get roomNow(): number {
    const file = this.#file;
    const chunk = this.tail.active;
    if (file === undefined || chunk === undefined) return 0;
    return Math.min(file.end - FILLER_BYTES - this.end, chunk.bytes.length - chunk.length);
  }

  #fileAtEnd(): LogFile {
    return this.#file ??= this.files.ensure(this.end - ((this.end - this.minOffset) % this.files.fileSize));
  }

  /** Makes the file that `size` bytes would go into; nothing else changes. Throws when it cannot be made. */
  ensureFileFor(size: number): void {
    const file = this.#fileAtEnd();
    if (size + FILLER_BYTES > file.end - this.end) this.files.ensure(file.end);
  }

  /**
   * The chunk to encode up to `size` bytes into, at `chunk.length`; the log continues in the next file when this one
   * has no room. Throws when the disk refuses; the log must not be used any more then.
   */
  room(size: number): TailChunk {
    if (size <= this.roomNow) return this.tail.active!;
    this.ensureFileFor(size);
    const file = this.#file!;
    this.write();
    if (size + FILLER_BYTES > file.end - this.end) {
      this.#fill(file);
      this.#file = this.files.ensure(file.end);
    }
    return this.tail.begin(this.end);
  }

  /** Says that `size` bytes were encoded. */
  advance(chunk: TailChunk, size: number): void {
    chunk.length += size;
    this.end += size;
  }

  /** Writes everything encoded so far. Throws when the disk refuses; the log must not be used any more then. */
  write(): void {
    if (this.writtenEnd === this.end) return;
    const chunk = this.tail.active!;
    const from = this.writtenEnd - chunk.start;
    this.#file!.write(chunk.bytes.subarray(from, chunk.length), this.writtenEnd);
    this.writtenEnd = this.end;
    this.#unsynced.set(this.#file!, this.end);
  }

  /** Takes a whole record of another log, to be written. Throws when the disk refuses; the log must not be used then. */
  takeRecord(record: Uint8Array): void {
    if (record.length > this.tail.chunkBytes) return this.takeRaw(record);
    const chunk = this.room(record.length);
    chunk.bytes.set(record, chunk.length);
    this.advance(chunk, record.length);
  }

  /** Writes bytes of another log that need not be in memory: fillers, unused rests, giants. Throws as `takeRecord`. */
  takeRaw(bytes: Uint8Array): void {
    this.write();
    const file = this.#fileAtEnd();
    file.write(bytes, this.end);
    this.end = this.writtenEnd = this.end + bytes.length;
    this.#unsynced.set(file, this.end);
    // The next record goes into a chunk, and perhaps a file, of its own.
    this.#file = undefined;
  }

  /** Whether no byte of the log is there. */
  get isEmpty(): boolean {
    return this.end === (this.files.first?.start ?? this.end);
  }

  /** Lets an empty log begin at another offset, where a file begins. */
  beginAt(logOffset: number): void {
    while (this.files.last !== undefined) this.files.removeLast();
    this.#unsynced.clear();
    this.#file = undefined;
    this.end = this.writtenEnd = this.syncedEnd = logOffset;
  }

  /** Closes a file with the filler: the bytes left, and a magic. */
  #fill(file: LogFile): void {
    const left = file.end - this.end;
    if (left >= FILLER_BYTES) {
      const filler = new DataView(new ArrayBuffer(FILLER_BYTES));
      filler.setInt32(0, left);
      filler.setInt32(4, FILLER_MAGIC);
      file.write(new Uint8Array(filler.buffer), this.end);
      this.#unsynced.set(file, file.end);
    }
    this.end = this.writtenEnd = file.end;
  }

  /** Bytes written but not yet safe from a power loss. */
  get unsyncedBytes(): number {
    return this.writtenEnd - this.syncedEnd;
  }

  /**
   * Makes what is written now survive a power loss; may overlap. Rejects when the disk refuses this one or one that began
   * before: never retry.
   */
  sync(): Promise<void> {
    const sync = this.#syncBehind(this.#lastSync);
    this.#lastSync = sync;
    // Who asked for it hears of it.
    sync.catch(() => {});
    return sync;
  }

  async #syncBehind(before: Promise<void>): Promise<void> {
    const end = this.writtenEnd;
    const files = [...this.#unsynced];
    // One that is safe by now may have been removed.
    for (const [file] of files) if (this.#unsynced.has(file)) await file.handle.syncData();
    // Bytes that were lost count as clean once one sync was told: another one's word is good only behind that one's.
    await before;
    for (const [file, upTo] of files) if (this.#unsynced.get(file) === upTo) this.#unsynced.delete(file);
    this.syncedEnd = end;
  }

  /** The begin of the file that the log's last byte lies in, or the next one will; 0 for no file. */
  get lastFileStart(): number {
    return (this.files.at(this.writtenEnd) ?? this.files.last)?.start ?? 0;
  }

  /** See `LogFile.overhead`: of the file that is written to. */
  measureOverhead(): number {
    return this.files.at(this.writtenEnd)?.measureOverhead(this.writtenEnd) ?? 0;
  }

  /** See `MessageStore.readLog`. */
  read(from: number, most: number, into?: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const file = Number.isSafeInteger(from) ? this.files.at(from) : undefined;
    const length = Math.min(most, (file?.end ?? 0) - from, this.writtenEnd - from);
    if (file === undefined || length <= 0) return undefined;
    return this.tail.from(from, length) ??
      this.#readFile(from, into?.subarray(0, length) ?? new Uint8Array(length));
  }

  async #readFile(from: number, bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const { length } = bytes;
    const read = await this.files.read(bytes, from);
    if (read === undefined) return undefined;
    if (read === length) return bytes;
    throw new RocketdError("disk", `Cannot read ${length} bytes of the commit log at ${from}: got ${read}`);
  }

  /** Reads bytes of the log from its file. Throws `RocketdError` when they are not within one file and written. */
  readSync(into: Uint8Array, logOffset: number): void {
    const file = this.files.at(logOffset);
    const read = file?.handle.readSync(into, logOffset - file.start) ?? 0;
    if (read < into.length) {
      throw new RocketdError("disk", `Cannot read ${into.length} bytes of the commit log at ${logOffset}: got ${read}`);
    }
  }

  close(): void {
    this.files.close();
  }
}
