/**
 * How fast a consumer is with each topic, over the last minute and hour (`ConsumerStatsManager` of RocketMQ 4.9.7).
 *
 * @module
 */
import type { ConsumeStatus } from "../../protocol/bodies/mod.ts";

const MINUTE_MS = 60_000;
const STEPS = 6;

/** A sum over some time up to now, forgotten in steps. */
class RecentSum {
  readonly #stepMs: number;
  readonly #sums = new Array<number>(STEPS).fill(0);
  #step = 0;

  constructor(ms: number) {
    this.#stepMs = ms / STEPS;
  }

  add(value: number, now: number): void {
    this.#goTo(now);
    this.#sums[this.#step % STEPS]! += value;
  }

  at(now: number): number {
    this.#goTo(now);
    return this.#sums.reduce((sum, value) => sum + value, 0);
  }

  #goTo(now: number): void {
    const step = Math.floor(now / this.#stepMs);
    if (step - this.#step >= STEPS) this.#sums.fill(0);
    else for (let each = this.#step + 1; each <= step; each++) this.#sums[each % STEPS] = 0;
    this.#step = Math.max(step, this.#step);
  }
}

class TopicFigures {
  readonly pulls = new RecentSum(MINUTE_MS);
  readonly pullMs = new RecentSum(MINUTE_MS);
  readonly pulled = new RecentSum(MINUTE_MS);
  readonly calls = new RecentSum(MINUTE_MS);
  readonly callMs = new RecentSum(MINUTE_MS);
  readonly ok = new RecentSum(MINUTE_MS);
  readonly failed = new RecentSum(MINUTE_MS);
  readonly failedInHour = new RecentSum(60 * MINUTE_MS);
}

/** Figures by topic; topics are those that the consumer reads. */
export class ConsumeFigures {
  readonly #topics = new Map<string, TopicFigures>();

  /** A pull brought messages after `ms`. */
  pulled(topic: string, ms: number, messages: number, now: number = Date.now()): void {
    const { pulls, pullMs, pulled } = this.#of(topic);
    pulls.add(1, now);
    pullMs.add(ms, now);
    pulled.add(messages, now);
  }

  /** A listener was done with messages after `ms`. */
  consumed(topic: string, ms: number, ok: number, failed: number, now: number = Date.now()): void {
    const figures = this.#of(topic);
    figures.calls.add(1, now);
    figures.callMs.add(ms, now);
    figures.ok.add(ok, now);
    figures.failed.add(failed, now);
    figures.failedInHour.add(failed, now);
  }

  /** RT in ms, TPS in messages a second of the last minute, failures of the last hour. */
  status(topic: string, now: number = Date.now()): ConsumeStatus {
    const { pulls, pullMs, pulled, calls, callMs, ok, failed, failedInHour } = this.#of(topic);
    const aSecond = (sum: RecentSum) => sum.at(now) * 1000 / MINUTE_MS;
    return {
      pullRT: pullMs.at(now) / Math.max(1, pulls.at(now)),
      pullTPS: aSecond(pulled),
      consumeRT: callMs.at(now) / Math.max(1, calls.at(now)),
      consumeOKTPS: aSecond(ok),
      consumeFailedTPS: aSecond(failed),
      consumeFailedMsgs: failedInHour.at(now),
    };
  }

  #of(topic: string): TopicFigures {
    let figures = this.#topics.get(topic);
    if (figures === undefined) this.#topics.set(topic, figures = new TopicFigures());
    return figures;
  }
}
