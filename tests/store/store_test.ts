import { assert, assertEquals, assertRejects, assertStringIncludes } from "../../src/std.ts";
import { RocketdError } from "../../src/errors.ts";
import { FRAME_BYTES_MAX } from "../../src/limits.ts";
import { decodeRecord } from "../../src/protocol/message_record.ts";
import { Bench, bodies, FILE_BYTES, HOST, message, names, put, putBatch, putMany, readAll } from "./kit.ts";

Deno.test("MessageStore gives back what was put, in the order of the queue", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 100);
  assertEquals(await readAll(store), names(100));
  assertEquals(store.maxOffset("T", 0), 100);
  await store.close();
});

Deno.test("MessageStore writes the record layout of RocketMQ byte for byte", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const first = await put(store, { flag: 7, reconsumeTimes: 2, preparedTransactionOffset: 9, queueId: 3 });
  await put(store, { queueId: 3 });
  await store.close();
  const file = Deno.readFileSync(bench.logFile());
  assertEquals(file.length, FILE_BYTES);
  const view = new DataView(file.buffer);
  const size = 91 + 5 + 1 + 9;
  assertEquals(first.size, size);
  assertEquals(view.getInt32(0), size);
  assertEquals(view.getUint32(4), 0xDAA320A7);
  assertEquals(view.getInt32(8), 0x3610A686, "CRC-32 of hello");
  assertEquals(view.getInt32(12), 3);
  assertEquals(view.getInt32(16), 7);
  assertEquals(view.getBigInt64(20), 0n);
  assertEquals(view.getBigInt64(28), 0n);
  assertEquals(view.getInt32(36), 0);
  assertEquals(view.getBigInt64(40), 1_600_000_000_000n);
  assertEquals([...file.subarray(48, 56)], [127, 0, 0, 1, 0, 0, 4, 1]);
  assertEquals(view.getBigInt64(56), BigInt(bench.clock.now()));
  assertEquals(file.subarray(64, 72), HOST);
  assertEquals(view.getInt32(72), 2);
  assertEquals(view.getBigInt64(76), 9n);
  assertEquals(view.getInt32(84), 5);
  assertEquals(new TextDecoder().decode(file.subarray(88, 93)), "hello");
  assertEquals([file[93], file[94]], [1, "T".charCodeAt(0)]);
  assertEquals(view.getInt16(95), 9);
  assertEquals(new TextDecoder().decode(file.subarray(97, 106)), "TAGS\u0001TagA");
  assertEquals(view.getBigInt64(size + 20), 1n, "queue offset of the second record");
  assertEquals(view.getBigInt64(size + 28), BigInt(size));
  const queue = Deno.readFileSync(bench.path(`consumequeue/T/3/${"0".repeat(20)}`));
  const entry = new DataView(queue.buffer);
  assertEquals([entry.getBigInt64(20), entry.getInt32(28), entry.getBigInt64(32)], [BigInt(size), size, 2598919n]);
});

Deno.test("MessageStore marks IPv6 hosts in the sysFlag and keeps their 20 bytes", async () => {
  using bench = new Bench();
  const storeHost = new Uint8Array(20).fill(3);
  const store = await bench.open({ storeHost });
  const result = await put(store, { bornHost: new Uint8Array(20).fill(5), sysFlag: 1 });
  const record = decodeRecord((await store.fetchRecord(result.logOffset))!);
  assertEquals([record.sysFlag, record.totalSize], [0x31, 91 + 24 + 15]);
  assertEquals(record.storeHost, storeHost);
  await store.close();
});

Deno.test("MessageStore closes a full file with a filler and goes on in the next one", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const results = await putMany(store, 100, "m", 2000);
  const rolled = results.findIndex((result) => result.logOffset >= FILE_BYTES);
  assertEquals(results[rolled]!.logOffset, FILE_BYTES, "the first record of the second file is at its begin");
  const before = results[rolled - 1]!;
  const end = before.logOffset + before.size;
  assert(FILE_BYTES - end < before.size + 8);
  await store.close();
  const view = new DataView(Deno.readFileSync(bench.logFile()).buffer);
  assertEquals([view.getInt32(end), view.getUint32(end + 4)], [FILE_BYTES - end, 0xCBD43194]);
  const again = await bench.open();
  assertEquals(await readAll(again), names(100));
  await again.close();
});

