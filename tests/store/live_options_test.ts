/**
 * Options of a store that change while it is open.
 *
 * @module
 */
import { decodeRecord } from "../../src/protocol/message_record.ts";
import type { MessageStore } from "../../src/store/mod.ts";
import { assertEquals } from "../../src/std.ts";
import { Bench, put } from "./kit.ts";

Deno.test("a shorter interval of flushes counts for the wait that goes on", async () => {
  using bench = new Bench();
  const store = await bench.open({ flushIntervalCommitLog: 600_000, flushCommitLogLeastPages: 0 });
  assertEquals((await put(store)).status, "PUT_OK");
  const before = bench.disk.syncsOf(bench.logFile());
  bench.clock.advance(60_000);
  assertEquals(bench.disk.syncsOf(bench.logFile()), before);
  store.options.flushIntervalCommitLog = 100;
  await bench.synced(bench.logFile(), () => bench.clock.advance(1_000));
  await store.close();
});

/** Length and last byte of each body of the queue. */
async function shapes(store: MessageStore, count: number): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let offset = 0; offset < count; offset++) {
    const { records } = await store.get("T", 0, offset, 1);
    const { body } = decodeRecord(records[0]!, 0, true);
    found.push([body.length, body.at(-1)]);
  }
  return found;
}

Deno.test("a message that is larger than any could be before is kept, with those around it", async () => {
  using bench = new Bench();
  const sizes = { mappedFileSizeCommitLog: 8 * 1024 * 1024, tailChunkBytes: 96 * 1024, maxMessageSize: 16_000 };
  const store = await bench.open(sizes);
  // As many as take all the memory that is used again and again.
  for (let i = 0; i < 40; i++) await put(store, { topic: "Before", body: new Uint8Array(16_000) });
  const sent = [10, 500_000, 16_000, 1_000_000, 10].map((length, i) => new Uint8Array(length).fill(i + 1));
  for (const [i, body] of sent.entries()) {
    store.options.maxMessageSize = i === 2 ? 16_000 : 1_000_000;
    assertEquals((await put(store, { body })).status, "PUT_OK");
  }
  store.options.maxMessageSize = 16_000;
  assertEquals((await put(store, { body: sent[1]! })).status, "MESSAGE_ILLEGAL");
  const expected = sent.map((body) => [body.length, body.at(-1)]);
  assertEquals(await shapes(store, sent.length), expected);
  await store.close();
  const again = await bench.open(sizes);
  assertEquals(await shapes(again, sent.length), expected, "after a start with the old size");
  await again.close();
});
