/**
 * Old parts of the log, read in blocks whose memory is used again.
 *
 * @module
 */
import { COLD_BLOCK_BYTES, COLD_BLOCKS_MAX } from "../../src/limits.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { assert, assertEquals, assertRejects } from "../../src/std.ts";
import type { MessageStore } from "../../src/store/mod.ts";
import { until } from "../until.ts";
import { Bench, bodies, message, names, putMany, readAll } from "./kit.ts";

const KIB = 1024, MIB = KIB * KIB;
const BODY = 60 * KIB;
/** So that the cache holds half of what was put. */
const COUNT = Math.ceil(2 * COLD_BLOCKS_MAX * COLD_BLOCK_BYTES / BODY);
const PER_BLOCK = Math.floor(COLD_BLOCK_BYTES / BODY);
const OPTIONS = { mappedFileSizeCommitLog: 10 * MIB + 12_345, maxMessageSize: 64 * KIB };

/** Messages turn by turn in some queues, each with a body that names it and fills it. */
async function putOver(store: MessageStore, queues: number, count = COUNT): Promise<void> {
  for (let i = 0; i < count; i++) {
    const body = new TextEncoder().encode(`q${i % queues}-${Math.floor(i / queues)}`.padEnd(BODY + i % 999, "."));
    await new Promise((resolve) => store.put(message({ queueId: i % queues, body }), resolve));
  }
}

/** All bytes of a queue, as one who passes them on gets them. */
async function passOn(store: MessageStore, queueId: number, most: number): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for (let next = 0;;) {
    let isFound = false;
    const take: Parameters<typeof store.reader.read>[5] = ({ status, pieces, bytes, nextBeginOffset }) => {
      const answer = new Uint8Array(bytes);
      let at = 0;
      for (const piece of pieces) {
        answer.set(piece, at);
        at += piece.length;
      }
      assertEquals(at, bytes, "the bytes that it says");
      isFound = status === "FOUND";
      if (isFound) all.push(answer);
      next = nextBeginOffset;
    };
    await store.reader.read("T", queueId, next, most, undefined, take);
    if (!isFound) return all;
  }
}

Deno.test("Many who read old messages at different places get exactly theirs, though blocks share their memory", async () => {
  using bench = new Bench();
  const store = await bench.open(OPTIONS);
  const queues = 6;
  await putOver(store, queues);
  const expected = new Map<number, string[]>();
  for (let q = 0; q < queues; q++) expected.set(q, names(Math.ceil((COUNT - q) / queues), `q${q}-`));
  const readers = [...expected.keys(), ...expected.keys()];
  const read = await Promise.all(readers.map((queueId, i) => passOn(store, queueId, 1 + i)));
  for (const [i, answers] of read.entries()) {
    const records = answers.flatMap(recordsOf);
    assertEquals(bodies(records), expected.get(readers[i]!));
    assert(answers.every((answer) => recordsOf(answer).length <= 1 + i), "no more than asked for");
  }
  await store.close();
});

Deno.test("A read of records that are far from each other has all of their blocks, while others need more than are kept", async () => {
  using bench = new Bench();
  const store = await bench.open({ ...OPTIONS, maxMessageSize: COLD_BLOCK_BYTES });
  const each = 32, readers = 4;
  for (let i = 0; i <= each * readers; i++) {
    for (const [queueId, size] of [[0, 10], [1, COLD_BLOCK_BYTES - KIB]] as const) {
      const body = new TextEncoder().encode(`m${i}`.padEnd(size, "."));
      await new Promise((resolve) => store.put(message({ queueId, body }), resolve));
    }
  }
  assert(each * readers > COLD_BLOCKS_MAX);
  const found = await Promise.all(Array.from({ length: readers }, (_, i) => store.get("T", 0, i * each, each)));
  // The newest ones are in memory anyway.
  assertEquals(found.flatMap(({ records }) => bodies(records)), names(each * readers));
  await store.close();
});

Deno.test("Records that lie side by side come as one piece for each stretch of memory that they lie in", async () => {
  using bench = new Bench();
  const store = await bench.open({ ...OPTIONS, tailChunkBytes: 100 * KIB });
  await putMany(store, 300, "m", 20_000);
  const first = 5;
  let lengths: number[] = [];
  let size = 0;
  await store.reader.read("T", 0, first, 32, undefined, ({ pieces, count, bytes }) => {
    assertEquals(count, 13, "maxTransferBytesOnMessageInMemory is 256 KiB");
    lengths = pieces.map((piece) => piece.length);
    size = bytes / count;
  });
  const inFirstBlock = COLD_BLOCK_BYTES - first * size;
  assertEquals(lengths, [inFirstBlock, 13 * size - inFirstBlock]);
  await store.close();
});

Deno.test("Who reads a second time from one block finds the next ones in memory, and who reads once reads nothing ahead", async () => {
  using bench = new Bench();
  const store = await bench.open(OPTIONS);
  await putOver(store, 1, 600);
  const inMemory = (offset: number) => {
    const found = store.get("T", 0, offset, 1);
    if (found instanceof Promise) return found.then(() => false);
    return true;
  };
  await store.get("T", 0, 0, 1);
  assertEquals(await inMemory(PER_BLOCK + 1), false, "one read tells nothing");
  await store.get("T", 0, 20 * PER_BLOCK, 1);
  await store.get("T", 0, 20 * PER_BLOCK + 1, 1);
  const next = 21 * PER_BLOCK + 2;
  await until(() => inMemory(next) === true);
  assertEquals(bodies((await store.get("T", 0, next, 1)).records), [`q0-${next}`]);
  await store.close();
});

Deno.test("A disk that refuses to read ahead harms nobody, and is told to who reads there", async () => {
  let readableTo = Infinity, refused = 0;
  const openSync: typeof denoDisk.openSync = (path, options) => {
    const file = denoDisk.openSync(path, options);
    const read = file.read.bind(file);
    file.read = (into, at) => {
      if (at < readableTo) return read(into, at);
      refused++;
      return Promise.reject(new Error("injected read failure"));
    };
    return file;
  };
  using bench = new Bench({ ...denoDisk, openSync });
  const store = await bench.open(OPTIONS);
  await putOver(store, 1, 150);
  readableTo = COLD_BLOCK_BYTES;
  await store.get("T", 0, 0, 1);
  await store.get("T", 0, 1, 1);
  await until(() => refused > 0);
  await assertRejects(async () => await store.get("T", 0, PER_BLOCK + 1, 1), Error, "injected read failure");
  readableTo = Infinity;
  assertEquals(await readAll(store), names(150, "q0-"));
  await store.close();
});

function recordsOf(answer: Uint8Array): Uint8Array[] {
  const view = new DataView(answer.buffer);
  const records: Uint8Array[] = [];
  for (let at = 0; at < answer.length; at += view.getInt32(at)) {
    records.push(answer.subarray(at, at + view.getInt32(at)));
  }
  return records;
}
