/**
 * Small bodies: lists of topics, groups and clients, tables of texts.
 *
 * @module
 */
import { GROUP_CLIENTS_MAX, GROUPS_MAX, KV_ENTRIES_MAX, KV_TEXT_LENGTH_MAX, ROUTE_ENTRIES_MAX } from "../../limits.ts";
import { fastJsonBytes } from "../fastjson.ts";
import { decodeJson, list, maybe, object, table, text } from "./shape.ts";

/** Topics; `brokerAddr` (`host:port`) says where to ask for more, in the list of system topics. */
export interface TopicList {
  readonly topicList: readonly string[];
  readonly brokerAddr?: string | undefined;
}

const topicListShape = object({
  topicList: maybe(list(text(), ROUTE_ENTRIES_MAX), () => []),
  brokerAddr: maybe(text()),
});

export function decodeTopicList(bytes: Uint8Array): TopicList {
  return decodeJson(topicListShape, bytes);
}

export function encodeTopicList(value: TopicList): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(value);
}

const groupListShape = object({ groupList: maybe(list(text(), GROUPS_MAX), () => []) });

/** Reads the answer of QUERY_TOPIC_CONSUME_BY_WHO: consumer groups. */
export function decodeGroupList(bytes: Uint8Array): string[] {
  return decodeJson(groupListShape, bytes).groupList;
}

/** The answer of QUERY_TOPIC_CONSUME_BY_WHO. */
export function encodeGroupList(groupList: readonly string[]): Uint8Array<ArrayBuffer> {
  return fastJsonBytes({ groupList });
}

const kvShape = object({ table: maybe(table(text(KV_TEXT_LENGTH_MAX), KV_ENTRIES_MAX), () => new Map()) });

/** Reads a KVTable: `{"table":{"key":"value"}}`. */
export function decodeKvTable(bytes: Uint8Array): Map<string, string> {
  return decodeJson(kvShape, bytes).table;
}

export function encodeKvTable(table: ReadonlyMap<string, string>): Uint8Array<ArrayBuffer> {
  return fastJsonBytes({ table });
}

const consumerIdsShape = object({ consumerIdList: maybe(list(text(Infinity), GROUP_CLIENTS_MAX), () => []) });

/** Reads the answer of GET_CONSUMER_LIST_BY_GROUP: client ids. */
export function decodeConsumerIds(bytes: Uint8Array): string[] {
  return decodeJson(consumerIdsShape, bytes).consumerIdList;
}

export function encodeConsumerIds(consumerIdList: readonly string[]): Uint8Array<ArrayBuffer> {
  return fastJsonBytes({ consumerIdList });
}
