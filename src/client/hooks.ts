/**
 * Places where a program looks on while messages are sent and transactions end: for traces, figures, logs.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import type { OutgoingMessage } from "./message.ts";
import type { MessageQueue } from "./consumer/rebalance.ts";
import type { SendResult } from "./producer/send_results.ts";
import type { TransactionState } from "./producer/transactions.ts";

const log = getLogger(["rocketd", "client"]);

/**
 * One attempt to send (`SendMessageContext`).
 *
 * @example
 * ```ts
 * import { Producer, type SendAttempt, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const beforeSend = ({ topic, kind, bodyLength }: SendAttempt) => void lines.push(`${bodyLength} bytes to ${topic}, ${kind}`);
 *
 * await using cluster = await startLocalCluster();
 * await using producer = new Producer({ nameservers: cluster.nameservers, hooks: [{ beforeSend }] });
 * await producer.send({ topic: "orders", body: "one pizza" });
 * assertEquals(lines, ["9 bytes to orders, normal"]);
 * ```
 */
export interface SendAttempt {
  /** The producer's group. */
  readonly group: string;
  /** Where the message goes. */
  readonly topic: string;
  /** Of a batch, the first one. */
  readonly message: OutgoingMessage;
  /** Its UNIQ_KEY. */
  readonly uniqueKey: string;
  /** The queue of this attempt. */
  readonly queue: MessageQueue;
  /** `host:port`. */
  readonly brokerAddress: string;
  /** `half`: it begins a transaction. */
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
 * import { Producer, type SendAttempt, type SendOutcome, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const ends: unknown[] = [];
 * const afterSend = (_: SendAttempt, { result, error }: SendOutcome) => void ends.push(result?.status ?? error);
 *
 * await using cluster = await startLocalCluster();
 * await using producer = new Producer({ nameservers: cluster.nameservers, hooks: [{ afterSend }] });
 * await producer.send({ topic: "orders", body: "one pizza" });
 * assertEquals(ends, ["SEND_OK"]);
 * ```
 */
export interface SendOutcome {
  /** Where it was stored. */
  readonly result?: SendResult;
  /** Why it was not. */
  readonly error?: unknown;
  /** How long it took, ms. */
  readonly costMs: number;
}

/**
 * The end of a transaction, as its producer told the broker (`EndTransactionContext`).
 *
 * @example
 * ```ts
 * import { startLocalCluster, type TransactionEnd, TransactionProducer } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const ends: string[] = [];
 * const transactionEnded = ({ topic, state }: TransactionEnd) => void ends.push(`${topic} ${state}`);
 *
 * await using cluster = await startLocalCluster();
 * await using producer = new TransactionProducer({
 *   nameservers: cluster.nameservers,
 *   group: "till",
 *   checkLocalTransaction: () => "unknown",
 *   hooks: [{ transactionEnded }],
 * });
 * await producer.sendInTransaction({ topic: "payments", body: "4711" }, () => "rollback");
 * assertEquals(ends, ["payments rollback"]);
 * ```
 */
export interface TransactionEnd {
  /** The producer's group. */
  readonly group: string;
  /** Where the message goes if it is committed. */
  readonly topic: string;
  /** The message's tag. */
  readonly tag: string | undefined;
  /** The message's keys. */
  readonly keys: readonly string[];
  /** The UNIQ_KEY of the half message. */
  readonly uniqueKey: string;
  /** The broker's id of the transaction. */
  readonly transactionId: string;
  /** `host:port`. */
  readonly brokerAddress: string;
  /** What the broker is told. */
  readonly state: TransactionState;
  /** Whether the broker had asked. */
  readonly fromCheck: boolean;
}

/**
 * Looks on. Nothing that it throws keeps a message from being sent; it is logged.
 *
 * @example
 * ```ts
 * import { Producer, type SendHook, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const sent = new Map<string, number>();
 * const counting: SendHook = {
 *   afterSend: ({ topic }, { result }) => {
 *     if (result !== undefined) sent.set(topic, (sent.get(topic) ?? 0) + 1);
 *   },
 * };
 * await using cluster = await startLocalCluster();
 * await using producer = new Producer({ nameservers: cluster.nameservers, hooks: [counting] });
 * for (const body of ["one pizza", "two pizzas"]) await producer.send({ topic: "orders", body });
 * assertEquals(sent.get("orders"), 2);
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

  #each(call: (hook: SendHook) => unknown): void {
    callEach(this.hooks, call);
  }
}

/** Calls one hook after the other, whatever they throw; nobody waits for what they promise, but it harms nobody. */
export function callEach<H>(hooks: readonly H[], call: (hook: H) => unknown): void {
  for (const hook of hooks) {
    try {
      const given = call(hook);
      if (given instanceof Promise) given.catch(tellOfFailure);
    } catch (error) {
      tellOfFailure(error);
    }
  }
}

function tellOfFailure(error: unknown): void {
  log.warn("a hook failed: {reason}", { reason: messageOf(error) });
}
