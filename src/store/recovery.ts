/**
 * Finding the log's end when the store is opened, and making queues and index agree with it. After a clean stop the
 * queues know where the log ends; after a crash the log is walked from a point that was safe on disk.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { RocketdError } from "../errors.ts";
import { LOG_TAIL_CHUNK_SPARE, RECORD_BYTES_MAX } from "../limits.ts";
import { readInt64 } from "../protocol/byte_writer.ts";
import { PHYSICAL_OFFSET_AT, recordProperties, storeTimestampOf } from "../protocol/message_record.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type Dispatcher, entryOf } from "./dispatcher.ts";
import type { LogFiles } from "./log_file.ts";
import { LogWalk } from "./log_walk.ts";
import type { StoreOptions } from "./options.ts";
import type { SafePoint } from "./safe_point.ts";

const logger = getLogger(["rocketd", "store"]);

export interface Recovery {
  readonly files: LogFiles;
  readonly dispatcher: Dispatcher;
  readonly checkpoint: Checkpoint;
  readonly options: StoreOptions;
  /** Whether the last run did not stop in order. */
  readonly afterCrash: boolean;
}

/** What recovery found. */
export interface Recovered {
  /** Where the log ends. */
  readonly end: number;
  /** From here on what the log has may be in the page cache only. */
  readonly unsafeFrom: number;
  /** Where the last record begins; undefined when none was found. */
  readonly lastRecord: number | undefined;
}

/**
 * Recovers a store. Throws `RocketdError` (`damagedStore`) for a damaged record that good ones follow,
 * unless `damagedRecordPolicy` is `truncate`; nothing on disk has changed then.
 */
export function recover(recovery: Recovery): Recovered {
  const { files, dispatcher, checkpoint, options } = recovery;
  const { queues, index } = dispatcher;
  const first = files.first;
  if (first === undefined) {
    checkpoint.forgetSafePoint();
    queues.truncateFrom(0);
    index?.truncateFrom(0);
    return { end: 0, unsafeFrom: 0, lastRecord: undefined };
  }
  const recordBytesMax = Math.max(RECORD_BYTES_MAX, options.maxMessageSize + LOG_TAIL_CHUNK_SPARE);
  const walk = new LogWalk(files, recordBytesMax, options.checkCRCOnRecover);
  const clean = recovery.afterCrash ? undefined : cleanStart(recovery, walk);
  const safe = recovery.afterCrash ? safeStart(recovery, walk) : checkpoint.safePoint;
  let from = clean?.end ?? safe?.end ?? crashStart(recovery, walk);
  let lastRecord = clean === undefined ? safe?.lastRecord : clean.lastRecord;
  // What the index lost in a crash comes again too; a clean one may simply have no keys.
  if (recovery.afterCrash && index !== undefined && (safe === undefined || index.endLogOffset < safe.indexEnd)) {
    from = Math.min(from, startForIndex(files, index.endLogOffset));
  }
  const isCopy = options.brokerRole === "SLAVE";
  let torn: number | undefined;
  // Look before changing anything, so that a refusal leaves the disk as it was.
  let end = walk.run(from, (record) => torn = isCopy ? tornAt(record) : undefined);
  // Zeros in place of a size look like the end, so after a crash what lies behind them is searched as well.
  if (!end.clean || torn !== undefined || recovery.afterCrash || hasDataBehind(files, walk, end.offset)) {
    const next = walk.findAfter(end.offset + 1);
    if (next !== undefined) decideOnDamage(files, end.offset, next, options);
    else if (!end.clean || torn !== undefined) {
      const offset = torn ?? end.offset;
      logger.warn("The log ends at {offset}: its last record was not written whole", { offset });
    }
  }
  // Before anything is cut below it: what comes in its place is not what the mark was about, and not yet on disk.
  if (safe === undefined || Math.min(from, end.offset) < safe.end) checkpoint.forgetSafePoint();
  if (from < crashStart(recovery, walk)) checkpoint.forgetQueues();
  // Good entries may go as well: the second walk makes them again.
  if (clean === undefined || queues.highestRecordEnd() > from) queues.truncateFrom(from);
  index?.truncateFrom(torn ?? end.offset);
  const tornEnd = end.offset;
  const take = (record: Uint8Array<ArrayBuffer>) => {
    const entry = entryOf(record, options.delayLevels);
    lastRecord = entry.logOffset;
    dispatcher.add(entry);
  };
  end = walk.run(from, take, torn ?? end.offset, false);
  // A copy may have half of the unused rest behind a filler: it comes again with the filler, to lie on the same bytes.
  const filler = isCopy && torn === undefined ? end.filler : undefined;
  const used = torn === undefined ? filler ?? end.offset : tornEnd;
  cutAt(files, used, filler === undefined && (recovery.afterCrash || !end.clean));
  // The queues' files say nothing of what retention took from the log.
  queues.deleteBelow(first.start);
  for (const queue of queues.all()) queue.nextOffset = queue.maxOffset;
  return { end: filler ?? end.offset, unsafeFrom: from, lastRecord };
}

