/**
 * How much goes through a broker: messages into the log and out to consumers a second over the last 10, 60 and 600 seconds
 * (StoreStatsService of RocketMQ 4.9.7), and how many there were until this morning and until yesterday's (BrokerStats).
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { PutFigures } from "../../store/put_figures.ts";

const log = getLogger(["rocketd", "broker"]);

const SAMPLE_MS = 1_000;
/** One more than the seconds that are looked back. */
const SAMPLES = 601;
const HOUR_MS = 3_600_000;

/** What is sampled: messages put, reads that found messages, reads that did not, messages that were read. */
const FLOWS = ["put", "found", "missed", "transferred"] as const;
export type Flow = typeof FLOWS[number];
const VALUES = 1 + FLOWS.length;

/** Totals at midnight, local time. */
export interface Mornings {
  readonly today: number;
  readonly yesterday: number;
}

/** Counts what consumers read, and samples it with what is put. */
export class Throughput {
  readonly puts: PutFigures;
  /** Reads for consumers that found messages, reads that did not, and messages that they found, since the start. */
  found = 0;
  missed = 0;
  transferred = 0;
  /** The longest that a read took, ms. */
  slowestGetMs = 0;
  put: Mornings = { today: 0, yesterday: 0 };
  got: Mornings = { today: 0, yesterday: 0 };
  readonly #clock: Clock;
  readonly #samples = new Float64Array(SAMPLES * VALUES);
  #count = 0;
  #timer: Timer | undefined;
  #morning: Timer | undefined;

  constructor(puts: PutFigures, clock: Clock) {
    this.puts = puts;
    this.#clock = clock;
  }

  /** The store was read for a consumer. */
  read(messages: number, ms: number): void {
    if (messages > 0) this.found++;
    else this.missed++;
    this.transferred += messages;
    if (ms > this.slowestGetMs) this.slowestGetMs = ms;
  }

  start(): void {
    this.#timer ??= this.#clock.every(SAMPLE_MS, () => this.#sample());
    this.#awaitMorning();
  }

  #sample(): void {
    const at = this.#count++ % SAMPLES * VALUES;
    this.#samples[at] = this.#clock.now();
    for (const [i, flow] of FLOWS.entries()) this.#samples[at + 1 + i] = this.#total(flow);
  }

  #total(flow: Flow): number {
    return flow === "put" ? this.puts.messages : this[flow];
  }

  /** In a second, over the last seconds; undefined as long as there are no samples of so long ago. */
  tps(flow: Flow, seconds: number): number | undefined {
    if (this.#count <= seconds) return undefined;
    const last = (this.#count - 1) % SAMPLES * VALUES;
    const first = (this.#count - 1 - seconds) % SAMPLES * VALUES;
    const value = 1 + FLOWS.indexOf(flow);
    const ms = this.#samples[last]! - this.#samples[first]!;
    const sum = this.#samples[last + value]! - this.#samples[first + value]!;
    // Where the clock was set back, the samples were still a second apart.
    return sum * 1000 / (ms > 0 ? ms : seconds * SAMPLE_MS);
  }

  /** Waits for midnight by the hour: until there, the clock may be set or run slower than timers, or summer time begin. */
  #awaitMorning(): void {
    const now = this.#clock.now();
    const morning = new Date(now).setHours(24, 0, 0, 0);
    this.#morning = this.#clock.after(Math.min(morning - now, HOUR_MS), () => {
      if (this.#clock.now() >= morning) this.#record();
      this.#awaitMorning();
    });
  }

  #record(): void {
    this.put = { yesterday: this.put.today, today: this.puts.messages };
    this.got = { yesterday: this.got.today, today: this.transferred };
    log.info("yesterday {put} messages came in and {got} went out", {
      put: this.put.today - this.put.yesterday,
      got: this.got.today - this.got.yesterday,
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#morning?.cancel();
  }
}