Deno.test("MessageStore rolls exactly when a record and 8 bytes do not fit", async () => {
  for (const [spare, file] of [[0, 0], [1, 1]] as const) {
    using bench = new Bench();
    const store = await bench.open({ mappedFileSizeCommitLog: 8192 });
    const first = await put(store, { body: new Uint8Array(4000), properties: "" });
    const room = 8192 - first.size - 8 - 92 + spare;
    const second = await put(store, { body: new Uint8Array(room), properties: "" });
    assertEquals(second.logOffset, file === 0 ? first.size : 8192);
    await store.close();
  }
});

Deno.test("MessageStore refuses illegal messages and names field, value and limit", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const cases: [Parameters<typeof message>[0], string][] = [
    [{ body: new Uint8Array(16 * 1024 + 1) }, "body has 16385 bytes, maxMessageSize allows 16384"],
    [{ topic: "t".repeat(128) }, "topic has 128 bytes, allowed are 1 to 127"],
    [{ properties: "p".repeat(32_768) }, "properties have 32768 bytes, allowed are 32767"],
    [{ queueId: -1 }, "queueId is -1"],
    [{ queueId: 65_536 }, "queueId is 65536, allowed are 0 to 65535"],
    [{ topic: "../x" }, "topic"],
  ];
  for (const [given, reason] of cases) {
    const result = await put(store, given);
    assertEquals([result.status, result.logOffset], ["MESSAGE_ILLEGAL", -1]);
    assertStringIncludes(result.reason ?? "", reason);
  }
  assertEquals((await put(store, { properties: `A\u0001${"p".repeat(32_765)}` })).status, "PUT_OK");
  await store.close();
});

Deno.test("MessageStore puts a batch side by side, or not at all", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const send = (last: Parameters<typeof message>[0]) => putBatch(store, message(), message(), message(last));
  const good = await send({});
  assertEquals([good.queueOffset, good.logOffset, good.size % 3], [0, 0, 0]);
  assertEquals(good.logOffsets, [0, 1, 2].map((i) => i * good.size / 3));
  const bad = await send({ body: new Uint8Array(99_999) });
  assertEquals([bad.status, bad.logOffset, bad.logOffsets], ["MESSAGE_ILLEGAL", -1, undefined]);
  assertEquals([store.maxOffset("T", 0), store.maxLogOffset], [3, good.size]);
  await store.close();
});

Deno.test("MessageStore gives prepared and rolled back records no queue entry and queue offset 0", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await put(store);
  for (const sysFlag of [4, 12]) assertEquals((await put(store, { sysFlag })).queueOffset, 0);
  assertEquals((await put(store, { sysFlag: 8 })).queueOffset, 1);
  assertEquals(store.maxOffset("T", 0), 2);
  await store.close();
  const again = await bench.open();
  assertEquals((await put(again)).queueOffset, 2);
  await again.close();
});

Deno.test("MessageStore tells of new messages once per queue and commit, when they can be read", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const heard: string[] = [];
  store.onArrival((topic, queueId, maxOffset) => heard.push(`${topic}-${queueId}:${maxOffset}`));
  await Promise.all([put(store), put(store), put(store, { queueId: 1 })]);
  assertEquals(heard, ["T-0:2", "T-1:1"]);
  await store.close();
});

Deno.test("MessageStore answers reads outside of a queue with RocketMQ's statuses and next offsets", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 3);
  const at = async (offset: number, topic = "T") => {
    const { status, nextBeginOffset } = await store.get(topic, 0, offset, 32);
    return [status, nextBeginOffset];
  };
  assertEquals(await at(3), ["OFFSET_OVERFLOW_ONE", 3]);
  assertEquals(await at(4), ["OFFSET_OVERFLOW_BADLY", 3]);
  assertEquals(await at(-1), ["OFFSET_TOO_SMALL", 0]);
  assertEquals(await at(5, "Other"), ["NO_MESSAGE_IN_QUEUE", 0]);
  assertEquals(await at(1), ["FOUND", 3]);
  await store.close();
});

