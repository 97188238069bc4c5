/**
 * What a broker tells of itself: GET_BROKER_RUNTIME_INFO 28, under the names of RocketMQ 4.9.7, all of which are told.
 * Where RocketMQ counts what waits for threads, ours counts requests in hand. Other than there, a broker without messages
 * has stored 0 of them, not 1.
 *
 * @module
 */
import type { Disk } from "../platform/disk.ts";
import { decodeKvTable, encodeKvTable } from "../protocol/bodies/lists.ts";
import { OUR_VERSION, OUR_VERSION_NAME, ResponseCode } from "../protocol/codes.ts";
import { formatDouble } from "../protocol/java_numbers.ts";
import { SystemTopic } from "../protocol/names.ts";
import { GetBrokerRuntimeInfo } from "../protocol/requests.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import type { DelayOffsets } from "./delay_offsets.ts";
import type { FlowControl } from "./flow_control.ts";
import type { Flow } from "./stats/throughput.ts";

/** What these handlers need of the broker. */
export interface RuntimeInfoContext extends Pick<BrokerContext, "settings" | "clock"> {
  readonly store: Pick<
    BrokerContext["store"],
    "minLogOffset" | "maxLogOffset" | "maxOffset" | "firstStoreTime" | "unsyncedBytes" | "options"
  >;
  readonly stats: Pick<BrokerContext["stats"], "throughput">;
  readonly delayOffsets: Pick<DelayOffsets, "get">;
  readonly flow: Pick<FlowControl, "inHand">;
  readonly disk: Pick<Disk, "usedSpacePercent" | "space">;
}

/** Places for requests that RocketMQ has by default where we have no bound of our own. */
const CAPACITY = 100_000;
/** What RocketMQ says of free buffers where it uses none of them. */
const NO_BUFFERS = 0x7fff_ffff;

type Told = Generator<[name: string, value: string | number]>;

/** What a broker that starts now tells, by name, each time anew. */
export type RuntimeInfo = () => Map<string, string>;

/** The broker starts now. */
export function runtimeInfoOf(broker: RuntimeInfoContext): RuntimeInfo {
  const boot = broker.clock.now();
  return () => new Map([...toldBy(broker, boot)].map(([name, value]) => [name, String(value)]));
}

/** Adds the handler. */
export function runtimeInfoHandlers(table: HandlerTable, runtimeInfo: RuntimeInfo): void {
  table.on(GetBrokerRuntimeInfo, () => ({ code: ResponseCode.SUCCESS, body: encodeKvTable(runtimeInfo()) }));
}

function* toldBy(broker: RuntimeInfoContext, boot: number): Told {
  const { settings, store, clock } = broker;
  yield ["bootTimestamp", boot];
  yield ["runtime", spelt(clock.now() - boot)];
  yield ["brokerVersionDesc", OUR_VERSION_NAME];
  yield ["brokerVersion", OUR_VERSION];
  yield ["startAcceptSendRequestTimeStamp", settings.startAcceptSendRequestTimeStamp];
  yield ["commitLogMinOffset", store.minLogOffset];
  yield ["commitLogMaxOffset", store.maxLogOffset];
  yield ["earliestMessageTimeStamp", store.firstStoreTime];
  yield* traffic(broker);
  yield* totals(broker);
  yield* disks(broker);
  yield* delays(broker);
  yield* waiting(broker);
}

/** What StoreStatsService tells. */
function* traffic({ stats: { throughput } }: RuntimeInfoContext): Told {
  const { puts } = throughput;
  yield ["putMessageTimesTotal", puts.messages];
  yield ["putMessageSizeTotal", puts.bytes];
  yield ["putMessageAverageSize", formatDouble(puts.messages === 0 ? 0 : puts.bytes / puts.messages)];
  yield ["putMessageFailedTimes", puts.failed];
  yield ["putMessageEntireTimeMax", puts.slowestMs];
  yield ["putMessageDistributeTime", puts.distribution() ?? "null"];
  yield ["putLatency99", puts.latency(0.99).toFixed(2)];
  yield ["putLatency999", puts.latency(0.999).toFixed(2)];
  yield ["getMessageEntireTimeMax", throughput.slowestGetMs];
  const rates = (rate: (seconds: number) => number | undefined) =>
    [10, 60, 600].map(rate).map((tps) => tps === undefined ? "" : formatDouble(tps)).join(" ");
  const tps = (flow: Flow) => rates((seconds) => throughput.tps(flow, seconds));
  yield ["putTps", tps("put")];
  yield ["getFoundTps", tps("found")];
  yield ["getMissTps", tps("missed")];
  yield ["getTransferedTps", tps("transferred")];
  yield [
    "getTotalTps",
    rates((seconds) => (throughput.tps("found", seconds) ?? 0) + (throughput.tps("missed", seconds) ?? 0)),
  ];
}

