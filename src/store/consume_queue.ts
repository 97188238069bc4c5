/**
 * One consume queue: where in the log each message of a topic's queue lies. The newest entries are kept in memory, and
 * written from there in groups; what is lost of them in a crash comes again from the log.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import {
  QUEUE_READ_ENTRIES_MAX,
  QUEUE_WINDOW_ENTRIES,
  QUEUE_WINDOW_ENTRIES_MAX,
  QUEUE_WINDOWS_BYTES_MAX,
} from "../limits.ts";
import type { OpenFiles } from "./open_files.ts";
import { blankEntries, ConsumeQueueSlice, ENTRY_BYTES, firstThat, writeEntry } from "./queue_entries.ts";
import { QueueFiles } from "./queue_files.ts";
import { QueuePages } from "./queue_pages.ts";

const logger = getLogger(["rocketd", "store"]);

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);
/** Entries per probe when the end of a file is looked for: one page of 4 KiB. */
const PROBE_ENTRIES = 204;
/** Files that RocketMQ checks entry by entry, from the last one back (ConsumeQueue.recover). */
const FILES_CHECKED = 3;

/** What all queues of a store have in common. */
export class QueuesShared {
  /** Queues with entries that may have to be written, or with a window that may be let go; the first waits longest. */
  readonly active = new Set<ConsumeQueue>();
  /** Memory of all windows. */
  windowBytes = 0;
  readonly slice = new ConsumeQueueSlice();
  readonly buffer = new Uint8Array(QUEUE_READ_ENTRIES_MAX * ENTRY_BYTES);
  readonly view = new DataView(this.buffer.buffer);
  readonly pages = new QueuePages<ConsumeQueue>();

  /** @param fileSize bytes of a queue file, a multiple of 20 */
  constructor(
    readonly open: OpenFiles,
    readonly fileSize: number,
    readonly windowBytesMax = QUEUE_WINDOWS_BYTES_MAX,
  ) {}

  /** Whether windows may have so many bytes more. */
  hasRoom(bytes: number): boolean {
    return this.windowBytes + bytes <= this.windowBytesMax;
  }

  /** Lets the windows go that wait longest until others may have so many bytes more. */
  makeRoom(bytes: number): void {
    for (const queue of this.active) {
      if (this.hasRoom(bytes)) break;
      queue.rest();
      this.active.delete(queue);
    }
  }
}

/** Offsets are logical ones: entry i of the queue lies at byte 20 * i of its files. */
export class ConsumeQueue {
  /** The offset for the next message that is put; the log hands it out, and so it runs ahead of `maxOffset`. */
  nextOffset = 0;
  /** One past the last entry. */
  maxOffset = 0;
  /** The first entry whose record is still in the log. */
  minOffset = 0;
  /** Where in the log the last entry's record ends; 0 for none. */
  recordEnd = 0;
  readonly #files: QueueFiles;
  readonly #shared: QueuesShared;
  /** The newest entries: from `#windowStart` to `maxOffset`. */
  #window: Uint8Array = NO_BYTES;
  #view: DataView = NO_VIEW;
  #windowStart = 0;
  /** Entries before this offset are on disk. */
  #written = 0;
  /** Log offset of the entry at `minOffset`; -1 when not known. */
  #minLogOffset = -1;

  constructor(readonly topic: string, readonly queueId: number, folder: string, shared: QueuesShared) {
    this.#shared = shared;
    this.#files = new QueueFiles(folder, shared.fileSize, shared.open);
  }

