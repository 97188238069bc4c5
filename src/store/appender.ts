/**
 * Putting messages: each is checked and encoded straight into memory at the log's end. All puts of one event-loop turn
 * share one write; then their queue entries are made, waiting pulls are told, and the senders get their results.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../errors.ts";
import { PROPERTIES_BYTES_MAX, QUEUE_ID_MAX, TOPIC_LENGTH_MAX } from "../limits.ts";
import { copyBytes, copyWords } from "../protocol/byte_writer.ts";
import { keySeedOf } from "../protocol/java_hash.ts";
import { BatchReader } from "../protocol/message_batch.ts";
import { RECORD_BYTES_MIN, type RecordHead, withHostBits, writeRecordHead } from "../protocol/message_record.ts";
import { SEPARATOR, storedLength, StoreProperties } from "../protocol/property_bytes.ts";
import type { Clock } from "../platform/clock.ts";
import type { CommitLog } from "./commit_log.ts";
import type { ConsumeQueue } from "./consume_queue.ts";
import { isQueued } from "./consume_queues.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { keysOf, tagsCodeOf, uniqKeyOf } from "./dispatcher.ts";
import type { StoreOptions } from "./options.ts";
import type { PutFigures } from "./put_figures.ts";
import type { StoreState } from "./state.ts";
import type {
  AnyMessage,
  DispatchEntry,
  Done,
  NewBatch,
  NewMessage,
  PutCommon,
  PutResult,
  PutStatus,
  RawMessage,
} from "./types.ts";

const logger = getLogger(["rocketd", "store"]);
const encoder = new TextEncoder();
/** Why a slave refuses puts. */
export const SLAVE_REFUSAL = "a slave takes no messages, its master does";
const NO_HOST = new Uint8Array(8);
const NO_BYTES = new Uint8Array(0);

/** Puts that were encoded and wait for the write, later for the sync. */
export interface PendingPut {
  readonly result: PutResult;
  /** Whether the sender waits for the disk. */
  readonly wait: boolean;
  /** Where the last record ends in the log. */
  readonly end: number;
  readonly done: Done;
  /** Told of the answer; not that of a put within which another one waits. */
  readonly figures: PutFigures | undefined;
}

/** What is known of a topic between puts. */
interface TopicState {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly keySeed: number;
  readonly queues: (ConsumeQueue | undefined)[];
}

export class Appender {
  /** The last write to the log that took `osPageCacheBusyTimeOutMills` or more: how long, and when it ended, ms. */
  slowWrite = { tookMs: 0, endedAt: 0 };
  readonly #topics = new Map<string, TopicState>();
  #entries: DispatchEntry[] = [];
  #puts: PendingPut[] = [];
  #scheduled = false;
  readonly #commitNow = () => this.commit();
  /** Of the record that was encoded last. */
  readonly #properties = new StoreProperties();
  /** Of the put whose records are encoded now: its topic, its queue if it is in one, and the time. */
  #topic: TopicState = { name: "", bytes: NO_BYTES, keySeed: 0, queues: [] };
  #queue: ConsumeQueue | undefined;
  #now = 0;
  /** What was put behind the properties of a message last, and whether there is anything in it that the store needs. */
  #behind: Uint8Array = NO_BYTES;
  #behindView: DataView = new DataView(NO_BYTES.buffer);
  #behindCounts = false;
  readonly #head: { -readonly [K in keyof RecordHead]: RecordHead[K] } = {
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

  /** Puts a message. */
  put(message: AnyMessage, done: Done): void {
    if (typeof message.properties === "string") return this.#putRaw(raw(message as NewMessage), done);
    this.#putRaw(message as RawMessage, done);
  }

