/**
 * A bound for lines of the log that peers can cause.
 *
 * @module
 */

/** Lets so many lines through in a span of time, and counts those that it held back. */
export class LineBudget {
  #began = -Infinity;
  #spent = 0;
  #held = 0;

  /** @param everyMs the span that `lines` are allowed in, ms */
  constructor(readonly lines: number, readonly everyMs: number) {}

  /**
   * Asks for a line: undefined when it must not be written, else what belongs at its end: how many were left out since
   * the last one, or nothing.
   *
   * @param now the time, ms
   */
  spend(now: number): string | undefined {
    if (now - this.#began >= this.everyMs) {
      this.#began = now;
      this.#spent = 0;
    }
    if (this.#spent >= this.lines) {
      this.#held++;
      return undefined;
    }
    this.#spent++;
    const held = this.#held;
    this.#held = 0;
    return held === 0 ? "" : `; ${held} more such lines were left out since the last one`;
  }
}
