/**
 * Reads one queue for a consumer: pulls ahead, with long polling, as far as the bounds allow.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../../errors.ts";
import { HELD_UNIT_BYTES } from "../../limits.ts";
import type { ProcessQueueInfo, SubscriptionData } from "../../protocol/bodies/mod.ts";
import { MASTER_ID, PullFlag, ResponseCode } from "../../protocol/codes.ts";
import { decodeRecords } from "../../protocol/message_record.ts";
import { PullMessage } from "../../protocol/requests.ts";
import { succeed } from "../../remoting/client.ts";
import type { Received } from "../../remoting/connection.ts";
import { ReceivedMessage } from "../message.ts";
import { ProcessQueue } from "./process_queue.ts";
import type { QueueQuestions } from "../queue_questions.ts";
import type { MessageQueue } from "./rebalance.ts";
import { wants } from "./subscription.ts";

const log = getLogger(["rocketd", "client"]);

/** How long a broker may hold a pull, and how long its answer may take: as Java's push consumer, ms. */
const HOLD_MS = 15_000;
const PULL_TIMEOUT_MS = 30_000;
/** Pause after a failure: `pullTimeDelayMillsWhenException` is 3 s in Java's. */
const PAUSE_MS = 1_000;
/** So many answers in a row that came at once and led no further are followed by a pause: brokers hold pulls. */
const FRUITLESS_MAX = 3;
const AT_ONCE_MS = 100;

/** How much of a queue is read ahead. */
export interface ReadAhead {
  readonly messages: number;
  readonly bytes: number;
  /** Greatest distance of the oldest and the newest unfinished message, in offsets. */
  readonly span: number;
}

/** What a reader shares with its consumer. */
export interface ReaderContext {
  readonly questions: QueueQuestions;
  readonly group: string;
  /** Messages that one pull asks for. */
  readonly pullBatchSize: number;
  /** How much may be held now. */
  readonly readAhead: () => ReadAhead;
  /** The offset from which a queue is read. */
  readonly begin: (queue: MessageQueue) => Promise<number>;
  /** Called when messages came in. */
  readonly arrived: (reader: QueueReader) => void;
  /** Called after each pull that brought messages, with the time that it took, ms. */
  readonly pulled?: (topic: string, ms: number, count: number) => void;
  /** Called with what a pull brought that is wanted, before it can be taken. */
  readonly received?: (queue: MessageQueue, messages: readonly ReceivedMessage[]) => void;
}

/** One queue being read; {@linkcode QueueReader.run} goes on until {@linkcode QueueReader.stop}. */
export class QueueReader {
  /** When the last pull was sent and the last message handed out, ms. */
  lastPullAt = 0;
  lastConsumeAt = 0;
  #held: ProcessQueue | undefined;
  #stopped = false;
  #paused = false;
  /** Counts how often the place was changed from outside: pulls from before are void. */
  #moves = 0;
  /** Whether nothing is pulled because enough is held. */
  #lacksRoom = false;
  #brokerId: number = MASTER_ID;
  /** Pulls in a row that were answered at once and led no further. */
  #fruitless = 0;
  #wake: (() => void) | undefined;

  constructor(
    readonly queue: MessageQueue,
    readonly subscription: SubscriptionData,
    readonly context: ReaderContext,
  ) {}

