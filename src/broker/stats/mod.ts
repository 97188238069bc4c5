/**
 * What a broker counts: messages and bytes that come in by topic, that go out by group, and in all, under the names and
 * keys of BrokerStatsManager of RocketMQ 4.9.7 ({@linkcode STATS_NAMES}). A send costs one map lookup, a pull two.
 *
 * To read them (metrics, consoles): {@linkcode BrokerStats.topicsPut} by topic, {@linkcode BrokerStats.groupsGot} and
 * {@linkcode BrokerStats.sentBack} by topic and group, {@linkcode BrokerStats.put} and {@linkcode BrokerStats.got} for the
 * whole broker. Each gives {@linkcode Counter}s with `nums`, `bytes` and `times` since they were made, which only grow
 * (a counter that is idle for a day goes, and begins anew at 0), and `in(0, "nums").tps` of the last minute. All of the
 * store, retries, delays and internal messages included, is counted in {@linkcode BrokerStats.throughput}. Iterating is
 * O(counters), at most COUNTERS_MAX of a kind: do it in slices.
 *
 * @module
 */
import type { BrokerSettings } from "../../config/mod.ts";
import type { Clock } from "../../platform/clock.ts";
import type { BrokerStatsData } from "../../protocol/bodies/broker_stats.ts";
import { SystemTopic } from "../../protocol/names.ts";
import type { PutFigures } from "../../store/put_figures.ts";
import { type Amount, Counter } from "./counter.ts";
import { Counters } from "./counters.ts";
import { Sampling } from "./sampling.ts";
import { Throughput } from "./throughput.ts";

export type { Amount, Counter } from "./counter.ts";

/** The group that RocketMQ's delay service counts as. */
const SCHEDULE_GROUP = "SCHEDULE_CONSUMER";
const SEPARATOR = "@";

/** Where a named figure is kept. */
interface Named {
  readonly of:
    | "topicPuts"
    | "groupGets"
    | "groupLatencies"
    | "backs"
    | "queuePuts"
    | "queueGets"
    | "brokerPut"
    | "brokerGot";
  readonly amount: Amount;
}

/** Figures by the name that VIEW_BROKER_STATS_DATA 315 asks for. Keys: topic, `topic@group`, `queueId@topic@group`, … */
export const STATS_NAMES: Readonly<Record<string, Named>> = {
  /** topic */
  TOPIC_PUT_NUMS: { of: "topicPuts", amount: "nums" },
  TOPIC_PUT_SIZE: { of: "topicPuts", amount: "bytes" },
  /** topic@group */
  GROUP_GET_NUMS: { of: "groupGets", amount: "nums" },
  GROUP_GET_SIZE: { of: "groupGets", amount: "bytes" },
  SNDBCK_PUT_NUMS: { of: "backs", amount: "nums" },
  /** queueId@topic@group; the amount is ms, so that `avgpt` is the mean. */
  GROUP_GET_LATENCY: { of: "groupLatencies", amount: "nums" },
  /** Cluster. */
  BROKER_PUT_NUMS: { of: "brokerPut", amount: "nums" },
  BROKER_GET_NUMS: { of: "brokerGot", amount: "nums" },
  /** topic@queueId and topic@queueId@group; RocketMQ counts those of the schedule topic only. */
  QUEUE_PUT_NUMS: { of: "queuePuts", amount: "nums" },
  QUEUE_PUT_SIZE: { of: "queuePuts", amount: "bytes" },
  QUEUE_GET_NUMS: { of: "queueGets", amount: "nums" },
  QUEUE_GET_SIZE: { of: "queueGets", amount: "bytes" },
};

/** A figure of one group in one topic. */
export interface GroupCounter {
  readonly topic: string;
  readonly group: string;
  readonly counter: Counter;
}

/** What the counters need. */
export interface BrokerStatsOptions {
  readonly settings: Pick<BrokerSettings, "brokerClusterName">;
  /** What the store counts of puts. */
  readonly puts: PutFigures;
  readonly clock: Clock;
}

/** All counters of a broker. */
export class BrokerStats {
  readonly #cluster: string;
  readonly #sampling: Sampling;
  readonly #topicPuts: Counters;
  readonly #groupGets: Counters;
  readonly #groupLatencies: Counters;
  readonly #backs: Counters;
  readonly #queuePuts: Counters;
  readonly #queueGets: Counters;
  /** Messages that clients sent and delays delivered; messages that clients got. Nothing else is counted in them. */
  readonly put: Counter;
  readonly got: Counter;

  /** What the store takes and gives, all of it. */
  readonly throughput: Throughput;

  constructor({ settings, puts, clock }: BrokerStatsOptions) {
    this.#cluster = settings.brokerClusterName;
    this.throughput = new Throughput(puts, clock);
    const sampling = this.#sampling = new Sampling(clock);
    this.#topicPuts = new Counters(sampling);
    this.#groupGets = new Counters(sampling);
    this.#groupLatencies = new Counters(sampling);
    this.#backs = new Counters(sampling);
    this.#queuePuts = new Counters(sampling);
    this.#queueGets = new Counters(sampling);
    this.put = new Counter(sampling);
    this.got = new Counter(sampling);
  }

  // ---- counting ----

  /**
   * A send was stored, as one message or a batch of them: under the topic it went to at first, which for a delayed one
   * is the schedule topic, and for half of a transaction the half topic.
   */
  sent(topic: string, queueId: number, nums: number, bytes: number): void {
    this.#stored(topic, nums, bytes);
    if (topic === SystemTopic.SCHEDULE) this.#queuePuts.of(topic + SEPARATOR + queueId).add(nums, bytes, 1);
  }

