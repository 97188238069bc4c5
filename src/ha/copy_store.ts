/**
 * What a slave's side of the stream needs of the store.
 *
 * @module
 */

/** The part of `MessageStore` that a copy of the log goes into. */
export interface CopyStore {
  readonly options: { readonly mappedFileSizeCommitLog: number; readonly flushDiskType: "ASYNC_FLUSH" | "SYNC_FLUSH" };
  readonly minLogOffset: number;
  /** Where the next bytes belong. */
  readonly maxLogOffset: number;
  /** Where the last whole record begins; undefined when that is not known. */
  readonly lastRecordOffset: number | undefined;
  /** The end of what may be acknowledged: whole records that are written, with SYNC_FLUSH those that are synced. */
  readonly safeLogOffset: number;
  /** Bytes of the log, at most `most`, never across the end of a file; undefined outside of the log. */
  readLog(from: number, most: number): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Takes bytes that continue the log; throws `gap` or `foreign`, and writes nothing, when they do not. */
  appendCopy(from: number, bytes: Uint8Array): void;
  /** Makes what is written survive a power loss; false when the store has failed. */
  sync(): Promise<boolean>;
}
