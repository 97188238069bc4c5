/** Pieces of a master's log: which a slave takes, which it refuses, and what can be read when. @module */
import { RocketdError } from "../../src/errors.ts";
import { FILLER_BYTES, FILLER_MAGIC } from "../../src/protocol/message_record.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../src/std.ts";
import type { MessageStore } from "../../src/store/mod.ts";
import { assertSameFiles, copyAll, pair, piece, SLAVE } from "./copy_kit.ts";
import { Bench, FILE_BYTES, message, names, put, putBatch, putMany, readAll } from "./kit.ts";

Deno.test("A slave that is copied to without a break has the same index files as well", () =>
  pair(async (master, slave, benches) => {
    for (let i = 0; i < 120; i++) {
      await put(master, { queueId: i % 3, body: new Uint8Array(i * 31), properties: `KEYS\u0001a${i} b` });
    }
    await copyAll(master, slave, 1000);
    await master.close();
    await slave.close();
    assertSameFiles(benches.master, benches.slave);
  }));

Deno.test("A record can be read on the slave as soon as its last byte has come, and not before", () =>
  pair(async (master, slave) => {
    const arrivals: number[] = [];
    slave.onArrival((_topic, _queueId, maxOffset) => void arrivals.push(maxOffset));
    const [first, second] = await putMany(master, 2, "m", 300);
    const end = second!.logOffset + second!.size;
    for (let at = 0; at < end; at++) {
      slave.appendCopy(at, (await piece(master, at, 1))!);
      const whole = at + 1 < first!.size ? 0 : at + 1 < end ? 1 : 2;
      assertEquals(slave.maxOffset("T", 0), whole, `after byte ${at}`);
      assertEquals(slave.safeLogOffset, whole === 0 ? 0 : whole === 1 ? first!.size : end);
    }
    assertEquals(await readAll(slave), names(2));
    assertEquals(arrivals, [1, 2]);
  }));

Deno.test("What waits on a slave for its rest can be read out of its log, behind what is written", () =>
  pair(async (master, slave) => {
    const [first] = await putMany(master, 2, "m", 300);
    const bytes = (await piece(master, 0, first!.size + 100))!;
    slave.appendCopy(0, bytes);
    assertEquals(await slave.readLog(0, 10_000), bytes.subarray(0, first!.size));
    assertEquals(await slave.readLog(first!.size, 10_000), bytes.subarray(first!.size));
    assertEquals(await slave.readLog(first!.size + 40, 10), bytes.subarray(first!.size + 40, first!.size + 50));
    assertEquals(await slave.readLog(bytes.length, 10), undefined);
  }));

Deno.test("A record that is longer than a slave's piece of memory is copied and read all the same", async () => {
  using masterBench = new Bench();
  using slaveBench = new Bench();
  const mappedFileSizeCommitLog = 4 * FILE_BYTES;
  const master = await masterBench.open({ mappedFileSizeCommitLog, maxMessageSize: 2 * FILE_BYTES });
  const slave = await slaveBench.open({
    ...SLAVE,
    mappedFileSizeCommitLog,
    maxMessageSize: 1024,
    tailChunkBytes: 1024,
  });
  for (const size of [100, 70_000, 200, 300, 90_000, 130_000, 80_000, 60_000, 100, 100_000, 50]) {
    await putMany(master, 1, `n${size}`, size);
  }
  await copyAll(master, slave, 5000);
  assertEquals(await readAll(slave), await readAll(master));
  assertEquals((await slave.readLog(300, 200))!.slice(), await piece(master, 300, 200));
  await master.close();
  await slave.close();
  assertSameFiles(masterBench, slaveBench);
});

Deno.test("A slave refuses a gap and an overlap, keeps what it has, and goes on behind it", () =>
  pair(async (master, slave) => {
    await putMany(master, 20, "m", 300);
    const bytes = (await piece(master, 0, 4000))!;
    slave.appendCopy(0, bytes.subarray(0, 3000));
    for (const from of [0, 2999, 3001, -1, NaN, 65536]) {
      const error = assertThrows(() => slave.appendCopy(from, bytes.subarray(3000)), RocketdError, "it ends at 3000");
      assertEquals(error.code, "gap");
    }
    assertEquals(slave.maxLogOffset, 3000);
    await copyAll(master, slave);
    assertEquals(await readAll(slave), names(20));
  }));

Deno.test("An empty slave begins at each offset where a file does, and recovers there", async () => {
  using masterBench = new Bench();
  using slaveBench = new Bench();
  const master = await masterBench.open();
  await putMany(master, 150, "m", 2000);
  let slave = await slaveBench.open(SLAVE);
  const error = assertThrows(() => slave.appendCopy(1000, new Uint8Array(10)), RocketdError, "Cannot begin the log");
  assertEquals([error.code, slave.maxLogOffset], ["gap", 0]);
  const start = master.lastFileStart;
  assert(start >= 2 * FILE_BYTES);
  // What begins nowhere, and then only the first bytes of a record: no file is made for them.
  assertThrows(() => slave.appendCopy(FILE_BYTES, new Uint8Array(10).fill(1)), RocketdError, "no record begins");
  slave.appendCopy(start, (await piece(master, start, 50))!);
  slaveBench.disk.killed();
  slave = await slaveBench.open(SLAVE);
  assertEquals([slave.maxLogOffset, slaveBench.disk.listSync(slaveBench.path("commitlog"))], [0, []]);
  slave.appendCopy(start, (await piece(master, start, 5000))!);
  assertEquals(slave.minLogOffset, start);
  slaveBench.disk.killed();
  slave = await slaveBench.open(SLAVE);
  assertEquals(slave.minLogOffset, start);
  await copyAll(master, slave);
  const first = slave.minOffset("T", 0);
  assert(first > 0);
  assertEquals(await readAll(slave, "T", 0, first), names(150).slice(first));
  await slave.close();
  slave = await slaveBench.open(SLAVE);
  assertEquals(await readAll(slave, "T", 0, first), names(150).slice(first));
  await slave.close();
  await master.close();
});

