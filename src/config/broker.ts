/**
 * The settings of the broker roles (master and slave), by their names of broker.conf.
 *
 * @module
 */
import { accessSettings, ACCOUNT_KEY } from "./access.ts";
import { commonSettings } from "./common.ts";
import { ADDRESS, HOST, NAME } from "./forms.ts";
import { bool, choice, int, list, long, type SettingsOf, string } from "./setting.ts";
import { storeSettings } from "./store.ts";
import { clientTlsSettings, serverTlsSettings } from "./tls.ts";

export const brokerSettings = {
  namesrvAddr: list(ADDRESS, {
    default: [],
    env: "NAMESRV_ADDR",
    help: 'nameservers to register with, joined by ";"; the environment variable NAMESRV_ADDR does the same',
  }),
  // The VIP twin listens two below, replication one above.
  listenPort: int({
    default: 10911,
    perRole: true,
    min: 3,
    max: 65534,
    help: "port to listen on; the VIP port is two below, the port for slaves one above",
  }),
  haListenPort: int({
    default: ({ chosen }) => Number(chosen("listenPort")) + 1,
    min: 1,
    max: 65535,
    help: "port for slaves; by default listenPort + 1",
  }),
  ...commonSettings,
  brokerIP1: string(HOST, { default: ({ address }) => address, help: "address that clients are told" }),
  brokerIP2: string(HOST, {
    default: ({ chosen }) => String(chosen("brokerIP1")),
    help: "address that slaves are told",
  }),
  brokerName: string(NAME, {
    default: ({ hostName }) => hostName,
    help: "name that a master and its slaves share",
  }),
  brokerClusterName: string(NAME, { default: "DefaultCluster", help: "cluster that the broker belongs to" }),
  brokerId: long({
    default: ({ role }) => role === "slave" ? 1 : 0,
    help: "0 for a master; a slave has a higher one of its own",
  }),
  brokerRole: choice(["ASYNC_MASTER", "SYNC_MASTER", "SLAVE"], {
    default: ({ role }) => role === "slave" ? "SLAVE" : "ASYNC_MASTER",
    help: "SYNC_MASTER acknowledges a message once a slave has it",
  }),
  brokerPermission: int({
    default: 6,
    max: 7,
    hot: true,
    help: "sum of 4 (clients may read), 2 (clients may write) and 1 (topics may be derived from its topics)",
  }),
  defaultTopicQueueNums: int({
    default: 8,
    min: 1,
    max: 1024,
    help: "queues of the topic that new topics are made from",
  }),
  autoCreateTopicEnable: bool({ default: true, hot: true, help: "make a topic when the first message to it arrives" }),
  autoCreateSubscriptionGroup: bool({ default: true, hot: true, help: "make a consumer group when it is first used" }),
  clusterTopicEnable: bool({ default: true, help: "keep a topic named like the cluster" }),
  brokerTopicEnable: bool({ default: true, help: "keep a topic named like the broker" }),
  traceTopicEnable: bool({ default: false, help: "keep the topic of message traces" }),
  msgTraceTopicName: string(NAME, { default: "RMQ_SYS_TRACE_TOPIC", help: "topic of message traces" }),
  flushConsumerOffsetInterval: int({ default: 5000, min: 100, help: "ms between saves of consumer offsets" }),
  longPollingEnable: bool({
    default: true,
    hot: true,
    help: "hold a pull that finds nothing as long as the client asks",
  }),
  shortPollingTimeMills: int({
    default: 1000,
    min: 1,
    hot: true,
    help: "ms that such a pull is held without longPollingEnable",
  }),
  enablePropertyFilter: bool({
    default: false,
    hot: true,
    help: "let consumers choose messages by SQL92 expressions over their properties",
  }),
  filterSupportRetry: bool({
    default: false,
    hot: true,
    help: "let SQL92 expressions choose once more when a message is delivered again after a failure",
  }),
  filterDataCleanTimeSpan: long({
    default: 24 * 3600 * 1000,
    hot: true,
    help: "ms that the expression of a consumer group is kept when all of its consumers are gone",
  }),
  maxErrorRateOfBloomFilter: int({
    default: 20,
    min: 1,
    max: 99,
    help: "percent of wrong hits of the bit maps in consumerFilter.json; only Java's brokers on this store use them",
  }),
  expectConsumerNumUseFilter: int({
    default: 32,
    min: 1,
    max: 1_000_000,
    help: "consumer groups that these bit maps are made for",
  }),
  notifyConsumerIdsChangedEnable: bool({
    default: true,
    hot: true,
    help: "tell consumers when one of their group comes or goes",
  }),
  lockMaxLiveTime: int({
    default: 60000,
    min: 1,
    aliases: ["rocketmq.broker.rebalance.lockMaxLiveTime"],
    help: "ms that an ordered consumer keeps a queue without renewing its lock",
  }),
  storeReplyMessageEnable: bool({
    default: true,
    hot: true,
    help: "keep the replies to requests in the topic CLUSTER_REPLY_TOPIC",
  }),
  replyThreadPoolQueueCapacity: int({
    default: 10000,
    min: 1,
    hot: true,
    help: "replies that may wait at once for their clients to take them",
  }),
  regionId: string(NAME, { default: "DefaultRegion", help: "region that message traces name" }),
  traceOn: bool({ default: true, hot: true, help: "tell clients that messages may be traced" }),
  registerBrokerTimeoutMills: int({ default: 6000, min: 1, hot: true, help: "ms to wait for a nameserver" }),
  registerNameServerPeriod: int({
    default: 30000,
    min: 10000,
    max: 60000,
    help: "ms between registrations with the nameservers",
  }),
  forceRegister: bool({ default: true, hot: true, help: "register each time, even if no topic has changed" }),
  compressedRegister: bool({ default: false, hot: true, help: "compress registrations" }),
  rejectTransactionMessage: bool({ default: false, hot: true, help: "refuse transactional messages" }),
  transactionTimeOut: int({ default: 6000, hot: true, help: "ms before a transaction that is open is asked about" }),
  transactionCheckMax: int({
    default: 15,
    hot: true,
    help: "times that an open transaction is asked about before it goes to TRANS_CHECK_MAX_TIME_TOPIC",
  }),
  transactionCheckInterval: int({
    default: 60000,
    min: 1,
    hot: true,
    help: "ms between the rounds that ask about open transactions",
  }),
  readyLagMax: long({
    default: 16 * 1024 * 1024,
    hot: true,
    help: "bytes of the log that a slave may be behind its master and still be ready (/readyz)",
  }),
  slaveReadEnable: bool({ default: false, hot: true, help: "send consumers that lag far behind to a slave" }),
  brokerFastFailureEnable: bool({
    default: true,
    hot: true,
    help: "refuse requests that waited longer than the settings waitTimeMillsIn… allow, or while the disk hangs",
  }),
  waitTimeMillsInSendQueue: int({ default: 200, min: 1, hot: true, help: "ms that a send may wait for its turn" }),
  waitTimeMillsInPullQueue: int({ default: 5000, min: 1, hot: true, help: "ms that a pull may wait for its turn" }),
  waitTimeMillsInHeartbeatQueue: int({
    default: 31000,
    min: 1,
    hot: true,
    help: "ms that a heartbeat may wait for its turn",
  }),
  waitTimeMillsInTransactionQueue: int({
    default: 3000,
    min: 1,
    hot: true,
    help: "ms that the end of a transaction may wait for its turn",
  }),
  sendThreadPoolQueueCapacity: int({
    default: 10000,
    min: 1,
    hot: true,
    help: "sends of all clients that may be in hand, such as those that wait for SYNC_FLUSH; more are refused",
  }),
  queryThreadPoolQueueCapacity: int({
    default: 20000,
    min: 1,
    hot: true,
    help: "queries by key and id of all clients that may be in hand; more are refused",
  }),
  startAcceptSendRequestTimeStamp: long({
    default: 0,
    hot: true,
    help: "take no messages before this time (Unix, ms)",
  }),
  ...storeSettings,
  ...serverTlsSettings,
  ...clientTlsSettings,
  ...accessSettings("config"),
  aclAccessKey: string(ACCOUNT_KEY, {
    default: "",
    env: "ROCKETD_ACCESS_KEY",
    help: "account that this broker signs its own requests with, to nameservers and as a slave to its master",
  }),
  aclSecretKey: string(ACCOUNT_KEY, {
    default: "",
    env: "ROCKETD_SECRET_KEY",
    secret: true,
    help: "the secret of aclAccessKey; not on the command line, where everybody could see it",
  }),
};

/** What a broker runs with. */
export type BrokerSettings = SettingsOf<typeof brokerSettings>;
