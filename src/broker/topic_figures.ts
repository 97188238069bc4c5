/**
 * Figures of topics: GET_TOPIC_STATS_INFO 202, QUERY_CONSUME_TIME_SPAN 303, GET_SYSTEM_TOPIC_LIST_FROM_BROKER 305. Follows
 * AdminBrokerProcessor of RocketMQ 4.9.7; other than there, a group that never read a queue is as late as the queue's
 * first message is old, where Java says since 1970.
 *
 * @module
 */
import { TABLE_ANSWER_BYTES_MAX } from "../limits.ts";
import { GetSystemTopicListFromBroker, GetTopicStatsInfo, QueryConsumeTimeSpan } from "../protocol/admin_requests.ts";
import { encodeTopicList } from "../protocol/bodies/lists.ts";
import type { MessageQueue } from "../protocol/bodies/message_queue.ts";
import {
  type QueueTimeSpan,
  timeSpanPieces,
  type TopicOffset,
  topicStatsPieces,
} from "../protocol/bodies/topic_stats.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { SYSTEM_TOPICS } from "../protocol/names.ts";
import type { Answer, HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import type { LargeAnswers } from "./large_answers.ts";
import { encodeInTurns } from "./slices.ts";

/** What these handlers need of the broker. */
export interface TopicFiguresContext extends Pick<BrokerContext, "clock"> {
  readonly settings: Pick<BrokerContext["settings"], "brokerName">;
  readonly store: Pick<BrokerContext["store"], "minOffset" | "maxOffset" | "storeTimeOf" | "earliestStoreTime">;
  readonly topics: Pick<BrokerContext["topics"], "get" | "names" | "isSystem">;
  readonly offsets: Pick<BrokerContext["offsets"], "get">;
}

/** Adds the handlers; their answers take turns with `answers`. */
export function topicFigureHandlers(table: HandlerTable, broker: TopicFiguresContext, answers: LargeAnswers): void {
  const { topics, clock } = broker;
  const told = async (topic: string, pieces: Iterable<string>): Promise<Answer> => {
    if (topics.get(topic) === undefined) {
      return { code: ResponseCode.TOPIC_NOT_EXIST, remark: `topic[${topic}] not exist` };
    }
    return { code: ResponseCode.SUCCESS, body: await encodeInTurns(pieces, clock, TABLE_ANSWER_BYTES_MAX) };
  };
  table.on(GetTopicStatsInfo, (request) => {
    const { topic } = request.header;
    answers.give(request, () => told(topic, topicStatsPieces(queueEnds(broker, topic))));
    return undefined;
  });
  table.on(QueryConsumeTimeSpan, (request) => {
    const { topic, group } = request.header;
    answers.give(request, () => told(topic, timeSpanPieces(timeSpans(broker, group, topic))));
    return undefined;
  });
  table.on(GetSystemTopicListFromBroker, () => {
    const builtin = [...topics.names()].filter((topic) => topics.isSystem(topic));
    return {
      code: ResponseCode.SUCCESS,
      body: encodeTopicList({ topicList: [...new Set([...SYSTEM_TOPICS, ...builtin])] }),
    };
  });
}

function* queueEnds(broker: TopicFiguresContext, topic: string): Generator<[MessageQueue, TopicOffset]> {
  const { store } = broker;
  for (const queue of writeQueues(broker, topic)) {
    const { queueId } = queue;
    const maxOffset = store.maxOffset(topic, queueId);
    const lastUpdateTimestamp = maxOffset > 0 ? store.storeTimeOf(topic, queueId, maxOffset - 1) : 0;
    yield [queue, { minOffset: store.minOffset(topic, queueId), maxOffset, lastUpdateTimestamp }];
  }
}

function* timeSpans(broker: TopicFiguresContext, group: string, topic: string): Generator<QueueTimeSpan> {
  const { store, offsets, clock } = broker;
  for (const messageQueue of writeQueues(broker, topic)) {
    const { queueId } = messageQueue;
    const minOffset = store.minOffset(topic, queueId), maxOffset = store.maxOffset(topic, queueId);
    const minTimeStamp = store.earliestStoreTime(topic, queueId);
    const offset = offsets.get(group, topic, queueId);
    const next = Math.max(offset, minOffset);
    const nextTime = next < maxOffset ? store.storeTimeOf(topic, queueId, next) : -1;
    yield {
      messageQueue,
      minTimeStamp,
      maxTimeStamp: store.storeTimeOf(topic, queueId, maxOffset - 1),
      consumeTimeStamp: offset > 0 ? store.storeTimeOf(topic, queueId, offset - 1) : minTimeStamp,
      delayTime: nextTime < 0 ? 0 : Math.max(0, clock.now() - nextTime),
    };
  }
}

/** The queues that a topic is written to. */
function* writeQueues({ settings, topics }: TopicFiguresContext, topic: string): Generator<MessageQueue> {
  const { writeQueueNums = 0 } = topics.get(topic) ?? {};
  for (let queueId = 0; queueId < writeQueueNums; queueId++) {
    yield { topic, brokerName: settings.brokerName, queueId };
  }
}
