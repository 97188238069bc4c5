/**
 * What consumer groups filter by, other than tags: taken from their heartbeats, kept in config/consumerFilter.json, and
 * kept for a while when the group is gone. Follows ConsumerFilterManager of RocketMQ 4.9.7; other than there, a changed
 * error rate of the bit maps does not make the file worthless, since we keep no such maps.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { BrokerSettings } from "../config/mod.ts";
import { messageOf, shortened } from "../errors.ts";
import { CONSUMER_FILTERS_CHARACTERS_MAX, CONSUMER_FILTERS_MAX } from "../limits.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import {
  type ConsumerFilter,
  consumerFilterPieces,
  decodeConsumerFilters,
  encodeConsumerFilters,
} from "../protocol/bodies/consumer_filters.ts";
import type { SubscriptionData } from "../protocol/bodies/heartbeat.ts";
import { type BloomBits, BloomFilter } from "./bloom_filter.ts";
import type { ConsumerGroups } from "./consumers.ts";
import { isTagType, SQL92 } from "./filters.ts";
import type { SqlFilters } from "./sql_filters.ts";
import { StateFile } from "./state_file.ts";

const log = getLogger(["rocketd", "broker"]);

/** RocketMQ: how often BrokerController persists consumer filters. */
const SAVE_MS = 10_000;
/** RocketMQ: groups of a file are taken as gone for so long already. */
const GONE_AT_START_MS = 30_000;

/** What the table needs. */
export interface ConsumerFiltersOptions {
  readonly settings: Pick<
    BrokerSettings,
    "storePathRootDir" | "filterDataCleanTimeSpan" | "maxErrorRateOfBloomFilter" | "expectConsumerNumUseFilter"
  >;
  readonly consumers: Pick<ConsumerGroups, "find">;
  readonly sql: SqlFilters;
  readonly disk: Disk;
  readonly clock: Clock;
}

/** A filter in the table. */
interface KeptFilter extends ConsumerFilter {
  /** Its places in bit maps, once they were asked for: they take long to find. */
  bloomFilterData?: BloomBits;
}

/** Filters by group and topic. */
export class ConsumerFilters {
  readonly #options: ConsumerFiltersOptions;
  readonly #file: StateFile<ConsumerFilter[]>;
  readonly #bits: BloomFilter;
  readonly #groups = new Map<string, Map<string, KeptFilter>>();
  #count = 0;
  #characters = 0;
  #timer: Timer | undefined;

  constructor(options: ConsumerFiltersOptions) {
    const { settings, disk } = options;
    this.#options = options;
    this.#bits = new BloomFilter(settings.maxErrorRateOfBloomFilter, settings.expectConsumerNumUseFilter);
    this.#file = new StateFile(disk, `${settings.storePathRootDir}/config/consumerFilter.json`, {
      decode: decodeConsumerFilters,
      encode: () => encodeConsumerFilters(this.#all(), this.#bitsOf),
    });
    for (const filter of this.#file.load() ?? []) this.#takeBack(filter);
  }

  #takeBack(filter: ConsumerFilter): void {
    const problem = this.#problem(filter.expressionType, filter.expression) ?? this.#noRoom(filter);
    if (problem !== undefined) return leftOut(filter, problem);
    const { bornTime, deadTime } = filter;
    const gone = Math.max(bornTime, this.#options.clock.now() - GONE_AT_START_MS);
    this.#set({ ...filter, deadTime: deadTime === 0 ? gone : deadTime });
  }

  *#all(): Iterable<KeptFilter> {
    for (const topics of this.#groups.values()) yield* topics.values();
  }

  readonly #bitsOf = (filter: KeptFilter): BloomBits =>
    filter.bloomFilterData ??= this.#bits.bitsOf(`${filter.consumerGroup}#${filter.topic}`);

  /** What a group wants of a topic, as it said last; also of one that is gone. */
  get(topic: string, group: string): ConsumerFilter | undefined {
    return this.#groups.get(group)?.get(topic);
  }

  /** Takes all subscriptions of a group, as its heartbeat tells them. */
  register(group: string, subscriptions: readonly SubscriptionData[]): void {
    for (const subscription of subscriptions) {
      const { expressionType, subString } = subscription;
      if (!isTagType(expressionType) && subString !== "") this.#take(group, subscription);
    }
    const known = this.#groups.get(group);
    if (known === undefined) return;
    const wanted = new Set(subscriptions.map(({ topic }) => topic));
    for (const filter of known.values()) if (!wanted.has(filter.topic)) this.#bury(filter);
  }

