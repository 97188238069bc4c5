/**
 * Both sides of the stream with real stores: a slave's log is its master's, byte for byte.
 *
 * @module
 */
import { HaMaster } from "../../src/ha/master.ts";
import { HaSlave, type HaSlaveOptions } from "../../src/ha/slave.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { assert, assertEquals, assertMatch } from "../../src/std.ts";
import type { MessageStore, StoreOptions } from "../../src/store/mod.ts";
import { until } from "../broker/workshop.ts";
import { Proxy } from "../proxy.ts";
import { Bench, FILE_BYTES, names, put, putMany, readAll } from "../store/kit.ts";

const settings = {
  haSendHeartbeatInterval: 50,
  haHousekeepingInterval: 20_000,
  haTransferBatchSize: 1_000,
  haConnectionsMax: 8,
};

function serve(store: MessageStore): HaMaster {
  return new HaMaster({ hostname: "127.0.0.1", port: 0, store, settings, clock: systemClock });
}

/** A slave that tries again at once. */
function follow(
  store: MessageStore,
  master: MessageStore,
  port: number,
  options: Partial<HaSlaveOptions> = {},
): HaSlave {
  const clock = { ...systemClock, after: (ms: number, fn: () => void) => systemClock.after(Math.min(ms, 2_000), fn) };
  const slave = new HaSlave({
    store,
    settings,
    clock,
    masterLog: () => Promise.resolve({ oldest: master.minLogOffset, end: master.maxLogOffset }),
    random: () => -0.99,
    ...options,
  });
  slave.setMaster(`127.0.0.1:${port}`);
  return slave;
}

/** The bytes of all log files, those of the last one as far as they are written. */
function logOf(bench: Bench, end: number): Map<string, Uint8Array> {
  const files = [...Deno.readDirSync(bench.path("commitlog"))].map(({ name }) => name).sort();
  return new Map(files.map((name) => {
    const bytes = Deno.readFileSync(bench.path(`commitlog/${name}`));
    return [name, bytes.subarray(0, Math.max(0, end - Number(name)))];
  }));
}

async function samePlace(a: MessageStore, b: MessageStore): Promise<void> {
  await until(() => a.maxLogOffset === b.maxLogOffset && b.safeLogOffset === a.maxLogOffset, "the slave to have all");
}

for (const flushDiskType of ["ASYNC_FLUSH", "SYNC_FLUSH"] as const) {
  Deno.test(`a fresh slave gets all files of the log and what is sent then, ${flushDiskType}`, async () => {
    using bench = new Bench();
    using copy = new Bench();
    const store = await bench.open();
    await putMany(store, 300, "old", 1000);
    assert(store.lastFileStart > 2 * FILE_BYTES);
    const master = serve(store);
    const copied = await copy.open({ brokerRole: "SLAVE", flushDiskType });
    const slave = follow(copied, store, master.port);
    await samePlace(store, copied);
    await putMany(store, 100, "new", 700);
    await samePlace(store, copied);
    assertEquals(await readAll(copied), [...names(300, "old"), ...names(100, "new")]);
    await until(() => master.slaves()[0]?.lag === 0, "the last report");
    await slave.close();
    await master.close();
    const end = store.maxLogOffset;
    await store.close();
    await copied.close();
    assertEquals(logOf(copy, end), logOf(bench, end));
  });
}

Deno.test("a connection that is cut at any byte costs nothing", async () => {
  using bench = new Bench();
  using copy = new Bench();
  const store = await bench.open();
  const master = serve(store);
  await using proxy = Proxy.start(master.port);
  const copied = await copy.open({ brokerRole: "SLAVE" });
  const slave = follow(copied, store, proxy.port);
  let sent = 0;
  // Those that come while the slave is still connecting again are not felt.
  for (let round = 0; round < 60 || proxy.cuts <= 20 && round < 600; round++) {
    proxy.cutAfter("down", 1 + (round * 7919) % 5000);
    if (round % 5 === 4) proxy.cutAfter("up", round % 8);
    await putMany(store, 5, `m${round}-`, 100 + round * 20);
    sent += 5;
    if (round % 3 === 0) await samePlace(store, copied);
  }
  proxy.cutAfter("down", Infinity);
  proxy.cutAfter("up", Infinity);
  await samePlace(store, copied);
  assert(proxy.cuts > 20, `${proxy.cuts} cuts`);
  assertEquals((await readAll(copied)).length, sent);
  await slave.close();
  await master.close();
  const end = store.maxLogOffset;
  await store.close();
  await copied.close();
  assertEquals(logOf(copy, end), logOf(bench, end));
});

Deno.test("a slave that was opened again goes on, and one of another log is refused", async () => {
  using bench = new Bench();
  using copy = new Bench();
  using foreign = new Bench();
  const store = await bench.open();
  const role: Partial<StoreOptions> = { brokerRole: "SLAVE" };
  await putMany(store, 100, "a", 1000);
  const master = serve(store);
  let copied = await copy.open(role);
  let slave = follow(copied, store, master.port);
  await samePlace(store, copied);
  await slave.close();
  await copied.close();
  await putMany(store, 100, "b", 1000);
  copied = await copy.open(role);
  slave = follow(copied, store, master.port);
  await samePlace(store, copied);
  assertEquals(await readAll(copied), [...names(100, "a"), ...names(100, "b")]);
  await slave.close();

  const other = await foreign.open();
  await putMany(other, 250, "c", 1000);
  const otherMaster = serve(other);
  const before = copied.maxLogOffset;
  slave = follow(copied, other, otherMaster.port);
  await until(() => slave.status.lastError !== undefined, "a refusal");
  assertMatch(slave.status.lastError!, /has another log than this slave/);
  assertEquals(copied.maxLogOffset, before);
  await slave.close();
  await otherMaster.close();
  await master.close();
  for (const one of [store, copied, other]) await one.close();
});

Deno.test("another log is noticed behind the unused rest of a file, however long that is", async () => {
  const mappedFileSizeCommitLog = 16 * FILE_BYTES;
  const options = { mappedFileSizeCommitLog, maxMessageSize: mappedFileSizeCommitLog };
  using bench = new Bench();
  using foreign = new Bench();
  const store = await bench.open(options), other = await foreign.open(options);
  for (const [one, letter] of [[store, "a"], [other, "b"]] as const) {
    await putMany(one, 8, letter, FILE_BYTES);
    await put(one, { body: new Uint8Array(10 * FILE_BYTES) });
  }
  const otherMaster = serve(other);
  for (const end of [mappedFileSizeCommitLog, mappedFileSizeCommitLog - 1000]) {
    using copy = new Bench();
    const copied = await copy.open({ ...options, brokerRole: "SLAVE" });
    for (let at = 0; at < end; at = copied.maxLogOffset) {
      copied.appendCopy(at, (await store.readLog(at, end - at))!);
    }
    const slave = follow(copied, other, otherMaster.port);
    await until(() => slave.status.lastError !== undefined, "a refusal");
    assertMatch(slave.status.lastError!, /has another log than this slave/);
    assertEquals(copied.maxLogOffset, end);
    await slave.close();
    await copied.close();
  }
  await otherMaster.close();
  for (const one of [store, other]) await one.close();
});
