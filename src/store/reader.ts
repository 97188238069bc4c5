/**
 * Reading queues: statuses, limits and next offsets as DefaultMessageStore.getMessage of RocketMQ 4.9.7 has them, from
 * memory at once, or later when the disk must be read.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import {
  COLD_BLOCKS_PER_READ,
  COLD_READS_AT_ONCE,
  FILTER_MS_PER_TURN,
  PULL_BYTES_MAX,
  QUEUE_SCAN_BYTES_MIN,
} from "../limits.ts";
import type { Clock } from "../platform/clock.ts";
import type { Block, ColdReader } from "./cold_reader.ts";
import type { CommitLog } from "./commit_log.ts";
import type { ConsumeQueue } from "./consume_queue.ts";
import type { ConsumeQueues } from "./consume_queues.ts";
import type { StoreOptions } from "./options.ts";
import { ENTRY_BYTES } from "./queue_entries.ts";
import type { Found, GetResult, GetStatus, MessageFilter, ReadResult } from "./types.ts";

/** What a consumer asks of a queue. */
interface Wanted {
  readonly queue: ConsumeQueue;
  readonly offset: number;
  readonly most: number;
  readonly filter: MessageFilter | undefined;
}

/** What a look through the queue's entries found; where the records lie is kept beside until the next look. */
interface Scanned extends Found {
  readonly count: number;
  readonly bytes: number;
}

/** Takes what was found, at once; `late` when the disk was read for it. */
type Take = (found: Scanned, late: boolean) => void;

export class Reader {
  #running = 0;
  readonly #turns: (() => void)[] = [];
  /** Where the records lie that the last look found. */
  readonly #at: number[] = [];
  readonly #sizes: number[] = [];
  /** Blocks that the last look would have needed. */
  readonly #missing = new Set<number>();

  constructor(
    readonly log: CommitLog,
    readonly queues: ConsumeQueues,
    readonly cold: ColdReader,
    readonly options: StoreOptions,
    readonly clock: Clock,
  ) {}

