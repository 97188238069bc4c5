/**
 * Consumes the messages of each queue in their order: one call of the listener for a queue at a time, under a lock that
 * keeps the other members of the group away, and a message that fails comes again before any other of its queue
 * (`ConsumeMessageOrderlyService` of RocketMQ 4.9.7).
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../../errors.ts";
import { systemClock, type Timer } from "../../platform/clock.ts";
import type { ConsumeDirectlyResult } from "../../protocol/bodies/mod.ts";
import { type Consuming, type ConsumingContext, thrown } from "./consuming.ts";
import type { ConsumeOrderlyContext, ConsumeOrderlyStatus, OrderlyListener } from "./listeners.ts";
import type { ReceivedMessage } from "../message.ts";
import type { QueueLocks } from "./queue_locks.ts";
import type { QueueReader } from "./queue_reader.ts";
import type { QueueHooks } from "./reader_table.ts";
import type { MessageQueue } from "./rebalance.ts";

const log = getLogger(["rocketd", "client"]);

/** How long a suspended queue may rest, ms: as in Java. */
const REST_MS_MIN = 10;
const REST_MS_MAX = 30_000;

const DIRECT_RESULTS = {
  SUCCESS: "CR_SUCCESS",
  COMMIT: "CR_COMMIT",
  ROLLBACK: "CR_ROLLBACK",
  SUSPEND_CURRENT_QUEUE_A_MOMENT: "CR_LATER",
} as const;

/** What consuming in order needs beside. */
export interface OrderlyContext extends ConsumingContext {
  /** Undefined: the queues are not shared, and every member has all of them. */
  readonly locks: QueueLocks | undefined;
  readonly lockIntervalMs: number;
  readonly suspendCurrentQueueTimeMs: number;
  /** How often a message is tried again before it is given back. */
  readonly maxReconsumeTimes: number;
  /** Called when queues may be another member's now. */
  readonly lost: (readers: readonly QueueReader[]) => void;
}

/** Calls an {@linkcode OrderlyListener}. */
export class OrderlyConsuming implements Consuming {
  readonly isOrderly = true;
  readonly hooks: QueueHooks;
  readonly locks: QueueLocks | undefined;
  readonly #listener: OrderlyListener;
  readonly #context: OrderlyContext;
  /** Queues with messages, the next one first; those with a call of the listener; those that rest. */
  readonly #ready = new Set<QueueReader>();
  readonly #busy = new Map<QueueReader, Promise<void>>();
  readonly #resting = new Map<QueueReader, Timer>();
  /** Queues that go to another member once a call of the listener has ended: until then they stay locked. */
  readonly #leaving = new Set<MessageQueue>();
  #abandon = () => {};
  readonly #abandoned = new Promise<void>((resolve) => this.#abandon = resolve);
  #timer: ReturnType<typeof setInterval> | undefined;
  #suspended = false;
  #stopped = false;

  constructor(listener: OrderlyListener, context: OrderlyContext) {
    this.#listener = listener;
    this.#context = context;
    const { locks } = context;
    this.locks = locks;
    this.hooks = locks === undefined ? {} : {
      admit: (queues) => locks.lock(queues),
      release: (reader, keep) => this.#release(reader, locks, keep),
    };
  }

