/**
 * Who is connected to a broker: members of a consumer group (ConsumerConnection, 203), of a producer group
 * (ProducerConnection, 204), of all producer groups (ProducerTableInfo, 328). All are written member by member.
 *
 * @module
 */
import { CLIENT_ID_LENGTH_MAX, GROUP_CLIENTS_MAX, PRODUCER_GROUPS_MAX, SUBSCRIPTIONS_MAX } from "../../limits.ts";
import { stringifyFastJson } from "../fastjson.ts";
import {
  CONSUME_FROM_WHERE,
  CONSUME_TYPES,
  type ConsumeFromWhere,
  type ConsumeType,
  MESSAGE_MODELS,
  type MessageModel,
  type SubscriptionData,
  subscriptionShape,
} from "./heartbeat.ts";
import { decodeJson, int32, list, long, maybe, object, oneOf, type ShapeOf, table, text } from "./shape.ts";

const member = {
  clientId: text(CLIENT_ID_LENGTH_MAX),
  language: maybe(text(), () => "OTHER"),
  version: maybe(int32, () => 0),
};
const connectionShape = object({ ...member, clientAddr: text() });

/** One member: its client id, `ip:port`, language and `MQVersion` ordinal. */
export type ClientConnection = ShapeOf<typeof connectionShape>;

const connections = maybe(list(connectionShape, GROUP_CLIENTS_MAX), () => []);
const consumerConnectionShape = object({
  connectionSet: connections,
  consumeType: maybe(oneOf(...CONSUME_TYPES)),
  messageModel: maybe(oneOf(...MESSAGE_MODELS)),
  consumeFromWhere: maybe(oneOf(...CONSUME_FROM_WHERE)),
  subscriptionTable: maybe(table(subscriptionShape, SUBSCRIPTIONS_MAX), () => new Map()),
});

/** A consumer group that is online, with what its members subscribe to by topic. */
export type ConsumerConnection = ShapeOf<typeof consumerConnectionShape>;

/** Reads the answer of GET_CONSUMER_CONNECTION_LIST. */
export function decodeConsumerConnection(bytes: Uint8Array): ConsumerConnection {
  return decodeJson(consumerConnectionShape, bytes);
}

/** What stands in the answer beside the members. */
export interface ConsumerGroupSource {
  readonly consumeType: ConsumeType;
  readonly messageModel: MessageModel;
  readonly consumeFromWhere: ConsumeFromWhere;
  readonly subscriptions: ReadonlyMap<string, SubscriptionData>;
}

/** The text of the same, piece by piece. */
export function* consumerConnectionPieces(
  members: Iterable<ClientConnection>,
  { consumeType, messageModel, consumeFromWhere, subscriptions }: ConsumerGroupSource,
): Generator<string> {
  yield '{"connectionSet":[';
  yield* itemPieces(members);
  const rest = { consumeFromWhere, consumeType, messageModel, subscriptionTable: new Map(subscriptions) };
  yield `],${stringifyFastJson(rest).slice(1)}`;
}

/** Reads the answer of GET_PRODUCER_CONNECTION_LIST. */
export function decodeProducerConnection(bytes: Uint8Array): ClientConnection[] {
  return decodeJson(object({ connectionSet: connections }), bytes).connectionSet;
}

/** The text of the same, piece by piece. */
export function* producerConnectionPieces(members: Iterable<ClientConnection>): Generator<string> {
  yield '{"connectionSet":[';
  yield* itemPieces(members);
  yield "]}";
}

const producerShape = object({ ...member, remoteIP: text(), lastUpdateTimestamp: maybe(long, () => 0) });

/** A producer: `remoteIP` is `/ip:port`, as Java writes an address; `lastUpdateTimestamp`: of its last heartbeat, ms. */
export type ProducerInfo = ShapeOf<typeof producerShape>;

const producerTableShape = object({
  data: maybe(table(list(producerShape, GROUP_CLIENTS_MAX), PRODUCER_GROUPS_MAX), () => new Map()),
});

/** Reads the answer of GET_ALL_PRODUCER_INFO: producers by group. */
export function decodeProducerTable(bytes: Uint8Array): Map<string, ProducerInfo[]> {
  return decodeJson(producerTableShape, bytes).data;
}

/** The text of the same, piece by piece. */
export function* producerTablePieces(
  groups: Iterable<readonly [group: string, Iterable<ProducerInfo>]>,
): Generator<string> {
  yield '{"data":{';
  let between = "";
  for (const [group, producers] of groups) {
    yield `${between}${JSON.stringify(group)}:[`;
    yield* itemPieces(producers);
    yield "]";
    between = ",";
  }
  yield "}}";
}

function* itemPieces(items: Iterable<object>): Generator<string> {
  let between = "";
  for (const item of items) {
    yield between + stringifyFastJson(item);
    between = ",";
  }
}
