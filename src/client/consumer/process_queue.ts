/**
 * The messages of one queue that a consumer holds: read ahead, handed out, or done. It knows up to which offset
 * everything is done (`ProcessQueue` of RocketMQ 4.9.7).
 *
 * @module
 */
import type { ReceivedMessage } from "../message.ts";

interface Held {
  readonly offset: number;
  /** Undefined: it is done, and its bytes are nobody's any more. */
  message: ReceivedMessage | undefined;
  /** When it was handed out, ms; 0: it was not, or was put back. */
  takenAt: number;
}

/** Places of done messages at the front of the list that are not worth making it shorter. */
const DONE_KEPT = 1_000;

/** Messages by offset; those before the first unfinished one count as consumed. */
export class ProcessQueue {
  #held: Held[] = [];
  /** Index of the first message that is not done, of the first to hand out, and behind the last that was handed out. */
  #first = 0;
  #untaken = 0;
  #reached = 0;
  #count = 0;
  #bytes = 0;
  #next: number;

  /** `next`: offset of the first message to read. */
  constructor(next: number) {
    this.#next = next;
  }

  /** Offset from which to read on. */
  get next(): number {
    return this.#next;
  }

  /** Messages that are not done, and their bytes. */
  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How far apart the oldest and the newest unfinished message are, in offsets. */
  get span(): number {
    const first = this.#held[this.#first], last = this.#held.at(-1);
    return first === undefined || last === undefined ? 0 : last.offset - first.offset;
  }

  /** The offset that the group has come to: everything before it is done. */
  get consumed(): number {
    return this.#held[this.#first]?.offset ?? this.#next;
  }

  /** Whether there is a message to hand out. */
  get hasMore(): boolean {
    return this.#untaken < this.#held.length;
  }

  /** Offsets of the oldest and the newest message that is not done; undefined: there is none. */
  get ends(): readonly [number, number] | undefined {
    const first = this.#held[this.#first];
    return first && [first.offset, this.#held.at(-1)!.offset];
  }

  /** Adds what a pull brought, which ended before the offset `next`; what is there already is left out. */
  add(messages: readonly ReceivedMessage[], next: number): void {
    let last = this.#held.at(-1)?.offset ?? -1;
    for (const message of messages) {
      if (message.queueOffset <= last) continue;
      last = message.queueOffset;
      this.#held.push({ offset: last, message, takenAt: 0 });
      this.#count++;
      this.#bytes += message.record.totalSize;
    }
    this.#next = next;
  }

  /** Hands out the next messages, at most so many. */
  take(countMax: number, now: number = Date.now()): ReceivedMessage[] {
    const taken: ReceivedMessage[] = [];
    for (; this.hasMore && taken.length < countMax; this.#skipGone()) {
      const held = this.#held[this.#untaken++]!;
      held.takenAt = now;
      taken.push(held.message!);
    }
    this.#reached = Math.max(this.#reached, this.#untaken);
    return taken;
  }

  /** These messages are done. What is held no longer is left out. */
  finish(messages: readonly ReceivedMessage[]): void {
    for (const message of messages) {
      const held = this.#held[this.#indexOf(message)];
      if (held === undefined) continue;
      held.message = undefined;
      this.#count--;
      this.#bytes -= message.record.totalSize;
    }
    while (this.#first < this.#held.length && this.#held[this.#first]!.message === undefined) this.#first++;
    this.#skipGone();
    if (this.#first < this.#held.length) {
      if (this.#first < DONE_KEPT || this.#first * 2 < this.#held.length) return;
    }
    this.#held.splice(0, this.#first);
    this.#untaken -= this.#first;
    this.#reached = Math.max(0, this.#reached - this.#first);
    this.#first = 0;
  }

  /** Everything that was handed out is done. */
  finishTaken(): void {
    this.finish(this.#taken());
  }

  /** These messages, or all, will be handed out again if they were handed out and are not done. */
  putBack(messages: readonly ReceivedMessage[] = this.#taken()): void {
    for (const message of messages) {
      const index = this.#indexOf(message);
      if (index < 0) continue;
      this.#held[index]!.takenAt = 0;
      this.#untaken = Math.min(this.#untaken, index);
    }
  }

  #taken(): ReceivedMessage[] {
    return this.#held.slice(this.#first, this.#reached).flatMap(({ message, takenAt }) =>
      message !== undefined && takenAt > 0 ? [message] : []
    );
  }

  /** What is done, or in somebody's hand, is not handed out. */
  #skipGone(): void {
    this.#untaken = Math.max(this.#untaken, this.#first);
    for (; this.hasMore; this.#untaken++) {
      const { message, takenAt } = this.#held[this.#untaken]!;
      if (message !== undefined && takenAt === 0) return;
    }
  }

  /** The oldest unfinished message, if it was handed out at `time` (ms) or before. */
  overdue(time: number): ReceivedMessage | undefined {
    const held = this.#held[this.#first];
    return held !== undefined && held.takenAt > 0 && held.takenAt <= time ? held.message : undefined;
  }

  /** Forgets everything, and goes on at another offset. */
  moveTo(next: number): void {
    this.#held = [];
    this.#first =
      this.#untaken =
      this.#reached =
      this.#count =
      this.#bytes =
        0;
    this.#next = next;
  }

  /** By halving: offsets only grow. -1: it is not held, or done. */
  #indexOf(message: ReceivedMessage): number {
    let low = this.#first, high = this.#held.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const { offset, message: found } = this.#held[middle]!;
      if (offset === message.queueOffset) return found === message ? middle : -1;
      if (offset < message.queueOffset) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