  start(): void {
    if (this.#context.locks === undefined) return;
    this.#timer = setInterval(() => void this.#renew(this.#context.locks!), this.#context.lockIntervalMs);
  }

  get suspended(): boolean {
    return this.#suspended;
  }

  set suspended(suspended: boolean) {
    this.#suspended = suspended;
    this.#go();
  }

  arrived(reader: QueueReader): void {
    if (!this.#busy.has(reader) && !this.#resting.has(reader)) this.#ready.add(reader);
    this.#go();
  }

  async stop(ms: number): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    for (const rest of this.#resting.values()) rest.cancel();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
    await Promise.race([Promise.all(this.#busy.values()), patience]);
    clearTimeout(timer);
    this.#abandon();
  }

  async directly(message: ReceivedMessage, queue: MessageQueue): Promise<ConsumeDirectlyResult> {
    const begun = Date.now();
    const context = this.#contextOf(queue);
    const { status, error } = await this.#call([message], context);
    return {
      order: true,
      autoCommit: context.autoCommit,
      consumeResult: error === undefined ? DIRECT_RESULTS[status] : "CR_THROW_EXCEPTION",
      remark: error === undefined ? undefined : messageOf(error),
      spentTimeMills: Date.now() - begun,
    };
  }

  #go(): void {
    for (const reader of this.#ready) {
      if (this.#suspended || this.#stopped || this.#busy.size >= this.#context.concurrency) return;
      this.#ready.delete(reader);
      if (!reader.hasMore) continue;
      if (this.#context.locks?.holds(reader.queue) === false) {
        this.#context.lost([reader]);
        continue;
      }
      const call = this.#consume(reader).catch((error) => log.error("a batch was not settled: {error}", { error }));
      this.#busy.set(reader, call.finally(() => this.#called(reader)));
    }
  }

  #called(reader: QueueReader): void {
    this.#busy.delete(reader);
    if (reader.hasMore && !this.#resting.has(reader)) this.#ready.add(reader);
    this.#go();
  }

  async #consume(reader: QueueReader): Promise<void> {
    const messages = reader.take(this.#context.consumeMessageBatchMaxSize);
    const context = this.#contextOf(reader.queue);
    const { figures, hooks } = this.#context;
    const call = hooks.before(reader.queue, messages);
    const { status, error } = await this.#call(messages, context);
    hooks.after(call, status, error);
    const failed = status === "SUSPEND_CURRENT_QUEUE_A_MOMENT" || status === "ROLLBACK" ? messages.length : 0;
    figures.consumed(reader.queue.topic, Date.now() - call.began, messages.length - failed, failed);
    if (status === "SUSPEND_CURRENT_QUEUE_A_MOMENT") return await this.#suspend(reader, messages, context);
    if (context.autoCommit) return reader.finishTaken();
    if (status === "COMMIT") return reader.finishTaken();
    if (status === "ROLLBACK") this.#rest(reader, undefined, context);
  }

  async #call(
    messages: readonly ReceivedMessage[],
    context: ConsumeOrderlyContext,
  ): Promise<{ status: ConsumeOrderlyStatus; error?: unknown }> {
    const { group } = this.#context;
    try {
      const status = await this.#listener(messages, context) ?? "SUCCESS";
      if (Object.hasOwn(DIRECT_RESULTS, status)) return { status };
      // A program without types may say anything: nothing of that means that the messages are done.
      log.warn("the listener of group {group} gave {status}, which means nothing", { group, status });
      return { status: "SUSPEND_CURRENT_QUEUE_A_MOMENT" };
    } catch (error) {
      log.warn("the listener of group {group} failed: {error}", { group, error });
      return { status: "SUSPEND_CURRENT_QUEUE_A_MOMENT", error: thrown(error) };
    }
  }

  /** Messages that were tried often enough are given back; as long as others are left, all of those come again. */
  async #suspend(
    reader: QueueReader,
    messages: readonly ReceivedMessage[],
    context: ConsumeOrderlyContext,
  ): Promise<void> {
    const { isShared, sendBack, maxReconsumeTimes } = this.#context;
    const left: ReceivedMessage[] = [];
    for (const message of messages) {
      const enough = message.reconsumeTimes >= maxReconsumeTimes;
      if (enough && (!isShared || await sendBack.resend(message, message.reconsumeTimes))) {
        reader.finish([message]);
        continue;
      }
      message.record.reconsumeTimes++;
      left.push(message);
    }
    if (left.length > 0) this.#rest(reader, left, context);
  }

  /** Hands these messages (or all that are not done) out again, after a while. */
  #rest(
    reader: QueueReader,
    messages: readonly ReceivedMessage[] | undefined,
    context: ConsumeOrderlyContext,
  ): void {
    reader.putBack(messages);
    if (this.#stopped) return;
    const ms = Math.min(Math.max(context.suspendCurrentQueueTimeMs, REST_MS_MIN), REST_MS_MAX);
    const timer = systemClock.after(ms, () => {
      this.#resting.delete(reader);
      this.arrived(reader);
    });
    this.#resting.set(reader, timer);
  }

  #contextOf(queue: MessageQueue): ConsumeOrderlyContext {
    return { queue, autoCommit: true, suspendCurrentQueueTimeMs: this.#context.suspendCurrentQueueTimeMs };
  }

  async #renew(locks: QueueLocks): Promise<void> {
    const readers = () => this.#context.table().all();
    const before = new Set(readers());
    await locks.renew(() => [...readers().map(({ queue }) => queue), ...this.#leaving]);
    const lost = readers().filter((reader) => before.has(reader) && !locks.holds(reader.queue));
    if (lost.length > 0) this.#context.lost(lost);
  }

  /** A queue goes to another member: not before our call of the listener has ended and its offset is kept. */
  async #release(reader: QueueReader, locks: QueueLocks, keep: () => Promise<void>): Promise<void> {
    this.#resting.get(reader)?.cancel();
    this.#resting.delete(reader);
    this.#ready.delete(reader);
    if (locks.holds(reader.queue)) this.#leaving.add(reader.queue);
    await Promise.race([this.#busy.get(reader), this.#abandoned]);
    this.#leaving.delete(reader.queue);
    // Who has the lock now keeps the offset.
    if (!locks.holds(reader.queue)) return;
    await keep();
    if (!this.#busy.has(reader)) await locks.unlock(reader.queue);
  }
}
