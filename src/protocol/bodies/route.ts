/**
 * Where topics are: the route of one topic (`TopicRouteData`) and all brokers of all clusters (`ClusterInfo`). Both are
 * written as strict JSON, which every client reads; both forms are read.
 *
 * @module
 */
import { BROKERS_MAX, FILTER_SERVERS_MAX } from "../../limits.ts";
import { fastJsonBytes } from "../fastjson.ts";
import { decodeJson, int32, list, maybe, numberTable, object, table, text } from "./shape.ts";
import { queueCount } from "./topic_config.ts";

/** A topic on one broker name. */
export interface QueueData {
  readonly brokerName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  readonly perm: number;
  readonly topicSysFlag: number;
}

/** One broker name: addresses (`host:port`) by broker id, 0 the master. */
export interface BrokerData {
  readonly cluster: string;
  readonly brokerName: string;
  readonly brokerAddrs: ReadonlyMap<number, string>;
}

/** The route of one topic. `orderTopicConf`: `brokerA:4;brokerB:8`, of ordered topics. */
export interface TopicRouteData {
  readonly orderTopicConf?: string | undefined;
  readonly queueDatas: readonly QueueData[];
  readonly brokerDatas: readonly BrokerData[];
  readonly filterServerTable: ReadonlyMap<string, readonly string[]>;
}

/** Brokers by name, and names by cluster. */
export interface ClusterInfo {
  readonly brokerAddrTable: ReadonlyMap<string, BrokerData>;
  readonly clusterAddrTable: ReadonlyMap<string, readonly string[]>;
}

const queueDataShape = object({
  brokerName: text(),
  readQueueNums: queueCount,
  writeQueueNums: queueCount,
  perm: int32,
  topicSysFlag: maybe(int32),
  // The name of the same field until 4.8.0.
  topicSynFlag: maybe(int32),
});
const brokerDataShape = object({
  cluster: maybe(text(), () => ""),
  brokerName: text(),
  brokerAddrs: maybe(numberTable(text(), BROKERS_MAX), () => new Map()),
});
const routeShape = object({
  orderTopicConf: maybe(text(Infinity)),
  queueDatas: maybe(list(queueDataShape, BROKERS_MAX), () => []),
  brokerDatas: maybe(list(brokerDataShape, BROKERS_MAX), () => []),
  filterServerTable: maybe(table(list(text(), FILTER_SERVERS_MAX), BROKERS_MAX), () => new Map()),
});
const clusterShape = object({
  brokerAddrTable: maybe(table(brokerDataShape, BROKERS_MAX), () => new Map()),
  clusterAddrTable: maybe(table(list(text(), BROKERS_MAX), BROKERS_MAX), () => new Map()),
});

export function decodeTopicRoute(bytes: Uint8Array): TopicRouteData {
  const { queueDatas, ...rest } = decodeJson(routeShape, bytes);
  return {
    ...rest,
    queueDatas: queueDatas.map(({ topicSysFlag, topicSynFlag, ...queue }) => ({
      ...queue,
      topicSysFlag: topicSysFlag ?? topicSynFlag ?? 0,
    })),
  };
}

/** With quoted keys: strict parsers need them, and the Java clients of every version take them. */
export function encodeTopicRoute(route: TopicRouteData): Uint8Array<ArrayBuffer> {
  return fastJsonBytes({ ...route, brokerDatas: route.brokerDatas.map(withQuotedIds) });
}

export function decodeClusterInfo(bytes: Uint8Array): ClusterInfo {
  return decodeJson(clusterShape, bytes);
}

export function encodeClusterInfo({ brokerAddrTable, clusterAddrTable }: ClusterInfo): Uint8Array<ArrayBuffer> {
  const brokers = [...brokerAddrTable].map(([name, broker]) => [name, withQuotedIds(broker)] as const);
  return fastJsonBytes({ brokerAddrTable: new Map(brokers), clusterAddrTable });
}

function withQuotedIds({ cluster, brokerName, brokerAddrs }: BrokerData): unknown {
  const byId = [...brokerAddrs].sort(([a], [b]) => a - b);
  return { cluster, brokerName, brokerAddrs: new Map(byId.map(([id, address]) => [String(id), address])) };
}
