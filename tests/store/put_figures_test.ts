/**
 * What the store counts of puts.
 *
 * @module
 */
import { assertEquals } from "../../src/std.ts";
import { PutFigures } from "../../src/store/put_figures.ts";
import type { PutResult } from "../../src/store/types.ts";
import { HandClock } from "../broker/workshop.ts";
import { copyAll, pair } from "./copy_kit.ts";
import { batchOf, Bench, message, putMany } from "./kit.ts";

function put(figures: PutFigures, clock: HandClock, ms: number): void {
  const result: PutResult = {
    status: "PUT_OK",
    logOffset: 0,
    size: 100,
    topic: "T",
    queueId: 0,
    queueOffset: 0,
    storeTimestamp: clock.now() - ms,
  };
  figures.answersAt = clock.now();
  figures.answered(result);
}

Deno.test("how long puts took is told of the last full minute", () => {
  const clock = new HandClock();
  const figures = new PutFigures(clock);
  for (const ms of [0, 0, 9, 10, 700, 20_000]) put(figures, clock, ms);
  assertEquals([figures.distribution(), figures.latency(0.99), figures.slowestMs], [undefined, 0, 20_000]);
  clock.go(60_000);
  assertEquals(
    figures.distribution(),
    "[<=0ms]:2 [0~10ms]:1 [10~50ms]:1 [50~100ms]:0 [100~200ms]:0 [200~500ms]:0 [500ms~1s]:1 [1~2s]:0 [2~3s]:0 " +
      "[3~4s]:0 [4~5s]:0 [5~10s]:0 [10s~]:1 ",
  );
  clock.go(60_000);
  assertEquals(figures.distribution()?.includes("0ms]:2"), false);
});

Deno.test("latencies are found between the bounds of their bucket", () => {
  const clock = new HandClock();
  const figures = new PutFigures(clock);
  for (let ms = 1; ms <= 1000; ms++) put(figures, clock, Math.ceil(ms / 10));
  clock.go(60_000);
  assertEquals([0.5, 0.99, 0.999].map((part) => figures.latency(part)), [50, 99, 99.9]);
});

Deno.test("the slowest of all does not make a latency endless", () => {
  const clock = new HandClock();
  const figures = new PutFigures(clock);
  for (let i = 0; i < 100; i++) put(figures, clock, 30_000);
  clock.go(60_000);
  assertEquals(figures.latency(0.5), 20_000);
});

Deno.test("messages and bytes are counted as they come into the log, and what fails as failed", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const stored: number[] = [];
  const answered = new Promise<void>((resolve) => {
    store.put(message({ topic: "T" }), ({ size }) => stored.push(size));
    store.putBatch(batchOf(message({ topic: "T" }), message({ topic: "T" })), ({ size }) => {
      stored.push(size);
      resolve();
    });
  });
  await answered;
  store.put(message({ topic: "T", queueId: -1 }), () => {});
  const { figures } = store;
  assertEquals([figures.messages, figures.failed], [3, 0]);
  assertEquals(figures.bytes, stored.reduce((sum, size) => sum + size, 0));
  await store.close();
  store.put(message({ topic: "T" }), () => {});
  assertEquals(figures.failed, 1);
});

Deno.test("a put takes until its sender is answered: after the write, the sync, a slave's report", async () => {
  using bench = new Bench();
  const { clock, disk } = bench;
  let slaveHasIt = () => {};
  for (
    const [more, wait] of [
      [{}, () => {}],
      [{ flushDiskType: "SYNC_FLUSH" as const }, () => {}],
      [{ brokerRole: "SYNC_MASTER" as const }, () => slaveHasIt()],
    ] as const
  ) {
    const store = await bench.open(more);
    store.replicas = { connected: () => 1 };
    slaveHasIt = () => store.acknowledged(store.maxLogOffset);
    let release = () => {};
    disk.holdSyncs = new Promise((resolve) => release = resolve);
    const answered = new Promise((resolve) => store.put(message(), resolve));
    await Promise.resolve();
    clock.advance(7);
    release();
    wait();
    await answered;
    assertEquals(store.figures.slowestMs, "flushDiskType" in more || "brokerRole" in more ? 7 : 0);
    disk.holdSyncs = undefined;
    clock.advance(60_000);
    const counts = [...store.figures.distribution()!.matchAll(/:(\d+) /g)].map(([, count]) => Number(count));
    assertEquals(counts.reduce((sum, count) => sum + count), 1, "whoever waits for whom, it was one put");
    await store.close();
  }
});

Deno.test("what a slave copies counts there too", () =>
  pair(async (master, slave) => {
    await putMany(master, 5);
    await copyAll(master, slave, 100);
    const { messages, bytes, slowestMs } = slave.figures;
    assertEquals([messages, bytes, slowestMs], [5, master.figures.bytes, 0]);
    assertEquals(bytes, slave.maxLogOffset);
  }));