/**
 * Where a record of a copy lies that may have been cut within its properties, which no checksum covers; undefined for
 * another. Properties are text: there are zeros at their end when they were not written. These may be the sender's all the
 * same, so the record stays on the disk: a slave gets it again, to lie on the same bytes, and a master counts it.
 */
function tornAt(record: Uint8Array<ArrayBuffer>): number | undefined {
  if (record.at(-1) !== 0 || recordProperties(record) === "") return undefined;
  return readInt64(new DataView(record.buffer, record.byteOffset), PHYSICAL_OFFSET_AT);
}

/** After a clean stop: the record of the newest queue entry and its end, if it is really there; else the log's begin. */
function cleanStart({ files, dispatcher }: Recovery, walk: LogWalk): { end: number; lastRecord: number | undefined } {
  const min = files.first!.start;
  let lastAt = -1;
  let end = min;
  for (const queue of dispatcher.queues.all()) {
    const last = queue.maxOffset > queue.minOffset ? queue.read(queue.maxOffset - 1, 1) : undefined;
    if (last === undefined || last.count === 0 || last.logOffset(0) + last.size(0) <= end) continue;
    lastAt = last.logOffset(0);
    end = lastAt + last.size(0);
  }
  if (lastAt < 0) return { end: min, lastRecord: undefined };
  const file = files.at(lastAt);
  const record = file === undefined ? undefined : walk.recordAt(file, lastAt);
  if (record?.length === end - lastAt) return { end, lastRecord: lastAt };
  logger.warn("The queues know of a record at {offset} that the log has not: walking through the log", {
    offset: lastAt,
  });
  return { end: min, lastRecord: undefined };
}

/** After a crash: our mark of what is safe, if the log has its record and the queues reach as far. */
function safeStart({ files, dispatcher, checkpoint }: Recovery, walk: LogWalk): SafePoint | undefined {
  const { safePoint } = checkpoint;
  const file = safePoint === undefined ? undefined : files.at(safePoint.lastRecord);
  if (safePoint === undefined || file === undefined) return undefined;
  const record = walk.recordAt(file, safePoint.lastRecord);
  const isThere = record?.length === safePoint.end - safePoint.lastRecord;
  if (file === files.last) file.overhead = safePoint.overhead;
  return isThere && dispatcher.queues.highestRecordEnd() >= safePoint.end ? safePoint : undefined;
}

/** After a crash without a mark: the begin of the last file whose first record is older than the checkpoint. */
function crashStart({ files, checkpoint }: Recovery, walk: LogWalk): number {
  const safe = checkpoint.minTimestamp();
  for (let i = files.all.length - 1; i > 0; i--) {
    const file = files.all[i]!;
    const record = walk.recordAt(file, file.start);
    if (record === undefined) continue;
    const time = storeTimestampOf(new DataView(record.buffer, record.byteOffset, record.byteLength), 0);
    if (time !== 0 && time <= safe) return file.start;
  }
  return files.first!.start;
}

/** The begin of the file that the index's last record lies in, from which nothing that it lacks is missed. */
function startForIndex(files: LogFiles, endLogOffset: number): number {
  return files.at(Math.max(endLogOffset, 0))?.start ?? files.first!.start;
}

/** Whether a file behind the log's end begins with a record, as after a file that was lost in between. */
function hasDataBehind(files: LogFiles, walk: LogWalk, end: number): boolean {
  return files.all.some((file) => file.start > end && walk.recordAt(file, file.start) !== undefined);
}

function decideOnDamage(files: LogFiles, offset: number, next: number, options: StoreOptions): void {
  const file = files.at(offset)!;
  const where = `${file.path} at byte ${offset - file.start} (log offset ${offset})`;
  if (options.damagedRecordPolicy === "truncate") {
    const lost = (files.last?.end ?? offset) - offset;
    logger.error("Cutting the log at a damaged record in {where}: up to {lost} bytes behind it are lost", {
      where,
      lost,
    });
    return;
  }
  throw new RocketdError(
    "damagedStore",
    `Cannot open the store: a record is damaged in ${where}, and good records follow from log offset ${next}. ` +
      `Restore the file from a copy or from a slave, or set damagedRecordPolicy=truncate to give up everything ` +
      `from the damaged record on. Nothing was changed`,
    { field: file.path, value: offset },
  );
}

/** Removes the files behind the end, and clears the rest of its own where something may lie there. */
function cutAt(files: LogFiles, end: number, suspect: boolean): void {
  while (files.last !== undefined && files.last.start > end) files.removeLast();
  const file = files.at(end);
  if (suspect && file !== undefined && !file.isZeroFrom(end)) file.clearFrom(end);
}
