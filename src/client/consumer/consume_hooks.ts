/**
 * Places where a program looks on while messages are consumed: for traces, figures, logs.
 *
 * @module
 */
import { callEach } from "../hooks.ts";
import type { ConsumeConcurrentlyStatus, ConsumeOrderlyStatus } from "./listeners.ts";
import type { ReceivedMessage } from "../message.ts";
import type { MessageQueue } from "./rebalance.ts";

/**
 * Messages that are handed to a consumer's program together (`ConsumeMessageContext`). Before and after, a hook is called
 * with the same object.
 *
 * @example
 * ```ts
 * import { type ConsumeCall, Producer, PushConsumer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const began = Promise.withResolvers<string>();
 * const beforeConsume = ({ group, queue, messages }: ConsumeCall) =>
 *   began.resolve(`${messages.length} of ${queue.topic} for ${group}`);
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * await producer.send({ topic: "orders", body: "one pizza" });
 * await using consumer = new PushConsumer({
 *   nameservers,
 *   group: "kitchen",
 *   subscriptions: { orders: "*" },
 *   from: "first",
 *   hooks: [{ beforeConsume }],
 *   consumeConcurrently: () => "CONSUME_SUCCESS",
 * });
 * await consumer.start();
 * assertEquals(await began.promise, "1 of orders for kitchen");
 * ```
 */
export interface ConsumeCall {
  /** The consumer's group. */
  readonly group: string;
  /** Where the messages come from. */
  readonly queue: MessageQueue;
  /** All of them. */
  readonly messages: readonly ReceivedMessage[];
  /** When it began, ms. */
  readonly began: number;
}

/**
 * How messages fared, in RocketMQ's words: TIME_OUT also of success, if it took longer than `consumeTimeoutMs`.
 *
 * @example
 * ```ts
 * import type { ConsumeReturnType } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const isWorthALook = (type: ConsumeReturnType) => type === "TIME_OUT" || type === "EXCEPTION";
 * assertEquals(isWorthALook("SUCCESS"), false);
 * ```
 */
export type ConsumeReturnType = "SUCCESS" | "TIME_OUT" | "EXCEPTION" | "FAILED";

/**
 * How a call of a listener ended.
 *
 * @example
 * ```ts
 * import { type ConsumeCall, type ConsumeOutcome, Producer, PushConsumer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const ended = Promise.withResolvers<ConsumeOutcome>();
 * const afterConsume = (_: ConsumeCall, outcome: ConsumeOutcome) => ended.resolve(outcome);
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * await producer.send({ topic: "orders", body: "one pizza" });
 * await using consumer = new PushConsumer({
 *   nameservers,
 *   group: "kitchen",
 *   subscriptions: { orders: "*" },
 *   from: "first",
 *   hooks: [{ afterConsume }],
 *   consumeConcurrently: () => "CONSUME_SUCCESS",
 * });
 * await consumer.start();
 * const { status, isSuccess } = await ended.promise;
 * assertEquals([status, isSuccess], ["CONSUME_SUCCESS", true]);
 * ```
 */
export interface ConsumeOutcome {
  /** What the listener said; if it threw, what that stands for. */
  readonly status: ConsumeConcurrentlyStatus | ConsumeOrderlyStatus;
  /** Whether the messages are done. */
  readonly isSuccess: boolean;
  /** The same in the words of traces. */
  readonly returnType: ConsumeReturnType;
  /** What the listener threw. */
  readonly error?: unknown;
  /** How long it took, ms. */
  readonly costMs: number;
}

/**
 * Looks on. Nothing that it throws keeps a message from being consumed; it is logged. A LitePullConsumer's hooks are
 * called with what each pull brought, before and after at once, as its program takes the messages when it likes.
 *
 * @example
 * ```ts
 * import { type ConsumeHook, Producer, PushConsumer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const done = Promise.withResolvers<number>();
 * const counting: ConsumeHook = {
 *   afterConsume: ({ messages }, { isSuccess }) => {
 *     if (isSuccess) done.resolve(messages.length);
 *   },
 * };
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * await producer.send({ topic: "orders", body: "one pizza" });
 * await using consumer = new PushConsumer({
 *   nameservers,
 *   group: "kitchen",
 *   subscriptions: { orders: "*" },
 *   from: "first",
 *   hooks: [counting],
 *   consumeConcurrently: () => "CONSUME_SUCCESS",
 * });
 * await consumer.start();
 * assertEquals(await done.promise, 1);
 * ```
 */
export interface ConsumeHook {
  /** Called before messages are handed out. */
  beforeConsume?(call: ConsumeCall): void;
  /** Called when the listener has ended. */
  afterConsume?(call: ConsumeCall, outcome: ConsumeOutcome): void;
}

/**
 * Who looks on at a consumer.
 *
 * @example
 * ```ts
 * import { type ConsumeHookOptions, PushConsumer } from "@rocketd/rocketd";
 * import { assert } from "@std/assert";
 *
 * const watched: ConsumeHookOptions = { enableMsgTrace: true, hooks: [{ afterConsume: (_, { costMs }) => assert(costMs >= 0) }] };
 * const nameservers = "127.0.0.1:9876", subscriptions = { orders: "*" };
 * await using consumer = new PushConsumer({ nameservers, group: "kitchen", subscriptions, ...watched, consumeOrderly: () => {} });
 * assert(consumer.clientId !== "");
 * ```
 */
export interface ConsumeHookOptions {
  /** Who looks on. */
  readonly hooks?: readonly ConsumeHook[];
  /** Whether traces of all messages are sent, which Java's console shows. */
  readonly enableMsgTrace?: boolean;
  /** The topic of the traces: RMQ_SYS_TRACE_TOPIC by default. */
  readonly customizedTraceTopic?: string;
}

const GOOD: ReadonlySet<ConsumeOutcome["status"]> = new Set(["CONSUME_SUCCESS", "SUCCESS", "COMMIT"]);

/** Several hooks of one group's consumer as one that never throws. */
export class ConsumeHooks {
  readonly #hooks: readonly ConsumeHook[];
  readonly #group: string;
  readonly #timeoutMs: number;

  /** `timeoutMs`: what takes so long counts as overdue. */
  constructor(hooks: readonly ConsumeHook[], group: string, timeoutMs: number = Infinity) {
    this.#hooks = hooks;
    this.#group = group;
    this.#timeoutMs = timeoutMs;
  }

  /** Gives what {@linkcode ConsumeHooks.after} needs. */
  before(queue: MessageQueue, messages: readonly ReceivedMessage[]): ConsumeCall {
    const call = { group: this.#group, queue, messages, began: Date.now() };
    callEach(this.#hooks, (hook) => hook.beforeConsume?.(call));
    return call;
  }

  after(call: ConsumeCall, status: ConsumeOutcome["status"], error?: unknown): void {
    if (this.#hooks.length === 0) return;
    const costMs = Date.now() - call.began;
    const isSuccess = GOOD.has(status);
    const outcome = { status, isSuccess, returnType: this.#returnType(isSuccess, error, costMs), error, costMs };
    callEach(this.#hooks, (hook) => hook.afterConsume?.(call, outcome));
  }

  #returnType(isSuccess: boolean, error: unknown, costMs: number): ConsumeReturnType {
    if (error !== undefined) return "EXCEPTION";
    if (costMs >= this.#timeoutMs) return "TIME_OUT";
    return isSuccess ? "SUCCESS" : "FAILED";
  }
}
