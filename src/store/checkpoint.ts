/**
 * The `checkpoint` file: how far log, queues and index are safe on disk, by the store time of messages.
 *
 * @module
 */
import { CHECKPOINT_BYTES, SAFE_POINT_AT } from "../limits.ts";
import type { Disk, DiskFile } from "../platform/disk.ts";
import { readInt64, writeInt64 } from "../protocol/byte_writer.ts";
import { decodeSafePoint, encodeSafePoint, SAFE_POINT_BYTES, type SafePoint } from "./safe_point.ts";

const USED_BYTES = 24;
/** A recovery begins this much before the checkpoint, ms (RocketMQ's StoreCheckpoint). */
const MARGIN_MS = 3000;
const NO_MARK = new Uint8Array(SAFE_POINT_BYTES);

/** Three store times in ms since 1970, each a long: at 0 the log's, at 8 the queues', at 16 the index's. */
export class Checkpoint {
  /** Store time of the last record that is flushed. */
  physicMsgTimestamp = 0;
  /** Store time of the last record that is in its queue. */
  logicsMsgTimestamp = 0;
  /** Last store time in the newest index file that is full and flushed; 0 until there is one. */
  indexMsgTimestamp = 0;
  /** Our own mark of what is safe; undefined where there is none that can be trusted. */
  safePoint: SafePoint | undefined;
  readonly #file: DiskFile;
  readonly #times = new Uint8Array(USED_BYTES);
  readonly #view = new DataView(this.#times.buffer);

  private constructor(file: DiskFile) {
    this.#file = file;
  }

  /**
   * Opens the file or makes it; one that is too short counts as zeros, so that recovery begins early.
   *
   * @param isOurs whether nobody else wrote to the store since we did: else our mark counts for nothing
   */
  static open(path: string, disk: Disk, isOurs = false): Checkpoint {
    const checkpoint = new Checkpoint(disk.openSync(path, { create: true }));
    if (disk.sizeSync(path) < CHECKPOINT_BYTES) checkpoint.#file.truncateSync(CHECKPOINT_BYTES);
    const view = checkpoint.#view;
    checkpoint.#file.readSync(checkpoint.#times, 0);
    checkpoint.physicMsgTimestamp = readInt64(view, 0);
    checkpoint.logicsMsgTimestamp = readInt64(view, 8);
    checkpoint.indexMsgTimestamp = readInt64(view, 16);
    const mark = new Uint8Array(SAFE_POINT_BYTES);
    checkpoint.#file.readSync(mark, SAFE_POINT_AT);
    checkpoint.safePoint = decodeSafePoint(mark, checkpoint.#times);
    // On disk too: a start after this one sees but us before it.
    if (!isOurs) checkpoint.forgetSafePoint();
    return checkpoint;
  }

  /** Where recovery begins: the first two times' minimum less 3 s, not below 0; `withIndex` as for messageIndexSafe. */
  minTimestamp(withIndex = false): number {
    const min = Math.max(0, Math.min(this.physicMsgTimestamp, this.logicsMsgTimestamp) - MARGIN_MS);
    return withIndex ? Math.min(min, this.indexMsgTimestamp) : min;
  }

  /** Takes the mark away, on disk too: what it was about is going to change. */
  forgetSafePoint(): void {
    if (this.safePoint === undefined) return;
    this.safePoint = undefined;
    this.#write();
    this.#file.syncDataSync();
  }

  /** Says that nothing is known of the queues, on disk too: after a crash the whole log is walked through. */
  forgetQueues(): void {
    this.safePoint = undefined;
    this.logicsMsgTimestamp = 0;
    this.#write();
    this.#file.syncDataSync();
  }

  /** Writes the three times and the mark, and makes them survive a power loss. */
  async flush(): Promise<void> {
    this.#write();
    await this.#file.syncData();
  }

  #write(): void {
    writeInt64(this.#view, 0, this.physicMsgTimestamp);
    writeInt64(this.#view, 8, this.logicsMsgTimestamp);
    writeInt64(this.#view, 16, this.indexMsgTimestamp);
    this.#file.writeSync(this.#times, 0);
    const { safePoint } = this;
    const mark = safePoint === undefined ? NO_MARK : encodeSafePoint(safePoint, this.#times);
    this.#file.writeSync(mark, SAFE_POINT_AT);
  }

  /** Writes and syncs times and mark a last time. */
  close(): void {
    this.#write();
    this.#file.syncDataSync();
    this.#file.close();
  }
}
