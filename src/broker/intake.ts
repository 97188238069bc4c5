/**
 * The one way of messages into the store, whoever makes them: a producer, a retry, a transaction that was committed, a
 * delay that is over. Only batches go past it: they cannot be delayed. A delayed message takes its detour through the
 * schedule topic here, as CommitLog.asyncPutMessage of RocketMQ 4.9.7 sends it.
 *
 * @module
 */
import { SysFlag } from "../protocol/codes.ts";
import type { MessageRecord } from "../protocol/message_record.ts";
import { javaInt } from "../protocol/java_numbers.ts";
import { SystemTopic } from "../protocol/names.ts";
import { PropertyName, propertyOf, withProperty } from "../protocol/properties.ts";
import { refused } from "../store/appender.ts";
import type { MessageStore } from "../store/mod.ts";
import type { Done, NewMessage } from "../store/types.ts";

const { DELAY, REAL_TOPIC, REAL_QID } = PropertyName;

/** A level as Java reads it: an int, with or without a sign. */
const LEVEL = /^[+-]?\d{1,9}$/;

/** What the intake needs of a store. */
interface Takes extends Pick<MessageStore, "options"> {
  put(message: NewMessage, done: Done): void;
}

/** Puts messages into a store. */
export class Intake {
  readonly #store: Takes;

  constructor(store: Takes) {
    this.#store = store;
  }

  /**
   * As {@linkcode MessageStore.put}; a message with a delay level goes to the schedule topic instead, with the highest
   * level there is when it asks for a higher one. A level that is no number is MESSAGE_ILLEGAL (Java: an exception).
   */
  put(message: NewMessage, done: Done): void {
    const level = propertyOf(message.properties, DELAY);
    if (level === undefined || !isWhole(message.sysFlag)) return this.#store.put(message, done);
    const illegal = delayProblem(message);
    if (illegal !== undefined) done(refused("MESSAGE_ILLEGAL", illegal));
    else this.#store.put(delayed(message, Number(level), this.#store.options.delayLevels.length), done);
  }

  /**
   * Puts a message where it says, whatever its delay level: its delay is over, and the level stays, as in RocketMQ; or it
   * begins when its transaction is committed.
   */
  deliver(message: NewMessage, done: Done): void {
    this.#store.put(message, done);
  }
}

/** Why a message cannot be delayed as it says; undefined when it can, or is not delayed. */
export function delayProblem({ properties }: NewMessage): string | undefined {
  const level = propertyOf(properties, DELAY);
  if (level === undefined || LEVEL.test(level)) return undefined;
  return `the property DELAY is ${level}, allowed is a whole number`;
}

/** Whether a message may be consumed as it is: no half of a transaction, and not the end of one that failed. */
function isWhole(sysFlag: number): boolean {
  const transaction = sysFlag & SysFlag.TRANSACTION_MASK;
  return transaction === 0 || transaction === SysFlag.TRANSACTION_COMMIT;
}

/** The message as the schedule topic keeps it: level n in queue n - 1. */
function delayed(message: NewMessage, asked: number, levels: number): NewMessage {
  const level = Math.min(asked, levels);
  if (level <= 0) return message;
  const properties = level === asked ? message.properties : withProperty(message.properties, DELAY, String(level));
  return putAside({ ...message, properties }, SystemTopic.SCHEDULE, level - 1);
}

/** The message as another queue keeps it until its time comes: its properties say where it belongs. */
export function putAside(message: NewMessage, topic: string, queueId: number): NewMessage {
  const properties = withProperty(message.properties, REAL_TOPIC, message.topic);
  return { ...message, topic, queueId, properties: withProperty(properties, REAL_QID, String(message.queueId)) };
}

/** Where a message belongs that was put aside; undefined when it does not say so. */
export function targetOf({ properties }: MessageRecord): { topic: string; queueId: number } | undefined {
  const topic = propertyOf(properties, REAL_TOPIC);
  const queueId = javaInt(propertyOf(properties, REAL_QID) ?? "");
  return topic === undefined || queueId === undefined || queueId < 0 ? undefined : { topic, queueId };
}

/**
 * The message that a record of the schedule topic keeps, or why there is none. Its properties stay as they are, the delay
 * level among them, and nobody waits for its sync, as in ScheduleMessageService of RocketMQ 4.9.7.
 */
export function restored(record: MessageRecord): NewMessage | string {
  const target = targetOf(record);
  // Halves of transactions have no delay of their own.
  if (target === undefined || target.topic === SystemTopic.TRANS_HALF) {
    const [topic, queueId] = [REAL_TOPIC, REAL_QID].map((name) => propertyOf(record.properties, name));
    return `its property REAL_TOPIC is ${topic}, REAL_QID is ${queueId}`;
  }
  return { ...storedAgain(record), ...target, waitForSync: false };
}

/**
 * A stored message as one to be stored anew: the same but for topic, queue and properties, which the caller sets. What
 * it has of the record's bytes are copies: a put may use the memory again that the record was read from.
 */
export function storedAgain(record: MessageRecord): NewMessage {
  const { topic, queueId, flag, sysFlag, bornTimestamp, bornHost, reconsumeTimes, body, properties } = record;
  return {
    topic,
    queueId,
    flag,
    sysFlag,
    bornTimestamp,
    bornHost: bornHost.slice(),
    reconsumeTimes,
    preparedTransactionOffset: 0,
    body: body.slice(),
    properties,
  };
}
