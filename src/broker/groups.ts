/**
 * The consumer groups of a broker, kept in config/subscriptionGroup.json. Follows SubscriptionGroupManager of
 * RocketMQ 4.9.7.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { BrokerSettings } from "../config/mod.ts";
import { RocketdError } from "../errors.ts";
import { GROUPS_MAX, TOPIC_QUEUES_MAX } from "../limits.ts";
import type { Clock } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import { type DataVersion, nextDataVersion, NO_VERSION, sameDataVersion } from "../protocol/bodies/data_version.ts";
import {
  decodeSubscriptionGroupTable,
  encodeSubscriptionGroupTable,
  subscriptionGroup,
  type SubscriptionGroupConfig,
  type SubscriptionGroupTable as SavedGroups,
} from "../protocol/bodies/subscription_group.ts";
import { checkGroup, isSystemGroup, SYSTEM_GROUPS } from "../protocol/names.ts";
import { StateFile } from "./state_file.ts";

const log = getLogger(["rocketd", "broker"]);

/** What a table of groups needs. */
export interface GroupTableOptions {
  readonly settings: Pick<BrokerSettings, "autoCreateSubscriptionGroup" | "storePathRootDir" | "brokerRole">;
  readonly disk: Disk;
  readonly clock: Clock;
}

/** Groups by name. */
export class SubscriptionGroupTable {
  readonly #settings: GroupTableOptions["settings"];
  readonly #clock: Clock;
  readonly #file: StateFile<SavedGroups>;
  readonly #groups = new Map<string, SubscriptionGroupConfig>();
  #version: DataVersion = NO_VERSION;

  constructor({ settings, disk, clock }: GroupTableOptions) {
    this.#settings = settings;
    this.#clock = clock;
    for (const name of SYSTEM_GROUPS) this.#groups.set(name, subscriptionGroup(name));
    this.#file = new StateFile(disk, `${settings.storePathRootDir}/config/subscriptionGroup.json`, {
      decode: decodeSubscriptionGroupTable,
      encode: () => encodeSubscriptionGroupTable(this.#table(), { pretty: true }),
    });
    const saved = this.#file.load();
    this.#version = saved?.dataVersion ?? { counter: 0, timestamp: clock.now() };
    for (const [name, group] of saved?.subscriptionGroupTable ?? []) this.#groups.set(name, group);
  }

  #table(): SavedGroups {
    return { dataVersion: this.#version, subscriptionGroupTable: this.#groups };
  }

  get(group: string): SubscriptionGroupConfig | undefined {
    return this.#groups.get(group);
  }

  /**
   * The group, made where it is missing and `autoCreateSubscriptionGroup` or its own prefix allow that. Undefined
   * otherwise, for an illegal name, and when there are too many groups. A slave keeps none that it makes: its table is
   * its master's. (In RocketMQ it does, until its next copy replaces the table.)
   */
  find(group: string): SubscriptionGroupConfig | undefined {
    const existing = this.#groups.get(group);
    if (existing !== undefined) return existing;
    if (!this.#settings.autoCreateSubscriptionGroup && !isSystemGroup(group)) return undefined;
    const problem = checkGroup(group) ?? this.#noRoom();
    if (problem !== undefined) {
      log.warn("Cannot make a consumer group: {problem}", { problem });
      return undefined;
    }
    const made = subscriptionGroup(group);
    if (this.#settings.brokerRole === "SLAVE") return made;
    this.#groups.set(group, made);
    this.#changed();
    this.#file.saveThisTurn();
    return made;
  }

  #noRoom(): string | undefined {
    return this.#groups.size < GROUPS_MAX ? undefined : `there are ${GROUPS_MAX} groups already`;
  }

  /** Names of all groups. */
  names(): IterableIterator<string> {
    return this.#groups.keys();
  }

  get size(): number {
    return this.#groups.size;
  }

  /** Changes whenever a group does. */
  version(): DataVersion {
    return this.#version;
  }

  /** A slave takes the table of its master, version and all; groups of RocketMQ's own that the master lacks stay. */
  replace({ dataVersion, subscriptionGroupTable }: SavedGroups): void {
    if (sameDataVersion(dataVersion, this.#version)) return;
    this.#groups.clear();
    for (const name of SYSTEM_GROUPS) this.#groups.set(name, subscriptionGroup(name));
    for (const [name, group] of subscriptionGroupTable) this.#groups.set(name, group);
    this.#version = dataVersion;
    this.#saveNow();
  }

  /** Adds a group or replaces it. Throws `invalidArgument` for a name or a number that is not allowed. */
  update(group: SubscriptionGroupConfig): void {
    const { groupName, retryQueueNums } = group;
    if (retryQueueNums > TOPIC_QUEUES_MAX) {
      const problem = `retryQueueNums is ${retryQueueNums}, allowed are at most ${TOPIC_QUEUES_MAX}`;
      throw new RocketdError("invalidArgument", `Cannot keep the consumer group ${groupName}: ${problem}`, {
        field: "retryQueueNums",
        value: retryQueueNums,
      });
    }
    const problem = checkGroup(groupName) ?? (this.#groups.has(groupName) ? undefined : this.#noRoom());
    if (problem !== undefined) {
      throw new RocketdError("invalidArgument", `Cannot keep the consumer group: ${problem}`, {
        field: "groupName",
        value: groupName,
      });
    }
    this.#groups.set(groupName, group);
    this.#changed();
    this.#saveNow();
  }

  /** False when there is no such group. */
  delete(group: string): boolean {
    if (!this.#groups.delete(group)) return false;
    this.#changed();
    this.#saveNow();
    return true;
  }

  #changed(): void {
    this.#version = nextDataVersion(this.#version, this.#clock.now());
  }

  #saveNow(): void {
    this.#file.touch();
    this.#file.save();
  }

  /** The answer of GET_ALL_SUBSCRIPTIONGROUP_CONFIG. */
  toBody(): Uint8Array {
    return encodeSubscriptionGroupTable(this.#table());
  }

  /** Writes what a failing disk has not taken yet. */
  close(): void {
    this.#file.save();
  }
}
