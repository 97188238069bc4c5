/** SYNC_MASTER: who waits for a slave, how long, and what is answered. @module */
import { assertEquals } from "../../src/std.ts";
import type { Clock } from "../../src/platform/clock.ts";
import type { MessageStore, NewMessage, PutResult, StoreOptions } from "../../src/store/mod.ts";
import { Bench, message, put, putBatch } from "./kit.ts";

const SYNC: Partial<StoreOptions> = { brokerRole: "SYNC_MASTER" };

/** A SYNC_MASTER with one slave, and the answers to its puts in the order they come. */
async function syncMaster(bench: Bench, given: Partial<StoreOptions> = {}, clock: Clock = bench.clock) {
  const store = await bench.open({ ...SYNC, ...given }, clock);
  const slaves = { count: 1 };
  store.replicas = { connected: () => slaves.count };
  const answers: string[] = [];
  /** Puts a message; resolves when its bytes are written. */
  const send = async (name: string, more: Partial<NewMessage> = {}): Promise<void> => {
    store.put(message(more), ({ status }) => void answers.push(`${name} ${status}`));
    await turn();
  };
  return { store, slaves, answers, send };
}

/** A clock whose hands are `skew` ms ahead of the bench's, and whose timers are the bench's. */
function skewed({ clock }: Bench): Clock & { skew: number } {
  return {
    skew: 0,
    now() {
      return clock.now() + this.skew;
    },
    every: (ms, fn) => clock.every(ms, fn),
    after: (ms, fn) => clock.after(ms, fn),
  };
}

