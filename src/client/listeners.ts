/**
 * What a program gives a PushConsumer: a function that is called with messages, and what it may say of them
 * (`MessageListenerConcurrently`, `MessageListenerOrderly` of RocketMQ 4.9.7).
 *
 * @module
 */
import type { ReceivedMessage } from "./message.ts";
import type { MessageQueue } from "./rebalance.ts";

/** `RECONSUME_LATER`: the group gets the messages again after a while, in the end its dead letter topic has them. */
export type ConsumeConcurrentlyStatus = "CONSUME_SUCCESS" | "RECONSUME_LATER";

/** About one call of a {@linkcode ConcurrentListener}; it may change what is not readonly. */
export interface ConsumeConcurrentlyContext {
  readonly queue: MessageQueue;
  /** When messages that failed come again: -1 never (dead letter topic), 0 as the broker likes, else that delay level. */
  delayLevelWhenNextConsume: number;
  /** Index of the last message that was consumed, if only some were; with `CONSUME_SUCCESS`. */
  ackIndex: number;
}

/**
 * Consumes messages of one queue, `consumeMessageBatchMaxSize` at most, while other calls run. Nothing returned means
 * `CONSUME_SUCCESS`; an error means `RECONSUME_LATER`.
 */
export type ConcurrentListener = (
  messages: readonly ReceivedMessage[],
  context: ConsumeConcurrentlyContext,
) => Awaitable<ConsumeConcurrentlyStatus | void>;

/**
 * `SUSPEND_CURRENT_QUEUE_A_MOMENT`: the same messages come again before any other of the queue. `COMMIT` and `ROLLBACK`
 * are for listeners that set `autoCommit` to false: everything since the last commit is done, or comes again.
 */
export type ConsumeOrderlyStatus = "SUCCESS" | "SUSPEND_CURRENT_QUEUE_A_MOMENT" | "COMMIT" | "ROLLBACK";

/** About one call of an {@linkcode OrderlyListener}; it may change what is not readonly. */
export interface ConsumeOrderlyContext {
  readonly queue: MessageQueue;
  /** False: messages are done only with `COMMIT`. */
  autoCommit: boolean;
  /** How long the queue rests when it is suspended, ms. */
  suspendCurrentQueueTimeMs: number;
}

/**
 * Consumes messages of one queue in their order: nobody else in the group has messages of that queue meanwhile. Nothing
 * returned means `SUCCESS`; an error means `SUSPEND_CURRENT_QUEUE_A_MOMENT`.
 */
export type OrderlyListener = (
  messages: readonly ReceivedMessage[],
  context: ConsumeOrderlyContext,
) => Awaitable<ConsumeOrderlyStatus | void>;

type Awaitable<T> = T | Promise<T>;
