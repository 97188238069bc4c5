/**
 * What makes a broker ready.
 *
 * @module
 */
import { BrokerHealth, type HealthOptions, type SlaveStanding } from "../../src/broker/health.ts";
import { assertEquals, assertStringIncludes } from "../../src/std.ts";
import { HandClock } from "./workshop.ts";

const KNOWN = { address: "a:1", registered: true }, UNKNOWN = { address: "b:2", registered: false };

function health(options: Partial<HealthOptions> = {}): BrokerHealth {
  return new BrokerHealth({
    settings: { readyLagMax: 100 },
    store: { trouble: "" },
    registration: { standing: () => [KNOWN] },
    clock: new HandClock(),
    ...options,
  });
}

async function condition(name: string, options: Partial<HealthOptions>): Promise<[boolean, string]> {
  const found = (await health(options).conditions()).find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no condition ${name}`);
  return [found.ok, found.detail];
}

const registered = (...nameservers: (typeof KNOWN)[]) =>
  condition("registered", { registration: { standing: () => nameservers } });

Deno.test("a broker is registered when one nameserver knows it, and says which ones do not", async () => {
  assertEquals(await registered(KNOWN), [true, "registered with a:1"]);
  assertEquals(await registered(KNOWN, UNKNOWN), [true, "registered with a:1; not registered with b:2"]);
  assertEquals(await registered(UNKNOWN), [false, "not registered with b:2"]);
  assertEquals(await registered(), [true, "namesrvAddr names no nameserver"]);
});

Deno.test("a store that refuses writes says why", async () => {
  const store = { trouble: "the disk is full" };
  assertEquals(await condition("storeWritable", { store }), [false, "the disk is full"]);
});

Deno.test("a master is not asked whether it has caught up", async () => {
  assertEquals((await health().conditions()).map(({ name }) => name), ["registered", "storeWritable"]);
});

const standing = (status: Partial<SlaveStanding["status"]>, masterEnd?: number) => ({
  following: {
    standing: () => {
      const rest = { state: "copying" as const, master: "m:3", offset: 1000, lastError: undefined };
      return Promise.resolve({ status: { ...rest, ...status }, masterEnd });
    },
  },
});

Deno.test("a slave has caught up while it copies and is no further behind than readyLagMax", async () => {
  const ok = async (status: Partial<SlaveStanding["status"]>, masterEnd?: number) =>
    (await condition("caughtUp", standing(status, masterEnd)))[0];
  assertEquals(await ok({}, 1000), true);
  assertEquals(await ok({}, 1100), true);
  assertEquals(await ok({}, 1101), false);
  assertEquals(await ok({}, 900), true);
  assertEquals(await ok({}), false);
  assertEquals(await ok({ state: "connecting" }, 1000), false);
  assertEquals(await ok({ master: undefined }, 1000), false);
});

Deno.test("a slave that is behind says how far, and one that cannot copy says why", async () => {
  const [, behind] = await condition("caughtUp", standing({}, 1500));
  assertStringIncludes(behind, "500 bytes behind m:3");
  assertStringIncludes(behind, "readyLagMax");
  const [, broken] = await condition("caughtUp", standing({ state: "waiting", lastError: "no connection" }));
  assertStringIncludes(broken, "no connection");
});

Deno.test("the master is asked once a second, however often the health is", async () => {
  const clock = new HandClock();
  let asked = 0;
  const { following } = standing({}, 1000);
  const counted = {
    standing: () => {
      asked++;
      return following.standing();
    },
  };
  const one = health({ following: counted, clock });
  await Promise.all([one.conditions(), one.conditions()]);
  clock.go(999);
  await one.conditions();
  assertEquals(asked, 1);
  clock.go(1);
  await one.conditions();
  assertEquals(asked, 2);
});

Deno.test("who asks is told in time, even if the master lets everybody wait", async () => {
  const clock = new HandClock();
  const told = health({ following: { standing: () => new Promise(() => {}) }, clock }).conditions();
  clock.go(800);
  const caughtUp = (await told).find(({ name }) => name === "caughtUp");
  assertEquals([caughtUp?.ok, caughtUp?.detail], [false, "the master did not tell within 800 ms how far its log goes"]);
});
