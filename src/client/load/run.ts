/**
 * A run of a measurement: its connections, what keeps them going, and when it is over.
 *
 * @module
 */
import { messageOf, RocketdError } from "../../errors.ts";
import { BENCH_REFUSALS_MAX } from "../../limits.ts";
import { Arrivals } from "./arrivals.ts";
import { Figures } from "./figures.ts";
import { SendFrames } from "./frames.ts";
import { Histogram } from "./histogram.ts";
import type { Line } from "./line.ts";
import type { LoadOptions } from "./options.ts";
import { countRecords, eachBody, Puller, type Pulling } from "./pulling.ts";
import { Schedule } from "./schedule.ts";
import { Sender, type Sending } from "./sending.ts";
import type { Target } from "./targets.ts";

/** How often a run looks whether it is over, ms. */
const LOOK_MS = 20;
/** A run without an end of its own ends when its brokers are silent for so long, ms, beside what its rate lets pass. */
const SILENCE_MS = 30_000;
/** Longest wait for messages on their way once a run is ended early, ms. */
const LEAVE_MS = 2_000;
/** Longest time between two looks at the clock of a schedule, ms. */
const TICK_MS_MAX = 100;

/** One run; {@linkcode Run.work} does all of it. */
export class Run {
  readonly figures = new Figures();
  /** What becomes of pulls: the same, but for e2e, where `figures` are those of sends and arrivals. */
  readonly pulls: Figures;
  readonly schedule: Schedule;
  /** Of sends on their whole way; their own latency is in `sends`. */
  readonly arrivals: Arrivals | undefined;
  readonly sends: Histogram;
  readonly #options: LoadOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #senders: readonly Sender[];
  readonly #pullers: readonly Puller[];
  readonly #working = new Set<Sender | Puller>();
  #nextSender = 0;
  #ended = false;
  #failure: unknown;