  /** See `MessageStore.get`. */
  get(
    topic: string,
    queueId: number,
    offset: number,
    most: number,
    filter: MessageFilter | undefined,
  ): GetResult | Promise<GetResult> {
    let result: GetResult | undefined;
    const later = this.#find(topic, queueId, offset, most, filter, ({ count, bytes: _, ...found }, late) => {
      const records = Array.from({ length: count }, (_, i) => {
        const record = this.cold.view(this.#at[i]!, this.#sizes[i]!);
        // Other reads may use a block's memory again, and puts the tail's before the caller gets to run.
        return late || this.#at[i]! < this.log.tail.start ? record.slice() : record;
      });
      result = { ...found, records };
    });
    return later === undefined ? result! : later.then(() => result!);
  }

  /**
   * The same for who passes the records on: `take` is called once, before this returns when everything is in memory, or
   * else before the promise that it returns resolves. Nobody else has a turn while it runs.
   */
  read(
    topic: string,
    queueId: number,
    offset: number,
    most: number,
    filter: MessageFilter | undefined,
    take: (result: ReadResult) => void,
  ): Promise<void> | undefined {
    return this.#find(topic, queueId, offset, most, filter, (found) => {
      take({ ...found, pieces: this.#pieces(found.count) });
    });
  }

  #find(
    topic: string,
    queueId: number,
    offset: number,
    most: number,
    filter: MessageFilter | undefined,
    take: Take,
  ): Promise<void> | undefined {
    const queue = this.queues.get(topic, queueId);
    if (queue === undefined) return void take(nothing("NO_MESSAGE_IN_QUEUE", 0, 0, 0), false);
    const wanted: Wanted = { queue, offset, most, filter };
    const found = this.#scan(wanted, false);
    // A filter that looks into records has come as far as they are in memory.
    const enough = filter?.record !== undefined && found.count > 0;
    if (this.#missing.size === 0 || enough) return void this.#give(found, false, take);
    const rest = filter?.record === undefined ? wanted : { ...wanted, offset: found.nextBeginOffset };
    return this.#findCold(rest, [...this.#missing], take);
  }

  /** Brings the missing blocks in, a few reads at a time, and looks again; what then is still missing ends the batch. */
  async #findCold(wanted: Wanted, missing: number[], take: Take): Promise<void> {
    if (this.#running >= COLD_READS_AT_ONCE) await new Promise<void>((resolve) => this.#turns.push(resolve));
    else this.#running++;
    const pinned: Block[] = [];
    try {
      let rest = wanted;
      for (let round = 0; round < COLD_BLOCKS_PER_READ; round++) {
        await this.cold.load(missing, pinned);
        const found = this.#scan(rest, true);
        if (this.#missing.size === 0 || found.count > 0 || pinned.length >= COLD_BLOCKS_PER_READ) {
          return this.#give(found, true, take);
        }
        missing = [...this.#missing];
        // What was looked at and is not wanted need not be looked at again.
        rest = { ...wanted, offset: found.nextBeginOffset };
      }
      const { topic, queueId } = wanted.queue;
      throw new RocketdError(
        "disk",
        `Cannot read queue ${topic}-${queueId} at ${rest.offset}: its log file is short`,
      );
    } finally {
      this.cold.unpin(pinned);
      const next = this.#turns.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #give(found: Scanned, late: boolean, take: Take): void {
    const last = this.#at[found.count - 1];
    take(found, late);
    if (last !== undefined) this.cold.readOn(last);
  }

  /** The records that were found: those that follow each other in the log are one piece, wherever they are one in memory. */
  #pieces(count: number): Uint8Array<ArrayBuffer>[] {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for (let i = 0; i < count;) {
      const from = this.#at[i]!;
      let end = from;
      while (i < count && this.#at[i] === end) end += this.#sizes[i++]!;
      this.cold.pieces(from, end, pieces);
    }
    return pieces;
  }

  /**
   * Goes through the queue's entries. The second time, `again`, it stops at a record that is not in memory. Looks at the
   * queue's bounds first: since the last look, old files may have been removed, or the topic deleted.
   */
  #scan(wanted: Wanted, again: boolean): Scanned {
    const missing = this.#missing;
    if (missing.size > 0) missing.clear();
    const { queue, offset, most, filter } = wanted;
    const { minOffset, maxOffset } = queue;
    if (maxOffset === 0) return nothing("NO_MESSAGE_IN_QUEUE", 0, minOffset, maxOffset);
    if (offset < minOffset) return nothing("OFFSET_TOO_SMALL", minOffset, minOffset, maxOffset);
    if (offset === maxOffset) return nothing("OFFSET_OVERFLOW_ONE", offset, minOffset, maxOffset);
    if (offset > maxOffset) return nothing("OFFSET_OVERFLOW_BADLY", maxOffset, minOffset, maxOffset);
    const mayWant = filter?.entry;
    const wants = filter?.record;
    const until = wants === undefined ? Infinity : this.clock.now() + FILTER_MS_PER_TURN;
    const { log, cold } = this;
    const perFile = Math.ceil(this.options.mappedFileSizeConsumeQueue / ENTRY_BYTES);
    // RocketMQ looks through one queue file per read.
    const entriesMost = Math.min(
      Math.ceil(Math.max(QUEUE_SCAN_BYTES_MIN, most * ENTRY_BYTES) / ENTRY_BYTES),
      perFile - offset % perFile,
    );
    const logEnd = log.writtenEnd;
    const logMin = log.minOffset;
    let status: GetStatus = "NO_MATCHED_MESSAGE";
    let count = 0, bytes = 0;
    /** What is known to be in memory. */
    let knownFrom = 0, knownEnd = 0;
    let lastLogOffset = -1;
    let scanned = 0;
    let skipBelow = -1;
    scan: while (scanned < entriesMost && offset + scanned < maxOffset) {
      // Without a filter, what is read is wanted; one entry more is looked at.
      const entries = filter === undefined ? Math.max(most - count, 1) + 1 : entriesMost;
      const slice = queue.read(offset + scanned, Math.min(entries, entriesMost - scanned));
      if (slice.count === 0) break;
      for (let i = 0; i < slice.count; i++, scanned++) {
        const logOffset = slice.logOffset(i);
        const size = slice.size(i);
        lastLogOffset = logOffset;
        if (logOffset < skipBelow) continue;
        if (count > 0 && this.#isFull(count, bytes, size, most, logOffset)) break scan;
        if (mayWant !== undefined && !mayWant(slice.tagsCode(i))) {
          if (count === 0) status = "NO_MATCHED_MESSAGE";
          continue;
        }
        if (logOffset < logMin || logOffset + size > logEnd) {
          if (count === 0) status = "MESSAGE_WAS_REMOVING";
          skipBelow = log.files.at(logOffset)?.end ?? logMin;
          continue;
        }
        if (logOffset < knownFrom || logOffset + size > knownEnd) {
          const stretch = cold.around(logOffset);
          if (stretch !== undefined) {
            knownFrom = stretch.start;
            knownEnd = knownFrom + stretch.length;
          }
          // A record that is still to be read counts, so that the blocks of the whole batch are asked for at once.
          const absent = (stretch === undefined || logOffset + size > knownEnd) &&
            !cold.has(logOffset, logOffset + size, missing);
          if (absent && (again || wants !== undefined || missing.size >= COLD_BLOCKS_PER_READ)) break scan;
        }
        if (wants !== undefined) {
          if (scanned > 0 && this.clock.now() >= until) break scan;
          if (!wants(cold.view(logOffset, size))) {
            if (count === 0) status = "NO_MATCHED_MESSAGE";
            continue;
          }
        }
        this.#at[count] = logOffset;
        this.#sizes[count++] = size;
        bytes += size;
        status = "FOUND";
        skipBelow = -1;
      }
    }
    if (scanned === 0 && missing.size === 0) {
      return nothing("OFFSET_FOUND_NULL", offset + perFile - offset % perFile, minOffset, maxOffset);
    }
    return { status, count, bytes, nextBeginOffset: offset + scanned, minOffset, maxOffset, lastLogOffset };
  }

  /** See `MessageStore.isFarBack`. */
  isFarBack(logOffset: number): boolean {
    return this.log.writtenEnd - logOffset > this.options.inMemoryBytes;
  }

  /** Whether a record does not fit into a batch any more; the first one always does. */
  #isFull(count: number, bytes: number, size: number, most: number, logOffset: number): boolean {
    const { options } = this;
    if (count >= most || bytes + size > PULL_BYTES_MAX) return true;
    if (this.isFarBack(logOffset)) {
      return bytes + size > options.maxTransferBytesOnMessageInDisk ||
        count >= options.maxTransferCountOnMessageInDisk;
    }
    return bytes + size > options.maxTransferBytesOnMessageInMemory ||
      count >= options.maxTransferCountOnMessageInMemory;
  }
}

function nothing(status: GetStatus, nextBeginOffset: number, minOffset: number, maxOffset: number): Scanned {
  return { status, count: 0, bytes: 0, nextBeginOffset, minOffset, maxOffset, lastLogOffset: -1 };
}
