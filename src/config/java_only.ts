/**
 * Settings of RocketMQ 4.1-4.9 that rocketd has not. With its own tables, this is every key of BrokerConfig,
 * MessageStoreConfig, NettyServerConfig, NettyClientConfig and NamesrvConfig.
 *
 * @module
 */

/**
 * Those that tune what rocketd does not have - thread pools, mapped memory, Netty - or whose value makes no difference
 * to it, and the last few, which many files have and no RocketMQ reads. A file that has them is taken, and the log says
 * that they have no effect.
 */
export const JAVA_ONLY: ReadonlySet<string> = new Set(
  `
  rocketmqHome configStorePath
  enableCalcFilterBitMap enableConsumeQueueExt mappedFileSizeConsumeQueueExt bitMapLengthConsumeQueueExt
  sendMessageThreadPoolNums putMessageFutureThreadPoolNums pullMessageThreadPoolNums processReplyMessageThreadPoolNums
  queryMessageThreadPoolNums adminBrokerThreadPoolNums clientManageThreadPoolNums consumerManageThreadPoolNums
  heartbeatThreadPoolNums endTransactionThreadPoolNums flushConsumerOffsetHistoryInterval
  putThreadPoolQueueCapacity pullThreadPoolQueueCapacity
  endTransactionPoolQueueCapacity clientManagerThreadPoolQueueCapacity
  consumerManagerThreadPoolQueueCapacity heartbeatThreadPoolQueueCapacity
  highSpeedMode commercialEnable commercialTimerCount commercialTransCount commercialBigCount commercialBaseCount
  transferMsgByHeap maxDelayTime enableDetailStat autoDeleteUnusedStats isolateLogEnable
  commitIntervalCommitLog flushConsumeQueueThoroughInterval useReentrantLockWhenPutMessage flushCommitLogTimed deleteCommitLogFilesInterval
  deleteConsumeQueueFilesInterval destroyMapedFileIntervalForcibly redeleteHangedFileInterval putMsgIndexHightWater
  commitCommitLogLeastPages flushLeastPagesWhenWarmMapedFile flushConsumeQueueLeastPages
  enableScheduleMessageStats enableScheduleAsyncDeliver scheduleAsyncDeliverMaxPendingLimit
  scheduleAsyncDeliverMaxResendNum2Blocked
  commitCommitLogThoroughInterval messageIndexSafe warmMapedFileEnable debugLockEnable diskFallRecorded
  transientStorePoolEnable transientStorePoolSize fastFailIfNoBufferInStorePool
  serverWorkerThreads serverCallbackExecutorThreads serverSelectorThreads serverOnewaySemaphoreValue
  serverAsyncSemaphoreValue serverSocketSndBufSize serverSocketRcvBufSize writeBufferHighWaterMark
  writeBufferLowWaterMark serverSocketBacklog serverPooledByteBufAllocatorEnable useEpollNativeSelector
  clientWorkerThreads clientCallbackExecutorThreads clientOnewaySemaphoreValue clientAsyncSemaphoreValue
  connectTimeoutMillis channelNotActiveInterval clientChannelMaxIdleTimeSeconds clientSocketSndBufSize
  clientSocketRcvBufSize clientPooledByteBufAllocatorEnable clientCloseSocketIfTimeout
  rmqAddressServerDomain rmqAddressServerSubGroup consumerFallbehindThreshold maxLmqConsumeQueueNum
  dLegerGroup dLegerPeers dLegerSelfId preferredLeaderId enableBatchPush isEnableBatchPush storePathDLedgerCommitLog
  productEnvName tls.test.mode.enable tls.server.authClient
  storePathConsumeQueue storePathIndex storeCheckpoint abortFile checkTransactionMessageEnable brokerConfigPath
`.trim().split(/\s+/),
);

/** A feature of RocketMQ's that rocketd has not: to take the setting without obeying would mislead. */
export interface Absent {
  /** Texts by which a file goes without the feature; they are taken like those of {@linkcode JAVA_ONLY}. */
  readonly off: RegExp;
  /** What is wrong with asking for it, and what to do. */
  readonly reason: string;
}

const NOT_TRUE = /^(?!true$)/i, NOTHING = /^$/;

/** By the setting that asks for it. */
export const JAVA_ABSENT: ReadonlyMap<string, Absent> = new Map(Object.entries({
  enableDLegerCommitLog: { off: NOT_TRUE, reason: "there is no DLedger: replicate with a slave (--role slave)" },
  duplicationEnable: { off: NOT_TRUE, reason: "there is no duplication: replicate with a slave (--role slave)" },
  disableConsumeIfConsumerReadSlowly: {
    off: NOT_TRUE,
    reason: "slow groups are not disabled: consumeEnable of a group does that",
  },
  enableLmq: { off: NOT_TRUE, reason: "there are no light message queues" },
  enableMultiDispatch: { off: NOT_TRUE, reason: "there are no light message queues" },
  fetchNamesrvAddrByAddressServer: {
    off: NOT_TRUE,
    reason: "nameservers are not asked for by HTTP: name them in namesrvAddr",
  },
  filterServerNums: { off: /^0*$/, reason: "there are no filter servers: filter by tags or SQL92" },
  "tls.config.file": { off: NOTHING, reason: "what is in that file can stand here, key by key" },
  "tls.server.keyPassword": {
    off: NOTHING,
    reason: "the key must not be encrypted: let only this node's user read it",
  },
  "tls.client.keyPassword": {
    off: NOTHING,
    reason: "the key must not be encrypted: let only this node's user read it",
  },
  "tls.server.need.client.auth": {
    off: /^(none)?$/i,
    reason: "clients are not asked for certificates: let aclEnable tell who may do what",
  },
  "tls.server.trustCertPath": {
    off: NOTHING,
    reason: "clients are not asked for certificates: let aclEnable tell who may do what",
  },
  messageStorePlugIn: { off: NOTHING, reason: "there are no plug-ins of the store" },
  readOnlyCommitLogStorePaths: { off: NOTHING, reason: "the commit log has one folder" },
  clusterTest: { off: NOT_TRUE, reason: "other nameservers are not asked for topics that are not known here" },
}));
