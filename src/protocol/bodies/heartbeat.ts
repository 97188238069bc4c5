/**
 * What clients tell brokers of themselves: the heartbeat, and a subscription to be checked (CHECK_CLIENT_CONFIG).
 *
 * @module
 */
import {
  CLIENT_ID_LENGTH_MAX,
  GROUP_LENGTH_MAX,
  HEARTBEAT_GROUPS_MAX,
  ROUTE_TEXT_LENGTH_MAX,
  SUBSCRIPTION_LENGTH_MAX,
  SUBSCRIPTION_TAGS_MAX,
  SUBSCRIPTIONS_MAX,
} from "../../limits.ts";
import { fastJsonBytes } from "../fastjson.ts";
import { decodeJson, flag, int32, list, long, maybe, object, oneOf, type ShapeOf, text } from "./shape.ts";

/** Pull consumers ask actively, push consumers are driven. */
export const CONSUME_TYPES = ["CONSUME_ACTIVELY", "CONSUME_PASSIVELY"] as const;
export type ConsumeType = typeof CONSUME_TYPES[number];

export const MESSAGE_MODELS = ["BROADCASTING", "CLUSTERING"] as const;
export type MessageModel = typeof MESSAGE_MODELS[number];

export const CONSUME_FROM_WHERE = [
  "CONSUME_FROM_LAST_OFFSET",
  "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST",
  "CONSUME_FROM_MIN_OFFSET",
  "CONSUME_FROM_MAX_OFFSET",
  "CONSUME_FROM_FIRST_OFFSET",
  "CONSUME_FROM_TIMESTAMP",
] as const;
export type ConsumeFromWhere = typeof CONSUME_FROM_WHERE[number];

const clientId = text(CLIENT_ID_LENGTH_MAX);
const group = text(GROUP_LENGTH_MAX);
const noItems = () => [];
const no = () => false;

export const subscriptionShape = object({
  topic: text(ROUTE_TEXT_LENGTH_MAX),
  subString: maybe(text(SUBSCRIPTION_LENGTH_MAX), () => "*"),
  tagsSet: maybe(list(text(SUBSCRIPTION_LENGTH_MAX), SUBSCRIPTION_TAGS_MAX), noItems),
  codeSet: maybe(list(int32, SUBSCRIPTION_TAGS_MAX), noItems),
  subVersion: maybe(long, () => 0),
  expressionType: maybe(text(), () => "TAG"),
  classFilterMode: maybe(flag, no),
});

/**
 * What a group wants of a topic. `codeSet`: Java's String.hashCode of each tag; `subVersion`: when it was made, in
 * ms from Java clients and in ns from Go's; `expressionType`: TAG or SQL92.
 */
export type SubscriptionData = ShapeOf<typeof subscriptionShape>;

const consumerShape = object({
  groupName: group,
  consumeType: maybe(oneOf(...CONSUME_TYPES), () => "CONSUME_PASSIVELY" as const),
  messageModel: maybe(oneOf(...MESSAGE_MODELS), () => "CLUSTERING" as const),
  consumeFromWhere: maybe(oneOf(...CONSUME_FROM_WHERE), () => "CONSUME_FROM_LAST_OFFSET" as const),
  subscriptionDataSet: maybe(list(subscriptionShape, SUBSCRIPTIONS_MAX), noItems),
  unitMode: maybe(flag, no),
});

/** A consumer group that a client belongs to. */
export type ConsumerData = ShapeOf<typeof consumerShape>;

const producerShape = object({ groupName: group });
const heartbeatShape = object({
  clientID: clientId,
  producerDataSet: maybe(list(producerShape, HEARTBEAT_GROUPS_MAX), noItems),
  consumerDataSet: maybe(list(consumerShape, HEARTBEAT_GROUPS_MAX), noItems),
});

/** All groups of one client. */
export type Heartbeat = ShapeOf<typeof heartbeatShape>;

export function decodeHeartbeat(bytes: Uint8Array): Heartbeat {
  return decodeJson(heartbeatShape, bytes);
}

export function encodeHeartbeat(heartbeat: Heartbeat): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(heartbeat);
}

const checkClientShape = object({ clientId, group, subscriptionData: subscriptionShape });

/** A subscription that a client wants to have checked before it consumes. */
export type CheckClientConfigBody = ShapeOf<typeof checkClientShape>;

export function decodeCheckClientConfig(bytes: Uint8Array): CheckClientConfigBody {
  return decodeJson(checkClientShape, bytes);
}

export function encodeCheckClientConfig(body: CheckClientConfigBody): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(body);
}