/** What BrokerStats tells: all messages until now, until midnight, until the midnight before. */
function* totals({ stats: { throughput } }: RuntimeInfoContext): Told {
  const { put, got, puts, transferred } = throughput;
  yield ["msgPutTotalTodayNow", puts.messages];
  yield ["msgPutTotalTodayMorning", put.today];
  yield ["msgPutTotalYesterdayMorning", put.yesterday];
  yield ["msgGetTotalTodayNow", transferred];
  yield ["msgGetTotalTodayMorning", got.today];
  yield ["msgGetTotalYesterdayMorning", got.yesterday];
}

function* disks({ store, disk }: RuntimeInfoContext): Told {
  const { commitLogDir, rootDir } = store.options;
  const ratio = (path: string) => formatDouble((disk.usedSpacePercent?.(path) ?? -100) / 100);
  yield ["commitLogDiskRatio", ratio(commitLogDir)];
  yield [`commitLogDiskRatio_${commitLogDir}`, ratio(commitLogDir)];
  yield ["consumeQueueDiskRatio", ratio(rootDir)];
  const space = disk.space?.(rootDir);
  if (space !== undefined) {
    yield ["commitLogDirCapacity", `Total : ${bytesSpelt(space.total)}, Free : ${bytesSpelt(space.free)}.`];
  }
  yield ["remainHowManyDataToFlush", bytesSpelt(store.unsyncedBytes)];
  yield ["remainTransientStoreBufferNumbs", NO_BUFFERS];
}

/** How far each delay level is, and how far its queue goes. */
function* delays({ store, delayOffsets }: RuntimeInfoContext): Told {
  for (let level = 1; level <= store.options.delayLevels.length; level++) {
    const max = store.maxOffset(SystemTopic.SCHEDULE, level - 1);
    if (max > 0) yield [`scheduleMessageOffset_${level}`, `${delayOffsets.get(level)},${max}`];
  }
}

/** Requests in hand. None waits for a thread, a lock or a dispatcher of its own. */
function* waiting({ settings, flow }: RuntimeInfoContext): Told {
  yield ["sendThreadPoolQueueSize", flow.inHand("sends")];
  yield ["sendThreadPoolQueueCapacity", settings.sendThreadPoolQueueCapacity];
  yield ["pullThreadPoolQueueSize", flow.inHand("pulls")];
  yield ["pullThreadPoolQueueCapacity", CAPACITY];
  yield ["queryThreadPoolQueueSize", flow.inHand("queries")];
  yield ["queryThreadPoolQueueCapacity", settings.queryThreadPoolQueueCapacity];
  yield ["EndTransactionQueueSize", flow.inHand("ends of transactions")];
  yield ["EndTransactionThreadPoolQueueCapacity", CAPACITY];
  for (const kind of ["send", "pull", "query"]) yield [`${kind}ThreadPoolQueueHeadWaitTimeMills`, 0];
  yield ["pageCacheLockTimeMills", 0];
  yield ["dispatchBehindBytes", 0];
  yield ["dispatchMaxBuffer", 0];
}

/** How far the log of a broker goes, ours or RocketMQ's, by its answer; undefined for what it does not tell. */
export function runtimeIn(
  body: Uint8Array,
): { readonly minLogOffset: number | undefined; readonly maxLogOffset: number | undefined } {
  const table = decodeKvTable(body);
  const offset = (name: string) => {
    const text = table.get(name) ?? "";
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    return Number.isSafeInteger(value) ? value : undefined;
  };
  // What RocketMQ says before its first message.
  const noFile = table.get("commitLogMinOffset") === "-1";
  return { minLogOffset: noFile ? 0 : offset("commitLogMinOffset"), maxLogOffset: offset("commitLogMaxOffset") };
}

/** A time span as RocketMQ writes it. */
function spelt(ms: number): string {
  const seconds = Math.floor(ms / 1000), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  return `[ ${Math.floor(hours / 24)} days, ${hours % 24} hours, ${minutes % 60} minutes, ${seconds % 60} seconds ]`;
}

const UNIT = 2 ** 10;

/** As MixAll.humanReadableByteCount with binary units. */
function bytesSpelt(bytes: number): string {
  if (bytes < UNIT) return `${bytes} B`;
  const power = Math.floor(Math.log2(bytes) / 10);
  return `${(bytes / UNIT ** power).toFixed(1)} ${"KMGTPE"[power - 1]}iB`;
}
