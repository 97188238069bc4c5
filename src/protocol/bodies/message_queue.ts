/**
 * Queues by topic, broker and number, as RocketMQ's MessageQueue: by themselves in the bodies of LOCK_BATCH_MQ 41 and
 * UNLOCK_BATCH_MQ 42, and within the event that a consumer's offset was moved (OffsetMovedEvent 4.9.7).
 *
 * @module
 */
import { CLIENT_ID_LENGTH_MAX, GROUP_LENGTH_MAX, LOCK_QUEUES_MAX } from "../../limits.ts";
import { fastJsonBytes } from "../fastjson.ts";
import { decodeJson, int32, list, maybe, object, type ShapeOf, text, whole } from "./shape.ts";

const messageQueueShape = object({ topic: text(), brokerName: text(), queueId: int32 });

/** One queue of a topic at one broker. */
export type MessageQueue = ShapeOf<typeof messageQueueShape>;

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
