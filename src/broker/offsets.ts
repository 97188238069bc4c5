/**
 * How far each consumer group has come in each queue, kept in config/consumerOffset.json. Follows ConsumerOffsetManager
 * of RocketMQ 4.9.7, which takes whatever it is told; here topic, group and queue must be ones that can be.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { BrokerSettings } from "../config/mod.ts";
import { OFFSET_ENTRIES_MAX, OFFSETS_MAX } from "../limits.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import {
  type ConsumerOffsetEntry,
  consumerOffsetPieces,
  type ConsumerOffsetTable,
  decodeConsumerOffsets,
  encodeConsumerOffsets,
} from "../protocol/bodies/consumer_offsets.ts";
import { checkGroup, SystemTopic } from "../protocol/names.ts";
import { encodeInTurns } from "./slices.ts";
import { StateFile } from "./state_file.ts";
import type { TopicTable } from "./topics.ts";

const log = getLogger(["rocketd", "broker"]);

const { TRANS_OP_HALF } = SystemTopic;
/** Between topic and group in the file's keys; neither can contain it. */
const SEPARATOR = "@";

/** What consumer offsets need. */
export interface ConsumerOffsetsOptions {
  readonly settings: Pick<BrokerSettings, "storePathRootDir" | "flushConsumerOffsetInterval">;
  readonly topics: Pick<TopicTable, "get">;
  readonly disk: Disk;
  readonly clock: Clock;
}

/** How far a group has come in a queue. */
export interface QueueOffset {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
}

type OffsetsOfTopics = Map<string, Map<number, number>>;

/** Offsets by group, topic and queue. */
export class ConsumerOffsets {
  readonly #options: ConsumerOffsetsOptions;
  readonly #file: StateFile<ConsumerOffsetTable>;
  readonly #groups = new Map<string, OffsetsOfTopics>();
  #count = 0;
  /** Pairs of topic and group. */
  #entryCount = 0;
  #onCommit: ((entry: QueueOffset) => void) | undefined;
  #timer: Timer | undefined;

