/**
 * The slot table of the index file that is being written, in memory: 4 bytes a slot, as in the file.
 *
 * @module
 */
import type { DiskFile } from "../platform/disk.ts";
import { HEADER_BYTES, SLOT_BYTES } from "./index_header.ts";

const PAGE_BITS = 12;
const PAGE_BYTES = 1 << PAGE_BITS;

/** The newest entry of each chain; pages that changed are known, so that few bytes need be written. */
export class SlotTable {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #dirty: Uint8Array;

  /** @param slots number of slots */
  constructor(readonly slots: number) {
    this.bytes = new Uint8Array(slots * SLOT_BYTES);
    this.#view = new DataView(this.bytes.buffer);
    this.#dirty = new Uint8Array(Math.ceil(this.bytes.length / PAGE_BYTES));
  }

  get(slot: number): number {
    return this.#view.getInt32(slot * SLOT_BYTES);
  }

  set(slot: number, entry: number): void {
    const at = slot * SLOT_BYTES;
    this.#view.setInt32(at, entry);
    this.#dirty[at >> PAGE_BITS] = 1;
  }

  read(file: DiskFile): void {
    file.readSync(this.bytes, HEADER_BYTES);
    this.#dirty.fill(0);
  }

  /** The table on disk is something else altogether: all of it is to be written. */
  markAll(): void {
    this.#dirty.fill(1);
  }

  /** Writes the pages that changed, neighbours together. */
  write(file: DiskFile): void {
    const pages = this.#dirty.length;
    for (let page = 0; page < pages; page++) {
      if (this.#dirty[page] === 0) continue;
      const from = page;
      while (page < pages && this.#dirty[page] === 1) page++;
      file.writeSync(this.bytes.subarray(from << PAGE_BITS, page << PAGE_BITS), HEADER_BYTES + (from << PAGE_BITS));
    }
    this.#dirty.fill(0);
  }
}
