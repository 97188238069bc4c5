/**
 * What has to be done now and then: gathered queue and index entries are written, made durable, and the checkpoint says
 * how far that is.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { CHECKPOINT_INTERVAL_MS } from "../limits.ts";
import type { Clock } from "../platform/clock.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Flusher } from "./flush.ts";
import type { StoreState } from "./state.ts";

export class Housekeeping {
  #lastCheckpoint: number;
  #running: Promise<void> | undefined;

  constructor(
    readonly dispatcher: Dispatcher,
    readonly flusher: Flusher,
    readonly checkpoint: Checkpoint,
    readonly clock: Clock,
    readonly state: StoreState,
  ) {
    this.#lastCheckpoint = clock.now();
  }

  /** Writes gathered queue and index entries; now and then makes them durable and moves the checkpoint. */
  run(): void {
    const { queues, index } = this.dispatcher;
    if (this.#running !== undefined || this.state.failure !== undefined) return;
    try {
      queues.flush();
      index?.flush();
      queues.removeSome();
    } catch (error) {
      this.state.fail(`queues or index cannot be written: ${messageOf(error)}`);
      return;
    }
    const now = this.clock.now();
    if (now - this.#lastCheckpoint < CHECKPOINT_INTERVAL_MS) return;
    this.#lastCheckpoint = now;
    this.#running = this.moveCheckpoint().finally(() => this.#running = undefined);
  }

  /** Makes log, queues and index durable as they are written, and says so in the checkpoint. */
  async moveCheckpoint(): Promise<void> {
    const { queues, index, lastStoreTimestamp } = this.dispatcher;
    try {
      await this.flusher.sync();
      await queues.sync();
      await index?.sync();
      if (this.state.failure !== undefined) return;
      if (lastStoreTimestamp > 0) this.checkpoint.logicsMsgTimestamp = lastStoreTimestamp;
      this.checkpoint.flush();
    } catch (error) {
      this.state.fail(`queues, index or checkpoint cannot be synced: ${messageOf(error)}`);
    }
  }

  /** Resolves when what is under way is done. */
  async rest(): Promise<void> {
    await this.#running;
  }
}
