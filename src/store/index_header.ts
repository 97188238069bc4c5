/**
 * An index file's layout and its header of 40 bytes.
 *
 * | at | bytes | field |
 * | --- | --- | --- |
 * | 0 | 8 | begin timestamp: store time of the first entry, ms |
 * | 8 | 8 | end timestamp |
 * | 16 | 8 | begin log offset |
 * | 24 | 8 | end log offset: of the last entry's record |
 * | 32 | 4 | slots in use (before RocketMQ 4.7.1: number of puts) |
 * | 36 | 4 | number of the next entry; the first is 1 |
 * | 40 | 4 × slots | the newest entry of each slot's chain, 0 for none |
 * | … | 20 × entries | hash 4, log offset 8, seconds since begin 4, previous entry of the chain 4 |
 *
 * @module
 */
import { readInt64, writeInt64 } from "../protocol/byte_writer.ts";

export const HEADER_BYTES = 40;
export const SLOT_BYTES = 4;
export const INDEX_ENTRY_BYTES = 20;

/** The two sizes that make up a file; RocketMQ's settings maxHashSlotNum and maxIndexNum. */
export interface IndexShape {
  readonly maxHashSlotNum: number;
  readonly maxIndexNum: number;
}

/** Bytes of a whole file. */
export function indexFileBytes(shape: IndexShape): number {
  return entryAt(shape, shape.maxIndexNum);
}

/** Where in the file entry `n` lies. */
export function entryAt(shape: IndexShape, n: number): number {
  return HEADER_BYTES + shape.maxHashSlotNum * SLOT_BYTES + n * INDEX_ENTRY_BYTES;
}

/** What the header says; times in ms, offsets into the log. */
export class IndexHeader {
  beginTimestamp = 0;
  endTimestamp = 0;
  beginLogOffset = 0;
  endLogOffset = 0;
  slotsUsed = 0;
  /** Number of the next entry. */
  next = 1;

  static decode(bytes: Uint8Array): IndexHeader {
    const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
    const header = new IndexHeader();
    header.beginTimestamp = readInt64(view, 0);
    header.endTimestamp = readInt64(view, 8);
    header.beginLogOffset = readInt64(view, 16);
    header.endLogOffset = readInt64(view, 24);
    header.slotsUsed = view.getInt32(32);
    header.next = Math.max(1, view.getInt32(36));
    return header;
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(HEADER_BYTES);
    const view = new DataView(bytes.buffer);
    writeInt64(view, 0, this.beginTimestamp);
    writeInt64(view, 8, this.endTimestamp);
    writeInt64(view, 16, this.beginLogOffset);
    writeInt64(view, 24, this.endLogOffset);
    view.setInt32(32, this.slotsUsed);
    view.setInt32(36, this.next);
    return bytes;
  }

  /** Whether there is an entry. */
  get empty(): boolean {
    return this.next <= 1;
  }

  /** Whether a query from `begin` to `end` may find something here, as RocketMQ decides it. */
  overlaps(begin: number, end: number): boolean {
    const { beginTimestamp, endTimestamp } = this;
    return (begin < beginTimestamp && end > endTimestamp) ||
      (begin >= beginTimestamp && begin <= endTimestamp) ||
      (end >= beginTimestamp && end <= endTimestamp);
  }
}
