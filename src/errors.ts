/**
 * The one error class of rocketd and the closed list of its codes.
 *
 * @module
 */

import { TEXT_LENGTH_SHOWN } from "./limits.ts";

/**
 * What may go wrong, by cause. `retriable`: the same call may succeed later or elsewhere without a change.
 *
 * @example
 * ```ts
 * import { ErrorCodes } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const worthAnotherTry = Object.entries(ErrorCodes).filter(([, { retriable }]) => retriable).map(([code]) => code);
 * assertEquals(worthAnotherTry, ["gap", "unavailable", "timeout"]);
 * ```
 */
export const ErrorCodes = {
  /** Bytes that are not what the protocol or the store says they are. */
  malformed: { retriable: false },
  /** A value from a person or a peer that is missing, of the wrong type or out of range. */
  invalidArgument: { retriable: false },
  /** A command line, file or environment that cannot be used; the process ends with exit code 2. */
  invalidSettings: { retriable: false },
  /** A file, topic, queue or peer that is not there. */
  notFound: { retriable: false },
  /** Another process holds what we need: a store, a port. */
  inUse: { retriable: false },
  /** A record in the store is damaged and data follows it: an operator decides. */
  damagedStore: { retriable: false },
  /** A piece of a master's log that does not begin where the copy ends: the copy needs another one. */
  gap: { retriable: true },
  /** A piece of a log that cannot be the one that this store is a copy of. */
  foreign: { retriable: false },
  /** The disk refused a write, a sync or a read. */
  disk: { retriable: false },
  /** No connection, or it broke. */
  unavailable: { retriable: true },
  /** No answer in time. */
  timeout: { retriable: true },
  /** The peer answered with an error code of RocketMQ's. */
  refused: { retriable: false },
  /** The call was ended by its caller. */
  aborted: { retriable: false },
} as const;

/**
 * A name out of {@linkcode ErrorCodes}.
 *
 * @example
 * ```ts
 * import { type ErrorCode, RocketdError } from "@rocketd/rocketd";
 * import { assert } from "@std/assert";
 *
 * const isOne = (error: unknown, ...codes: ErrorCode[]) => error instanceof RocketdError && codes.includes(error.code);
 * assert(isOne(new RocketdError("timeout", "Cannot send: no answer"), "timeout", "unavailable"));
 * ```
 */
export type ErrorCode = keyof typeof ErrorCodes;

/**
 * What an error is about; everything that is known goes into the message too.
 *
 * @example
 * ```ts
 * import { type ErrorDetails, Producer, RocketdError } from "@rocketd/rocketd";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using producer = new Producer({ nameservers: "127.0.0.1:9876" });
 * const error = await assertRejects(() => producer.send({ topic: "no blanks", body: "x" }), RocketdError);
 * const { field, value }: ErrorDetails = error.details;
 * assertEquals([field, value], ["topic", "no blanks"]);
 * ```
 */
export interface ErrorDetails {
  /** The field, setting or file. */
  readonly field?: string;
  /** Its offending value. */
  readonly value?: unknown;
  /** What would have been allowed. */
  readonly allowed?: string;
  /** RocketMQ's response code, for `refused`. */
  readonly responseCode?: number;
  /** What was thrown underneath. */
  readonly cause?: unknown;
}

/**
 * What everything here throws and rejects with: an error with a code, and with a message that reads "Cannot X: Y".
 *
 * @example
 * ```ts
 * import { Producer, RocketdError } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using producer = new Producer({ nameservers: "127.0.0.1:1" });
 * try {
 *   await producer.send({ topic: "orders", body: "one pizza" });
 * } catch (error) {
 *   if (!(error instanceof RocketdError)) throw error;
 *   assertEquals(error.retriable, true); // `unavailable`: nobody is there
 * }
 * ```
 */
export class RocketdError extends Error {
  /** Always this. */
  override readonly name = "RocketdError";
  /** What went wrong. */
  readonly code: ErrorCode;
  /** What it is about. */
  readonly details: ErrorDetails;

  /** `details.cause` becomes the error's `cause`. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.details = details;
  }

  /** Whether the same call may succeed later or elsewhere. */
  get retriable(): boolean {
    return ErrorCodes[this.code].retriable;
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** A peer's text as an answer's remark may repeat it. */
export function shortened(text: string): string {
  return text.length > TEXT_LENGTH_SHOWN ? `${text.slice(0, TEXT_LENGTH_SHOWN)}…` : text;
}
