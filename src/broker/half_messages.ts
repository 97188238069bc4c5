/**
 * The records of a transaction: the half message, which nobody gets to see, the message that its commit makes of it, and
 * the op message that says which half message is done with. Shapes of RocketMQ 4.3–4.9 (TransactionalMessageBridge,
 * EndTransactionProcessor), so that either broker carries on what the other began.
 *
 * @module
 */
import { SysFlag } from "../protocol/codes.ts";
import { encodeRecord, type MessageRecord } from "../protocol/message_record.ts";
import { SystemTopic } from "../protocol/names.ts";
import { dropProperty, formatProperties, PropertyName, propertyOf } from "../protocol/properties.ts";
import type { NewMessage } from "../store/types.ts";
import { putAside, storedAgain } from "./intake.ts";

/** RocketMQ keeps all half messages in one queue, and its op messages in the queue of the same id. */
export const HALF_QUEUE = 0;

const { TRAN_MSG, DELAY, TRAN_PREPARED_QUEUE_OFFSET, TRANSACTION_CHECK_TIMES } = PropertyName;
/** What the broker says of a half message that it stored anew: where it was first, and how often it was asked about. */
const OF_BROKER = [TRAN_PREPARED_QUEUE_OFFSET, TRANSACTION_CHECK_TIMES];
const DONE_TAG = "d";
const encoder = new TextEncoder(), decoder = new TextDecoder();

/**
 * Whether a producer asks for a half message. One that a consumer of before 4.6.1 sends to its retry topic still has the
 * property of the message that failed, and is none.
 */
export function isTransactional({ properties, reconsumeTimes }: NewMessage): boolean {
  if (propertyOf(properties, TRAN_MSG)?.toLowerCase() !== "true") return false;
  return !(reconsumeTimes > 0 && Number(propertyOf(properties, DELAY) ?? 0) > 0);
}

/**
 * The message as the half topic keeps it until its transaction ends. What only the broker says is not taken from the
 * sender (other than in RocketMQ), who could end another's transaction with it, or have none ever end.
 */
export function halfOf(message: NewMessage): NewMessage {
  const sysFlag = message.sysFlag & ~SysFlag.TRANSACTION_MASK;
  const properties = OF_BROKER.reduce(dropProperty, message.properties);
  return putAside({ ...message, sysFlag, properties }, SystemTopic.TRANS_HALF, HALF_QUEUE);
}

/** The message that consumers get once its half is committed. */
export function committed(half: MessageRecord, target: { topic: string; queueId: number }): NewMessage {
  return {
    ...storedAgain(half),
    ...target,
    sysFlag: half.sysFlag & ~SysFlag.TRANSACTION_MASK | SysFlag.TRANSACTION_COMMIT,
    preparedTransactionOffset: half.physicalOffset,
  };
}

/** The half message as the producer gets it to say how its transaction ended: `logOffset` and `queueOffset` are new. */
export function checkBody(
  half: MessageRecord,
  target: { topic: string; queueId: number },
  place: { logOffset: number; queueOffset: number },
): Uint8Array {
  return encodeRecord({ ...half, ...target, queueOffset: place.queueOffset, physicalOffset: place.logOffset });
}

/** Says that the half message at this offset of its queue is done with. */
export function opMessage(halfOffset: number, now: number, storeHost: Uint8Array): NewMessage {
  return {
    topic: SystemTopic.TRANS_OP_HALF,
    queueId: HALF_QUEUE,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: now,
    bornHost: storeHost,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: encoder.encode(String(halfOffset)),
    properties: formatProperties([[PropertyName.WAIT, "true"], [PropertyName.TAGS, DONE_TAG]]),
    waitForSync: false,
  };
}

/** The half message's offset that an op message names; undefined for one that is none. */
export function halfOffsetOf({ body, properties }: MessageRecord): number | undefined {
  if (propertyOf(properties, PropertyName.TAGS) !== DONE_TAG) return undefined;
  const text = decoder.decode(body);
  const offset = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(offset) ? offset : undefined;
}