Deno.test("An empty file at 0, made by a slave that was killed then, does not bind the next one to offset 0", async () => {
  using masterBench = new Bench();
  using slaveBench = new Bench();
  const master = await masterBench.open();
  await putMany(master, 100, "m", 2000);
  Deno.mkdirSync(slaveBench.path("commitlog"), { recursive: true });
  Deno.writeFileSync(slaveBench.logFile(), new Uint8Array(FILE_BYTES));
  const slave = await slaveBench.open(SLAVE);
  assertEquals(slave.maxLogOffset, 0);
  slave.appendCopy(FILE_BYTES, (await piece(master, FILE_BYTES, 10_000))!);
  assertEquals(slaveBench.disk.listSync(slaveBench.path("commitlog")), ["00000000000000065536"]);
  await copyAll(master, slave);
  assert(await slave.sync());
  await slave.close();
  await master.close();
});

/** A change of a record, and what the refusal says. */
const SPOILED: Readonly<Record<string, readonly [at: number, byte: number, says: string]>> = {
  "magic": [4, 0x55, "no record begins there"],
  "size, too small": [3, 5, "a record of"],
  "size, too large": [0, 0x7f, "a record of"],
  "body": [100, 0xff, "wrong checksum"],
  "place": [35, 0x77, "says it lies at"],
  "queueId": [12, 0xff, "illegal queueId"],
  "queue offset": [20, 0x80, "illegal queue offset"],
  "topic": [89 + 300, 0x2f, "illegal topic"],
};

Deno.test("A slave refuses a piece with bytes that do not belong there, writes nothing of it, and takes the right one", () =>
  pair(async (master, slave) => {
    await putMany(master, 3, "m", 300);
    const size = master.maxLogOffset / 3;
    const all = (await piece(master, 0, 10_000))!;
    slave.appendCopy(0, all.subarray(0, size + 50));
    for (const [what, [at, byte, says]] of Object.entries(SPOILED)) {
      const spoiled = all.slice();
      spoiled[2 * size + at] = byte;
      const from = slave.maxLogOffset;
      const error = assertThrows(() => slave.appendCopy(from, spoiled.subarray(from)), RocketdError, says);
      assertEquals(error.code, "foreign", what);
      assertStringIncludes(error.message, `Cannot append to the log at ${2 * size}`);
      // Not even the good record that the piece begins with; and the begin of it that waited may have been wrong.
      assertEquals([slave.maxLogOffset, slave.maxOffset("T", 0)], [size, 1], what);
    }
    slave.appendCopy(size, all.subarray(size));
    assertEquals(await readAll(slave), names(3));
  }));

Deno.test("A slave whose files have another size than its master's says so", async () => {
  using masterBench = new Bench();
  const master = await masterBench.open();
  await putMany(master, 60, "m", 2000);
  for (const mappedFileSizeCommitLog of [FILE_BYTES / 2, FILE_BYTES * 2]) {
    using bench = new Bench();
    const slave = await bench.open({ ...SLAVE, mappedFileSizeCommitLog });
    const error = assertThrows(() => slave.appendCopy(0, readSync(master)), RocketdError, "mappedFileSizeCommitLog");
    assertEquals(error.code, "foreign");
    await slave.close();
  }
  await master.close();

  function readSync(store: MessageStore): Uint8Array {
    const first = store.readLog(0, FILE_BYTES);
    assert(first instanceof Uint8Array);
    const filler = FILE_BYTES - first.length;
    const bytes = new Uint8Array(FILE_BYTES);
    bytes.set(first);
    new DataView(bytes.buffer).setInt32(first.length, filler);
    new DataView(bytes.buffer).setInt32(first.length + 4, FILLER_MAGIC);
    assert(filler >= FILLER_BYTES);
    return bytes;
  }
});

Deno.test("Only a slave takes copies, and a slave takes no messages", () =>
  pair(async (master, slave) => {
    const error = assertThrows(() => master.appendCopy(0, new Uint8Array(8)), RocketdError, "role is ASYNC_MASTER");
    assertEquals(error.code, "invalidArgument");
    const refusal = await put(slave);
    assertEquals(refusal.status, "SERVICE_NOT_AVAILABLE");
    assertEquals(refusal.reason, "a slave takes no messages, its master does");
    assertEquals((await putBatch(slave, message(), message())).status, "SERVICE_NOT_AVAILABLE");
    assertEquals(slave.maxLogOffset, 0);
  }));

Deno.test("What a slave read from disk before more came into the same block is not taken for all that is there", async () => {
  using masterBench = new Bench();
  using slaveBench = new Bench();
  const master = await masterBench.open();
  const results = await putMany(master, 300, "m", 2000);
  let slave = await slaveBench.open(SLAVE);
  const half = results[15]!.logOffset + 700;
  slave.appendCopy(0, (await piece(master, 0, half))!);
  await slave.close();
  slave = await slaveBench.open(SLAVE);
  assertEquals(await readAll(slave), names(15));
  await copyAll(master, slave, 3000);
  assertEquals(await readAll(slave), names(300));
  await slave.close();
  await master.close();
});
