/**
 * Queues by topic, broker and number, as RocketMQ's MessageQueue: by themselves in the bodies of LOCK_BATCH_MQ 41 and
 * UNLOCK_BATCH_MQ 42, within the event that a consumer's offset was moved (OffsetMovedEvent 4.9.7), and as keys of tables,
 * where Java's clients need the queue as an object: `{{"brokerName":"b","queueId":0,"topic":"T"}:7}`. A `Map` with queues
 * as keys is written that way by `fastJsonBytes`.
 *
 * @module
 */
import { CLIENT_ID_LENGTH_MAX, GROUP_LENGTH_MAX, LOCK_QUEUES_MAX, QUEUE_TABLE_ENTRIES_MAX } from "../../limits.ts";
import { fastJsonBytes } from "../fastjson.ts";
import { decodeJson, int32, list, maybe, object, objectTable, type Shape, type ShapeOf, text, whole } from "./shape.ts";

/** Reads a queue. */
export const messageQueueShape = object({ topic: text(), brokerName: text(), queueId: int32 });

/** One queue of a topic at one broker. */
export type MessageQueue = ShapeOf<typeof messageQueueShape>;

/** Reads a table with queues as keys; missing, it is empty. Each queue is a key of its own: iterate, do not look up. */
export function queueTable<T>(item: Shape<T>): Shape<Map<MessageQueue, T>> {
  return maybe(objectTable(messageQueueShape, item, QUEUE_TABLE_ENTRIES_MAX), () => new Map());
}

/** The text of a queue as a key of a table, for those who write a large one piece by piece. */
export function queueKeyText({ brokerName, queueId, topic }: MessageQueue): string {
  return `{"brokerName":${JSON.stringify(brokerName)},"queueId":${queueId},"topic":${JSON.stringify(topic)}}`;
}

const queues = maybe(list(messageQueueShape, LOCK_QUEUES_MAX), () => []);
const lockBatchShape = object({
  consumerGroup: text(GROUP_LENGTH_MAX),
  clientId: text(CLIENT_ID_LENGTH_MAX),
  mqSet: queues,
});

/** The queues that a client of a group wants to have, or gives back. */
export type LockBatch = ShapeOf<typeof lockBatchShape>;

export function decodeLockBatch(bytes: Uint8Array): LockBatch {
  return decodeJson(lockBatchShape, bytes);
}

export function encodeLockBatch(value: LockBatch): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(value);
}

const lockedShape = object({ lockOKMQSet: queues });

/** Reads the answer of LOCK_BATCH_MQ: the queues that the client has now. */
export function decodeLocked(bytes: Uint8Array): MessageQueue[] {
  return decodeJson(lockedShape, bytes).lockOKMQSet;
}

export function encodeLocked(lockOKMQSet: readonly MessageQueue[]): Uint8Array<ArrayBuffer> {
  return fastJsonBytes({ lockOKMQSet });
}

const offsetMovedShape = object({
  consumerGroup: text(GROUP_LENGTH_MAX),
  messageQueue: messageQueueShape,
  offsetRequest: whole(),
  offsetNew: whole(),
});

/** A consumer asked for `offsetRequest`, where the queue has nothing, and was sent to `offsetNew`. */
export type OffsetMovedEvent = ShapeOf<typeof offsetMovedShape>;

export function decodeOffsetMoved(bytes: Uint8Array): OffsetMovedEvent {
  return decodeJson(offsetMovedShape, bytes);
}

export function encodeOffsetMoved(event: OffsetMovedEvent): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(event);
}
