/**
 * Answers that are large or take long to make: one is made after the other, so that they are never in memory all at
 * once. A peer that does not read its answers lets the others go first.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { ResponseCode } from "../protocol/codes.ts";
import type { Answer, Incoming } from "../remoting/handlers.ts";

/** Makes answers in the order in which they are asked for. */
export class LargeAnswers {
  readonly #failure: string;
  #last: Promise<void> = Promise.resolve();

  /** `failure`: what the remark says before the reason when an answer cannot be made. */
  constructor(failure: string) {
    this.#failure = failure;
  }

  /** Answers a request by what `make` gives once it is this one's turn. `make` is not called for whom nobody listens. */
  give<R>(request: Incoming<R>, make: () => Answer<R> | Promise<Answer<R>>): void {
    const { connection } = request;
    if (connection.isClosed || request.oneWay) return request.hold();
    if (connection.congested) return connection.whenDrained(() => this.give(request, make));
    this.#last = this.#last.then(async () => {
      if (connection.congested || connection.isClosed) return this.give(request, make);
      const made = make();
      // What was found in memory is a view, and good for now only.
      request.answer(made instanceof Promise ? await made : made);
    }).catch((error) => {
      request.answer({ code: ResponseCode.SYSTEM_ERROR, remark: `${this.#failure}: ${messageOf(error)}` });
    });
  }
}
