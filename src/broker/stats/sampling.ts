/**
 * When counters are sampled, as StatsItemSet of RocketMQ 4.9.7 does it: every 10 seconds for the figures of a minute,
 * every 10 minutes for those of an hour, every hour for those of a day; each looks at the newest 6, 6 and 24 spaces between
 * samples. Here one timer counts the ticks, and each counter fills in the samples that it missed when it is next touched:
 * one that nobody touches costs nothing.
 *
 * @module
 */
import type { Clock, Timer } from "../../platform/clock.ts";

/** Time between ticks, ms. */
const TICK_MS = 10_000;

/** One kind of samples. */
export interface Span {
  readonly name: "minute" | "hour" | "day";
  /** Ticks from one sample to the next. */
  readonly ticks: number;
  /** Samples that are kept: one more than spaces between them. */
  readonly samples: number;
}

export const SPANS: readonly [minute: Span, hour: Span, day: Span] = [
  { name: "minute", ticks: 1, samples: 7 },
  { name: "hour", ticks: 60, samples: 7 },
  { name: "day", ticks: 360, samples: 25 },
];

/** Ticks after which nothing is left of an amount in any sample. */
export const TICKS_KEPT = SPANS[2].ticks * SPANS[2].samples;

/** Counts ticks, and keeps when the last samples were taken. */
export class Sampling {
  /** The number of the last tick; 0 is the start. */
  tick = 0;
  readonly #clock: Clock;
  readonly #times: readonly Float64Array[] = SPANS.map(({ samples }) => new Float64Array(samples));
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    for (const times of this.#times) times[0] = clock.now();
  }

  /** Ticks from now on. `each` is called after each tick of the longest span. */
  start(each: () => void): void {
    this.#timer ??= this.#clock.every(TICK_MS, () => {
      this.tick++;
      for (const [i, { ticks, samples }] of SPANS.entries()) {
        if (this.tick % ticks === 0) this.#times[i]![this.tick / ticks % samples] = this.#clock.now();
      }
      if (this.tick % SPANS[2].ticks === 0) each();
    });
  }

  /** From one sample of a span to a later one, both still kept, ms. Where the clock was set back: what it should be. */
  msBetween(span: number, first: number, last: number): number {
    const { ticks, samples } = SPANS[span]!;
    const times = this.#times[span]!;
    const ms = times[last % samples]! - times[first % samples]!;
    return ms > 0 ? ms : (last - first) * ticks * TICK_MS;
  }

  close(): void {
    this.#timer?.cancel();
  }
}
