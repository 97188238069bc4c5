/**
 * Where a group's offsets are kept: the brokers keep those of a group whose members share the queues
 * (`RemoteBrokerOffsetStore` of RocketMQ 4.9.7).
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../../errors.ts";
import { ResponseCode } from "../../protocol/codes.ts";
import { QueryConsumerOffset, UpdateConsumerOffset } from "../../protocol/requests.ts";
import { succeed } from "../../remoting/client.ts";
import { type QueueQuestions, REQUEST_TIMEOUT_MS } from "../queue_questions.ts";
import { type MessageQueue, queueKey } from "./rebalance.ts";

const log = getLogger(["rocketd", "client"]);

/** A queue and the offset that the group has come to. */
export type QueueOffset = readonly [queue: MessageQueue, offset: number];

/** Keeps the offsets of one group. */
export interface OffsetStore {
  /** Makes ready. Rejects when what is kept cannot be read. */
  load?(): Promise<void>;
  /** Forgets what a broker was told: it may have lost it. */
  forget?(address: string): void;
  /** The offset that is kept; undefined: there is none. */
  read(queue: MessageQueue): Promise<number | undefined>;
  /** Keeps these offsets. Does not reject: what could not be kept is logged, and kept the next time. */
  persist(offsets: readonly QueueOffset[]): Promise<void>;
}

/** What is to be told of one topic's queues at one broker. */
interface Table {
  readonly wanted: Map<string, QueueOffset>;
  running: Promise<void>;
  /** The run that will tell what is wanted by then, as long as it has not begun. */
  next: Promise<void> | undefined;
}

/** The brokers keep them: each those of its own queues. */
export class BrokerOffsets implements OffsetStore {
  readonly #group: string;
  readonly #questions: QueueQuestions;
  /** What was told last, and whom. */
  readonly #told = new Map<string, { offset: number; address: string }>();
  readonly #tables = new Map<string, Table>();

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

  forget(address: string): void {
    for (const [key, told] of this.#told) if (told.address === address) this.#told.delete(key);
  }

  async persist(offsets: readonly QueueOffset[]): Promise<void> {
    const tables = new Set(offsets.map((offset) => {
      const table = this.#tableOf(offset);
      table.wanted.set(queueKey(offset[0]), offset);
      return table;
    }));
    await Promise.all([...tables].map((table) => this.#flush(table)));
  }

  #tableOf([{ topic, brokerName }]: QueueOffset): Table {
    const name = `${topic}@${brokerName}`;
    let table = this.#tables.get(name);
    if (table === undefined) {
      this.#tables.set(name, table = { wanted: new Map(), running: Promise.resolve(), next: undefined });
    }
    return table;
  }

  /** One run after the other, so that what was wanted last counts. */
  #flush(table: Table): Promise<void> {
    return table.next ??= table.running = table.running.then(async () => {
      table.next = undefined;
      const offsets = [...table.wanted.values()];
      table.wanted.clear();
      await this.#persistAll(offsets);
    });
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
