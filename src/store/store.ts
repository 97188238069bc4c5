/**
 * The message store: commit log, consume queues and index behind one class. The files are RocketMQ's, so a Java broker
 * of 4.1–4.9 opens them and the other way round.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { type Disk, type DiskLock, makeFolderOn } from "../platform/disk.ts";
import { everyNow } from "../platform/pace.ts";
import { Appender, type PendingPut } from "./appender.ts";
import { Checkpoint } from "./checkpoint.ts";
import { ColdReader } from "./cold_reader.ts";
import { CommitLog } from "./commit_log.ts";
import { ConsumeQueues } from "./consume_queues.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Flusher } from "./flush.ts";
import { Housekeeping } from "./housekeeping.ts";
import { IndexService } from "./index_service.ts";
import { LogCopy } from "./log_copy.ts";
import { LogFiles } from "./log_file.ts";
import { Lookup } from "./lookup.ts";
import { indexOptions, type StoreOptions } from "./options.ts";
import { PutFigures } from "./put_figures.ts";
import { Reader } from "./reader.ts";
import { recover } from "./recovery.ts";
import { type Replicas, ReplicaWaits } from "./replica_waits.ts";
import { Retention } from "./retention.ts";
import { LOCK_TEXT } from "./safe_point.ts";
import { StoreState } from "./state.ts";
import type { AnyMessage, ArrivalListener, Done, GetResult, MessageFilter, NewBatch, QueryResult } from "./types.ts";

const logger = getLogger(["rocketd", "store"]);

/** What the store stands on. */
export interface StorePlatform {
  readonly disk: Disk;
  readonly clock: Clock;
}

export class MessageStore {
  /** What was put since the store was opened. */
  readonly figures: PutFigures;
  readonly #state = new StoreState();
  readonly #dispatcher: Dispatcher;
  readonly #log: CommitLog;
  readonly #flusher: Flusher;
  readonly #appender: Appender;
  readonly #copy: LogCopy;
  readonly #replicaWaits: ReplicaWaits;
  readonly #writtenListeners: ((end: number) => void)[] = [];
  /** Reads of queues, for those who pass records on: see {@linkcode Reader.read}. */
  readonly reader: Reader;
  readonly #lookup: Lookup;
  readonly #retention: Retention;
  readonly #timers: Timer[] = [];
  readonly #housekeeping: Housekeeping;

  private constructor(
    readonly options: StoreOptions,
    readonly platform: StorePlatform,
    readonly lock: DiskLock,
    readonly checkpoint: Checkpoint,
    readonly queues: ConsumeQueues,
    readonly index: IndexService | undefined,
    files: LogFiles,
    afterCrash: boolean,
  ) {
    const { disk, clock } = platform;
    const state = this.#state;
    this.figures = new PutFigures(clock);
    const dispatcher = this.#dispatcher = new Dispatcher(queues, index, state, this.figures);
    const recovered = recover({ files, dispatcher, checkpoint, options, afterCrash });
    const log = this.#log = new CommitLog(files, recovered, options);
    log.lastStoreTimestamp = Math.max(dispatcher.lastStoreTimestamp, checkpoint.physicMsgTimestamp);
    this.#flusher = new Flusher(log, checkpoint, options, clock, state, this.figures);
    this.#replicaWaits = new ReplicaWaits(options, clock, this.figures, (puts) => this.#flusher.take(puts));
    this.#appender = new Appender(log, dispatcher, options, clock, state, (puts) => this.#committed(puts));
    this.#copy = new LogCopy(log, dispatcher, options, state, recovered.lastRecord);
    this.reader = new Reader(log, queues, new ColdReader(log), options, clock);
    this.#lookup = new Lookup(log, index, clock);
    this.#retention = new Retention(log, dispatcher, this.reader.cold, options, disk, clock, state);
    this.#housekeeping = new Housekeeping(dispatcher, this.#flusher, checkpoint, clock, state, afterCrash);
  }

