/**
 * Finding messages in a store: by time, by key, by their place in the log.
 *
 * @module
 */
import { LOOKUP_READ_BYTES, QUERY_BYTES_MAX } from "../../src/limits.ts";
import { decodeRecord } from "../../src/protocol/message_record.ts";
import { assert, assertEquals } from "../../src/std.ts";
import type { MessageStore } from "../../src/store/mod.ts";
import { CountingDisk } from "./counting_disk.ts";
import { Bench, bodies, FILE_BYTES, names, put, putMany } from "./kit.ts";

/** One message after each pause, ms; gives the time of the first. */
async function putAt(bench: Bench, store: MessageStore, pauses: readonly number[]): Promise<number> {
  const start = bench.clock.now() + pauses[0]!;
  for (const pause of pauses) {
    bench.clock.advance(pause);
    await put(store);
  }
  return start;
}

function check(store: MessageStore, start: number, cases: readonly (readonly [ms: number, offset: number])[]): void {
  for (const [ms, offset] of cases) assertEquals(store.offsetByTime("T", 0, start + ms), offset, `at ${ms}`);
}

Deno.test("a time finds its message, else the nearest, of two equally near the earlier, whatever file it is in", async () => {
  using bench = new Bench();
  // Four queue entries a file.
  const store = await bench.open({ mappedFileSizeConsumeQueue: 80 });
  const start = await putAt(bench, store, Array.from({ length: 10 }, () => 100));
  const cases = [
    [-1e12, 0],
    [-1, 0],
    [0, 0],
    [1, 0],
    [50, 0],
    [51, 1],
    [300, 3],
    [340, 3],
    [350, 3],
    [351, 4],
    [
      400,
      4,
    ],
    [799, 8],
    [900, 9],
    [901, 9],
    [1e12, 9],
  ] as const;
  check(store, start, cases);
  await store.close();
  // From the files, whose times of change are all of now.
  const again = await bench.open({ mappedFileSizeConsumeQueue: 80 });
  check(again, start, cases);
  await again.close();
});

Deno.test("of several messages of one time the search gives the one that RocketMQ's halving meets first", async () => {
  using bench = new Bench();
  const store = await bench.open();
  // Offsets 1 to 5 have the same time.
  const start = await putAt(bench, store, [100, 100, 0, 0, 0, 0, 100]);
  check(store, start, [[100, 3], [99, 1], [101, 5], [150, 5], [151, 6]]);
  await store.close();
});

Deno.test("an empty or unknown queue has no times, and offset 0 at any of them", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await put(store, { queueId: 1 });
  for (const [topic, queueId] of [["T", 0], ["T", 9], ["T", -1], ["T", 1 << 30], ["X", 0], ["../x", 0]] as const) {
    assertEquals(store.offsetByTime(topic, queueId, bench.clock.now()), 0);
    assertEquals(store.earliestStoreTime(topic, queueId), -1);
    assertEquals([store.minOffset(topic, queueId), store.maxOffset(topic, queueId)], [0, 0]);
  }
  assertEquals(store.earliestStoreTime("T", 1), bench.clock.now());
  await store.close();
});

Deno.test("after retention times before the first message that is left find that one", async () => {
  using bench = new Bench();
  const store = await bench.open({ flushDiskType: "SYNC_FLUSH", fileReservedTime: 1, mappedFileSizeConsumeQueue: 80 });
  const start = bench.clock.now() + 100;
  for (let i = 0; i < 30; i++) {
    bench.clock.advance(100);
    await put(store, { body: new Uint8Array(10_000) });
  }
  bench.clock.advance(100 * 3_600_000);
  for (const { name } of Deno.readDirSync(bench.path("commitlog"))) {
    Deno.utimeSync(bench.path(`commitlog/${name}`), 1, 1);
  }
  store.removeOldFiles();
  const first = store.minOffset("T", 0);
  assert(first > 0 && first < 30, `minOffset ${first}`);
  assertEquals(store.earliestStoreTime("T", 0), start + first * 100);
  const middle = Math.floor((first + 30) / 2);
  check(store, start, [[-1, first], [0, first], [first * 100, first], [middle * 100, middle], [2900, 29], [1e9, 29]]);
  await store.close();
});

Deno.test("a key finds its newest messages in the order of the log, within a time, up to a number", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const start = bench.clock.now();
  for (let i = 0; i < 10; i++) {
    await put(store, {
      body: new TextEncoder().encode(`m${i}`),
      properties: `KEYS\u0001k${i} all\u0002UNIQ_KEY\u0001u${i}`,
    });
    bench.clock.advance(1000);
  }
  const query = async (key: string, max = 32, from = 0, to = 99_999, topic = "T") =>
    bodies((await store.queryByKey(topic, key, max, start + from, start + to)).records);
  assertEquals(await query("k4"), ["m4"]);
  assertEquals(await query("u7"), ["m7"]);
  assertEquals(await query("all"), names(10));
  assertEquals(await query("all", 3), ["m7", "m8", "m9"]);
  assertEquals(await query("all", 32, 2000, 5000), ["m2", "m3", "m4", "m5"]);
  assertEquals(await query("all", 0), []);
  assertEquals(await query("none"), []);
  assertEquals(await query("all", 32, 0, 99_999, "X"), []);
  assertEquals(await query("k4", 32, 0, 3000), []);
  await store.close();
});

