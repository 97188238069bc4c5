/**
 * Files of settings that were written for RocketMQ.
 *
 * @module
 */
import { checkSettings, type LoadOptions, problemLine } from "../../src/config/mod.ts";
import { JAVA_ABSENT, JAVA_ONLY } from "../../src/config/java_only.ts";
import { TABLES } from "../../src/config/roles.ts";
import { assert, assertEquals } from "../../src/std.ts";

const CONF: LoadOptions = { roles: ["master"], file: "broker.conf", env: { HOME: "/home/me" } };

function warnings(text: string, options: LoadOptions): readonly string[] {
  const loaded = checkSettings(text, options);
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
  return loaded.warnings;
}

function lines(text: string, options: LoadOptions): string[] {
  const loaded = checkSettings(text, options);
  return loaded.ok ? [] : loaded.problems.map((problem) => problemLine(problem, options.file));
}

/** Fields of BrokerConfig, MessageStoreConfig, NettyServerConfig, NettyClientConfig, NamesrvConfig, 4.0 to 4.9.8. */
const JAVA_KEYS = `
  accessMessageInMemoryMaxRatio aclEnable adminBrokerThreadPoolNums autoCreateSubscriptionGroup autoCreateTopicEnable
  autoDeleteUnusedStats bitMapLengthConsumeQueueExt brokerClusterName brokerFastFailureEnable brokerIP1 brokerIP2
  brokerId brokerName brokerPermission brokerRole brokerTopicEnable channelNotActiveInterval checkCRCOnRecover
  cleanFileForciblyEnable cleanResourceInterval clientAsyncSemaphoreValue clientCallbackExecutorThreads
  clientChannelMaxIdleTimeSeconds clientCloseSocketIfTimeout clientManageThreadPoolNums
  clientManagerThreadPoolQueueCapacity clientOnewaySemaphoreValue clientPooledByteBufAllocatorEnable
  clientSocketRcvBufSize clientSocketSndBufSize clientWorkerThreads clusterTest clusterTopicEnable commercialBaseCount
  commercialBigCount commercialEnable commercialTimerCount commercialTransCount commitCommitLogLeastPages
  commitCommitLogThoroughInterval commitIntervalCommitLog compressedRegister configBlackList configStorePath
  connectTimeoutMillis consumerFallbehindThreshold consumerManageThreadPoolNums consumerManagerThreadPoolQueueCapacity
  dLegerGroup dLegerPeers dLegerSelfId debugLockEnable defaultQueryMaxNum defaultTopicQueueNums
  deleteCommitLogFilesInterval deleteConsumeQueueFilesInterval deleteWhen destroyMapedFileIntervalForcibly
  disableConsumeIfConsumerReadSlowly diskFallRecorded diskMaxUsedSpaceRatio duplicationEnable enableCalcFilterBitMap
  enableConsumeQueueExt enableDLegerCommitLog enableDetailStat enableLmq enableMultiDispatch enablePropertyFilter
  enableScheduleAsyncDeliver enableScheduleMessageStats endTransactionPoolQueueCapacity endTransactionThreadPoolNums
  expectConsumerNumUseFilter fastFailIfNoBufferInStorePool fetchNamesrvAddrByAddressServer fileReservedTime
  filterDataCleanTimeSpan filterServerNums filterSupportRetry flushCommitLogLeastPages flushCommitLogThoroughInterval
  flushCommitLogTimed flushConsumeQueueLeastPages flushConsumeQueueThoroughInterval flushConsumerOffsetHistoryInterval
  flushConsumerOffsetInterval flushDelayOffsetInterval flushDiskType flushIntervalCommitLog flushIntervalConsumeQueue
  flushLeastPagesWhenWarmMapedFile forceRegister haHousekeepingInterval haListenPort haMasterAddress
  haSendHeartbeatInterval haSlaveFallbehindMax haTransferBatchSize heartbeatThreadPoolNums
  heartbeatThreadPoolQueueCapacity highSpeedMode isEnableBatchPush isolateLogEnable kvConfigPath listenPort
  longPollingEnable mapedFileSizeCommitLog mapedFileSizeConsumeQueue mappedFileSizeCommitLog
  mappedFileSizeConsumeQueue mappedFileSizeConsumeQueueExt maxDelayTime maxErrorRateOfBloomFilter maxHashSlotNum
  maxIndexNum maxLmqConsumeQueueNum maxMessageSize maxMsgsNumBatch maxTransferBytesOnMessageInDisk
  maxTransferBytesOnMessageInMemory maxTransferCountOnMessageInDisk maxTransferCountOnMessageInMemory
  messageDelayLevel messageIndexEnable messageIndexSafe messageStorePlugIn msgTraceTopicName namesrvAddr
  notifyConsumerIdsChangedEnable offsetCheckInSlave orderMessageEnable osPageCacheBusyTimeOutMills preferredLeaderId
  processReplyMessageThreadPoolNums productEnvName pullMessageThreadPoolNums pullThreadPoolQueueCapacity
  putMessageFutureThreadPoolNums putMsgIndexHightWater putThreadPoolQueueCapacity queryMessageThreadPoolNums
  queryThreadPoolQueueCapacity readOnlyCommitLogStorePaths redeleteHangedFileInterval regionId
  registerBrokerTimeoutMills registerNameServerPeriod rejectTransactionMessage replyThreadPoolQueueCapacity
  rocketmqHome scheduleAsyncDeliverMaxPendingLimit scheduleAsyncDeliverMaxResendNum2Blocked sendMessageThreadPoolNums
  sendThreadPoolQueueCapacity serverAsyncSemaphoreValue serverCallbackExecutorThreads serverChannelMaxIdleTimeSeconds
  serverOnewaySemaphoreValue serverPooledByteBufAllocatorEnable serverSelectorThreads serverSocketBacklog
  serverSocketRcvBufSize serverSocketSndBufSize serverWorkerThreads shortPollingTimeMills slaveReadEnable slaveTimeout
  startAcceptSendRequestTimeStamp storePathCommitLog storePathDLedgerCommitLog storePathRootDir
  storeReplyMessageEnable syncFlushTimeout traceOn traceTopicEnable transactionCheckInterval transactionCheckMax
  transactionTimeOut transferMsgByHeap transientStorePoolEnable transientStorePoolSize useEpollNativeSelector
  useReentrantLockWhenPutMessage useTLS waitTimeMillsInHeartbeatQueue waitTimeMillsInPullQueue
  waitTimeMillsInSendQueue waitTimeMillsInTransactionQueue warmMapedFileEnable writeBufferHighWaterMark
  writeBufferLowWaterMark
`.trim().split(/\s+/);

