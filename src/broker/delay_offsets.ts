/**
 * How far each delay level has been delivered, kept in config/delayOffset.json. RocketMQ 4.9.7 writes the same file, but
 * does not see to it that the delivered messages survive a power loss which the file survives.
 *
 * @module
 */
import type { BrokerSettings } from "../config/mod.ts";
import type { Disk } from "../platform/disk.ts";
import { decodeDelayOffsets, type DelayOffsetTable, encodeDelayOffsets } from "../protocol/bodies/delay_offsets.ts";
import type { MessageStore } from "../store/mod.ts";
import { StateFile } from "./state_file.ts";

/** What delay offsets need. */
export interface DelayOffsetsOptions {
  readonly settings: Pick<BrokerSettings, "storePathRootDir">;
  readonly store: Pick<MessageStore, "sync">;
  readonly disk: Disk;
}

/** By delay level, from 1: the offset of the next entry to deliver in queue level - 1 of the schedule topic. */
export class DelayOffsets {
  readonly #store: DelayOffsetsOptions["store"];
  readonly #file: StateFile<DelayOffsetTable>;
  readonly #offsets: Map<number, number>;
  /** The offsets whose deliveries are known to survive a power loss: what the file gets. */
  #safe: DelayOffsetTable;
  #changed = false;
  #saving: Promise<void> | undefined;

  constructor({ settings, store, disk }: DelayOffsetsOptions) {
    this.#store = store;
    this.#file = new StateFile(disk, `${settings.storePathRootDir}/config/delayOffset.json`, {
      decode: decodeDelayOffsets,
      encode: () => encodeDelayOffsets(this.#safe, { pretty: true }),
    });
    this.#safe = this.#file.load() ?? new Map();
    // Levels that messageDelayLevel no longer has keep their place, in case it has them again.
    this.#offsets = new Map(this.#safe);
  }

  /** 0 for a level of which nothing was delivered. */
  get(level: number): number {
    return this.#offsets.get(level) ?? 0;
  }

  set(level: number, offset: number): void {
    if (this.get(level) === offset) return;
    this.#offsets.set(level, offset);
    this.#changed = true;
  }

  /** A slave takes the offsets of its master, whose deliveries it has in its log. What the disk refuses is logged. */
  replace(offsets: DelayOffsetTable): void {
    for (const [level, offset] of offsets) this.set(level, offset);
    if (!this.#changed) return;
    this.#safe = new Map(this.#offsets);
    this.#file.touch();
    this.#changed = !this.#file.save();
  }

  /** The answer of GET_ALL_DELAY_OFFSET. */
  toBody(): Uint8Array {
    return encodeDelayOffsets(this.#offsets);
  }

  /** Writes what has changed, once the deliveries up to there survive a power loss. Never rejects. */
  save(): Promise<void> {
    return this.#saving ??= this.#save().finally(() => this.#saving = undefined);
  }

  /** Saves for the last time: also what a save that is under way does not have. */
  async close(): Promise<void> {
    await this.#saving;
    await this.save();
  }

  async #save(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    const reached = new Map(this.#offsets);
    // A store that failed has said so itself; what is left is delivered again after the next start.
    if (!await this.#store.sync()) return;
    this.#safe = reached;
    this.#file.touch();
    if (!this.#file.save()) this.#changed = true;
  }
}