  constructor(options: ConsumerOffsetsOptions) {
    this.#options = options;
    this.#file = new StateFile(options.disk, `${options.settings.storePathRootDir}/config/consumerOffset.json`, {
      decode: decodeConsumerOffsets,
      encode: () => encodeConsumerOffsets(this.#entries(), { pretty: true }),
    });
    this.#takeAll(this.#file.load() ?? []);
  }

  #takeAll(entries: Iterable<ConsumerOffsetEntry>, wanted?: (entry: QueueOffset) => boolean): boolean {
    let changed = false;
    for (const [key, queues] of entries) {
      const [topic, group, ...more] = key.split(SEPARATOR);
      if (!topic || !group || more.length > 0) {
        log.warn("Leaving out the offsets of {key}: expected topic@group", { key });
        continue;
      }
      for (const [queueId, offset] of queues) {
        if (offset > Number.MAX_SAFE_INTEGER) {
          log.warn("Leaving out the offset {offset} of {key}: no queue is that long", { offset, key });
          continue;
        }
        if (offset < 0 || this.get(group, topic, queueId) === offset) continue;
        if (wanted?.({ group, topic, queueId, offset }) === false) continue;
        this.#set(group, topic, queueId, offset);
        changed = true;
      }
    }
    return changed;
  }

  /** Lays another broker's offsets over these, but for those that are not wanted. What that one lacks stays. */
  merge(theirs: ConsumerOffsetTable, wanted: (entry: QueueOffset) => boolean): void {
    if (this.#takeAll(theirs, wanted)) this.#file.touch();
  }

  /** Calls back after each {@linkcode ConsumerOffsets.commit} that changed an offset. */
  onCommit(listener: (entry: QueueOffset) => void): void {
    this.#onCommit = listener;
  }

  /**
   * All offsets; they may change while they are read, over several turns. Those of op messages come first in their group:
   * where they are newer than those of the half messages they end, ended transactions would look open after a crash.
   */
  *#entries(): Generator<ConsumerOffsetEntry> {
    for (const [group, topics] of this.#groups) {
      const ops = topics.get(TRANS_OP_HALF);
      if (ops !== undefined) yield [TRANS_OP_HALF + SEPARATOR + group, ops];
      for (const [topic, queues] of topics) if (topic !== TRANS_OP_HALF) yield [topic + SEPARATOR + group, queues];
    }
  }

  /** Saves every `flushConsumerOffsetInterval` from now on. */
  start(): void {
    const { clock, settings } = this.#options;
    this.#timer ??= clock.every(settings.flushConsumerOffsetInterval, () => {
      this.#file.saveInTurns(clock, consumerOffsetPieces(this.#entries(), { pretty: true }));
    });
  }

  /** The offset of the next message that the group wants; -1 when it never said. */
  get(group: string, topic: string, queueId: number): number {
    return this.#groups.get(group)?.get(topic)?.get(queueId) ?? -1;
  }

  /**
   * Keeps an offset; it may go back. Undefined when it was kept, else why not: the first offset of a queue needs a
   * topic that exists, a queue of it and a legal group.
   */
  commit(group: string, topic: string, queueId: number, offset: number): string | undefined {
    if (offset < 0 || offset > Number.MAX_SAFE_INTEGER) {
      return `the field commitOffset is ${offset}, allowed is 0 to ${Number.MAX_SAFE_INTEGER}`;
    }
    const queues = this.#groups.get(group)?.get(topic);
    const known = queues?.get(queueId);
    if (known === undefined) {
      const problem = this.#problem(group, topic, queueId);
      if (problem !== undefined) return problem;
      this.#set(group, topic, queueId, offset);
    } else if (known !== offset) {
      queues!.set(queueId, offset);
    } else return undefined;
    this.#file.touch();
    this.#onCommit?.({ group, topic, queueId, offset });
    return undefined;
  }

  #problem(group: string, topic: string, queueId: number): string | undefined {
    const config = this.#options.topics.get(topic);
    if (config === undefined) return `the topic[${topic}] does not exist`;
    const queues = Math.max(config.readQueueNums, config.writeQueueNums);
    if (queueId < 0 || queueId >= queues) {
      return `the field queueId is ${queueId}, allowed for the topic[${topic}] is 0 to ${queues - 1}`;
    }
    return this.#groupProblem(group, topic, 1);
  }

  /** Why a group cannot have so many more offsets of a topic; undefined when it can. */
  #groupProblem(group: string, topic: string, more: number): string | undefined {
    const illegal = checkGroup(group);
    if (illegal !== undefined) return illegal;
    if (this.#count + more > OFFSETS_MAX) return `there are ${this.#count} offsets already, allowed are ${OFFSETS_MAX}`;
    // What has more could not be read back.
    if (this.#entryCount < OFFSET_ENTRIES_MAX || this.#groups.get(group)?.has(topic)) return undefined;
    return `${OFFSET_ENTRIES_MAX} pairs of topic and group have offsets already`;
  }

  #set(group: string, topic: string, queueId: number, offset: number): void {
    let topics = this.#groups.get(group);
    if (topics === undefined) this.#groups.set(group, topics = new Map());
    let queues = topics.get(topic);
    if (queues === undefined) {
      topics.set(topic, queues = new Map());
      this.#entryCount++;
    }
    if (!queues.has(queueId)) this.#count++;
    queues.set(queueId, offset);
  }

  /** Each group and topic with its offsets by queue; they may change while they are read, over several turns. */
  *pairs(): Generator<{ group: string; topic: string; queues: ReadonlyMap<number, number> }> {
    for (const [group, topics] of this.#groups) for (const [topic, queues] of topics) yield { group, topic, queues };
  }

  /** The topics of which a group has an offset. */
  topicsOf(group: string): string[] {
    return [...this.#groups.get(group)?.keys() ?? []];
  }

  /** The groups that have an offset of a topic. */
  groupsOf(topic: string): string[] {
    return [...this.#groups].filter(([, topics]) => topics.has(topic)).map(([group]) => group);
  }

  /** Offsets of one group and topic by queue. */
  queuesOf(group: string, topic: string): ReadonlyMap<number, number> | undefined {
    return this.#groups.get(group)?.get(topic);
  }

  /** Forgets all offsets of a group. */
  deleteGroup(group: string): void {
    for (const topic of this.topicsOf(group)) this.#delete(group, topic);
  }

  /** Forgets what all groups have of a topic: when it is made anew, its queues begin at 0. */
  deleteTopic(topic: string): void {
    for (const group of this.#groups.keys()) this.#delete(group, topic);
  }

  #delete(group: string, topic: string): void {
    const topics = this.#groups.get(group);
    const queues = topics?.get(topic);
    if (topics === undefined || queues === undefined) return;
    this.#count -= queues.size;
    this.#entryCount--;
    topics.delete(topic);
    if (topics.size === 0) this.#groups.delete(group);
    this.#file.touch();
  }

  /** Lets all groups that have an offset of a queue begin at 0, as the queue itself does from now on. */
  beginAnew(topic: string, queueId: number): void {
    for (const topics of this.#groups.values()) {
      const queues = topics.get(topic);
      if ((queues?.get(queueId) ?? 0) === 0) continue;
      queues!.set(queueId, 0);
      this.#file.touch();
    }
  }

  /** Gives a group another's offsets of a topic in place of its own. Undefined when that is done, else why not. */
  clone(from: string, to: string, topic: string): string | undefined {
    const queues = this.#groups.get(from)?.get(topic);
    if (queues === undefined || from === to) return undefined;
    const problem = this.#groupProblem(to, topic, queues.size);
    if (problem !== undefined) return problem;
    this.#delete(to, topic);
    for (const [queueId, offset] of queues) this.#set(to, topic, queueId, offset);
    this.#file.touch();
    return undefined;
  }

  /** The answer of GET_ALL_CONSUMER_OFFSET, made over several turns when it is great. */
  toBody(): Promise<Uint8Array> {
    return encodeInTurns(consumerOffsetPieces(this.#entries()), this.#options.clock);
  }

  /** Saves at once. */
  save(): boolean {
    return this.#file.save();
  }

  /** Saves for the last time. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#file.save();
  }
}
