/**
 * A consumer that calls a listener with the messages of its topics (`DefaultMQPushConsumer` of RocketMQ 4.9.7).
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { HELD_UNIT_BYTES } from "../../limits.ts";
import { HandlerTable } from "../../remoting/handlers.ts";
import { ConcurrentConsuming } from "./concurrent_consuming.ts";
import { ConsumeFigures } from "./consume_figures.ts";
import { ConsumeHooks } from "./consume_hooks.ts";
import { answerQuestions } from "./consumer_answers.ts";
import { given } from "./consumer_options.ts";
import type { Consuming, ConsumingContext } from "./consuming.ts";
import { GroupMember } from "./group_member.ts";
import { localIp } from "../identity.ts";
import { LocalOffsets, localOffsetStoreDir } from "./local_offsets.ts";
import { OrderlyConsuming } from "./orderly_consuming.ts";
import { traceDispatcher } from "../producer/producer.ts";
import { BrokerOffsets, type OffsetStore } from "./offset_store.ts";
import { PUSH_DEFAULTS, type PushConsumerOptions, type PushSettings } from "./push_options.ts";
import { QueueLocks } from "./queue_locks.ts";
import type { ReadAhead } from "./queue_reader.ts";
import { ReaderTable } from "./reader_table.ts";
import type { MessageQueue } from "./rebalance.ts";
import { SendBack } from "./send_back.ts";
import type { Selection } from "./subscription.ts";
import { withConsumeTraces } from "../trace/trace.ts";
import type { TraceDispatcher } from "../trace/trace_dispatcher.ts";

/** How often messages are tried again unless told otherwise: those consumed concurrently, and those in order. */
const RECONSUME_TIMES = 16;
const INT_MAX = 0x7fff_ffff;
/** When queues whose lock was lost are asked for again, ms. */
const LOST_MS = 1_000;

/**
 * Calls a listener with the messages of its topics, from {@linkcode PushConsumer.start} to
 * {@linkcode PushConsumer.close}. The members of a group share the queues of their topics, and messages that a listener
 * could not consume come again; with `messageModel: "BROADCASTING"` each member gets everything, once, and what it could
 * not consume is dropped. Members that broadcast on one machine need client ids of their own, which stay the same.
 *
 * @example
 * ```ts
 * import { Producer, PushConsumer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * await producer.send({ topic: "orders", body: "one pizza" });
 *
 * const baked = Promise.withResolvers<string>();
 * await using consumer = new PushConsumer({
 *   nameservers, // or "10.0.0.1:9876;10.0.0.2:9876"
 *   group: "kitchen",
 *   subscriptions: { orders: "*" },
 *   from: "first",
 *   consumeConcurrently: (messages) => {
 *     for (const message of messages) baked.resolve(message.text());
 *   },
 * });
 * await consumer.start();
 * assertEquals(await baked.promise, "one pizza");
 * ```
 */
