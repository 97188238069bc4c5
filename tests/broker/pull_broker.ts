/**
 * A broker's part that serves pulls: over real connections, from a real store, with a clock moved by hand.
 *
 * @module
 */
import { ConsumerFilters } from "../../src/broker/consumer_filters.ts";
import { ConsumerGroups } from "../../src/broker/consumers.ts";
import { MessageFilters } from "../../src/broker/filters.ts";
import { SubscriptionGroupTable } from "../../src/broker/groups.ts";
import { Intake } from "../../src/broker/intake.ts";
import { ConsumerOffsets } from "../../src/broker/offsets.ts";
import { Pulling, type PullingContext } from "../../src/broker/pulling.ts";
import { TopicTable } from "../../src/broker/topics.ts";
import { topicConfig } from "../../src/protocol/bodies/mod.ts";
import { PullFlag } from "../../src/protocol/codes.ts";
import { PullMessage } from "../../src/protocol/requests.ts";
import type { MessageStore, StoreOptions } from "../../src/store/mod.ts";
import { Bench, bodies, HOST } from "../store/kit.ts";
import { Desk, HandClock, settingsIn, statsOf, until } from "./workshop.ts";

/** The sysFlag of a pull that may be held. */
export const HELD = PullFlag.SUBSCRIPTION | PullFlag.SUSPEND;

/** A pull of everything from the beginning of T-0. */
export const pull = {
  consumerGroup: "CG",
  topic: "T",
  queueId: 0,
  queueOffset: 0,
  maxMsgNums: 32,
  sysFlag: PullFlag.SUBSCRIPTION as number,
  commitOffset: 0,
  suspendTimeoutMillis: 15_000,
  subscription: "*",
  expressionType: "TAG",
  subVersion: 0,
};
export type Pull = Partial<typeof pull>;

type Given = Partial<PullingContext["settings"] & { enablePropertyFilter: boolean }>;

/** A broker's part that serves pulls, with two queues of the topic T. */
export class Broker {
  readonly clock = new HandClock();
  readonly settings;
  readonly topics;
  readonly groups;
  readonly offsets;
  readonly consumers;
  readonly stats;
  readonly pulling;
  /** Reads of the store, each as topic-queue@offset. */
  readonly reads: string[] = [];
  readonly #desk;
  readonly #ask;

  constructor(readonly bench: Bench, readonly store: MessageStore, given: Given) {
    const { clock } = this;
    const { disk, dir } = bench;
    const settings = this.settings = {
      ...settingsIn(dir),
      brokerPermission: 6,
      brokerIP1: "127.0.0.1",
      longPollingEnable: true,
      shortPollingTimeMills: 1000,
      slaveReadEnable: false,
      offsetCheckInSlave: false,
      ...given,
    };
    const topics = this.topics = new TopicTable({ settings, disk, clock });
    const groups = this.groups = new SubscriptionGroupTable({ settings, disk, clock });
    this.offsets = new ConsumerOffsets({ settings, topics, disk, clock });
    this.consumers = new ConsumerGroups({ settings, groups, clock });
    topics.update(topicConfig("T", { readQueueNums: 2, writeQueueNums: 2 }));
    const { get, reader } = store, { read } = reader;
    store.get = (topic, queueId, offset, ...more) => {
      this.reads.push(`${topic}-${queueId}@${offset}`);
      return get.call(store, topic, queueId, offset, ...more);
    };
    reader.read = (topic, queueId, offset, ...more) => {
      this.reads.push(`${topic}-${queueId}@${offset}`);
      return read.call(reader, topic, queueId, offset, ...more);
    };
    const { offsets, consumers } = this;
    const intake = new Intake(store);
    const filters = new MessageFilters(settings);
    const consumerFilters = new ConsumerFilters({ settings, consumers, sql: filters.sql, disk, clock });
    const stats = this.stats = statsOf(clock);
    const tables = { topics, groups, offsets, consumers, consumerFilters, filters, stats };
    this.pulling = new Pulling({ settings, store, storeHost: HOST, intake, clock, ...tables });
    this.#desk = new Desk((table) => this.pulling.handlers(table));
    this.#ask = this.#desk.client().ask;
  }

  /** A client of its own. */
  client() {
    return this.#desk.client();
  }

  pull(given: Pull = {}, ask = this.#ask) {
    return ask(PullMessage, { ...pull, ...given });
  }

  /** Code, next offset and bodies of what a pull gives. */
  async pulled(given: Pull = {}): Promise<[code: number, next: number | undefined, bodies: string[]]> {
    const { code, header, body } = await this.pull(given);
    return [code, header.nextBeginOffset, bodies([...recordsIn(body)])];
  }

  /** Pulls that are held; they answer later. */
  async hold(...pulls: Pull[]) {
    const before = this.pulling.held.size;
    const answers = pulls.map((given) => this.pull({ sysFlag: HELD, ...given }));
    await until(() => this.pulling.held.size === before + pulls.length, "held pulls");
    return answers;
  }

  async close(): Promise<void> {
    this.pulling.close();
    await this.#desk.close();
    await this.store.close();
  }
}

/** The records of an answer. */
export function* recordsIn(body: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < body.length; at += view.getInt32(at)) yield body.subarray(at, at + view.getInt32(at));
}

/** Runs a test with a broker. */
export async function served(
  test: (broker: Broker) => Promise<void>,
  options: Partial<StoreOptions> = {},
  settings: Given = {},
): Promise<void> {
  using bench = new Bench();
  const broker = new Broker(bench, await bench.open(options), settings);
  try {
    await test(broker);
  } finally {
    await broker.close();
  }
}
