/**
 * All consume queues of a store: `consumequeue/TOPIC/QUEUEID/`.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import { QUEUE_FOLDERS_REMOVED_AT_ONCE, QUEUE_ID_STORED_MAX, TOPIC_FOLDER_BYTES_MAX } from "../limits.ts";
import { type Disk, folderOf } from "../platform/disk.ts";
import { SysFlag } from "../protocol/codes.ts";
import { ConsumeQueue, QueuesShared } from "./consume_queue.ts";
import { OpenFiles } from "./open_files.ts";
import { ENTRY_BYTES } from "./queue_entries.ts";
import type { DispatchEntry } from "./types.ts";

const logger = getLogger(["rocketd", "store"]);
/** Where removed queues lie until their files are gone: no topic has this name, and RocketMQ finds no queue ids there. */
const GOING = ".going";
const QUEUE_ID = /^(0|[1-9]\d{0,9})$/;
const utf8 = new TextEncoder();

export interface ConsumeQueuesOptions {
  /** Bytes of a queue file; rounded up to a multiple of 20 as RocketMQ does. */
  readonly fileSize: number;
  /** Queue files that are open at the same time. */
  readonly openFilesMax: number;
  /** Memory for the newest entries of all queues, bytes. */
  readonly windowBytesMax?: number;
}

/** The queues by topic and id. */
export class ConsumeQueues {
  readonly #topics = new Map<string, Map<number, ConsumeQueue>>();
  readonly #open: OpenFiles;
  readonly #shared: QueuesShared;
  /** What is to be removed, from the end on: a folder stands before what is in it. */
  readonly #going: string[] = [];
  #takenAway = 0;

  private constructor(readonly folder: string, options: ConsumeQueuesOptions, disk: Disk) {
    this.#open = new OpenFiles(disk, options.openFilesMax);
    const fileSize = Math.ceil(options.fileSize / ENTRY_BYTES) * ENTRY_BYTES;
    this.#shared = new QueuesShared(this.#open, fileSize, options.windowBytesMax);
  }

  /** Loads every queue of the folder. Throws RocketdError `damagedStore` naming a file of the wrong size. */
  static open(folder: string, options: ConsumeQueuesOptions, disk: Disk): ConsumeQueues {
    const queues = new ConsumeQueues(folder, options, disk);
    disk.removeSync(`${folder}/${GOING}`, { recursive: true });
    for (const topic of disk.listSync(folder)) {
      if (!disk.isDirectorySync(`${folder}/${topic}`)) continue;
      for (const id of disk.listSync(`${folder}/${topic}`)) {
        if (QUEUE_ID.test(id) && Number(id) <= QUEUE_ID_STORED_MAX) {
          queues.getOrCreate(topic, Number(id)).load();
          continue;
        }
        const about = { folder, topic, id, max: QUEUE_ID_STORED_MAX };
        logger.warn("Passing over {folder}/{topic}/{id}: no queue from 0 to {max}", about);
      }
    }
    return queues;
  }

  /** How many queue files are open now. */
  get openFiles(): number {
    return this.#open.size;
  }

  get(topic: string, queueId: number): ConsumeQueue | undefined {
    return this.#topics.get(topic)?.get(queueId);
  }

