/** Starts after a crash that begin at our own mark of what is safe. @module */
import { RocketdError } from "../../src/errors.ts";
import { assert, assertEquals, assertRejects } from "../../src/std.ts";
import { denoDisk, type Disk } from "../../src/platform/disk.ts";
import { PAGE_BYTES, QUEUES_WRITTEN_PER_INTERVAL, SAFE_POINT_AT } from "../../src/limits.ts";
import { LogFiles } from "../../src/store/log_file.ts";
import type { PutResult, StoreOptions } from "../../src/store/mod.ts";
import { decodeSafePoint, encodeSafePoint, SAFE_POINT_BYTES } from "../../src/store/safe_point.ts";
import { inFolder } from "./counting_disk.ts";
import { Bench, FILE_BYTES, names, put, putMany, readAll } from "./kit.ts";

const SAFE = 200, MORE = 5, SIZE = 2000, KEY_SIZE = 3;
const SETTINGS = { mappedFileSizeCommitLog: 1024 * 1024 };
const ALL = [...names(SAFE), ...names(MORE, "n")];

/** A store's bench that knows where in the log files was read first. */
class WatchingBench extends Bench {
  #lowest = Infinity;

  constructor() {
    super({
      ...denoDisk,
      openSync: (path, options) => {
        const file = denoDisk.openSync(path, options);
        if (!path.includes("/commitlog/")) return file;
        const readSync = (into: Uint8Array, at: number) => {
          this.#lowest = Math.min(this.#lowest, at);
          return file.readSync(into, at);
        };
        return new Proxy(file, {
          get: (target, name) => {
            if (name === "readSync") return readSync;
            const member = Reflect.get(target, name);
            return typeof member === "function" ? member.bind(target) : member;
          },
        });
      },
    });
  }

  /** Opens the store, which must have all messages; tells whether the log was walked from its begin for it. */
  async walksAll(given: Partial<StoreOptions> = {}): Promise<boolean> {
    this.#lowest = Infinity;
    const store = await this.open({ ...SETTINGS, ...given });
    const lowest = this.#lowest;
    assertEquals(await readAll(store), ALL);
    const key = (text: string) => store.queryByKey("T", text, 32, 0, this.clock.now());
    assertEquals((await key("old")).records.length, 1);
    assertEquals((await key("new")).records.length, 1);
    assertEquals((await put(store)).queueOffset, ALL.length);
    await store.close();
    return lowest === 0;
  }
}

/** A store that was killed some messages after its mark; gives what was put since. */
async function killed(bench: Bench, given: Partial<StoreOptions> = {}): Promise<PutResult[]> {
  const store = await bench.open({ ...SETTINGS, ...given });
  await putMany(store, SAFE - 1, "m", SIZE - KEY_SIZE);
  await put(store, { body: new TextEncoder().encode(`m${SAFE - 1}`), properties: "KEYS\u0001old" });
  await bench.synced(bench.path("checkpoint"), () => bench.clock.advance(11_000));
  const more = await putMany(store, MORE - 1, "n");
  more.push(await put(store, { body: new TextEncoder().encode(`n${MORE - 1}`), properties: "KEYS\u0001new" }));
  bench.disk.killed();
  return more;
}

Deno.test("A start after a kill walks from where log, queues and index were safe", async () => {
  using bench = new WatchingBench();
  await killed(bench);
  assertEquals(await bench.walksAll(), false);
});

Deno.test("A start after a power loss finds at least what the mark was about", async () => {
  using bench = new WatchingBench();
  await killed(bench);
  bench.disk.powerLoss();
  const store = await bench.open(SETTINGS);
  const all = await readAll(store);
  assertEquals(all.slice(0, SAFE), names(SAFE));
  await store.close();
});

Deno.test("A mark that is torn, of other times, or older than a Java broker's start counts for nothing", async () => {
  const spoilers: Record<string, (bench: Bench) => void> = {
    torn: (bench) => bench.patch(bench.path("checkpoint"), SAFE_POINT_AT + SAFE_POINT_BYTES - 4, new Uint8Array(4)),
    times: (bench) => bench.patch(bench.path("checkpoint"), 16, new Uint8Array([0, 0, 0, 0, 0, 0, 0, 9])),
    java: (bench) => bench.patch(bench.path("lock"), 0, new TextEncoder().encode("lock")),
    checkpoint: (bench) => bench.disk.removeSync(bench.path("checkpoint")),
  };
  for (const [name, spoil] of Object.entries(spoilers)) {
    using bench = new WatchingBench();
    await killed(bench);
    spoil(bench);
    assertEquals(await bench.walksAll(), true, name);
  }
});

