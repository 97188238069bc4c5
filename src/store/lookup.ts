/**
 * Finding single records: by their place in the log, by time, by key.
 *
 * @module
 */
import { LOOKUP_READ_BYTES, QUERY_BYTES_MAX, RECORD_BYTES_MAX } from "../limits.ts";
import { type Clock, pause } from "../platform/clock.ts";
import { readInt64 } from "../protocol/byte_writer.ts";
import {
  measureRecord,
  PHYSICAL_OFFSET_AT,
  RECORD_BYTES_MIN,
  RECORD_MAGIC,
  recordTopic,
  storeTimestampAt,
  storeTimestampOf,
} from "../protocol/message_record.ts";
import type { CommitLog } from "./commit_log.ts";
import type { ConsumeQueue } from "./consume_queue.ts";
import type { IndexService } from "./index_service.ts";
import type { QueryResult } from "./types.ts";

/** Bytes of a record up to its store time, with the longest host before it. */
const HEAD_BYTES = storeTimestampAt(0x10) + 8;
const SIZE_BYTES = 4;

export class Lookup {
  #reads: Promise<unknown> = Promise.resolve();

  constructor(readonly log: CommitLog, readonly index: IndexService | undefined, readonly clock: Clock) {}

  /**
   * The record that begins at a log offset; undefined when none does. At once when it is in memory (as a view), else
   * read off the main thread. An offset into somebody's body, with bytes that look like a record's size, costs little.
   */
  fetch(logOffset: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const { tail } = this.log;
    const word = tail.find(logOffset, SIZE_BYTES);
    if (word === undefined) return this.#fromDisk(logOffset);
    // A record never goes on in the next piece of memory: what seems to do so is none.
    const size = sizeIn(word);
    const bytes = size <= this.#bytesFrom(logOffset) ? tail.find(logOffset, size) : undefined;
    return bytes !== undefined && isRecord(bytes, logOffset) ? bytes : undefined;
  }

  /** One read after the other: many lookups at once must not have as many records in memory. */
  #fromDisk(logOffset: number): Promise<Uint8Array | undefined> {
    const found = this.#reads.then(() => this.#readRecord(logOffset));
    this.#reads = found.then(() => {}, () => {});
    return found;
  }

  async #readRecord(logOffset: number): Promise<Uint8Array | undefined> {
    const { files } = this.log;
    const most = this.#bytesFrom(logOffset);
    if (most < RECORD_BYTES_MIN) return undefined;
    let bytes = new Uint8Array(Math.min(most, LOOKUP_READ_BYTES));
    if (await files.read(bytes, logOffset) !== bytes.length) return undefined;
    const size = sizeIn(bytes);
    // No room is made for what does not even begin as a record of this place.
    if (size === 0 || size > most || !beginsAt(bytes, logOffset)) return undefined;
    if (size > bytes.length) {
      bytes = new Uint8Array(size);
      if (await files.read(bytes, logOffset) !== size) return undefined;
    }
    const record = bytes.subarray(0, size);
    return isRecord(record, logOffset) ? record : undefined;
  }

  /** How many bytes the log has from an offset to the end of its file, 0 for an offset outside of the log. */
  #bytesFrom(logOffset: number): number {
    const { log } = this;
    if (!Number.isSafeInteger(logOffset) || logOffset < log.minOffset) return 0;
    return Math.max(0, Math.min(log.files.at(logOffset)?.end ?? 0, log.writtenEnd) - logOffset);
  }

  /** Bytes of the log, from memory or file; undefined outside of it or of one file. */
  #read(logOffset: number, size: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#bytesFrom(logOffset) < size) return undefined;
    const known = this.log.tail.find(logOffset, size);
    if (known !== undefined) return known;
    const bytes = new Uint8Array(size);
    this.log.readSync(bytes, logOffset);
    return bytes;
  }

  /** The store time of the record at a log offset; -1 when there is none. */
  storeTimeAt(logOffset: number, size: number): number {
    const head = this.#read(logOffset, Math.min(size, HEAD_BYTES));
    if (head === undefined || head.length < HEAD_BYTES) return -1;
    return storeTimestampOf(viewOf(head), 0);
  }

  /** The store time of the log's first message; -1 when it has none. */
  get firstStoreTime(): number {
    return this.storeTimeAt(this.log.minOffset, RECORD_BYTES_MIN);
  }

  /** The store time of the message at a queue's offset; -1 when it is not there. */
  storeTimeOf(queue: ConsumeQueue | undefined, offset: number): number {
    const entry = queue?.read(offset, 1);
    return entry === undefined || entry.count === 0 ? -1 : this.storeTimeAt(entry.logOffset(0), entry.size(0));
  }

  /**
   * The offset of the message stored at `ms`, else of the nearest one to it, the earlier of two equally near
   * (ConsumeQueue.getOffsetInQueueByTime); 0 for a queue without messages. RocketMQ looks only into the queue file
   * that its time of change tells; ours looks at all of them, and so is right where two files meet.
   */
  offsetByTime(queue: ConsumeQueue | undefined, ms: number): number {
    if (queue === undefined) return 0;
    let low = queue.minOffset;
    let high = queue.maxOffset - 1;
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

  /** Records that have a key: the newest `max`, in the order of the log as RocketMQ gives them. */
  async byKey(topic: string, key: string, max: number, beginMs: number, endMs: number): Promise<QueryResult> {
    const { index } = this;
    const records: Uint8Array[] = [];
    let bytes = 0;
    for (const logOffset of await this.#offsetsOf(topic, key, max, beginMs, endMs)) {
      const found = this.fetch(logOffset);
      // A view of memory that puts may use again: copied before anybody else gets to run.
      const record = found instanceof Promise ? await found : found?.slice();
      // Java's clients pass over messages whose key only has the same hash; those of other topics are not theirs to see.
      if (record === undefined || recordTopic(record) !== topic) continue;
      bytes += record.length;
      if (records.length > 0 && bytes > QUERY_BYTES_MAX) break;
      records.push(record);
    }
    return {
      records: records.reverse(),
      indexLastUpdateTimestamp: index?.endTimestamp ?? 0,
      indexLastUpdatePhyoffset: Math.max(0, index?.endLogOffset ?? 0),
    };
  }

  /** Log offsets of a key, newest first; others get their turn between the steps of a long search. */
  async #offsetsOf(topic: string, key: string, max: number, beginMs: number, endMs: number): Promise<number[]> {
    if (this.index === undefined) return [];
    const search = this.index.search(topic, key, max, beginMs, endMs);
    while (true) {
      const step = search.next();
      if (step.done === true) return step.value;
      await pause(this.clock);
    }
  }
}

/** The size word of a record; 0 when it can be none. */
function sizeIn(bytes: Uint8Array): number {
  const size = viewOf(bytes).getInt32(0);
  return size > 0 && size <= RECORD_BYTES_MAX ? size : 0;
}

/** Whether these are all bytes of a record that says itself that it lies at `logOffset`. */
function isRecord(bytes: Uint8Array, logOffset: number): boolean {
  const view = viewOf(bytes);
  return measureRecord(bytes, view, 0, bytes.length, false) === bytes.length && beginsAt(bytes, logOffset);
}

/** Whether a record's first bytes are those of one that lies at `logOffset`. */
function beginsAt(bytes: Uint8Array, logOffset: number): boolean {
  const view = viewOf(bytes);
  return view.getInt32(4) === RECORD_MAGIC && readInt64(view, PHYSICAL_OFFSET_AT) === logOffset;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
