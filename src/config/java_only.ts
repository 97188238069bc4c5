/**
 * Settings of RocketMQ 4.1-4.9 that tune what rocketd does not have - thread pools, mapped memory, Netty - or whose
 * value makes no difference to it. A file that has them is taken, and the log says that they have no effect. Settings
 * that change what a broker does (`aclEnable`, `enableDLegerCommitLog`, …) are not among them: to take those without
 * obeying would mislead.
 *
 * @module
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
  commitIntervalCommitLog useReentrantLockWhenPutMessage flushCommitLogTimed deleteCommitLogFilesInterval
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
`.trim().split(/\s+/),
);
