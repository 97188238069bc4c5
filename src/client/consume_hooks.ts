/**
 * Places where a program looks on while messages are consumed: for traces, figures, logs.
 *
 * @module
 */
import { callEach } from "./hooks.ts";
import type { ConsumeConcurrentlyStatus, ConsumeOrderlyStatus } from "./listeners.ts";
import type { ReceivedMessage } from "./message.ts";
import type { MessageQueue } from "./rebalance.ts";

/**
 * Messages that are handed to a consumer's program together (`ConsumeMessageContext`). Before and after, a hook is called
 * with the same object.
 *
 * @example
 * ```ts
 * import type { ConsumeCall } from "@rocketd/rocketd";
 *
 * const describe = ({ group, queue, messages }: ConsumeCall) => `${messages.length} of ${queue.topic} for ${group}`;
 * ```
 */
export interface ConsumeCall {
  readonly group: string;
  readonly queue: MessageQueue;
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
 *
 * const worthALook: readonly ConsumeReturnType[] = ["TIME_OUT", "EXCEPTION"];
 * ```
 */
export type ConsumeReturnType = "SUCCESS" | "TIME_OUT" | "EXCEPTION" | "FAILED";

/**
 * How a call of a listener ended.
 *
 * @example
 * ```ts
 * import type { ConsumeOutcome } from "@rocketd/rocketd";
 *
 * const isOverdue = ({ returnType }: ConsumeOutcome) => returnType === "TIME_OUT";
 * ```
 */
export interface ConsumeOutcome {
  /** What the listener said; if it threw, what that stands for. */
  readonly status: ConsumeConcurrentlyStatus | ConsumeOrderlyStatus;
  /** Whether the messages are done. */
  readonly isSuccess: boolean;
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
 * import type { ConsumeHook } from "@rocketd/rocketd";
 *
 * const failures: ConsumeHook = {
 *   afterConsume: ({ queue }, { isSuccess, error }) => {
 *     if (!isSuccess) console.warn(`${queue.topic}/${queue.queueId} failed`, error);
 *   },
 * };
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
 * import type { ConsumeHookOptions } from "@rocketd/rocketd";
 *
 * const counts = new Map<string, number>();
 * const counting: ConsumeHookOptions = {
 *   hooks: [{ afterConsume: ({ group, messages }) => counts.set(group, (counts.get(group) ?? 0) + messages.length) }],
 *   enableMsgTrace: true,
 * };
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
