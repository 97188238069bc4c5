/**
 * The requests of administrators' tools (mqadmin, consoles, `rocketd admin`), each declared once with its fields.
 * Source: the `*RequestHeader` and `*ResponseHeader` classes of RocketMQ 4.9.7.
 *
 * @module
 */
import { bool, int, long, maybe, str } from "./fields.ts";
import { request } from "./request.ts";

const none = {};
const CHANGES = { changes: true };

// ---- settings ----

/** The body has `name=value` lines. */
export const UpdateBrokerConfig = request("UPDATE_BROKER_CONFIG", none, none, CHANGES);
export const UpdateNamesrvConfig = request("UPDATE_NAMESRV_CONFIG", none, none, CHANGES);
export const GetNamesrvConfig = request("GET_NAMESRV_CONFIG", none, none);

// ---- access control ----

/** `topicPerms`, `groupPerms`: `NAME=PUB|SUB` joined by commas. */
export const UpdateAndCreateAclConfig = request(
  "UPDATE_AND_CREATE_ACL_CONFIG",
  {
    accessKey: str,
    secretKey: maybe.str,
    whiteRemoteAddress: maybe.str,
    admin: maybe.bool,
    defaultTopicPerm: maybe.str,
    defaultGroupPerm: maybe.str,
    topicPerms: maybe.str,
    groupPerms: maybe.str,
  },
  none,
  CHANGES,
);
export const DeleteAclConfig = request("DELETE_ACL_CONFIG", { accessKey: str }, none, CHANGES);
/** Versions are DataVersions as JSON. */
export const GetBrokerClusterAclInfo = request("GET_BROKER_CLUSTER_ACL_INFO", none, {
  version: maybe.str,
  allAclFileVersion: maybe.str,
  brokerName: maybe.str,
  brokerAddr: maybe.str,
  clusterName: maybe.str,
});
export const UpdateGlobalWhiteAddrsConfig = request(
  "UPDATE_GLOBAL_WHITE_ADDRS_CONFIG",
  { globalWhiteAddrs: str, aclFileFullPath: maybe.str },
  none,
  CHANGES,
);
export const GetBrokerClusterAclConfig = request("GET_BROKER_CLUSTER_ACL_CONFIG", none, none);

// ---- figures ----

export const GetTopicStatsInfo = request("GET_TOPIC_STATS_INFO", { topic: str }, none);
export const GetConsumeStats = request("GET_CONSUME_STATS", { consumerGroup: str, topic: maybe.str }, none);
export const GetBrokerConsumeStats = request("GET_BROKER_CONSUME_STATS", { isOrder: maybe.bool }, none);
export const QueryConsumeTimeSpan = request("QUERY_CONSUME_TIME_SPAN", { topic: str, group: str }, none);
/** One figure, such as TOPIC_PUT_NUMS of a topic. */
export const ViewBrokerStatsData = request("VIEW_BROKER_STATS_DATA", { statsName: str, statsKey: str }, none);
/** Entries of a queue, as they are on the disk. */
export const QueryConsumeQueue = request(
  "QUERY_CONSUME_QUEUE",
  { topic: str, queueId: int, index: long, count: int, consumerGroup: maybe.str },
  none,
);
export const GetSystemTopicListFromBroker = request("GET_SYSTEM_TOPIC_LIST_FROM_BROKER", none, none);

// ---- clients ----

export const GetConsumerConnectionList = request("GET_CONSUMER_CONNECTION_LIST", { consumerGroup: str }, none);
export const GetProducerConnectionList = request("GET_PRODUCER_CONNECTION_LIST", { producerGroup: str }, none);
export const GetAllProducerInfo = request("GET_ALL_PRODUCER_INFO", none, none);
/** To the broker, which asks the client the same. */
export const GetConsumerRunningInfo = request(
  "GET_CONSUMER_RUNNING_INFO",
  { consumerGroup: str, clientId: str, jstackEnable: maybe.bool },
  none,
);
/** To the broker, which sends the message with the id (of its offset) to a consumer, and gives back what came of it. */
export const ConsumeMessageDirectly = request(
  "CONSUME_MESSAGE_DIRECTLY",
  { consumerGroup: str, clientId: maybe.str, msgId: maybe.str, brokerName: maybe.str, topic: maybe.str },
  none,
  CHANGES,
);
/** Broker to client, one-way: go on from these offsets. */
export const ResetConsumerClientOffset = request(
  "RESET_CONSUMER_CLIENT_OFFSET",
  { topic: str, group: str, timestamp: long, isForce: bool },
  none,
);
/** Broker to client: where are you? */
export const GetConsumerStatusFromClient = request(
  "GET_CONSUMER_STATUS_FROM_CLIENT",
  { topic: str, group: str, clientAddr: maybe.str },
  none,
);

// ---- offsets ----

/** `timestamp`: -1 for the end. Without `isForce` offsets only go back. */
export const InvokeBrokerToResetOffset = request(
  "INVOKE_BROKER_TO_RESET_OFFSET",
  { topic: str, group: str, timestamp: long, isForce: bool },
  none,
  CHANGES,
);
export const InvokeBrokerToGetConsumerStatus = request(
  "INVOKE_BROKER_TO_GET_CONSUMER_STATUS",
  { topic: str, group: str, clientAddr: maybe.str },
  none,
);
export const CloneGroupOffset = request(
  "CLONE_GROUP_OFFSET",
  { srcGroup: str, destGroup: str, topic: maybe.str, offline: maybe.bool },
  none,
  CHANGES,
);
export const QueryCorrectionOffset = request(
  "QUERY_CORRECTION_OFFSET",
  { filterGroups: maybe.str, compareGroup: str, topic: str },
  none,
);

// ---- cleaning, and half messages once more ----

export const CleanExpiredConsumequeue = request("CLEAN_EXPIRED_CONSUMEQUEUE", none, none, CHANGES);
export const CleanUnusedTopic = request("CLEAN_UNUSED_TOPIC", none, none, CHANGES);
export const DeleteExpiredCommitlog = request("DELETE_EXPIRED_COMMITLOG", none, none, CHANGES);
/** Asks about a half message again that was asked about too often. */
export const ResumeCheckHalfMessage = request("RESUME_CHECK_HALF_MESSAGE", { msgId: maybe.str }, none, CHANGES);
