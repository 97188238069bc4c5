/**
 * What follows from a record in the log: an entry in its consume queue, entries in the index, a call to who waits for
 * new messages.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { indexHash, keySeedOf } from "../protocol/java_hash.ts";
import { decodeEntry } from "../protocol/message_record.ts";
import { SystemTopic } from "../protocol/names.ts";
import { eachWord, StoreProperties, utf8Hash } from "../protocol/property_bytes.ts";
import type { ConsumeQueue } from "./consume_queue.ts";
import type { ConsumeQueues } from "./consume_queues.ts";
import type { IndexService } from "./index_service.ts";
import type { PutFigures } from "./put_figures.ts";
import { NO_INDEX, type SafePoint } from "./safe_point.ts";
import type { StoreState } from "./state.ts";
import type { ArrivalListener, DispatchEntry } from "./types.ts";

const logger = getLogger(["rocketd", "store"]);

/** How far queues and index know the log since it was opened; see `SafePoint` for the places. */
export interface Known extends Omit<SafePoint, "overhead"> {
  readonly lastStoreTimestamp: number;
}

export class Dispatcher {
  readonly #listeners: ArrivalListener[] = [];
  readonly #arrived = new Set<ConsumeQueue>();
  /** Store time of the newest record that queues and index know. */
  lastStoreTimestamp = 0;
  #lastRecord = -1;
  #end = 0;

  constructor(
    readonly queues: ConsumeQueues,
    readonly index: IndexService | undefined,
    readonly state: StoreState,
    readonly figures: PutFigures,
  ) {}

  onArrival(listener: ArrivalListener): void {
    this.#listeners.push(listener);
  }

  /** Makes written records visible and tells the listeners once for each queue. */
  dispatch(entries: readonly DispatchEntry[]): void {
    const { figures } = this;
    const arrived = this.#arrived;
    let bytes = 0;
    try {
      for (let i = 0; i < entries.length; i++) {
        bytes += entries[i]!.size;
        const queue = this.add(entries[i]!);
        if (queue !== undefined) arrived.add(queue);
      }
    } catch (error) {
      // The records are safe in the log; queues and index are made again from it at the next start.
      this.state.fail(`queues or index cannot be written: ${messageOf(error)}`);
    }
    figures.messages += entries.length;
    figures.bytes += bytes;
    for (const queue of arrived) this.#tell(queue);
    arrived.clear();
  }

  /** Adds one record to its queue and to the index; both pass over what they already have. */
  add(entry: DispatchEntry): ConsumeQueue | undefined {
    const queue = this.queues.dispatch(entry);
    this.index?.put(entry);
    this.lastStoreTimestamp = entry.storeTimestamp;
    this.#lastRecord = entry.logOffset;
    this.#end = entry.logOffset + entry.size;
    return queue;
  }

  /** How far queues and index know the log now; `lastRecord` is -1 while none came since it was opened. */
  known(): Known {
    const { lastStoreTimestamp, index } = this;
    const indexEnd = index?.endLogOffset ?? NO_INDEX;
    return { lastStoreTimestamp, lastRecord: this.#lastRecord, end: this.#end, indexEnd };
  }

  #tell(queue: ConsumeQueue): void {
    for (const listener of this.#listeners) {
      try {
        listener(queue.topic, queue.queueId, queue.maxOffset);
      } catch (error) {
        logger.error("A listener for new messages failed: {error}", { error });
      }
    }
  }
}

/**
 * What the queue entry of a record holds besides its place: the hash of its tags, or for a delayed message, which waits
 * in the schedule topic, its deliver time.
 *
 * @param from when the delay begins, ms: now for a new message, the store time for one read back from the log
 */
export function tagsCodeOf(
  topic: string,
  properties: StoreProperties,
  from: number,
  delayLevels: readonly number[],
): number {
  if (properties.delayTo > 0 && topic === SystemTopic.SCHEDULE) {
    const level = Math.min(Number.parseInt(properties.delay, 10), delayLevels.length);
    if (level >= 1) return from + delayLevels[level - 1]!;
  }
  return properties.tagsTo === 0 ? 0 : utf8Hash(properties.bytes, properties.tagsFrom, properties.tagsTo);
}

const NO_KEYS: readonly number[] = [];

/** What the index finds UNIQ_KEY by; -1 for none. `seed`: `keySeedOf` the topic. */
export function uniqKeyOf({ bytes, uniqKeyFrom, uniqKeyTo }: StoreProperties, seed: number): number {
  return uniqKeyTo === 0 ? -1 : indexHash(utf8Hash(bytes, uniqKeyFrom, uniqKeyTo, seed));
}

/** What the index finds each word of KEYS by. */
export function keysOf({ bytes, keysFrom, keysTo }: StoreProperties, seed: number): readonly number[] {
  if (keysTo === 0) return NO_KEYS;
  const keys: number[] = [];
  eachWord(bytes, keysFrom, keysTo, (from, to) => keys.push(indexHash(utf8Hash(bytes, from, to, seed))));
  return keys;
}

const scratch = new StoreProperties();
/** Of the record before: most come from the same topic. */
let seedTopic = "", seed = keySeedOf("");

/** The entry of a record read back from the log. Throws `RocketdError` (`malformed`) when it is none. */
export function entryOf(bytes: Uint8Array, delayLevels: readonly number[]): DispatchEntry {
  const record = decodeEntry(bytes);
  const properties = scratch.read(bytes, record.propertiesAt, record.totalSize);
  if (record.topic !== seedTopic) seed = keySeedOf(seedTopic = record.topic);
  return {
    topic: record.topic,
    queueId: record.queueId,
    queueOffset: record.queueOffset,
    logOffset: record.physicalOffset,
    size: record.totalSize,
    tagsCode: tagsCodeOf(record.topic, properties, record.storeTimestamp, delayLevels),
    storeTimestamp: record.storeTimestamp,
    sysFlag: record.sysFlag,
    uniqKey: uniqKeyOf(properties, seed),
    keys: keysOf(properties, seed),
  };
}
