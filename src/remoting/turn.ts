/**
 * When the event loop's turn began that brought what is being read now. The runtime reads from every socket that is
 * ready and then hands all of it over at once, so what one connection's requests cost, those of the next ones wait.
 *
 * @module
 */
import { setImmediate } from "node:timers";

let began = 0;
let turns = 0;

const end = () => {
  began = 0;
};

/**
 * The time at which this turn began to hand over what was read, ms: that is when the bytes of all of them were read.
 * What waited in the kernel before that, because the turn before was long, is not known to anybody.
 *
 * @param now the time, ms
 */
export function turnBegan(now: number): number {
  if (began === 0) {
    began = now;
    turns++;
    // Runs behind the continuations of all reads of this turn.
    queueMicrotask(end);
  }
  return began;
}

/** The number of the turn that reads were handed over in last. */
export function turnNumber(): number {
  return turns;
}

/**
 * Resolves when all that is ready has had its turn. Reads and writes that need not wait resolve within the turn, up to a
 * hundred in a row: who moves much that way lets nobody else in unless it calls this.
 */
export function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
