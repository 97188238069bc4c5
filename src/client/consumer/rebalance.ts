/**
 * Which queues a member of a group reads. Every member computes this for itself, so all of them, Java's too, must come
 * to the same result: `AllocateMessageQueueAveragely` of RocketMQ 4.9.7, the default of its consumers.
 *
 * @module
 */

/**
 * One queue of a topic on one broker.
 *
 * @example
 * ```ts
 * import { type MessageQueue, Producer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * await using producer = new Producer({ nameservers: cluster.nameservers });
 * const { queue } = await producer.send({ topic: "orders", body: "one pizza" }, { by: "4711" });
 * const expected: MessageQueue = { topic: "orders", brokerName: "broker-a", queueId: queue.queueId };
 * assertEquals(queue, expected);
 * ```
 */
export interface MessageQueue {
  /** The topic's name. */
  readonly topic: string;
  /** The name that a master and its slaves share. */
  readonly brokerName: string;
  /** From 0, on each broker. */
  readonly queueId: number;
}

/** Java's order of queues: topic, broker name, queue id; texts by their UTF-16 units. */
export function compareQueues(a: MessageQueue, b: MessageQueue): number {
  return compareTexts(a.topic, b.topic) || compareTexts(a.brokerName, b.brokerName) || a.queueId - b.queueId;
}

/** A text for a queue, to find it in maps. */
export function queueKey({ topic, brokerName, queueId }: MessageQueue): string {
  return `${topic}@${brokerName}@${queueId}`;
}

/**
 * The queues of the member `clientId`: neighbouring ones, as many for each member as for the others, the first members
 * one more where it does not divide. None for a client that is not among the members.
 */
export function allocateAveragely(
  clientId: string,
  queues: readonly MessageQueue[],
  clientIds: readonly string[],
): MessageQueue[] {
  const members = [...clientIds].sort(compareTexts);
  const index = members.indexOf(clientId);
  if (index < 0) return [];
  const share = Math.floor(queues.length / members.length);
  const withOneMore = queues.length % members.length;
  const start = index * share + Math.min(index, withOneMore);
  return [...queues].sort(compareQueues).slice(start, start + share + (index < withOneMore ? 1 : 0));
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
