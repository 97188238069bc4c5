/**
 * Putting messages: each is checked and encoded straight into memory at the log's end. All puts of one event-loop turn
 * share one write; then their queue entries are made, waiting pulls are told, and the senders get their results.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { QUEUE_ID_MAX, TOPIC_LENGTH_MAX } from "../limits.ts";
import { UTF8_BYTES_PER_UNIT } from "../protocol/byte_writer.ts";
import { RECORD_BYTES_MIN, type RecordHead, withHostBits, writeRecordHead } from "../protocol/message_record.ts";
import { propertiesProblem, readStoreProperties, type StoreProperties } from "../protocol/properties.ts";
import type { Clock } from "../platform/clock.ts";
import type { CommitLog } from "./commit_log.ts";
import type { ConsumeQueue } from "./consume_queue.ts";
import { isQueued } from "./consume_queues.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { tagsCodeOf } from "./dispatcher.ts";
import type { StoreOptions } from "./options.ts";
import type { PutFigures } from "./put_figures.ts";
import type { StoreState } from "./state.ts";
import type { DispatchEntry, NewMessage, PutResult, PutStatus } from "./types.ts";

const logger = getLogger(["rocketd", "store"]);
const encoder = new TextEncoder();
/** Why a slave refuses puts. */
export const SLAVE_REFUSAL = "a slave takes no messages, its master does";
const NO_HOST = new Uint8Array(8);

/** Puts that were encoded and wait for the write, later for the sync. */
export interface PendingPut {
  readonly results: PutResult[];
  /** Whether the sender waits for the disk. */
  readonly wait: boolean;
  /** Where the last record ends in the log. */
  readonly end: number;
  readonly done: (results: PutResult[]) => void;
  /** Told of the answer; not that of a put within which another one waits. */
  readonly figures: PutFigures | undefined;
}

/** What is known of a topic between puts. */
interface TopicState {
  readonly bytes: Uint8Array;
  readonly queues: (ConsumeQueue | undefined)[];
}

