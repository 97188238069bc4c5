/**
 * SYNC_MASTER: a sender hears of its message when a slave holds it. Runs beside the wait for the disk; who waits is let
 * go by what slaves report, and one timer looks after those that wait too long (HAService of RocketMQ 4.9.7).
 *
 * @module
 */
import { REPLICA_WAITS_GONE_MAX } from "../limits.ts";
import { type Clock, isOver, type Timer } from "../platform/clock.ts";
import { callBack, type PendingPut } from "./appender.ts";
import type { StoreOptions } from "./options.ts";
import type { PutFigures } from "./put_figures.ts";
import type { PutResult, PutStatus } from "./types.ts";

/** Who counts the slaves: the server that they copy the log from. */
export interface Replicas {
  /** How many slaves are connected. */
  connected: () => number;
}

/** A put that the disk and a slave have to say something about. */
class Waiting {
  #disk: PutResult | undefined;
  #slave: { readonly status: PutStatus; readonly reason: string } | undefined;
  #answered = false;

  constructor(readonly put: PendingPut, readonly deadline: number) {}

  diskSaid(result: PutResult): void {
    this.#disk = result;
    this.#settle();
  }

  slaveSaid(status: PutStatus, reason = ""): void {
    this.#slave = { status, reason };
    this.#settle();
  }

  #settle(): void {
    const disk = this.#disk;
    const slave = this.#slave;
    if (this.#answered || disk === undefined) return;
    const lost = disk.status === "SERVICE_NOT_AVAILABLE";
    if (!lost && slave === undefined) return;
    this.#answered = true;
    // Of two that were late, RocketMQ names the slave.
    if (lost || slave?.status === "PUT_OK") return callBack(this.put, disk);
    callBack(this.put, { ...disk, ...slave });
  }
}

export class ReplicaWaits {
  replicas: Replicas = { connected: () => 0 };
  /** Everything before it is on a slave. */
  acknowledgedEnd = 0;
  /** In the order of their ends and of their deadlines; those before `#head` are gone. */
  #waiting: Waiting[] = [];
  #head = 0;
  #timer: Timer | undefined;

  /** @param next takes the puts, each with a `done` that tells what the disk said */
  constructor(
    readonly options: StoreOptions,
    readonly clock: Clock,
    readonly figures: Pick<PutFigures, "answersAt">,
    readonly next: (puts: PendingPut[]) => void,
  ) {}

  /** How many puts wait for a slave. */
  get size(): number {
    return this.#waiting.length - this.#head;
  }

  /** Takes puts whose bytes are written. */
  take(puts: PendingPut[]): void {
    this.next(this.options.brokerRole === "SYNC_MASTER" ? puts.map((put) => put.wait ? this.#await(put) : put) : puts);
  }

  #await(put: PendingPut): PendingPut {
    const { slaveTimeout } = this.options;
    const waiting = new Waiting(put, this.clock.now() + slaveTimeout);
    const problem = this.#problem(put.end);
    if (problem !== undefined) waiting.slaveSaid("SLAVE_NOT_AVAILABLE", problem);
    else if (put.end <= this.acknowledgedEnd) waiting.slaveSaid("PUT_OK");
    else {
      this.#waiting.push(waiting);
      this.#timer ??= this.clock.after(slaveTimeout, () => this.#expire());
    }
    return { ...put, done: (result) => waiting.diskSaid(result), figures: undefined };
  }

  /** Why it is no use to wait for a slave, or undefined. */
  #problem(end: number): string | undefined {
    if (this.replicas.connected() <= 0) return "no slave is connected";
    const behind = end - this.acknowledgedEnd;
    const { haSlaveFallbehindMax } = this.options;
    if (behind < haSlaveFallbehindMax) return undefined;
    return `every slave is ${behind} bytes or more behind, haSlaveFallbehindMax is ${haSlaveFallbehindMax}`;
  }

  /** A slave holds everything before `end`; lets those go that waited for it. */
  acknowledged(end: number): void {
    if (end <= this.acknowledgedEnd) return;
    this.acknowledgedEnd = end;
    this.#release((waiting) => waiting.put.end <= end, "PUT_OK");
  }

  #expire(): void {
    const now = this.clock.now();
    const { slaveTimeout } = this.options;
    this.#timer = undefined;
    this.#release(
      (waiting) => isOver(waiting.deadline, slaveTimeout, now),
      "FLUSH_SLAVE_TIMEOUT",
      `no slave had it within slaveTimeout, ${slaveTimeout} ms`,
    );
    const first = this.#waiting[this.#head];
    if (first !== undefined) this.#timer ??= this.clock.after(first.deadline - now, () => this.#expire());
  }

  #release(isDue: (waiting: Waiting) => boolean, status: PutStatus, reason = ""): void {
    this.figures.answersAt = this.clock.now();
    while (this.#head < this.#waiting.length && isDue(this.#waiting[this.#head]!)) {
      this.#waiting[this.#head++]!.slaveSaid(status, reason);
    }
    const gone = this.#head;
    const worthIt = gone >= REPLICA_WAITS_GONE_MAX && gone * 2 >= this.#waiting.length;
    if (gone < this.#waiting.length && !worthIt) return;
    this.#waiting = this.#waiting.slice(gone);
    this.#head = 0;
  }

  /** Lets all go that still wait. */
  stop(): void {
    this.#timer?.cancel();
    this.#release(() => true, "FLUSH_SLAVE_TIMEOUT", "the store was closed before a slave had it");
  }
}
