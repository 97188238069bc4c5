/**
 * The 20-byte entry of a consume queue, and the view that reads hand out.
 *
 * | at | bytes | field |
 * | --- | --- | --- |
 * | 0 | 8 | log offset of the record |
 * | 8 | 4 | size of the record |
 * | 12 | 8 | tags code: hash of the tag, or when a delayed message is due |
 *
 * @module
 */
import { readInt64, writeInt64 } from "../protocol/byte_writer.ts";

export const ENTRY_BYTES = 20;
/** Size field of the entries that only fill the queue's first file up to its first message. */
const BLANK_SIZE = 0x7fff_ffff;
/** A tags code below this is neither a hash code nor a time. */
const HASH_CODE_MIN = -(2 ** 31);
const NOTHING = new DataView(new ArrayBuffer(0));

/**
 * Whether a tags code is a place in the files of a Java broker's `consumequeue_ext`, which we do not read: the message may
 * have any tag, and be due at any time (`ConsumeQueueExt.isExtAddr` 4.9.7).
 */
export function isExtAddress(tagsCode: number): boolean {
  return tagsCode < HASH_CODE_MIN;
}

/** A view of consecutive entries; index 0 is the first one asked for. Valid until the next call of any queue. */
export class ConsumeQueueSlice {
  count = 0;
  #view: DataView = NOTHING;
  #base = 0;

  /** Lays the view over `count` entries from byte `base` on. */
  over(view: DataView, base: number, count: number): this {
    this.#view = view;
    this.#base = base;
    this.count = count;
    return this;
  }

  logOffset(i: number): number {
    return readInt64(this.#view, this.#base + i * ENTRY_BYTES);
  }

  size(i: number): number {
    return this.#view.getInt32(this.#base + i * ENTRY_BYTES + 8);
  }

  tagsCode(i: number): number {
    return readInt64(this.#view, this.#base + i * ENTRY_BYTES + 12);
  }

  /** Whether this entry stands for a record, or is a blank one; bytes that were never written do not. */
  valid(i: number): boolean {
    return this.size(i) > 0 && this.logOffset(i) >= 0;
  }

  /** Whether this entry only fills the space before the queue's first message. */
  blank(i: number): boolean {
    return this.size(i) === BLANK_SIZE && this.logOffset(i) === 0;
  }
}

export function writeEntry(view: DataView, at: number, logOffset: number, size: number, tagsCode: number): void {
  writeInt64(view, at, logOffset);
  view.setInt32(at + 8, size);
  writeInt64(view, at + 12, tagsCode);
}

/** `count` blank entries: (0, 0x7FFFFFFF, 0). */
export function blankEntries(count: number): Uint8Array {
  const bytes = new Uint8Array(count * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) view.setInt32(i * ENTRY_BYTES + 8, BLANK_SIZE);
  return bytes;
}

/** The first number in [from, to) that `holds`, given that all after it hold too; `to` when none does. */
export function firstThat(from: number, to: number, holds: (i: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
