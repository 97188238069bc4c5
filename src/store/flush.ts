/**
 * Making the log survive a power loss. ASYNC_FLUSH: now and then. SYNC_FLUSH: before the sender hears of it, one sync at
 * a time, which all share who were there when it began.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { PAGE_BYTES, SYNC_WATCH_MS } from "../limits.ts";
import { type Clock, isOver, type Timer } from "../platform/clock.ts";
import { everyNow } from "../platform/pace.ts";
import { callBack, type PendingPut, refused } from "./appender.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { CommitLog } from "./commit_log.ts";
import type { StoreOptions } from "./options.ts";
import type { PutFigures } from "./put_figures.ts";
import type { StoreState } from "./state.ts";

interface Waiting {
  readonly put: PendingPut;
  readonly deadline: number;
  answered: boolean;
}

export class Flusher {
  #waiting: Waiting[] = [];
  #syncing: Waiting[] = [];
  #running: Promise<void> | undefined;
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
    const deadline = sync ? this.clock.now() + this.options.syncFlushTimeout : 0;
    for (const put of puts) {
      if (sync && put.wait) this.#waiting.push({ put, deadline, answered: false });
      else callBack(put);
    }
    if (this.#waiting.length > 0) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#syncing = this.#waiting;
      this.#waiting = [];
      await this.sync();
      this.figures.answersAt = this.clock.now();
      const safe = this.log.syncedEnd;
      for (const waiting of this.#syncing) {
        if (waiting.answered) continue;
        waiting.answered = true;
        if (waiting.put.end <= safe) callBack(waiting.put);
        else callBack(waiting.put, [refused("SERVICE_NOT_AVAILABLE", this.state.refusal)]);
      }
      this.#syncing = [];
    }
    // At once: puts that are taken before this promise is seen to be settled need a new run.
    this.#running = undefined;
  }

  /** One sync of all that is written; a failed one is final for the store. */
  async sync(): Promise<void> {
    if (this.state.failure !== undefined) return;
    const { lastStoreTimestamp } = this.log;
    try {
      await this.log.sync();
      this.#lastSync = this.clock.now();
      if (lastStoreTimestamp > 0) this.checkpoint.physicMsgTimestamp = lastStoreTimestamp;
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
    for (const waiting of [...this.#syncing, ...this.#waiting]) {
      if (waiting.answered || !isOver(waiting.deadline, syncFlushTimeout, now)) continue;
      waiting.answered = true;
      const reason = `the disk did not sync within syncFlushTimeout, ${syncFlushTimeout} ms`;
      callBack(waiting.put, waiting.put.results.map((result) => ({ ...result, status: "FLUSH_DISK_TIMEOUT", reason })));
    }
  }

  /** Stops the timers and syncs what is left. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#running;
    await this.sync();
  }
}
