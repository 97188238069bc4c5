/**
 * What the store counts of puts, as StoreStatsService of RocketMQ 4.9.7: messages and bytes in the log, puts that failed,
 * and how long they took, as a distribution of the last full minute. Puts that a slave copied count, but took no time.
 *
 * @module
 */
import type { Clock } from "../platform/clock.ts";
import type { PutResult } from "./types.ts";

/** Ranges of the distribution that operators read, ms: below or, for the first, at the bound. */
const RANGES: readonly (readonly [text: string, below: number])[] = [
  ["[<=0ms]", 1],
  ["[0~10ms]", 10],
  ["[10~50ms]", 50],
  ["[50~100ms]", 100],
  ["[100~200ms]", 200],
  ["[200~500ms]", 500],
  ["[500ms~1s]", 1000],
  ["[1~2s]", 2000],
  ["[2~3s]", 3000],
  ["[3~4s]", 4000],
  ["[4~5s]", 5000],
  ["[5~10s]", 10_000],
  ["[10s~]", Infinity],
];

/** Steps of the finer buckets that latencies are computed from: width in ms, and how many of them. */
const STEPS: readonly (readonly [width: number, count: number])[] = [
  [1, 20],
  [2, 15],
  [5, 10],
  [10, 10],
  [50, 6],
  [100, 5],
  [1000, 9],
];
/** Upper bound of each finer bucket, ms, included; the last has none. */
const BOUNDS: readonly number[] = bounds();
/** Milliseconds from which on all is in the last bucket. */
const TABLE_MS = BOUNDS.at(-2)! + 1;
/** The finer bucket of a time, by whole ms below {@linkcode TABLE_MS}. */
const BUCKET_OF = Uint8Array.from({ length: TABLE_MS }, (_, ms) => BOUNDS.findIndex((bound) => ms <= bound));
const MINUTE_MS = 60_000;

function bounds(): number[] {
  const list: number[] = [];
  let bound = 0;
  for (const [width, count] of STEPS) for (let i = 0; i < count; i++) list.push(bound += width);
  return [...list, Infinity];
}

/** Counts puts. */
export class PutFigures {
  /** Messages and bytes that came into the log since the start. */
  messages = 0;
  bytes = 0;
  /** Puts that stored nothing, other than for what the sender did wrong. */
  failed = 0;
  /** The longest that a put took, ms, until its sender was answered. */
  slowestMs = 0;
  /** When those are answered who are answered now, ms: set by who answers, for all of them at once. */
  answersAt: number;
  readonly #clock: Pick<Clock, "now">;
  #minute: number;
  /** Of this minute and of the one before; undefined before the second minute. */
  #ranges = new Float64Array(RANGES.length);
  #buckets = new Float64Array(BOUNDS.length);
  #lastRanges: Float64Array | undefined;
  #lastBuckets: Float64Array | undefined;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
    this.#minute = this.answersAt = clock.now();
  }

  /** A put was answered, at {@linkcode answersAt}, with the result of its first message. */
  answered({ logOffset, status, storeTimestamp }: PutResult): void {
    if (logOffset < 0) {
      if (status !== "MESSAGE_ILLEGAL") this.failed++;
      return;
    }
    const now = this.answersAt;
    // The store time may be ahead where the clock was set back.
    const ms = Math.max(0, now - storeTimestamp);
    if (ms > this.slowestMs) this.slowestMs = ms;
    if (now - this.#minute >= MINUTE_MS || now < this.#minute) this.#turn(now);
    this.#buckets[ms < TABLE_MS ? BUCKET_OF[ms]! : BOUNDS.length - 1]!++;
    this.#ranges[ms < 1 ? 0 : ms < 10 ? 1 : RANGES.findIndex(([, below]) => ms < below)]!++;
  }

  /** Begins a new minute; after more than one without a put, the last one had none. */
  #turn(now: number): void {
    const justOver = now >= this.#minute && now - this.#minute < 2 * MINUTE_MS;
    this.#lastRanges = justOver ? this.#ranges : new Float64Array(RANGES.length);
    this.#lastBuckets = justOver ? this.#buckets : new Float64Array(BOUNDS.length);
    this.#ranges = new Float64Array(RANGES.length);
    this.#buckets = new Float64Array(BOUNDS.length);
    this.#minute = now;
  }

  #look(): void {
    const now = this.#clock.now();
    if (now - this.#minute >= MINUTE_MS) this.#turn(now);
  }

  /** How many puts of the last minute took how long, for people; undefined in the first minute. */
  distribution(): string | undefined {
    this.#look();
    return this.#lastRanges && RANGES.map(([text], i) => `${text}:${this.#lastRanges![i]} `).join("");
  }

  /** The time within which a part (0 to 1) of the last minute's puts were answered, ms, by linear interpolation. */
  latency(part: number): number {
    this.#look();
    const buckets = this.#lastBuckets;
    if (buckets === undefined) return 0;
    const wanted = Math.floor(buckets.reduce((sum, count) => sum + count, 0) * part);
    let passed = 0;
    for (const [i, count] of buckets.entries()) {
      if (wanted > passed + count) {
        passed += count;
        continue;
      }
      const from = BOUNDS[i - 1] ?? 0;
      // Nobody knows how long the slowest took.
      const to = Number.isFinite(BOUNDS[i]) ? BOUNDS[i]! : Math.max(from, this.slowestMs);
      return count === 0 ? from : from + (to - from) * (wanted - passed) / count;
    }
    return 0;
  }
}
