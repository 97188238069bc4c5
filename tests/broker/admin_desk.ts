/**
 * What the tests of administrators' requests share: a broker's tables and those handlers over a real store, consumers that
 * are connected for real, and such that only write down what they are told.
 *
 * @module
 */
import { Cleaning } from "../../src/broker/cleaning.ts";
import { clientHandlers } from "../../src/broker/client_handlers.ts";
import { questionHandlers, type QuestionTimes } from "../../src/broker/client_questions.ts";
import { connectionHandlers } from "../../src/broker/connections.ts";
import { ConsumerFilters } from "../../src/broker/consumer_filters.ts";
import { ConsumerGroups } from "../../src/broker/consumers.ts";
import { MessageFilters } from "../../src/broker/filters.ts";
import { groupOffsetHandlers } from "../../src/broker/group_offsets.ts";
import { SubscriptionGroupTable } from "../../src/broker/groups.ts";
import type { MemberConnection } from "../../src/broker/memberships.ts";
import { ConsumerOffsets } from "../../src/broker/offsets.ts";
import { ProducerGroups } from "../../src/broker/producers.ts";
import { resetHandlers } from "../../src/broker/reset_offset.ts";
import { TopicTable } from "../../src/broker/topics.ts";
import { EVERYTHING, subscriptionTo } from "../../src/client/consumer/subscription.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { encodeHeartbeat, topicConfig } from "../../src/protocol/bodies/mod.ts";
import type { ConsumerData } from "../../src/protocol/bodies/heartbeat.ts";
import { HeartBeat, NotifyConsumerIdsChanged } from "../../src/protocol/requests.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { assertEquals } from "../../src/std.ts";
import type { MessageStore } from "../../src/store/mod.ts";
import { Bench, put } from "../store/kit.ts";
import { type Ask, Desk, RecordingConnection, settingsIn } from "./workshop.ts";

type Settings = ReturnType<typeof settingsIn>;

/** What a heartbeat says of a group that subscribes to these topics. */
export function consumerData(groupName: string, ...topics: string[]): ConsumerData {
  const subscriptionDataSet = topics.map((topic) => subscriptionTo(topic, EVERYTHING, 1));
  return {
    groupName,
    consumeType: "CONSUME_PASSIVELY",
    messageModel: "CLUSTERING",
    consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
    subscriptionDataSet,
    unitMode: false,
  };
}

/** A member that writes down what it is told, but for others that come and go; it is in no group by itself. */
export class ToldMember extends RecordingConnection {
  readonly told: { name: string; header: Record<string, unknown>; body: Uint8Array }[] = [];

  override notify: MemberConnection["notify"] = (type, header, body) => {
    if (type.code === NotifyConsumerIdsChanged.code) return;
    this.told.push({ name: type.name, header: { ...header }, body: body?.[0]?.slice() ?? new Uint8Array(0) });
  };
}

/** A broker as administrators see it. */
export class AdminDesk {
  readonly topics;
  readonly groups;
  readonly offsets;
  readonly consumers;
  readonly producers = new ProducerGroups(systemClock);
  readonly cleaning;
  readonly ask: Ask;
  readonly #desk;

  private constructor(
    readonly bench: Bench,
    readonly store: MessageStore,
    given: Partial<Settings>,
    times: QuestionTimes,
  ) {
    const clock = systemClock;
    const { disk, dir } = bench;
    const settings = { ...settingsIn(dir), ...given };
    const topics = this.topics = new TopicTable({ settings, disk, clock });
    const groups = this.groups = new SubscriptionGroupTable({ settings, disk, clock });
    const offsets = this.offsets = new ConsumerOffsets({ settings, topics, disk, clock });
    const consumers = this.consumers = new ConsumerGroups({ settings, groups, clock });
    const filters = new MessageFilters(settings);
    const consumerFilters = new ConsumerFilters({ settings, consumers, sql: filters.sql, disk, clock });
    const { producers } = this;
    const broker = { settings, clock, store, topics, groups, offsets, consumers, producers, filters, consumerFilters };
    const cleaning = this.cleaning = new Cleaning(broker);
    this.#desk = new Desk((table) => {
      clientHandlers(table, broker);
      connectionHandlers(table, broker);
      questionHandlers(table, broker, times);
      resetHandlers(table, broker);
      groupOffsetHandlers(table, broker);
      cleaning.handlers(table);
    });
    this.ask = this.#desk.client().ask;
  }

  /** Runs a test with a desk; `times`: how long clients may take, ms. */
  static async with(
    test: (desk: AdminDesk, ask: Ask) => Promise<void>,
    given: Partial<Settings> = {},
    times: QuestionTimes = { passedOn: 5_000, status: 5_000, group: 10_000 },
  ): Promise<void> {
    using bench = new Bench();
    const store = await bench.open({ brokerRole: given.brokerRole ?? "ASYNC_MASTER" });
    const desk = new AdminDesk(bench, store, given, times);
    try {
      await test(desk, desk.ask);
    } finally {
      await desk.#desk.close();
      await desk.cleaning.close();
      await store.close();
    }
  }

  /** A consumer, connected for real, that obeys what it is asked by these handlers. */
  async consumer(clientID: string, groups: ConsumerData[], handlers = new HandlerTable(), producers: string[] = []) {
    const client = this.#desk.client(handlers);
    const producerDataSet = producers.map((groupName) => ({ groupName }));
    const heartbeat = encodeHeartbeat({ clientID, consumerDataSet: groups, producerDataSet });
    assertEquals((await client.ask(HeartBeat, {}, heartbeat)).code, 0);
    return client;
  }

  /** A member that only writes down what it is told. */
  member(clientId: string, data: ConsumerData, { language = "JAVA", version = 407 } = {}): ToldMember {
    const member = new ToldMember(`10.0.0.9:${clientId.length}`);
    this.consumers.register(data, member, { clientId, language, version });
    return member;
  }

  /** A topic with so many messages in each of its queues. */
  async topic(topic: string, queues: number, messages = 0): Promise<void> {
    this.topics.update(topicConfig(topic, { readQueueNums: queues, writeQueueNums: queues }));
    for (let n = 0; n < messages; n++) {
      for (let queueId = 0; queueId < queues; queueId++) await put(this.store, { topic, queueId });
    }
  }

  commit(group: string, topic: string, ...offsets: number[]): void {
    offsets.forEach((offset, queueId) => assertEquals(this.offsets.commit(group, topic, queueId, offset), undefined));
  }

  /** What a group has of a topic, by queue. */
  offsetsOf(group: string, topic: string): number[] {
    return [...this.offsets.queuesOf(group, topic)?.values() ?? []];
  }
}
