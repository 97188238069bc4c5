/**
 * The one way of messages into the store, whoever makes them: a producer, a retry, a transaction that was committed, a
 * delay that is over. A delayed message takes its detour through the schedule topic here, as CommitLog.asyncPutMessage
 * of RocketMQ 4.9.7 sends it.
 *
 * @module
 */
import { SysFlag } from "../protocol/codes.ts";
import type { MessageRecord } from "../protocol/message_record.ts";
import { SystemTopic } from "../protocol/names.ts";
import { PropertyName, propertyOf, withProperty } from "../protocol/properties.ts";
import type { MessageStore } from "../store/mod.ts";
import type { NewMessage, PutResult } from "../store/types.ts";

/** Puts messages into a store. */
export class Intake {
  readonly #store: MessageStore;

  constructor(store: MessageStore) {
    this.#store = store;
  }

  /** As {@linkcode MessageStore.put}; a message with a delay level goes to the schedule topic instead. */
  put(message: NewMessage, done: (result: PutResult) => void): void {
    this.#store.put(delayed(message, this.#store.options.delayLevels.length), done);
  }
}

/** The message as the schedule topic keeps it, when it has a delay level and is not a half or rolled back message. */
function delayed(message: NewMessage, levels: number): NewMessage {
  const asked = Number(propertyOf(message.properties, PropertyName.DELAY) ?? 0);
  if (!(asked > 0) || levels === 0) return message;
  const transaction = message.sysFlag & SysFlag.TRANSACTION_MASK;
  if (transaction !== 0 && transaction !== SysFlag.TRANSACTION_COMMIT) return message;
  const level = Math.min(Math.trunc(asked), levels);
  let { properties } = message;
  if (level !== asked) properties = withProperty(properties, PropertyName.DELAY, String(level));
  properties = withProperty(properties, PropertyName.REAL_TOPIC, message.topic);
  properties = withProperty(properties, PropertyName.REAL_QID, String(message.queueId));
  return { ...message, topic: SystemTopic.SCHEDULE, queueId: level - 1, properties };
}

/** A stored message as one to be stored anew: the same but for topic, queue and properties, which the caller sets. */
export function storedAgain(record: MessageRecord): NewMessage {
  const { topic, queueId, flag, sysFlag, bornTimestamp, bornHost, reconsumeTimes, body, properties } = record;
  return {
    topic,
    queueId,
    flag,
    sysFlag,
    bornTimestamp,
    bornHost,
    reconsumeTimes,
    preparedTransactionOffset: 0,
    body,
    properties,
  };
}
