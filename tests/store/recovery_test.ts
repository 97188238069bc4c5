import { assert, assertEquals, assertRejects, assertStringIncludes } from "../../src/std.ts";
import { RocketdError } from "../../src/errors.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { LogFiles } from "../../src/store/log_file.ts";
import type { PutResult } from "../../src/store/mod.ts";
import { Bench, FILE_BYTES, names, put, putMany, readAll } from "./kit.ts";

/** Where a record says which queue it is of; its checksum is about the body only. */
const QUEUE_ID_AT = 12;

/** Puts messages over several files and ends as a killed process does; returns what was put. */
async function crashed(bench: Bench, count = 100): Promise<PutResult[]> {
  const store = await bench.open();
  const results = await putMany(store, count, "m", 2000);
  bench.disk.killed();
  return results;
}

Deno.test("A store that was killed has all messages, their queues and their keys again", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 100, "m", 2000);
  await put(store, { topic: "K", properties: "KEYS\u0001key" });
  bench.disk.killed();
  assert(bench.disk.existsSync(bench.path("abort")));
  const again = await bench.open();
  assertEquals(await readAll(again), names(100));
  assertEquals((await put(again)).queueOffset, 100);
  assertEquals((await again.queryByKey("K", "key", 1, 0, bench.clock.now())).records.length, 1);
  await again.close();
});

Deno.test("What a store recovered survives a power loss, also what lies in files before the last", async () => {
  using bench = new Bench();
  await crashed(bench);
  const again = await bench.open();
  assertEquals(again.safeLogOffset, again.maxLogOffset);
  bench.disk.powerLoss();
  const third = await bench.open();
  assertEquals(await readAll(third), names(100));
  await third.close();
});

Deno.test("A store that was killed again and again loses nothing and doubles nothing", async () => {
  using bench = new Bench();
  const expected: string[] = [];
  for (let round = 0; round < 6; round++) {
    const store = await bench.open();
    assertEquals(await readAll(store), expected);
    await putMany(store, 17, `r${round}-`, 1500);
    expected.push(...names(17, `r${round}-`));
    bench.clock.advance(round % 2 === 0 ? 0 : 11_000);
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (round % 3 === 2) await store.close();
    else bench.disk.killed();
  }
});

Deno.test("A clean start finds the end behind records that no queue knows", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 3);
  const prepared = await put(store, { sysFlag: 4 });
  await store.close();
  const again = await bench.open();
  assertEquals(again.maxLogOffset, prepared.logOffset + prepared.size);
  await again.close();
});

Deno.test("A clean start makes lost queues again", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 60, "m", 2000);
  await store.close();
  bench.disk.removeSync(bench.path("consumequeue"), { recursive: true });
  const again = await bench.open();
  assertEquals(await readAll(again), names(60));
  await again.close();
});

Deno.test("A torn last record is cut away, and the next one takes its place", async () => {
  for (const kept of [1, 4, 8, 60, 1000]) {
    using bench = new Bench();
    const results = await crashed(bench);
    const last = results.at(-1)!;
    const start = last.logOffset - (last.logOffset % FILE_BYTES);
    const at = last.logOffset - start + kept;
    bench.patch(bench.logFile(start), at, new Uint8Array(last.size - kept));
    const again = await bench.open();
    assertEquals(await readAll(again), names(99), `with ${kept} bytes kept`);
    const next = await put(again);
    assertEquals([next.logOffset, next.queueOffset], [last.logOffset, 99]);
    bench.disk.killed();
    const third = await bench.open();
    assertEquals(await readAll(third), [...names(99), "hello"]);
    await third.close();
  }
});

