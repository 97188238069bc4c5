/**
 * One delay level: goes through its queue of the schedule topic and puts what is due into its real topic, in order. The
 * offset moves on when the puts were answered; from a failed one on all is put again, so that a message may come twice,
 * but none is left out. Follows ScheduleMessageService of RocketMQ 4.9.7.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { DELAY_GATHER_MS, DELAY_RETRY_MS } from "../limits.ts";
import type { Clock } from "../platform/clock.ts";
import { decodeRecord } from "../protocol/message_record.ts";
import { SystemTopic } from "../protocol/names.ts";
import type { MessageStore } from "../store/mod.ts";
import { type ConsumeQueueSlice, isExtAddress } from "../store/queue_entries.ts";
import type { GetResult, NewMessage, PutResult } from "../store/types.ts";
import type { DelayOffsets } from "./delay_offsets.ts";
import { type Intake, restored } from "./intake.ts";
import type { BrokerStats } from "./stats/mod.ts";

const log = getLogger(["rocketd", "broker"]);

/** What the levels have in common. */
export interface DelayLevelContext {
  readonly store: Pick<MessageStore, "queues" | "get" | "storeTimeAt" | "options">;
  readonly intake: Pick<Intake, "deliver">;
  readonly offsets: DelayOffsets;
  readonly stats: Pick<BrokerStats, "delivered">;
  readonly clock: Pick<Clock, "now">;
  /** Called when a delivery is over: the level may have more. */
  settled(): void;
}

/** What one turn may still put, over all levels. */
export interface Budget {
  messages: number;
  bytes: number;
}

/** Delivers the messages of one level. */
export class DelayLevel {
  readonly #context: DelayLevelContext;
  readonly #queueId: number;
  /** The entry that is put next. */
  #next: number;
  /** When that is due by its entry, ms; Infinity where there is none yet. */
  #head = Infinity;
  #notBefore = 0;
  /** A delivery is under way: it reads, or puts have no answer yet. */
  #busy = false;
  /** How much the delivery waits for. */
  #pending = 0;
  /** The first entry of the delivery that could not be put. */
  #failed: number | undefined;
  #troubled = false;
  #stopped = false;
  #reading: Promise<void> = Promise.resolve();

  /**
   * @param level from 1
   * @param delayMs how long its messages wait
   */
  constructor(readonly level: number, readonly delayMs: number, context: DelayLevelContext) {
    this.#context = context;
    this.#queueId = level - 1;
    this.#next = context.offsets.get(level);
    this.#look();
  }

  /**
   * When the level has something to do, ms; Infinity: not before something happens. A message that would wait longer than
   * its level says is due: the clock was set back, or the level's delay was another one when it was stored.
   */
  dueAt(now: number): number {
    if (this.#busy || this.#head === Infinity) return Infinity;
    const due = this.#isDue(this.#head, now) ? now : this.#head;
    return this.#notBefore <= now + DELAY_RETRY_MS ? Math.max(due, this.#notBefore) : due;
  }

  #isDue(deliverTime: number, now: number): boolean {
    return deliverTime <= now || deliverTime > now + this.delayMs;
  }