Deno.test("every setting of RocketMQ is a setting here, or is ignored, or refused with a reason", () => {
  const own = Object.values(TABLES).flatMap((table) => {
    return Object.entries(table).flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
  });
  const known = new Set([...own, ...JAVA_ONLY, ...JAVA_ABSENT.keys()]);
  assertEquals(JAVA_KEYS.filter((key) => !known.has(key)), []);
  assertEquals(own.filter((name) => JAVA_ONLY.has(name) || JAVA_ABSENT.has(name)), [], "both a setting and none");
});

for (
  const [what, role, text] of [
    ["conf/broker.conf", "master", "brokerName = broker-a\nbrokerId = 0\nbrokerRole = ASYNC_MASTER"],
    ["conf/2m-2s-sync/broker-a.properties", "master", "brokerName=broker-a\nbrokerId=0\nbrokerRole=SYNC_MASTER"],
    ["conf/2m-2s-sync/broker-b-s.properties", "slave", "brokerName=broker-b\nbrokerId=1\nbrokerRole=SLAVE"],
    [
      "conf/2m-noslave/broker-trace.properties",
      "master",
      "brokerName=broker-trace\nbrokerId=0\nbrokerRole=ASYNC_MASTER",
    ],
  ] as const
) {
  Deno.test(`${what} of RocketMQ's distribution is taken as it is`, () => {
    const rest = "brokerClusterName=DefaultCluster\ndeleteWhen=04\nfileReservedTime=48\nflushDiskType=ASYNC_FLUSH\n";
    assertEquals(warnings(`# Licensed to …\n\n${text}\n${rest}`, { ...CONF, roles: [role] }), []);
  });
}

