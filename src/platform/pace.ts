/**
 * A timer whose time may change while it runs.
 *
 * @module
 */
import { type Clock, isOver, type Timer } from "./clock.ts";

/** How soon a changed time is noticed, ms. */
const LOOK_MS = 1_000;

/** As `clock.every`, with a time that is asked for anew again and again: a change counts for the wait that goes on, too. */
export function everyNow(clock: Clock, ms: () => number, fn: () => void): Timer {
  let began = clock.now();
  let timer: Timer;
  const wait = () => {
    timer = clock.after(Math.min(Math.max(began + ms() - clock.now(), 0), ms(), LOOK_MS), look);
  };
  const look = () => {
    const now = clock.now();
    const due = isOver(began + ms(), ms(), now);
    if (due) began = now;
    wait();
    if (due) fn();
  };
  wait();
  return { cancel: () => timer.cancel() };
}