  #putRaw(message: RawMessage, done: Done): void {
    const { body, properties } = message;
    const propertyBytes = storedLength(properties);
    const problem = this.#refusal(message, body.length, propertyBytes) ??
      this.#makeRoom(this.#bareBytes(message) + body.length + propertyBytes);
    if (problem !== undefined) return this.#refused(problem, done);
    this.#begin(message, properties.behind);
    const result = this.#resultOf(message);
    const { bytes, cutFrom, cutTo, behind } = properties;
    result.queueOffset = this.#encode(message.flag, body, bytes, 0, bytes.length, cutFrom, cutTo, behind);
    result.size = this.log.end - result.logOffset;
    this.#added(result, message.waitForSync ?? this.#properties.wait, done);
  }

  /** Puts messages that belong together: all of them are stored next to each other in one file, or none. */
  putBatch(batch: NewBatch, done: Done): void {
    const { batch: { bytes, count, contentBytes, longestBody, longestProperties }, behind } = batch;
    const problem = this.#refusal(batch, longestBody, longestProperties + behind.length) ??
      this.#makeRoom(contentBytes + count * (this.#bareBytes(batch) + behind.length));
    if (problem !== undefined) return this.#refused(problem, done);
    this.#begin(batch, behind);
    const result = this.#resultOf(batch);
    const logOffsets: number[] = [];
    const reader = new BatchReader(bytes);
    const { view } = reader;
    while (reader.next()) {
      logOffsets.push(this.log.end);
      const { flag, bodyFrom, bodyTo, propertiesFrom, propertiesTo } = reader;
      const body = bytes.subarray(bodyFrom, bodyTo);
      const queueOffset = this.#encode(flag, body, bytes, propertiesFrom, propertiesTo, 0, 0, behind, view);
      if (logOffsets.length === 1) result.queueOffset = queueOffset;
    }
    result.size = this.log.end - result.logOffset;
    result.logOffsets = logOffsets;
    this.#added(result, batch.waitForSync ?? this.#properties.wait, done);
  }

  #refused(problem: PutResult, done: Done): void {
    this.dispatcher.figures.answered(problem);
    done(problem);
  }

  /** The result of a put that finds room at the log's end. */
  #resultOf({ topic, queueId }: PutCommon): PutResult {
    const { storeTimestamp } = this.#head;
    return { status: "PUT_OK", logOffset: this.log.end, size: 0, topic, queueId, queueOffset: 0, storeTimestamp };
  }

  #added(result: PutResult, wait: boolean, done: Done): void {
    this.#puts.push({ result, wait, end: this.log.end, done, figures: this.dispatcher.figures });
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#commitNow);
  }

  /** Why nothing of a put can be stored, for other reasons than a lack of room. */
  #refusal(put: PutCommon, bodyBytes: number, propertyBytes: number): PutResult | undefined {
    const { state } = this;
    if (this.options.brokerRole === "SLAVE") return refused("SERVICE_NOT_AVAILABLE", SLAVE_REFUSAL);
    if (!state.writable) return refused("SERVICE_NOT_AVAILABLE", state.refusal);
    const illegal = this.#illegal(put, bodyBytes, propertyBytes);
    return illegal === undefined ? undefined : refused("MESSAGE_ILLEGAL", illegal);
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
      for (const put of puts) callBack(put, refused("SERVICE_NOT_AVAILABLE", reason));
      return;
    }
    const endedAt = this.clock.now(), tookMs = endedAt - began;
    this.dispatcher.figures.answersAt = endedAt;
    if (tookMs >= this.options.osPageCacheBusyTimeOutMills) this.slowWrite = { tookMs, endedAt };
    this.dispatcher.dispatch(entries);
    this.afterWrite(puts);
  }

  /** What is wrong with a put, or undefined. Afterwards, its topic is known. */
  #illegal({ topic, queueId, bornHost }: PutCommon, bodyBytes: number, propertyBytes: number): string | undefined {
    const { maxMessageSize } = this.options;
    if (bodyBytes > maxMessageSize) return `body has ${bodyBytes} bytes, maxMessageSize allows ${maxMessageSize}`;
    if (queueId < 0 || queueId > QUEUE_ID_MAX || !Number.isInteger(queueId)) {
      return `queueId is ${queueId}, allowed are 0 to ${QUEUE_ID_MAX}`;
    }
    if (bornHost.length !== 8 && bornHost.length !== 20) return `bornHost has ${bornHost.length} bytes, not 8 or 20`;
    if (propertyBytes > PROPERTIES_BYTES_MAX) {
      return `properties have ${propertyBytes} bytes, allowed are ${PROPERTIES_BYTES_MAX}`;
    }
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
    this.#topics.set(topic, { name: topic, bytes, keySeed: keySeedOf(topic), queues: [] });
    return undefined;
  }

  /** Bytes of a record without its body and properties. */
  #bareBytes({ bornHost, topic }: PutCommon): number {
    return RECORD_BYTES_MIN - 16 + bornHost.length + this.options.storeHost.length +
      this.#topics.get(topic)!.bytes.length;
  }

  /** Makes sure that `size` bytes fit; says why not otherwise. */
  #makeRoom(size: number): PutResult | undefined {
    const { log } = this;
    if (size <= log.roomNow) return undefined;
    if (size > log.roomMax) return tooLarge(size, log.roomMax);
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

  /** Sets what all records of a put have in common. */
  #begin(put: PutCommon, behind: Uint8Array): void {
    const { log, options: { storeHost } } = this;
    const head = this.#head;
    this.#now = this.clock.now();
    log.lastStoreTimestamp = Math.max(this.#now, log.lastStoreTimestamp);
    head.queueId = put.queueId;
    head.sysFlag = withHostBits(put.sysFlag, put.bornHost, storeHost);
    head.bornTimestamp = put.bornTimestamp;
    head.bornHost = put.bornHost;
    head.storeTimestamp = log.lastStoreTimestamp;
    head.storeHost = storeHost;
    head.reconsumeTimes = put.reconsumeTimes;
    head.preparedTransactionOffset = put.preparedTransactionOffset;
    this.#topic = this.#topics.get(put.topic)!;
    if (behind !== this.#behind) {
      this.#behind = behind;
      this.#behindView = new DataView(behind.buffer, behind.byteOffset, behind.length);
      this.#behindCounts = !this.#properties.read(behind, 0, behind.length).isEmpty;
    }
    this.#queue = isQueued(put.sysFlag) ? this.#queueOf(this.#topic, put) : undefined;
  }

  /**
   * Encodes one message of a put at the log's end, where there is room. Its properties are `texts[from, to)` without
   * `texts[cutFrom, cutTo)`, and then `behind`. Returns its offset in the queue.
   */
  #encode(
    flag: number,
    body: Uint8Array,
    texts: Uint8Array,
    from: number,
    to: number,
    cutFrom: number,
    cutTo: number,
    behind: Uint8Array,
    textsView?: DataView,
  ): number {
    const { log } = this;
    const head = this.#head, topic = this.#topic;
    const chunk = log.tail.active!;
    const { bytes, view, length: at } = chunk;
    const logOffset = log.end;
    head.flag = flag;
    head.physicalOffset = logOffset;
    const queueOffset = head.queueOffset = this.#queue === undefined ? 0 : this.#queue.nextOffset++;
    let next = writeRecordHead(bytes, view, at, head, body);
    bytes[next] = topic.bytes.length;
    next = copyBytes(topic.bytes, 0, topic.bytes.length, bytes, next + 1);
    const propertiesAt = next + 2;
    next = propertiesAt;
    if (cutTo > 0) {
      next = copyBytes(texts, from, cutFrom, bytes, next);
      next = copyBytes(texts, cutTo, to, bytes, next);
    } else if (textsView !== undefined) next = copyWords(textsView, from, to, view, next);
    else next = copyBytes(texts, from, to, bytes, next);
    const ownEnd = next;
    if (behind.length > 0) {
      if (next > propertiesAt && bytes[next - 1] !== SEPARATOR) bytes[next++] = SEPARATOR;
      next = copyWords(this.#behindView, 0, behind.length, view, next);
    }
    view.setInt16(propertiesAt - 2, next - propertiesAt);
    const size = next - at;
    view.setInt32(at, size);
    log.advance(chunk, size);
    const properties = this.#properties.read(bytes, propertiesAt, this.#behindCounts ? next : ownEnd);
    this.#entries.push({
      topic: topic.name,
      queueId: head.queueId,
      queueOffset,
      logOffset,
      size,
      // A delay begins now, whatever store time follows from a clock that was ahead.
      tagsCode: tagsCodeOf(topic.name, properties, this.#now, this.options.delayLevels),
      storeTimestamp: head.storeTimestamp,
      sysFlag: head.sysFlag,
      uniqKey: uniqKeyOf(properties, topic.keySeed),
      keys: keysOf(properties, topic.keySeed),
    });
    return queueOffset;
  }

  #queueOf(topic: TopicState, put: PutCommon): ConsumeQueue {
    const { queueId } = put;
    return topic.queues[queueId] ??= this.dispatcher.queues.getOrCreate(put.topic, queueId);
  }
}

/** A message with its properties as they are stored. */
function raw(message: NewMessage): RawMessage {
  const properties = { bytes: encoder.encode(message.properties), cutFrom: 0, cutTo: 0, behind: NO_BYTES };
  return { ...message, properties };
}

function tooLarge(bytes: number, allowed: number): PutResult {
  return refused("MESSAGE_ILLEGAL", `the message has ${bytes} bytes in the log, allowed are ${allowed}`);
}

/** The result of a put that stored nothing. */
export function refused(status: PutStatus, reason: string): PutResult {
  return { status, reason, logOffset: -1, size: 0, topic: "", queueId: -1, queueOffset: -1, storeTimestamp: 0 };
}

/** Gives a sender its result; what it throws must not hit the others. */
export function callBack(put: PendingPut, result: PutResult = put.result): void {
  put.figures?.answered(result);
  try {
    put.done(result);
  } catch (error) {
    logger.error("The taker of a put's result failed: {error}", { error });
  }
}
