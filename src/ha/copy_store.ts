/**
 * What a slave's side of the stream needs of the store.
 *
 * @module
 */

/** The part of `MessageStore` that a copy of the log goes into. */
export interface CopyStore {
  readonly options: { readonly mappedFileSizeCommitLog: number; readonly flushDiskType: "ASYNC_FLUSH" | "SYNC_FLUSH" };
  readonly minLogOffset: number;
  /** The end of what is written. */
  readonly maxLogOffset: number;
  /** Bytes of the log, at most `most`, never across the end of a file; undefined outside of the log. */
  readLog(from: number, most: number): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Writes bytes that continue the log; throws, and writes nothing, when they do not. */
  appendCopy(from: number, bytes: Uint8Array): void;
  /** Makes what is written survive a power loss; false when the store has failed. */
  sync(): Promise<boolean>;
}
