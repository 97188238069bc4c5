/** A slave's log after a failure, after a stop in the middle of something, and as a master's. @module */
import { RocketdError } from "../../src/errors.ts";
import { FILLER_BYTES } from "../../src/protocol/message_record.ts";
import { assert, assertEquals, assertThrows } from "../../src/std.ts";
import { assertSameFiles, copyAll, pair, piece, SLAVE } from "./copy_kit.ts";
import { Bench, FILE_BYTES, names, put, putMany, readAll } from "./kit.ts";

Deno.test("A slave whose disk fails says so, takes no more, and recovers to a whole record", async () => {
  using masterBench = new Bench();
  using slaveBench = new Bench();
  const master = await masterBench.open();
  await putMany(master, 20, "m", 300);
  for (const tornBytes of [0, 1, 200, 460, 1000]) {
    let slave = await slaveBench.open(SLAVE);
    const from = slave.maxLogOffset;
    slaveBench.disk.failWriteIn = 1;
    slaveBench.disk.tornBytes = tornBytes;
    const bytes = (await piece(master, from, 1200))!;
    const error = assertThrows(() => slave.appendCopy(from, bytes), RocketdError, "injected");
    assertEquals(error.code, "disk");
    assertThrows(() => slave.appendCopy(slave.maxLogOffset, bytes), RocketdError, "until a restart");
    slaveBench.disk.killed();
    slave = await slaveBench.open(SLAVE);
    assertEquals(slave.maxLogOffset % (master.maxLogOffset / 20), 0);
    assert(slave.maxLogOffset <= from + tornBytes);
    slaveBench.disk.killed();
  }
  const slave = await slaveBench.open(SLAVE);
  await copyAll(master, slave);
  assertEquals(await readAll(slave), names(20));
  await slave.close();
  await master.close();
  assertSameFiles(masterBench, slaveBench, ["commitlog", "consumequeue"]);
});

Deno.test("A copy that a Java slave left in the middle of a record, a filler or an unused rest is carried on", async () => {
  using masterBench = new Bench();
  const master = await masterBench.open();
  const results = await putMany(master, 60, "m", 2000);
  await master.close();
  const log = Deno.readFileSync(masterBench.logFile());
  const last = results.findLast(({ logOffset }) => logOffset < FILE_BYTES)!;
  const filler = last.logOffset + last.size;
  // Not zeros, as in the memory that a Java broker with transientStorePoolEnable uses again.
  log.fill(7, filler + FILLER_BYTES);
  const cuts = [1, 3, 4, 7, 8, 50, 300, last.size - 1].map((more) => last.logOffset + more)
    .concat([0, 1, 2, 3, 4, 6, 7, 8, 9, 100].map((more) => filler + more), FILE_BYTES - 1, FILE_BYTES);
  for (const crashed of [true, false]) {
    for (const end of cuts) {
      using bench = new Bench();
      const fresh = await bench.open(SLAVE);
      await fresh.close();
      if (crashed) Deno.writeFileSync(bench.path("abort"), new Uint8Array());
      const left = new Uint8Array(FILE_BYTES);
      left.set(log.subarray(0, end));
      Deno.writeFileSync(bench.logFile(), left);
      // Made in advance.
      Deno.writeFileSync(bench.logFile(FILE_BYTES), new Uint8Array(FILE_BYTES));
      const slave = await bench.open(SLAVE);
      assertEquals(slave.maxLogOffset, end < filler ? last.logOffset : filler, `cut at ${end}`);
      slave.appendCopy(slave.maxLogOffset, log.subarray(slave.maxLogOffset));
      assertEquals(slave.maxLogOffset, FILE_BYTES);
      await slave.close();
      assertEquals(Deno.readFileSync(bench.logFile()), log, `cut at ${end}`);
    }
  }
});

Deno.test("A slave opened as a master takes messages behind what it has, also behind half of an unused rest", async () => {
  using masterBench = new Bench();
  const master = await masterBench.open();
  const results = await putMany(master, 60, "m", 2000);
  const last = results.findLast(({ logOffset }) => logOffset < FILE_BYTES)!;
  const filler = last.logOffset + last.size;
  const known = results.indexOf(last) + 1;
  for (
    const [end, next] of [[last.logOffset + 100, last.logOffset], [filler, filler], [filler + 5, filler], [
      filler + 20,
      FILE_BYTES,
    ], [FILE_BYTES, FILE_BYTES]] as const
  ) {
    for (const [killed, again] of [[true, false], [false, false], [true, true], [false, true]] as const) {
      using bench = new Bench();
      const slave = await bench.open(SLAVE);
      for (let at = 0; at < end; at = slave.maxLogOffset) slave.appendCopy(at, (await piece(master, at, end - at))!);
      if (killed) bench.disk.killed();
      else await slave.close();
      // It may have been started as a slave once more, without its master.
      if (again) await (await bench.open(SLAVE)).close();
      const promoted = await bench.open();
      const result = await put(promoted, { body: new Uint8Array(10) });
      const count = next < filler ? known - 1 : known;
      assertEquals([result.logOffset, result.queueOffset, result.status], [next, count, "PUT_OK"], `${end} ${killed}`);
      assertEquals((await readAll(promoted)).slice(0, -1), names(count));
      await promoted.close();
    }
  }
  await master.close();
});

