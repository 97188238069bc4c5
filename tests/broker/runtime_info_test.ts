/**
 * What a broker tells of itself.
 *
 * @module
 */
import { runtimeIn, runtimeInfoHandlers } from "../../src/broker/runtime_info.ts";
import { loadSettings } from "../../src/config/mod.ts";
import { decodeKvTable } from "../../src/protocol/bodies/mod.ts";
import { GetBrokerRuntimeInfo } from "../../src/protocol/requests.ts";
import { assertEquals } from "../../src/std.ts";
import { Desk, HandClock, START } from "./workshop.ts";

async function told(test: (desk: Desk, clock: HandClock) => Promise<void>): Promise<void> {
  const loaded = await loadSettings({ roles: ["master"], sets: ["brokerName=broker-a", "namesrvAddr=a:1;b:2"] });
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
  const settings = loaded.settings.broker!;
  const clock = new HandClock();
  const store = { minLogOffset: 1024, maxLogOffset: 5000 };
  const desk = new Desk((table) => runtimeInfoHandlers(table, { settings, store, clock }));
  try {
    await test(desk, clock);
  } finally {
    await desk.close();
  }
}

Deno.test("GET_BROKER_RUNTIME_INFO tells start, version and the ends of the log under RocketMQ's names", () =>
  told(async (desk, clock) => {
    clock.go(((2 * 24 + 3) * 3600 + 4 * 60 + 5) * 1000);
    const { code, body } = await desk.client().ask(GetBrokerRuntimeInfo, {});
    assertEquals([code, Object.fromEntries(decodeKvTable(body))], [0, {
      bootTimestamp: String(START),
      runtime: "[ 2 days, 3 hours, 4 minutes, 5 seconds ]",
      commitLogMinOffset: "1024",
      commitLogMaxOffset: "5000",
      brokerVersionDesc: "V4_9_7",
      brokerVersion: "407",
      startAcceptSendRequestTimeStamp: "0",
    }]);
    assertEquals(runtimeIn(body), { minLogOffset: 1024, maxLogOffset: 5000 });
  }));

Deno.test("what a broker does not tell of its log, or tells wrong, is unknown", () => {
  const body = (offset: string) => new TextEncoder().encode(`{"table":{"commitLogMinOffset":"${offset}"}}`);
  const unknown = { minLogOffset: undefined, maxLogOffset: undefined };
  for (const offset of ["-2", "x", "", "1.5"]) {
    assertEquals(runtimeIn(body(offset)), unknown, offset);
  }
  assertEquals(runtimeIn(body("-1")).minLogOffset, 0, "a Java broker without a message");
});