  /** The queue, made when it is new. Throws RocketdError `invalidArgument` for a topic that cannot name a folder. */
  getOrCreate(topic: string, queueId: number): ConsumeQueue {
    let queues = this.#topics.get(topic);
    let queue = queues?.get(queueId);
    if (queue !== undefined) return queue;
    assertNames(topic, queueId);
    if (queues === undefined) this.#topics.set(topic, queues = new Map());
    queue = new ConsumeQueue(topic, queueId, `${this.folder}/${topic}/${queueId}`, this.#shared);
    queues.set(queueId, queue);
    return queue;
  }

  *all(): Iterable<ConsumeQueue> {
    for (const queues of this.#topics.values()) yield* queues.values();
  }

  /** Why a record can be in no queue of ours; undefined when it can, or is in none anyway. */
  problemOf({ topic, queueId, queueOffset, sysFlag }: DispatchEntry): string | undefined {
    if (!isQueued(sysFlag)) return undefined;
    if (queueOffset < 0 || !Number.isSafeInteger(queueOffset * ENTRY_BYTES)) {
      return `illegal queue offset ${queueOffset}`;
    }
    if (this.get(topic, queueId) !== undefined) return undefined;
    try {
      assertNames(topic, queueId);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Adds a record to its queue and returns that; undefined for prepared and rollback records, which are in none. */
  dispatch(entry: DispatchEntry): ConsumeQueue | undefined {
    if (!isQueued(entry.sysFlag)) return undefined;
    const queue = this.getOrCreate(entry.topic, entry.queueId);
    queue.append(entry.logOffset, entry.size, entry.tagsCode, entry.queueOffset);
    return queue;
  }

  /** How many queues have gathered entries, or memory for them. */
  get gathering(): number {
    return this.#shared.active.size;
  }

  /** Memory that the newest entries of all queues have, bytes. */
  get windowBytes(): number {
    return this.#shared.windowBytes;
  }

  /**
   * Writes the gathered entries of `most` queues, all in turn; those that had none since their last turn let go of their
   * memory.
   */
  flush(most = this.gathering): void {
    const { active } = this.#shared;
    let left = Math.min(most, active.size);
    for (const queue of active) {
      if (left-- === 0) break;
      const rests = queue.flushOrRest();
      active.delete(queue);
      if (!rests) active.add(queue);
    }
  }

  /** Makes all written entries survive a power loss; call {@linkcode flush} before. */
  sync(): Promise<void> {
    return this.#open.sync();
  }

  /** Where the last record ends that any queue knows of; 0 for none. */
  highestRecordEnd(): number {
    let highest = 0;
    for (const queue of this.all()) highest = Math.max(highest, queue.recordEnd);
    return highest;
  }

  /** Removes the entries of records at `logOffset` and behind from every queue. */
  truncateFrom(logOffset: number): void {
    for (const queue of this.all()) queue.truncateFrom(logOffset);
  }

  /** Removes files whose records are all gone from the log, and raises every `minOffset`. */
  deleteBelow(minLogOffset: number): void {
    for (const queue of this.all()) queue.deleteBelow(minLogOffset);
  }

  /** The topics that have queues. */
  topics(): string[] {
    return [...this.#topics.keys()];
  }

  /** The queues of a topic. */
  of(topic: string): ConsumeQueue[] {
    return [...this.#topics.get(topic)?.values() ?? []];
  }

  /** Removes a topic's queues with their files, or one of them. Nothing has happened when it throws. */
  deleteTopic(topic: string, queueId?: number): void {
    const queues = this.#topics.get(topic);
    if (queues === undefined || (queueId !== undefined && !queues.has(queueId))) return;
    const isAll = queueId === undefined || queues.size === 1;
    this.#takeAway(isAll ? topic : `${topic}/${queueId}`);
    const gone = isAll ? [...queues.values()] : [queues.get(queueId)!];
    for (const queue of gone) {
      queue.forget();
      queues.delete(queue.queueId);
    }
    if (isAll) this.#topics.delete(topic);
    this.removeSome();
  }

  /** Takes a folder away in one step, which a crash leaves done or undone: half a queue could not be opened again. */
  #takeAway(name: string): void {
    const { disk } = this.#open;
    const path = `${this.folder}/${name}`;
    if (!disk.existsSync(path)) return;
    disk.mkdirSync(`${this.folder}/${GOING}`);
    const going = `${this.folder}/${GOING}/queues-${++this.#takenAway}`;
    disk.renameSync(path, going);
    disk.syncDirSync(folderOf(path));
    this.#going.push(going);
    for (const inner of disk.listSync(going)) this.#going.push(`${going}/${inner}`);
  }

  /** Removes some of the folders that were taken away: a topic may have so many that others would wait too long. */
  removeSome(): void {
    const { disk } = this.#open;
    if (this.#going.length === 0) return;
    try {
      const some = this.#going.splice(-QUEUE_FOLDERS_REMOVED_AT_ONCE);
      for (const path of some.reverse()) disk.removeSync(path, { recursive: true });
      if (this.#going.length === 0) disk.removeSync(`${this.folder}/${GOING}`, { recursive: true });
    } catch (error) {
      const { folder } = this;
      logger.error("Cannot remove queues of {folder}: {reason}; they go with the next start", {
        folder,
        reason: messageOf(error),
      });
    }
  }

  /** Writes what is left and closes all files. */
  close(): void {
    for (const queue of this.#shared.active) queue.flush();
    this.#shared.active.clear();
    this.#open.closeAll();
  }
}

/** Whether a record is in a queue: not while its transaction is open, nor when it was rolled back. */
export function isQueued(sysFlag: number): boolean {
  const type = sysFlag & SysFlag.TRANSACTION_MASK;
  return type === 0 || type === SysFlag.TRANSACTION_COMMIT;
}

/** Nothing from the wire or from disk becomes a path before it passed here. */
function assertNames(topic: string, queueId: number): void {
  const legal = topic !== "" && topic !== "." && topic !== ".." && !/[/\\\0]/.test(topic) &&
    utf8.encode(topic).length <= TOPIC_FOLDER_BYTES_MAX;
  if (!legal) {
    throw new RocketdError("invalidArgument", `Cannot open a queue: illegal topic ${JSON.stringify(topic)}`, {
      field: "topic",
      value: topic,
      allowed: `1 to ${TOPIC_FOLDER_BYTES_MAX} bytes without / \\ and NUL, not . or ..`,
    });
  }
  if (!Number.isInteger(queueId) || queueId < 0 || queueId > QUEUE_ID_STORED_MAX) {
    throw new RocketdError("invalidArgument", `Cannot open a queue: illegal queueId ${queueId}`, {
      field: "queueId",
      value: queueId,
      allowed: `0 to ${QUEUE_ID_STORED_MAX}`,
    });
  }
}
