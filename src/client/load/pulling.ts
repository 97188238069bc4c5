/**
 * One connection that pulls.
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { ResponseCode, SysFlag } from "../../protocol/codes.ts";
import { hostBytes, RECORD_BYTES_MIN } from "../../protocol/message_record.ts";
import type { Answer } from "./answers.ts";
import type { Figures } from "./figures.ts";
import { appendPull, FIRST_OPAQUE } from "./frames.ts";
import type { Line, LineUser } from "./line.ts";
import type { LoadOptions } from "./options.ts";
import type { TargetQueue } from "./targets.ts";

/** How long brokers may hold a pull, ms: as Java's push consumer lets them. */
const HOLD_MS = 15_000;

/** What all connections that pull share. */
export interface Pulling {
  readonly options: LoadOptions;
  readonly figures: Figures;
  /** Whether brokers hold pulls until there is a message, and the end of a queue is none of the run. */
  readonly holds: boolean;
  /** Whether no further pulls are wanted. */
  readonly ended: (now: number) => boolean;
  /** Takes the body of an answer, or of its messages only how many they are; gives their number. */
  readonly take: (view: DataView, at: number, end: number, now: number) => number;
}

interface Place {
  readonly queueId: number;
  offset: number;
  /** When its pull was written; NaN: none is in flight. */
  since: number;
}

/** Pulls from some queues on one connection; of each queue one pull at a time, whose opaque is the queue's place. */
export class Puller implements LineUser {
  /** Requests on their way, held ones too. */
  inFlight = 0;
  readonly #shared: Pulling;
  readonly #line: Line;
  readonly #places: readonly Place[];
  /** Places to pull from next, a ring. */
  readonly #waiting: Int32Array;
  #first = 0;
  #count = 0;
  /** Places to try again after a pause. */
  #resting: number[] = [];

  constructor(shared: Pulling, line: Line, queues: readonly TargetQueue[]) {
    this.#shared = shared;
    this.#line = line;
    this.#places = queues.map(({ queueId, offset }) => ({ queueId, offset, since: NaN }));
    this.#waiting = new Int32Array(Math.max(1, queues.length));
    for (const index of this.#places.keys()) this.#enqueue(index);
  }

  get line(): Line {
    return this.#line;
  }

  /** Whether its requests may be held, so that nobody waits for their end. */
  get holds(): boolean {
    return this.#shared.holds;
  }

  /** Whether nothing is left to read. */
  get done(): boolean {
    return this.inFlight === 0 && this.#count === 0 && this.#resting.length === 0;
  }

  /** Sends as many pulls as may be in flight. */
  pull(now: number): void {
    const { options, holds, figures, ended } = this.#shared;
    const most = holds ? this.#places.length : options.inFlight;
    while (this.#count > 0 && this.inFlight < most && !ended(now)) {
      const index = this.#waiting[this.#first]!;
      this.#first = (this.#first + 1) % this.#waiting.length;
      this.#count--;
      const place = this.#places[index]!;
      place.since = now;
      this.inFlight++;
      if (!holds) figures.inFlight++;
      const { queueId, offset } = place;
      appendPull(this.#line.out, options, FIRST_OPAQUE + index, { queueId, offset, holdMs: holds ? HOLD_MS : 0 });
    }
    this.#line.flush();
  }

  /** Tries queues again whose pulls were refused. */
  retry(now: number): void {
    if (this.#resting.length === 0) return;
    for (const index of this.#resting.splice(0)) this.#enqueue(index);
    this.pull(now);
  }

  #enqueue(index: number): void {
    this.#waiting[(this.#first + this.#count++) % this.#waiting.length] = index;
  }

  receive(answer: Answer, _bytes: Uint8Array, view: DataView, now: number): void {
    const index = answer.opaque - FIRST_OPAQUE;
    const place = this.#places[index];
    if (place === undefined || Number.isNaN(place.since)) return; // Not an answer to anything of ours.
    const { figures, holds, take } = this.#shared;
    const ms = now - place.since;
    place.since = NaN;
    this.inFlight--;
    if (!holds) figures.inFlight--;
    switch (answer.code) {
      case ResponseCode.SUCCESS: {
        const next = answer.nextBeginOffset();
        if (next === undefined || next <= place.offset) throw new RocketdError("malformed", "a pull does not go on");
        const count = take(view, answer.bodyAt, answer.end, now);
        if (!holds) figures.latencies.add(ms);
        figures.answered++;
        if (count > 0) figures.lastAnswerAt = now;
        place.offset = next;
        break;
      }
      case ResponseCode.PULL_NOT_FOUND:
        figures.answered++;
        if (!holds) return;
        break;
      case ResponseCode.PULL_RETRY_IMMEDIATELY:
      case ResponseCode.PULL_OFFSET_MOVED: {
        figures.answered++;
        const next = answer.nextBeginOffset() ?? place.offset;
        if (next === place.offset) {
          // Asked again at once, it would say the same.
          if (holds) this.#resting.push(index);
          return;
        }
        place.offset = next;
        break;
      }
      default:
        this.#refused(answer, index);
        return;
    }
    this.#enqueue(index);
  }

  #refused(answer: Answer, index: number): void {
    const { figures, holds } = this.#shared;
    // Brokers make a topic with its first message.
    if (answer.code !== ResponseCode.TOPIC_NOT_EXIST || !holds) {
      figures.answered++;
      if (figures.refuse(answer.code)) figures.trouble(`${this.#line.address} answered: ${answer.text()}`);
    }
    // A queue that is refused while all is to be read is given up, as its end is.
    if (holds) this.#resting.push(index);
  }

  received(now: number): void {
    this.#shared.figures.lastReadAt = now;
    this.pull(now);
  }
}

/** How many records follow each other; throws `malformed` when they do not fill the body. */
export function countRecords(view: DataView, at: number, end: number): number {
  let count = 0;
  for (let record = at; record < end; count++) record += sizeOf(view, record, end);
  return count;
}

/** Where the body of each record lies. */
export function eachBody(
  view: DataView,
  at: number,
  end: number,
  use: (bodyAt: number, length: number) => void,
): number {
  let count = 0;
  for (let record = at; record < end; count++) {
    const size = sizeOf(view, record, end);
    const sysFlag = view.getInt32(record + 36);
    const hosts = hostBytes(sysFlag, SysFlag.BORN_HOST_V6) + hostBytes(sysFlag, SysFlag.STORE_HOST_V6);
    const bodyAt = record + 72 + hosts;
    const length = view.getInt32(bodyAt - 4);
    if (length < 0 || bodyAt + length > record + size) throw badRecord();
    use(bodyAt, length);
    record += size;
  }
  return count;
}

function sizeOf(view: DataView, at: number, end: number): number {
  const size = end - at < RECORD_BYTES_MIN ? 0 : view.getInt32(at);
  if (size < RECORD_BYTES_MIN || at + size > end) throw badRecord();
  return size;
}

function badRecord(): RocketdError {
  return new RocketdError("malformed", "what a pull brought are no messages");
}
