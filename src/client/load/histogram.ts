/**
 * Latencies in bounded memory: counted in buckets whose width grows with the value, so that quantiles are exact to less
 * than 1 % from microseconds to an hour.
 *
 * @module
 */

/** Buckets for each doubling of the value: one is at most 1/128 as wide as the values in it. */
const SHARES = 128;
const SHARE_BITS = 7;
const MICROSECONDS_MAX = 0xffff_ffff;
const BUCKETS = (32 - SHARE_BITS + 1) * SHARES;

/** What came out, ms; all 0 when nothing was counted. */
export interface Latencies {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

/** Counts times. 26 KiB, however many there are. */
export class Histogram {
  count = 0;
  #sum = 0;
  #max = 0;
  readonly #buckets = new Float64Array(BUCKETS);

  /** Counts a time, ms, once or more often; below 0 as 0, above 71 minutes as that. */
  add(ms: number, times = 1): void {
    const time = ms > 0 ? ms : 0;
    this.count += times;
    this.#sum += time * times;
    if (time > this.#max) this.#max = time;
    this.#buckets[bucketOf(Math.min(MICROSECONDS_MAX, Math.round(time * 1000)))]! += times;
  }

  /** The time, ms, that this share of all times (0 to 1) does not pass. */
  quantile(share: number): number {
    if (share >= 1) return this.#max;
    let left = Math.max(1, Math.ceil(this.count * share));
    for (let bucket = 0; bucket < BUCKETS && this.count > 0; bucket++) {
      left -= this.#buckets[bucket]!;
      if (left <= 0) return Math.min(middleOf(bucket) / 1000, this.#max);
    }
    return this.#max;
  }

  /** The quantiles that are told. */
  latencies(): Latencies {
    const [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map((share) => rounded(this.quantile(share)));
    const mean = this.count === 0 ? 0 : this.#sum / this.count;
    return { p50: p50!, p90: p90!, p99: p99!, p999: p999!, max: rounded(this.#max), mean: rounded(mean) };
  }
}

/** To the microsecond, which is what was counted. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Values below 256 have a bucket each; above, the first 8 bits of a value choose it. */
function bucketOf(microseconds: number): number {
  const shift = Math.max(0, 32 - SHARE_BITS - 1 - Math.clz32(microseconds));
  return shift * SHARES + (microseconds >>> shift);
}

function middleOf(bucket: number): number {
  if (bucket < 2 * SHARES) return bucket;
  const shift = Math.floor(bucket / SHARES) - 1;
  const first = (bucket - shift * SHARES) * 2 ** shift;
  return first + (2 ** shift - 1) / 2;
}