Deno.test("A mark counts for nothing once queues are made anew below it, also when that is cut short by a kill", async () => {
  const reasons: Record<string, (bench: Bench) => void> = {
    index: (bench) => bench.disk.removeSync(bench.path("index"), { recursive: true }),
    java: (bench) => bench.patch(bench.path("lock"), 0, new TextEncoder().encode("lock")),
    clean: (bench) => {
      bench.disk.removeSync(bench.path("abort"));
      bench.disk.removeSync(bench.path("consumequeue"), { recursive: true });
    },
  };
  for (const [name, spoil] of Object.entries(reasons)) {
    using bench = new Bench();
    const small = { mappedFileSizeCommitLog: 16 * 1024, messageIndexEnable: name === "index" };
    const store = await bench.open(small);
    // More than one interval writes; the queue that is written first has the newest record.
    const ids = [...Array(QUEUES_WRITTEN_PER_INTERVAL + 10).keys(), 0];
    const puts = await Promise.all(ids.map((queueId) => put(store, { queueId, properties: "KEYS\u0001k" })));
    // Newer files of the log than those that the queues need, which is all that the checkpoint's times would have walked.
    await putMany(store, 50, "m", 1000);
    await bench.synced(bench.path("checkpoint"), () => bench.clock.advance(15_000));
    await putMany(store, 50, "m", 1000);
    await bench.synced(bench.path("checkpoint"), () => bench.clock.advance(15_000));
    bench.disk.killed();
    spoil(bench);
    await bench.open(small);
    bench.clock.advance(1000);
    bench.disk.killed();
    const again = await bench.open(small);
    const found = puts.map(({ queueId, queueOffset }) => again.logOffsetOf("T", queueId, queueOffset));
    assertEquals(found, puts.map(({ logOffset }) => logOffset), name);
    await again.close();
  }
});

Deno.test("Queues or an index that were taken away are made again from the whole log, mark or not", async () => {
  for (const folder of ["consumequeue", "index"]) {
    using bench = new WatchingBench();
    await killed(bench);
    bench.disk.removeSync(bench.path(folder), { recursive: true });
    assertEquals(await bench.walksAll(), true, folder);
  }
});

Deno.test("An index that is switched on after a kill is made from the whole log", async () => {
  using bench = new WatchingBench();
  await killed(bench, { messageIndexEnable: false });
  assertEquals(await bench.walksAll({ messageIndexEnable: true }), true);
});

Deno.test("A damaged record behind the mark is found in a file without holes too", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const { logOffset, size } = await put(store);
  bench.patch(bench.logFile(), logOffset + size, new Uint8Array(FILE_BYTES - size));
  await putMany(store, MORE);
  await bench.synced(bench.path("checkpoint"), () => bench.clock.advance(11_000));
  const [damaged] = await putMany(store, MORE, "n", 2 * PAGE_BYTES);
  bench.disk.killed();
  bench.patch(bench.logFile(), damaged!.logOffset + 100, new Uint8Array(8));
  await assertRejects(() => bench.open(), RocketdError, "a record is damaged");
});

Deno.test("A log that was cut below its mark has none any more, whatever is put in its place", async () => {
  using bench = new Bench();
  const lost = await killed(bench);
  const store = await bench.open(SETTINGS);
  await store.close();
  const mark = () => {
    const bytes = Deno.readFileSync(bench.path("checkpoint"));
    return decodeSafePoint(bytes.subarray(SAFE_POINT_AT, SAFE_POINT_AT + SAFE_POINT_BYTES), bytes.subarray(0, 24));
  };
  assertEquals(mark()?.lastRecord, lost.at(-1)!.logOffset);
  bench.patch(bench.logFile(), lost[2]!.logOffset, new Uint8Array(lost[2]!.size));
  Deno.writeTextFileSync(bench.path("abort"), "");
  bench.patch(bench.logFile(), lost.at(-1)!.logOffset, new Uint8Array(4));
  const cut = await bench.open({ ...SETTINGS, damagedRecordPolicy: "truncate" });
  assertEquals((await readAll(cut)).length, SAFE + 2);
  assertEquals(mark(), undefined);
  await cut.close();
});

Deno.test("A mark is read as it was written, and not when a byte differs", () => {
  const times = new Uint8Array(24).fill(7);
  const point = { lastRecord: 2 ** 40, end: 2 ** 40 + 100, indexEnd: -1, overhead: 4096 };
  const bytes = encodeSafePoint(point, times);
  assertEquals(bytes.length, SAFE_POINT_BYTES);
  assertEquals(decodeSafePoint(bytes, times), point);
  for (let i = 0; i < bytes.length; i++) {
    const other = bytes.slice();
    other[i]! ^= 1;
    assertEquals(decodeSafePoint(other, times), undefined, `byte ${i}`);
  }
  assertEquals(decodeSafePoint(bytes, new Uint8Array(24)), undefined);
  assertEquals(decodeSafePoint(new Uint8Array(SAFE_POINT_BYTES), times), undefined);
});

Deno.test("Only a hole behind the log's end is not read, by what the file takes of the file system", () =>
  inFolder((folder) => {
    let allocated: number | undefined = 0;
    const disk: Disk = { ...denoDisk, allocatedSync: () => allocated };
    const files = LogFiles.load(folder, 64 * 1024, disk);
    const file = files.ensure(0);
    assertEquals(file.dataEnd(0), 0);
    allocated = 8192;
    assertEquals(file.dataEnd(5000), 8192);
    assertEquals(file.dataEnd(4096), file.end, "a page lies behind the end");
    assertEquals(file.dataEnd(10_000), file.end, "a page is missing before it, as with compression");
    allocated = 8192 + 512;
    assertEquals(file.dataEnd(5000), file.end);
    assertEquals(file.measureOverhead(5000), 512);
    assertEquals(file.dataEnd(5000), 8192);
    assertEquals(file.dataEnd(10_000), file.end);
    file.measureOverhead(20_000);
    assertEquals(file.dataEnd(20_000), file.end, "nothing is known where less is taken than there is");
    allocated = file.size;
    file.measureOverhead(5000);
    assertEquals(file.dataEnd(5000), file.end, "a file without holes may have records anywhere");
    allocated = undefined;
    file.measureOverhead(0);
    assertEquals(file.dataEnd(5000), file.end);
    files.close();
    assert(denoDisk.allocatedSync!(file.path)! <= file.size);
  }));