Deno.test("an answer to a query by key has a bound in bytes, and always room for one message", async () => {
  using bench = new Bench();
  const size = QUERY_BYTES_MAX / 4 - 1000;
  const sizes = { mappedFileSizeCommitLog: 2 * QUERY_BYTES_MAX, maxMessageSize: 2 * QUERY_BYTES_MAX };
  const store = await bench.open(sizes);
  for (let i = 0; i < 5; i++) await put(store, { body: new Uint8Array(size), properties: "KEYS\u0001k" });
  const found = async () => (await store.queryByKey("T", "k", 32, 0, bench.clock.now())).records;
  assertEquals((await found()).map((record) => decodeRecord(record).queueOffset), [1, 2, 3, 4]);
  await put(store, { body: new Uint8Array(QUERY_BYTES_MAX + 1), properties: "KEYS\u0001k" });
  assertEquals((await found()).map((record) => decodeRecord(record).queueOffset), [5]);
  await store.close();
});

Deno.test("a record is found by its place from memory and, off the main thread, from the disk", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const results = [...await putMany(store, 20), ...await putMany(store, 20, "large", 9000)];
  const expected = [...names(20), ...names(20, "large")];
  for (const { logOffset } of results) assert(!(store.fetchRecord(logOffset) instanceof Promise), "not from memory");
  await store.close();
  const again = await bench.open();
  for (const [i, { logOffset }] of results.entries()) {
    const found = again.fetchRecord(logOffset);
    assert(found instanceof Promise, "read at once");
    assertEquals(bodies([(await found)!]), [expected[i]!]);
  }
  await again.close();
});

Deno.test("a record whose file is removed while it is read is not found", async () => {
  using bench = new Bench();
  let store = await bench.open();
  await putMany(store, 60, "large", 9000);
  await store.close();
  store = await bench.open({ diskMaxUsedSpaceRatio: 10 });
  const found = store.fetchRecord(0);
  await Promise.resolve(); // Its turn has come, and the first read is under way.
  bench.disk.used = 90;
  store.removeOldFiles();
  assert(store.minLogOffset > 0);
  assertEquals(await found, undefined);
  await store.close();
});

Deno.test("a place where no record begins gives nothing, and makes no room for what its bytes say", async () => {
  using bench = new Bench();
  const store = await bench.open();
  // A body that looks like a whole record, as one would send it to have it taken for a message.
  const { logOffset, size } = await put(store);
  const copy = (await store.fetchRecord(logOffset))!.slice();
  const outer = await put(store, { body: copy });
  const inner = outer.logOffset + outer.size - size - "TAGS\u0001TagA".length - 2 - 2;
  const offsets = [inner, logOffset + 1, logOffset + 4, -1, NaN, 2 ** 53, FILE_BYTES];
  const look = async () => {
    for (const offset of offsets) assertEquals(await store.fetchRecord(offset), undefined, `at ${offset}`);
  };
  await look();
  const words = new DataView(new ArrayBuffer(8));
  for (const word of [0x7fff_ffff, 0x3fff_ffff, -1, 0]) {
    words.setInt32(0, word);
    const { logOffset: at, size: whole } = await put(store, { body: new Uint8Array(words.buffer) });
    offsets.push(at + whole - "TAGS\u0001TagA".length - 2 - 2 - 8);
  }
  await look();
  await store.close();
});

Deno.test("a place in a body whose bytes look like a great size is looked at, but not read", async () => {
  const counting = new CountingDisk();
  using bench = new Bench(counting.disk);
  const large = { mappedFileSizeCommitLog: 1024 * 1024 };
  const store = await bench.open(large);
  const body = new Uint8Array(15_000);
  const words = new DataView(body.buffer);
  for (let at = 0; at < body.length; at += 4) words.setInt32(at, 60_000);
  const places: number[] = [];
  // Into a second piece of memory, and further than the sizes reach.
  for (let i = 0; i < 12; i++) places.push((await put(store, { body, properties: "" })).logOffset + 88);
  counting.largestRead = 0;
  for (const place of places) assertEquals(store.fetchRecord(place), undefined, "found, or not from memory");
  assertEquals(counting.largestRead, 0);
  await store.close();
  const again = await bench.open(large);
  counting.largestRead = 0;
  for (const place of places) assertEquals(await again.fetchRecord(place), undefined);
  assertEquals(counting.largestRead, LOOKUP_READ_BYTES);
  await again.close();
});
