/**
 * Topics for operators and slaves: UPDATE_AND_CREATE_TOPIC 17, DELETE_TOPIC_IN_BROKER 215, GET_ALL_TOPIC_CONFIG 21.
 * Follows AdminBrokerProcessor of RocketMQ 4.9.7, which has no handler for 22 and 23 either: they are answered as unknown.
 *
 * @module
 */
import { TOPIC_QUEUES_MAX } from "../limits.ts";
import { TOPIC_FILTER_TYPES, topicConfig } from "../protocol/bodies/topic_config.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { checkTopic } from "../protocol/names.ts";
import type { RequestHeader } from "../protocol/request.ts";
import { DeleteTopicInBroker, GetAllTopicConfig, UpdateAndCreateTopic } from "../protocol/requests.ts";
import type { Answer, HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import { slaveProblem } from "./slave_refusals.ts";

/** What these handlers need of the broker. */
export interface TopicHandlersContext extends Pick<BrokerContext, "topics"> {
  readonly settings: Pick<BrokerContext["settings"], "brokerRole">;
  readonly store: Pick<BrokerContext["store"], "deleteTopic">;
  readonly offsets: Pick<BrokerContext["offsets"], "deleteTopic">;
  readonly stats: Pick<BrokerContext["stats"], "topicDeleted">;
}

/** Greatest sum of a topic's permission bits that RocketMQ knows: read, write, inherit. */
const PERM_MAX = 7;

/** Adds the handlers of topics. */
export function topicHandlers(table: HandlerTable, broker: TopicHandlersContext): void {
  const { topics, store } = broker;
  table.on(UpdateAndCreateTopic, async ({ header }) => {
    const problem = slaveProblem(broker.settings) ?? nameProblem(broker, header.topic) ?? valueProblem(header);
    if (problem !== undefined) return refusal(problem);
    topics.update(topicConfig(header.topic, {
      readQueueNums: header.readQueueNums,
      writeQueueNums: header.writeQueueNums,
      perm: header.perm,
      topicFilterType: header.topicFilterType as "SINGLE_TAG" | "MULTI_TAG",
      topicSysFlag: header.topicSysFlag ?? 0,
    }));
    // Who made a topic asks the nameserver for it next.
    await topics.announced();
    return { code: ResponseCode.SUCCESS };
  });
  table.on(DeleteTopicInBroker, ({ header: { topic } }) => {
    const problem = slaveProblem(broker.settings) ?? nameProblem(broker, topic);
    if (problem !== undefined) return refusal(problem);
    topics.delete(topic);
    // Queues may be there without their topic: a message that was delayed, or half, comes all the same.
    store.deleteTopic(topic);
    broker.offsets.deleteTopic(topic);
    broker.stats.topicDeleted(topic);
    return { code: ResponseCode.SUCCESS };
  });
  table.on(GetAllTopicConfig, () => ({ code: ResponseCode.SUCCESS, body: topics.toBody() }));
}

function nameProblem({ topics }: TopicHandlersContext, topic: string): string | undefined {
  // A topic that is there has a legal name: the retry topic of a group is as much longer as its group may be.
  const illegal = topics.get(topic) === undefined ? checkTopic(topic) : undefined;
  if (illegal !== undefined) return illegal;
  return topics.isSystem(topic) ? `The topic[${topic}] is conflict with system topic.` : undefined;
}

function valueProblem(header: RequestHeader<typeof UpdateAndCreateTopic>): string | undefined {
  const { readQueueNums, writeQueueNums, perm, topicFilterType } = header;
  if (!(TOPIC_FILTER_TYPES as readonly string[]).includes(topicFilterType)) {
    return `the field topicFilterType is "${topicFilterType}", allowed is ${TOPIC_FILTER_TYPES.join(" or ")}`;
  }
  return rangeProblem("readQueueNums", readQueueNums, TOPIC_QUEUES_MAX) ??
    rangeProblem("writeQueueNums", writeQueueNums, TOPIC_QUEUES_MAX) ??
    rangeProblem("perm", perm, PERM_MAX);
}

function rangeProblem(field: string, value: number, max: number): string | undefined {
  return value >= 0 && value <= max ? undefined : `the field ${field} is ${value}, allowed is 0 to ${max}`;
}

function refusal(remark: string): Answer {
  return { code: ResponseCode.SYSTEM_ERROR, remark };
}
