import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { DISK_USED_CLEAN_FORCIBLY } from "../../src/limits.ts";
import type { PutResult } from "../../src/store/mod.ts";
import { Bench, bodies, message, names, put, putMany, readAll } from "../store/kit.ts";

Deno.test("A failed write refuses what waited for it and everything after, until the store is opened again", async () => {
  for (const tornBytes of [0, 5, 150]) {
    using bench = new Bench();
    const store = await bench.open();
    await putMany(store, 5);
    bench.disk.failWriteIn = 1;
    bench.disk.tornBytes = tornBytes;
    const lost = await putMany(store, 3, "lost");
    for (const result of lost) {
      assertEquals([result.status, result.logOffset], ["SERVICE_NOT_AVAILABLE", -1]);
      assertStringIncludes(result.reason ?? "", "injected write failure");
    }
    assertEquals((await put(store)).status, "SERVICE_NOT_AVAILABLE");
    assert(!store.writable);
    assertStringIncludes(store.failure ?? "", "the commit log cannot be written");
    assertEquals(await readAll(store), names(5), "what was acknowledged can still be read");
    await store.close();
    assert(bench.disk.existsSync(bench.path("abort")), "the next start recovers");
    const again = await bench.open();
    assertEquals((await readAll(again)).slice(0, 5), names(5));
    assertEquals((await put(again)).status, "PUT_OK");
    await again.close();
  }
});

Deno.test("A full disk refuses writes with its reason and keeps what was acknowledged", async () => {
  using bench = new Bench();
  const store = await bench.open();
  bench.disk.bytesLeft = 20_000;
  const results: PutResult[] = [];
  for (let i = 0; i < 40; i++) results.push(...await putMany(store, 1, `x${i}-`, 1000));
  const good = results.filter((result) => result.status === "PUT_OK").length;
  assert(good > 0 && good < 40);
  assertStringIncludes(results.at(-1)!.reason ?? "", "No space left");
  bench.disk.killed();
  bench.disk.bytesLeft = Infinity;
  const again = await bench.open();
  assertEquals((await readAll(again)).slice(0, good), Array.from({ length: good }, (_, i) => `x${i}-0`));
  await again.close();
});

Deno.test("SYNC_FLUSH loses nothing acknowledged when the power goes", async () => {
  using bench = new Bench();
  let acknowledged = 0;
  for (let round = 0; round < 5; round++) {
    const store = await bench.open({ flushDiskType: "SYNC_FLUSH" });
    assertEquals((await readAll(store)).slice(0, acknowledged).length, acknowledged);
    for (let turn = 0; turn < 8; turn++) {
      const results = await putMany(store, 7, "m", 1500);
      acknowledged += results.filter((result) => result.status === "PUT_OK").length;
    }
    store.put(message(), () => {});
    await Promise.resolve();
    bench.disk.powerLoss();
  }
  assertEquals(acknowledged, 5 * 56);
  const store = await bench.open();
  assert((await readAll(store)).length >= acknowledged);
  await store.close();
});

Deno.test("ASYNC_FLUSH keeps what was synced when the power goes", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 30, "m", 2000);
  await bench.synced(bench.logFile(), () => bench.clock.advance(500));
  await putMany(store, 2, "lost");
  bench.disk.powerLoss();
  const again = await bench.open();
  assertEquals(await readAll(again), names(30));
  await again.close();
});

Deno.test("Checkpoint and queues that were made durable agree after a power loss", async () => {
  using bench = new Bench();
  const store = await bench.open();
  for (let i = 0; i < 12; i++) {
    await putMany(store, 10, `r${i}-`, 2000);
    if (i % 2 === 0) await bench.synced(bench.path("checkpoint"), () => bench.clock.advance(11_000));
  }
  bench.disk.powerLoss();
  const again = await bench.open();
  const all = await readAll(again);
  assertEquals(all, Array.from({ length: all.length }, (_, i) => `r${Math.floor(i / 10)}-${i % 10}`));
  assert(all.length >= 110, `${all.length} messages came back, 110 were safe`);
  await again.close();
});

Deno.test("With SYNC_FLUSH a put is answered only after its sync, and all who wait share one", async () => {
  using bench = new Bench();
  const store = await bench.open({ flushDiskType: "SYNC_FLUSH" });
  await put(store);
  let release = () => {};
  bench.disk.holdSyncs = new Promise((resolve) => release = resolve);
  const before = bench.disk.syncs;
  const answered: string[] = [];
  const puts = ["a", "b", "c"].map(async (name) => {
    await put(store, { body: new TextEncoder().encode(name) });
    answered.push(name);
  });
  const free = await put(store, { waitForSync: false });
  assertEquals(free.status, "PUT_OK");
  assertEquals(answered, []);
  const found = await store.get("T", 0, 1, 32);
  assertEquals(bodies(found.records).slice(0, 3), ["a", "b", "c"]);
  release();
  await Promise.all(puts);
  assertEquals(answered, ["a", "b", "c"]);
  assert(bench.disk.syncs - before <= 2, `${bench.disk.syncs - before} syncs for three puts of one turn`);
  bench.disk.holdSyncs = undefined;
  await store.close();
});

/** A store with SYNC_FLUSH, and the answers to its puts; each sync waits for what `hold` gave when it began. */
async function overlapping(bench: Bench) {
  const store = await bench.open({ flushDiskType: "SYNC_FLUSH" });
  await put(store);
  const { disk } = bench;
  const answers: string[] = [];
  return {
    store,
    answers,
    /** What is synced from now on waits until the returned function is called. */
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      disk.holdSyncs = promise;
      return resolve;
    },
    begun: disk.syncs,
    send: (name: string) => put(store, { body: bodyOf(name) }).then(({ status }) => answers.push(`${name} ${status}`)),
  };
}