Deno.test("a file as operators pass it on is taken, with one line about what means nothing here", () => {
  const text = `brokerClusterName=rocketmq-cluster
brokerName=broker-a
brokerId=0
namesrvAddr=rocketmq-nameserver1:9876;rocketmq-nameserver2:9876
defaultTopicQueueNums=4
autoCreateTopicEnable=true
autoCreateSubscriptionGroup=true
listenPort=10911
deleteWhen=04
fileReservedTime=120
mapedFileSizeCommitLog=1073741824
mapedFileSizeConsumeQueue=300000
destroyMapedFileIntervalForcibly=120000
redeleteHangedFileInterval=120000
diskMaxUsedSpaceRatio=88
storePathRootDir=/usr/local/rocketmq/store
storePathCommitLog=/usr/local/rocketmq/store/commitlog
storePathConsumeQueue=/usr/local/rocketmq/store/consumequeue
storePathIndex=/usr/local/rocketmq/store/index
storeCheckpoint=/usr/local/rocketmq/store/checkpoint
abortFile=/usr/local/rocketmq/store/abort
maxMessageSize=65536
flushCommitLogLeastPages=4
flushConsumeQueueLeastPages=2
flushCommitLogThoroughInterval=10000
flushConsumeQueueThoroughInterval=60000
brokerRole=ASYNC_MASTER
flushDiskType=ASYNC_FLUSH
checkTransactionMessageEnable=false
sendMessageThreadPoolNums=128
pullMessageThreadPoolNums=128
enableDLegerCommitLog=false
`;
  assertEquals(warnings(text, CONF), [
    "settings of RocketMQ that mean nothing to rocketd are ignored: destroyMapedFileIntervalForcibly, " +
    "redeleteHangedFileInterval, storePathConsumeQueue, storePathIndex, storeCheckpoint, abortFile, " +
    "flushConsumeQueueLeastPages, flushConsumeQueueThoroughInterval, checkTransactionMessageEnable, " +
    "sendMessageThreadPoolNums, pullMessageThreadPoolNums, enableDLegerCommitLog",
  ]);
});

Deno.test("a namesrv.properties file is taken", () => {
  const text = "#Mon Nov 23 10:00:00 UTC 2026\nrocketmqHome=/opt/rocketmq\nkvConfigPath=/data/namesrv/kvConfig.json\n" +
    "configStorePath=/data/namesrv/namesrv.properties\nlistenPort=9876\nclusterTest=false\nproductEnvName=center\n" +
    "orderMessageEnable=true\nserverWorkerThreads=8\n";
  assertEquals(warnings(text, { ...CONF, roles: ["nameserver"], file: "namesrv.properties" }), [
    "settings of RocketMQ that mean nothing to rocketd are ignored: rocketmqHome, configStorePath, clusterTest, " +
    "productEnvName, serverWorkerThreads",
  ]);
});

Deno.test("what asks for a feature that is not here is refused, with the reason", () => {
  const text = "enableDLegerCommitLog=true\ndLegerGroup=RaftNode00\ndLegerPeers=n0-127.0.0.1:40911\ndLegerSelfId=n0\n";
  assertEquals(lines(text, CONF), [
    'broker.conf:1:23: enableDLegerCommitLog "true" is not possible here: there is no DLedger: replicate with a slave ' +
    "(--role slave)",
  ]);
  for (const key of JAVA_ABSENT.keys()) {
    const wanted = { filterServerNums: "2", messageStorePlugIn: "a.B", readOnlyCommitLogStorePaths: "/a" }[key] ??
      "TRUE";
    const [line, more] = lines(`${key}=${wanted}`, CONF);
    assert(line?.includes("is not possible here: ") && more === undefined, `${key}: ${line}`);
    const off = { filterServerNums: "0", messageStorePlugIn: "", readOnlyCommitLogStorePaths: "" }[key] ??
      (key.startsWith("tls.") ? "" : "false");
    assert(warnings(`${key}=${off}`, CONF)[0]!.includes(key));
  }
});

Deno.test("several folders of the commit log are refused, a default that has a comma is not", () => {
  const [line] = lines("storePathCommitLog=/a,/b", CONF);
  assertEquals(line, 'broker.conf:1:20: storePathCommitLog "/a,/b": expected one folder, without a comma in its name');
  assertEquals(warnings("storePathRootDir=/a,b", CONF), []);
});

Deno.test("a mistyped key is refused in RocketMQ's form of file too, where RocketMQ says nothing", () => {
  assertEquals(lines("fileReservedTim=1", CONF), [
    'broker.conf:1:1: fileReservedTim = "1" is not a setting: did you mean fileReservedTime?',
  ]);
});
