/**
 * What a broker tells of itself.
 *
 * @module
 */
import { runtimeIn, runtimeInfoHandlers, runtimeInfoOf } from "../../src/broker/runtime_info.ts";
import { loadSettings } from "../../src/config/mod.ts";
import { decodeKvTable } from "../../src/protocol/bodies/mod.ts";
import { GetBrokerRuntimeInfo } from "../../src/protocol/requests.ts";
import { assertEquals } from "../../src/std.ts";
import { storeOptions } from "../../src/store/mod.ts";
import { PutFigures } from "../../src/store/put_figures.ts";
import { Desk, HandClock, START, statsOf } from "./workshop.ts";

/** What RocketMQ's broker tells besides what the first test looks at, and what ours says before anything happened. */
const REST = {
  startAcceptSendRequestTimeStamp: "0",
  earliestMessageTimeStamp: "-1",
  putMessageDistributeTime: "[<=0ms]:0 [0~10ms]:0 [10~50ms]:0 [50~100ms]:0 [100~200ms]:0 [200~500ms]:0 [500ms~1s]:0 " +
    "[1~2s]:0 [2~3s]:0 [3~4s]:0 [4~5s]:0 [5~10s]:0 [10s~]:0 ",
  putLatency99: "0.00",
  putLatency999: "0.00",
  putMessageEntireTimeMax: "0",
  putMessageFailedTimes: "0",
  commitLogDiskRatio: "0.37",
  "commitLogDiskRatio_/store/commitlog": "0.37",
  consumeQueueDiskRatio: "0.37",
  commitLogDirCapacity: "Total : 1.5 TiB, Free : 512 B.",
  remainHowManyDataToFlush: "2.5 KiB",
  remainTransientStoreBufferNumbs: "2147483647",
  scheduleMessageOffset_3: "7,9",
  sendThreadPoolQueueSize: "5",
  sendThreadPoolQueueCapacity: "10000",
  pullThreadPoolQueueSize: "0",
  pullThreadPoolQueueCapacity: "100000",
  queryThreadPoolQueueSize: "0",
  queryThreadPoolQueueCapacity: "20000",
  EndTransactionQueueSize: "0",
  EndTransactionThreadPoolQueueCapacity: "100000",
  sendThreadPoolQueueHeadWaitTimeMills: "0",
  pullThreadPoolQueueHeadWaitTimeMills: "0",
  queryThreadPoolQueueHeadWaitTimeMills: "0",
  pageCacheLockTimeMills: "0",
  dispatchBehindBytes: "0",
  dispatchMaxBuffer: "0",
};

interface Told {
  readonly clock: HandClock;
  readonly puts: PutFigures;
  readonly stats: ReturnType<typeof statsOf>;
  ask(): Promise<Record<string, string>>;
}

async function told(test: (told: Told) => Promise<void>): Promise<void> {
  const loaded = await loadSettings({ roles: ["master"], sets: ["brokerName=broker-a", "namesrvAddr=a:1;b:2"] });
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
  const settings = loaded.settings.broker!;
  const clock = new HandClock();
  const store = {
    minLogOffset: 1024,
    maxLogOffset: 5000,
    firstStoreTime: -1,
    unsyncedBytes: 2560,
    options: storeOptions({ rootDir: "/store" }),
    maxOffset: (_: string, queueId: number) => queueId === 2 ? 9 : 0,
  };
  const puts = new PutFigures(clock);
  const stats = statsOf(clock, puts);
  const rest = {
    delayOffsets: { get: () => 7 },
    flow: { inHand: (name: string) => name === "sends" ? 5 : 0 },
    disk: { usedSpacePercent: () => 37, space: () => ({ total: 1.5 * 2 ** 40, free: 512 }) },
  };
  const info = runtimeInfoOf({ settings, store, clock, stats, ...rest });
  const desk = new Desk((table) => runtimeInfoHandlers(table, info));
  const { ask } = desk.client();
  try {
    await test({
      clock,
      puts,
      stats,
      ask: async () => {
        const { code, body } = await ask(GetBrokerRuntimeInfo, {});
        assertEquals([code, runtimeIn(body)], [0, { minLogOffset: 1024, maxLogOffset: 5000 }]);
        return Object.fromEntries(decodeKvTable(body));
      },
    });
  } finally {
    stats.close();
    await desk.close();
  }
}

Deno.test("GET_BROKER_RUNTIME_INFO tells all that RocketMQ tells, under its names", () =>
  told(async ({ ask, clock }) => {
    clock.go(((2 * 24 + 3) * 3600 + 4 * 60 + 5) * 1000);
    const none = "  ";
    assertEquals(await ask(), {
      ...REST,
      bootTimestamp: String(START),
      runtime: "[ 2 days, 3 hours, 4 minutes, 5 seconds ]",
      commitLogMinOffset: "1024",
      commitLogMaxOffset: "5000",
      brokerVersionDesc: "V4_9_7",
      brokerVersion: "407",
      putMessageTimesTotal: "0",
      putMessageSizeTotal: "0",
      putMessageAverageSize: "0.0",
      getMessageEntireTimeMax: "0",
      putTps: none,
      getFoundTps: none,
      getMissTps: none,
      getTransferedTps: none,
      getTotalTps: "0.0 0.0 0.0",
      msgPutTotalTodayNow: "0",
      msgPutTotalTodayMorning: "0",
      msgPutTotalYesterdayMorning: "0",
      msgGetTotalTodayNow: "0",
      msgGetTotalTodayMorning: "0",
      msgGetTotalYesterdayMorning: "0",
    });
  }));

Deno.test("what goes through the broker is told in all, and for the seconds that there are samples of", () =>
  told(async ({ ask, clock, puts, stats }) => {
    stats.start();
    clock.go(1_000);
    puts.messages = 45;
    puts.bytes = 9000;
    stats.throughput.read(32, 4);
    stats.throughput.read(0, 1);
    clock.go(10_000);
    const { putTps, getFoundTps, getMissTps, getTransferedTps, getTotalTps, ...rest } = await ask();
    assertEquals([putTps, getFoundTps, getMissTps], ["4.5  ", "0.1  ", "0.1  "]);
    assertEquals([getTransferedTps, getTotalTps], ["3.2  ", "0.2 0.0 0.0"]);
    assertEquals([rest.putMessageTimesTotal, rest.putMessageAverageSize], ["45", "200.0"]);
    assertEquals([rest.msgPutTotalTodayNow, rest.msgGetTotalTodayNow], ["45", "32"]);
    assertEquals(rest.getMessageEntireTimeMax, "4");
  }));

Deno.test("what a broker does not tell of its log, or tells wrong, is unknown", () => {
  const body = (offset: string) => new TextEncoder().encode(`{"table":{"commitLogMinOffset":"${offset}"}}`);
  const unknown = { minLogOffset: undefined, maxLogOffset: undefined };
  for (const offset of ["-2", "x", "", "1.5"]) {
    assertEquals(runtimeIn(body(offset)), unknown, offset);
  }
  assertEquals(runtimeIn(body("-1")).minLogOffset, 0, "a Java broker without a message");
});