  /** An entry has arrived in the queue. */
  arrived(): void {
    if (this.#head === Infinity && !this.#busy) this.#look();
  }

  /** Puts what is due, as far as the budget goes. Never throws. */
  deliver(budget: Budget): void {
    this.#attempt(() => this.#putDue(budget));
  }

  #putDue(budget: Budget): void {
    const { store, clock } = this.#context;
    while (this.#failed === undefined && budget.messages > 0 && budget.bytes > 0) {
      const count = this.#countDue(budget.messages);
      if (count === 0) {
        // Those that are due one after the other share a write.
        this.#notBefore = clock.now() + DELAY_GATHER_MS;
        return;
      }
      const found = store.get(SystemTopic.SCHEDULE, this.#queueId, this.#next, count);
      if (found instanceof Promise) {
        this.#reading = this.#putLater(found, count, budget);
        return;
      }
      this.#put(found, count, budget);
    }
  }

  /** Nothing more is put; resolves when no read is under way. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#reading;
  }

  /** Goes on with records that must be read from disk. */
  async #putLater(read: Promise<GetResult>, count: number, budget: Budget): Promise<void> {
    this.#pending++;
    const found = await read.catch((error: unknown) => messageOf(error));
    this.#attempt(() => {
      if (typeof found === "string") throw new Error(found);
      if (this.#stopped) return;
      this.#put(found, count, budget);
      this.#putDue(budget);
    });
    this.#settle();
  }

  /** Does a part of a delivery. */
  #attempt(work: () => void): void {
    this.#busy = true;
    this.#pending++;
    try {
      work();
    } catch (error) {
      this.#fail(this.#next, messageOf(error));
    }
    this.#settle();
  }

  /** How many entries from the next one on are due, counted up to `most`. */
  #countDue(most: number): number {
    const entries = this.#context.store.queues.get(SystemTopic.SCHEDULE, this.#queueId)?.read(this.#next, most);
    if (entries === undefined) return 0;
    const now = this.#context.clock.now();
    let count = 0;
    while (count < entries.count && this.#isDue(this.#deliverTime(entries, count), now)) count++;
    return count;
  }

  /** When an entry is due, ms: where a Java broker kept that elsewhere, by the record itself. */
  #deliverTime(entries: ConsumeQueueSlice, i: number): number {
    const time = entries.tagsCode(i);
    if (!isExtAddress(time)) return time;
    return this.#context.store.storeTimeAt(entries.logOffset(i), entries.size(i)) + this.delayMs;
  }

  /** Puts the records of the next `count` entries, or of the first of them. */
  #put({ status, records, nextBeginOffset }: GetResult, count: number, budget: Budget): void {
    const end = Math.min(nextBeginOffset, this.#next + count);
    if ((status !== "FOUND" && status !== "MESSAGE_WAS_REMOVING") || end <= this.#next) {
      throw new Error(`its queue answers ${status} at ${this.#next}`);
    }
    // All are taken out of the store's memory before the first put, which may use that again.
    const messages = records.map((record) => this.#messageOf(record, end));
    let gone = end - this.#next;
    this.#next = end;
    for (const found of messages) {
      // Where records are gone from the log, the store gives later ones instead, which may not be due.
      if (found === undefined) break;
      gone--;
      budget.messages--;
      if (found.message === undefined) continue;
      budget.bytes -= found.message.body.length;
      this.#putOne(found.offset, found.message);
      if (this.#failed !== undefined) return;
    }
    if (gone === 0) return;
    log.error("{gone} messages of delay level {level} are no longer in the log", { gone, level: this.level });
  }

  /** The message of a record and its offset; undefined for a record from `end` on. */
  #messageOf(bytes: Uint8Array, end: number): { offset: number; message?: NewMessage } | undefined {
    let reason: string;
    try {
      const record = decodeRecord(bytes);
      const offset = record.queueOffset;
      if (offset >= end) return undefined;
      const message = restored(record);
      if (typeof message !== "string") return { offset, message };
      reason = `the message at ${record.physicalOffset} of the log cannot be delivered: ${message}`;
    } catch (error) {
      reason = messageOf(error);
    }
    log.error("Leaving out a message of delay level {level}: {reason}", { level: this.level, reason });
    return { offset: this.#next };
  }

  #putOne(offset: number, message: NewMessage): void {
    this.#pending++;
    try {
      this.#context.intake.deliver(message, (result) => {
        this.#answered(offset, message, result);
        this.#settle();
      });
    } catch (error) {
      this.#fail(offset, messageOf(error));
      this.#settle();
    }
  }

  #answered(offset: number, { topic, body }: NewMessage, result: PutResult): void {
    const { level } = this;
    const { logOffset, size, status, reason = status } = result;
    if (logOffset >= 0) {
      this.#context.stats.delivered(topic, this.#queueId, size);
      if (this.#troubled) log.info("Delay level {level} is delivered again", { level });
      this.#troubled = false;
    } else if (status === "MESSAGE_ILLEGAL" && body.length <= this.#context.store.options.maxMessageSize) {
      // It will never be legal, and is not to hold up those behind it. A body that is too large waits for an operator,
      // who must have lowered maxMessageSize.
      log.error("Leaving out message {offset} of delay level {level}, for {topic}: {reason}", {
        offset,
        level,
        topic,
        reason,
      });
    } else this.#fail(offset, reason);
  }

  #fail(offset: number, reason: string): void {
    this.#failed = Math.min(this.#failed ?? offset, offset);
    this.#pause(reason);
  }

  #pause(reason: string): void {
    this.#notBefore = this.#context.clock.now() + DELAY_RETRY_MS;
    if (this.#troubled) return;
    this.#troubled = true;
    log.error("Delay level {level} cannot be delivered for now: {reason}", { level: this.level, reason });
  }

  /** Something that the delivery waited for is over; with the last of it, the delivery is. */
  #settle(): void {
    if (--this.#pending > 0) return;
    if (this.#failed !== undefined) this.#next = this.#failed;
    this.#failed = undefined;
    this.#busy = false;
    this.#context.offsets.set(this.level, this.#next);
    this.#look();
    this.#context.settled();
  }

  /** Looks up when the next entry is due; brings an offset that is off the queue's ends back to them. Never throws. */
  #look(): void {
    const { store, offsets } = this.#context;
    const { level } = this;
    this.#head = Infinity;
    const queue = store.queues.get(SystemTopic.SCHEDULE, this.#queueId);
    const { minOffset, maxOffset } = queue ?? { minOffset: 0, maxOffset: 0 };
    const next = Math.min(Math.max(this.#next, minOffset), maxOffset);
    if (next !== this.#next) {
      log.error("Delay level {level} was at {from}, its queue has {minOffset} to {maxOffset}: going on at {next}", {
        level,
        from: this.#next,
        minOffset,
        maxOffset,
        next,
      });
      this.#next = next;
      offsets.set(level, next);
    }
    if (queue === undefined || next === maxOffset) return;
    try {
      const entry = queue.read(next, 1);
      if (entry.count === 0) throw new Error(`entry ${next} of its queue is not there`);
      this.#head = this.#deliverTime(entry, 0);
    } catch (error) {
      this.#head = 0;
      this.#pause(messageOf(error));
    }
  }
}
