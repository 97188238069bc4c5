/**
 * The requests that rocketd speaks, each declared once with its fields; those of administrators' tools alone are in
 * admin_requests.ts. Source: the `*RequestHeader` and `*ResponseHeader` classes of RocketMQ 4.9.7. `maybe` fields are
 * those that 4.9.7 annotates as nullable, or whose absence every 4.x client may show.
 *
 * @module
 */
import { int, long, maybe, named, str } from "./fields.ts";
import { request } from "./request.ts";

const none = {};
/** Of requests that are for administrators. */
const CHANGES = { changes: true };

// ---- sending ----

/** What a request says of the message that it brings. */
const messageFields = {
  producerGroup: str,
  topic: str,
  defaultTopic: str,
  defaultTopicQueueNums: int,
  queueId: int,
  sysFlag: int,
  bornTimestamp: long,
  flag: int,
  properties: maybe.str,
  reconsumeTimes: maybe.int,
  unitMode: maybe.bool,
};
/** The header of a send; SEND_MESSAGE_V2 carries the same fields under one-letter names. */
export const sendFields = {
  ...messageFields,
  properties: maybe.utf8,
  maxReconsumeTimes: maybe.int,
  batch: maybe.bool,
  brokerName: maybe.str,
};
const shortSendFields = named(sendFields, {
  producerGroup: "a",
  topic: "b",
  defaultTopic: "c",
  defaultTopicQueueNums: "d",
  queueId: "e",
  sysFlag: "f",
  bornTimestamp: "g",
  flag: "h",
  properties: "i",
  reconsumeTimes: "j",
  unitMode: "k",
  maxReconsumeTimes: "l",
  batch: "m",
  brokerName: "n",
});
// An answer that refuses a send carries only the last two.
const sendAnswer = {
  msgId: maybe.str,
  queueId: maybe.int,
  queueOffset: maybe.long,
  transactionId: maybe.str,
  MSG_REGION: maybe.str,
  TRACE_ON: maybe.str,
};

export const SendMessage = request("SEND_MESSAGE", sendFields, sendAnswer);
export const SendMessageV2 = request("SEND_MESSAGE_V2", shortSendFields, sendAnswer);
export const SendBatchMessage = request("SEND_BATCH_MESSAGE", shortSendFields, sendAnswer);
/** The reply to a message whose sender waits for one: the property REPLY_TO_CLIENT is the client id of that sender. */
export const SendReplyMessage = request("SEND_REPLY_MESSAGE", sendFields, sendAnswer);
export const SendReplyMessageV2 = request("SEND_REPLY_MESSAGE_V2", shortSendFields, sendAnswer);
/** Broker to client: a reply to a message of its own. Hosts are `ip:port`. */
export const PushReplyMessageToClient = request(
  "PUSH_REPLY_MESSAGE_TO_CLIENT",
  { ...messageFields, bornHost: str, storeHost: str, storeTimestamp: long },
  none,
);
/** A consumer gives a message back that it could not handle. `offset`: of the log; `delayLevel`: 0 = as the broker likes. */
export const ConsumerSendMsgBack = request(
  "CONSUMER_SEND_MSG_BACK",
  {
    offset: long,
    group: str,
    delayLevel: int,
    originMsgId: maybe.str,
    originTopic: maybe.str,
    unitMode: maybe.bool,
    maxReconsumeTimes: maybe.int,
  },
  none,
);

// ---- transactions ----

/** Commit (8), rollback (12) or leave open (0) the half message at these places of its queue and of the log. */
export const EndTransaction = request(
  "END_TRANSACTION",
  {
    producerGroup: str,
    tranStateTableOffset: long,
    commitLogOffset: long,
    commitOrRollback: int,
    fromTransactionCheck: maybe.bool,
    msgId: maybe.str,
    transactionId: maybe.str,
  },
  none,
);
/** Broker to producer, one-way: how did this transaction end? The body is the half message. */
export const CheckTransactionState = request(
  "CHECK_TRANSACTION_STATE",
  {
    tranStateTableOffset: long,
    commitLogOffset: long,
    msgId: maybe.str,
    transactionId: maybe.str,
    offsetMsgId: maybe.str,
  },
  none,
);