/** Lets microtasks and what is due run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("A put is answered once a slave holds all of it, and one report lets all go that it covers", async () => {
  using bench = new Bench();
  const { store, answers, send } = await syncMaster(bench);
  await send("a");
  const first = store.maxLogOffset;
  await send("b");
  const second = store.maxLogOffset;
  await send("c");
  assertEquals(answers, []);
  store.acknowledged(first - 1);
  assertEquals(answers, []);
  store.acknowledged(second);
  assertEquals(answers, ["a PUT_OK", "b PUT_OK"]);
  // Another slave, which has less.
  store.acknowledged(first);
  assertEquals(store.acknowledgedEnd, second);
  store.acknowledged(store.maxLogOffset);
  assertEquals(answers, ["a PUT_OK", "b PUT_OK", "c PUT_OK"]);
  await store.close();
});

Deno.test("The result of a batch says what became of all of it", async () => {
  using bench = new Bench();
  const { store } = await syncMaster(bench);
  const held = putBatch(store, message(), message(), message());
  await turn();
  store.acknowledged(store.maxLogOffset);
  assertEquals((await held).status, "PUT_OK");
  const late = putBatch(store, message(), message(), message());
  await turn();
  bench.clock.advance(3000);
  const { status, queueOffset, logOffsets, reason } = await late;
  assertEquals([status, queueOffset, logOffsets?.length], ["FLUSH_SLAVE_TIMEOUT", 3, 3]);
  assertEquals(reason, "no slave had it within slaveTimeout, 3000 ms");
  await store.close();
});

Deno.test("A put is stored all the same when no slave has it within slaveTimeout, each after its own time", async () => {
  using bench = new Bench();
  const { store, answers, send } = await syncMaster(bench, { slaveTimeout: 1000 });
  const timers = bench.clock.timers;
  await send("a");
  bench.clock.advance(400);
  await send("b");
  assertEquals(bench.clock.timers, timers + 1);
  bench.clock.advance(599);
  assertEquals(answers, []);
  bench.clock.advance(1);
  assertEquals(answers, ["a FLUSH_SLAVE_TIMEOUT"]);
  bench.clock.advance(399);
  assertEquals(answers.length, 1);
  bench.clock.advance(1);
  assertEquals(answers, ["a FLUSH_SLAVE_TIMEOUT", "b FLUSH_SLAVE_TIMEOUT"]);
  assertEquals(bench.clock.timers, timers);
  // What comes too late answers nobody twice.
  store.acknowledged(store.maxLogOffset);
  assertEquals(answers.length, 2);
  assertEquals(store.maxOffset("T", 0), 2);
  await store.close();
});

Deno.test("A slave that reports in time is not forgotten by the timer of one that waited before", async () => {
  using bench = new Bench();
  const { store, answers, send } = await syncMaster(bench, { slaveTimeout: 1000 });
  await send("a");
  store.acknowledged(store.maxLogOffset);
  bench.clock.advance(900);
  await send("b");
  bench.clock.advance(999);
  assertEquals(answers, ["a PUT_OK"]);
  bench.clock.advance(1);
  assertEquals(answers, ["a PUT_OK", "b FLUSH_SLAVE_TIMEOUT"]);
  await store.close();
});

Deno.test("A clock that is set back lets nobody wait for long for a slave", async () => {
  using bench = new Bench();
  const clock = skewed(bench);
  const { store, answers, send } = await syncMaster(bench, {}, clock);
  await send("before");
  bench.clock.advance(1000);
  clock.skew = -3_600_000;
  await send("after");
  bench.clock.advance(2000);
  assertEquals(answers, ["before FLUSH_SLAVE_TIMEOUT"]);
  bench.clock.advance(1000);
  assertEquals(answers, ["before FLUSH_SLAVE_TIMEOUT", "after FLUSH_SLAVE_TIMEOUT"]);
  await store.close();
});

Deno.test("A clock that is set back lets nobody wait for the disk", async () => {
  using bench = new Bench();
  const clock = skewed(bench);
  const { store, answers, send, release } = await slowDisk(bench, clock);
  await send("a");
  store.acknowledged(store.maxLogOffset);
  clock.skew = -3_600_000;
  bench.clock.advance(5000);
  assertEquals(answers, ["a FLUSH_DISK_TIMEOUT"]);
  await release();
  await store.close();
});

Deno.test("Nobody waits without a slave, nor when all are haSlaveFallbehindMax behind", async () => {
  using bench = new Bench();
  const size = (await measured(bench)).size;
  const { store, slaves, answers, send } = await syncMaster(bench, { haSlaveFallbehindMax: 2 * size });
  store.acknowledged(store.maxLogOffset);
  slaves.count = 0;
  await send("no slave");
  slaves.count = 1;
  await send("two behind");
  assertEquals(answers, ["no slave SLAVE_NOT_AVAILABLE", "two behind SLAVE_NOT_AVAILABLE"]);
  store.acknowledged(store.maxLogOffset);
  await send("one behind");
  assertEquals(answers.length, 2);
  const refused = await put(store);
  assertEquals(refused.reason, `every slave is ${2 * size} bytes or more behind, haSlaveFallbehindMax is ${2 * size}`);
  store.acknowledged(store.maxLogOffset);
  assertEquals(answers[2], "one behind PUT_OK");
  await store.close();

  async function measured(bench: Bench): Promise<PutResult> {
    const store = await bench.open();
    const result = await put(store);
    await store.close();
    return result;
  }
});

Deno.test("Only SYNC_MASTER waits, and only for senders that want to", async () => {
  using bench = new Bench();
  const { store, answers, send } = await syncMaster(bench);
  await send("a", { waitForSync: false });
  await send("b", { properties: "WAIT\u0001false" });
  assertEquals(answers, ["a PUT_OK", "b PUT_OK"]);
  await store.close();
  const other = await syncMaster(bench, { brokerRole: "ASYNC_MASTER" });
  await other.send("c");
  assertEquals(other.answers, ["c PUT_OK"]);
  await other.store.close();
});

Deno.test("A report beyond the log's end is no promise about what comes", async () => {
  using bench = new Bench();
  const { store, answers, send } = await syncMaster(bench);
  store.acknowledged(1_000_000);
  await send("a");
  assertEquals([answers, store.acknowledgedEnd], [[], 0]);
  store.acknowledged(store.maxLogOffset);
  assertEquals(answers, ["a PUT_OK"]);
  await store.close();
});

/** With SYNC_FLUSH and a disk that hangs until `release`. */
async function slowDisk(bench: Bench, clock?: Clock) {
  const master = await syncMaster(bench, { flushDiskType: "SYNC_FLUSH", syncFlushTimeout: 5000 }, clock);
  const { promise, resolve } = Promise.withResolvers<void>();
  bench.disk.holdSyncs = promise;
  const release = async (): Promise<void> => {
    bench.disk.holdSyncs = undefined;
    resolve();
    await master.store.sync();
    await turn();
  };
  return { ...master, release };
}

