/**
 * Many waits that end at a time each, with one timer for all of them: nearly every wait is over before its time, so
 * nothing is done for it but to note the time.
 *
 * @module
 */

/** Least time between two looks at all that wait, ms: what a wait may last longer than it should. */
const LOOK_MS_MIN = 5;
/** The longest time of a timer, ms; longer ones end at once. */
export const TIMER_MS_MAX = 0x7fff_ffff;

/** What is left until a time of `performance.now()`, in whole ms and at least one: what a request still may take. */
export function leftMs(deadline: number): number {
  return Math.max(1, Math.ceil(deadline - performance.now()));
}

/** Looks at what waits when the first of it should end. Times are those of `performance.now()`, ms. */
export class Deadlines {
  readonly #endAllBefore: (now: number) => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = Infinity;
  #stopped = false;

  /** `endAllBefore` ends what should have ended by then, and tells when the next should; Infinity: none. */
  constructor(endAllBefore: (now: number) => number) {
    this.#endAllBefore = endAllBefore;
  }

  /** Something new waits until then. */
  add(deadline: number, now: number): void {
    if (deadline < this.#dueAt) this.#lookAt(deadline, now);
  }

  /** Nothing waits any more, nor will; may be called while waits are ended. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped = true;
  }

  #lookAt(deadline: number, now: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#dueAt = deadline;
    this.#timer = setTimeout(this.#look, Math.min(TIMER_MS_MAX, Math.ceil(deadline - now)));
  }

  readonly #look = (): void => {
    this.#dueAt = Infinity;
    const now = performance.now();
    const next = this.#endAllBefore(now);
    // What was added meanwhile has its timer already.
    if (next < this.#dueAt) this.#lookAt(Math.max(next, now + LOOK_MS_MIN), now);
  };
}
