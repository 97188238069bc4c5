/**
 * Consumer groups as a broker keeps them: body of GET_ALL_SUBSCRIPTIONGROUP_CONFIG, content of
 * config/subscriptionGroup.json.
 *
 * @module
 */
import { GROUPS_MAX, ROUTE_TEXT_LENGTH_MAX } from "../../limits.ts";
import { fastJsonBytes, type FastJsonOptions } from "../fastjson.ts";
import { type DataVersion, dataVersionShape, NO_VERSION } from "./data_version.ts";
import { decodeJson, flag, int32, maybe, object, type Shape, table, text, whole } from "./shape.ts";

/** One consumer group. */
export interface SubscriptionGroupConfig {
  readonly groupName: string;
  readonly consumeEnable: boolean;
  readonly consumeFromMinEnable: boolean;
  readonly consumeBroadcastEnable: boolean;
  readonly retryQueueNums: number;
  readonly retryMaxTimes: number;
  readonly brokerId: number;
  readonly whichBrokerWhenConsumeSlowly: number;
  readonly notifyConsumerIdsChangedEnable: boolean;
}

/** The groups of a broker with their version. */
export interface SubscriptionGroupTable {
  readonly dataVersion: DataVersion;
  readonly subscriptionGroupTable: Map<string, SubscriptionGroupConfig>;
}

/** A group with what the Java class has by default where `given` says nothing. */
export function subscriptionGroup(
  groupName: string,
  given: Partial<SubscriptionGroupConfig> = {},
): SubscriptionGroupConfig {
  return {
    consumeEnable: true,
    consumeFromMinEnable: true,
    consumeBroadcastEnable: true,
    retryQueueNums: 1,
    retryMaxTimes: 16,
    brokerId: 0,
    whichBrokerWhenConsumeSlowly: 1,
    notifyConsumerIdsChangedEnable: true,
    ...given,
    groupName,
  };
}

const defaults = subscriptionGroup("");
const fields = {
  consumeEnable: maybe(flag, () => defaults.consumeEnable),
  consumeFromMinEnable: maybe(flag, () => defaults.consumeFromMinEnable),
  consumeBroadcastEnable: maybe(flag, () => defaults.consumeBroadcastEnable),
  retryQueueNums: maybe(int32, () => defaults.retryQueueNums),
  retryMaxTimes: maybe(int32, () => defaults.retryMaxTimes),
  brokerId: maybe(whole(), () => defaults.brokerId),
  whichBrokerWhenConsumeSlowly: maybe(whole(), () => defaults.whichBrokerWhenConsumeSlowly),
  notifyConsumerIdsChangedEnable: maybe(flag, () => defaults.notifyConsumerIdsChangedEnable),
};
const groupName = text(ROUTE_TEXT_LENGTH_MAX);
const groupShape = object({ ...fields, groupName });
const tableShape = object({
  dataVersion: maybe(dataVersionShape, () => NO_VERSION),
  subscriptionGroupTable: maybe(
    table(object({ ...fields, groupName: maybe(groupName) }), GROUPS_MAX),
    () => new Map(),
  ),
});
const groupsShape: Shape<SubscriptionGroupTable> = (value, field) => {
  const { dataVersion, subscriptionGroupTable } = tableShape(value, field);
  const named = [...subscriptionGroupTable].map(([key, group]) => ({ ...group, groupName: group.groupName ?? key }));
  return { dataVersion, subscriptionGroupTable: new Map(named.map((group) => [group.groupName, group])) };
};

/** Reads one group: body of UPDATE_AND_CREATE_SUBSCRIPTIONGROUP. */
export function decodeSubscriptionGroup(bytes: Uint8Array): SubscriptionGroupConfig {
  return decodeJson(groupShape, bytes);
}

export function encodeSubscriptionGroup(group: SubscriptionGroupConfig): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(group);
}

export function decodeSubscriptionGroupTable(bytes: Uint8Array): SubscriptionGroupTable {
  return decodeJson(groupsShape, bytes);
}

export function encodeSubscriptionGroupTable(
  groups: SubscriptionGroupTable,
  options: FastJsonOptions = {},
): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(groups, options);
}
