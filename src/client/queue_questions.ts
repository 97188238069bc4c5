/**
 * What consumers ask the brokers about one queue: its ends, where a time lies, and where a group begins to read.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import type { ConsumeFromWhere } from "../protocol/bodies/mod.ts";
import { isRetryTopic } from "../protocol/names.ts";
import { GetMaxOffset, GetMinOffset, SearchOffsetByTimestamp } from "../protocol/requests.ts";
import { type RemotingClient, succeed } from "../remoting/client.ts";
import type { MessageQueue } from "./consumer/rebalance.ts";
import type { RouteBook } from "./routes.ts";

/** Time for an answer to a short question, ms. */
export const REQUEST_TIMEOUT_MS = 3_000;

/**
 * Where a group without offsets begins: at the first message, after the last one, or at the first stored since a time.
 *
 * @example
 * ```ts
 * import { type ConsumeFrom, LitePullConsumer, Producer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * await producer.send({ topic: "orders", body: "one pizza" });
 *
 * const from: ConsumeFrom = new Date(Date.now() - 60 * 60 * 1000);
 * await using consumer = new LitePullConsumer({ nameservers, group: "audit", subscriptions: { orders: "*" }, from });
 * for await (const message of consumer) {
 *   assertEquals(message.text(), "one pizza");
 *   break;
 * }
 * ```
 */
export type ConsumeFrom = "first" | "last" | Date;

/** RocketMQ's word for it, as heartbeats carry it. */
export function consumeFromWhere(from: ConsumeFrom): ConsumeFromWhere {
  if (from instanceof Date) return "CONSUME_FROM_TIMESTAMP";
  return from === "first" ? "CONSUME_FROM_FIRST_OFFSET" : "CONSUME_FROM_LAST_OFFSET";
}

/** Asks the queue's master, or while that is gone a slave. */
export class QueueQuestions {
  constructor(readonly client: RemotingClient, readonly routes: RouteBook) {}

  /** The address of a broker: the one with this id, else its master, else any slave. Rejects with `unavailable`. */
  async address({ topic, brokerName }: MessageQueue, brokerId?: number): Promise<string> {
    const address = (await this.routes.find(topic)).reader(brokerName, brokerId);
    if (address !== undefined) return address;
    throw new RocketdError("unavailable", `Cannot reach ${brokerName}: no nameserver knows its address`);
  }

  /** Offset of the queue's first message. */
  async minOffset(queue: MessageQueue): Promise<number> {
    const { topic, queueId } = queue;
    const address = await this.address(queue);
    const answer = await this.client.invoke(address, GetMinOffset, { topic, queueId }, undefined, REQUEST_TIMEOUT_MS);
    return succeed(answer, "asking for the first offset").header.offset ?? 0;
  }

  /** Offset that the queue's next message will get. */
  async maxOffset(queue: MessageQueue): Promise<number> {
    const { topic, queueId } = queue;
    const address = await this.address(queue);
    const answer = await this.client.invoke(address, GetMaxOffset, { topic, queueId }, undefined, REQUEST_TIMEOUT_MS);
    return succeed(answer, "asking for the last offset").header.offset ?? 0;
  }

  /** Offset of the first message that was stored at `time` (ms) or after. */
  async offsetForTimestamp(queue: MessageQueue, time: number): Promise<number> {
    const { topic, queueId } = queue;
    const header = { topic, queueId, timestamp: time };
    const address = await this.address(queue);
    const answer = await this.client.invoke(
      address,
      SearchOffsetByTimestamp,
      header,
      undefined,
      REQUEST_TIMEOUT_MS,
    );
    return succeed(answer, "asking for the offset of a time").header.offset ?? 0;
  }

  /** Where a group begins that has no offset. */
  async firstOffset(queue: MessageQueue, from: ConsumeFrom): Promise<number> {
    // A retry topic is always read from its first message: what lies there was asked for again by this group.
    if (from === "first" || isRetryTopic(queue.topic)) return 0;
    return await (from === "last" ? this.maxOffset(queue) : this.offsetForTimestamp(queue, from.getTime()));
  }
}
