/**
 * Finding single records: by their place in the log, by time, by key.
 *
 * @module
 */
import { QUERY_BYTES_MAX } from "../limits.ts";
import { measureRecord, NOT_A_RECORD, storeTimestampAt, storeTimestampOf } from "../protocol/message_record.ts";
import type { CommitLog } from "./commit_log.ts";
import type { ConsumeQueue } from "./consume_queue.ts";
import type { IndexService } from "./index_service.ts";
import type { QueryResult } from "./types.ts";

/** Bytes of a record up to its store time, with the longest host before it. */
const HEAD_BYTES = storeTimestampAt(0x10) + 8;

export class Lookup {
  constructor(readonly log: CommitLog, readonly index: IndexService | undefined) {}

  /** The record that begins at a log offset; undefined when none does. */
  recordAt(logOffset: number): Uint8Array | undefined {
    const size = this.#sizeAt(logOffset);
    if (size === undefined) return undefined;
    const bytes = this.#read(logOffset, size);
    if (bytes === undefined) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return measureRecord(bytes, view, 0, size, false) === NOT_A_RECORD ? undefined : bytes;
  }

  #sizeAt(logOffset: number): number | undefined {
    if (!Number.isSafeInteger(logOffset)) return undefined;
    const word = this.#read(logOffset, 4);
    if (word === undefined) return undefined;
    const size = new DataView(word.buffer, word.byteOffset, 4).getInt32(0);
    return size > 0 ? size : undefined;
  }

  /** Bytes of the log, from memory or file; undefined outside of it or of one file. */
  #read(logOffset: number, size: number): Uint8Array<ArrayBuffer> | undefined {
    const { log } = this;
    if (logOffset < log.minOffset || logOffset + size > log.writtenEnd) return undefined;
    const known = log.tail.find(logOffset, size);
    if (known !== undefined) return known;
    const file = log.files.at(logOffset);
    if (file === undefined || logOffset + size > file.end) return undefined;
    const bytes = new Uint8Array(size);
    log.readSync(bytes, logOffset);
    return bytes;
  }

  /** The store time of the record at a log offset; -1 when there is none. */
  storeTimeAt(logOffset: number, size: number): number {
    const head = this.#read(logOffset, Math.min(size, HEAD_BYTES));
    if (head === undefined || head.length < HEAD_BYTES) return -1;
    return storeTimestampOf(new DataView(head.buffer, head.byteOffset, head.byteLength), 0);
  }

  /** The store time of a queue's first message; -1 when it has none. */
  earliestStoreTime(queue: ConsumeQueue): number {
    const first = queue.read(queue.minOffset, 1);
    return first.count === 0 ? -1 : this.storeTimeAt(first.logOffset(0), first.size(0));
  }

  /**
   * The offset of the message stored at `ms`, else of the nearest one to it, the earlier of two equally near
   * (ConsumeQueue.getOffsetInQueueByTime); 0 for an empty queue.
   */
  offsetByTime(queue: ConsumeQueue, ms: number): number {
    const { from, to } = queue.fileRangeByTime(ms);
    let low = from;
    let high = to - 1;
    let before: number | undefined;
    let beforeTime = -1;
    let after: number | undefined;
    let afterTime = -1;
    while (low <= high) {
      const middle = Math.floor((low + high) / 2);
      const entry = queue.read(middle, 1);
      if (entry.count === 0) return 0;
      const logOffset = entry.logOffset(0);
      if (logOffset < this.log.minOffset) {
        low = middle + 1;
        continue;
      }
      const time = this.storeTimeAt(logOffset, entry.size(0));
      if (time < 0) return 0;
      if (time === ms) return middle;
      if (time > ms) {
        high = middle - 1;
        after = middle;
        afterTime = time;
      } else {
        low = middle + 1;
        before = middle;
        beforeTime = time;
      }
    }
    if (before === undefined) return after ?? 0;
    if (after === undefined) return before;
    return ms - beforeTime > afterTime - ms ? after : before;
  }

  /** Records that have a key, newest first. */
  byKey(topic: string, key: string, max: number, beginMs: number, endMs: number): QueryResult {
    const { index } = this;
    const records: Uint8Array[] = [];
    let bytes = 0;
    for (const logOffset of index?.lookup(topic, key, max, beginMs, endMs) ?? []) {
      const record = this.recordAt(logOffset);
      if (record === undefined) continue;
      bytes += record.length;
      if (records.length > 0 && bytes > QUERY_BYTES_MAX) break;
      records.push(record);
    }
    return {
      records,
      indexLastUpdateTimestamp: index?.endTimestamp ?? 0,
      indexLastUpdatePhyoffset: Math.max(0, index?.endLogOffset ?? 0),
    };
  }
}
