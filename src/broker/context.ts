/**
 * What a broker's handlers share: the settings, the store and the tables.
 *
 * @module
 */
import type { BrokerSettings } from "../config/mod.ts";
import type { Clock } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import type { MessageStore } from "../store/mod.ts";
import type { ConsumerFilters } from "./consumer_filters.ts";
import type { ConsumerGroups } from "./consumers.ts";
import type { MessageFilters } from "./filters.ts";
import type { SubscriptionGroupTable } from "./groups.ts";
import type { ConsumerOffsets } from "./offsets.ts";
import type { Intake } from "./intake.ts";
import type { ProducerGroups } from "./producers.ts";
import type { BrokerStats } from "./stats/mod.ts";
import type { TopicTable } from "./topics.ts";

/** One broker, as its handlers see it. */
export interface BrokerContext {
  readonly settings: BrokerSettings;
  /** What clients are told: `brokerIP1:listenPort`. */
  readonly address: string;
  /** The same as bytes, as records and message ids carry it. */
  readonly storeHost: Uint8Array;
  readonly store: MessageStore;
  /** Where every message goes in. */
  readonly intake: Intake;
  readonly topics: TopicTable;
  readonly groups: SubscriptionGroupTable;
  readonly offsets: ConsumerOffsets;
  readonly consumers: ConsumerGroups;
  /** What groups filter by, other than tags. */
  readonly consumerFilters: ConsumerFilters;
  /** Filters of expressions. */
  readonly filters: MessageFilters;
  readonly producers: ProducerGroups;
  /** What it counts. */
  readonly stats: BrokerStats;
  readonly disk: Disk;
  readonly clock: Clock;
}
