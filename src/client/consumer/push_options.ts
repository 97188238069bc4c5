/**
 * What can be said to a push consumer.
 *
 * @module
 */
import { QUEUE_MESSAGES_HELD_MAX, QUEUE_MIB_HELD_MAX, QUEUE_SPAN_HELD_MAX } from "../../limits.ts";
import type { ConsumeHookOptions } from "./consume_hooks.ts";
import type { MemberOptions } from "./group_member.ts";
import type { ConcurrentListener, OrderlyListener } from "./listeners.ts";
import type { Selection } from "./subscription.ts";

/**
 * What a push consumer needs to know; names are RocketMQ's and defaults those of Java's but where it is said.
 *
 * @example
 * ```ts
 * import { Producer, PushConsumer, type PushConsumerOptions, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * await producer.send({ topic: "orders", tag: "paid", body: "one pizza" });
 *
 * const baked = Promise.withResolvers<string[]>();
 * const options: PushConsumerOptions = {
 *   nameservers,
 *   group: "kitchen",
 *   subscriptions: { orders: "new || paid" },
 *   from: "first",
 *   concurrency: 4,
 *   consumeMessageBatchMaxSize: 10,
 *   maxReconsumeTimes: 3,
 *   consumeConcurrently: (messages) => baked.resolve(messages.map((message) => message.text())),
 * };
 * await using consumer = new PushConsumer(options);
 * await consumer.start();
 * assertEquals(await baked.promise, ["one pizza"]);
 * ```
 */
export interface PushConsumerOptions extends MemberOptions, ConsumeHookOptions {
  /** What to read, by topic. All members of a group must have the same. */
  readonly subscriptions: Readonly<Record<string, Selection>>;
  /** Called with messages in whatever order, many calls at a time. This, or `consumeOrderly`. */
  readonly consumeConcurrently?: ConcurrentListener;
  /** Called with the messages of each queue in their order. */
  readonly consumeOrderly?: OrderlyListener;
  /** Whether the members of a group share the queues (`CLUSTERING`), or each of them gets everything. */
  readonly messageModel?: "CLUSTERING" | "BROADCASTING";
  /** Where a member that gets everything (`BROADCASTING`) keeps its offsets: `.rocketmq_offsets` in the user's folder. */
  readonly localOffsetStoreDir?: string;
  /** Calls of the listener at the same time (Java's `consumeThreadMax`): 20. */
  readonly concurrency?: number;
  /** Messages of one call of the listener at most: 1. */
  readonly consumeMessageBatchMaxSize?: number;
  /** Messages that one pull asks for: 32. */
  readonly pullBatchSize?: number;
  /** Messages of one queue that are held before no more are read: 1000. */
  readonly pullThresholdForQueue?: number;
  /** MiB of one queue that are held before no more are read: 100. */
  readonly pullThresholdSizeForQueue?: number;
  /** Messages of all queues that are held; -1, the default: what their queues may hold. */
  readonly pullThresholdForTopic?: number;
  /** MiB of all queues that are held; -1, the default: what their queues may hold. */
  readonly pullThresholdSizeForTopic?: number;
  /** From the first message of a queue that is not consumed to the last one that is held, offsets: 2000. */
  readonly consumeConcurrentlyMaxSpan?: number;
  /** How often a message comes again before its dead letter topic has it; -1, the default: 16 times, in order for ever. */
  readonly maxReconsumeTimes?: number;
  /** How long a queue that is consumed in order rests when its listener wants it to, ms: 1 s. */
  readonly suspendCurrentQueueTimeMs?: number;
  /** How often the locks of queues that are consumed in order are renewed, ms: 20 s. */
  readonly lockIntervalMs?: number;
  /** After how long a message that is still being consumed comes again, ms: 15 minutes. */
  readonly consumeTimeoutMs?: number;
  /** How often offsets are committed, ms: 5 s. */
  readonly persistConsumerOffsetIntervalMs?: number;
  /** How long `close` waits for calls of the listener that run, ms: 10 s (Java: not at all). */
  readonly awaitTerminationMs?: number;
  /** Closes the consumer when it is aborted. */
  readonly signal?: AbortSignal;
}

/** What is so unless it is told otherwise. */
export const PUSH_DEFAULTS = {
  messageModel: "CLUSTERING",
  concurrency: 20,
  consumeMessageBatchMaxSize: 1,
  pullBatchSize: 32,
  pullThresholdForQueue: QUEUE_MESSAGES_HELD_MAX,
  pullThresholdSizeForQueue: QUEUE_MIB_HELD_MAX,
  pullThresholdForTopic: -1,
  pullThresholdSizeForTopic: -1,
  consumeConcurrentlyMaxSpan: QUEUE_SPAN_HELD_MAX,
  maxReconsumeTimes: -1,
  suspendCurrentQueueTimeMs: 1_000,
  lockIntervalMs: 20_000,
  consumeTimeoutMs: 15 * 60_000,
  persistConsumerOffsetIntervalMs: 5_000,
  awaitTerminationMs: 10_000,
} satisfies Partial<PushConsumerOptions>;

/** Options with what was not given. */
export type PushSettings = PushConsumerOptions & Required<Pick<PushConsumerOptions, keyof typeof PUSH_DEFAULTS>>;
