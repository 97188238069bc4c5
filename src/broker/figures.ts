/**
 * Figures for operators: counters (VIEW_BROKER_STATS_DATA 315), the entries of a queue (QUERY_CONSUME_QUEUE 321), and those
 * of topics and groups. Follows AdminBrokerProcessor of RocketMQ 4.9.7; other than there, an index that a queue does not
 * have is answered with a body, from which mqadmin tells that.
 *
 * @module
 */
import { QUEUE_READ_ENTRIES_MAX } from "../limits.ts";
import { QueryConsumeQueue, ViewBrokerStatsData } from "../protocol/admin_requests.ts";
import { encodeBrokerStats } from "../protocol/bodies/broker_stats.ts";
import { encodeQueueEntries, type QueueEntry } from "../protocol/bodies/queue_entries.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { stringifyFastJson } from "../protocol/fastjson.ts";
import type { Answer, HandlerTable, Incoming } from "../remoting/handlers.ts";
import type { ConsumeQueue } from "../store/consume_queue.ts";
import { consumeFigureHandlers, type ConsumeFiguresContext } from "./consume_figures.ts";
import type { BrokerContext } from "./context.ts";
import { LargeAnswers } from "./large_answers.ts";
import { topicFigureHandlers, type TopicFiguresContext } from "./topic_figures.ts";

/** What these handlers need of the broker. */
export interface FiguresContext
  extends Omit<ConsumeFiguresContext, "store" | "stats" | "topics">, Omit<TopicFiguresContext, "store" | "offsets"> {
  readonly store:
    & ConsumeFiguresContext["store"]
    & TopicFiguresContext["store"]
    & Pick<BrokerContext["store"], "queues">;
  readonly stats: ConsumeFiguresContext["stats"] & Pick<BrokerContext["stats"], "view">;
  readonly consumerFilters: Pick<BrokerContext["consumerFilters"], "get">;
}

/** Adds the handlers of all of these. */
export function figureHandlers(table: HandlerTable, broker: FiguresContext): void {
  const answers = new LargeAnswers("cannot tell the figures", broker.clock);
  topicFigureHandlers(table, broker, answers);
  consumeFigureHandlers(table, broker, answers);
  table.on(ViewBrokerStatsData, ({ header: { statsName, statsKey } }) => {
    const data = broker.stats.view(statsName, statsKey);
    if (data !== undefined) return { code: ResponseCode.SUCCESS, body: encodeBrokerStats(data) };
    return { code: ResponseCode.SYSTEM_ERROR, remark: `The stats <${statsName}> <${statsKey}> not exist` };
  });
  table.on(QueryConsumeQueue, (request) => queueEntries(broker, request));
}

function queueEntries(broker: FiguresContext, { header }: Incoming<typeof QueryConsumeQueue>): Answer {
  const { topic, queueId, index, count, consumerGroup } = header;
  const queue = broker.store.queues.get(topic, queueId);
  if (queue === undefined) {
    return { code: ResponseCode.SYSTEM_ERROR, remark: `${queueId}@${topic} is not exist!` };
  }
  const { minOffset, maxOffset } = queue;
  const queueData = index < minOffset || index >= maxOffset ? undefined : entriesOf(queue, index, count);
  return {
    code: ResponseCode.SUCCESS,
    remark: queueData === undefined ? `Index ${index} of ${queueId}@${topic} is not exist!` : undefined,
    body: encodeQueueEntries({
      minQueueIndex: minOffset,
      maxQueueIndex: maxOffset,
      queueData,
      ...subscriptionOf(broker, topic, consumerGroup),
    }),
  };
}

function entriesOf(queue: ConsumeQueue, index: number, count: number): QueueEntry[] {
  const entries = queue.read(index, Math.max(0, Math.min(count, QUEUE_READ_ENTRIES_MAX)));
  return Array.from({ length: entries.count }, (_, i) => ({
    physicOffset: entries.logOffset(i),
    physicSize: entries.size(i),
    tagsCode: entries.tagsCode(i),
    eval: false,
    extendDataJson: undefined,
    bitMap: undefined,
    msg: undefined,
  }));
}

/** What a group that was asked about wants of the topic, and its filter as text for people. */
function subscriptionOf({ consumers, consumerFilters }: FiguresContext, topic: string, group: string | undefined) {
  if (group === undefined) return { subscriptionData: undefined, filterData: undefined };
  const subscriptionData = consumers.find(group)?.subscriptions.get(topic);
  if (subscriptionData === undefined) return { subscriptionData, filterData: `${group}@${topic} is not online!` };
  const filter = consumerFilters.get(topic, group);
  return { subscriptionData, filterData: stringifyFastJson(filter ?? null, { pretty: true }) };
}
