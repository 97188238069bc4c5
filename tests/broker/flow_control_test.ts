/**
 * Which request is refused as too late or too much, and with which remark.
 *
 * @module
 */
import { configure, type LoggerConfig, type LogRecord, reset } from "@logtape/logtape";
import { FlowControl } from "../../src/broker/flow_control.ts";
import {
  EndTransaction,
  HeartBeat,
  PullMessage,
  QueryMessage,
  SendMessageV2,
  UnregisterClient,
} from "../../src/protocol/requests.ts";
import { lineOf } from "../../src/logging/mod.ts";
import { type FlowLimit, HandlerTable } from "../../src/remoting/handlers.ts";
import { turnBegan } from "../../src/remoting/turn.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { HandClock } from "./workshop.ts";

function control(given = {}) {
  const settings = {
    brokerFastFailureEnable: true,
    waitTimeMillsInSendQueue: 200,
    waitTimeMillsInPullQueue: 5000,
    waitTimeMillsInHeartbeatQueue: 31_000,
    waitTimeMillsInTransactionQueue: 3000,
    sendThreadPoolQueueCapacity: 100,
    queryThreadPoolQueueCapacity: 10,
    ...given,
  };
  const clock = new HandClock();
  const store = { slowWrite: { tookMs: 0, endedAt: 0 } };
  const table = new HandlerTable();
  for (const type of [SendMessageV2, PullMessage, HeartBeat, EndTransaction, QueryMessage, UnregisterClient]) {
    table.on(type, () => undefined);
  }
  const flow = new FlowControl({ settings, clock, store });
  flow.limit(table);
  const limitOf = ({ code }: { code: number }): FlowLimit => table.get(code)!.limit!;
  const refused = (type: { code: number }, waitedMs: number) => limitOf(type).refusal(waitedMs, false);
  return { settings, clock, store, flow, table, limitOf, refused };
}

Deno.test("each kind of request waits as long as its own setting says, others as long as they must", () => {
  const { refused, table } = control();
  const busy = "[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: ";
  assertEquals(refused(SendMessageV2, 199), undefined);
  assertEquals(refused(SendMessageV2, 200), `${busy}200ms, size of queue: 0`);
  assertEquals(refused(PullMessage, 4999), undefined);
  assertEquals(refused(PullMessage, 5001), `${busy}5001ms, size of queue: 0`);
  assertEquals(refused(HeartBeat, 30_999), undefined);
  assertEquals(refused(HeartBeat, 31_000), `${busy}31000ms, size of queue: 0`);
  assertEquals(refused(EndTransaction, 2999), undefined);
  assertEquals(refused(EndTransaction, 3000), `${busy}3000ms, size of queue: 0`);
  assertEquals(refused(QueryMessage, 1_000_000), undefined);
  assertEquals(table.get(UnregisterClient.code)!.limit, undefined);
});

Deno.test("without brokerFastFailureEnable nothing is too late", () => {
  const { refused, store, clock } = control({ brokerFastFailureEnable: false });
  store.slowWrite = { tookMs: 1500, endedAt: clock.now() };
  assertEquals(refused(SendMessageV2, 1_000_000), undefined);
  assertEquals(refused(PullMessage, 1_000_000), undefined);
});

Deno.test("sends that are read right after a write that hung are refused, pulls and later sends are not", () => {
  const { refused, store, clock } = control();
  store.slowWrite = { tookMs: 1500, endedAt: clock.now() };
  const remark = "[PCBUSY_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: 1500ms, " +
    "size of queue: 0";
  assertEquals(refused(SendMessageV2, 0), remark);
  assertEquals(refused(PullMessage, 0), undefined);
  clock.go(10);
  assertEquals(refused(SendMessageV2, 3), remark);
  clock.go(1);
  assertEquals(refused(SendMessageV2, 0), undefined);
  store.slowWrite = { tookMs: 2500, endedAt: clock.now() };
  assert(refused(SendMessageV2, 0)!.includes("2500ms"));
});

Deno.test("a slow write does not refuse sends for long when the clock is set back after it", () => {
  const { refused, store, clock } = control();
  store.slowWrite = { tookMs: 1500, endedAt: clock.now() + 3_600_000 };
  assertEquals(refused(SendMessageV2, 0), undefined);
});

async function nextTurn(): Promise<void> {
  await Promise.resolve();
  turnBegan(1);
  await Promise.resolve();
}

Deno.test("sends are refused while too many of earlier turns wait, not those that came together", async () => {
  const { refused, limitOf } = control();
  const limit = limitOf(SendMessageV2);
  await nextTurn();
  for (let i = 0; i < 150; i++) {
    assertEquals(refused(SendMessageV2, 0), undefined);
    limit.inHand++;
  }
  await nextTurn();
  assertEquals(refused(SendMessageV2, 0), "[OVERLOAD]system busy, start flow control for a while");
  assertEquals(refused(PullMessage, 0), undefined);
  limit.inHand = 99;
  await nextTurn();
  assertEquals(refused(SendMessageV2, 0), undefined);
});

Deno.test("queries are refused while too many wait, whatever flow control by time says", async () => {
  const { refused, limitOf } = control({ brokerFastFailureEnable: false });
  limitOf(QueryMessage).inHand = 9;
  await nextTurn();
  assertEquals(refused(QueryMessage, 0), undefined);
  limitOf(QueryMessage).inHand = 10;
  await nextTurn();
  assertEquals(refused(QueryMessage, 0), "[OVERLOAD]system busy, start flow control for a while");
  assertEquals(refused(SendMessageV2, 0), undefined);
});

Deno.test("the log says every ten seconds how many were refused, and how many of them have no sender to tell", async () => {
  const lines: string[] = [];
  const sink = (record: LogRecord) => void lines.push(lineOf(record, false).replace(/^\S+ /, ""));
  const loggers: LoggerConfig<"sink", string>[] = [
    { category: "rocketd", sinks: ["sink"] },
    // The library's own logger would explain itself.
    { category: ["logtape", "meta"], lowestLevel: "warning" },
  ];
  await configure({ reset: true, sinks: { sink }, loggers });
  try {
    const { flow, clock, limitOf } = control();
    flow.start();
    const refuse = (oneWay: boolean) => limitOf(SendMessageV2).refusal(1000, oneWay);
    for (const oneWay of [true, false, true]) refuse(oneWay);
    assertEquals(lines, []);
    clock.go(10_000);
    assertEquals(lines.length, 1);
    assertStringIncludes(lines[0]!, "WARN broker refused 3 sends");
    assertStringIncludes(lines[0]!, "2 of them were one-way");
    clock.go(60_000);
    assertEquals(lines.length, 1);
    refuse(false);
    flow.close();
    assertEquals([lines.length, clock.timers], [2, 0]);
  } finally {
    await reset();
  }
});