Deno.test("A slave with SYNC_FLUSH answers for what is safe from a power loss, another one for what is written", async () => {
  for (const flushDiskType of ["SYNC_FLUSH", "ASYNC_FLUSH"] as const) {
    await pair(async (master, slave, benches) => {
      await putMany(master, 10, "m", 300);
      await copyAll(master, slave, 700);
      const before = slave.safeLogOffset;
      assertEquals(before, flushDiskType === "SYNC_FLUSH" ? 0 : master.maxLogOffset);
      assert(await slave.sync());
      assertEquals(slave.safeLogOffset, master.maxLogOffset);
      benches.slave.disk.powerLoss();
      const again = await benches.slave.open({ ...SLAVE, flushDiskType });
      assertEquals(await readAll(again), names(10));
      await again.close();
    }, { flushDiskType });
  }
});

Deno.test("A slave removes its old files as a master does, and its log goes on behind them", async () => {
  using masterBench = new Bench();
  using slaveBench = new Bench();
  const master = await masterBench.open();
  await putMany(master, 200, "m", 2000);
  let slave = await slaveBench.open({ ...SLAVE, diskMaxUsedSpaceRatio: 10 });
  const half = 4 * FILE_BYTES - 1000;
  for (let at = 0; at < half; at = slave.maxLogOffset) slave.appendCopy(at, (await piece(master, at, half - at))!);
  await slave.sync();
  slaveBench.disk.used = 90;
  slave.removeOldFiles();
  slaveBench.disk.used = undefined;
  const { minLogOffset } = slave;
  assertEquals(minLogOffset, 3 * FILE_BYTES);
  await copyAll(master, slave, 3000);
  slaveBench.disk.killed();
  slave = await slaveBench.open(SLAVE);
  assertEquals([slave.minLogOffset, slave.maxLogOffset], [minLogOffset, master.maxLogOffset]);
  const first = slave.minOffset("T", 0);
  assert(first > 0);
  assertEquals(await readAll(slave, "T", 0, first), names(200).slice(first));
  await slave.close();
  await master.close();
});

Deno.test("A slave takes nothing while its disk is nearly full, and goes on when there is room again", () =>
  pair(async (master, slave, benches) => {
    await putMany(master, 10, "m", 300);
    benches.slave.disk.used = 99;
    benches.slave.clock.advance(10_000);
    const bytes = (await piece(master, 0, 1000))!;
    const error = assertThrows(() => slave.appendCopy(0, bytes), RocketdError, "99 % used");
    assertEquals([error.code, slave.maxLogOffset], ["disk", 0]);
    benches.slave.disk.used = 50;
    benches.slave.clock.advance(10_000);
    await copyAll(master, slave);
    assertEquals(await readAll(slave), names(10));
  }));

Deno.test("A slave that becomes a master gives no store times before those of the old one, whatever its clock says", async () => {
  for (const killed of [true, false]) {
    using masterBench = new Bench();
    using slaveBench = new Bench();
    slaveBench.clock.time -= 1_000_000;
    const master = await masterBench.open();
    const { storeTimestamp } = await put(master);
    const slave = await slaveBench.open(SLAVE);
    await copyAll(master, slave);
    if (killed) slaveBench.disk.killed();
    else await slave.close();
    const promoted = await slaveBench.open();
    assertEquals((await put(promoted)).storeTimestamp, storeTimestamp);
    await promoted.close();
    await master.close();
  }
});

Deno.test("A slave knows where its last whole record begins, also when it is opened again", async () => {
  using masterBench = new Bench();
  const master = await masterBench.open();
  const results = await putMany(master, 60, "m", 2000);
  const last = results.findLast(({ logOffset }) => logOffset < FILE_BYTES)!;
  const before = results[results.indexOf(last) - 1]!;
  const filler = last.logOffset + last.size;
  const cases = [
    [last.logOffset, before],
    [filler - 1, before],
    [filler, last],
    [filler + 100, last],
    [FILE_BYTES, last],
    [FILE_BYTES + 100, last],
    [FILE_BYTES + last.size, results[results.indexOf(last) + 1]!],
  ] as const;
  for (const [end, { logOffset }] of cases) {
    for (const crashed of [true, false]) {
      using bench = new Bench();
      let slave = await bench.open(SLAVE);
      assertEquals(slave.lastRecordOffset, undefined);
      for (let at = 0; at < end; at = slave.maxLogOffset) {
        slave.appendCopy(at, (await piece(master, at, Math.min(end - at, 700)))!);
      }
      assertEquals(slave.lastRecordOffset, logOffset, `copied up to ${end}`);
      if (crashed) bench.disk.killed();
      else await slave.close();
      slave = await bench.open(SLAVE);
      assertEquals(slave.lastRecordOffset, logOffset, `opened at ${end}`);
      await slave.close();
    }
  }
  await master.close();
});
