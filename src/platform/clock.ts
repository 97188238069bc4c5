/**
 * Time behind a small interface, so that tests decide what time it is and when timers run.
 *
 * @module
 */

/** A running timer; `cancel` may be called more than once. */
export interface Timer {
  cancel(): void;
}

/** Milliseconds since 1970, and timers. */
export interface Clock {
  now(): number;
  /** Calls `fn` every `ms` until cancelled. */
  every(ms: number, fn: () => void): Timer;
  /** Calls `fn` once, after `ms`, unless cancelled. */
  after(ms: number, fn: () => void): Timer;
}

/**
 * Whether a wait of `ms` is over that was to end at `deadline`. It is as well when the deadline is further off than the
 * wait is long: the clock was set back since, and how long it lasted is not known.
 */
export function isOver(deadline: number, ms: number, now: number): boolean {
  return deadline <= now || deadline - now > ms;
}

/** Lets others have their turn. */
export function pause(clock: Pick<Clock, "after">): Promise<void> {
  return new Promise((resolve) => clock.after(0, resolve));
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  every(ms, fn) {
    const timer = cancellable(fn, () => clearInterval(id));
    const id = setInterval(timer.run, ms);
    return timer;
  },
  after(ms, fn) {
    const timer = cancellable(fn, () => clearTimeout(id));
    const id = setTimeout(timer.run, ms);
    return timer;
  },
};

/**
 * A timer that runs no more once it is cancelled. Deno 2.6 runs one that is due although it is cleared in the same turn,
 * by what reading or writing has led to; one that starts itself anew would never end then.
 */
function cancellable(fn: () => void, clear: () => void): Timer & { readonly run: () => void } {
  let cancelled = false;
  return {
    run: () => {
      if (!cancelled) fn();
    },
    cancel: () => {
      cancelled = true;
      clear();
    },
  };
}
