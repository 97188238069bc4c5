/**
 * What has to be done now and then: gathered queue and index entries are written, made durable, and the checkpoint says
 * how far that is. Queues are written in rounds: few of them all at once, many with pauses, so that a queue's entries
 * come together to one write.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import {
  CHECKPOINT_INTERVAL_MS,
  CHECKPOINT_LOG_BYTES,
  QUEUE_ROUND_INTERVALS_MAX,
  QUEUES_WRITTEN_PER_INTERVAL,
  QUEUES_WRITTEN_PER_TURN,
} from "../limits.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Dispatcher, Known } from "./dispatcher.ts";
import type { Flusher } from "./flush.ts";
import type { StoreState } from "./state.ts";

export class Housekeeping {
  #lastCheckpoint: number;
  /** Where the log ended that it was about. */
  #lastEnd: number;
  #running: Promise<void> | undefined;
  #nextTurn: Timer | undefined;
  /** Queues that the round has still to write. */
  #left = 0;
  /** Queues that it writes with each interval. */
  #perInterval = 0;
  /** What queues and index knew when the round began. */
  #known: Known;

  constructor(
    readonly dispatcher: Dispatcher,
    readonly flusher: Flusher,
    readonly checkpoint: Checkpoint,
    readonly clock: Clock,
    readonly state: StoreState,
    afterCrash = false,
  ) {
    this.#known = dispatcher.known();
    this.#lastEnd = this.#known.end;
    // What a crash left is made safe soon, lest the next one finds all of it to be done again.
    this.#lastCheckpoint = afterCrash ? -Infinity : clock.now();
  }

  /** Goes on with the round, or begins one; after some rounds all that is durable and the checkpoint moves. */
  run(): void {
    const { queues } = this.dispatcher;
    if (this.#running !== undefined || this.#nextTurn !== undefined || this.state.failure !== undefined) return;
    if (this.#left === 0) {
      this.#left = queues.gathering;
      this.#perInterval = Math.max(QUEUES_WRITTEN_PER_INTERVAL, Math.ceil(this.#left / QUEUE_ROUND_INTERVALS_MAX));
      this.#known = this.dispatcher.known();
    }
    this.#write(this.#perInterval);
  }

  /** Writes so many queues of the round, turn by turn, and what all have in common. */
  #write(most: number): void {
    const { queues, index } = this.dispatcher;
    const count = Math.min(most, this.#left, QUEUES_WRITTEN_PER_TURN);
    this.#nextTurn = undefined;
    try {
      queues.flush(count);
      this.#left -= count;
      if (this.#left > 0 && most > count) {
        this.#nextTurn = this.clock.after(0, () => this.#write(most - count));
        return;
      }
      index?.flush();
      queues.removeSome();
    } catch (error) {
      this.state.fail(`queues or index cannot be written: ${messageOf(error)}`);
      return;
    }
    if (this.#left > 0 || !this.#isDue()) return;
    this.#lastCheckpoint = this.clock.now();
    this.#lastEnd = this.#known.end;
    this.#running = this.#moveCheckpoint(this.#known).finally(() => this.#running = undefined);
  }

  /** Whether the checkpoint is to move: after some time, and sooner when a crash would leave much to be done again. */
  #isDue(): boolean {
    if (this.clock.now() - this.#lastCheckpoint >= CHECKPOINT_INTERVAL_MS) return true;
    // Many queues are many files to be synced.
    const areFew = this.dispatcher.queues.gathering <= QUEUES_WRITTEN_PER_INTERVAL;
    return areFew && this.#known.end - this.#lastEnd >= CHECKPOINT_LOG_BYTES;
  }

  /** Makes log, queues and index durable as they are written, and says in the checkpoint until when they are whole. */
  async #moveCheckpoint({ lastStoreTimestamp, lastRecord, end, indexEnd }: Known): Promise<void> {
    const { queues, index } = this.dispatcher;
    try {
      await this.flusher.sync();
      await queues.sync();
      await index?.sync();
      if (this.state.failure !== undefined) return;
      if (lastRecord >= 0) {
        const overhead = this.flusher.log.measureOverhead();
        this.checkpoint.safePoint = { lastRecord, end, indexEnd, overhead };
        this.checkpoint.logicsMsgTimestamp = lastStoreTimestamp;
      }
      await this.checkpoint.flush();
    } catch (error) {
      this.state.fail(`queues, index or checkpoint cannot be synced: ${messageOf(error)}`);
    }
  }

  /** Ends what is under way, and writes all that is left and makes it durable. */
  async finish(): Promise<void> {
    const { queues, index } = this.dispatcher;
    this.#nextTurn?.cancel();
    await this.#running;
    if (this.state.failure !== undefined) return;
    queues.flush();
    index?.flush();
    await this.#moveCheckpoint(this.dispatcher.known());
  }
}