  /**
   * `lines`: those that send, for e2e followed by as many that pull; the n-th goes to the target n modulo their number.
   */
  constructor(
    options: LoadOptions,
    targets: readonly Target[],
    lines: readonly Line[],
    signal: AbortSignal | undefined,
  ) {
    this.#options = options;
    this.#signal = signal;
    const { kind, rate, batchSize, messages = Infinity } = options;
    const each = kind === "batch" ? batchSize : 1;
    this.schedule = new Schedule(rate / each, Math.ceil(messages / each));
    this.arrivals = kind === "e2e" ? new Arrivals() : undefined;
    this.sends = kind === "e2e" ? new Histogram() : this.figures.latencies;
    this.pulls = kind === "e2e" ? new Figures() : this.figures;
    const frames = new SendFrames(options);
    const { figures, schedule, arrivals, sends } = this;
    const sending: Sending = { options, figures, schedule, frames, latencies: sends, arrivals };
    const sendLines = kind === "pull" ? [] : kind === "e2e" ? lines.slice(0, lines.length / 2) : lines;
    const pullLines = lines.slice(sendLines.length);
    this.#senders = sendLines.map((line, i) => new Sender(sending, line, targets[i % targets.length]!, i));
    const pulling = this.#pulling(frames);
    this.#pullers = pullLines.map((line, i) => {
      const share = Math.ceil((pullLines.length - i % targets.length) / targets.length);
      const turn = Math.floor(i / targets.length);
      return new Puller(pulling, line, targets[i % targets.length]!.queues.filter((_, n) => n % share === turn));
    });
  }

  /** Sends and pulls until the end. Rejects with `unavailable` when all connections are lost before anything was answered. */
  async work(): Promise<void> {
    const { schedule, figures } = this;
    const { seconds = Infinity } = this.#options;
    const reading = [...this.#pullers, ...this.#senders].map((worker) => this.#read(worker));
    const began = figures.lastReadAt = this.pulls.lastReadAt = performance.now();
    schedule.begin(began, began + seconds * 1000);
    for (const puller of this.#pullers) puller.pull(began);
    if (schedule.perSecond === 0) { for (const sender of this.#senders) sender.received(began); }
    const ticking = schedule.perSecond > 0 ? this.#tick() : undefined;
    try {
      await this.#until(() => this.#over());
      this.#ended = true;
      if (this.#signal?.aborted) schedule.cut();
      else schedule.end(performance.now());
      await this.#settle();
    } finally {
      this.#ended = true;
      schedule.end(performance.now());
      figures.abandoned += figures.inFlight;
      this.#countWaiting(performance.now());
      for (const { line } of [...this.#senders, ...this.#pullers]) line.close();
      await Promise.all([...reading, ticking]);
    }
    if (figures.answered === 0 && this.#failure !== undefined) {
      const reason = messageOf(this.#failure);
      throw new RocketdError("unavailable", `Cannot measure: ${reason}`, { cause: this.#failure });
    }
  }

  #pulling(frames: SendFrames): Pulling {
    const { figures, pulls, arrivals, schedule } = this;
    const options = this.#options;
    const { kind, from, messages = Infinity } = options;
    const arrived = (view: DataView, now: number, bodyAt: number, length: number) => {
      const mark = frames.markOf(view, bodyAt, length);
      if (mark === undefined || !(mark.number < schedule.taken) || !arrivals?.arrive(mark.number)) return;
      figures.messages++;
      figures.bytes += length;
      figures.lastAnswerAt = now;
      figures.latencies.add(now - mark.time);
    };
    const take = (view: DataView, at: number, end: number, now: number) => {
      if (kind === "e2e") return eachBody(view, at, end, (bodyAt, length) => arrived(view, now, bodyAt, length));
      const count = countRecords(view, at, end);
      figures.messages += count;
      figures.bytes += end - at;
      return count;
    };
    const ended = (now: number) => kind === "pull" && (schedule.over(now) || figures.messages >= messages);
    return { options, figures: pulls, holds: kind === "e2e" || from === "last", ended, take };
  }

  /** Reads a connection until the end. Never rejects. */
  async #read(worker: Sender | Puller): Promise<void> {
    this.#working.add(worker);
    try {
      await worker.line.run(worker);
    } catch (error) {
      const { figures } = this;
      this.#failure ??= error;
      figures.connectionsLost++;
      figures.trouble(`${worker.line.address}: ${messageOf(error)}`);
      if (worker instanceof Sender || !worker.holds) {
        figures.abandoned += worker.inFlight;
        figures.inFlight -= worker.inFlight;
      }
      worker.line.close();
    } finally {
      this.#working.delete(worker);
    }
  }

  /** Hands out what falls due to all connections in turn. */
  async #tick(): Promise<void> {
    const { schedule } = this;
    while (!this.#ended) {
      const now = performance.now();
      const wait = schedule.release(now);
      const touched = new Set<Sender>();
      // One round without anybody who can send ends it.
      for (let idle = 0; schedule.waiting > 0 && idle < this.#senders.length;) {
        const sender = this.#senders[this.#nextSender]!;
        this.#nextSender = (this.#nextSender + 1) % this.#senders.length;
        if (this.#working.has(sender) && sender.sendOne(now)) {
          touched.add(sender);
          idle = 0;
        } else idle++;
      }
      schedule.settle();
      for (const { line } of touched) line.flush();
      await delay(Math.min(TICK_MS_MAX, Math.max(1, wait)));
    }
  }

  /** Whether nothing more is to be sent or pulled. */
  #over(): boolean {
    const now = performance.now();
    const { figures, schedule } = this;
    const { kind, messages = Infinity, seconds } = this.#options;
    if (this.#signal?.aborted || schedule.over(now)) return true;
    const lost = (workers: readonly (Sender | Puller)[]) => {
      return workers.length > 0 && !workers.some((one) => this.#working.has(one));
    };
    if (lost(this.#senders) || lost(this.#pullers)) return true;
    if (figures.refused >= BENCH_REFUSALS_MAX && figures.refused === figures.answered) return true;
    const lastReadAt = Math.max(figures.lastReadAt, this.pulls.lastReadAt);
    if (seconds === undefined && now - lastReadAt > SILENCE_MS + schedule.interval) return true;
    for (const puller of this.#pullers) puller.retry(now);
    return kind === "pull" && (figures.messages >= messages || this.#pullers.every(({ done }) => done));
  }

  /** Waits for what is on its way. */
  async #settle(): Promise<void> {
    const { timeoutMs, drainSeconds } = this.#options;
    const answersUntil = performance.now() + timeoutMs;
    await this.#until(() => this.figures.inFlight === 0 || performance.now() > answersUntil);
    const { arrivals } = this;
    if (arrivals === undefined) return;
    let arrivalsUntil = performance.now() + drainSeconds * 1000;
    await this.#until(() => {
      const now = performance.now();
      if (this.#signal?.aborted) arrivalsUntil = Math.min(arrivalsUntil, now + LEAVE_MS);
      for (const puller of this.#pullers) puller.retry(now);
      const hopeless = !this.#pullers.some((one) => this.#working.has(one));
      return arrivals.missing === 0 || hopeless || now > arrivalsUntil;
    });
  }

  /** With a rate, what was never sent or answered counts with the time that it had waited: a stall has no other trace. */
  #countWaiting(now: number): void {
    if (this.schedule.perSecond === 0) return;
    for (const sender of this.#senders) sender.countWaiting(now);
    for (const [ms, count] of this.schedule.waits(now)) {
      this.sends.add(ms, count);
      if (this.sends !== this.figures.latencies) this.figures.latencies.add(ms, count);
    }
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await delay(LOOK_MS);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