  /**
   * Locks, loads and recovers a store. Throws `RocketdError`: `inUse` when another process holds it, `damagedStore` when
   * an operator must decide.
   */
  static async open(options: StoreOptions, platform: StorePlatform): Promise<MessageStore> {
    const { disk } = platform;
    const { rootDir } = options;
    makeFolderOn(disk, rootDir);
    const lock = await disk.lock(`${rootDir}/lock`, LOCK_TEXT);
    if (lock === undefined) {
      throw new RocketdError("inUse", `Cannot open the store: another process holds ${rootDir}/lock`, {
        field: "storePathRootDir",
        value: rootDir,
      });
    }
    const opened: { close(): void }[] = [];
    try {
      const afterCrash = disk.existsSync(`${rootDir}/abort`);
      const checkpoint = Checkpoint.open(`${rootDir}/checkpoint`, disk, lock.before === LOCK_TEXT);
      opened.push(checkpoint);
      const files = LogFiles.load(options.commitLogDir, options.mappedFileSizeCommitLog, disk);
      opened.push(files);
      const shape = { fileSize: options.mappedFileSizeConsumeQueue, openFilesMax: options.openFilesMax };
      const queues = ConsumeQueues.open(`${rootDir}/consumequeue`, shape, disk);
      opened.push(queues);
      const index = options.messageIndexEnable
        ? IndexService.open(`${rootDir}/index`, indexOptions(options, platform.clock, checkpoint), disk, afterCrash)
        : undefined;
      const store = new MessageStore(options, platform, lock, checkpoint, queues, index, files, afterCrash);
      await store.#start();
      return store;
    } catch (error) {
      // Only what holds a handle and changes nothing by being closed.
      for (const part of opened) part.close();
      lock.release();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { disk, clock } = this.platform;
    const { options } = this;
    await this.#log.sync();
    const abort = disk.openSync(`${options.rootDir}/abort`, { create: true });
    abort.close();
    disk.syncDirSync(options.rootDir);
    this.#flusher.start();
    this.#timers.push(
      everyNow(clock, () => options.flushIntervalConsumeQueue, () => this.#housekeeping.run()),
      everyNow(clock, () => options.cleanResourceInterval, () => this.#retention.run()),
    );
    this.#retention.run();
  }

  /** Everything before this log offset was removed. */
  get minLogOffset(): number {
    return this.#log.minOffset;
  }

  /**
   * Where the log goes on: the end of what is written. On a slave, where the next piece for {@linkcode appendCopy} must
   * begin: the begin of a record that waits in memory for its rest counts.
   */
  get maxLogOffset(): number {
    return this.options.brokerRole === "SLAVE" ? this.#copy.end : this.#log.writtenEnd;
  }

  /** On a slave: where the last whole record of the log begins; undefined when that is not known. */
  get lastRecordOffset(): number | undefined {
    return this.#copy.lastRecord;
  }

  /**
   * The end of what the store answers for: with SYNC_FLUSH, what survives a power loss (see {@linkcode sync}), else what
   * is written. A slave acknowledges this to its master, where it connects it names `maxLogOffset`.
   */
  get safeLogOffset(): number {
    return this.options.flushDiskType === "SYNC_FLUSH" ? this.#log.syncedEnd : this.#log.writtenEnd;
  }

  /** The begin of the log's last file: what RocketMQ's master gives a slave first that has nothing. */
  get lastFileStart(): number {
    return this.#log.lastFileStart;
  }

  /**
   * Bytes of the log as they are on disk, from an offset on: records, fillers and the unused rest of a file that is full.
   * At most `most`, never beyond the file's end and never beyond what is written; undefined outside of the log and at its
   * end. At once what is in memory, as a view that is valid until the current turn ends; as a promise a copy, read off
   * the main thread. Rejects when the disk refuses. On a slave, what waits in memory can be read as well.
   *
   * @param into memory for the copy, of `most` bytes; without it, the copy gets memory of its own
   */
  readLog(from: number, most: number, into?: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    return this.#copy.held(from, most) ?? this.#log.read(from, most, into);
  }

  /** Calls `listener` once per commit with the log's end, when the bytes before it can be read and survive SIGKILL. */
  onWritten(listener: (end: number) => void): void {
    this.#writtenListeners.push(listener);
  }

  /**
   * On a slave: takes bytes of the master's log, cut anywhere. They must continue the log at `maxLogOffset`; a log
   * without any byte may begin at each offset where a file does. What is whole is written, checked and made visible,
   * and the begin of a record waits in memory until its rest comes.
   *
   * Throws `RocketdError`, and nothing of the piece is written then: `gap` for another offset, `foreign` for bytes that
   * do not belong there (the begin that waited is forgotten too), `disk` when the store takes no writes.
   */
  appendCopy(from: number, bytes: Uint8Array): void {
    this.#copy.append(from, bytes);
  }

  /** Who says how many slaves are connected; without one, there is none. */
  set replicas(replicas: Replicas) {
    this.#replicaWaits.replicas = replicas;
  }

  /** A slave holds the log up to `end`; what lies beyond our own end is no promise about it, and is passed over. */
  acknowledged(end: number): void {
    if (end <= this.#log.writtenEnd) this.#replicaWaits.acknowledged(end);
  }

  /** The highest log offset that a slave acknowledged; never goes back. */
  get acknowledgedEnd(): number {
    return this.#replicaWaits.acknowledgedEnd;
  }

  get writable(): boolean {
    return this.#state.writable;
  }

  /** What the disk refused; writes stay refused until the store is opened again. */
  get failure(): string | undefined {
    return this.#state.failure;
  }

  /** The last write that took `osPageCacheBusyTimeOutMills` or more: how long, and when it ended, ms; 0 for none. */
  get slowWrite(): { readonly tookMs: number; readonly endedAt: number } {
    return this.#appender.slowWrite;
  }

  /** Why some messages are refused, or all, for people; "" while none is. */
  get trouble(): string {
    return this.#state.trouble;
  }

  /**
   * Stores a message. `done` is called once: at once for a message that is refused, else after its bytes are written
   * (with SYNC_FLUSH, unless the sender does not wait: after they are safe from a power loss; with SYNC_MASTER as well
   * after a slave has them).
   */
  put(message: AnyMessage, done: Done): void {
    this.#appender.put(message, done);
  }

  /** The most bytes that the records of one put may have together. */
  get putBytesMax(): number {
    return this.#log.roomMax;
  }

  /** Stores messages next to each other in one file: all, or none. */
  putBatch(batch: NewBatch, done: Done): void {
    this.#appender.putBatch(batch, done);
  }

  /**
   * Messages of a queue from an offset on. The answer comes at once when everything is in memory, and as a promise when
   * the disk must be read. Records of the first are views, valid until the current turn ends; a promise's are copies.
   *
   * @param filter decides which messages are wanted; without it all are
   */
  get(
    topic: string,
    queueId: number,
    offset: number,
    maxMessages: number,
    filter?: MessageFilter,
  ): GetResult | Promise<GetResult> {
    return this.reader.get(topic, queueId, offset, maxMessages, filter);
  }

  /** The first offset of a queue that can still be read; 0 for an unknown queue. */
  minOffset(topic: string, queueId: number): number {
    return this.queues.get(topic, queueId)?.minOffset ?? 0;
  }

  /** One past the last offset of a queue; 0 for an unknown queue. */
  maxOffset(topic: string, queueId: number): number {
    return this.queues.get(topic, queueId)?.maxOffset ?? 0;
  }

  /** Where in the log the record of a queue's offset lies; undefined for an offset that cannot be read. */
  logOffsetOf(topic: string, queueId: number, offset: number): number | undefined {
    const entry = this.queues.get(topic, queueId)?.read(offset, 1);
    return entry === undefined || entry.count === 0 ? undefined : entry.logOffset(0);
  }

  /** Whether a place in the log is so far from its end that RocketMQ takes it to be on disk only (`inMemoryBytes`). */
  isFarBack(logOffset: number): boolean {
    return this.reader.isFarBack(logOffset);
  }

  /** The offset of the message stored nearest to a time; 0 for an unknown queue. */
  offsetByTime(topic: string, queueId: number, ms: number): number {
    return this.#lookup.offsetByTime(this.queues.get(topic, queueId), ms);
  }

  /** When the record of a queue entry was stored, ms; -1 when it is not there. */
  storeTimeAt(logOffset: number, size: number): number {
    return this.#lookup.storeTimeAt(logOffset, size);
  }

  /** When the message at a queue's offset was stored, ms; -1 when it is not there. */
  storeTimeOf(topic: string, queueId: number, offset: number): number {
    return this.#lookup.storeTimeOf(this.queues.get(topic, queueId), offset);
  }

  /** When the log's first message was stored, ms; -1 for a log without any. */
  get firstStoreTime(): number {
    return this.#lookup.firstStoreTime;
  }

  /** Bytes that are written and may still be lost with the power. */
  get unsyncedBytes(): number {
    return this.#log.unsyncedBytes;
  }

  /** When the first message of a queue was stored, ms; -1 for an unknown or empty queue. */
  earliestStoreTime(topic: string, queueId: number): number {
    return this.storeTimeOf(topic, queueId, this.minOffset(topic, queueId));
  }

  /**
   * The record that begins at a log offset; undefined when none does. A view when it is in memory, and a promise when the
   * disk must be read.
   */
  fetchRecord(logOffset: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    return this.#lookup.fetch(logOffset);
  }

  /**
   * The newest `max` messages that have a key, in the order of the log; keys are hashed, so others may be among them.
   */
  queryByKey(topic: string, key: string, max: number, beginMs: number, endMs: number): Promise<QueryResult> {
    return this.#lookup.byKey(topic, key, max, beginMs, endMs);
  }

  /** Makes what was written until now survive a power loss; false when the store has failed. */
  async sync(): Promise<boolean> {
    await this.#flusher.sync();
    return this.#state.failure === undefined;
  }

  /** Calls `listener` once per queue and commit, when new messages can be read. */
  onArrival(listener: ArrivalListener): void {
    this.#dispatcher.onArrival(listener);
  }

  #committed(puts: PendingPut[]): void {
    const end = this.#log.writtenEnd;
    for (const listener of this.#writtenListeners) {
      try {
        listener(end);
      } catch (error) {
        logger.error("A listener for the log's growth failed: {error}", { error });
      }
    }
    this.#replicaWaits.take(puts);
  }

  /** Removes a topic's queues, or one of them; the log keeps the records until their file goes. */
  deleteTopic(topic: string, queueId?: number): void {
    this.#appender.commit();
    this.#appender.forget(topic);
    this.queues.deleteTopic(topic, queueId);
  }

  /** Removes log files that are older than fileReservedTime, whatever the hour: `soon`, with the next rounds, or now. */
  removeOldFiles(soon = false): void {
    soon ? this.#retention.removeSoon() : this.#retention.run(true);
  }

  /** Stops taking writes, finishes those in hand, flushes all and closes the files. */
  async close(): Promise<void> {
    const state = this.#state;
    if (state.closing) return;
    state.closing = true;
    for (const timer of this.#timers) timer.cancel();
    this.#appender.commit();
    await this.#flusher.stop();
    this.#replicaWaits.stop();
    try {
      await this.#housekeeping.finish();
      this.index?.close();
      this.queues.close();
      this.checkpoint.close();
      this.#log.close();
      if (state.failure === undefined) {
        this.platform.disk.removeSync(`${this.options.rootDir}/abort`);
        this.platform.disk.syncDirSync(this.options.rootDir);
      }
    } catch (error) {
      state.fail(`the store cannot be closed in order: ${messageOf(error)}`);
    } finally {
      this.lock.release();
    }
  }
}
