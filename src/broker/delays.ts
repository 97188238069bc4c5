/**
 * Delayed messages: each delay level is a queue of the schedule topic, in which messages wait in the order in which they
 * are due. One timer serves all levels, for the earliest of their heads. GET_ALL_DELAY_OFFSET 45 tells how far they are.
 *
 * @module
 */
import { DELAY_LOOK_MS_MAX, DELAYED_BYTES_PER_TURN, DELAYED_MESSAGES_PER_TURN } from "../limits.ts";
import type { Timer } from "../platform/clock.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { SystemTopic } from "../protocol/names.ts";
import { GetAllDelayOffset } from "../protocol/requests.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import { type Budget, DelayLevel, type DelayLevelContext } from "./delay_level.ts";
import { DelayOffsets } from "./delay_offsets.ts";

/** What delays need of the broker. */
export interface DelaysContext extends Pick<BrokerContext, "disk" | "clock"> {
  readonly settings: Pick<BrokerContext["settings"], "storePathRootDir" | "flushDelayOffsetInterval">;
  readonly store: DelayLevelContext["store"] & Pick<BrokerContext["store"], "onArrival" | "sync">;
  readonly intake: DelayLevelContext["intake"];
  readonly stats: DelayLevelContext["stats"];
}

/** Delivers delayed messages when they are due. */
export class Delays {
  readonly #broker: DelaysContext;
  /** What a slave copies from its master; nobody else may change them. */
  readonly offsets: DelayOffsets;
  /** Level n is at n - 1. */
  #levels: readonly DelayLevel[] = [];
  /** The level whose turn is first, so that a busy one does not keep the others waiting. */
  #first = 0;
  #timer: Timer | undefined;
  #wakesAt = 0;
  #saver: Timer | undefined;

  constructor(broker: DelaysContext) {
    this.#broker = broker;
    this.offsets = new DelayOffsets(broker);
  }

  /** Adds the handler of GET_ALL_DELAY_OFFSET. */
  handlers(table: HandlerTable): void {
    table.on(GetAllDelayOffset, () => ({ code: ResponseCode.SUCCESS, body: this.offsets.toBody() }));
  }

  /** Delivers from now on, what is overdue at once; saves every `flushDelayOffsetInterval`. Only a master does that. */
  start(): void {
    const { store, intake, stats, clock, settings } = this.#broker;
    const context = { store, intake, stats, clock, offsets: this.offsets, settled: () => this.#arm() };
    this.#levels = store.options.delayLevels.map((delayMs, i) => new DelayLevel(i + 1, delayMs, context));
    store.onArrival((topic, queueId) => {
      if (topic !== SystemTopic.SCHEDULE) return;
      this.#levels[queueId]?.arrived();
      this.#arm();
    });
    this.#saver = clock.every(settings.flushDelayOffsetInterval, () => void this.offsets.save());
    this.#arm();
  }

  /** Sets the timer for the level that is due first. */
  #arm(): void {
    const { clock } = this.#broker;
    const now = clock.now();
    let at = Infinity;
    for (const level of this.#levels) at = Math.min(at, level.dueAt(now));
    if (at === Infinity) return;
    // Not at a far time: the clock may be set.
    at = Math.min(Math.max(at, now), now + DELAY_LOOK_MS_MAX);
    if (this.#timer !== undefined && this.#wakesAt <= at) return;
    this.#timer?.cancel();
    this.#wakesAt = at;
    this.#timer = clock.after(at - now, () => this.#run());
  }

  /** One turn: a bounded number of messages, so that requests are served in between. */
  #run(): void {
    this.#timer = undefined;
    const levels = this.#levels;
    const now = this.#broker.clock.now();
    const budget: Budget = { messages: DELAYED_MESSAGES_PER_TURN, bytes: DELAYED_BYTES_PER_TURN };
    const first = this.#first;
    for (let i = 0; i < levels.length && budget.messages > 0 && budget.bytes > 0; i++) {
      const at = (first + i) % levels.length;
      if (levels[at]!.dueAt(now) > now) continue;
      levels[at]!.deliver(budget);
      this.#first = at + 1;
    }
    this.#arm();
  }

  /** Stops, and saves for the last time. */
  async close(): Promise<void> {
    const levels = this.#levels;
    this.#levels = [];
    this.#timer?.cancel();
    this.#saver?.cancel();
    await Promise.all(levels.map((level) => level.stop()));
    await this.offsets.close();
  }
}
