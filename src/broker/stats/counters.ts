/**
 * Counters of one kind by their key, made when something is counted for the first time; bounded, and those that counted
 * nothing for a day are let go. (RocketMQ 4.9.7 keeps them until topic or group are deleted.)
 *
 * @module
 */
import { COUNTERS_MAX } from "../../limits.ts";
import { Counter } from "./counter.ts";
import type { Sampling } from "./sampling.ts";

export class Counters {
  readonly #sampling: Sampling;
  readonly #byKey = new Map<string, Counter>();

  constructor(sampling: Sampling) {
    this.#sampling = sampling;
  }

  /** The counter of a key, to count. Where there are too many, the one that was made first gives way. */
  of(key: string): Counter {
    return this.#byKey.get(key) ?? this.#make(key);
  }

  #make(key: string): Counter {
    if (this.#byKey.size >= COUNTERS_MAX) this.#byKey.delete(this.#byKey.keys().next().value!);
    const made = new Counter(this.#sampling);
    this.#byKey.set(key, made);
    return made;
  }

  /** The counter of a key if something was counted, to look at. */
  find(key: string): Counter | undefined {
    return this.#byKey.get(key);
  }

  [Symbol.iterator](): IterableIterator<[key: string, Counter]> {
    return this.#byKey.entries();
  }

  /** Lets go of one. */
  delete(key: string): void {
    this.#byKey.delete(key);
  }

  /** Lets go of all whose key is unwanted. */
  drop(unwanted: (key: string) => boolean): void {
    for (const key of this.#byKey.keys()) if (unwanted(key)) this.#byKey.delete(key);
  }

  /** Lets go of those that have counted nothing for a day. */
  dropIdle(): void {
    for (const [key, counter] of this.#byKey) if (counter.idle) this.#byKey.delete(key);
  }
}