  get stopped(): boolean {
    return this.#stopped;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Whether there is something to hand out. */
  get hasMore(): boolean {
    return !this.#paused && !this.#stopped && this.#held?.hasMore === true;
  }

  /** What is held; undefined before the reader knows where to begin. */
  get held(): ProcessQueue | undefined {
    return this.#held;
  }

  /** The offset that the program has come to; undefined before the reader has begun. Stays known after the end. */
  get consumed(): number | undefined {
    return this.#held?.consumed;
  }

  /** The next messages, at most so many. */
  take(countMax: number): ReceivedMessage[] {
    if (!this.hasMore) return [];
    this.lastConsumeAt = Date.now();
    return this.#held!.take(countMax, this.lastConsumeAt);
  }

  /** The program is done with messages that it took. */
  finish(messages: readonly ReceivedMessage[]): void {
    this.#held?.finish(messages);
    if (this.#lacksRoom && !this.#full) this.#wake?.();
  }

  /** Everything that it took is done. */
  finishTaken(): void {
    this.#held?.finishTaken();
    if (this.#lacksRoom && !this.#full) this.#wake?.();
  }

  /** These messages that the program took, or all that are not done, will be handed out again. */
  putBack(messages?: readonly ReceivedMessage[]): void {
    this.#held?.putBack(messages);
  }

  /** Goes on at another offset; what is held is dropped. */
  seek(offset: number): void {
    this.#moves++;
    if (this.#held === undefined) this.#held = new ProcessQueue(offset);
    else this.#held.moveTo(offset);
    this.#wake?.();
  }

  /** Neither pulls nor hands out, until {@linkcode QueueReader.resume}. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
    if (this.hasMore) this.context.arrived(this);
  }

  /** Ends the reader. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** What GET_CONSUMER_RUNNING_INFO tells of a queue. */
  info(): ProcessQueueInfo {
    const held = this.#held;
    const [min, max] = held?.ends ?? [0, 0];
    return {
      commitOffset: held?.consumed ?? -1,
      cachedMsgMinOffset: min,
      cachedMsgMaxOffset: max,
      cachedMsgCount: held?.count ?? 0,
      cachedMsgSizeInMiB: Math.floor((held?.bytes ?? 0) / HELD_UNIT_BYTES),
      transactionMsgMinOffset: 0,
      transactionMsgMaxOffset: 0,
      transactionMsgCount: 0,
      locked: false,
      tryUnlockTimes: 0,
      lastLockTimestamp: 0,
      droped: this.#stopped,
      lastPullTimestamp: this.lastPullAt,
      lastConsumeTimestamp: this.lastConsumeAt,
    };
  }

  /** Finds where to begin, then pulls until stopped. Never throws: failures are logged, and tried again. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      try {
        if (this.#held === undefined) await this.#begin();
        else if (this.#paused || this.#full) await this.#untilWanted();
        else await this.#pull(this.#held);
      } catch (error) {
        if (this.#stopped) return;
        const { topic, brokerName, queueId } = this.queue;
        const reason = messageOf(error);
        log.warn("cannot read {topic} {brokerName}/{queueId}: {reason}", { topic, brokerName, queueId, reason });
        this.context.questions.routes.forget(topic);
        this.#brokerId = MASTER_ID;
        await this.#rest();
      }
    }
  }

  get #full(): boolean {
    const held = this.#held;
    if (held === undefined) return false;
    const { messages, bytes, span } = this.context.readAhead();
    return held.count >= messages || held.bytes >= bytes || held.span > span;
  }

  async #begin(): Promise<void> {
    const offset = await this.context.begin(this.queue);
    this.#held ??= new ProcessQueue(offset);
  }

  async #untilWanted(): Promise<void> {
    this.#lacksRoom = true;
    await this.#until(undefined);
    this.#lacksRoom = false;
  }

  /** What `promise` gives; undefined as soon as somebody wakes the reader. */
  #until<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve(undefined);
      };
      promise?.then(resolve, reject);
      if (this.#stopped) this.#wake();
    });
  }

  async #rest(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const time = new Promise<void>((resolve) => timer = setTimeout(resolve, PAUSE_MS));
    await this.#until(time);
    clearTimeout(timer);
  }

  async #pull(held: ProcessQueue): Promise<void> {
    const moves = this.#moves;
    const { topic, queueId } = this.queue;
    const { questions, group, pullBatchSize } = this.context;
    const header = {
      consumerGroup: group,
      topic,
      queueId,
      queueOffset: held.next,
      maxMsgNums: pullBatchSize,
      sysFlag: PullFlag.SUSPEND | PullFlag.SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: HOLD_MS,
      subscription: this.subscription.subString,
      subVersion: this.subscription.subVersion,
      expressionType: this.subscription.expressionType,
    };
    const address = await questions.address(this.queue, this.#brokerId);
    if (this.#stopped || moves !== this.#moves) return;
    this.lastPullAt = Date.now();
    const pull = questions.client.invoke(address, PullMessage, header, undefined, PULL_TIMEOUT_MS);
    let answer: Received<typeof PullMessage> | undefined;
    // Who resumes the reader wakes us too; the pull goes on meanwhile.
    do answer = await this.#until(pull); while (answer === undefined && !this.#stopped && moves === this.#moves);
    if (answer === undefined || this.#stopped || moves !== this.#moves) return;
    this.#receive(held, answer);
    const fruitless = held.next === header.queueOffset && Date.now() - this.lastPullAt < AT_ONCE_MS;
    this.#fruitless = fruitless ? this.#fruitless + 1 : 0;
    if (this.#fruitless >= FRUITLESS_MAX) await this.#rest();
  }

  #receive(held: ProcessQueue, answer: Received<typeof PullMessage>): void {
    const { topic, brokerName } = this.queue;
    switch (answer.code) {
      case ResponseCode.SUCCESS:
      case ResponseCode.PULL_NOT_FOUND:
      case ResponseCode.PULL_RETRY_IMMEDIATELY:
      case ResponseCode.PULL_OFFSET_MOVED:
        break;
      default:
        succeed(answer, `pulling from ${topic}`);
    }
    const { suggestWhichBrokerId = MASTER_ID, nextBeginOffset = held.next } = answer.header;
    this.#brokerId = suggestWhichBrokerId;
    const records = answer.code === ResponseCode.SUCCESS ? decodeRecords(answer.body) : [];
    const messages = records.map((record) => new ReceivedMessage(record, brokerName))
      .filter(({ tag }) => wants(this.subscription, tag));
    if (messages.length > 0) this.context.received?.(this.queue, messages);
    // The queue ends before the place that was asked for: what comes there now are other messages.
    if (answer.code === ResponseCode.PULL_OFFSET_MOVED && nextBeginOffset < held.next) held.moveTo(nextBeginOffset);
    held.add(messages, nextBeginOffset);
    if (records.length > 0) this.context.pulled?.(topic, Date.now() - this.lastPullAt, records.length);
    if (messages.length > 0) this.context.arrived(this);
  }
}
