/**
 * All brokers at one glance.
 *
 * @module
 */
import { messageOf, RocketdError } from "../../../errors.ts";
import type { Admin, Broker } from "../admin.ts";
import { reads } from "../command.ts";
import { flag } from "../options.ts";
import { column, type Failure, result, table, wide } from "../result.ts";
import { runtimeOf } from "./brokers.ts";

const place = {
  cluster: column("CLUSTER", "text"),
  broker: column("BROKER", "text"),
  id: column("ID", "count"),
  address: column("ADDRESS", "text"),
} as const;
const brokerTable = table("brokers", {
  ...place,
  version: column("VERSION", "text"),
  inTps: column("IN", "rate"),
  outTps: column("OUT", "rate"),
  sendQueue: wide("count"),
  sendWaitMs: wide("ms"),
  pullQueue: wide("count"),
  pullWaitMs: wide("ms"),
  pageCacheWaitMs: column("WRITE WAIT", "ms"),
  oldestMessage: wide("time"),
  keptMs: column("KEPT", "ms"),
  diskUsed: column("DISK", "percent"),
});
const totalsTable = table("brokers", {
  ...place,
  inYesterday: column("IN YESTERDAY", "count"),
  outYesterday: column("OUT YESTERDAY", "count"),
  inToday: column("IN TODAY", "count"),
  outToday: column("OUT TODAY", "count"),
});

/** A figure of the runtime information: its first number, if it has one. */
function figure(runtime: ReadonlyMap<string, string>, key: string): number | null {
  const value = Number.parseFloat(runtime.get(key) ?? "");
  return Number.isFinite(value) ? value : null;
}

function difference(runtime: ReadonlyMap<string, string>, later: string, earlier: string): number | null {
  const [to, from] = [figure(runtime, later), figure(runtime, earlier)];
  return to === null || from === null ? null : to - from;
}

function nowRow(place: Place, runtime: ReadonlyMap<string, string>): Parameters<typeof brokerTable>[0][number] {
  const oldestMessage = figure(runtime, "earliestMessageTimeStamp");
  const disk = figure(runtime, "commitLogDiskRatio");
  return {
    ...place,
    version: runtime.get("brokerVersionDesc") ?? null,
    inTps: figure(runtime, "putTps"),
    outTps: figure(runtime, "getTransferedTps"),
    sendQueue: figure(runtime, "sendThreadPoolQueueSize"),
    sendWaitMs: figure(runtime, "sendThreadPoolQueueHeadWaitTimeMills"),
    pullQueue: figure(runtime, "pullThreadPoolQueueSize"),
    pullWaitMs: figure(runtime, "pullThreadPoolQueueHeadWaitTimeMills"),
    pageCacheWaitMs: figure(runtime, "pageCacheLockTimeMills"),
    oldestMessage,
    keptMs: oldestMessage === null || oldestMessage <= 0 ? null : Date.now() - oldestMessage,
    diskUsed: disk === null || disk < 0 ? null : disk * 100,
  };
}

function totalsRow(place: Place, runtime: ReadonlyMap<string, string>): Parameters<typeof totalsTable>[0][number] {
  const [todayMorning, yesterdayMorning] = ["TotalTodayMorning", "TotalYesterdayMorning"];
  return {
    ...place,
    inYesterday: difference(runtime, `msgPut${todayMorning}`, `msgPut${yesterdayMorning}`),
    outYesterday: difference(runtime, `msgGet${todayMorning}`, `msgGet${yesterdayMorning}`),
    inToday: difference(runtime, "msgPutTotalTodayNow", `msgPut${todayMorning}`),
    outToday: difference(runtime, "msgGetTotalTodayNow", `msgGet${todayMorning}`),
  };
}

type Place = ReturnType<typeof placeOf>;

function placeOf({ cluster, name, id, address }: Broker) {
  return { cluster, broker: name, id, address };
}

/** Every broker with its runtime information; none for one that does not answer, which still has its row. */
async function everyRuntime(admin: Admin): Promise<{ runtimes: [Broker, Map<string, string>][]; failures: Failure[] }> {
  const failures: Failure[] = [];
  const { rows } = await admin.each(await admin.brokers(), async (broker): Promise<[Broker, Map<string, string>][]> => {
    try {
      return [[broker, await runtimeOf(admin, broker)]];
    } catch (error) {
      if (!(error instanceof RocketdError)) throw error;
      failures.push({ name: broker.name, address: broker.address, reason: messageOf(error) });
      return [[broker, new Map()]];
    }
  });
  return { runtimes: rows, failures };
}

const clusterList = reads({
  name: "clusterList",
  area: "cluster",
  summary: "Show all brokers: version, messages in and out, age of the oldest message, disk",
  options: { moreStats: flag({ short: "m", help: "messages of yesterday and today instead" }) },
  watched: true,
  run: async (admin, { moreStats }) => {
    const { runtimes, failures } = await everyRuntime(admin);
    const part = moreStats
      ? totalsTable(runtimes.map(([broker, runtime]) => totalsRow(placeOf(broker), runtime)))
      : brokerTable(runtimes.map(([broker, runtime]) => nowRow(placeOf(broker), runtime)));
    return result(part, failures);
  },
});

/** Commands about the whole cluster. */
export const CLUSTER_COMMANDS = [clusterList];
