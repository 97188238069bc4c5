/**
 * Which of many numbered messages were stored and arrived, to tell what was lost and what came twice: a byte for each
 * that is on its way, in pieces that go when all in them have arrived.
 *
 * @module
 */
import { BENCH_ARRIVALS_PER_PIECE } from "../../limits.ts";

const STORED = 1, ARRIVED = 2, DONE = 4;

interface Piece {
  readonly flags: Uint8Array;
  /** Messages of which something is still to come. */
  left: number;
}

/** Messages by number, from 0 on. */
export class Arrivals {
  /** Messages that arrived, each counted once. */
  arrived = 0;
  /** Arrivals of messages that had arrived before. */
  doubled = 0;
  /** Messages that were acknowledged and have not arrived yet. */
  missing = 0;
  /** By piece; undefined where all have arrived. */
  readonly #pieces: (Piece | undefined)[] = [];

  /** The broker acknowledged a message. */
  stored(number: number): void {
    const piece = this.#piece(number);
    const flags = piece?.flags[number % BENCH_ARRIVALS_PER_PIECE] ?? DONE;
    if ((flags & (STORED | DONE)) !== 0) return;
    if ((flags & ARRIVED) === 0) this.missing++;
    this.#set(piece!, number, flags | STORED);
  }

  /** The broker refused a message: it is not expected, though it may still come. */
  refused(number: number): void {
    const piece = this.#piece(number);
    const flags = piece?.flags[number % BENCH_ARRIVALS_PER_PIECE] ?? DONE;
    if ((flags & DONE) === 0) this.#set(piece!, number, flags | DONE);
  }

  /** A consumer got a message. False: it had it before. */
  arrive(number: number): boolean {
    const piece = this.#piece(number);
    const flags = piece?.flags[number % BENCH_ARRIVALS_PER_PIECE] ?? ARRIVED;
    if ((flags & ARRIVED) !== 0) {
      this.doubled++;
      return false;
    }
    this.arrived++;
    if ((flags & STORED) !== 0) this.missing--;
    this.#set(piece!, number, flags | ARRIVED);
    return true;
  }

  #piece(number: number): Piece | undefined {
    const index = Math.floor(number / BENCH_ARRIVALS_PER_PIECE);
    while (this.#pieces.length <= index) {
      this.#pieces.push({ flags: new Uint8Array(BENCH_ARRIVALS_PER_PIECE), left: BENCH_ARRIVALS_PER_PIECE });
    }
    return this.#pieces[index];
  }

  #set(piece: Piece, number: number, flags: number): void {
    const settled = (flags & ARRIVED) !== 0 && (flags & STORED) !== 0;
    const at = number % BENCH_ARRIVALS_PER_PIECE;
    const had = piece.flags[at]!;
    const now = settled ? flags | DONE : flags;
    piece.flags[at] = now;
    if ((had & DONE) === 0 && (now & DONE) !== 0 && --piece.left === 0) {
      this.#pieces[Math.floor(number / BENCH_ARRIVALS_PER_PIECE)] = undefined;
    }
  }
}
