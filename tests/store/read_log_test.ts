/** Reading the log as it is: what slaves are sent. @module */
import { assert, assertEquals, assertRejects } from "../../src/std.ts";
import type { MessageStore } from "../../src/store/mod.ts";
import { Bench, FILE_BYTES, put, putMany } from "./kit.ts";

/** All bytes from an offset to the log's end, each piece at most `most`, and whether one came from memory or disk. */
async function readOut(store: MessageStore, from: number, most: number) {
  const bytes: number[] = [];
  const kinds = new Set<"memory" | "disk">();
  for (let at = from;;) {
    const answer = store.readLog(at, most);
    if (answer === undefined) return { bytes: new Uint8Array(bytes), kinds };
    kinds.add(answer instanceof Promise ? "disk" : "memory");
    const piece = await answer;
    assert(piece !== undefined && piece.length > 0 && piece.length <= most);
    assert(Math.floor(at / FILE_BYTES) === Math.floor((at + piece.length - 1) / FILE_BYTES), "crosses a file's end");
    for (const byte of piece) bytes.push(byte);
    at += piece.length;
  }
}

/** The files' bytes up to the log's end. */
function onDisk(bench: Bench, end: number): Uint8Array {
  const all = new Uint8Array(Math.ceil(end / FILE_BYTES) * FILE_BYTES);
  for (let start = 0; start < end; start += FILE_BYTES) all.set(Deno.readFileSync(bench.logFile(start)), start);
  return all.subarray(0, end);
}

Deno.test("readLog gives every byte of the log, fillers and unused rests included, from memory and from disk", async () => {
  using bench = new Bench();
  let store = await bench.open();
  await putMany(store, 250, "m", 2000);
  const end = store.maxLogOffset;
  const wanted = onDisk(bench, end);
  for (const most of [500, 32 * 1024, 10 * FILE_BYTES]) {
    const { bytes, kinds } = await readOut(store, 0, most);
    assertEquals(bytes, wanted);
    assertEquals(kinds, new Set(["memory", "disk"]));
  }
  assertEquals((await readOut(store, 12_345, 777)).bytes, wanted.subarray(12_345));
  await store.close();
  store = await bench.open();
  const { bytes, kinds } = await readOut(store, 0, 5000);
  assertEquals([bytes, kinds], [wanted, new Set(["disk" as const])]);
  await store.close();
});

Deno.test("readLog gives nothing outside of the log and at its end, nor what is encoded but not yet written", async () => {
  using bench = new Bench();
  const store = await bench.open();
  assertEquals(store.readLog(0, 100), undefined);
  await put(store);
  const end = store.maxLogOffset;
  for (const from of [end, end + 1, FILE_BYTES, -1, 0.5, NaN, Infinity, 2 ** 60]) {
    assertEquals(store.readLog(from, 100), undefined, String(from));
  }
  assertEquals(store.readLog(0, 0), undefined);
  const second = put(store);
  assertEquals(store.readLog(end, 100), undefined);
  assertEquals((await store.readLog(0, 10_000))!.length, end);
  await second;
  assertEquals((await store.readLog(end, 10_000))!.length, end);
  await store.close();
});

Deno.test("readLog gives nothing of a file that is removed while it reads, and rejects when the disk fails", async () => {
  using bench = new Bench();
  let store = await bench.open({ diskMaxUsedSpaceRatio: 10 });
  await putMany(store, 250, "m", 2000);
  await store.sync();
  const reading = store.readLog(0, 1000);
  assert(reading instanceof Promise);
  bench.disk.used = 90;
  store.removeOldFiles();
  assert(store.minLogOffset > 0);
  assertEquals(await reading, undefined);
  assertEquals(store.readLog(0, 1000), undefined);
  await store.close();
  bench.disk.used = undefined;
  store = await bench.open();
  bench.disk.killed();
  await assertRejects(async () => await store.readLog(store.minLogOffset, 1000), Error, "the power is gone");
});

Deno.test("lastFileStart is the begin of the file that the log ends in", async () => {
  using bench = new Bench();
  const store = await bench.open();
  assertEquals(store.lastFileStart, 0);
  await putMany(store, 10, "m", 2000);
  assertEquals(store.lastFileStart, 0);
  await putMany(store, 60, "m", 2000);
  assertEquals(store.lastFileStart, store.maxLogOffset - store.maxLogOffset % FILE_BYTES);
  assert(store.lastFileStart > 0);
  await store.close();
});

Deno.test("onWritten tells the log's end once for the puts of a turn, when their bytes can be read", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const ends: number[] = [];
  store.onWritten(() => {
    throw new Error("the listener fails");
  });
  store.onWritten((end) => {
    ends.push(end);
    const from = ends.length > 1 ? ends[ends.length - 2]! : 0;
    assertEquals((store.readLog(from, FILE_BYTES) as Uint8Array).length, end - from);
    assertEquals(onDisk(bench, end).at(-1), "A".charCodeAt(0));
  });
  await Promise.all([put(store), put(store), put(store)]);
  const first = store.maxLogOffset;
  await put(store);
  assertEquals(ends, [first, store.maxLogOffset]);
  await put(store, { queueId: -1 });
  assertEquals(ends.length, 2);
  await store.close();
});

Deno.test("onWritten tells nothing of bytes that the disk refused", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const ends: number[] = [];
  store.onWritten((end) => void ends.push(end));
  bench.disk.failWriteIn = 1;
  assertEquals((await put(store)).status, "SERVICE_NOT_AVAILABLE");
  assertEquals([ends, store.readLog(0, 100)], [[], undefined]);
  await store.close();
});
