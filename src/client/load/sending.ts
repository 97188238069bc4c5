/**
 * One connection that sends.
 *
 * @module
 */
import { ResponseCode } from "../../protocol/codes.ts";
import type { Answer } from "./answers.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Figures } from "./figures.ts";
import { FIRST_OPAQUE, type SendFrames } from "./frames.ts";
import type { Histogram } from "./histogram.ts";
import type { Line, LineUser } from "./line.ts";
import type { LoadOptions } from "./options.ts";
import type { Schedule } from "./schedule.ts";
import type { Target } from "./targets.ts";

/** Codes of answers to messages that are stored, though not as safely as the broker's settings ask for. */
const STORED: ReadonlySet<number> = new Set([
  ResponseCode.SUCCESS,
  ResponseCode.FLUSH_DISK_TIMEOUT,
  ResponseCode.FLUSH_SLAVE_TIMEOUT,
  ResponseCode.SLAVE_NOT_AVAILABLE,
]);

/** What all connections that send share. */
export interface Sending {
  readonly options: LoadOptions;
  readonly figures: Figures;
  readonly schedule: Schedule;
  readonly frames: SendFrames;
  /** Of the sends' own latencies. */
  readonly latencies: Histogram;
  /** Messages that are followed to their consumer. */
  readonly arrivals: Arrivals | undefined;
}

/** Sends on one connection. Each slot has its own opaque, and at most one request in flight. */
export class Sender implements LineUser {
  readonly #shared: Sending;
  readonly #line: Line;
  readonly #queues: readonly number[];
  #nextQueue: number;
  /** Slots that are free: the first `#freeCount`. */
  readonly #free: Int32Array;
  #freeCount: number;
  /** By slot: from when its latency counts, NaN while nothing is in flight; and the number of its message. */
  readonly #since: Float64Array;
  readonly #number: Float64Array;

  /** `start`: where among the queues it begins, so that connections do not all send to the same. */
  constructor(shared: Sending, line: Line, target: Target, start: number) {
    this.#shared = shared;
    this.#line = line;
    this.#queues = target.queues.map(({ queueId }) => queueId);
    this.#nextQueue = start % this.#queues.length;
    const { inFlight } = shared.options;
    this.#free = Int32Array.from({ length: inFlight }, (_, slot) => inFlight - 1 - slot);
    this.#freeCount = inFlight;
    this.#since = new Float64Array(inFlight).fill(NaN);
    this.#number = new Float64Array(inFlight);
  }

  /** Requests on their way. */
  get inFlight(): number {
    return this.#free.length - this.#freeCount;
  }

  /** Counts those that wait for an answer as if it came now. */
  countWaiting(now: number): void {
    for (const since of this.#since) if (!Number.isNaN(since)) this.#shared.latencies.add(now - since);
  }

  get line(): Line {
    return this.#line;
  }

  /** Makes the next request, if one is due and a slot is free; it goes out with {@linkcode Line.flush}. */
  sendOne(now: number): boolean {
    if (this.#freeCount === 0) return false;
    const { schedule, frames, figures, arrivals } = this.#shared;
    const since = schedule.take(now);
    if (since === undefined) return false;
    const slot = this.#free[--this.#freeCount]!;
    const queueId = this.#queues[this.#nextQueue]!;
    this.#nextQueue = (this.#nextQueue + 1) % this.#queues.length;
    this.#since[slot] = since;
    const number = this.#number[slot] = schedule.taken - 1;
    const mark = arrivals === undefined ? undefined : { number, time: since };
    frames.append(this.#line.out, queueId, FIRST_OPAQUE + slot, mark);
    figures.inFlight++;
    return true;
  }

  receive(answer: Answer, _bytes: Uint8Array, _view: DataView, now: number): void {
    const slot = answer.opaque - FIRST_OPAQUE;
    const since = this.#since[slot] ?? NaN;
    if (Number.isNaN(since)) return; // Not an answer to anything of ours.
    this.#since[slot] = NaN;
    this.#free[this.#freeCount++] = slot;
    const { figures, latencies, arrivals, options } = this.#shared;
    figures.inFlight--;
    figures.answered++;
    figures.lastAnswerAt = now;
    latencies.add(now - since);
    const { code } = answer;
    if (code !== ResponseCode.SUCCESS && figures.refuse(code)) {
      figures.trouble(`${this.#line.address} answered: ${answer.text()}`);
    }
    const stored = STORED.has(code);
    if (arrivals !== undefined) {
      if (stored) arrivals.stored(this.#number[slot]!);
      else arrivals.refused(this.#number[slot]!);
    } else if (stored) {
      const count = options.kind === "batch" ? options.batchSize : 1;
      figures.messages += count;
      figures.bytes += count * options.bodyBytes;
    }
  }

  received(now: number): void {
    this.#shared.figures.lastReadAt = now;
    while (this.sendOne(now));
    this.#line.flush();
  }
}