// ---- pulling and offsets ----

const pullFields = {
  consumerGroup: str,
  topic: str,
  queueId: int,
  queueOffset: long,
  maxMsgNums: int,
  sysFlag: int,
  commitOffset: long,
  suspendTimeoutMillis: long,
  subscription: maybe.str,
  subVersion: long,
  expressionType: maybe.str,
};
const pullAnswer = {
  suggestWhichBrokerId: maybe.long,
  nextBeginOffset: maybe.long,
  minOffset: maybe.long,
  maxOffset: maybe.long,
};
export const PullMessage = request("PULL_MESSAGE", pullFields, pullAnswer);
/** RocketMQ 5.x: what its lite pull consumer sends instead of PULL_MESSAGE, with the same fields. */
export const LitePullMessage = request("LITE_PULL_MESSAGE", pullFields, pullAnswer);

const queueOfGroup = { consumerGroup: str, topic: str, queueId: int };
const queue = { topic: str, queueId: int };
export const QueryConsumerOffset = request("QUERY_CONSUMER_OFFSET", queueOfGroup, { offset: maybe.long });
export const UpdateConsumerOffset = request(
  "UPDATE_CONSUMER_OFFSET",
  { ...queueOfGroup, commitOffset: long },
  none,
);
export const SearchOffsetByTimestamp = request(
  "SEARCH_OFFSET_BY_TIMESTAMP",
  { ...queue, timestamp: long },
  { offset: maybe.long },
);
export const GetMaxOffset = request("GET_MAX_OFFSET", queue, { offset: maybe.long });
export const GetMinOffset = request("GET_MIN_OFFSET", queue, { offset: maybe.long });
export const GetEarliestMsgStoretime = request("GET_EARLIEST_MSG_STORETIME", queue, { timestamp: maybe.long });

// ---- finding messages ----

export const QueryMessage = request(
  "QUERY_MESSAGE",
  {
    topic: str,
    key: str,
    maxNum: int,
    beginTimestamp: long,
    endTimestamp: long,
    uniqueKeyQuery: { ...maybe.bool, wireName: "_UNIQUE_KEY_QUERY" },
  },
  { indexLastUpdateTimestamp: maybe.long, indexLastUpdatePhyoffset: maybe.long },
);
export const ViewMessageById = request("VIEW_MESSAGE_BY_ID", { offset: long }, none);

// ---- clients ----

export const HeartBeat = request("HEART_BEAT", none, none);
export const UnregisterClient = request(
  "UNREGISTER_CLIENT",
  { clientID: str, producerGroup: maybe.str, consumerGroup: maybe.str },
  none,
);
export const CheckClientConfig = request("CHECK_CLIENT_CONFIG", none, none);
export const GetConsumerListByGroup = request("GET_CONSUMER_LIST_BY_GROUP", { consumerGroup: str }, none);
/** Ordered consumers: which queues a client has for itself. */
export const LockBatchMq = request("LOCK_BATCH_MQ", none, none);
export const UnlockBatchMq = request("UNLOCK_BATCH_MQ", none, none);
/** Broker to client, one-way: the members or subscriptions of a group changed. */
export const NotifyConsumerIdsChanged = request("NOTIFY_CONSUMER_IDS_CHANGED", { consumerGroup: str }, none);

// ---- topics and groups ----

