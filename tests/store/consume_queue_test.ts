/** Consume queues: bytes on disk, and their behaviour against a plain array. @module */
import fc from "fast-check";
import { RocketdError } from "../../src/errors.ts";
import { QUEUE_WINDOW_ENTRIES } from "../../src/limits.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../src/std.ts";
import type { ConsumeQueue } from "../../src/store/consume_queue.ts";
import { ConsumeQueues } from "../../src/store/consume_queues.ts";
import { OpenFiles } from "../../src/store/open_files.ts";
import type { DispatchEntry } from "../../src/store/types.ts";
import { CountingDisk, hex, inFolder } from "./counting_disk.ts";

/** Ten entries a file. */
const SMALL = { fileSize: 200, openFilesMax: 4 };

function entry(queueOffset: number, more: Partial<DispatchEntry> = {}): DispatchEntry {
  return {
    topic: "T",
    queueId: 0,
    queueOffset,
    logOffset: 1000 + queueOffset * 100,
    size: 100,
    tagsCode: 0,
    storeTimestamp: 0,
    sysFlag: 0,
    uniqKey: -1,
    keys: [],
    ...more,
  };
}

/** Log offset and tags code of all entries from min to max. */
function contents(queue: ConsumeQueue): [number, number][] {
  const all: [number, number][] = [];
  for (let at = queue.minOffset; at < queue.maxOffset;) {
    const slice = queue.read(at, 7);
    assert(slice.count > 0, "a read between min and max brings something");
    for (let i = 0; i < slice.count; i++) all.push([slice.logOffset(i), slice.tagsCode(i)]);
    at += slice.count;
  }
  return all;
}

Deno.test("ConsumeQueue writes RocketMQ's 20-byte entries into files of full size named by their offset", () =>
  inFolder((folder) => {
    const queues = ConsumeQueues.open(folder, SMALL, denoDisk);
    for (let i = 0; i < 11; i++) queues.dispatch(entry(i, { tagsCode: i === 0 ? 2598919 : -2 }));
    queues.dispatch(entry(0, { queueId: 1, logOffset: 0x1_2345_6789, tagsCode: 0x19ac_1234_5678 }));
    queues.close();
    const names = [...Deno.readDirSync(`${folder}/T/0`)].map(({ name }) => name).sort();
    assertEquals(names, ["00000000000000000000", "00000000000000000200"]);
    const first = Deno.readFileSync(`${folder}/T/0/${names[0]}`);
    const second = Deno.readFileSync(`${folder}/T/0/${names[1]}`);
    assertEquals([first.length, second.length], [200, 200]);
    assertEquals(hex(first.subarray(0, 20)), "00000000000003e8" + "00000064" + "000000000027a807");
    assertEquals(hex(first.subarray(20, 40)), "000000000000044c" + "00000064" + "fffffffffffffffe");
    assertEquals(hex(second.subarray(20)), "00".repeat(180));
    const other = Deno.readFileSync(`${folder}/T/1/00000000000000000000`);
    assertEquals(hex(other.subarray(0, 20)), "0000000123456789" + "00000064" + "000019ac12345678");
  }));

Deno.test("ConsumeQueue that begins at a later offset fills its first file with blank entries and starts after them", () =>
  inFolder((folder) => {
    const queues = ConsumeQueues.open(folder, SMALL, denoDisk);
    queues.dispatch(entry(13));
    queues.close();
    const bytes = Deno.readFileSync(`${folder}/T/0/00000000000000000200`);
    assertEquals(hex(bytes.subarray(0, 60)), ("0000000000000000" + "7fffffff" + "0000000000000000").repeat(3));
    const again = ConsumeQueues.open(folder, SMALL, denoDisk);
    const queue = again.get("T", 0)!;
    assertEquals([queue.minOffset, queue.maxOffset, queue.nextOffset], [13, 14, 14]);
    assertEquals(contents(queue), [[2300, 0]]);
    assertEquals(again.highestRecordEnd(), 2400);
    again.deleteBelow(0);
    assertEquals(queue.minOffset, 13);
    again.close();
  }));

Deno.test("ConsumeQueue passes over a record that comes again, before and after it was written", () =>
  inFolder((folder) => {
    const queues = ConsumeQueues.open(folder, SMALL, denoDisk);
    for (let i = 0; i < 5; i++) queues.dispatch(entry(i));
    for (let i = 0; i < 5; i++) queues.dispatch(entry(i));
    assertEquals(queues.get("T", 0)!.maxOffset, 5);
    queues.close();
    const again = ConsumeQueues.open(folder, SMALL, denoDisk);
    for (let i = 0; i < 7; i++) again.dispatch(entry(i));
    assertEquals(contents(again.get("T", 0)!).map(([at]) => at), [1000, 1100, 1200, 1300, 1400, 1500, 1600]);
    again.close();
  }));

