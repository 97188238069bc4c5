/**
 * Entries of a queue as they are on the disk: the answer of QUERY_CONSUME_QUEUE 321 (QueryConsumeQueueResponseBody).
 *
 * @module
 */
import { QUEUE_ENTRIES_TOLD_MAX, SUBSCRIPTION_LENGTH_MAX } from "../../limits.ts";
import { fastJsonBytes } from "../fastjson.ts";
import { subscriptionShape } from "./heartbeat.ts";
import { decodeJson, flag, int32, list, long, maybe, object, type ShapeOf, text } from "./shape.ts";

const entryShape = object({
  physicOffset: long,
  physicSize: int32,
  tagsCode: long,
  eval: maybe(flag, () => false),
  extendDataJson: maybe(text(SUBSCRIPTION_LENGTH_MAX)),
  bitMap: maybe(text(SUBSCRIPTION_LENGTH_MAX)),
  msg: maybe(text()),
});

/**
 * Place and size of a record in the log, and the hash of its tag (or when it is due). The rest is of `consumequeue_ext`,
 * which only Java brokers write.
 */
export type QueueEntry = ShapeOf<typeof entryShape>;

const queueEntriesShape = object({
  subscriptionData: maybe(subscriptionShape),
  filterData: maybe(text(SUBSCRIPTION_LENGTH_MAX)),
  queueData: maybe(list(entryShape, QUEUE_ENTRIES_TOLD_MAX)),
  maxQueueIndex: maybe(long, () => 0),
  minQueueIndex: maybe(long, () => 0),
});

/**
 * Some of a queue's entries, and from where to where it goes. `subscriptionData`, `filterData` (JSON for people): what the
 * group that was asked about subscribes.
 */
export type QueueEntries = ShapeOf<typeof queueEntriesShape>;

export function decodeQueueEntries(bytes: Uint8Array): QueueEntries {
  return decodeJson(queueEntriesShape, bytes);
}

export function encodeQueueEntries(entries: QueueEntries): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(entries);
}
