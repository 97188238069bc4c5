/** Writing the gathered entries of many queues in rounds, and the checkpoint that follows them. @module */
import { QUEUES_WRITTEN_PER_INTERVAL } from "../../src/limits.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { readInt64 } from "../../src/protocol/byte_writer.ts";
import { assert, assertEquals } from "../../src/std.ts";
import type { PutResult } from "../../src/store/mod.ts";
import { until } from "../until.ts";
import { Bench, put } from "./kit.ts";

/** More than two intervals write. */
const QUEUES = 2 * QUEUES_WRITTEN_PER_INTERVAL + 50;
const ENTRY_BYTES = 20, LOGICS_AT = 8;

const topicFolder = (bench: Bench) => bench.path("consumequeue/T");

/** Whether the entry of a message is in its queue's file. */
function isInFile(bench: Bench, { queueId, queueOffset }: PutResult): boolean {
  const path = `${topicFolder(bench)}/${queueId}/${"0".repeat(20)}`;
  if (!denoDisk.existsSync(path)) return false;
  const bytes = denoDisk.readFileSync(path);
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(queueOffset * ENTRY_BYTES + 8) > 0;
}

/** The checkpoint's time for queues, as it is on disk. */
function checkpointOf(bench: Bench): number {
  const bytes = denoDisk.readFileSync(bench.path("checkpoint"));
  return readInt64(new DataView(bytes.buffer, bytes.byteOffset), LOGICS_AT);
}

Deno.test("Many queues are written in rounds, so many with each interval", async () => {
  using bench = new Bench();
  const store = await bench.open({ flushIntervalConsumeQueue: 1000 });
  await Promise.all(Array.from({ length: QUEUES }, (_, queueId) => put(store, { queueId })));
  const written: number[] = [];
  for (let i = 0; i < 4; i++) {
    written.push(denoDisk.listSync(topicFolder(bench)).length);
    bench.clock.advance(1000);
  }
  assertEquals(written, [0, QUEUES_WRITTEN_PER_INTERVAL, 2 * QUEUES_WRITTEN_PER_INTERVAL, QUEUES]);
  await store.close();
});

Deno.test("A store that closes within a round over its queues leaves all of them written", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const puts = await Promise.all(Array.from({ length: QUEUES }, (_, queueId) => put(store, { queueId })));
  bench.clock.advance(1000);
  await store.close();
  for (const message of puts) assert(isInFile(bench, message));
  assertEquals(checkpointOf(bench), bench.clock.now() - 1000);
  assertEquals(bench.clock.timers, 0);
});

Deno.test("The checkpoint never is ahead of the entries that are in the queues' files", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const puts: PutResult[] = [];
  const checkpointSyncs = () => bench.disk.syncsOf(bench.path("checkpoint"));
  for (let move = 0; move < 3; move++) {
    const before = checkpointSyncs();
    // Longer than the time between checkpoints and a round take together.
    for (let step = 0; step < 25; step++) {
      for (let i = 0; i < 20; i++) puts.push(await put(store, { queueId: (puts.length * 101) % QUEUES }));
      bench.clock.advance(700);
    }
    await until(() => checkpointSyncs() > before);
    const checkpoint = checkpointOf(bench);
    assertEquals(puts.filter((put) => put.storeTimestamp < checkpoint && !isInFile(bench, put)), []);
  }
  const checkpoint = checkpointOf(bench);
  // What came later may not have been flushed.
  const safe = puts.filter(({ storeTimestamp }) => storeTimestamp < checkpoint);
  assert(safe.length > 0);
  bench.disk.powerLoss();
  const again = await bench.open();
  for (const { queueId, queueOffset, logOffset } of safe) {
    assertEquals(again.logOffsetOf("T", queueId, queueOffset), logOffset);
  }
  await again.close();
});
