/**
 * The metrics of rocketmq-exporter with their labels, as its RMQMetricsCollector has them.
 *
 * @module
 */

const BROKER = ["cluster", "brokerIP", "broker"];
const TOPIC = ["cluster", "broker", "topic"];
const GROUP = ["cluster", "broker", "topic", "group"];
const DIFF = ["group", "topic", "countOfOnlineConsumers", "msgModel"];
const RUNTIME = ["cluster", "brokerIP", "brokerHost", "des", "boottime", "broker_version"];

const RUNTIME_NAMES = `
  pmdt_0ms pmdt_0to10ms pmdt_10to50ms pmdt_50to100ms pmdt_100to200ms pmdt_200to500ms pmdt_500to1s pmdt_1to2s pmdt_2to3s
  pmdt_3to4s pmdt_4to5s pmdt_5to10s pmdt_10stomore
  msg_put_total_today_now msg_gettotal_today_now dispatch_behind_bytes put_message_size_total put_message_average_size
  query_threadpool_queue_capacity remain_transientstore_buffer_numbs earliest_message_timestamp
  putmessage_entire_time_max start_accept_sendrequest_time send_threadpool_queue_size putmessage_times_total
  getmessage_entire_time_max pagecache_lock_time_mills commitlog_disk_ratio consumequeue_disk_ratio
  getfound_tps600 getfound_tps60 getfound_tps10 gettotal_tps600 gettotal_tps60 gettotal_tps10
  gettransfered_tps600 gettransfered_tps60 gettransfered_tps10 getmiss_tps600 getmiss_tps60 getmiss_tps10
  put_tps600 put_tps60 put_tps10 dispatch_maxbuffer pull_threadpoolqueue_capacity send_threadpoolqueue_capacity
  pull_threadpoolqueue_size query_threadpoolqueue_size pull_threadpoolqueue_headwait_timemills
  query_threadpoolqueue_headwait_timemills send_threadpoolqueue_headwait_timemills
  msg_gettotal_yesterdaymorning msg_puttotal_yesterdaymorning msg_gettotal_todaymorning msg_puttotal_todaymorning
  commitlogdir_capacity_free commitlogdir_capacity_total commitlog_maxoffset commitlog_minoffset
  remain_howmanydata_toflush put_latency_99 put_latency_999
`.trim().split(/\s+/).map((name) => [`brokeruntime_${name}`, RUNTIME] as const);

/** Labels by name. */
export const EXPORTER_METRICS: ReadonlyMap<string, readonly string[]> = new Map(
  ([
    ["broker_tps", BROKER],
    ["broker_qps", BROKER],
    ["broker_commitlog_diff", BROKER],
    ["producer_tps", TOPIC],
    ["producer_message_size", TOPIC],
    ["producer_offset", TOPIC],
    ["topic_retry_offset", TOPIC],
    ["topic_dlq_offset", ["cluster", "broker", "group"]],
    ["producer_count", ["cluster", "broker", "group"]],
    ["consumer_tps", GROUP],
    ["consumer_message_size", GROUP],
    ["consumer_offset", GROUP],
    ["send_back_nums", GROUP],
    ["group_consume_tps", GROUP],
    ["group_consume_total_offset", GROUP],
    ["group_get_latency_by_storetime", GROUP],
    ["group_diff", DIFF],
    ["group_retrydiff", DIFF],
    ["group_dlqdiff", DIFF],
    ["group_count", ["caddr", "localaddr", "group"]],
    ...RUNTIME_NAMES,
  ] as (readonly [string, readonly string[]])[]).map(([name, labels]) => [`rocketmq_${name}`, labels]),
);