  #take(group: string, { topic, subString, expressionType, subVersion }: SubscriptionData): void {
    const old = this.get(topic, group);
    if (old !== undefined && subVersion <= old.clientVersion) {
      if (subVersion === old.clientVersion && isDead(old)) this.#set({ ...old, deadTime: 0 });
      return;
    }
    if (old !== undefined && old.expression === subString && old.expressionType === expressionType) {
      return this.#set({ ...old, clientVersion: subVersion, deadTime: 0 });
    }
    const filter: ConsumerFilter = {
      topic,
      consumerGroup: group,
      expression: subString,
      expressionType,
      bornTime: this.#options.clock.now(),
      deadTime: 0,
      clientVersion: subVersion,
    };
    // A client that goes on with a bad expression is to learn that from its pulls.
    if (old !== undefined) this.#delete(old);
    const problem = this.#problem(expressionType, subString) ?? this.#noRoom(filter);
    if (problem !== undefined) return leftOut(filter, problem);
    this.#set(filter);
    log.info("the group {group} filters {topic} by {expression}", { group, topic, expression: shortened(subString) });
    const { ignored } = this.#options.sql.of(subString).expression;
    if (ignored !== undefined) {
      const where = { group, topic, ignored };
      log.warn("the group {group} filters {topic} by the begin of its expression only: {ignored}", where);
    }
  }

  #problem(expressionType: string, expression: string): string | undefined {
    if (expressionType !== SQL92) return `its type is ${expressionType}, allowed is ${SQL92}`;
    try {
      this.#options.sql.of(expression);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  #noRoom(filter: ConsumerFilter): string | undefined {
    if (this.#count >= CONSUMER_FILTERS_MAX) return `there are ${CONSUMER_FILTERS_MAX} filters already`;
    if (this.#characters + charactersOf(filter) > CONSUMER_FILTERS_CHARACTERS_MAX) {
      return `all filters together have ${CONSUMER_FILTERS_CHARACTERS_MAX} characters already`;
    }
    return undefined;
  }

  /** Keeps a filter in place of the one that the group had of that topic. */
  #set(filter: KeptFilter): void {
    const { topic, consumerGroup } = filter;
    const old = this.get(topic, consumerGroup);
    if (old !== undefined) this.#delete(old);
    let topics = this.#groups.get(consumerGroup);
    if (topics === undefined) this.#groups.set(consumerGroup, topics = new Map());
    topics.set(topic, filter);
    this.#count++;
    this.#characters += charactersOf(filter);
    this.#file.touch();
  }

  #delete(filter: ConsumerFilter): void {
    const topics = this.#groups.get(filter.consumerGroup);
    if (!topics?.delete(filter.topic)) return;
    if (topics.size === 0) this.#groups.delete(filter.consumerGroup);
    this.#count--;
    this.#characters -= charactersOf(filter);
    this.#file.touch();
  }

  #bury(filter: KeptFilter): void {
    if (!isDead(filter)) this.#set({ ...filter, deadTime: this.#options.clock.now() });
  }

  /** Saves every ten seconds from now on; then too it is seen which groups are gone, and which of them long enough. */
  start(): void {
    const { clock } = this.#options;
    this.#timer ??= clock.every(SAVE_MS, () => {
      this.#lookAround();
      this.#file.saveInTurns(clock, consumerFilterPieces(this.#all(), this.#bitsOf));
    });
  }

  /** Sees which groups are gone, and forgets those that are gone for long. */
  #lookAround(): void {
    const { clock, consumers, settings } = this.#options;
    const oldest = clock.now() - settings.filterDataCleanTimeSpan;
    for (const filter of [...this.#all()]) {
      if (isDead(filter) && filter.deadTime <= oldest) this.#delete(filter);
      else if (consumers.find(filter.consumerGroup) === undefined) this.#bury(filter);
    }
  }

  /** Saves for the last time. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#lookAround();
    this.#file.save();
  }
}

function isDead({ deadTime, bornTime }: ConsumerFilter): boolean {
  return deadTime >= bornTime;
}

function charactersOf({ topic, consumerGroup, expression }: ConsumerFilter): number {
  return topic.length + consumerGroup.length + expression.length;
}

function leftOut({ topic, consumerGroup, expression }: ConsumerFilter, problem: string): void {
  log.warn("Leaving out what {group} filters {topic} by ({expression}): {problem}", {
    group: consumerGroup,
    topic,
    expression: shortened(expression),
    problem,
  });
}
