/**
 * The topics of a broker, kept in config/topics.json. Follows TopicConfigManager of RocketMQ 4.9.7: built-in topics
 * with the file's laid over them, and the rules by which a send makes a topic.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { BrokerSettings } from "../config/mod.ts";
import { RocketdError } from "../errors.ts";
import { TOPIC_QUEUES_MAX, TOPICS_MAX } from "../limits.ts";
import type { Clock } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import { type DataVersion, nextDataVersion, NO_VERSION, sameDataVersion } from "../protocol/bodies/data_version.ts";
import {
  decodeTopicConfigTable,
  encodeTopicConfigTable,
  type TopicConfig,
  topicConfig,
  type TopicConfigTable,
  TopicSysFlag,
} from "../protocol/bodies/topic_config.ts";
import { Permission } from "../protocol/codes.ts";
import {
  checkGroup,
  checkTopic,
  DLQ_PREFIX,
  isDeadLetterTopic,
  isRetryTopic,
  isSystemTopic,
  RETRY_PREFIX,
  SystemTopic,
} from "../protocol/names.ts";
import { type BuiltinSettings, builtinTopics } from "./builtin_topics.ts";
import { StateFile } from "./state_file.ts";

const log = getLogger(["rocketd", "broker"]);

/** What a topic table needs. */
export interface TopicTableOptions {
  readonly settings: BuiltinSettings & Pick<BrokerSettings, "storePathRootDir" | "brokerRole">;
  readonly disk: Disk;
  readonly clock: Clock;
}

/** Called after topics changed; a promise says when those who must know have been told. */
export type TopicListener = () => void | Promise<void>;

/** Topics by name. Configurations are never changed in place: a change puts another object there. */
export class TopicTable {
  readonly #settings: TopicTableOptions["settings"];
  readonly #clock: Clock;
  readonly #file: StateFile<TopicConfigTable>;
  readonly #builtin: ReadonlyMap<string, TopicConfig>;
  readonly #topics = new Map<string, TopicConfig>();
  readonly #listeners: TopicListener[] = [];
  #version: DataVersion = NO_VERSION;
  #announced: Promise<void> = Promise.resolve();

  constructor({ settings, disk, clock }: TopicTableOptions) {
    this.#settings = settings;
    this.#clock = clock;
    this.#builtin = new Map(builtinTopics(settings).map((topic) => [topic.topicName, topic]));
    for (const [name, topic] of this.#builtin) this.#topics.set(name, topic);
    this.#file = new StateFile(disk, `${settings.storePathRootDir}/config/topics.json`, {
      decode: decodeTopicConfigTable,
      encode: () => encodeTopicConfigTable(this.#table(), { pretty: true }),
    });
    this.#load();
  }

