/**
 * Places where a program looks on while messages are sent and transactions end: for traces, figures, logs.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import type { OutgoingMessage } from "./message.ts";
import type { MessageQueue } from "./rebalance.ts";
import type { SendResult } from "./sender.ts";
import type { TransactionState } from "./transactions.ts";

const log = getLogger(["rocketd", "client"]);

/**
 * One attempt to send (`SendMessageContext`).
 *
 * @example
 * ```ts
 * import type { SendAttempt } from "./hooks.ts";
 *
 * const describe = ({ topic, brokerAddress, bodyLength }: SendAttempt) => `${bodyLength} bytes of ${topic} to ${brokerAddress}`;
 * ```
 */
export interface SendAttempt {
  readonly group: string;
  readonly topic: string;
  /** Of a batch, the first one. */
  readonly message: OutgoingMessage;
  readonly uniqueKey: string;
  readonly queue: MessageQueue;
  /** `host:port`. */
  readonly brokerAddress: string;
  readonly kind: "normal" | "half" | "delay";
  /** Bytes, before the body was folded. */
  readonly bodyLength: number;
  /** When the attempt began, ms. */
  readonly began: number;
}

/**
 * How an attempt ended: with a result or an error.
 *
 * @example
 * ```ts
 * import type { SendOutcome } from "./hooks.ts";
 *
 * const isStored = ({ result }: SendOutcome) => result !== undefined;
 * ```
 */
export interface SendOutcome {
  readonly result?: SendResult;
  readonly error?: unknown;
  /** How long it took, ms. */
  readonly costMs: number;
}

/**
 * The end of a transaction, as its producer told the broker (`EndTransactionContext`).
 *
 * @example
 * ```ts
 * import type { TransactionEnd } from "./hooks.ts";
 *
 * const isLost = ({ state, fromCheck }: TransactionEnd) => fromCheck && state === "rollback";
 * ```
 */
export interface TransactionEnd {
  readonly group: string;
  readonly topic: string;
  readonly tag: string | undefined;
  readonly keys: readonly string[];
  /** The UNIQ_KEY of the half message. */
  readonly uniqueKey: string;
  readonly transactionId: string;
  /** `host:port`. */
  readonly brokerAddress: string;
  readonly state: TransactionState;
  /** Whether the broker had asked. */
  readonly fromCheck: boolean;
}

/**
 * Looks on. Nothing that it throws keeps a message from being sent; it is logged.
 *
 * @example
 * ```ts
 * import type { SendHook } from "./hooks.ts";
 *
 * const slow: SendHook = {
 *   afterSend: ({ topic }, { costMs }) => {
 *     if (costMs > 100) console.warn(`${topic} took ${costMs} ms`);
 *   },
 * };
 * ```
 */
export interface SendHook {
  /** Called before each attempt, not for one-way sends. */
  beforeSend?(attempt: SendAttempt): void;
  /** Called after each attempt. */
  afterSend?(attempt: SendAttempt, outcome: SendOutcome): void;
  /** Called when the broker is told how a transaction ended. */
  transactionEnded?(end: TransactionEnd): void;
}

/** Several hooks as one that never throws. */
export class Hooks {
  constructor(readonly hooks: readonly SendHook[]) {}

  get isEmpty(): boolean {
    return this.hooks.length === 0;
  }

  beforeSend(attempt: SendAttempt): void {
    this.#each((hook) => hook.beforeSend?.(attempt));
  }

  afterSend(attempt: SendAttempt, outcome: SendOutcome): void {
    this.#each((hook) => hook.afterSend?.(attempt, outcome));
  }

  transactionEnded(end: TransactionEnd): void {
    this.#each((hook) => hook.transactionEnded?.(end));
  }

  #each(call: (hook: SendHook) => void): void {
    callEach(this.hooks, call);
  }
}

/** Calls one hook after the other, whatever they throw. */
export function callEach<H>(hooks: readonly H[], call: (hook: H) => void): void {
  for (const hook of hooks) {
    try {
      call(hook);
    } catch (error) {
      log.warn("a hook failed: {reason}", { reason: messageOf(error) });
    }
  }
}