export const UpdateAndCreateTopic = request(
  "UPDATE_AND_CREATE_TOPIC",
  {
    topic: str,
    defaultTopic: maybe.str,
    readQueueNums: int,
    writeQueueNums: int,
    perm: int,
    topicFilterType: str,
    topicSysFlag: maybe.int,
    order: maybe.bool,
  },
  none,
  CHANGES,
);
export const DeleteTopicInBroker = request("DELETE_TOPIC_IN_BROKER", { topic: str }, none, CHANGES);
export const GetAllTopicConfig = request("GET_ALL_TOPIC_CONFIG", none, none);
export const GetTopicConfigList = request("GET_TOPIC_CONFIG_LIST", none, none);
export const GetTopicNameList = request("GET_TOPIC_NAME_LIST", none, none);
/** Table of texts by name: what a broker tells of itself. */
export const GetBrokerRuntimeInfo = request("GET_BROKER_RUNTIME_INFO", none, none);
/** The settings of a broker as `name=value` lines; `version` is a DataVersion as JSON. */
export const GetBrokerConfig = request("GET_BROKER_CONFIG", none, { version: maybe.str });
export const GetAllConsumerOffset = request("GET_ALL_CONSUMER_OFFSET", none, none);
export const GetAllDelayOffset = request("GET_ALL_DELAY_OFFSET", none, none);
export const UpdateAndCreateSubscriptionGroup = request("UPDATE_AND_CREATE_SUBSCRIPTIONGROUP", none, none, CHANGES);
export const GetAllSubscriptionGroupConfig = request("GET_ALL_SUBSCRIPTIONGROUP_CONFIG", none, none);
export const DeleteSubscriptionGroup = request(
  "DELETE_SUBSCRIPTIONGROUP",
  { groupName: str, removeOffset: maybe.bool },
  none,
  CHANGES,
);
export const QueryTopicConsumeByWho = request("QUERY_TOPIC_CONSUME_BY_WHO", { topic: str }, none);

// ---- nameserver ----

export const PutKvConfig = request("PUT_KV_CONFIG", { namespace: str, key: str, value: str }, none, CHANGES);
export const GetKvConfig = request("GET_KV_CONFIG", { namespace: str, key: str }, { value: maybe.str });
export const DeleteKvConfig = request("DELETE_KV_CONFIG", { namespace: str, key: str }, none, CHANGES);
export const GetKvlistByNamespace = request("GET_KVLIST_BY_NAMESPACE", { namespace: str }, none);

const brokerIdentity = { brokerName: str, brokerAddr: str, clusterName: str, brokerId: long };
export const RegisterBroker = request(
  "REGISTER_BROKER",
  { ...brokerIdentity, haServerAddr: maybe.str, compressed: maybe.bool, bodyCrc32: maybe.int },
  { haServerAddr: maybe.str, masterAddr: maybe.str },
);
export const UnregisterBroker = request("UNREGISTER_BROKER", brokerIdentity, none);
export const QueryDataVersion = request("QUERY_DATA_VERSION", brokerIdentity, { changed: maybe.bool });
export const GetRouteinfoByTopic = request(
  "GET_ROUTEINFO_BY_TOPIC",
  { topic: str, acceptStandardJsonOnly: maybe.bool },
  none,
);
export const GetBrokerClusterInfo = request("GET_BROKER_CLUSTER_INFO", none, none);
export const WipeWritePermOfBroker = request(
  "WIPE_WRITE_PERM_OF_BROKER",
  { brokerName: str },
  { wipeTopicCount: maybe.int },
  CHANGES,
);
export const AddWritePermOfBroker = request(
  "ADD_WRITE_PERM_OF_BROKER",
  { brokerName: str },
  { addTopicCount: maybe.int },
  CHANGES,
);
export const GetAllTopicListFromNameserver = request("GET_ALL_TOPIC_LIST_FROM_NAMESERVER", none, none);
export const DeleteTopicInNamesrv = request(
  "DELETE_TOPIC_IN_NAMESRV",
  { topic: str, clusterName: maybe.str },
  none,
  CHANGES,
);
export const GetTopicsByCluster = request("GET_TOPICS_BY_CLUSTER", { cluster: str }, none);
export const GetSystemTopicListFromNs = request("GET_SYSTEM_TOPIC_LIST_FROM_NS", none, none);
export const GetUnitTopicList = request("GET_UNIT_TOPIC_LIST", none, none);
export const GetHasUnitSubTopicList = request("GET_HAS_UNIT_SUB_TOPIC_LIST", none, none);
export const GetHasUnitSubUnunitTopicList = request("GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST", none, none);