export class Appender {
  /** The last write to the log that took `osPageCacheBusyTimeOutMills` or more: how long, and when it ended, ms. */
  slowWrite = { tookMs: 0, endedAt: 0 };
  readonly #topics = new Map<string, TopicState>();
  #entries: DispatchEntry[] = [];
  #puts: PendingPut[] = [];
  #scheduled = false;
  readonly #properties: StoreProperties = { tags: "", keys: "", uniqKey: "", delay: "", wait: true };
  readonly #head: RecordHead = {
    queueId: 0,
    flag: 0,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: 0,
    bornTimestamp: 0,
    bornHost: NO_HOST,
    storeTimestamp: 0,
    storeHost: NO_HOST,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
  };

  /** @param afterWrite takes the puts whose bytes are written: it answers them or lets them wait for the disk */
  constructor(
    readonly log: CommitLog,
    readonly dispatcher: Dispatcher,
    readonly options: StoreOptions,
    readonly clock: Clock,
    readonly state: StoreState,
    readonly afterWrite: (puts: PendingPut[]) => void,
  ) {}

  /** Forgets what it knows of a topic, whose queues went away. */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  /** Puts messages that belong together: all of them are stored next to each other in one file, or none. */
  put(messages: readonly NewMessage[], done: (results: PutResult[]) => void): void {
    const { figures } = this.dispatcher;
    const problem = this.#reserve(messages);
    if (problem !== undefined) {
      figures.answered(problem);
      return done([problem]);
    }
    const results: PutResult[] = [];
    for (let i = 0; i < messages.length; i++) results.push(this.#encode(messages[i]!));
    const wait = messages[0]!.waitForSync ?? this.#properties.wait;
    this.#puts.push({ results, wait, end: this.log.end, done, figures });
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.commit());
  }

  /** Makes room for messages, or says why they cannot be stored. */
  #reserve(messages: readonly NewMessage[]): PutResult | undefined {
    const { state, log } = this;
    const { roomNow } = log;
    if (this.options.brokerRole === "SLAVE") return refused("SERVICE_NOT_AVAILABLE", SLAVE_REFUSAL);
    if (!state.writable) return refused("SERVICE_NOT_AVAILABLE", state.refusal);
    if (messages.length === 0) return refused("MESSAGE_ILLEGAL", "a batch has no message, allowed are 1 or more");
    let most = 0;
    let least = 0;
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i]!;
      const illegal = this.#illegal(message);
      if (illegal !== undefined) return refused("MESSAGE_ILLEGAL", illegal);
      most += this.#sizeMost(message);
      // What can never fit is refused before more of it is looked at.
      least += this.#sizeBare(message) + message.properties.length;
      if (least > roomNow && least > log.roomMax) return tooLarge(`${least} or more`, log.roomMax);
    }
    // Near the end of a file or chunk the true size decides, as it does for RocketMQ.
    return this.#makeRoom(most > roomNow ? this.#sizeExact(messages) : most);
  }

  /** Writes what was put since the last commit, and makes it visible. */
  commit(): void {
    this.#scheduled = false;
    const entries = this.#entries;
    const puts = this.#puts;
    if (puts.length === 0) return;
    this.#entries = [];
    this.#puts = [];
    const began = this.clock.now();
    try {
      if (this.state.failure === undefined) this.log.write();
    } catch (error) {
      this.state.fail(`the commit log cannot be written: ${messageOf(error)}`);
    }
    if (this.state.failure !== undefined) {
      const reason = this.state.refusal;
      for (const put of puts) callBack(put, [refused("SERVICE_NOT_AVAILABLE", reason)]);
      return;
    }
    const endedAt = this.clock.now(), tookMs = endedAt - began;
    this.dispatcher.figures.answersAt = endedAt;
    if (tookMs >= this.options.osPageCacheBusyTimeOutMills) this.slowWrite = { tookMs, endedAt };
    this.dispatcher.dispatch(entries);
    this.afterWrite(puts);
  }

  /** What is wrong with a message, or undefined. */
  #illegal(message: NewMessage): string | undefined {
    const { topic, body, properties, queueId, bornHost } = message;
    const { maxMessageSize } = this.options;
    if (body.length > maxMessageSize) return `body has ${body.length} bytes, maxMessageSize allows ${maxMessageSize}`;
    if (queueId < 0 || queueId > QUEUE_ID_MAX || !Number.isInteger(queueId)) {
      return `queueId is ${queueId}, allowed are 0 to ${QUEUE_ID_MAX}`;
    }
    if (bornHost.length !== 8 && bornHost.length !== 20) return `bornHost has ${bornHost.length} bytes, not 8 or 20`;
    const tooLong = propertiesProblem(properties);
    if (tooLong !== undefined) return tooLong;
    const known = this.#topics.get(topic);
    if (known !== undefined) return undefined;
    const bytes = encoder.encode(topic);
    if (bytes.length > TOPIC_LENGTH_MAX || bytes.length === 0) {
      return `topic has ${bytes.length} bytes, allowed are 1 to ${TOPIC_LENGTH_MAX}`;
    }
    try {
      this.dispatcher.queues.getOrCreate(topic, queueId);
    } catch (error) {
      return messageOf(error);
    }
    this.#topics.set(topic, { bytes, queues: [] });
    return undefined;
  }

  #sizeMost(message: NewMessage): number {
    return this.#sizeBare(message) + message.properties.length * UTF8_BYTES_PER_UNIT;
  }

  #sizeExact(messages: readonly NewMessage[]): number {
    let size = 0;
    for (const message of messages) size += this.#sizeBare(message) + encoder.encode(message.properties).length;
    return size;
  }

  #sizeBare(message: NewMessage): number {
    return RECORD_BYTES_MIN - 16 + message.bornHost.length + this.options.storeHost.length + message.body.length +
      this.#topics.get(message.topic)!.bytes.length;
  }

  /** Makes sure that `size` bytes fit; says why not otherwise. */
  #makeRoom(size: number): PutResult | undefined {
    const { log } = this;
    if (size <= log.roomNow) return undefined;
    if (size > log.roomMax) return tooLarge(`${size}`, log.roomMax);
    try {
      log.write();
    } catch (error) {
      return this.#failed(error);
    }
    try {
      log.ensureFileFor(size);
      this.state.noFile = undefined;
    } catch (error) {
      this.state.noFile = messageOf(error);
      return refused("CREATE_MAPEDFILE_FAILED", `a commit log file cannot be made: ${messageOf(error)}`);
    }
    try {
      log.room(size);
      return undefined;
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): PutResult {
    this.state.fail(`the commit log cannot be written: ${messageOf(error)}`);
    return refused("SERVICE_NOT_AVAILABLE", this.state.refusal);
  }

  /** Encodes one message at the log's end, where there is room. */
  #encode(message: NewMessage): PutResult {
    const { log, options } = this;
    const chunk = log.tail.active!;
    const { bytes, view } = chunk;
    const at = chunk.length;
    const topic = this.#topics.get(message.topic)!;
    const properties = readStoreProperties(message.properties, this.#properties);
    const now = this.clock.now();
    const storeTimestamp = Math.max(now, this.log.lastStoreTimestamp);
    const queued = isQueued(message.sysFlag);

    const head = this.#head as { -readonly [K in keyof RecordHead]: RecordHead[K] };
    head.queueId = message.queueId;
    head.flag = message.flag;
    head.queueOffset = queued ? this.#queueOf(topic, message).nextOffset++ : 0;
    head.physicalOffset = log.end;
    head.sysFlag = withHostBits(message.sysFlag, message.bornHost, options.storeHost);
    head.bornTimestamp = message.bornTimestamp;
    head.bornHost = message.bornHost;
    head.storeTimestamp = storeTimestamp;
    head.storeHost = options.storeHost;
    head.reconsumeTimes = message.reconsumeTimes;
    head.preparedTransactionOffset = message.preparedTransactionOffset;
    let next = writeRecordHead(bytes, view, at, head, message.body);
    view.setInt8(next, topic.bytes.length);
    bytes.set(topic.bytes, next + 1);
    next += 1 + topic.bytes.length;
    const { written } = encoder.encodeInto(message.properties, bytes.subarray(next + 2));
    view.setInt16(next, written);
    const size = next + 2 + written - at;
    view.setInt32(at, size);

    const logOffset = log.end;
    const { queueOffset } = head;
    log.advance(chunk, size);
    log.lastStoreTimestamp = storeTimestamp;
    this.#entries.push({
      topic: message.topic,
      queueId: message.queueId,
      queueOffset,
      logOffset,
      size,
      // A delay begins now, whatever store time follows from a clock that was ahead.
      tagsCode: tagsCodeOf(message.topic, properties, now, options.delayLevels),
      storeTimestamp,
      sysFlag: head.sysFlag,
      keys: properties.keys,
      uniqKey: properties.uniqKey,
    });
    const { topic: topicName, queueId } = message;
    return { status: "PUT_OK", logOffset, size, topic: topicName, queueId, queueOffset, storeTimestamp };
  }

  #queueOf(topic: TopicState, message: NewMessage): ConsumeQueue {
    const { queueId } = message;
    return topic.queues[queueId] ??= this.dispatcher.queues.getOrCreate(message.topic, queueId);
  }
}

function tooLarge(bytes: string, allowed: number): PutResult {
  return refused("MESSAGE_ILLEGAL", `the message has ${bytes} bytes in the log, allowed are ${allowed}`);
}

/** The result of a put that stored nothing. */
export function refused(status: PutStatus, reason: string): PutResult {
  return { status, reason, logOffset: -1, size: 0, topic: "", queueId: -1, queueOffset: -1, storeTimestamp: 0 };
}

/** Gives a sender its results; what it throws must not hit the others. */
export function callBack(put: PendingPut, results: PutResult[] = put.results): void {
  put.figures?.answered(results[0]!);
  try {
    put.done(results);
  } catch (error) {
    logger.error("The taker of a put's result failed: {error}", { error });
  }
}
