/**
 * Where a slave begins to copy.
 *
 * A slave that has a log does not ask for what comes behind its end, but for a little before: HAConnection of every
 * RocketMQ 4.x sends from exactly the offset of the first report. What comes is compared with the slave's own bytes, and
 * only what is behind them is appended. So a master that lost its end, or another master, is noticed although its
 * offsets would fit; Java's slaves compare offsets alone. The last record is always compared: the unused rest of a file
 * behind it is the same in every log.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { HA_OVERLAP_BYTES, HA_OVERLAP_BYTES_MAX } from "../limits.ts";
import type { CopyStore } from "./copy_store.ts";

/** The offset of the first report, and the slave's own bytes from there to the end of its log. */
export interface StartPoint {
  readonly from: number;
  readonly own: Uint8Array;
}

/** Whether a store has never held anything. */
export function isFresh(store: CopyStore): boolean {
  return store.maxLogOffset === 0;
}

/**
 * The start point of a store that has a log.
 *
 * @param oldest what the master sends at the earliest, as far as it is known
 */
export async function startInLog(store: CopyStore, oldest: number): Promise<StartPoint> {
  const end = store.maxLogOffset;
  const earliest = Math.max(store.minLogOffset, oldest <= end ? oldest : 0);
  const { mappedFileSizeCommitLog: fileBytes } = store.options;
  const lastRecord = store.lastRecordOffset ?? end - 1 - (end - 1) % fileBytes;
  const wanted = Math.max(end - HA_OVERLAP_BYTES_MAX, Math.min(end - HA_OVERLAP_BYTES, lastRecord));
  // A report of 0 would mean "the last file only".
  const from = Math.max(earliest, wanted, 1);
  const own = new Uint8Array(end - from);
  for (let length = 0; length < own.length;) {
    const piece = await store.readLog(from + length, own.length - length);
    if (piece === undefined || piece.length === 0) {
      throw new RocketdError("disk", `the end of this slave's own log cannot be read at offset ${from + length}`);
    }
    own.set(piece, length);
    length += piece.length;
  }
  return { from, own };
}