Deno.test("ConsumeQueues leave prepared and rollback records out", () =>
  inFolder((folder) => {
    const queues = ConsumeQueues.open(folder, SMALL, denoDisk);
    assertEquals(queues.dispatch(entry(0, { sysFlag: 4 })), undefined);
    assertEquals(queues.dispatch(entry(0, { sysFlag: 12 })), undefined);
    assertEquals(queues.dispatch(entry(0, { sysFlag: 9 }))?.maxOffset, 1);
    queues.close();
  }));

Deno.test("ConsumeQueue behaves like an array through appends, flushes, cuts, deletions and reopening", () =>
  inFolder((folder) => {
    const step = fc.oneof(
      fc.record({ op: fc.constant("append" as const), n: fc.integer({ min: 1, max: 1500 }) }),
      fc.record({ op: fc.constantFrom("flush" as const, "reopen" as const), n: fc.constant(0) }),
      fc.record({ op: fc.constantFrom("cut" as const, "delete" as const), n: fc.integer({ min: 0, max: 100 }) }),
    );
    let run = 0;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 45 }), fc.array(step, { maxLength: 25 }), (start, steps) => {
        const home = `${folder}/${run++}`;
        const options = { fileSize: 20 * 150, openFilesMax: 3 };
        let queues = ConsumeQueues.open(home, options, denoDisk);
        let model: [number, number][] = [];
        let min = start;
        let log = 500;
        for (const { op, n } of steps) {
          if (op === "append") {
            for (let i = 0; i < n; i++, log += 10) {
              const tagsCode = i % 2 === 0 ? -i : i * 0x1_0000_0000;
              queues.dispatch(entry(min + model.length, { logOffset: log, size: 10, tagsCode }));
              model.push([log, tagsCode]);
            }
          } else if (op === "flush") {
            queues.flush();
          } else if (op === "reopen") {
            queues.close();
            queues = ConsumeQueues.open(home, options, denoDisk);
            queues.deleteBelow(model[0]?.[0] ?? 0);
          } else if (op === "cut" && model.length > 1) {
            // The first entry stays, so that the queue does not begin anew.
            const keep = 1 + Math.floor((model.length - 1) * n / 100);
            queues.truncateFrom(model[keep]?.[0] ?? log);
            model = model.slice(0, keep);
          } else if (op === "delete" && model.length > 1) {
            const drop = Math.floor((model.length - 1) * n / 100);
            queues.deleteBelow(model[drop]![0]);
            model = model.slice(drop);
            min += drop;
          }
          const queue = queues.get("T", 0);
          if (model.length === 0) continue;
          assertEquals([queue!.minOffset, queue!.maxOffset], [min, min + model.length]);
          assertEquals(contents(queue!), model);
          const probe = model[model.length >> 1]!;
          assertEquals(queue!.findByLogOffset(probe[0] - 1), min + (model.length >> 1));
          assertEquals(queues.highestRecordEnd(), model.at(-1)![0] + 10);
        }
        queues.close();
      }),
      { numRuns: 60 },
    );
  }));

Deno.test("ConsumeQueue that lost unwritten entries in a crash takes them again from the log", () =>
  inFolder((folder) => {
    const before = ConsumeQueues.open(folder, SMALL, denoDisk);
    for (let i = 0; i < 25; i++) before.dispatch(entry(i));
    before.flush();
    for (let i = 25; i < 50; i++) before.dispatch(entry(i)); // never written
    const after = ConsumeQueues.open(folder, SMALL, denoDisk);
    assertEquals(after.get("T", 0)!.maxOffset, 25);
    for (let i = 0; i < 50; i++) after.dispatch(entry(i));
    assertEquals(contents(after.get("T", 0)!).length, 50);
    after.close();
    before.close();
  }));

Deno.test("ConsumeQueue cuts all that follows a hole which a power loss left", () =>
  inFolder((folder) => {
    const options = { fileSize: 2000, openFilesMax: 4 };
    const queues = ConsumeQueues.open(folder, options, denoDisk);
    for (let i = 0; i < 90; i++) queues.dispatch(entry(i));
    queues.close();
    const path = `${folder}/T/0/00000000000000000000`;
    const bytes = Deno.readFileSync(path);
    bytes.fill(0, 30 * 20, 40 * 20);
    Deno.writeFileSync(path, bytes);
    const again = ConsumeQueues.open(folder, options, denoDisk);
    again.truncateFrom(1_000_000);
    assertEquals(again.get("T", 0)!.maxOffset, 30);
    again.dispatch(entry(30));
    again.close();
    const cut = Deno.readFileSync(path);
    assertEquals(cut.length, 2000);
    assertEquals(hex(cut.subarray(31 * 20)), "00".repeat(2000 - 31 * 20));
  }));