Deno.test("Old bytes behind the end do not come to life when the log grows to them", async () => {
  using bench = new Bench();
  const results = await crashed(bench, 20);
  const hole = results[9]!;
  bench.patch(bench.logFile(), hole.logOffset, new Uint8Array(hole.size));
  const again = await bench.open({ damagedRecordPolicy: "truncate" });
  assertEquals(await readAll(again), names(9));
  await putMany(again, 1, "new", 2000 - 0);
  bench.disk.killed();
  const third = await bench.open();
  assertEquals((await readAll(third)).length, 10);
  await third.close();
});

Deno.test("A damaged record that good ones follow is reported, and nothing is changed", async () => {
  using bench = new Bench();
  const results = await crashed(bench);
  const bad = results[40]!;
  const start = bad.logOffset - (bad.logOffset % FILE_BYTES);
  bench.patch(bench.logFile(start), bad.logOffset - start + 100, new Uint8Array([255, 254, 253]));
  const before = Deno.readFileSync(bench.logFile(start));
  const error = await assertRejects(() => bench.open(), RocketdError, "damagedRecordPolicy=truncate");
  assertEquals(error.code, "damagedStore");
  assertStringIncludes(error.message, bench.logFile(start));
  assertStringIncludes(error.message, `log offset ${bad.logOffset}`);
  assertEquals(Deno.readFileSync(bench.logFile(start)), before);
  const cut = await bench.open({ damagedRecordPolicy: "truncate" });
  assertEquals(await readAll(cut), names(40));
  assertEquals(cut.maxLogOffset, bad.logOffset);
  await cut.close();
});

Deno.test("A file of zeros between good files is reported too", async () => {
  using bench = new Bench();
  const results = await crashed(bench);
  assert(results.at(-1)!.logOffset > 2 * FILE_BYTES);
  bench.patch(bench.logFile(FILE_BYTES), 0, new Uint8Array(FILE_BYTES));
  await assertRejects(() => bench.open(), RocketdError, `log offset ${FILE_BYTES}`);
});

Deno.test("Queues that run ahead of the log are cut, and the log decides", async () => {
  for (const abort of [false, true]) {
    using bench = new Bench();
    const store = await bench.open();
    const results = await putMany(store, 30, "m", 1000);
    await store.close();
    const end = results[19]!.logOffset;
    bench.patch(bench.logFile(), end, new Uint8Array(FILE_BYTES - end));
    if (abort) Deno.writeTextFileSync(bench.path("abort"), "");
    const again = await bench.open();
    assertEquals(again.maxOffset("T", 0), 19);
    assertEquals(await readAll(again), names(19));
    assertEquals((await put(again)).queueOffset, 19);
    await again.close();
  }
});

Deno.test("A log without files starts anew, and its queues with it", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 3);
  await store.close();
  Deno.removeSync(bench.path("commitlog"), { recursive: true });
  const again = await bench.open();
  assertEquals([again.maxLogOffset, again.maxOffset("T", 0)], [0, 0]);
  await again.close();
});

Deno.test("A file of zeros that a Java broker made in advance is used when its turn comes", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 3);
  await store.close();
  bench.patch(bench.logFile(), 0, new Uint8Array(0));
  Deno.writeFileSync(bench.logFile(FILE_BYTES), new Uint8Array(FILE_BYTES));
  const again = await bench.open();
  assertEquals((await putMany(again, 60, "n", 2000)).some((result) => result.logOffset === FILE_BYTES), true);
  assertEquals((await readAll(again)).length, 63);
  await again.close();
});

Deno.test("Log files of another size, and gaps between them, are refused by name", async () => {
  using bench = new Bench();
  await crashed(bench);
  await assertRejects(() => bench.open({ mappedFileSizeCommitLog: 2 * FILE_BYTES }), RocketdError, bench.logFile());
  Deno.removeSync(bench.logFile(FILE_BYTES));
  await assertRejects(() => bench.open(), RocketdError, `no file begins at ${FILE_BYTES}`);
});