Deno.test("MessageStore limits a batch by messages and bytes, but the first message always fits", async () => {
  using bench = new Bench();
  const store = await bench.open({ maxTransferBytesOnMessageInMemory: 1000 });
  await putMany(store, 50, "m", 600);
  const one = await store.get("T", 0, 0, 32);
  assertEquals([one.records.length, one.nextBeginOffset], [1, 1]);
  await store.close();
  const wide = await bench.open();
  assertEquals((await wide.get("T", 0, 0, 100)).records.length, 32);
  assertEquals((await wide.get("T", 0, 0, 5)).records.length, 5);
  await wide.close();
  const onDisk = await bench.open({ inMemoryBytes: 0 });
  assertEquals((await onDisk.get("T", 0, 0, 100)).records.length, 8);
  await onDisk.close();
});

Deno.test("MessageStore hands out no more at once than a frame takes, whatever the settings say", async () => {
  using bench = new Bench();
  const endless = { maxTransferBytesOnMessageInMemory: 2 ** 31 - 1, maxTransferCountOnMessageInMemory: 2 ** 31 - 1 };
  const large = { mappedFileSizeCommitLog: 2 ** 26, maxMessageSize: 2 ** 20, tailChunkBytes: 2 ** 23 };
  const store = await bench.open({ ...endless, ...large });
  await putMany(store, 20, "m", 1_000_000);
  const { records } = await store.get("T", 0, 0, 100);
  const bytes = records.reduce((sum, { length }) => sum + length, 0);
  assert(bytes > 15_000_000 && bytes < FRAME_BYTES_MAX, `${bytes}`);
  await store.close();
});

Deno.test("MessageStore filters by tags code and moves on over what does not match", async () => {
  using bench = new Bench();
  const store = await bench.open();
  for (let i = 0; i < 1000; i++) store.put(message({ properties: i === 900 ? "TAGS\u0001TagB" : "" }), () => {});
  await put(store);
  const none = await store.get("T", 0, 0, 32, { entry: (tagsCode) => tagsCode === 2598920 });
  assertEquals([none.status, none.nextBeginOffset], ["NO_MATCHED_MESSAGE", 800]);
  const hit = await store.get("T", 0, 800, 32, { entry: (tagsCode) => tagsCode === 2598920 });
  assertEquals([hit.status, hit.records.length, hit.nextBeginOffset], ["FOUND", 1, 1000], "a read ends with the file");
  assertEquals((await store.get("T", 0, 1000, 32)).nextBeginOffset, 1001);
  await store.close();
});

Deno.test("MessageStore keeps the deliver time in the queue entry of a delayed message", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await put(store, { topic: "SCHEDULE_TOPIC_XXXX", queueId: 2, properties: "DELAY\u00013" });
  const seen: number[] = [];
  await store.get("SCHEDULE_TOPIC_XXXX", 2, 0, 1, { entry: (tagsCode) => seen.push(tagsCode) > 0 });
  assertEquals(seen, [bench.clock.now() + 10_000]);
  await store.close();
});

Deno.test("MessageStore lets a delay begin now, even where store times wait for a clock that was set back", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const before = await put(store);
  bench.clock.advance(-3_600_000);
  const delayed = await put(store, { topic: "SCHEDULE_TOPIC_XXXX", queueId: 2, properties: "DELAY\u00013" });
  assertEquals(delayed.storeTimestamp, before.storeTimestamp);
  assertEquals(store.queues.get("SCHEDULE_TOPIC_XXXX", 2)!.read(0, 1).tagsCode(0), bench.clock.now() + 10_000);
  await store.close();
});

Deno.test("MessageStore reads old messages from disk, and those that straddle blocks", async () => {
  using bench = new Bench();
  const size = 2 * 1024 * 1024 + 64 * 1024;
  const options = { mappedFileSizeCommitLog: size };
  const store = await bench.open(options);
  await putMany(store, 900, "m", 5000);
  const cold = store.get("T", 0, 0, 32);
  assert(cold instanceof Promise, "old messages are no longer in memory");
  assertEquals(bodies((await cold).records), names(32));
  assert(!(store.get("T", 0, 1, 5) instanceof Promise), "a block stays in memory");
  assertEquals(await readAll(store), names(900));
  await store.close();
});

Deno.test("MessageStore never serves bytes of a recycled piece of memory", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 20, "old", 8000);
  for (let round = 0; round < 10; round++) {
    await putMany(store, 20, `r${round}-`, 8000);
    assertEquals((await readAll(store, "T", 0, 0)).slice(0, 20), names(20, "old"));
  }
  await store.close();
});

