/**
 * How far the half queue and its op queue are done: which half messages ahead have ended, one bit each, and the offsets
 * to go on from after a restart. RocketMQ keeps the same two offsets, and reads the op queue anew in every round.
 *
 * @module
 */
import { ENDED_CHUNKS_MAX, HALVES_PER_ENDED_CHUNK, OP_MARKS_MAX, RENEWED_HALVES_MAX } from "../limits.ts";

/** Op messages before `op` name half messages up to `half`. */
interface OpMark {
  op: number;
  half: number;
}

/** Progress of one half queue; offsets are those of the queues. */
export class HalfProgress {
  /** Half messages before this one are done with. */
  half: number;
  /** The next op message to take. */
  nextOp: number;
  /** After a restart op messages are read from here. */
  safeOp: number;
  readonly #ended = new Map<number, Uint8Array>();
  /** The newest half message that was named since the last mark. */
  #named = -1;
  readonly #marks: OpMark[] = [];
  /** Half messages that were stored anew, and the offset of the next copy; the oldest are forgotten first. */
  readonly #renewed = new Map<number, number>();

  constructor(half: number, op: number) {
    this.half = half;
    this.nextOp = this.safeOp = op;
  }

  /**
   * Takes the op message at `op`, which ends the half message at `half` (undefined: none). False when it is not the next
   * one, or there is no room: it must be read later.
   */
  takeOp(op: number, half: number | undefined): boolean {
    if (op !== this.nextOp) return false;
    if (half !== undefined && half >= this.half) {
      if (!this.#end(half)) return false;
      this.#named = Math.max(this.#named, half);
    }
    this.nextOp++;
    return true;
  }

  #end(half: number): boolean {
    const bit = half % HALVES_PER_ENDED_CHUNK;
    const number = (half - bit) / HALVES_PER_ENDED_CHUNK;
    let chunk = this.#ended.get(number);
    if (chunk === undefined) {
      if (this.#ended.size >= ENDED_CHUNKS_MAX) return false;
      this.#ended.set(number, chunk = new Uint8Array(HALVES_PER_ENDED_CHUNK / 8));
    }
    chunk[bit >>> 3]! |= 1 << (bit & 7);
    return true;
  }

  /** Whether an op message said so. */
  isEnded(half: number): boolean {
    const bit = half % HALVES_PER_ENDED_CHUNK;
    const chunk = this.#ended.get((half - bit) / HALVES_PER_ENDED_CHUNK);
    return chunk !== undefined && (chunk[bit >>> 3]! & 1 << (bit & 7)) !== 0;
  }

  /** All half messages before this one are done with. */
  passTo(half: number): void {
    const before = Math.floor(this.half / HALVES_PER_ENDED_CHUNK);
    this.half = half;
    const first = Math.floor(half / HALVES_PER_ENDED_CHUNK);
    if (first === before) return;
    for (const number of this.#ended.keys()) if (number < first) this.#ended.delete(number);
  }

  /** The op messages before `op` cannot be read. */
  skipOpsTo(op: number): void {
    this.nextOp = Math.max(this.nextOp, op);
  }

  /** Moves `safeOp` behind the op messages whose half messages have been passed. Called once a round. */
  mark(): void {
    const { nextOp } = this;
    const last = this.#marks.at(-1);
    if (nextOp > (last?.op ?? this.safeOp)) {
      if (this.#marks.length < OP_MARKS_MAX) this.#marks.push({ op: nextOp, half: this.#named });
      else Object.assign(last!, { op: nextOp, half: Math.max(last!.half, this.#named) });
      this.#named = -1;
    }
    while (this.#marks.length > 0 && this.#marks[0]!.half < this.half) this.safeOp = this.#marks.shift()!.op;
  }

  /** Says that a half message was stored anew. A copy comes behind it, or it is none: copies make no circle. */
  renewed(half: number, copy: number): void {
    if (copy <= half) return;
    this.#renewed.delete(half);
    this.#renewed.set(half, copy);
    if (this.#renewed.size > RENEWED_HALVES_MAX) this.#renewed.delete(this.#renewed.keys().next().value!);
  }

  /** The offset of the newest copy of a half message, as far as it is known; its own when it has none. */
  newestOf(half: number): number {
    let newest = half;
    for (let next = this.#renewed.get(half); next !== undefined; next = this.#renewed.get(newest)) newest = next;
    if (newest !== half) this.#renewed.set(half, newest);
    return newest;
  }
}
