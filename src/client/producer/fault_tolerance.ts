/**
 * Which broker a send goes to when any will do: each queue in turn, not on the broker that has just failed; and, where
 * it is asked for, not on brokers that were slow, as `MQFaultStrategy` of RocketMQ 4.9.7 (`sendLatencyFaultEnable`).
 *
 * @module
 */
import type { MessageQueue } from "../consumer/rebalance.ts";

/** From which latency on a broker is passed over, and for how long, ms: Java's table, the last fitting line counts. */
export const LATENCY_PENALTIES: readonly (readonly [latencyMs: number, avoidedMs: number])[] = [
  [50, 0],
  [100, 0],
  [550, 30_000],
  [1_000, 60_000],
  [2_000, 120_000],
  [3_000, 180_000],
  [15_000, 600_000],
];
/** A send that failed counts as one that took this long, ms. */
const FAILED_LATENCY_MS = 30_000;

interface Fault {
  readonly latencyMs: number;
  readonly avoidedUntil: number;
}

/** Chooses queues in turn, and remembers how brokers did: as many as routes name. */
export class QueueTurns {
  readonly #faults = new Map<string, Fault>();
  #turn: number;

  /**
   * @param avoidsSlow `sendLatencyFaultEnable`
   * @param now the time, ms
   */
  constructor(
    readonly avoidsSlow: boolean,
    readonly now: () => number = Date.now,
    first = Math.floor(Math.random() * 0xffff),
  ) {
    this.#turn = first;
  }

  /** The next queue, if there is any; `failed`: the broker name that this message failed on. */
  next(queues: readonly MessageQueue[], failed?: string): MessageQueue | undefined {
    const passes = this.avoidsSlow ? this.#isAvailable : (brokerName: string) => brokerName !== failed;
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[this.#turn++ % queues.length]!;
      if (passes(queue.brokerName)) return queue;
    }
    return this.#leastBad(queues);
  }

  /** Notes how long a broker took for a send. */
  took(brokerName: string, latencyMs: number): void {
    if (!this.avoidsSlow) return;
    const avoidedMs = LATENCY_PENALTIES.findLast(([from]) => latencyMs >= from)?.[1] ?? 0;
    this.#faults.set(brokerName, { latencyMs, avoidedUntil: this.now() + avoidedMs });
  }

  /** Notes that a send to a broker failed. */
  failed(brokerName: string): void {
    this.took(brokerName, FAILED_LATENCY_MS);
  }

  #isAvailable = (brokerName: string): boolean => {
    const fault = this.#faults.get(brokerName);
    return fault === undefined || this.now() >= fault.avoidedUntil;
  };

  /** No broker is good: one of the better half. */
  #leastBad(queues: readonly MessageQueue[]): MessageQueue | undefined {
    const brokers = [...new Set(queues.map(({ brokerName }) => brokerName))]
      .map((brokerName) => ({ brokerName, ...(this.#faults.get(brokerName) ?? { latencyMs: 0, avoidedUntil: 0 }) }))
      .sort((a, b) => a.latencyMs - b.latencyMs || a.avoidedUntil - b.avoidedUntil)
      .map(({ brokerName }) => brokerName);
    const better = brokers.slice(0, Math.max(1, brokers.length >> 1));
    const brokerName = better[this.#turn++ % better.length];
    const its = queues.filter((queue) => queue.brokerName === brokerName);
    return its[this.#turn % Math.max(1, its.length)];
  }
}
