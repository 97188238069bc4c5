/**
 * A clock for tests: it stands still until it is told to go on.
 *
 * @module
 */
import type { Clock, Timer } from "./clock.ts";

interface Pending {
  due: number;
  readonly every: number | undefined;
  readonly fn: () => void;
}

/** Runs timers in the order they are due, when `advance` passes them. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Pending>();

  constructor(public time = 1_700_000_000_000) {}

  now(): number {
    return this.time;
  }

  every(ms: number, fn: () => void): Timer {
    return this.#add({ due: this.time + ms, every: ms, fn });
  }

  after(ms: number, fn: () => void): Timer {
    return this.#add({ due: this.time + ms, every: undefined, fn });
  }

  /** How many timers are running. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and the timers run that are due on the way. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.due - b.due)[0];
      if (next === undefined || next.due > end) break;
      this.time = Math.max(this.time, next.due);
      if (next.every === undefined) this.#timers.delete(next);
      else next.due += next.every;
      next.fn();
    }
    this.time = end;
  }

  #add(timer: Pending): Timer {
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }
}
