/**
 * One file of the index by key, byte for byte RocketMQ's. New entries are gathered in memory and written in groups, the
 * header after them; the slot table is written when the file is closed or full, since a crash can rebuild it from the
 * entries: header on disk <= entries on disk, and nothing else is trusted after a crash.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { INDEX_CHAIN_STEPS_MAX, INDEX_CHECK_ENTRIES, INDEX_PENDING_ENTRIES } from "../limits.ts";
import type { Disk, DiskFile } from "../platform/disk.ts";
import { readInt64, writeInt64 } from "../protocol/byte_writer.ts";
import {
  entryAt,
  HEADER_BYTES,
  INDEX_ENTRY_BYTES,
  indexFileBytes,
  IndexHeader,
  type IndexShape,
  SLOT_BYTES,
} from "./index_header.ts";
import { SlotTable } from "./slot_table.ts";

const SECONDS_MAX = 0x7fff_ffff;
/** Entries that one read brings while a chain is walked: the one wanted and its elder neighbours, one page. */
const WALK_ENTRIES = 204;

/** Reads of entries; writing goes on only in the newest file of a store. */
export class IndexFile {
  readonly #shape: IndexShape;
  readonly #disk: Disk;
  #file: DiskFile | undefined;
  #slots: SlotTable | undefined;
  #pending = new DataView(new ArrayBuffer(0));
  /** Entries before this number are on disk. */
  #written: number;
  #changed = false;
  #removed = false;

  private constructor(readonly path: string, shape: IndexShape, disk: Disk, readonly header: IndexHeader) {
    this.#shape = shape;
    this.#disk = disk;
    this.#written = header.next;
  }

  /** Makes a file; `before` is the header of the file that became full, whose end is this one's begin for now. */
  static create(path: string, shape: IndexShape, disk: Disk, before: IndexHeader | undefined): IndexFile {
    const header = new IndexHeader();
    if (before !== undefined) {
      header.beginTimestamp = header.endTimestamp = before.endTimestamp;
      header.beginLogOffset = header.endLogOffset = before.endLogOffset;
    }
    const file = new IndexFile(path, shape, disk, header);
    file.#file = disk.openSync(path, { create: true });
    file.#file.truncateSync(indexFileBytes(shape));
    file.#slots = new SlotTable(shape.maxHashSlotNum);
    file.#changed = true;
    return file;
  }

  /** Opens a file of ours or Java's. Throws RocketdError `damagedStore` when its size is not the shape's. */
  static load(path: string, shape: IndexShape, disk: Disk): IndexFile {
    const size = disk.sizeSync(path);
    if (size !== indexFileBytes(shape)) {
      throw new RocketdError("damagedStore", `Cannot load ${path}: it has ${size} bytes`, {
        field: "maxHashSlotNum, maxIndexNum",
        value: size,
        allowed: `${indexFileBytes(shape)} bytes, as configured`,
      });
    }
    const bytes = new Uint8Array(HEADER_BYTES);
    const file = disk.openSync(path, { readOnly: true });
    try {
      file.readSync(bytes, 0);
    } finally {
      file.close();
    }
    return new IndexFile(path, shape, disk, IndexHeader.decode(bytes));
  }

  /** Entries that still find room. */
  get room(): number {
    return this.#shape.maxIndexNum - this.header.next;
  }