  #stored(topic: string, nums: number, bytes: number): void {
    this.#topicPuts.of(topic).add(nums, bytes, 1);
    this.put.add(nums, bytes, 0);
  }

  /** A transaction was committed: its message is there for consumers. (4.9.7 does not count it, 5.x does.) */
  committed(topic: string, bytes: number): void {
    this.#stored(topic, 1, bytes);
  }

  /** A delay was over, and the message stored where it belongs. */
  delivered(topic: string, queueId: number, bytes: number): void {
    this.#stored(topic, 1, bytes);
    this.#queueGets.of(`${SystemTopic.SCHEDULE}${SEPARATOR}${queueId}${SEPARATOR}${SCHEDULE_GROUP}`).add(1, bytes, 1);
    this.#groupGets.of(SystemTopic.SCHEDULE + SEPARATOR + SCHEDULE_GROUP).add(1, bytes, 1);
  }

  /**
   * A consumer gave a message back.
   *
   * @param topic where it came from at first, not the retry topic
   * @param stored where it was stored: the schedule topic is counted, others (dead letters) are not
   */
  broughtBack(group: string, topic: string, stored: { topic: string; queueId: number; size: number }): void {
    this.#backs.of(topic + SEPARATOR + group).add(1, stored.size, 1);
    if (stored.topic !== SystemTopic.SCHEDULE) return;
    this.#topicPuts.of(stored.topic).add(1, stored.size, 1);
    this.#queuePuts.of(stored.topic + SEPARATOR + stored.queueId).add(1, stored.size, 1);
  }

  /** A pull was answered with messages, `ms` after it was looked for them. */
  pulled(group: string, topic: string, queueId: number, nums: number, bytes: number, ms: number): void {
    const key = topic + SEPARATOR + group;
    this.#groupGets.of(key).add(nums, bytes, 1);
    this.#groupLatencies.of(queueId + SEPARATOR + key).add(ms, 0, 1);
    this.got.add(nums, bytes, 0);
  }

  /** A topic was deleted. */
  topicDeleted(topic: string): void {
    const begin = topic + SEPARATOR;
    this.#topicPuts.delete(topic);
    for (const counters of [this.#groupGets, this.#backs, this.#queuePuts, this.#queueGets]) {
      counters.drop((key) => key.startsWith(begin));
    }
    this.#groupLatencies.drop((key) => key.includes(SEPARATOR + begin));
  }

  /** A group was deleted. */
  groupDeleted(group: string): void {
    const end = SEPARATOR + group;
    for (const counters of [this.#groupGets, this.#backs, this.#queueGets, this.#groupLatencies]) {
      counters.drop((key) => key.endsWith(end));
    }
  }

  // ---- reading ----

  /** Messages stored by topic. */
  topicsPut(): Iterable<[topic: string, Counter]> {
    return this.#topicPuts;
  }

  /** Messages that each group got of each topic. */
  groupsGot(): Iterable<GroupCounter> {
    return byGroup(this.#groupGets);
  }

  /** Messages that each group gave back, by the topic that they were sent to. */
  sentBack(): Iterable<GroupCounter> {
    return byGroup(this.#backs);
  }

  /** Messages a second that a group got of a topic in the last minute. */
  groupTps(group: string, topic: string): number {
    return this.#groupGets.find(topic + SEPARATOR + group)?.in(0, "nums").tps ?? 0;
  }

  /** A figure by RocketMQ's name and key, over the last minute, hour and day; undefined when nothing was counted. */
  view(name: string, key: string): BrokerStatsData | undefined {
    const named = Object.hasOwn(STATS_NAMES, name) ? STATS_NAMES[name] : undefined;
    const counter = named && this.#counter(named.of, key);
    if (counter === undefined) return undefined;
    const { amount } = named!;
    return {
      statsMinute: counter.in(0, amount),
      statsHour: counter.in(1, amount),
      statsDay: counter.in(2, amount),
    };
  }

  #counter(kind: Named["of"], key: string): Counter | undefined {
    switch (kind) {
      case "topicPuts":
        return this.#topicPuts.find(key);
      case "groupGets":
        return this.#groupGets.find(key);
      case "groupLatencies":
        return this.#groupLatencies.find(key);
      case "backs":
        return this.#backs.find(key);
      case "queuePuts":
        return this.#queuePuts.find(key);
      case "queueGets":
        return this.#queueGets.find(key);
    }
    const counter = kind === "brokerPut" ? this.put : this.got;
    return key === this.#cluster && counter.nums > 0 ? counter : undefined;
  }

  // ---- life ----

  /** Takes samples from now on. */
  start(): void {
    this.#sampling.start(() => this.#dropIdle());
    this.throughput.start();
  }

  #dropIdle(): void {
    for (const counters of [this.#topicPuts, this.#groupGets, this.#groupLatencies, this.#backs]) counters.dropIdle();
    for (const counters of [this.#queuePuts, this.#queueGets]) counters.dropIdle();
  }

  close(): void {
    this.#sampling.close();
    this.throughput.close();
  }
}

function* byGroup(counters: Counters): Generator<GroupCounter> {
  for (const [key, counter] of counters) {
    const at = key.indexOf(SEPARATOR);
    yield { topic: key.slice(0, at), group: key.slice(at + 1), counter };
  }
}
