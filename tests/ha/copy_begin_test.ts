/** A slave whose first connection breaks before a whole record has come. @module */
import { HaMaster } from "../../src/ha/master.ts";
import { HaSlave } from "../../src/ha/slave.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { assertEquals } from "../../src/std.ts";
import { until } from "../broker/workshop.ts";
import { piece, SLAVE } from "../store/copy_kit.ts";
import { Bench, FILE_BYTES, names, putMany, readAll } from "../store/kit.ts";

const settings = {
  haSendHeartbeatInterval: 50,
  haHousekeepingInterval: 20_000,
  haTransferBatchSize: 1_000,
  haConnectionsMax: 8,
};

Deno.test("a copy that begins in the middle of the log, and breaks within its first record, goes on", async () => {
  using bench = new Bench();
  using copy = new Bench();
  const store = await bench.open({ diskMaxUsedSpaceRatio: 10 });
  await putMany(store, 100, "m", 1000);
  await store.sync();
  bench.disk.used = 90;
  store.removeOldFiles();
  bench.disk.used = undefined;
  const oldest = store.minLogOffset;
  assertEquals(oldest, FILE_BYTES);
  const copied = await copy.open(SLAVE);
  copied.appendCopy(oldest, (await piece(store, oldest, 40))!);
  assertEquals([copied.minLogOffset, copied.maxLogOffset], [oldest, oldest + 40]);
  const master = new HaMaster({ hostname: "127.0.0.1", port: 0, store, settings, clock: systemClock });
  const masterLog = () => Promise.resolve({ oldest, end: store.maxLogOffset });
  const slave = new HaSlave({ store: copied, settings, clock: systemClock, masterLog });
  slave.setMaster(`127.0.0.1:${master.port}`);
  await until(() => copied.maxLogOffset === store.maxLogOffset, "all of the log");
  const first = store.minOffset("T", 0);
  assertEquals(await readAll(copied, "T", 0, first), names(100).slice(first));
  await slave.close();
  await master.close();
  await store.close();
  await copied.close();
});
