/**
 * What a pulling consumer has handed out and does not count as consumed yet: each iteration, and poll(), has a hand of
 * its own.
 *
 * @module
 */
import { TIMER_MS_MAX } from "../../remoting/deadlines.ts";
import type { ReceivedMessage } from "../message.ts";
import type { QueueReader } from "./queue_reader.ts";

interface Taken {
  readonly reader: QueueReader;
  readonly messages: readonly ReceivedMessage[];
}

/** Hands, by symbols. */
export class Hands {
  readonly #taken = new Map<symbol, Taken>();
  /** Those that will not ask for more. */
  #left: symbol[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  /** The next messages of a reader go into this hand, which is empty. */
  take(hand: symbol, reader: QueueReader, countMax: number): ReceivedMessage[] {
    const messages = reader.take(countMax);
    if (messages.length > 0) this.#taken.set(hand, { reader, messages });
    return messages;
  }

  /** What is in this hand is consumed. */
  finish(hand: symbol): void {
    const taken = this.#taken.get(hand);
    this.#taken.delete(hand);
    taken?.reader.finish(taken.messages);
  }

  finishAll(): void {
    for (const hand of this.#taken.keys()) this.finish(hand);
  }

  /** This hand asks for no more. What is in it may still be finished, until others ask. */
  leave(hand: symbol): void {
    if (this.#taken.has(hand)) this.#left.push(hand);
  }

  /** What is in hands that were left will be handed out again. */
  putBack(): void {
    for (const hand of this.#left.splice(0)) {
      const taken = this.#taken.get(hand);
      this.#taken.delete(hand);
      taken?.reader.putBack(taken.messages);
      if (taken?.reader.hasMore) taken.reader.context.arrived(taken.reader);
    }
  }

  /** Resolves when {@linkcode Hands.wake} is called, or `ms` are over; after {@linkcode Hands.end} at once. */
  async arrival(ms = TIMER_MS_MAX): Promise<void> {
    if (this.#ended) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const timer = setTimeout(resolve, Math.min(ms, TIMER_MS_MAX));
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
  }

  /** Calls everybody who waits. */
  wake(): void {
    for (const resolve of this.#waiting) resolve();
  }

  /** Nobody waits any more, nor will who was about to. */
  end(): void {
    this.#ended = true;
    this.wake();
  }
}