  #load(): void {
    const saved = this.#file.load();
    this.#version = saved?.dataVersion ?? { counter: 0, timestamp: this.#clock.now() };
    this.#takeAll(saved?.topicConfigTable.values() ?? [], this.#file.path);
  }

  #takeAll(topics: Iterable<TopicConfig>, source: string): void {
    for (const topic of topics) {
      const illegal = checkStoredTopic(topic.topicName);
      if (illegal === undefined) this.#topics.set(topic.topicName, topic);
      else log.error("Leaving out a topic of {source}: {illegal}", { source, illegal });
    }
  }

  /** A slave takes the table of its master, version and all; built-in topics that the master does not have stay. */
  replace({ dataVersion, topicConfigTable }: TopicConfigTable, source: string): void {
    if (sameDataVersion(dataVersion, this.#version)) return;
    this.#topics.clear();
    for (const [name, topic] of this.#builtin) this.#topics.set(name, topic);
    this.#takeAll(topicConfigTable.values(), source);
    this.#version = dataVersion;
    this.#saveNow();
  }

  #table(): TopicConfigTable {
    return { dataVersion: this.#version, topicConfigTable: this.#topics };
  }

  get(topic: string): TopicConfig | undefined {
    return this.#topics.get(topic);
  }

  /** All topics, built-in ones too. */
  all(): IterableIterator<TopicConfig> {
    return this.#topics.values();
  }

  names(): IterableIterator<string> {
    return this.#topics.keys();
  }

  get size(): number {
    return this.#topics.size;
  }

  /** Changes whenever a topic does. */
  version(): DataVersion {
    return this.#version;
  }

  /** Whether operators may neither make nor delete it. */
  isSystem(topic: string): boolean {
    return this.#builtin.has(topic) || isSystemTopic(topic);
  }

  /**
   * The topic, made after the example of `defaultTopic` where it is missing. Undefined when it must not be made:
   * `defaultTopic` is not there or may not be inherited from, the name is illegal, or there are too many topics.
   */
  createOnSend(
    topic: string,
    defaultTopic: string,
    clientQueueNums: number,
    unitMode: boolean,
  ): TopicConfig | undefined {
    const existing = this.#topics.get(topic);
    if (existing !== undefined) return existing;
    const template = this.#topics.get(defaultTopic);
    if (template === undefined || !this.#mayInherit(template)) {
      log.warn("Cannot make the topic {topic}: {reason}", {
        topic,
        reason: template === undefined
          ? `its defaultTopic ${defaultTopic} does not exist`
          : `its defaultTopic ${defaultTopic} has perm ${template.perm} without INHERIT (1)`,
      });
      return undefined;
    }
    const queues = Math.max(0, Math.min(clientQueueNums, template.writeQueueNums));
    return this.#create(topicConfig(topic, {
      readQueueNums: queues,
      writeQueueNums: queues,
      perm: template.perm & ~Permission.INHERIT,
      topicFilterType: template.topicFilterType,
      topicSysFlag: unitMode ? isRetryTopic(topic) ? TopicSysFlag.UNIT_SUB : TopicSysFlag.UNIT : 0,
    }));
  }

  /** TBW102 stays in a file that was written while topics could be made; it does not count once they cannot. */
  #mayInherit(template: TopicConfig): boolean {
    if (template.topicName === SystemTopic.AUTO_CREATE && !this.#settings.autoCreateTopicEnable) return false;
    return (template.perm & Permission.INHERIT) !== 0;
  }

  /** The retry or dead letter topic of a group, made where it is missing; undefined when there are too many topics. */
  createOnSendBack(topic: string, queueNums: number, unitMode: boolean): TopicConfig | undefined {
    const existing = this.#topics.get(topic);
    if (existing !== undefined) return existing;
    const queues = Math.max(0, Math.min(queueNums, TOPIC_QUEUES_MAX));
    return this.#create(topicConfig(topic, {
      readQueueNums: queues,
      writeQueueNums: queues,
      topicSysFlag: unitMode ? TopicSysFlag.UNIT_SUB : 0,
    }));
  }

  /** A slave makes none: its table is its master's. (In RocketMQ it does, until its next copy replaces the table.) */
  #create(topic: TopicConfig): TopicConfig | undefined {
    if (this.#settings.brokerRole === "SLAVE") return undefined;
    const problem = checkStoredTopic(topic.topicName) ?? this.#noRoom();
    if (problem !== undefined) {
      log.warn("Cannot make a topic: {problem}", { problem });
      return undefined;
    }
    this.#topics.set(topic.topicName, topic);
    log.info("made the topic {topic}: {queues} queues, perm {perm}", {
      topic: topic.topicName,
      queues: topic.writeQueueNums,
      perm: topic.perm,
    });
    this.#changed();
    this.#file.saveThisTurn();
    return topic;
  }

  #noRoom(): string | undefined {
    return this.#topics.size < TOPICS_MAX ? undefined : `there are ${TOPICS_MAX} topics already`;
  }

  /** Adds a topic or replaces its configuration. Throws `invalidArgument` for a name or number of topics not allowed. */
  update(topic: TopicConfig): void {
    const { topicName } = topic;
    const problem = checkStoredTopic(topicName) ?? (this.#topics.has(topicName) ? undefined : this.#noRoom());
    if (problem !== undefined) {
      throw new RocketdError("invalidArgument", `Cannot keep the topic: ${problem}`, {
        field: "topic",
        value: topicName,
      });
    }
    this.#topics.set(topicName, topic);
    this.#changed();
    this.#saveNow();
  }

  /** False when there is no such topic. */
  delete(topic: string): boolean {
    if (!this.#topics.delete(topic)) return false;
    this.#changed();
    this.#saveNow();
    return true;
  }

  /**
   * After a change of settings that topics are published by: they have another version. A template that topics may be
   * made from now is there now. A slave's table is its master's.
   */
  settingsChanged(): void {
    if (this.#settings.brokerRole === "SLAVE") return;
    for (const topic of builtinTopics(this.#settings)) {
      if (!this.#topics.has(topic.topicName)) this.#topics.set(topic.topicName, topic);
    }
    this.#changed();
    this.#saveNow();
  }

  /** Marks exactly these topics as ordered, as the nameserver's ORDER_TOPIC_CONFIG says. */
  setOrder(ordered: { has(topic: string): boolean }): void {
    let changed = false;
    for (const topic of this.#topics.values()) {
      const order = ordered.has(topic.topicName);
      if (topic.order === order) continue;
      this.#topics.set(topic.topicName, { ...topic, order });
      changed = true;
    }
    if (!changed) return;
    this.#version = nextDataVersion(this.#version, this.#clock.now());
    this.#saveNow();
  }

  /** Calls back after topics came, went or changed, but for {@linkcode TopicTable.setOrder}. */
  onChange(listener: TopicListener): void {
    this.#listeners.push(listener);
  }

  /** Resolves when the listeners of the last change are done. */
  announced(): Promise<void> {
    return this.#announced;
  }

  #changed(): void {
    this.#version = nextDataVersion(this.#version, this.#clock.now());
    this.#announced = Promise.all(this.#listeners.map((listener) => listener())).then(() => {});
  }

  #saveNow(): void {
    this.#file.touch();
    this.#file.save();
  }

  /** The answer of GET_ALL_TOPIC_CONFIG. */
  toBody(): Uint8Array {
    return encodeTopicConfigTable(this.#table());
  }

  /** Writes what a failing disk has not taken yet. */
  close(): void {
    this.#file.save();
  }
}

/** Why a name cannot be kept; the topics of a group may be as much longer as their group is. */
function checkStoredTopic(topic: string): string | undefined {
  if (isRetryTopic(topic)) return checkGroup(topic.slice(RETRY_PREFIX.length));
  if (isDeadLetterTopic(topic)) return checkGroup(topic.slice(DLQ_PREFIX.length));
  return checkTopic(topic);
}