Deno.test("A topic deleted and made again has all of its new messages after a kill, and none of the old", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 10, "old");
  store.deleteTopic("T");
  await putMany(store, 10, "new");
  bench.disk.killed();
  const again = await bench.open();
  assertEquals(await readAll(again), names(10, "new"));
  assertEquals((await put(again)).queueOffset, 10);
  await again.close();
});

Deno.test("A zeroed size in front of good records is reported after a kill, and nothing is changed", async () => {
  using bench = new Bench();
  const results = await crashed(bench, 10);
  bench.patch(bench.logFile(), results[4]!.logOffset, new Uint8Array(4));
  const before = Deno.readFileSync(bench.logFile());
  await assertRejects(() => bench.open(), RocketdError, `good records follow from log offset ${results[5]!.logOffset}`);
  assertEquals(Deno.readFileSync(bench.logFile()), before);
});

Deno.test("A last log file without bytes is removed, and one cut at its last record gets its size again", async () => {
  using bench = new Bench();
  const results = await crashed(bench, 10);
  const last = results.at(-1)!;
  Deno.truncateSync(bench.logFile(), last.logOffset + last.size);
  const again = await bench.open();
  assertEquals(await readAll(again), names(10));
  assertEquals(Deno.statSync(bench.logFile()).size, FILE_BYTES);
  bench.disk.killed();
  await assertRejects(() => bench.open({ mappedFileSizeCommitLog: 2 * FILE_BYTES }), RocketdError, bench.logFile());
  Deno.writeFileSync(bench.logFile(FILE_BYTES), new Uint8Array(0));
  const third = await bench.open();
  assertEquals(await readAll(third), names(10));
  await third.close();
});

Deno.test("Store times never go back, not even when the clock does over a restart", async () => {
  for (const kill of [false, true]) {
    using bench = new Bench();
    const store = await bench.open();
    const first = await put(store);
    bench.clock.advance(-60_000);
    assertEquals((await put(store)).storeTimestamp, first.storeTimestamp);
    if (kill) bench.disk.killed();
    else await store.close();
    const again = await bench.open();
    assertEquals((await put(again)).storeTimestamp, first.storeTimestamp);
    await again.close();
  }
});

Deno.test("Messages that are larger than maxMessageSize is now are there again, after a kill too", async () => {
  const large = { mappedFileSizeCommitLog: 1024 * 1024, maxMessageSize: 256 * 1024 };
  const small = { ...large, maxMessageSize: 16 * 1024 };
  for (const kill of [false, true]) {
    using bench = new Bench();
    const store = await bench.open(large);
    const results = await putMany(store, 3, "m", 200 * 1024);
    if (kill) bench.disk.killed();
    else await store.close();
    const again = await bench.open(small);
    assertEquals(await readAll(again), names(3));
    for (const { logOffset, size } of results) assertEquals((await again.fetchRecord(logOffset))?.length, size);
    await again.close();
  }
});

Deno.test("A queue with a greater id than ours, which a Java broker may have made, is there again", async () => {
  const queueId = 0x7fff_ffff;
  using bench = new Bench();
  const store = await bench.open();
  const { logOffset } = await put(store, { body: new TextEncoder().encode("m0") });
  bench.disk.killed();
  bench.patch(bench.logFile(), logOffset + QUEUE_ID_AT, new Uint8Array([0x7f, 0xff, 0xff, 0xff]));
  const again = await bench.open();
  assertEquals(await readAll(again, "T", queueId), names(1));
  await again.close();
  const third = await bench.open();
  assertEquals(await readAll(third, "T", queueId), names(1), "its folder was passed over");
  await third.close();
});

Deno.test("The folders above a new folder are synced, and none above one that was there", () => {
  using bench = new Bench();
  const synced: string[] = [];
  const disk = { ...denoDisk, syncDirSync: (path: string) => void synced.push(path) };
  for (let i = 0; i < 2; i++) LogFiles.load(bench.path("store/commitlog"), FILE_BYTES, disk).close();
  assertEquals(synced, [bench.path("store"), bench.dir]);
});