Deno.test("ConsumeQueue whose every record is gone says so by min = max, and goes on at that offset", () =>
  inFolder((folder) => {
    const queues = ConsumeQueues.open(folder, SMALL, denoDisk);
    for (let i = 0; i < 35; i++) queues.dispatch(entry(i));
    queues.flush();
    queues.deleteBelow(1_000_000);
    const queue = queues.get("T", 0)!;
    assertEquals([queue.minOffset, queue.maxOffset], [35, 35]);
    assertEquals([...Deno.readDirSync(`${folder}/T/0`)].map(({ name }) => name), ["00000000000000000600"]);
    queues.dispatch(entry(35, { logOffset: 1_000_000 }));
    assertEquals(contents(queue), [[1_000_000, 0]]);
    queues.close();
  }));

Deno.test("ConsumeQueues refuse to load a file of another size, and name it", () =>
  inFolder((folder) => {
    const queues = ConsumeQueues.open(folder, SMALL, denoDisk);
    queues.dispatch(entry(0));
    queues.close();
    const error = assertThrows(() => ConsumeQueues.open(folder, { ...SMALL, fileSize: 400 }, denoDisk), RocketdError);
    assertStringIncludes((error as Error).message, `${folder}/T/0/00000000000000000000`);
  }));

Deno.test("ConsumeQueues refuse to load a queue that lacks a file in its middle", () =>
  inFolder((folder) => {
    const queues = ConsumeQueues.open(folder, SMALL, denoDisk);
    for (let i = 0; i < 25; i++) queues.dispatch(entry(i));
    queues.close();
    Deno.removeSync(`${folder}/T/0/00000000000000000200`);
    const error = assertThrows(() => ConsumeQueues.open(folder, SMALL, denoDisk), RocketdError);
    assertStringIncludes((error as Error).message, "00000000000000000400");
  }));

Deno.test("ConsumeQueues load a store in which a crash left a new file empty", () =>
  inFolder((folder) => {
    const queues = ConsumeQueues.open(folder, SMALL, denoDisk);
    for (let i = 0; i < 10; i++) queues.dispatch(entry(i));
    queues.close();
    Deno.writeFileSync(`${folder}/T/0/00000000000000000200`, new Uint8Array(0));
    const again = ConsumeQueues.open(folder, SMALL, denoDisk);
    again.dispatch(entry(10));
    again.close();
    assertEquals(Deno.statSync(`${folder}/T/0/00000000000000000200`).size, 200);
  }));

Deno.test("ConsumeQueues make no path of an illegal topic or queue id", () =>
  inFolder((folder) => {
    const queues = ConsumeQueues.open(`${folder}/queues`, SMALL, denoDisk);
    for (const topic of ["", ".", "..", "a/b", "../x", "a\\b", "a\0b", "x".repeat(256), "消".repeat(86)]) {
      assertThrows(() => queues.getOrCreate(topic, 0), RocketdError, "illegal topic");
    }
    for (const id of [-1, 1.5, 2 ** 31, NaN]) {
      assertThrows(() => queues.getOrCreate("T", id), RocketdError, "illegal queueId");
    }
    queues.dispatch(entry(0, { topic: "%RETRY%group" }));
    queues.close();
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["queues"]);
    assertEquals([...Deno.readDirSync(`${folder}/queues`)].map(({ name }) => name), ["%RETRY%group"]);
  }));

Deno.test("ConsumeQueues delete a topic with its files, and can begin it anew", () =>
  inFolder(async (folder) => {
    const queues = ConsumeQueues.open(folder, SMALL, denoDisk);
    for (let i = 0; i < 15; i++) queues.dispatch(entry(i));
    queues.flush();
    queues.dispatch(entry(15));
    queues.deleteTopic("T");
    queues.flush();
    await queues.sync();
    assertEquals([...Deno.readDirSync(folder)], []);
    assertEquals(queues.get("T", 0), undefined);
    queues.dispatch(entry(0, { logOffset: 9000 }));
    assertEquals(contents(queues.get("T", 0)!), [[9000, 0]]);
    queues.close();
  }));

Deno.test("ConsumeQueues keep few files open, and write and open many queues with few disk calls", () =>
  inFolder(async (folder) => {
    const counting = new CountingDisk();
    const options = { fileSize: 6_000_000, openFilesMax: 16 };
    const queues = ConsumeQueues.open(folder, options, counting.disk);
    for (let round = 0; round < 3; round++) {
      for (let id = 0; id < 500; id++) {
        queues.dispatch(entry(round, { queueId: id }));
        assert(counting.openNow <= 16);
      }
    }
    assertEquals(counting.writes, 0);
    queues.flush();
    assertEquals(counting.writes, 500);
    queues.flush();
    assertEquals(counting.writes, 500);
    await queues.sync();
    assertEquals(counting.syncs, 500);
    await queues.sync();
    assertEquals(counting.syncs, 500);
    assert(queues.openFiles <= 16);
    queues.close();
    assertEquals(counting.openNow, 0);

    Object.assign(counting, { opened: 0, reads: 0 });
    const again = ConsumeQueues.open(folder, options, counting.disk);
    assertEquals([...again.all()].every((queue) => queue.maxOffset === 3), true);
    assertEquals(counting.opened, 500);
    assert(counting.reads <= 4 * 500, `${counting.reads} reads`);
    again.close();
  }));

