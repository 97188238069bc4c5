/**
 * Checks of the numbers that programs give as options, so that a slip in them is told at once and by its name.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { TIMER_MS_MAX } from "../remoting/deadlines.ts";

/** Throws `invalidArgument` for what is no time that can be waited, ms. */
export function checkMs(field: string, value: number): void {
  if (!(value > 0 && value <= TIMER_MS_MAX)) throw badOption(field, value, `more than 0, up to ${TIMER_MS_MAX} ms`);
}

/** Throws `invalidArgument` for what is no whole number from `min` to `max`. */
export function checkWhole(field: string, value: unknown, min: number, max: number): void {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return;
  throw badOption(field, value, `a whole number from ${min} to ${max}`);
}

/** The error for an option that cannot be. */
export function badOption(field: string, value: unknown, allowed: string): RocketdError {
  return new RocketdError("invalidArgument", `Cannot use ${field} ${String(value)}: allowed is ${allowed}`, {
    field,
    value,
    allowed,
  });
}
