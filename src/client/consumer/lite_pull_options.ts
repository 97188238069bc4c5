/**
 * What can be said to a lite pull consumer.
 *
 * @module
 */
import type { ConsumeHookOptions } from "./consume_hooks.ts";
import type { MemberOptions } from "./group_member.ts";

/**
 * What a pulling consumer needs to know; names are RocketMQ's and defaults those of Java's but where it is said.
 *
 * @example
 * ```ts
 * import { LitePullConsumer, type LitePullConsumerOptions, Producer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * await producer.send({ topic: "orders", body: "one pizza" });
 *
 * const closing = new AbortController();
 * const options: LitePullConsumerOptions = {
 *   nameservers,
 *   group: "kitchen",
 *   subscriptions: { orders: "*" },
 *   from: "first",
 *   autoCommit: false,
 *   signal: closing.signal,
 * };
 * await using consumer = new LitePullConsumer(options);
 * for await (const message of consumer) {
 *   assertEquals(message.text(), "one pizza");
 *   closing.abort(); // ends the iteration
 * }
 * ```
 */
export interface LitePullConsumerOptions extends MemberOptions, ConsumeHookOptions {
  /** Whether offsets are committed every `autoCommitIntervalMs`, when queues go to other members, and on close: yes. */
  readonly autoCommit?: boolean;
  /** 5 s. */
  readonly autoCommitIntervalMs?: number;
  /** Messages that one pull asks for, and that one poll gives at most: 32 (Java: 10). */
  readonly pullBatchSize?: number;
  /** Messages of one queue that are held: 1000. */
  readonly pullThresholdForQueue?: number;
  /** MiB of one queue that are held: 100. */
  readonly pullThresholdSizeForQueue?: number;
  /** Messages of all queues that are held: 10,000. */
  readonly pullThresholdForAll?: number;
  /** Closes the consumer when it is aborted; iterations end then. */
  readonly signal?: AbortSignal;
}
