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
import type { Blocks, ColdReader } from "./cold_reader.ts";
import type { CommitLog } from "./commit_log.ts";
import type { ConsumeQueue } from "./consume_queue.ts";
import type { ConsumeQueues } from "./consume_queues.ts";
import type { StoreOptions } from "./options.ts";
import { ENTRY_BYTES } from "./queue_entries.ts";
import type { GetResult, GetStatus, MessageFilter } from "./types.ts";

/** What a consumer asks of a queue. */
interface Wanted {
  readonly queue: ConsumeQueue;
  readonly offset: number;
  readonly most: number;
  readonly filter: MessageFilter | undefined;
}

export class Reader {
  #running = 0;
  readonly #turns: (() => void)[] = [];

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
    const queue = this.queues.get(topic, queueId);
    if (queue === undefined) return nothing("NO_MESSAGE_IN_QUEUE", 0, 0, 0);
    const wanted: Wanted = { queue, offset, most, filter };
    const missing = new Set<number>();
    const found = this.#scan(wanted, missing);
    if (missing.size === 0) return found;
    if (filter?.record === undefined) return this.#getCold(wanted, missing);
    // A filter that looks into records has come as far as they are in memory.
    if (found.records.length > 0) return found;
    return this.#getCold({ ...wanted, offset: found.nextBeginOffset }, missing);
  }

  /** Brings the missing blocks in, a few reads at a time, and looks again; what then is still missing ends the batch. */
  async #getCold(wanted: Wanted, missing: Set<number>): Promise<GetResult> {
    if (this.#running >= COLD_READS_AT_ONCE) await new Promise<void>((resolve) => this.#turns.push(resolve));
    else this.#running++;
    try {
      const pinned: Blocks = new Map();
      let rest = wanted;
      for (let round = 0; round < COLD_BLOCKS_PER_READ; round++) {
        for (const [start, block] of await this.cold.load(missing)) pinned.set(start, block);
        const still = new Set<number>();
        const found = this.#scan(rest, still, pinned);
        if (still.size === 0 || found.records.length > 0 || pinned.size >= COLD_BLOCKS_PER_READ) {
          // Puts may use the tail's memory again before the caller gets to run.
          return { ...found, records: found.records.map((record) => record.slice()) };
        }
        missing = still;
        // What was looked at and is not wanted need not be looked at again.
        rest = { ...wanted, offset: found.nextBeginOffset };
      }
      const { topic, queueId } = wanted.queue;
      throw new RocketdError(
        "disk",
        `Cannot read queue ${topic}-${queueId} at ${rest.offset}: its log file is short`,
      );
    } finally {
      const next = this.#turns.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  /**
   * Goes through the queue's entries. With `pinned` blocks it stops at a record that is not in memory. Looks at the
   * queue's bounds first: since the last look, old files may have been removed, or the topic deleted.
   */
  #scan(wanted: Wanted, missing: Set<number>, pinned?: Blocks): GetResult {
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
    const records: Uint8Array[] = [];
    let status: GetStatus = "NO_MATCHED_MESSAGE";
    let bytes = 0;
    let lastLogOffset = -1;
    let scanned = 0;
    let skipBelow = -1;
    scan: while (scanned < entriesMost && offset + scanned < maxOffset) {
      const slice = queue.read(offset + scanned, entriesMost - scanned);
      if (slice.count === 0) break;
      for (let i = 0; i < slice.count; i++, scanned++) {
        const logOffset = slice.logOffset(i);
        const size = slice.size(i);
        lastLogOffset = logOffset;
        if (logOffset < skipBelow) continue;
        if (records.length > 0 && this.#isFull(records.length, bytes, size, most, logOffset)) break scan;
        if (mayWant !== undefined && !mayWant(slice.tagsCode(i))) {
          if (records.length === 0) status = "NO_MATCHED_MESSAGE";
          continue;
        }
        if (logOffset < logMin || logOffset + size > logEnd) {
          if (records.length === 0) status = "MESSAGE_WAS_REMOVING";
          skipBelow = log.files.at(logOffset)?.end ?? logMin;
          continue;
        }
        const record = cold.find(logOffset, size, missing, pinned);
        if (record === undefined) {
          if (pinned !== undefined || wants !== undefined || missing.size >= COLD_BLOCKS_PER_READ) break scan;
        } else if (wants !== undefined) {
          if (scanned > 0 && this.clock.now() >= until) break scan;
          if (!wants(record)) {
            if (records.length === 0) status = "NO_MATCHED_MESSAGE";
            continue;
          }
        }
        // A record that is still to be read counts, so that the blocks of the whole batch are asked for at once.
        records.push(record ?? NO_BYTES);
        bytes += size;
        status = "FOUND";
        skipBelow = -1;
      }
    }
    if (scanned === 0 && missing.size === 0) {
      return nothing("OFFSET_FOUND_NULL", offset + perFile - offset % perFile, minOffset, maxOffset);
    }
    return { status, records, nextBeginOffset: offset + scanned, minOffset, maxOffset, lastLogOffset };
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

const NO_BYTES = new Uint8Array(0);

function nothing(status: GetStatus, nextBeginOffset: number, minOffset: number, maxOffset: number): GetResult {
  return { status, records: [], nextBeginOffset, minOffset, maxOffset, lastLogOffset: -1 };
}
