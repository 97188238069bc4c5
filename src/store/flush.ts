/**
 * Making the log survive a power loss. ASYNC_FLUSH: now and then. SYNC_FLUSH: before the sender hears of it, by syncs that
 * all share who were there when they began. While the disk is at one, the next may begin: the system puts them together,
 * and nobody waits for the end of a sync that began too early.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { PAGE_BYTES, SYNC_WATCH_MS, SYNCS_AT_ONCE } from "../limits.ts";
import { type Clock, isOver, type Timer } from "../platform/clock.ts";
import { everyNow } from "../platform/pace.ts";
import { callBack, type PendingPut, refused } from "./appender.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { CommitLog } from "./commit_log.ts";
import type { StoreOptions } from "./options.ts";
import type { PutFigures } from "./put_figures.ts";
import type { StoreState } from "./state.ts";

/** Puts that were written together; whoever sent them waits for the disk. */
interface Waiting {
  readonly puts: readonly PendingPut[];
  /** Where the last of them ends in the log. */
  readonly end: number;
  readonly deadline: number;
}

export class Flusher {
  /** In the order of their ends and of their deadlines. */
  #waiting: Waiting[] = [];
  /** Syncs that somebody waits for; they cover everything before `#coveredEnd`. */
  readonly #syncs = new Set<Promise<void>>();
  #coveredEnd = 0;
  #busy = false;
  #lastSync: number;
  readonly #timers: Timer[] = [];

  constructor(
    readonly log: CommitLog,
    readonly checkpoint: Checkpoint,
    readonly options: StoreOptions,
    readonly clock: Clock,
    readonly state: StoreState,
    readonly figures: Pick<PutFigures, "answersAt">,
  ) {
    this.#lastSync = clock.now();
  }

  start(): void {
    this.#timers.push(everyNow(this.clock, () => this.options.flushIntervalCommitLog, () => this.#tick()));
    if (this.options.flushDiskType === "SYNC_FLUSH") {
      this.#timers.push(this.clock.every(SYNC_WATCH_MS, () => this.#answerOverdue()));
    }
  }

  /** Takes puts whose bytes are written: answers them, or when they are safe. */
  take(puts: readonly PendingPut[]): void {
    const sync = this.options.flushDiskType === "SYNC_FLUSH";
    const waiting: PendingPut[] = [];
    for (const put of puts) {
      if (sync && put.wait) waiting.push(put);
      else callBack(put);
    }
    const last = waiting.at(-1);
    if (last === undefined) return;
    const deadline = this.clock.now() + this.options.syncFlushTimeout;
    this.#waiting.push({ puts: waiting, end: last.end, deadline });
    this.#syncMore();
  }

  /** Begins a sync when somebody waits whom none covers that is under way. */
  #syncMore(): void {
    const last = this.#waiting.at(-1);
    if (last === undefined || last.end <= this.#coveredEnd || this.#syncs.size >= SYNCS_AT_ONCE) return;
    this.#coveredEnd = this.log.writtenEnd;
    const sync = this.sync().then(() => {
      this.#syncs.delete(sync);
      // First of all, so that the disk does not wait until the answers are made.
      this.#syncMore();
      this.#answer();
    });
    this.#syncs.add(sync);
  }

  /** Answers those whose puts are safe by now, or all when they never will be. */
  #answer(): void {
    const failed = this.state.failure !== undefined;
    const { syncedEnd } = this.log;
    this.figures.answersAt = this.clock.now();
    for (const { puts, end } of this.#leave(({ end }) => failed || end <= syncedEnd)) {
      for (const put of puts) {
        if (end <= syncedEnd) callBack(put);
        else callBack(put, refused("SERVICE_NOT_AVAILABLE", this.state.refusal));
      }
    }
  }

  /** Takes those away who wait no longer. */
  #leave(isOver: (waiting: Waiting) => boolean): Waiting[] {
    const stays = this.#waiting.findIndex((waiting) => !isOver(waiting));
    return this.#waiting.splice(0, stays < 0 ? this.#waiting.length : stays);
  }

  /** One sync of all that is written; a failed one is final for the store. */
  async sync(): Promise<void> {
    if (this.state.failure !== undefined) return;
    const { lastStoreTimestamp } = this.log;
    try {
      await this.log.sync();
      this.#lastSync = this.clock.now();
      const { checkpoint } = this;
      checkpoint.physicMsgTimestamp = Math.max(checkpoint.physicMsgTimestamp, lastStoreTimestamp);
    } catch (error) {
      this.state.fail(`the commit log cannot be synced: ${messageOf(error)}`);
    }
  }

  #tick(): void {
    const { log, options } = this;
    if (this.#busy || log.unsyncedBytes === 0) return;
    const thorough = this.clock.now() - this.#lastSync >= options.flushCommitLogThoroughInterval;
    if (!thorough && log.unsyncedBytes < options.flushCommitLogLeastPages * PAGE_BYTES) return;
    this.#busy = true;
    this.sync().finally(() => this.#busy = false);
  }

  #answerOverdue(): void {
    const now = this.figures.answersAt = this.clock.now();
    const { syncFlushTimeout } = this.options;
    const reason = `the disk did not sync within syncFlushTimeout, ${syncFlushTimeout} ms`;
    for (const { puts } of this.#leave(({ deadline }) => isOver(deadline, syncFlushTimeout, now))) {
      for (const put of puts) {
        callBack(put, { ...put.result, status: "FLUSH_DISK_TIMEOUT", reason });
      }
    }
  }

  /** Stops the timers and syncs what is left. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    while (this.#syncs.size > 0) await Promise.all(this.#syncs);
    await this.sync();
  }
}
