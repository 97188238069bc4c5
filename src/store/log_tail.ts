/**
 * The end of the log in memory: what was written last is what nearly every consumer reads next.
 *
 * @module
 */
import { LOG_TAIL_CHUNKS } from "../limits.ts";

/** A stretch of the log in memory: bytes [start, start + length). */
export interface Stretch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly start: number;
  length: number;
}

/** A stretch that records are encoded into. */
export interface TailChunk extends Stretch {
  readonly view: DataView<ArrayBuffer>;
}

/** The last few chunks of the log. Records are encoded into the newest; the oldest one's memory is used again. */
export class LogTail {
  readonly #chunks: TailChunk[] = [];

  /** @param size how many bytes a chunk has from now on; asked for with each new one */
  constructor(readonly size: () => number) {}

  /** The most that can be encoded into one chunk. */
  get chunkBytes(): number {
    return this.size();
  }

  /** The chunk that records go into. */
  get active(): TailChunk | undefined {
    return this.#chunks[this.#chunks.length - 1];
  }

  /** Starts a new chunk at a log offset. Views of the oldest chunk are no longer valid. */
  begin(start: number): TailChunk {
    const old = this.#chunks.length >= LOG_TAIL_CHUNKS ? this.#chunks.shift() : undefined;
    const size = this.chunkBytes;
    const bytes = old?.bytes.length === size ? old.bytes : new Uint8Array(size);
    const chunk: TailChunk = { bytes, view: new DataView(bytes.buffer), start, length: 0 };
    this.#chunks.push(chunk);
    return chunk;
  }

  /** A view of the bytes [logOffset, logOffset + size), or undefined when they are not all in one chunk. */
  find(logOffset: number, size: number): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.from(logOffset, size);
    return bytes?.length === size ? bytes : undefined;
  }

  /** A view of up to `most` bytes from `logOffset` on, as many as its chunk has; undefined when they are in none. */
  from(logOffset: number, most: number): Uint8Array<ArrayBuffer> | undefined {
    const chunk = this.around(logOffset);
    if (chunk === undefined) return undefined;
    const at = logOffset - chunk.start;
    return chunk.bytes.subarray(at, Math.min(at + most, chunk.length));
  }

  /** The chunk that holds the byte at `logOffset`. */
  around(logOffset: number): Stretch | undefined {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const chunk = this.#chunks[i]!;
      if (logOffset >= chunk.start) return logOffset < chunk.start + chunk.length ? chunk : undefined;
    }
    return undefined;
  }

  /** The log offset that the memory begins at; Infinity when there is nothing. */
  get start(): number {
    return this.#chunks[0]?.start ?? Infinity;
  }
}