Deno.test("MessageStore reads on in a block that the log has grown past", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 2);
  await store.close();
  const again = await bench.open();
  assertEquals(await readAll(again), names(2));
  await putMany(again, 2, "n");
  assertEquals(await readAll(again), [...names(2), ...names(2, "n")]);
  await again.close();
});

Deno.test("MessageStore refuses to open a store that is open", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const error = await assertRejects(() => bench.open(), RocketdError, "another process holds");
  assertEquals(error.code, "inUse");
  await store.close();
  await (await bench.open()).close();
});

Deno.test("MessageStore leaves no timer and no abort file behind when it is closed", async () => {
  using bench = new Bench();
  const store = await bench.open();
  assert(bench.disk.existsSync(bench.path("abort")));
  await store.close();
  assertEquals(bench.clock.timers, 0);
  assert(!bench.disk.existsSync(bench.path("abort")));
  assertEquals((await put(store)).status, "SERVICE_NOT_AVAILABLE");
});

Deno.test("MessageStore starts a deleted topic anew at offset 0", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 3);
  store.deleteTopic("T");
  assertEquals(store.maxOffset("T", 0), 0);
  assertEquals((await put(store)).queueOffset, 0);
  assertEquals(await readAll(store), ["hello"]);
  await store.close();
});

Deno.test("MessageStore removes old files, raises the queue's min and says that older offsets are too small", async () => {
  using bench = new Bench();
  bench.clock.time = Date.now();
  const store = await bench.open({ fileReservedTime: 1, deleteWhen: [] });
  await putMany(store, 100, "m", 2000);
  await bench.synced(bench.logFile(3 * FILE_BYTES), () => bench.clock.advance(1000));
  store.removeOldFiles();
  assertEquals(store.minLogOffset, 0, "the files are too young");
  bench.clock.time = Date.now() + 3_600_000;
  store.removeOldFiles();
  assert(store.minLogOffset > 0);
  const min = store.minOffset("T", 0);
  assert(min > 0);
  const early = await store.get("T", 0, 0, 32);
  assertEquals([early.status, early.nextBeginOffset], ["OFFSET_TOO_SMALL", min]);
  assertEquals(await readAll(store, "T", 0, min), names(100).slice(min));
  await store.close();
  const again = await bench.open();
  assertEquals(again.minOffset("T", 0), min, "after a restart");
  await again.close();
});

Deno.test("MessageStore looks at a queue's bounds again after it has read from disk", async () => {
  using bench = new Bench();
  bench.clock.time = Date.now();
  const store = await bench.open({ fileReservedTime: 1, deleteWhen: [] });
  await putMany(store, 300, "m", 2000);
  await bench.synced(bench.logFile(9 * FILE_BYTES), () => bench.clock.advance(1000));
  bench.clock.time = Date.now() + 3_600_000;
  const behind = store.get("T", 0, 0, 32);
  assert(behind instanceof Promise, "old messages are no longer in memory");
  store.removeOldFiles();
  const min = store.minOffset("T", 0);
  assert(min > 0);
  const { status, nextBeginOffset, minOffset, maxOffset } = await behind;
  assertEquals([status, nextBeginOffset, minOffset, maxOffset], ["OFFSET_TOO_SMALL", min, min, 300]);
  await store.close();
});

Deno.test("MessageStore finds nothing any more in a topic that was deleted while it read from disk", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 300, "m", 2000);
  const behind = store.get("T", 0, 0, 32);
  assert(behind instanceof Promise, "old messages are no longer in memory");
  store.deleteTopic("T");
  assertEquals((await behind).status, "NO_MESSAGE_IN_QUEUE");
  await store.close();
});

Deno.test("MessageStore refuses writes while the disk is nearly full, and takes them again", async () => {
  using bench = new Bench();
  const store = await bench.open();
  bench.disk.used = 93;
  bench.clock.advance(10_000);
  const result = await put(store);
  assertEquals(result.status, "SERVICE_NOT_AVAILABLE");
  assertStringIncludes(result.reason ?? "", "disk 93 % used");
  bench.disk.used = 50;
  bench.clock.advance(10_000);
  assertEquals((await put(store)).status, "PUT_OK");
  await store.close();
});
