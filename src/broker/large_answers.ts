/**
 * Answers that are large or take long to make: one is made after the other, so that they are never in memory all at
 * once. A peer that does not read its answers lets the others go first, and all of them let other requests have their
 * turn.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { LARGE_ANSWERS_MS_PER_TURN } from "../limits.ts";
import { type Clock, pause } from "../platform/clock.ts";
import { ResponseCode } from "../protocol/codes.ts";
import type { Answer, Incoming } from "../remoting/handlers.ts";

/** Makes answers in the order in which they are asked for. */
export class LargeAnswers {
  readonly #failure: string;
  readonly #clock: Clock;
  #last: Promise<void> = Promise.resolve();
  /** How long answers were made since others had their turn, ms. */
  #spentMs = 0;

  /** `failure`: what the remark says before the reason when an answer cannot be made. */
  constructor(failure: string, clock: Clock) {
    this.#failure = failure;
    this.#clock = clock;
  }

  /** Answers a request by what `make` gives once it is this one's turn. `make` is not called for whom nobody listens. */
  give<R>(request: Incoming<R>, make: () => Answer<R> | Promise<Answer<R>>): void {
    const { connection } = request;
    if (connection.isClosed || request.oneWay) return request.hold();
    if (connection.congested) return connection.whenDrained(() => this.give(request, make));
    this.#last = this.#last.then(async () => {
      // What is found in memory comes without a pause of its own.
      if (this.#spentMs >= LARGE_ANSWERS_MS_PER_TURN) {
        this.#spentMs = 0;
        await pause(this.#clock);
      }
      if (connection.congested || connection.isClosed) return this.give(request, make);
      const began = this.#clock.now();
      const made = make();
      // What was found in memory is a view, and good for now only.
      request.answer(made instanceof Promise ? await made : made);
      this.#spentMs += Math.max(0, this.#clock.now() - began);
    }).catch((error) => {
      request.answer({ code: ResponseCode.SYSTEM_ERROR, remark: `${this.#failure}: ${messageOf(error)}` });
    });
  }
}