export class PushConsumer implements AsyncDisposable {
  readonly #options: PushSettings;
  readonly #member: GroupMember;
  readonly #offsets: OffsetStore;
  readonly #table: ReaderTable;
  readonly #consuming: Consuming;
  readonly #figures = new ConsumeFigures();
  readonly #traces: TraceDispatcher | undefined;
  readonly #end = () => void this.close();
  #timer: ReturnType<typeof setInterval> | undefined;
  #started: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Throws `invalidArgument` for options that cannot be, without a nameserver, and unless there is one listener. */
  constructor(options: PushConsumerOptions) {
    this.#options = { ...PUSH_DEFAULTS, ...given(options) };
    const { group, messageModel, signal } = this.#options;
    const handlers = new HandlerTable();
    // The file with a member's own offsets is found again by its client id.
    const ownId = messageModel === "BROADCASTING" ? { clientId: `${localIp()}@DEFAULT` } : {};
    this.#member = new GroupMember({ ...ownId, ...given(options) }, {
      consumeType: "CONSUME_PASSIVELY",
      messageModel,
      handlers,
      drop: (topic) => this.#table.drop(topic),
      lost: (address) => this.#offsets.forget?.(address),
      assign: (topic, queues, subscription) => this.#table.assign(topic, queues, subscription),
    });
    this.#offsets = messageModel === "CLUSTERING"
      ? new BrokerOffsets(group, this.#member.questions)
      : new LocalOffsets(options.localOffsetStoreDir ?? localOffsetStoreDir(), this.clientId, group);
    this.#traces = traceDispatcher(options, group, "CONSUME");
    this.#consuming = this.#consumingOf();
    const context = {
      questions: this.#member.questions,
      group,
      pullBatchSize: this.#options.pullBatchSize,
      readAhead: () => this.#readAhead(),
      begin: (queue: MessageQueue) => this.#begin(queue),
      arrived: this.#consuming.arrived.bind(this.#consuming),
      pulled: this.#figures.pulled.bind(this.#figures),
    };
    this.#table = new ReaderTable(context, this.#offsets, this.#consuming.hooks);
    answerQuestions(handlers, () => ({
      member: this.#member,
      table: this.#table,
      figures: this.#figures,
      consumeType: "CONSUME_PASSIVELY",
      isOrderly: this.#consuming.isOrderly,
      locks: this.#consuming.locks,
      settings: this.#settings(),
      reset: (offsets) => this.#offsets.persist(this.#table.seek(offsets)),
      directly: (message, queue) => this.#consuming.directly(message, queue),
    }));
    signal?.addEventListener("abort", this.#end);
    if (signal?.aborted) this.#end();
  }

  /** How the brokers know this member. */
  get clientId(): string {
    return this.#member.clientId;
  }

  /**
   * Joins the group and starts to consume. Rejects when a topic is not there, a filter is not understood, or a broker
   * refuses us; may be called again then. Java's consumers wait for topics instead, without a word.
   */
  start(): Promise<void> {
    return this.#started ??= this.#start().catch((error) => {
      this.#started = undefined;
      throw error;
    });
  }

  async #start(): Promise<void> {
    await this.#offsets.load?.();
    await this.#member.start();
    if (this.#closing !== undefined) return;
    this.#consuming.start();
    this.#timer = setInterval(() => void this.#table.commit(), this.#options.persistConsumerOffsetIntervalMs);
  }

  /**
   * Reads a topic from now on, or chooses its messages anew. All members of the group must do the same.
   *
   * @example
   * ```ts
   * import { Producer, PushConsumer, startLocalCluster } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * const { nameservers } = cluster;
   * await using producer = new Producer({ nameservers });
   * for (const topic of ["orders", "returns"]) await producer.send({ topic, body: "one pizza" });
   *
   * const returned = Promise.withResolvers<string>();
   * await using consumer = new PushConsumer({
   *   nameservers,
   *   group: "desk",
   *   subscriptions: { orders: "*" },
   *   from: "first",
   *   consumeConcurrently: ([message]) => {
   *     if (message!.topic === "returns") returned.resolve(message!.text());
   *   },
   * });
   * await consumer.start();
   * await consumer.subscribe("returns");
   * assertEquals(await returned.promise, "one pizza");
   * ```
   */
  async subscribe(topic: string, selection?: Selection): Promise<void> {
    await this.#member.subscribe(topic, selection);
  }

  /** Reads a topic no more. */
  async unsubscribe(topic: string): Promise<void> {
    await this.#member.unsubscribe(topic);
  }

  /**
   * Calls the listener no more, until {@linkcode PushConsumer.resume}.
   *
   * @example
   * ```ts
   * import { Producer, PushConsumer, startLocalCluster } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * const { nameservers } = cluster;
   * await using producer = new Producer({ nameservers });
   * await producer.send({ topic: "orders", body: "one pizza" });
   *
   * let isOpen = false;
   * const baked = Promise.withResolvers<boolean>();
   * const consumeConcurrently = () => baked.resolve(isOpen);
   * const options = { nameservers, group: "kitchen", subscriptions: { orders: "*" }, from: "first" } as const;
   * await using consumer = new PushConsumer({ ...options, consumeConcurrently });
   * consumer.suspend();
   * await consumer.start();
   * isOpen = true;
   * consumer.resume();
   * assertEquals(await baked.promise, true);
   * ```
   */
  suspend(): void {
    this.#consuming.suspended = true;
  }

  /** Calls the listener again. */
  resume(): void {
    this.#consuming.suspended = false;
  }

  /** The queues that are consumed now. */
  assignment(): MessageQueue[] {
    return this.#table.all().map(({ queue }) => queue);
  }

  /** Has kept how far the consumer has come; also done every 5 s, and on close. */
  async commit(): Promise<void> {
    await this.#table.commit();
  }

  /**
   * Calls the listener no more, waits for calls that run (`awaitTerminationMs` at most, 10 s unless told otherwise; Java
   * does not wait), commits, and leaves the group.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.#options.signal?.removeEventListener("abort", this.#end);
    await this.#consuming.stop(this.#options.awaitTerminationMs);
    await this.#member.stop();
    await this.#table.close();
    await this.#member.leave();
    await this.#traces?.close();
  }

  /** As `close`, at the end of an `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #consumingOf(): Consuming {
    const { group, messageModel, consumeConcurrently, consumeOrderly, maxReconsumeTimes, hooks } = this.#options;
    if ((consumeConcurrently === undefined) === (consumeOrderly === undefined)) {
      const allowed = "consumeConcurrently or consumeOrderly";
      throw new RocketdError("invalidArgument", `Cannot consume: one listener is needed, ${allowed}`, { allowed });
    }
    const isShared = messageModel === "CLUSTERING";
    const isOrderly = consumeOrderly !== undefined;
    const reconsumeTimes = maxReconsumeTimes >= 0 ? maxReconsumeTimes : isOrderly ? INT_MAX : RECONSUME_TIMES;
    const context: ConsumingContext = {
      group,
      isShared,
      table: () => this.#table,
      sendBack: new SendBack(this.#member, reconsumeTimes),
      figures: this.#figures,
      hooks: new ConsumeHooks(
        withConsumeTraces(hooks, this.#traces),
        group,
        this.#options.consumeTimeoutMs,
      ),
      concurrency: this.#options.concurrency,
      consumeMessageBatchMaxSize: this.#options.consumeMessageBatchMaxSize,
    };
    if (!isOrderly) return new ConcurrentConsuming(consumeConcurrently!, context, this.#options.consumeTimeoutMs);
    return new OrderlyConsuming(consumeOrderly, {
      ...context,
      locks: isShared ? new QueueLocks(this.#member) : undefined,
      lockIntervalMs: this.#options.lockIntervalMs,
      suspendCurrentQueueTimeMs: this.#options.suspendCurrentQueueTimeMs,
      maxReconsumeTimes: reconsumeTimes,
      lost: (readers) => {
        void this.#table.lose(readers);
        this.#member.rebalanceSoon(LOST_MS);
      },
    });
  }

  async #begin(queue: MessageQueue): Promise<number> {
    return await this.#offsets.read(queue) ?? await this.#member.questions.firstOffset(queue, this.#member.from);
  }

  #readAhead(): ReadAhead {
    const { size } = this.#table;
    const share = (forTopic: number, forQueue: number) =>
      forTopic < 0 ? forQueue : Math.max(1, Math.floor(forTopic / size));
    const options = this.#options;
    return {
      messages: share(options.pullThresholdForTopic, options.pullThresholdForQueue),
      bytes: share(options.pullThresholdSizeForTopic, options.pullThresholdSizeForQueue) * HELD_UNIT_BYTES,
      span: this.#consuming.isOrderly ? Infinity : options.consumeConcurrentlyMaxSpan,
    };
  }

  #settings(): Record<string, string | number | boolean> {
    const named = Object.entries(PUSH_DEFAULTS).map(([name]) =>
      [name, this.#options[name as keyof typeof PUSH_DEFAULTS]] as const
    );
    return { ...Object.fromEntries(named), PROP_THREADPOOL_CORE_SIZE: this.#options.concurrency };
  }
}
