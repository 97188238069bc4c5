/**
 * A consumer that takes messages when it likes: as an async iterator, or with poll(). It shares its topics' queues with
 * the other members of its group, or reads queues that it was given (`DefaultLitePullConsumer` of RocketMQ 4.9.7).
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import {
  HELD_UNIT_BYTES,
  MESSAGES_HELD_MAX,
  QUEUE_MESSAGES_HELD_MAX,
  QUEUE_MIB_HELD_MAX,
  QUEUE_SPAN_HELD_MAX,
} from "../../limits.ts";
import { HandlerTable } from "../../remoting/handlers.ts";
import { AssignedQueues } from "./assigned_queues.ts";
import { ConsumeFigures } from "./consume_figures.ts";
import { ConsumeHooks } from "./consume_hooks.ts";
import { answerQuestions } from "./consumer_answers.ts";
import { GroupMember } from "./group_member.ts";
import { Hands } from "./hands.ts";
import type { LitePullConsumerOptions } from "./lite_pull_options.ts";
import type { ReceivedMessage } from "../message.ts";
import { BrokerOffsets } from "./offset_store.ts";
import { traceDispatcher } from "../producer/producer.ts";
import type { QueueReader, ReadAhead } from "./queue_reader.ts";
import { ReaderTable } from "./reader_table.ts";
import { type MessageQueue, queueKey } from "./rebalance.ts";
import type { Selection } from "./subscription.ts";
import { withConsumeTraces } from "../trace/trace.ts";
import type { TraceDispatcher } from "../trace/trace_dispatcher.ts";

/** Defaults of Java's lite pull consumer. */
const PULL_BATCH_SIZE = 32;
const AUTO_COMMIT_MS = 5_000;
const POLL_MS = 5_000;
/** Whose hand has the messages that poll() gave. */
const POLL = Symbol("poll");

/**
 * Takes messages as an async iterator or with {@linkcode LitePullConsumer.poll}. A message counts as consumed when the
 * next ones are asked for, or with {@linkcode LitePullConsumer.acknowledge}; whatever does not count when the consumer
 * ends comes again, to this or another member of the group. What an iteration had in hand when it was left, by `break`
 * or an error, comes again in the next one. Several iterations at a time have a message in hand each.
 *
 * @example
 * ```ts
 * import { LitePullConsumer, Producer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * for (const body of ["one pizza", "two pizzas"]) await producer.send({ topic: "orders", body }, { by: "table 7" });
 *
 * const subscriptions = { orders: "*" };
 * await using consumer = new LitePullConsumer({ nameservers, group: "kitchen", subscriptions, from: "first" });
 * const orders: string[] = [];
 * for await (const message of consumer) if (orders.push(message.text()) === 2) break;
 * assertEquals(orders, ["one pizza", "two pizzas"]);
 * ```
 */