function bodyOf(name: string): Uint8Array {
  return new TextEncoder().encode(name);
}

Deno.test("With SYNC_FLUSH two syncs may be under way, and whoever comes then shares the next one", async () => {
  using bench = new Bench();
  const { store, answers, hold, send, begun } = await overlapping(bench);
  const release = hold();
  const sent: Promise<unknown>[] = [];
  for (const name of ["a", "b", "c", "d"]) {
    sent.push(send(name));
    await Promise.resolve();
  }
  assertEquals([bench.disk.syncs - begun, answers], [2, []]);
  bench.disk.holdSyncs = undefined;
  release();
  await Promise.all(sent);
  assertEquals(answers, ["a PUT_OK", "b PUT_OK", "c PUT_OK", "d PUT_OK"]);
  assertEquals(bench.disk.syncs - begun, 3);
  await store.close();
});

Deno.test("With SYNC_FLUSH a sync answers nobody while one that began before it may still fail", async () => {
  for (const fails of [false, true]) {
    using bench = new Bench();
    const { store, answers, send } = await overlapping(bench);
    const earlier = Promise.withResolvers<void>();
    bench.disk.holdSyncs = earlier.promise;
    const first = send("a");
    await Promise.resolve();
    bench.disk.holdSyncs = undefined;
    let second: Promise<unknown> | undefined;
    await bench.synced(bench.path("commitlog/00000000000000000000"), () => void (second = send("b")));
    assertEquals(answers, []);
    if (fails) earlier.reject(new Error("injected sync failure"));
    else earlier.resolve();
    await Promise.all([first, second]);
    const status = fails ? "SERVICE_NOT_AVAILABLE" : "PUT_OK";
    assertEquals(answers, [`a ${status}`, `b ${status}`]);
    if (!fails) {
      bench.disk.powerLoss();
      const again = await bench.open();
      const found = await again.get("T", 0, 1, 32);
      assertEquals(bodies(found.records), ["a", "b"]);
      await again.close();
    } else await store.close();
  }
});

Deno.test("Files that are safe and removed while a sync is still under way are no failure of it", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 10, "m", 15_000);
  assertEquals(bench.disk.listSync(bench.path("commitlog")).length, 3);
  const faster = store.sync();
  const { promise, resolve } = Promise.withResolvers<void>();
  bench.disk.holdSyncs = promise;
  const slower = store.sync();
  bench.disk.holdSyncs = undefined;
  await faster;
  bench.disk.used = DISK_USED_CLEAN_FORCIBLY + 1;
  store.removeOldFiles();
  assertEquals(bench.disk.listSync(bench.path("commitlog")).length, 1);
  resolve();
  assertEquals(await slower, true, store.failure);
  await store.close();
});

Deno.test("A sync that fails beside another one is final for those of both", async () => {
  using bench = new Bench();
  const { store, answers, hold, send } = await overlapping(bench);
  const release = hold();
  const first = send("a");
  await Promise.resolve();
  bench.disk.holdSyncs = undefined;
  bench.disk.failSyncIn = 1;
  await Promise.all([first, send("b")]);
  assertEquals(answers, ["a SERVICE_NOT_AVAILABLE", "b SERVICE_NOT_AVAILABLE"]);
  release();
  await store.close();
  assertEquals(answers.length, 2);
});

Deno.test("With SYNC_FLUSH a disk that is too slow answers FLUSH_DISK_TIMEOUT with the message's offset", async () => {
  using bench = new Bench();
  const store = await bench.open({ flushDiskType: "SYNC_FLUSH" });
  let release = () => {};
  bench.disk.holdSyncs = new Promise((resolve) => release = resolve);
  const waiting = put(store);
  await Promise.resolve();
  bench.clock.advance(5100);
  const result = await waiting;
  assertEquals([result.status, result.queueOffset], ["FLUSH_DISK_TIMEOUT", 0]);
  release();
  bench.disk.holdSyncs = undefined;
  assertEquals((await put(store)).status, "PUT_OK");
  await store.close();
});

Deno.test("A failed sync is final: nobody who waits is told that all is well", async () => {
  using bench = new Bench();
  const store = await bench.open({ flushDiskType: "SYNC_FLUSH" });
  await put(store);
  bench.disk.failSyncIn = 1;
  const results = await putMany(store, 3);
  assertEquals(new Set(results.map((result) => result.status)), new Set(["SERVICE_NOT_AVAILABLE"]));
  const syncs = bench.disk.syncs;
  const late = await put(store);
  assertStringIncludes(late.reason ?? "", "injected sync failure");
  assertEquals(bench.disk.syncs, syncs, "a failed sync is not tried again");
  await store.close();
  assert(bench.disk.existsSync(bench.path("abort")));
});

Deno.test("A log file that cannot be made refuses the put and nothing else", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 30, "m", 2000);
  Deno.mkdirSync(bench.logFile(64 * 1024));
  const results = await putMany(store, 3, "n", 2000);
  assertEquals(results.at(-1)!.status, "CREATE_MAPEDFILE_FAILED");
  assertStringIncludes(store.trouble, "a commit log file cannot be made");
  assertEquals((await put(store)).status, "PUT_OK", "a small one still fits into the file");
  Deno.removeSync(bench.logFile(64 * 1024));
  assertEquals((await putMany(store, 3, "o", 2000)).at(-1)!.status, "PUT_OK");
  assertEquals(store.trouble, "");
  await store.close();
});
