/**
 * What clients say of themselves: HEART_BEAT 34, UNREGISTER_CLIENT 35, CHECK_CLIENT_CONFIG 46,
 * GET_CONSUMER_LIST_BY_GROUP 38. Follows ClientManageProcessor and ConsumerManageProcessor of RocketMQ 4.9.7.
 *
 * @module
 */
import { HEARTBEAT_BYTES_MAX } from "../limits.ts";
import { decodeCheckClientConfig, decodeHeartbeat, type Heartbeat } from "../protocol/bodies/heartbeat.ts";
import { encodeConsumerIds } from "../protocol/bodies/lists.ts";
import { LANGUAGES, ResponseCode } from "../protocol/codes.ts";
import { checkGroup, retryTopic } from "../protocol/names.ts";
import { CheckClientConfig, GetConsumerListByGroup, HeartBeat, UnregisterClient } from "../protocol/requests.ts";
import { ALL_PERMITTED, type Permit } from "../remoting/access/guard.ts";
import type { Answer, HandlerTable, Incoming } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import { isTagType } from "./filters.ts";

/** What these handlers need of the broker. */
export type ClientHandlersContext = Pick<
  BrokerContext,
  "topics" | "groups" | "consumers" | "producers" | "consumerFilters" | "filters"
>;

/** Adds the handlers of clients. */
export function clientHandlers(table: HandlerTable, broker: ClientHandlersContext, permitOf = ALL_PERMITTED): void {
  table.on(HeartBeat, (request) => heartBeat(broker, request, permitOf(request as Incoming)));
  table.on(UnregisterClient, ({ header, connection }) => {
    const { producerGroup, consumerGroup } = header;
    if (producerGroup !== undefined) broker.producers.unregister(producerGroup, connection);
    if (consumerGroup !== undefined) broker.consumers.unregister(consumerGroup, connection);
    return { code: ResponseCode.SUCCESS };
  });
  table.on(CheckClientConfig, ({ body }) => {
    const { expressionType, subString } = decodeCheckClientConfig(body).subscriptionData;
    const filtered = isTagType(expressionType) ? undefined : broker.filters.of(expressionType, subString);
    return filtered !== undefined && "code" in filtered ? filtered : { code: ResponseCode.SUCCESS };
  });
  table.on(GetConsumerListByGroup, ({ header }) => {
    const group = broker.consumers.find(header.consumerGroup);
    if (group !== undefined) return { code: ResponseCode.SUCCESS, body: encodeConsumerIds(group.clientIds()) };
    return { code: ResponseCode.SYSTEM_ERROR, remark: `no consumer for this group, ${header.consumerGroup}` };
  });
}

function heartBeat(
  broker: ClientHandlersContext,
  request: Incoming<typeof HeartBeat>,
  permit: Permit | undefined,
): Answer {
  const { body, connection, language, version } = request;
  if (body.length > HEARTBEAT_BYTES_MAX) {
    return refusal(`the body has ${body.length} bytes, allowed are ${HEARTBEAT_BYTES_MAX}`);
  }
  const heartbeat = decodeHeartbeat(body);
  const problem = problemOf(broker, heartbeat, request);
  if (problem !== undefined) return refusal(problem);
  const client = { clientId: heartbeat.clientID, language: languageOf(language), version, permit };
  for (const data of heartbeat.consumerDataSet) {
    const group = broker.groups.find(data.groupName);
    if (group !== undefined) {
      broker.topics.createOnSendBack(retryTopic(data.groupName), group.retryQueueNums, data.unitMode);
    }
    broker.consumers.register(data, connection, client);
    broker.consumerFilters.register(data.groupName, data.subscriptionDataSet);
  }
  for (const { groupName } of heartbeat.producerDataSet) broker.producers.register(groupName, connection, client);
  return { code: ResponseCode.SUCCESS };
}

/** A JSON header may say anything; what is kept is a word that Java's tools know. */
function languageOf(language: string): string {
  return (LANGUAGES as readonly string[]).includes(language) ? language : "OTHER";
}

/** A heartbeat is taken whole or not at all. */
function problemOf(
  { consumers, producers }: ClientHandlersContext,
  { consumerDataSet, producerDataSet }: Heartbeat,
  { connection }: Incoming<typeof HeartBeat>,
): string | undefined {
  for (const data of consumerDataSet) {
    const problem = checkGroup(data.groupName) ?? consumers.problem(data, connection);
    if (problem !== undefined) return `consumerDataSet: ${problem}`;
  }
  for (const { groupName } of producerDataSet) {
    const problem = producers.problem(groupName, connection);
    if (problem !== undefined) return `producerDataSet: ${problem}`;
  }
  return undefined;
}

function refusal(reason: string): Answer {
  return { code: ResponseCode.SYSTEM_ERROR, remark: `HEART_BEAT: ${reason}` };
}