  /** Finds the files and the end of what is in them. Throws RocketdError for a file of the wrong size. */
  load(): void {
    const files = this.#files;
    files.load();
    let end = files.start;
    while (files.count > 0) {
      const begin = files.end - files.fileSize;
      const entries = this.#entriesIn(begin);
      end = begin + entries * ENTRY_BYTES;
      if (entries > 0 || files.count === 1) break;
      files.removeLast();
    }
    this.#endAt(end / ENTRY_BYTES);
    this.minOffset = files.start / ENTRY_BYTES;
    if (this.maxOffset === this.minOffset) return;
    if (this.#entry(this.minOffset).blank(0)) this.#firstFrom(this.minOffset, 0);
    else this.#minLogOffset = this.#entry(this.minOffset).logOffset(0);
  }

  /**
   * Adds the entry of a record; one that is already there is passed over, so a record may come again.
   * A queue without entries begins at any offset: the file before it is filled with blank entries (RocketMQ 4.x).
   *
   * @param queueOffset the record's own offset in the queue
   */
  append(logOffset: number, size: number, tagsCode: number, queueOffset = this.maxOffset): void {
    if (logOffset + size <= this.recordEnd) return;
    if (queueOffset !== this.maxOffset && !this.#fits(queueOffset)) return;
    const used = (this.maxOffset - this.#windowStart) * ENTRY_BYTES;
    if (used === this.#window.length) return this.#appendFull(logOffset, size, tagsCode);
    writeEntry(this.#view, used, logOffset, size, tagsCode);
    if (this.#minLogOffset < 0 && this.minOffset === this.maxOffset) this.#minLogOffset = logOffset;
    this.recordEnd = logOffset + size;
    this.maxOffset++;
    if (this.nextOffset < this.maxOffset) this.nextOffset = this.maxOffset;
  }

  /**
   * Entries from `from` on: up to `count`, fewer where memory and file or two files meet, none outside of min and max.
   * The view is shared by all queues and valid until the next call of any of them.
   */
  read(from: number, count: number): ConsumeQueueSlice {
    if (from < this.minOffset || from >= this.maxOffset || count <= 0) return this.#shared.slice.over(NO_VIEW, 0, 0);
    return count > 1 && from < this.#windowStart ? this.#readPage(from, count) : this.#read(from, count);
  }

  /** Writes what is not yet on disk, with one write per file. */
  flush(): void {
    if (this.#written === this.maxOffset) return;
    const from = (this.#written - this.#windowStart) * ENTRY_BYTES;
    const to = (this.maxOffset - this.#windowStart) * ENTRY_BYTES;
    this.#files.write(this.#window.subarray(from, to), this.#written * ENTRY_BYTES);
    this.#written = this.maxOffset;
  }

  /** Writes, or lets the memory of a queue go that had nothing to write since the last time. Returns whether it rests. */
  flushOrRest(): boolean {
    if (this.#written !== this.maxOffset) {
      this.flush();
      return false;
    }
    this.rest();
    return true;
  }

  /** Writes what is not yet on disk, and lets the queue's memory go. */
  rest(): void {
    this.flush();
    this.#dropWindow();
  }

  /** The offset of the first entry whose record lies at `logOffset` or behind; `maxOffset` when there is none. */
  findByLogOffset(logOffset: number): number {
    return firstThat(this.minOffset, this.maxOffset, (i) => this.#entry(i).logOffset(0) >= logOffset);
  }

  /** Removes the entries of records at `logOffset` and behind, and all from the first bad entry of the last files on. */
  truncateFrom(logOffset: number): void {
    this.flush();
    const files = this.#files;
    if (files.count === 0) return;
    let begin = Math.max(files.start, files.end - FILES_CHECKED * files.fileSize);
    while (begin > files.start && this.#entry(begin / ENTRY_BYTES, true).logOffset(0) >= logOffset) {
      begin -= files.fileSize;
    }
    let at = begin / ENTRY_BYTES;
    const end = files.end / ENTRY_BYTES;
    let good = true;
    while (good && at < end) {
      const slice = this.#readFile(at, QUEUE_READ_ENTRIES_MAX);
      let i = 0;
      while (i < slice.count && slice.valid(i) && slice.logOffset(i) < logOffset) i++;
      good = i > 0 && i === slice.count;
      at += i;
    }
    files.cutAt(at * ENTRY_BYTES);
    this.#endAt(files.count === 0 ? 0 : at);
    this.nextOffset = this.maxOffset;
    if (this.minOffset >= this.maxOffset) this.#minLogOffset = -1;
    this.minOffset = Math.min(this.minOffset, this.maxOffset);
  }

  /** Removes the files (not the last) of which every record is gone from the log, and raises `minOffset`. */
  deleteBelow(minLogOffset: number): void {
    const files = this.#files;
    if (this.#minLogOffset >= minLogOffset) return;
    while (
      files.count > 1 &&
      this.#entry((files.start + files.fileSize) / ENTRY_BYTES - 1).logOffset(0) < minLogOffset
    ) files.removeFirst();
    this.#firstFrom(Math.max(this.minOffset, files.start / ENTRY_BYTES), minLogOffset);
  }

  /** Whether the queue had messages, and the log has none of them any more. */
  isExpired(minLogOffset: number): boolean {
    return this.recordEnd > 0 && this.recordEnd <= minLogOffset && this.nextOffset === this.maxOffset;
  }

  /** Lets handles and memory go; the queue's files are going away, or the store is closing. */
  forget(): void {
    this.#files.forget();
    this.#endAt(0);
  }

  /** Sets `minOffset` to the first real entry at or behind a log offset. */
  #firstFrom(from: number, logOffset: number): void {
    this.minOffset = firstThat(from, this.maxOffset, (i) => {
      const entry = this.#entry(i);
      return entry.logOffset(0) >= logOffset && !entry.blank(0);
    });
    this.#minLogOffset = this.minOffset < this.maxOffset ? this.#entry(this.minOffset).logOffset(0) : -1;
  }

  /** Decides on an entry that is not the next one: whether it is added at all. */
  #fits(queueOffset: number): boolean {
    if (this.maxOffset === this.minOffset && this.#written === this.maxOffset && this.#isEmpty()) {
      this.#beginAt(queueOffset);
      return true;
    }
    if (queueOffset < this.maxOffset && queueOffset !== 0) return false;
    // A topic that was deleted and made again counts from 0; behind a gap, records keep the offsets they were given.
    logger.warn(
      "Queue {topic}-{queueId} ends at {max}, but a record for {queueOffset} comes next: it begins anew there",
      {
        topic: this.topic,
        queueId: this.queueId,
        max: this.maxOffset,
        queueOffset,
      },
    );
    this.#beginAt(queueOffset);
    return true;
  }

  /** Whether no file holds an entry. */
  #isEmpty(): boolean {
    return this.#files.count === 0 || this.maxOffset === this.#files.start / ENTRY_BYTES;
  }

  #beginAt(queueOffset: number): void {
    const files = this.#files;
    while (files.count > 0) files.removeLast();
    const perFile = files.fileSize / ENTRY_BYTES;
    let at = queueOffset - queueOffset % perFile;
    while (at < queueOffset) {
      const count = Math.min(queueOffset - at, QUEUE_WINDOW_ENTRIES_MAX);
      files.write(blankEntries(count), at * ENTRY_BYTES);
      at += count;
    }
    this.#endAt(queueOffset);
    this.minOffset = queueOffset;
    this.#minLogOffset = -1;
  }

  /** Appends when the window has no room left: it grows, or lets its older half go, as it does when memory is short. */
  #appendFull(logOffset: number, size: number, tagsCode: number): void {
    const entries = this.#window.length / ENTRY_BYTES;
    if (entries === 0) {
      this.#shared.makeRoom(QUEUE_WINDOW_ENTRIES * ENTRY_BYTES);
      this.#setWindow(new Uint8Array(QUEUE_WINDOW_ENTRIES * ENTRY_BYTES));
      this.#shared.active.add(this);
    } else if (entries < QUEUE_WINDOW_ENTRIES_MAX && this.#shared.hasRoom(this.#window.length)) {
      const grown = new Uint8Array(Math.min(entries * 2, QUEUE_WINDOW_ENTRIES_MAX) * ENTRY_BYTES);
      grown.set(this.#window);
      this.#setWindow(grown);
    } else {
      const half = entries >> 1;
      if (this.#written < this.#windowStart + half) this.flush();
      this.#window.copyWithin(0, half * ENTRY_BYTES);
      this.#windowStart += half;
    }
    this.append(logOffset, size, tagsCode);
  }

  #setWindow(bytes: Uint8Array): void {
    this.#shared.windowBytes += bytes.length - this.#window.length;
    this.#window = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  #dropWindow(): void {
    this.#shared.windowBytes -= this.#window.length;
    this.#window = NO_BYTES;
    this.#view = NO_VIEW;
    this.#windowStart = this.maxOffset;
  }

  /** Sets the end of what is on disk, with nothing in memory. */
  #endAt(offset: number): void {
    this.#shared.pages.forget(this);
    this.#written = this.maxOffset = offset;
    this.#dropWindow();
    this.#shared.active.delete(this);
    if (this.nextOffset < offset) this.nextOffset = offset;
    this.recordEnd = 0;
    if (this.#files.count === 0 || this.#isEmpty()) return;
    const last = this.#entry(offset - 1);
    if (!last.blank(0)) this.recordEnd = last.logOffset(0) + last.size(0);
  }

  #read(from: number, count: number): ConsumeQueueSlice {
    const { slice } = this.#shared;
    if (from < this.#windowStart) return this.#readFile(from, Math.min(count, this.#written - from));
    return slice.over(this.#view, (from - this.#windowStart) * ENTRY_BYTES, Math.min(count, this.maxOffset - from));
  }

  #readFile(from: number, count: number): ConsumeQueueSlice {
    const { slice, buffer, view } = this.#shared;
    const bytes = Math.min(count, QUEUE_READ_ENTRIES_MAX) * ENTRY_BYTES;
    const read = this.#files.read(buffer.subarray(0, bytes), from * ENTRY_BYTES);
    return slice.over(view, 0, Math.floor(read / ENTRY_BYTES));
  }

  /** The same as `#readFile`, from memory when all of it was read together with entries before it. */
  #readPage(from: number, most: number): ConsumeQueueSlice {
    const { slice, pages } = this.#shared;
    const count = Math.min(most, this.#written - from);
    let page = pages.find(this, from, count);
    if (page === undefined) {
      page = pages.begin(this, from);
      const bytes = Math.min(QUEUE_READ_ENTRIES_MAX, this.#written - from) * ENTRY_BYTES;
      page.count = Math.floor(this.#files.read(page.bytes.subarray(0, bytes), from * ENTRY_BYTES) / ENTRY_BYTES);
    }
    return slice.over(page.view, (from - page.from) * ENTRY_BYTES, Math.min(count, page.count - from + page.from));
  }

  /** A view of one entry, whatever the bounds. */
  #entry(offset: number, onDisk = false): ConsumeQueueSlice {
    return onDisk || offset < this.#windowStart ? this.#readFile(offset, 1) : this.#read(offset, 1);
  }

  /** How many entries from its begin on a file holds. Past the end it is zeros, so the end is found by halving. */
  #entriesIn(begin: number): number {
    const first = begin / ENTRY_BYTES;
    let low = 0;
    let high = this.#files.fileSize / ENTRY_BYTES;
    let probe = 0;
    while (low < high) {
      const slice = this.#readFile(first + probe, Math.min(PROBE_ENTRIES, high - probe));
      const valid = firstThat(0, slice.count, (i) => !slice.valid(i));
      if (valid > 0 && valid < slice.count) return probe + valid;
      if (valid === 0) high = probe;
      else low = probe + valid;
      probe = Math.max(low, Math.floor((low + high) / 2) - (PROBE_ENTRIES >> 1));
    }
    return low;
  }
}
