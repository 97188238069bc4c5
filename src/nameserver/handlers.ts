/**
 * The nameserver as a table from request to handler. Follows DefaultRequestProcessor of RocketMQ 4.9.7.
 *
 * @module
 */
import type { NameserverSettings } from "../config/nameserver.ts";
import {
  decodeDataVersion,
  decodeRegisterBroker,
  encodeClusterInfo,
  encodeDataVersion,
  encodeKvTable,
  encodeTopicList,
  encodeTopicRoute,
  registerBodyCrc,
  TopicSysFlag,
} from "../protocol/bodies/mod.ts";
import { text } from "../protocol/bodies/shape.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { ORDER_TOPIC_NAMESPACE } from "../protocol/names.ts";
import * as requests from "../protocol/requests.ts";
import type { Clock } from "../platform/clock.ts";
import { type Answer, HandlerTable, type Incoming } from "../remoting/handlers.ts";
import type { KvConfig } from "./kv_config.ts";
import type { RouteTable } from "./route_table.ts";
import { settingsHandlers } from "./settings_handlers.ts";

/** What the handlers work on. */
export interface NameserverState {
  readonly routes: RouteTable;
  readonly kv: KvConfig;
  readonly clock: Clock;
  readonly settings: Partial<NameserverSettings> & Pick<NameserverSettings, "orderMessageEnable">;
}

const success: Answer = { code: ResponseCode.SUCCESS };
const bounded = text();

/** All requests that a nameserver obeys. */
export function nameserverHandlers(state: NameserverState): HandlerTable {
  const table = new HandlerTable();
  addKvConfig(table, state);
  addBrokers(table, state);
  addTopics(table, state);
  settingsHandlers(table, state.settings, state.clock);
  return table;
}

function addKvConfig(table: HandlerTable, { kv }: NameserverState): void {
  table
    .on(requests.PutKvConfig, ({ header: { namespace, key, value } }) => {
      kv.put(namespace, key, value);
      return success;
    })
    .on(requests.GetKvConfig, ({ header: { namespace, key } }) => {
      const value = kv.get(namespace, key);
      if (value !== undefined) return { code: ResponseCode.SUCCESS, header: { value } };
      return {
        code: ResponseCode.QUERY_NOT_FOUND,
        remark: `No config item, Namespace: ${namespace} Key: ${key}`,
        header: {},
      };
    })
    .on(requests.DeleteKvConfig, ({ header: { namespace, key } }) => {
      kv.delete(namespace, key);
      return success;
    })
    .on(requests.GetKvlistByNamespace, ({ header: { namespace } }) => {
      const entries = kv.list(namespace);
      if (entries !== undefined) return { code: ResponseCode.SUCCESS, body: encodeKvTable(entries) };
      return { code: ResponseCode.QUERY_NOT_FOUND, remark: `No config item, Namespace: ${namespace}` };
    });
}

function addBrokers(table: HandlerTable, state: NameserverState): void {
  const { routes, clock } = state;
  table
    .on(requests.RegisterBroker, (request) => registerBroker(state, request))
    .on(requests.UnregisterBroker, ({ header: { brokerName, brokerId, brokerAddr } }) => {
      routes.unregister(brokerName, brokerId, brokerAddr);
      return success;
    })
    .on(requests.QueryDataVersion, ({ header: { brokerAddr }, body }) => {
      const changed = routes.isChanged(brokerAddr, decodeDataVersion(body));
      if (!changed) routes.touch(brokerAddr, clock.now());
      const known = routes.dataVersion(brokerAddr);
      const answer = { code: ResponseCode.SUCCESS, header: { changed } };
      return known === undefined ? answer : { ...answer, body: encodeDataVersion(known) };
    })
    .on(requests.GetBrokerClusterInfo, () => ({
      code: ResponseCode.SUCCESS,
      body: encodeClusterInfo(routes.clusterInfo()),
    }))
    .on(requests.WipeWritePermOfBroker, ({ header: { brokerName } }) => ({
      code: ResponseCode.SUCCESS,
      header: { wipeTopicCount: routes.wipeWritePermission(brokerName) },
    }))
    .on(requests.AddWritePermOfBroker, ({ header: { brokerName } }) => ({
      code: ResponseCode.SUCCESS,
      header: { addTopicCount: routes.addWritePermission(brokerName) },
    }));
}

function registerBroker(
  { routes, kv, clock }: NameserverState,
  { header, body, version, connection }: Incoming<typeof requests.RegisterBroker>,
): Answer<typeof requests.RegisterBroker> {
  const { clusterName, brokerName, brokerAddr, brokerId, haServerAddr, compressed, bodyCrc32 } = header;
  if ((bodyCrc32 ?? 0) !== 0 && bodyCrc32 !== registerBodyCrc(body)) {
    return { code: ResponseCode.SYSTEM_ERROR, remark: "crc32 not match" };
  }
  const { topicConfigSerializeWrapper, filterServerList } = decodeRegisterBroker(body, compressed ?? false, version);
  const registration = {
    clusterName: bounded(clusterName, "clusterName"),
    brokerName: bounded(brokerName, "brokerName"),
    brokerAddr: bounded(brokerAddr, "brokerAddr"),
    brokerId,
    haServerAddr: haServerAddr === undefined ? undefined : bounded(haServerAddr, "haServerAddr"),
    topics: topicConfigSerializeWrapper,
    filterServers: filterServerList,
    link: connection,
  };
  const answer = { code: ResponseCode.SUCCESS, header: routes.register(registration, clock.now()) };
  const orders = kv.list(ORDER_TOPIC_NAMESPACE);
  return orders === undefined ? answer : { ...answer, body: encodeKvTable(orders) };
}

function addTopics(table: HandlerTable, { routes, kv, settings }: NameserverState): void {
  const topics = (topicList: readonly string[], brokerAddr?: string): Answer => ({
    code: ResponseCode.SUCCESS,
    body: encodeTopicList({ topicList, brokerAddr }),
  });
  table
    .on(requests.GetRouteinfoByTopic, ({ header: { topic } }) => {
      const route = routes.route(topic);
      if (route === undefined) {
        return {
          code: ResponseCode.TOPIC_NOT_EXIST,
          remark: `No topic route info in name server for the topic: ${topic}\n` +
            "See http://rocketmq.apache.org/docs/faq/ for further details.",
        };
      }
      const orderTopicConf = settings.orderMessageEnable ? kv.get(ORDER_TOPIC_NAMESPACE, topic) : undefined;
      return { code: ResponseCode.SUCCESS, body: encodeTopicRoute({ ...route, orderTopicConf }) };
    })
    .on(requests.DeleteTopicInNamesrv, ({ header: { topic, clusterName } }) => {
      routes.deleteTopic(topic, clusterName === "" ? undefined : clusterName);
      return success;
    })
    .on(requests.GetAllTopicListFromNameserver, () => topics(routes.topics()))
    .on(requests.GetTopicsByCluster, ({ header: { cluster } }) => topics(routes.topicsOf(cluster)))
    .on(requests.GetSystemTopicListFromNs, () => {
      const { topicList, brokerAddr } = routes.systemTopics();
      return topics(topicList, brokerAddr);
    })
    .on(requests.GetUnitTopicList, () => topics(routes.topicsWithFlag(TopicSysFlag.UNIT)))
    .on(requests.GetHasUnitSubTopicList, () => topics(routes.topicsWithFlag(TopicSysFlag.UNIT_SUB)))
    .on(
      requests.GetHasUnitSubUnunitTopicList,
      () => topics(routes.topicsWithFlag(TopicSysFlag.UNIT_SUB, TopicSysFlag.UNIT)),
    );
}
