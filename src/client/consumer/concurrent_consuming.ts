/**
 * Consumes messages without regard to their order: many calls of the listener at the same time, and what fails is given
 * back to come again later (`ConsumeMessageConcurrentlyService` of RocketMQ 4.9.7).
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../../errors.ts";
import { systemClock, type Timer } from "../../platform/clock.ts";
import type { ConsumeDirectlyResult } from "../../protocol/bodies/mod.ts";
import { type Consuming, type ConsumingContext, InHand, thrown } from "./consuming.ts";
import type { ConcurrentListener, ConsumeConcurrentlyContext, ConsumeConcurrentlyStatus } from "./listeners.ts";
import type { ReceivedMessage } from "../message.ts";
import type { QueueReader } from "./queue_reader.ts";
import type { QueueHooks } from "./reader_table.ts";
import type { MessageQueue } from "./rebalance.ts";

const log = getLogger(["rocketd", "client"]);

/** When messages are consumed again that nobody took back, ms: as Java's. */
const AGAIN_MS = 5_000;
/** Delay level of messages that took too long, and how many of a queue are looked at in one round: as Java's. */
const OVERDUE_LEVEL = 3;
const OVERDUE_PER_ROUND = 16;

interface Batch {
  readonly reader: QueueReader;
  readonly messages: readonly ReceivedMessage[];
}

/** Calls a {@linkcode ConcurrentListener}. */
export class ConcurrentConsuming implements Consuming {
  readonly isOrderly = false;
  readonly hooks: QueueHooks = {};
  readonly #listener: ConcurrentListener;
  readonly #context: ConsumingContext;
  readonly #consumeTimeoutMs: number;
  readonly #inHand = new InHand();
  #overdueTimer: ReturnType<typeof setInterval> | undefined;
  /** What is consumed again, the earliest first. */
  readonly #later: (Batch & { readonly at: number })[] = [];
  #laterTimer: Timer | undefined;
  #suspended = false;
  #stopped = false;

  constructor(listener: ConcurrentListener, context: ConsumingContext, consumeTimeoutMs: number) {
    this.#listener = listener;
    this.#context = context;
    this.#consumeTimeoutMs = consumeTimeoutMs;
  }

  start(): void {
    this.#overdueTimer = setInterval(() => void this.#giveOverdueBack(), this.#consumeTimeoutMs);
  }

  get suspended(): boolean {
    return this.#suspended;
  }

  set suspended(suspended: boolean) {
    this.#suspended = suspended;
    this.arrived();
  }

  arrived(): void {
    const { concurrency, consumeMessageBatchMaxSize, table } = this.#context;
    while (!this.#suspended && !this.#stopped && this.#inHand.count < concurrency) {
      const reader = table().next();
      if (reader === undefined) return;
      this.#begin({ reader, messages: reader.take(consumeMessageBatchMaxSize) });
    }
  }

  async stop(ms: number): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#overdueTimer);
    this.#laterTimer?.cancel();
    await this.#inHand.none(ms);
  }

  async directly(message: ReceivedMessage, queue: MessageQueue): Promise<ConsumeDirectlyResult> {
    const begun = Date.now();
    const { status, error } = await this.#call([message], contextOf(queue, 1));
    return {
      order: false,
      autoCommit: true,
      consumeResult: error !== undefined
        ? "CR_THROW_EXCEPTION"
        : status === "CONSUME_SUCCESS"
        ? "CR_SUCCESS"
        : "CR_LATER",
      remark: error === undefined ? undefined : messageOf(error),
      spentTimeMills: Date.now() - begun,
    };
  }

  #begin(batch: Batch): void {
    this.#inHand.begin();
    void this.#consume(batch).catch((error) => log.error("a batch was not settled: {error}", { error })).finally(() => {
      this.#inHand.end();
      this.arrived();
    });
  }

  async #consume({ reader, messages }: Batch): Promise<void> {
    const context = contextOf(reader.queue, messages.length);
    const { figures, hooks } = this.#context;
    const call = hooks.before(reader.queue, messages);
    const { status, error } = await this.#call(messages, context);
    hooks.after(call, status, error);
    // No number means that none is done.
    const done = status === "CONSUME_SUCCESS" ? Math.trunc(context.ackIndex + 1) || 0 : 0;
    const ok = Math.max(0, Math.min(done, messages.length));
    figures.consumed(reader.queue.topic, Date.now() - call.began, ok, messages.length - ok);
    reader.finish(messages.slice(0, ok));
    // Whoever has the queue now gets them anyway.
    if (ok < messages.length && !reader.stopped) await this.#failed({ reader, messages: messages.slice(ok) }, context);
  }

  async #call(
    messages: readonly ReceivedMessage[],
    context: ConsumeConcurrentlyContext,
  ): Promise<{ status: ConsumeConcurrentlyStatus; error?: unknown }> {
    try {
      return { status: await this.#listener(messages, context) ?? "CONSUME_SUCCESS" };
    } catch (error) {
      const { group } = this.#context;
      log.warn("the listener of group {group} failed: {error}", { group, error });
      return { status: "RECONSUME_LATER", error: thrown(error) };
    }
  }

  async #failed({ reader, messages }: Batch, context: ConsumeConcurrentlyContext): Promise<void> {
    if (!this.#context.isShared) {
      const ids = messages.map((message) => message.offsetMessageId).join(", ");
      log.warn("dropping what a broadcast's listener did not consume: {ids}", { ids });
      return reader.finish(messages);
    }
    const kept: ReceivedMessage[] = [];
    for (const message of messages) {
      if (await this.#context.sendBack.again(message, context.delayLevelWhenNextConsume)) reader.finish([message]);
      else kept.push(message);
    }
    if (kept.length === 0 || this.#stopped) return;
    for (const { record } of kept) record.reconsumeTimes++;
    this.#later.push({ reader, messages: kept, at: Date.now() + AGAIN_MS });
    this.#laterTimer ??= systemClock.after(AGAIN_MS, () => this.#again());
  }

  #again(): void {
    while (this.#later.length > 0 && this.#later[0]!.at <= Date.now()) {
      const batch = this.#later.shift()!;
      if (!batch.reader.stopped) this.#begin(batch);
    }
    const [next] = this.#later;
    this.#laterTimer = next && systemClock.after(Math.max(1, next.at - Date.now()), () => this.#again());
  }

  /** A listener that never ends must not hold up the queue's offset for good. */
  async #giveOverdueBack(): Promise<void> {
    for (const reader of this.#context.table().all()) {
      for (let i = 0; i < OVERDUE_PER_ROUND && !this.#stopped && !reader.stopped; i++) {
        const message = reader.held?.overdue(Date.now() - this.#consumeTimeoutMs);
        if (message === undefined) break;
        if (this.#context.isShared && !await this.#context.sendBack.again(message, OVERDUE_LEVEL)) break;
        reader.finish([message]);
      }
    }
  }
}

function contextOf(queue: MessageQueue, count: number): ConsumeConcurrentlyContext {
  return { queue, delayLevelWhenNextConsume: 0, ackIndex: count - 1 };
}
