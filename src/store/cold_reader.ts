/**
 * Reading old parts of the log: in blocks, off the main thread, so that one consumer far behind stops nobody. The blocks
 * used last are kept, and who reads on and on finds the next ones there.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { COLD_BLOCK_BYTES, COLD_BLOCKS_AHEAD, COLD_BLOCKS_AHEAD_MAX, COLD_BLOCKS_MAX } from "../limits.ts";
import type { CommitLog } from "./commit_log.ts";
import type { Stretch } from "./log_tail.ts";

/** A piece of the log as it was when it was read; only its first `length` bytes held data then, none while it is read. */
export interface Block extends Stretch {
  /** Resolves when it was read. */
  loading: Promise<void> | undefined;
  /** Who waits for other blocks beside this one: until then its memory is not used again. */
  pins: number;
  /** A number that grows with each use of any block. */
  usedAt: number;
  /** Reads that ended in it. */
  reads: number;
  /** Whether it was read ahead, and nobody was there yet. */
  isAhead: boolean;
}

export class ColdReader {
  /** By the log offset they begin at. */
  readonly #blocks = new Map<number, Block>();
  #uses = 0;
  #aheads = 0;

  constructor(readonly log: CommitLog) {}

  /** The stretch of the log in memory that holds the byte at `logOffset`; undefined when none does. */
  around(logOffset: number): Stretch | undefined {
    const chunk = this.log.tail.around(logOffset);
    if (chunk !== undefined) return chunk;
    const block = this.#blocks.get(this.#startOf(logOffset));
    if (block === undefined || logOffset >= block.start + block.length) return undefined;
    block.usedAt = ++this.#uses;
    if (block.isAhead) this.#arrive(block);
    return block;
  }

  /** Whether all of the bytes are in memory; otherwise the blocks that are missing are added to `missing`. */
  has(from: number, end: number, missing: Set<number>): boolean {
    let whole = true;
    for (let at = from; at < end;) {
      const stretch = this.around(at);
      if (stretch !== undefined) {
        at = stretch.start + stretch.length;
        continue;
      }
      whole = false;
      const start = this.#startOf(at);
      missing.add(start);
      at = start + COLD_BLOCK_BYTES;
    }
    return whole;
  }

  /** Adds views of bytes that are in memory to `pieces`: one, unless they lie in several stretches. */
  pieces(from: number, end: number, pieces: Uint8Array<ArrayBuffer>[]): void {
    for (let at = from; at < end;) {
      const stretch = this.around(at);
      if (stretch === undefined) throw new RocketdError("disk", `The commit log at ${at} is not in memory`);
      const { bytes, start, length } = stretch;
      const to = Math.min(end, start + length);
      pieces.push(bytes.subarray(at - start, to - start));
      at = to;
    }
  }

  /** Bytes that are in memory: a view, or a copy when they lie in several stretches. */
  view(logOffset: number, size: number): Uint8Array<ArrayBuffer> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    this.pieces(logOffset, logOffset + size, pieces);
    if (pieces.length === 1) return pieces[0]!;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /** Reads blocks, which stay in memory until `pinned` is given to {@linkcode unpin}. Rejects when the disk refuses. */
  async load(starts: readonly number[], pinned: Block[]): Promise<void> {
    const loading = starts.map((start) => {
      const there = this.#blocks.get(start);
      const isThere = there !== undefined &&
        (there.loading !== undefined || start + there.length >= this.#endOf(start));
      const block = isThere ? there : this.#load(start);
      block.pins++;
      pinned.push(block);
      return block.loading;
    });
    await Promise.all(loading);
  }

  /** Blocks may go again. */
  unpin(pinned: readonly Block[]): void {
    for (const block of pinned) block.pins--;
    while (this.#blocks.size > COLD_BLOCKS_MAX) {
      const oldest = this.#oldest();
      if (oldest === undefined) return;
      this.#forget(oldest);
    }
  }

  /** Says that a read ended with the record at `logOffset`. Who reads a second time from one block wants the next ones. */
  readOn(logOffset: number): void {
    if (logOffset >= this.log.tail.start) return;
    const block = this.#blocks.get(this.#startOf(logOffset));
    if (block === undefined || ++block.reads !== 2) return;
    let { start } = block;
    for (let i = 0; i < COLD_BLOCKS_AHEAD && this.#aheads < COLD_BLOCKS_AHEAD_MAX; i++) {
      start = this.#startOf(start + COLD_BLOCK_BYTES);
      if (start >= Math.min(this.log.tail.start, this.log.writtenEnd)) return;
      if (this.#blocks.has(start)) continue;
      this.#aheads++;
      // Who wants it reads it again, and is told.
      this.#load(start, true).loading?.catch(() => {});
    }
  }

  #load(start: number, isAhead = false): Block {
    // There may be one that was read when the log was shorter.
    const old = this.#blocks.get(start) ?? (this.#blocks.size < COLD_BLOCKS_MAX ? undefined : this.#oldest());
    if (old !== undefined) this.#forget(old);
    const bytes = old !== undefined && isFree(old) ? old.bytes : new Uint8Array(COLD_BLOCK_BYTES);
    const usedAt = ++this.#uses;
    const block: Block = { bytes, start, length: 0, loading: undefined, pins: 0, usedAt, reads: 0, isAhead };
    this.#blocks.set(start, block);
    block.loading = this.#read(block).finally(() => block.loading = undefined);
    return block;
  }

  /** The block that was unused longest, of those that may go. */
  #oldest(): Block | undefined {
    let oldest: Block | undefined;
    for (const block of this.#blocks.values()) {
      if (isFree(block) && (oldest === undefined || block.usedAt < oldest.usedAt)) oldest = block;
    }
    return oldest;
  }

  async #read(block: Block): Promise<void> {
    const { start, bytes } = block;
    const most = this.#endOf(start) - start;
    try {
      if (most > 0) block.length = await this.log.files.read(bytes.subarray(0, most), start) ?? 0;
    } finally {
      if (block.length === 0 && this.#blocks.get(start) === block) this.#forget(block);
    }
  }

  #arrive(block: Block): void {
    block.isAhead = false;
    this.#aheads--;
  }

  #forget(block: Block): void {
    this.#blocks.delete(block.start);
    if (block.isAhead) this.#arrive(block);
  }

  /** Forgets blocks of removed files. */
  deleteBelow(logOffset: number): void {
    for (const block of this.#blocks.values()) if (block.start < logOffset) this.#forget(block);
  }

  /** Where a block ends that is read now. */
  #endOf(start: number): number {
    const { files, writtenEnd } = this.log;
    return Math.min(start + COLD_BLOCK_BYTES, files.at(start)?.end ?? 0, writtenEnd);
  }

  /** Blocks are counted from the begin of their file, so that none crosses files. */
  #startOf(logOffset: number): number {
    const start = this.log.files.at(logOffset)?.start ?? 0;
    return logOffset - ((logOffset - start) % COLD_BLOCK_BYTES);
  }
}

function isFree({ pins, loading }: Block): boolean {
  return pins === 0 && loading === undefined;
}
