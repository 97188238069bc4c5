/**
 * `rocketmq_brokeruntime_…`: what rocketmq-exporter makes of a broker's answer to GET_BROKER_RUNTIME_INFO 28, under its
 * names and with its labels. It takes the figures from that table of texts, and so is it done here.
 *
 * @module
 */
import type { BrokerView } from "../../broker/mod.ts";
import { OUR_VERSION, OUR_VERSION_NAME } from "../../protocol/codes.ts";
import type { Family } from "./family.ts";

const LABELS = ["cluster", "brokerIP", "brokerHost", "des", "boottime", "broker_version"];

/** What a metric takes from the text of its key; undefined while there is no number. */
type Taken = (text: string) => number | undefined;

const whole: Taken = (text) => {
  const value = text.trim() === "" ? NaN : Number(text);
  return Number.isNaN(value) ? undefined : value;
};
/** One of several numbers with blanks between. */
const word = (index: number): Taken => (text) => whole(text.split(" ")[index] ?? "");
/** How many puts took so long: `[10~50ms]:3`. */
const range = (name: string): Taken => (text) => {
  const found = text.split(" ").find((part) => part.startsWith(`[${name}]:`));
  return found === undefined ? undefined : whole(found.slice(name.length + 3));
};
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const UNIT = 2 ** 10;
/** `Total : 10 GiB, Free : 512 MiB.` */
const capacity = (name: string): Taken => (text) => {
  const [, amount = "", unit = ""] = new RegExp(`${name} : ([\\d.]+) ?([A-Za-z]+)`).exec(text) ?? [];
  const power = UNITS.indexOf(unit);
  return amount === "" || power < 0 ? undefined : Number(amount) * UNIT ** power;
};

function tps(key: string, name: string): readonly (readonly [string, string, Taken])[] {
  return [10, 60, 600].map((seconds, index) => [`${name}_tps${seconds}`, key, word(index)]);
}

/** The end of the metric's name, the key of the table, and what is taken of its text. */
const METRICS: readonly (readonly [name: string, key: string, taken: Taken])[] = [
  ["msg_put_total_today_now", "msgPutTotalTodayNow", whole],
  ["msg_gettotal_today_now", "msgGetTotalTodayNow", whole],
  ["msg_puttotal_todaymorning", "msgPutTotalTodayMorning", whole],
  ["msg_gettotal_todaymorning", "msgGetTotalTodayMorning", whole],
  ["msg_puttotal_yesterdaymorning", "msgPutTotalYesterdayMorning", whole],
  ["msg_gettotal_yesterdaymorning", "msgGetTotalYesterdayMorning", whole],
  ["dispatch_behind_bytes", "dispatchBehindBytes", whole],
  ["put_message_size_total", "putMessageSizeTotal", whole],
  ["put_message_average_size", "putMessageAverageSize", whole],
  ["putmessage_times_total", "putMessageTimesTotal", whole],
  ["putmessage_entire_time_max", "putMessageEntireTimeMax", whole],
  ["getmessage_entire_time_max", "getMessageEntireTimeMax", whole],
  ["put_latency_99", "putLatency99", whole],
  ["put_latency_999", "putLatency999", whole],
  ["earliest_message_timestamp", "earliestMessageTimeStamp", whole],
  ["start_accept_sendrequest_time", "startAcceptSendRequestTimeStamp", whole],
  ["pagecache_lock_time_mills", "pageCacheLockTimeMills", whole],
  ["commitlog_disk_ratio", "commitLogDiskRatio", whole],
  ["consumequeue_disk_ratio", "consumeQueueDiskRatio", whole],
  ["commitlog_maxoffset", "commitLogMaxOffset", whole],
  ["commitlog_minoffset", "commitLogMinOffset", whole],
  ["commitlogdir_capacity_total", "commitLogDirCapacity", capacity("Total")],
  ["commitlogdir_capacity_free", "commitLogDirCapacity", capacity("Free")],
  ["remain_howmanydata_toflush", "remainHowManyDataToFlush", word(0)],
  ["remain_transientstore_buffer_numbs", "remainTransientStoreBufferNumbs", whole],
  ["dispatch_maxbuffer", "dispatchMaxBuffer", whole],
  ["send_threadpool_queue_size", "sendThreadPoolQueueSize", whole],
  ["send_threadpoolqueue_capacity", "sendThreadPoolQueueCapacity", whole],
  ["send_threadpoolqueue_headwait_timemills", "sendThreadPoolQueueHeadWaitTimeMills", whole],
  ["pull_threadpoolqueue_size", "pullThreadPoolQueueSize", whole],
  ["pull_threadpoolqueue_capacity", "pullThreadPoolQueueCapacity", whole],
  ["pull_threadpoolqueue_headwait_timemills", "pullThreadPoolQueueHeadWaitTimeMills", whole],
  ["query_threadpoolqueue_size", "queryThreadPoolQueueSize", whole],
  ["query_threadpool_queue_capacity", "queryThreadPoolQueueCapacity", whole],
  ["query_threadpoolqueue_headwait_timemills", "queryThreadPoolQueueHeadWaitTimeMills", whole],
  ...tps("putTps", "put"),
  ...tps("getFoundTps", "getfound"),
  ...tps("getMissTps", "getmiss"),
  ...tps("getTotalTps", "gettotal"),
  ...tps("getTransferedTps", "gettransfered"),
  ["pmdt_0ms", "putMessageDistributeTime", range("<=0ms")],
  ["pmdt_0to10ms", "putMessageDistributeTime", range("0~10ms")],
  ["pmdt_10to50ms", "putMessageDistributeTime", range("10~50ms")],
  ["pmdt_50to100ms", "putMessageDistributeTime", range("50~100ms")],
  ["pmdt_100to200ms", "putMessageDistributeTime", range("100~200ms")],
  ["pmdt_200to500ms", "putMessageDistributeTime", range("200~500ms")],
  ["pmdt_500to1s", "putMessageDistributeTime", range("500ms~1s")],
  ["pmdt_1to2s", "putMessageDistributeTime", range("1~2s")],
  ["pmdt_2to3s", "putMessageDistributeTime", range("2~3s")],
  ["pmdt_3to4s", "putMessageDistributeTime", range("3~4s")],
  ["pmdt_4to5s", "putMessageDistributeTime", range("4~5s")],
  ["pmdt_5to10s", "putMessageDistributeTime", range("5~10s")],
  ["pmdt_10stomore", "putMessageDistributeTime", range("10s~")],
];

/** The table of one moment, with whose it is. */
export interface RuntimeTable {
  readonly broker: BrokerView;
  readonly table: ReadonlyMap<string, string>;
}

export const RUNTIME_FAMILIES: readonly Family<RuntimeTable>[] = METRICS.map(([name, key, taken]) => ({
  name: `rocketmq_brokeruntime_${name}`,
  type: "gauge",
  help: `${key} of the broker's runtime info (request 28)`,
  labels: LABELS,
  *samples({ broker: { settings, address }, table }) {
    const value = taken(table.get(key) ?? "");
    if (value === undefined) return;
    const { brokerClusterName, brokerIP1 } = settings;
    const boot = table.get("bootTimestamp") ?? "";
    yield [[brokerClusterName, address, brokerIP1, OUR_VERSION_NAME, boot, String(OUR_VERSION)], value];
  },
}));