Deno.test("ConsumeQueues keep the memory of many busy queues within its bound, and their entries right", () =>
  inFolder((folder) => {
    const windowBytesMax = 10 * QUEUE_WINDOW_ENTRIES * 20;
    const queues = ConsumeQueues.open(folder, { fileSize: 20_000, openFilesMax: 4, windowBytesMax }, denoDisk);
    const next = new Array<number>(40).fill(0);
    for (let i = 0; i < 4000; i++) {
      // The lower ids are much busier than others, so that some windows want to grow.
      const queueId = Math.floor(40 * ((i * 0.618) % 1) ** 3);
      queues.dispatch(entry(next[queueId]!, { queueId, logOffset: 100 * i, tagsCode: queueId }));
      next[queueId]!++;
      assert(queues.windowBytes <= windowBytesMax);
      if (i % 500 === 0) queues.flush(3);
    }
    assert(queues.windowBytes > windowBytesMax / 2, "the bound was reached");
    for (const [queueId, count] of next.entries()) {
      const queue = queues.get("T", queueId);
      assertEquals(queue?.maxOffset ?? 0, count);
      if (queue !== undefined) {
        assertEquals(contents(queue).filter(([, tagsCode]) => tagsCode === queueId).length, count);
      }
    }
    queues.flush();
    queues.flush();
    assertEquals([queues.windowBytes, queues.gathering], [0, 0]);
    queues.close();
  }));

Deno.test("ConsumeQueue finds its end in a full-size file by halving", () =>
  inFolder((folder) => {
    const counting = new CountingDisk();
    const options = { fileSize: 6_000_000, openFilesMax: 16 };
    for (const count of [1, 203, 204, 205, 123_457, 299_999, 300_000]) {
      const home = `${folder}/${count}`;
      const queues = ConsumeQueues.open(home, options, counting.disk);
      for (let i = 0; i < count; i++) queues.dispatch(entry(i));
      queues.close();
      counting.reads = 0;
      const again = ConsumeQueues.open(home, options, counting.disk);
      assertEquals(again.get("T", 0)!.maxOffset, count);
      assert(counting.reads <= 20, `${counting.reads} reads`);
      again.close();
    }
  }));

Deno.test("ConsumeQueue gathers a busy queue's entries and serves them from memory", () =>
  inFolder((folder) => {
    const counting = new CountingDisk();
    const queues = ConsumeQueues.open(folder, { fileSize: 6_000_000, openFilesMax: 16 }, counting.disk);
    for (let i = 0; i < 50_000; i++) queues.dispatch(entry(i));
    assert(counting.writes <= 110, `${counting.writes} writes`);
    const queue = queues.get("T", 0)!;
    counting.reads = 0;
    assertEquals(queue.read(49_990, 100).count, 10);
    assertEquals(queue.read(49_990, 100).logOffset(9), 1000 + 49_999 * 100);
    assertEquals(counting.reads, 0);
    assertEquals(queue.read(10, 5).logOffset(4), 1000 + 14 * 100);
    assertEquals(counting.reads, 1);
    assertEquals([queue.read(50_000, 1).count, queue.read(-1, 1).count], [0, 0]);
    queues.close();
  }));

Deno.test("ConsumeQueue keeps the offset of a record that comes after a gap", () =>
  inFolder((folder) => {
    const queues = ConsumeQueues.open(folder, SMALL, denoDisk);
    for (const offset of [0, 1, 2, 15, 16]) queues.dispatch(entry(offset));
    const queue = queues.get("T", 0)!;
    assertEquals([queue.minOffset, queue.maxOffset], [15, 17]);
    assertEquals(contents(queue).map(([at]) => at), [2500, 2600]);
    queues.close();
  }));

Deno.test("OpenFiles syncs the folder of a new file although another one in it was removed", () =>
  inFolder(async (folder) => {
    const synced: string[] = [];
    const open = new OpenFiles({ ...denoDisk, syncDir: (path) => Promise.resolve(void synced.push(path)) }, 4);
    open.create(`${folder}/a`, 10);
    open.create(`${folder}/b`, 10);
    open.remove(`${folder}/a`);
    await open.sync();
    assert(synced.includes(folder));
    open.closeAll();
  }));
