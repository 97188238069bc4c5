/**
 * Which queue a message goes to when its sender says so: one that is named, one that a function picks, or the one that
 * belongs to a key. A key has the same queue for Java's producers (`SelectMessageQueueByHash` of RocketMQ 4.9.7).
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { javaHash } from "../../protocol/java_hash.ts";
import type { OutgoingMessage } from "../message.ts";
import type { MessageQueue } from "../consumer/rebalance.ts";

/**
 * Picks one of the queues that a topic can be written to; they stand in Java's order.
 *
 * @example
 * ```ts
 * import { Producer, type QueueSelector, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const byTable: QueueSelector = (queues, { properties }) => queues[Number(properties?.table) % queues.length]!;
 *
 * await using cluster = await startLocalCluster();
 * await using producer = new Producer({ nameservers: cluster.nameservers });
 * const { queue } = await producer.send({ topic: "orders", body: "one pizza", properties: { table: "7" } }, { to: byTable });
 * assertEquals(queue.queueId, 3);
 * ```
 */
export type QueueSelector = (
  queues: readonly MessageQueue[],
  message: OutgoingMessage,
) => Pick<MessageQueue, "brokerName" | "queueId">;

/**
 * How one send differs from others. A message whose queue is given by `by` or `to` goes to no other one, even if that
 * one fails; the same key goes to another queue only when queues or brokers of its topic come or go.
 *
 * @example
 * ```ts
 * import { Producer, type SendOptions, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * await using producer = new Producer({ nameservers: cluster.nameservers });
 * const inOrder: SendOptions = { by: "order-4711", timeoutMs: 10_000 };
 * const ordered = await producer.send({ topic: "orders", body: "ordered" }, inOrder);
 * const paid = await producer.send({ topic: "orders", body: "paid" }, inOrder);
 * assertEquals(paid.queue, ordered.queue);
 * assertEquals(paid.queueOffset, ordered.queueOffset + 1);
 * ```
 */
export interface SendOptions {
  /** A key: messages of one key lie in one queue, in the order in which they are sent one after the other. */
  readonly by?: string | number;
  /** The queue, or a function that picks it. */
  readonly to?: Pick<MessageQueue, "brokerName" | "queueId"> | QueueSelector;
  /** Time for this send with all its attempts, ms; that of the producer by default. */
  readonly timeoutMs?: number;
  /** Gives the send up: it rejects with `aborted`, and the message may be stored all the same. */
  readonly signal?: AbortSignal;
}

/** The queue of a key: Java's hash of the key, modulo the number of queues. `queues` has one at least. */
export function queueOfKey(queues: readonly MessageQueue[], key: string | number): MessageQueue {
  return queues[Math.abs(hashCode(key) % queues.length)]!;
}

/** The queue that a send asks for; undefined when any will do. `queues` has one at least. */
export function selectQueue(
  queues: readonly MessageQueue[],
  { by, to }: SendOptions,
  message: OutgoingMessage,
): MessageQueue | undefined {
  if (by !== undefined && to !== undefined) throw bad("by and to are both given", "by", by, "one of the two");
  if (by !== undefined) return queueOfKey(queues, by);
  if (to === undefined) return undefined;
  const chosen = typeof to === "function" ? to(queues, message) : to;
  // A negative number would let the broker pick any queue.
  if (chosen === undefined || !(Number.isInteger(chosen.queueId) && chosen.queueId >= 0)) {
    throw bad("the selector picked no queue", "to", chosen, "one of the queues");
  }
  const { brokerName, queueId } = chosen;
  return { topic: message.topic, brokerName, queueId };
}

/** `hashCode` of Java's String; of its Integer for a number of 32 bits, of its Long for a greater one. */
function hashCode(key: string | number): number {
  if (typeof key === "string") return javaHash(key);
  if ((key | 0) === key) return key;
  if (!Number.isSafeInteger(key)) throw bad(`by is ${key}`, "by", key, "text or a whole number");
  const long = BigInt(key);
  return Number(BigInt.asIntN(32, long ^ (BigInt.asUintN(64, long) >> 32n)));
}

function bad(reason: string, field: string, value: unknown, allowed: string): RocketdError {
  const text = `Cannot choose a queue: ${reason}, allowed is ${allowed}`;
  return new RocketdError("invalidArgument", text, { field, value, allowed });
}