Deno.test("With SYNC_FLUSH a put waits for disk and slave, whichever comes last", async () => {
  using bench = new Bench();
  const { store, answers, send, release } = await slowDisk(bench);
  await send("a");
  store.acknowledged(store.maxLogOffset);
  assertEquals(answers, []);
  await release();
  assertEquals(answers, ["a PUT_OK"]);
  await send("b");
  await store.sync();
  await turn();
  assertEquals(answers, ["a PUT_OK"]);
  store.acknowledged(store.maxLogOffset);
  assertEquals(answers, ["a PUT_OK", "b PUT_OK"]);
  await store.close();
});

Deno.test("Of disk and slave, the one that is late is named, and of both the slave", async () => {
  using bench = new Bench();
  const { store, slaves, answers, send, release } = await slowDisk(bench);
  await send("disk");
  store.acknowledged(store.maxLogOffset);
  await send("both");
  slaves.count = 0;
  await send("disk, no slave");
  bench.clock.advance(4999);
  assertEquals(answers, []);
  bench.clock.advance(101);
  assertEquals(answers.toSorted(), [
    "both FLUSH_SLAVE_TIMEOUT",
    "disk FLUSH_DISK_TIMEOUT",
    "disk, no slave SLAVE_NOT_AVAILABLE",
  ]);
  await release();
  slaves.count = 1;
  await send("slave");
  await store.sync();
  bench.clock.advance(3000);
  await turn();
  assertEquals(answers[3], "slave FLUSH_SLAVE_TIMEOUT");
  await store.close();
});

Deno.test("A disk that fails is told at once, whatever slaves say", async () => {
  using bench = new Bench();
  const { store, answers, send } = await syncMaster(bench, { flushDiskType: "SYNC_FLUSH" });
  await send("a");
  store.acknowledged(store.maxLogOffset);
  await store.sync();
  await turn();
  bench.disk.failSyncIn = 1;
  await send("b");
  await store.sync();
  await turn();
  assertEquals(answers, ["a PUT_OK", "b SERVICE_NOT_AVAILABLE"]);
  store.acknowledged(store.maxLogOffset);
  bench.clock.advance(10_000);
  assertEquals(answers.length, 2);
  await store.close();
});

Deno.test("A store that is closed lets go who waits, and leaves no timer behind", async () => {
  using bench = new Bench();
  const { store, answers, send } = await syncMaster(bench);
  await send("a");
  await store.close();
  assertEquals([answers, bench.clock.timers], [["a FLUSH_SLAVE_TIMEOUT"], 0]);
});

Deno.test("Thousands of puts that come and go leave none behind, and are answered in their order", async () => {
  using bench = new Bench();
  const { store, answers } = await syncMaster(bench, { mappedFileSizeCommitLog: 16 * 1024 * 1024 });
  const order: number[] = [];
  let last: MessageStore["maxLogOffset"] = 0;
  for (let i = 0; i < 20_000; i++) {
    store.put(message(), ({ status }) => order.push(status === "PUT_OK" ? i : -1));
    if (i % 100 !== 99) continue;
    await Promise.resolve();
    // What a slave says lags behind, in the middle of what waits.
    store.acknowledged(last);
    last = store.maxLogOffset - 500;
  }
  store.acknowledged(store.maxLogOffset);
  assertEquals(order, Array.from({ length: 20_000 }, (_, i) => i));
  assertEquals(answers, []);
  bench.clock.advance(60_000);
  await store.close();
});
