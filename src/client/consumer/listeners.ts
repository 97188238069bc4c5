/**
 * What a program gives a PushConsumer: a function that is called with messages, and what it may say of them
 * (`MessageListenerConcurrently`, `MessageListenerOrderly` of RocketMQ 4.9.7).
 *
 * @module
 */
import type { ReceivedMessage } from "../message.ts";
import type { MessageQueue } from "./rebalance.ts";

/**
 * `RECONSUME_LATER`: the group gets the messages again after a while, in the end its dead letter topic has them.
 *
 * @example
 * ```ts
 * import type { ConsumeConcurrentlyStatus } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const statusOf = (isDone: boolean): ConsumeConcurrentlyStatus => isDone ? "CONSUME_SUCCESS" : "RECONSUME_LATER";
 * assertEquals(statusOf(false), "RECONSUME_LATER");
 * ```
 */
export type ConsumeConcurrentlyStatus = "CONSUME_SUCCESS" | "RECONSUME_LATER";

/**
 * About one call of a {@linkcode ConcurrentListener}; it may change what is not readonly.
 *
 * @example
 * ```ts
 * import type { ConsumeConcurrentlyContext, ConsumeConcurrentlyStatus, ReceivedMessage } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * // What cannot be read now cannot be read later: straight to the dead letter topic.
 * function giveUp(_: readonly ReceivedMessage[], context: ConsumeConcurrentlyContext): ConsumeConcurrentlyStatus {
 *   context.delayLevelWhenNextConsume = -1;
 *   return "RECONSUME_LATER";
 * }
 * const queue = { topic: "orders", brokerName: "broker-a", queueId: 0 };
 * assertEquals(giveUp([], { queue, delayLevelWhenNextConsume: 0, ackIndex: 0 }), "RECONSUME_LATER");
 * ```
 */
export interface ConsumeConcurrentlyContext {
  /** Where the messages come from. */
  readonly queue: MessageQueue;
  /** When messages that failed come again: -1 never (dead letter topic), 0 as the broker likes, else that delay level. */
  delayLevelWhenNextConsume: number;
  /** Index of the last message that was consumed, if only some were; with `CONSUME_SUCCESS`. */
  ackIndex: number;
}

/**
 * Consumes messages of one queue, `consumeMessageBatchMaxSize` at most, while other calls run. Nothing returned means
 * `CONSUME_SUCCESS`; an error means `RECONSUME_LATER`.
 *
 * @example
 * ```ts
 * import { type ConcurrentListener, Producer, PushConsumer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * await producer.send({ topic: "orders", body: "one pizza" });
 *
 * const baked = Promise.withResolvers<string>();
 * const bake: ConcurrentListener = (messages) => {
 *   for (const message of messages) baked.resolve(message.text());
 *   return "CONSUME_SUCCESS";
 * };
 * const subscriptions = { orders: "*" };
 * await using consumer = new PushConsumer({ nameservers, group: "kitchen", subscriptions, from: "first", consumeConcurrently: bake });
 * await consumer.start();
 * assertEquals(await baked.promise, "one pizza");
 * ```
 */
export type ConcurrentListener = (
  messages: readonly ReceivedMessage[],
  context: ConsumeConcurrentlyContext,
) => ConsumeConcurrentlyStatus | void | Promise<ConsumeConcurrentlyStatus | void>;

/**
 * `SUSPEND_CURRENT_QUEUE_A_MOMENT`: the same messages come again before any other of the queue. `COMMIT` and `ROLLBACK`
 * are for listeners that set `autoCommit` to false: everything since the last commit is done, or comes again.
 *
 * @example
 * ```ts
 * import type { ConsumeOrderlyStatus } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const statusOf = (isDone: boolean): ConsumeOrderlyStatus => isDone ? "SUCCESS" : "SUSPEND_CURRENT_QUEUE_A_MOMENT";
 * assertEquals(statusOf(true), "SUCCESS");
 * ```
 */
export type ConsumeOrderlyStatus = "SUCCESS" | "SUSPEND_CURRENT_QUEUE_A_MOMENT" | "COMMIT" | "ROLLBACK";

/**
 * About one call of an {@linkcode OrderlyListener}; it may change what is not readonly.
 *
 * @example
 * ```ts
 * import type { ConsumeOrderlyContext, ConsumeOrderlyStatus, ReceivedMessage } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * // Tries again in ten seconds.
 * function rest(_: readonly ReceivedMessage[], context: ConsumeOrderlyContext): ConsumeOrderlyStatus {
 *   context.suspendCurrentQueueTimeMs = 10_000;
 *   return "SUSPEND_CURRENT_QUEUE_A_MOMENT";
 * }
 * const queue = { topic: "orders", brokerName: "broker-a", queueId: 0 };
 * const context: ConsumeOrderlyContext = { queue, autoCommit: true, suspendCurrentQueueTimeMs: 1_000 };
 * assertEquals([rest([], context), context.suspendCurrentQueueTimeMs], ["SUSPEND_CURRENT_QUEUE_A_MOMENT", 10_000]);
 * ```
 */
export interface ConsumeOrderlyContext {
  /** Where the messages come from. */
  readonly queue: MessageQueue;
  /** False: messages are done only with `COMMIT`. */
  autoCommit: boolean;
  /** How long the queue rests when it is suspended, ms. */
  suspendCurrentQueueTimeMs: number;
}

/**
 * Consumes messages of one queue in their order: nobody else in the group has messages of that queue meanwhile. Nothing
 * returned means `SUCCESS`; an error means `SUSPEND_CURRENT_QUEUE_A_MOMENT`.
 *
 * @example
 * ```ts
 * import { type OrderlyListener, Producer, PushConsumer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * for (const step of ["ordered", "paid", "sent"]) await producer.send({ topic: "orders", body: step }, { by: "4711" });
 *
 * const steps: string[] = [];
 * const sent = Promise.withResolvers<void>();
 * const follow: OrderlyListener = (messages) => {
 *   for (const message of messages) steps.push(message.text());
 *   if (steps.includes("sent")) sent.resolve();
 * };
 * const subscriptions = { orders: "*" };
 * await using consumer = new PushConsumer({ nameservers, group: "desk", subscriptions, from: "first", consumeOrderly: follow });
 * await consumer.start();
 * await sent.promise;
 * assertEquals(steps, ["ordered", "paid", "sent"]);
 * ```
 */
export type OrderlyListener = (
  messages: readonly ReceivedMessage[],
  context: ConsumeOrderlyContext,
) => ConsumeOrderlyStatus | void | Promise<ConsumeOrderlyStatus | void>;
