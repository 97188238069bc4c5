/**
 * How far consumer groups are: GET_CONSUME_STATS 208 of one, GET_BROKER_CONSUME_STATS 317 of all. Follows
 * AdminBrokerProcessor of RocketMQ 4.9.7: a topic that a group no longer subscribes to, while it is online, is left out.
 *
 * @module
 */
import { TABLE_ANSWER_BYTES_MAX } from "../limits.ts";
import { GetBrokerConsumeStats, GetConsumeStats } from "../protocol/admin_requests.ts";
import {
  consumeStatsListPieces,
  consumeStatsPieces,
  type ConsumeStatsSource,
  type QueueProgress,
} from "../protocol/bodies/consume_stats.ts";
import type { MessageQueue } from "../protocol/bodies/message_queue.ts";
import type { TopicConfig } from "../protocol/bodies/topic_config.ts";
import { ResponseCode } from "../protocol/codes.ts";
import type { Answer, HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import type { LargeAnswers } from "./large_answers.ts";
import { encodeInTurns } from "./slices.ts";

/** What these handlers need of the broker. */
export interface ConsumeFiguresContext extends Pick<BrokerContext, "address" | "clock"> {
  readonly settings: Pick<BrokerContext["settings"], "brokerName">;
  readonly store: Pick<BrokerContext["store"], "maxOffset" | "storeTimeOf">;
  readonly topics: Pick<BrokerContext["topics"], "get">;
  readonly groups: Pick<BrokerContext["groups"], "names">;
  readonly consumers: Pick<BrokerContext["consumers"], "find">;
  readonly offsets: Pick<BrokerContext["offsets"], "get" | "topicsOf">;
  readonly stats: Pick<BrokerContext["stats"], "groupTps">;
}

/** Adds the handlers; their answers take turns with `answers`. */
export function consumeFigureHandlers(table: HandlerTable, broker: ConsumeFiguresContext, answers: LargeAnswers): void {
  const told = async (pieces: Iterable<string>): Promise<Answer> => ({
    code: ResponseCode.SUCCESS,
    body: await encodeInTurns(pieces, broker.clock, TABLE_ANSWER_BYTES_MAX),
  });
  table.on(GetConsumeStats, (request) => {
    const { consumerGroup, topic = "" } = request.header;
    const given = topic.trim() === "" ? undefined : [topic];
    answers.give(request, () => told(piecesOfGroup(broker, consumerGroup, given)));
    return undefined;
  });
  table.on(GetBrokerConsumeStats, (request) => {
    const orderedOnly = request.header.isOrder ?? false;
    answers.give(request, () => told(consumeStatsListPieces(broker.address, ofAllGroups(broker, orderedOnly))));
    return undefined;
  });
}

/** One group's progress in topics, all that it has offsets of unless they are given, as one table. */
function* piecesOfGroup(
  broker: ConsumeFiguresContext,
  group: string,
  topics = broker.offsets.topicsOf(group),
): Generator<string> {
  const wanted: TopicConfig[] = [];
  let consumeTps = 0;
  for (const topic of wantedTopics(broker, group, topics)) {
    wanted.push(topic);
    consumeTps += broker.stats.groupTps(group, topic.topicName);
    // There is nothing to tell yet, but others may have their turn.
    yield "";
  }
  function* offsetTable() {
    for (const topic of wanted) yield* progress(broker, group, topic.topicName, topic.readQueueNums);
  }
  yield* consumeStatsPieces({ consumeTps, offsetTable });
}

function* ofAllGroups(
  broker: ConsumeFiguresContext,
  orderedOnly: boolean,
): Generator<[group: string, Iterable<ConsumeStatsSource>]> {
  for (const group of broker.groups.names()) yield [group, topicByTopic(broker, group, orderedOnly)];
}

function* topicByTopic(
  broker: ConsumeFiguresContext,
  group: string,
  orderedOnly: boolean,
): Generator<ConsumeStatsSource> {
  for (const { topicName, writeQueueNums, order } of wantedTopics(broker, group, broker.offsets.topicsOf(group))) {
    if (orderedOnly && !order) continue;
    yield {
      consumeTps: broker.stats.groupTps(group, topicName),
      offsetTable: () => progress(broker, group, topicName, writeQueueNums),
    };
  }
}

/** Those that exist, and that the group subscribes to if it is online. */
function* wantedTopics(
  { topics, consumers }: ConsumeFiguresContext,
  group: string,
  names: readonly string[],
): Generator<TopicConfig> {
  for (const name of names) {
    const topic = topics.get(name);
    const subscriptions = consumers.find(group)?.subscriptions;
    const isLeft = subscriptions !== undefined && subscriptions.size > 0 && !subscriptions.has(name);
    if (topic !== undefined && !isLeft) yield topic;
  }
}

function* progress(
  { settings, store, offsets }: ConsumeFiguresContext,
  group: string,
  topic: string,
  queues: number,
): Generator<[MessageQueue, QueueProgress]> {
  for (let queueId = 0; queueId < queues; queueId++) {
    const consumerOffset = Math.max(0, offsets.get(group, topic, queueId));
    const lastTimestamp = consumerOffset > 0 ? store.storeTimeOf(topic, queueId, consumerOffset - 1) : 0;
    yield [{ topic, brokerName: settings.brokerName, queueId }, {
      brokerOffset: store.maxOffset(topic, queueId),
      consumerOffset,
      lastTimestamp: Math.max(0, lastTimestamp),
    }];
  }
}