  /** Adds an entry; the caller sees to it that there is {@linkcode room}. */
  put(hash: number, logOffset: number, storeTimestamp: number): void {
    const { header } = this;
    const n = header.next;
    const slots = this.#slots ?? this.#loadSlots();
    const slot = hash % this.#shape.maxHashSlotNum;
    let previous = slots.get(slot);
    if (previous <= 0 || previous > n) previous = 0;
    let at = (n - this.#written) * INDEX_ENTRY_BYTES;
    if (at >= this.#pending.byteLength) at = this.#makeRoom();
    const pending = this.#pending;
    pending.setInt32(at, hash);
    writeInt64(pending, at + 4, logOffset);
    pending.setInt32(at + 12, secondsBetween(header.beginTimestamp, storeTimestamp));
    pending.setInt32(at + 16, previous);
    slots.set(slot, n);
    if (n <= 1) {
      header.beginLogOffset = logOffset;
      header.beginTimestamp = storeTimestamp;
    }
    if (previous === 0) header.slotsUsed++;
    header.next = n + 1;
    header.endLogOffset = logOffset;
    header.endTimestamp = storeTimestamp;
    this.#changed = true;
  }

  /**
   * Adds to `found` the log offsets of entries with this hash and time, newest first, up to `max`, none twice. Yields
   * before each read of the disk, so that the caller may let others go on; a file that was removed meanwhile has no
   * more entries.
   */
  *search(hash: number, max: number, begin: number, end: number, found: Set<number>): Generator<void, void> {
    const { header } = this;
    yield;
    if (this.#removed) return;
    let n = this.#newestOf(hash % this.#shape.maxHashSlotNum);
    if (n <= 0 || n >= header.next) return;
    const block = new DataView(new ArrayBuffer(WALK_ENTRIES * INDEX_ENTRY_BYTES));
    let first = n + 1;
    for (let steps = 1; steps <= INDEX_CHAIN_STEPS_MAX && found.size < max; steps++) {
      let view = this.#pending;
      let at = (n - this.#written) * INDEX_ENTRY_BYTES;
      if (n < this.#written) {
        if (n < first) {
          yield;
          if (this.#removed) return;
          first = Math.max(1, n - WALK_ENTRIES + 1);
          this.#readEntries(first, new Uint8Array(block.buffer, 0, (n - first + 1) * INDEX_ENTRY_BYTES));
        }
        view = block;
        at = (n - first) * INDEX_ENTRY_BYTES;
      }
      const seconds = view.getInt32(at + 12);
      if (seconds < 0) return;
      const time = header.beginTimestamp + seconds * 1000;
      if (view.getInt32(at) === hash && time >= begin && time <= end) found.add(readInt64(view, at + 4));
      const previous = view.getInt32(at + 16);
      // A chain leads back; anything else is damage and would not end.
      if (previous <= 0 || previous >= n || time < begin) return;
      n = previous;
    }
  }

  /** Writes entries that are not on disk yet, then the header. */
  flush(): void {
    if (!this.#changed) return;
    this.#writePending();
    this.#open().writeSync(this.header.encode(), 0);
    this.#changed = false;
  }

  /** Writes all, the slot table too: after this the file can be read by anybody. */
  finish(): void {
    if (this.#slots !== undefined) {
      this.#writePending();
      this.#slots.write(this.#open());
    }
    this.flush();
    this.#slots = undefined;
    this.#pending = new DataView(new ArrayBuffer(0));
  }

  /**
   * Keeps what can be trusted after a crash: entries in order and with whole chains, up to the header's count and below
   * `logEnd`. The slot table is built anew. Of a record whose entries are not all good, none is kept.
   *
   * @returns whether entries were lost
   */
  repair(logEnd = Infinity): boolean {
    this.#writePending();
    const { header } = this;
    const slots = this.#slots = new SlotTable(this.#shape.maxHashSlotNum);
    slots.markAll();
    const good = this.#checkEntries(slots, logEnd);
    if (good.damaged && good.next > 1) return this.repair(good.endLogOffset);
    const lost = good.next < header.next;
    header.next = this.#written = good.next;
    header.slotsUsed = good.slotsUsed;
    if (lost) {
      header.endLogOffset = good.endLogOffset;
      header.endTimestamp = Math.min(header.endTimestamp, header.beginTimestamp + (good.seconds + 1) * 1000 - 1);
      if (header.empty) Object.assign(header, new IndexHeader());
    }
    this.#changed = true;
    this.flush();
    return lost;
  }

  async sync(): Promise<void> {
    await this.#file?.syncData();
  }

  syncNow(): void {
    this.#file?.syncDataSync();
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  remove(): void {
    this.#removed = true;
    this.close();
    this.#disk.removeSync(this.path);
  }

  #open(): DiskFile {
    return this.#file ??= this.#disk.openSync(this.path);
  }

  #loadSlots(): SlotTable {
    const slots = new SlotTable(this.#shape.maxHashSlotNum);
    slots.read(this.#open());
    return this.#slots = slots;
  }

  #newestOf(slot: number): number {
    if (this.#slots !== undefined) return this.#slots.get(slot);
    const bytes = new Uint8Array(SLOT_BYTES);
    this.#readAt(bytes, HEADER_BYTES + slot * SLOT_BYTES);
    return new DataView(bytes.buffer).getInt32(0);
  }

  /** Gives the next entry its place among the pending ones. */
  #makeRoom(): number {
    if (this.#pending.byteLength === 0) {
      this.#pending = new DataView(new ArrayBuffer(INDEX_PENDING_ENTRIES * INDEX_ENTRY_BYTES));
    } else {
      this.#writePending();
    }
    return 0;
  }

  #writePending(): void {
    const count = this.header.next - this.#written;
    if (count === 0) return;
    const bytes = new Uint8Array(this.#pending.buffer, 0, count * INDEX_ENTRY_BYTES);
    this.#open().writeSync(bytes, entryAt(this.#shape, this.#written));
    this.#written = this.header.next;
  }

  #readEntries(from: number, into: Uint8Array): void {
    this.#readAt(into, entryAt(this.#shape, from));
  }

  /** Older files are asked seldom, so they are open only while they are read. */
  #readAt(into: Uint8Array, at: number): void {
    if (this.#file !== undefined) {
      this.#file.readSync(into, at);
      return;
    }
    const file = this.#disk.openSync(this.path, { readOnly: true });
    try {
      file.readSync(into, at);
    } finally {
      file.close();
    }
  }

  /** Walks the entries while they are good, filling the slot table; `damaged` when one below `logEnd` is not. */
  #checkEntries(slots: SlotTable, logEnd: number) {
    const { header } = this;
    const stop = Math.min(header.next, this.#shape.maxIndexNum);
    const good = { next: 1, slotsUsed: 0, endLogOffset: header.beginLogOffset, seconds: 0, damaged: false };
    const chunk = new DataView(new ArrayBuffer(Math.min(INDEX_CHECK_ENTRIES, stop) * INDEX_ENTRY_BYTES));
    for (let n = 1; n < stop; n++) {
      const i = (n - 1) % INDEX_CHECK_ENTRIES;
      if (i === 0) {
        const count = Math.min(INDEX_CHECK_ENTRIES, stop - n);
        this.#readEntries(n, new Uint8Array(chunk.buffer, 0, count * INDEX_ENTRY_BYTES));
      }
      const at = i * INDEX_ENTRY_BYTES;
      const hash = chunk.getInt32(at);
      const logOffset = readInt64(chunk, at + 4);
      const seconds = chunk.getInt32(at + 12);
      const previous = chunk.getInt32(at + 16);
      const slot = hash % this.#shape.maxHashSlotNum;
      good.damaged = hash < 0 || seconds < 0 || previous !== slots.get(slot) || logOffset < good.endLogOffset ||
        logOffset > header.endLogOffset || (n === 1 && logOffset !== header.beginLogOffset);
      if (good.damaged || logOffset >= logEnd) return good;
      slots.set(slot, n);
      if (previous === 0) good.slotsUsed++;
      good.next = n + 1;
      good.endLogOffset = logOffset;
      // The first entry's seconds count from the end of the file before, so they say nothing here.
      good.seconds = n === 1 ? 0 : seconds;
    }
    return good;
  }
}

/** Whole seconds from a file's begin to a record, as the entry keeps them. */
function secondsBetween(begin: number, time: number): number {
  if (begin <= 0) return 0;
  return Math.min(SECONDS_MAX, Math.max(0, Math.floor((time - begin) / 1000)));
}