export class LitePullConsumer implements AsyncIterable<ReceivedMessage>, AsyncDisposable {
  readonly #options: LitePullConsumerOptions;
  readonly #member: GroupMember;
  readonly #offsets: BrokerOffsets;
  readonly #table: ReaderTable;
  readonly #figures = new ConsumeFigures();
  readonly #traces: TraceDispatcher | undefined;
  readonly #hands = new Hands();
  readonly #assigned: AssignedQueues;
  readonly #end = () => void this.close();
  #timer: ReturnType<typeof setInterval> | undefined;
  #started: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Throws `invalidArgument` for options that cannot be, and without a nameserver. */
  constructor(options: LitePullConsumerOptions) {
    this.#options = options;
    const handlers = new HandlerTable();
    this.#member = new GroupMember(options, {
      consumeType: "CONSUME_ACTIVELY",
      messageModel: "CLUSTERING",
      handlers,
      drop: (topic) => this.#table.drop(topic),
      lost: (address) => this.#offsets.forget(address),
      assign: (topic, queues, subscription) => this.#table.assign(topic, queues, subscription),
    });
    this.#assigned = new AssignedQueues(this.#member, () => this.#table);
    this.#offsets = new BrokerOffsets(options.group, this.#member.questions);
    const { read, persist } = bound(this.#offsets);
    this.#traces = traceDispatcher(options, options.group, "CONSUME");
    const hooks = new ConsumeHooks(withConsumeTraces(options.hooks, this.#traces), options.group);
    const context = {
      questions: this.#member.questions,
      group: options.group,
      pullBatchSize: options.pullBatchSize ?? PULL_BATCH_SIZE,
      readAhead: () => this.#readAhead(),
      begin: async (queue: MessageQueue) =>
        await read(queue) ?? await this.#member.questions.firstOffset(queue, this.#member.from),
      arrived: () => this.#hands.wake(),
      pulled: this.#figures.pulled.bind(this.#figures),
      received: (queue: MessageQueue, messages: readonly ReceivedMessage[]) =>
        hooks.after(hooks.before(queue, messages), "CONSUME_SUCCESS"),
    };
    this.#table = new ReaderTable(context, { read, persist: options.autoCommit === false ? noWork : persist });
    answerQuestions(handlers, () => ({
      member: this.#member,
      table: this.#table,
      figures: this.#figures,
      consumeType: "CONSUME_ACTIVELY",
      isOrderly: false,
      settings: { messageModel: "CLUSTERING", pullBatchSize: context.pullBatchSize },
      reset: (offsets) => this.#offsets.persist(this.#table.seek(offsets)),
    }));
    options.signal?.addEventListener("abort", this.#end);
    if (options.signal?.aborted) this.#end();
  }

  /** How the brokers know this member. */
  get clientId(): string {
    return this.#member.clientId;
  }

  /**
   * Joins the group and starts to read; the first iteration or poll does it too. Rejects when a topic is not there, or a
   * broker refuses us; may be called again then.
   */
  start(): Promise<void> {
    return this.#started ??= this.#start().catch((error) => {
      this.#started = undefined;
      throw error;
    });
  }

  async #start(): Promise<void> {
    await this.#member.start();
    await this.#assigned.read();
    if (this.#closing !== undefined || this.#options.autoCommit === false) return;
    this.#timer = setInterval(() => void this.#table.commit(), this.#options.autoCommitIntervalMs ?? AUTO_COMMIT_MS);
  }

  /** Reads a topic from now on, or chooses its messages anew. Rejects after {@linkcode LitePullConsumer.assign}. */
  async subscribe(topic: string, selection?: Selection): Promise<void> {
    if (this.#assigned.areGiven) throw eitherOr("subscribe", "assign");
    await this.#member.subscribe(topic, selection);
  }

  /** Reads a topic no more. */
  async unsubscribe(topic: string): Promise<void> {
    await this.#member.unsubscribe(topic);
  }

  /**
   * Reads these queues, and no others, whoever else reads them. Rejects after a subscription.
   *
   * @example
   * ```ts
   * import { LitePullConsumer, Producer, startLocalCluster } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * const { nameservers } = cluster;
   * await using producer = new Producer({ nameservers });
   * const { queue, queueOffset } = await producer.send({ topic: "orders", body: "one pizza" });
   *
   * await using consumer = new LitePullConsumer({ nameservers, group: "audit" });
   * await consumer.assign([queue]);
   * await consumer.start();
   * await consumer.seek(queue, queueOffset);
   * const [message] = await consumer.poll(30_000);
   * assertEquals(message?.text(), "one pizza");
   * ```
   */
  async assign(queues: readonly MessageQueue[], selection?: Selection): Promise<void> {
    if (this.#member.subscriptions.size > 0) throw eitherOr("assign", "subscribe");
    this.#assigned.give(queues, selection);
    if (this.#started !== undefined) await this.#assigned.read();
  }

  /** The queues that are read now. */
  assignment(): MessageQueue[] {
    return this.#table.all().map(({ queue }) => queue);
  }

  /** All queues of a topic that can be read. Rejects with `notFound`. */
  async fetchMessageQueues(topic: string): Promise<readonly MessageQueue[]> {
    return (await this.#member.routes.find(topic)).readable;
  }

  /** Gives message after message until the consumer is closed; see {@linkcode LitePullConsumer}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedMessage> {
    const hand = Symbol("iteration");
    try {
      while (await this.#ready(hand)) {
        const [message] = this.#take(hand, 1);
        if (message !== undefined) yield message;
        else await this.#hands.arrival();
      }
    } finally {
      this.#hands.leave(hand);
    }
  }

  /**
   * The next messages of one queue, at most `pullBatchSize`; none when none came in time (5 s unless told otherwise) or
   * the consumer was closed. What the last call gave counts as consumed.
   *
   * @example
   * ```ts
   * import { LitePullConsumer, Producer, startLocalCluster } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * const { nameservers } = cluster;
   * await using producer = new Producer({ nameservers });
   * const { queue } = await producer.send({ topic: "orders", body: "one pizza" });
   *
   * const subscriptions = { orders: "*" };
   * await using consumer = new LitePullConsumer({ nameservers, group: "kitchen", subscriptions, from: "first" });
   * for (const message of await consumer.poll(30_000)) assertEquals(message.text(), "one pizza");
   * consumer.acknowledge();
   * await consumer.commit();
   * assertEquals(await consumer.committed(queue), 1);
   * ```
   */
  async poll(timeoutMs = POLL_MS): Promise<ReceivedMessage[]> {
    const deadline = Date.now() + timeoutMs;
    while (await this.#ready(POLL)) {
      const messages = this.#take(POLL, this.#options.pullBatchSize ?? PULL_BATCH_SIZE);
      const left = deadline - Date.now();
      if (messages.length > 0 || left <= 0) return messages;
      await this.#hands.arrival(left);
    }
    return [];
  }

  /** Counts everything that was handed out as consumed, before the next messages are asked for. */
  acknowledge(): void {
    this.#hands.finishAll();
  }

  /** Tells the brokers how far the group has come. */
  async commit(): Promise<void> {
    await this.#offsets.persist(this.#table.offsets());
  }

  /** The offset of the group that the broker keeps; undefined: it keeps none. */
  async committed(queue: MessageQueue): Promise<number | undefined> {
    return await this.#offsets.read(queue);
  }

  /**
   * Goes on at this offset; what was read ahead is dropped. Rejects with `invalidArgument` when the queue is not read
   * by this consumer, or does not reach there.
   */
  async seek(queue: MessageQueue, offset: number): Promise<void> {
    const { questions } = this.#member;
    const [min, max] = await Promise.all([questions.minOffset(queue), questions.maxOffset(queue)]);
    if (!Number.isSafeInteger(offset) || offset < min || offset > max) {
      const allowed = `${min} to ${max}`;
      throw new RocketdError(
        "invalidArgument",
        `Cannot seek to ${offset} in ${queueKey(queue)}: allowed is ${allowed}`,
        {
          field: "offset",
          value: offset,
          allowed,
        },
      );
    }
    this.#reader(queue).seek(offset);
  }

  /** Goes on at the queue's first message. */
  async seekToBegin(queue: MessageQueue): Promise<void> {
    const offset = await this.#member.questions.minOffset(queue);
    this.#reader(queue).seek(offset);
  }

  /** Goes on behind the queue's last message. */
  async seekToEnd(queue: MessageQueue): Promise<void> {
    const offset = await this.#member.questions.maxOffset(queue);
    this.#reader(queue).seek(offset);
  }

  /** Offset of the first message that was stored at `time` (ms) or after. */
  async offsetForTimestamp(queue: MessageQueue, time: number): Promise<number> {
    return await this.#member.questions.offsetForTimestamp(queue, time);
  }

  /** Hands out nothing of these queues, until {@linkcode LitePullConsumer.resume}. */
  pause(queues: readonly MessageQueue[]): void {
    this.#table.pause(queues);
  }

  /** Ends a pause. */
  resume(queues: readonly MessageQueue[]): void {
    this.#table.resume(queues);
  }

  /** Commits (with `autoCommit`), leaves the group, ends the iteration. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.#options.signal?.removeEventListener("abort", this.#end);
    this.#hands.end();
    await this.#member.stop();
    await this.#table.close();
    await this.#member.leave();
    await this.#traces?.close();
  }

  /** As `close`, at the end of an `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Whether to go on; what is in this hand counts as consumed then. */
  async #ready(hand: symbol): Promise<boolean> {
    if (this.#closing !== undefined) return false;
    try {
      await this.start();
    } catch (error) {
      // A start that was overtaken by the end is no failure of the iteration.
      if (this.#closing === undefined) throw error;
    }
    if (this.#closing !== undefined) return false;
    this.#hands.finish(hand);
    this.#hands.putBack();
    return true;
  }

  /** Messages of the next queue in turn. */
  #take(hand: symbol, countMax: number): ReceivedMessage[] {
    const reader = this.#table.next();
    return reader === undefined ? [] : this.#hands.take(hand, reader, countMax);
  }

  #reader(queue: MessageQueue): QueueReader {
    const reader = this.#table.get(queue);
    if (reader !== undefined) return reader;
    const allowed = "a queue of assignment()";
    throw new RocketdError("invalidArgument", `Cannot move in ${queueKey(queue)}: this consumer does not read it`, {
      field: "queue",
      value: queueKey(queue),
      allowed,
    });
  }

  #readAhead(): ReadAhead {
    const {
      pullThresholdForQueue = QUEUE_MESSAGES_HELD_MAX,
      pullThresholdSizeForQueue = QUEUE_MIB_HELD_MAX,
      pullThresholdForAll = MESSAGES_HELD_MAX,
    } = this.#options;
    return {
      messages: Math.max(1, Math.min(pullThresholdForQueue, Math.floor(pullThresholdForAll / this.#table.size))),
      bytes: pullThresholdSizeForQueue * HELD_UNIT_BYTES,
      span: QUEUE_SPAN_HELD_MAX,
    };
  }
}

function bound(store: BrokerOffsets): Pick<BrokerOffsets, "read" | "persist"> {
  return { read: store.read.bind(store), persist: store.persist.bind(store) };
}

async function noWork(): Promise<void> {}

function eitherOr(wanted: string, other: string): RocketdError {
  return new RocketdError("invalidArgument", `Cannot ${wanted}: this consumer has queues by ${other}() already`);
}
