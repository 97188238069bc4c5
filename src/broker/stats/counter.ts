/**
 * One thing that is counted: how many, how many bytes, how many times; since its begin, and over the last minute, hour
 * and day as StatsItem of RocketMQ 4.9.7 computes them. There NUMS and SIZE are items of their own, with the same times.
 *
 * @module
 */
import type { StatsSnapshot } from "../../protocol/bodies/broker_stats.ts";
import { type Sampling, SPANS, TICKS_KEPT } from "./sampling.ts";

/** What of a counter is looked at. */
export type Amount = "nums" | "bytes";

const SAMPLES = SPANS.reduce((sum, { samples }) => sum + samples, 0);
/** Values of one sample: nums, bytes, times. */
const VALUES = 3;

/** Amounts that only grow. */
export class Counter {
  nums = 0;
  bytes = 0;
  times = 0;
  readonly #sampling: Sampling;
  /** The tick before it counted for the first time; -1 before that. */
  #born = -1;
  /** The last tick whose samples are there. */
  #seen = -1;
  /** The last tick before it counted. */
  #counted = 0;
  /** Samples of all spans, one behind the other, each a ring; made when there is one. */
  #samples: Float64Array | undefined;

  constructor(sampling: Sampling) {
    this.#sampling = sampling;
  }

  /** Counts; `times` is 0 for what RocketMQ does not average. */
  add(nums: number, bytes: number, times: number): void {
    if (this.#seen !== this.#sampling.tick) this.#catchUp();
    this.nums += nums;
    this.bytes += bytes;
    this.times += times;
    this.#counted = this.#seen;
  }

  /** Whether it counted so long ago that all samples are the same. */
  get idle(): boolean {
    return this.#sampling.tick - this.#counted > TICKS_KEPT;
  }

  /** Takes the samples of the ticks since it was last touched: nothing has changed in between. */
  #catchUp(): void {
    const { tick } = this.#sampling;
    if (this.#born < 0) this.#born = this.#seen = tick;
    if (this.#seen === tick) return;
    const kept = this.#samples ??= new Float64Array(SAMPLES * VALUES);
    let base = 0;
    for (const { ticks, samples } of SPANS) {
      const last = Math.floor(tick / ticks);
      const first = Math.max(Math.floor(this.#seen / ticks) + 1, last - samples + 1);
      for (let sample = first; sample <= last; sample++) {
        const at = base + sample % samples * VALUES;
        kept[at] = this.nums;
        kept[at + 1] = this.bytes;
        kept[at + 2] = this.times;
      }
      base += samples * VALUES;
    }
    this.#seen = tick;
  }

  /**
   * What came in a span (0 the last minute, 1 hour, 2 day), up to its last sample. All zeros before its first one: in the
   * first 10 seconds, 10 minutes, hour.
   */
  in(span: 0 | 1 | 2, amount: Amount): StatsSnapshot {
    if (this.#born >= 0) this.#catchUp();
    const kept = this.#samples;
    const { ticks, samples } = SPANS[span];
    const last = Math.floor(this.#seen / ticks);
    const born = Math.floor(this.#born / ticks);
    if (kept === undefined || last === born) return { sum: 0, tps: 0, avgpt: 0 };
    const first = Math.max(born, last - samples + 1);
    let base = 0;
    for (let before = 0; before < span; before++) base += SPANS[before]!.samples * VALUES;
    const difference = (value: number) =>
      kept[base + last % samples * VALUES + value]! - kept[base + first % samples * VALUES + value]!;
    const sum = difference(amount === "nums" ? 0 : 1), times = difference(2);
    return {
      sum,
      tps: sum * 1000 / this.#sampling.msBetween(span, first, last),
      avgpt: times > 0 ? sum / times : 0,
    };
  }
}
