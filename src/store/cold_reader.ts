/**
 * Reading old parts of the log: in blocks, off the main thread, so that one consumer far behind stops nobody. The blocks
 * read last are kept.
 *
 * @module
 */
import { COLD_BLOCK_BYTES, COLD_BLOCKS_MAX } from "../limits.ts";
import type { CommitLog } from "./commit_log.ts";

/** A piece of the log as it was when it was read; only the first `valid` bytes held data then. */
interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly valid: number;
}

/** Blocks by the log offset they begin at. */
export type Blocks = Map<number, Block>;

const NO_BLOCK: Block = { bytes: new Uint8Array(0), valid: 0 };

export class ColdReader {
  /** In the order of their last use. */
  readonly #cache: Blocks = new Map();
  readonly #loading = new Map<number, Promise<Block>>();

  constructor(readonly log: CommitLog) {}

  /**
   * The bytes at a log offset, from memory only; otherwise undefined, and the blocks that are missing are added to
   * `missing`. `pinned` blocks are looked at first.
   */
  find(logOffset: number, size: number, missing: Set<number>, pinned?: Blocks): Uint8Array<ArrayBuffer> | undefined {
    const tail = this.log.tail.find(logOffset, size);
    if (tail !== undefined) return tail;
    const end = logOffset + size;
    const first = this.#startOf(logOffset);
    if (end <= first + COLD_BLOCK_BYTES) {
      const block = this.#block(first, end, pinned);
      if (block === undefined) missing.add(first);
      return block?.bytes.subarray(logOffset - first, end - first);
    }
    return this.#assemble(logOffset, end, missing, pinned);
  }

  /** Copies a record together that lies in several blocks. */
  #assemble(from: number, end: number, missing: Set<number>, pinned?: Blocks): Uint8Array<ArrayBuffer> | undefined {
    let whole = true;
    const bytes = new Uint8Array(end - from);
    for (let start = this.#startOf(from); start < end; start += COLD_BLOCK_BYTES) {
      const to = Math.min(end, start + COLD_BLOCK_BYTES);
      const block = this.#block(start, to, pinned);
      if (block === undefined) {
        missing.add(start);
        whole = false;
        continue;
      }
      const at = Math.max(from, start);
      bytes.set(block.bytes.subarray(at - start, to - start), at - from);
    }
    return whole ? bytes : undefined;
  }

  /** A block that holds everything up to the log offset `end`. */
  #block(start: number, end: number, pinned?: Blocks): Block | undefined {
    const block = pinned?.get(start) ?? this.#cache.get(start);
    return block !== undefined && start + block.valid >= end ? block : undefined;
  }

  /** Reads blocks and returns them. Rejects when the disk refuses. */
  async load(starts: Iterable<number>): Promise<Blocks> {
    const loaded: Blocks = new Map();
    await Promise.all([...starts].map(async (start) => loaded.set(start, await this.#load(start))));
    return loaded;
  }

  #load(start: number): Promise<Block> {
    const running = this.#loading.get(start);
    if (running !== undefined) return running;
    const loading = this.#read(start).finally(() => this.#loading.delete(start));
    this.#loading.set(start, loading);
    return loading;
  }

  async #read(start: number): Promise<Block> {
    const { log } = this;
    const file = log.files.at(start);
    if (file === undefined) return NO_BLOCK;
    const valid = Math.max(0, Math.min(COLD_BLOCK_BYTES, file.end - start, log.writtenEnd - start));
    const bytes = new Uint8Array(valid);
    const read = await log.files.read(bytes, start);
    if (read === undefined) return NO_BLOCK;
    const block = { bytes, valid: read };
    this.#cache.delete(start);
    this.#cache.set(start, block);
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= COLD_BLOCKS_MAX) break;
      this.#cache.delete(oldest);
    }
    return block;
  }

  /** Forgets blocks of removed files. */
  deleteBelow(logOffset: number): void {
    for (const start of this.#cache.keys()) if (start < logOffset) this.#cache.delete(start);
  }

  /** Blocks are counted from the begin of their file, so that none crosses files. */
  #startOf(logOffset: number): number {
    const start = this.log.files.at(logOffset)?.start ?? 0;
    return logOffset - ((logOffset - start) % COLD_BLOCK_BYTES);
  }
}
