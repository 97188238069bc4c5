/**
 * Where a group's offsets are kept: the brokers keep those of a group whose members share the queues
 * (`RemoteBrokerOffsetStore` of RocketMQ 4.9.7).
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { QueryConsumerOffset, UpdateConsumerOffset } from "../protocol/requests.ts";
import { succeed } from "../remoting/client.ts";
import { type QueueQuestions, REQUEST_TIMEOUT_MS } from "./queue_questions.ts";
import { type MessageQueue, queueKey } from "./rebalance.ts";

const log = getLogger(["rocketd", "client"]);

/** A queue and the offset that the group has come to. */
export type QueueOffset = readonly [queue: MessageQueue, offset: number];

/** Keeps the offsets of one group. */
export interface OffsetStore {
  /** The offset that is kept; undefined: there is none. */
  read(queue: MessageQueue): Promise<number | undefined>;
  /** Keeps these offsets. Does not reject: what could not be kept is logged, and kept the next time. */
  persist(offsets: readonly QueueOffset[]): Promise<void>;
}

/** The brokers keep them: each those of its own queues. */
export class BrokerOffsets implements OffsetStore {
  readonly #group: string;
  readonly #questions: QueueQuestions;
  /** What was told last, and whom. */
  readonly #told = new Map<string, { offset: number; address: string }>();

  constructor(group: string, questions: QueueQuestions) {
    this.#group = group;
    this.#questions = questions;
  }

  async read(queue: MessageQueue): Promise<number | undefined> {
    const address = await this.#questions.address(queue);
    const header = { consumerGroup: this.#group, topic: queue.topic, queueId: queue.queueId };
    const { client } = this.#questions;
    const answer = await client.invoke(address, QueryConsumerOffset, header, undefined, REQUEST_TIMEOUT_MS);
    if (answer.code === ResponseCode.QUERY_NOT_FOUND) {
      this.#told.delete(queueKey(queue));
      return undefined;
    }
    const offset = succeed(answer, "asking for an offset").header.offset ?? 0;
    this.#told.set(queueKey(queue), { offset, address });
    return offset;
  }

  async persist(offsets: readonly QueueOffset[]): Promise<void> {
    const tables = Map.groupBy(offsets, ([{ topic, brokerName }]) => `${topic}@${brokerName}`);
    await Promise.all([...tables.values()].map((table) => this.#persistAll(table)));
  }

  /** Java's broker loses first offsets that come at the same time: each makes a table of its own, the last one stays. */
  async #persistAll(offsets: QueueOffset[]): Promise<void> {
    const rest = offsets.values();
    for (const offset of rest) if (await this.#tell(offset)) break;
    await Promise.all(rest.map((offset) => this.#tell(offset)));
  }

  /** Whether there was something to tell the broker. */
  async #tell([queue, commitOffset]: QueueOffset): Promise<boolean> {
    const { topic, brokerName, queueId } = queue;
    try {
      const address = await this.#questions.address(queue);
      const told = this.#told.get(queueKey(queue));
      // A master that is back may not know what its slave was told.
      if (told?.offset === commitOffset && told.address === address) return false;
      const header = { consumerGroup: this.#group, topic, queueId, commitOffset };
      const { client } = this.#questions;
      succeed(await client.invoke(address, UpdateConsumerOffset, header, undefined, REQUEST_TIMEOUT_MS));
      this.#told.set(queueKey(queue), { offset: commitOffset, address });
    } catch (error) {
      const reason = messageOf(error);
      log.warn("cannot commit {topic} {brokerName}/{queueId}: {reason}", { topic, brokerName, queueId, reason });
    }
    return true;
  }
}
