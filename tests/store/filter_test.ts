/**
 * Reads that look into the records.
 *
 * @module
 */
import { COLD_BLOCKS_PER_READ, FILTER_MS_PER_TURN } from "../../src/limits.ts";
import { decodeRecord, recordProperties } from "../../src/protocol/message_record.ts";
import type { MessageFilter, MessageStore } from "../../src/store/mod.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { Bench, bodies, FILE_BYTES, message, names, put, putMany } from "./kit.ts";

const bodyOf = (record: Uint8Array) => bodies([record])[0]!;

/** Wants the messages whose number, after the prefix of one character, is one of some. */
function wanting(wanted: (n: number) => boolean, seen: string[] = []): MessageFilter {
  return {
    record: (record) => {
      seen.push(bodyOf(record));
      return wanted(Number(seen.at(-1)!.slice(1)));
    },
  };
}

Deno.test("MessageStore gives only the records that a filter wants, and moves on over the others", async () => {
  using bench = new Bench();
  const store = await bench.open();
  await putMany(store, 50);
  const found = await store.get("T", 0, 3, 32, wanting((n) => n % 10 === 5));
  assertEquals([found.status, bodies(found.records), found.nextBeginOffset], ["FOUND", [
    "m5",
    "m15",
    "m25",
    "m35",
    "m45",
  ], 50]);
  const most = await store.get("T", 0, 0, 2, wanting((n) => n % 10 === 5));
  assertEquals(
    [bodies(most.records), most.nextBeginOffset],
    [["m5", "m15"], 16],
    "it ends where the next one would come",
  );
  const none = await store.get("T", 0, 0, 32, wanting(() => false));
  assertEquals([none.status, none.records, none.nextBeginOffset, none.maxOffset], ["NO_MATCHED_MESSAGE", [], 50, 50]);
  await store.close();
});

Deno.test("MessageStore looks only into records behind entries that may be wanted", async () => {
  using bench = new Bench();
  const store = await bench.open();
  for (let i = 0; i < 20; i++) {
    await put(store, {
      properties: `TAGS\u0001Tag${i % 2 === 0 ? "A" : "B"}`,
      body: new TextEncoder().encode(`m${i}`),
    });
  }
  const seen: string[] = [];
  const filter = { ...wanting((n) => n > 15, seen), entry: (tagsCode: number) => tagsCode === 2598919 };
  const found = await store.get("T", 0, 0, 32, filter);
  assertEquals(bodies(found.records), ["m16", "m18"]);
  assertEquals(seen, names(20).filter((_, i) => i % 2 === 0));
  await store.close();
});

/** Most of these messages are no longer in memory. */
async function coldStore(bench: Bench): Promise<MessageStore> {
  const writer = await bench.open();
  await putMany(writer, 400, "m", 5000);
  await writer.close();
  return await bench.open({ inMemoryBytes: 0 });
}

Deno.test("MessageStore filters old records too, looks at each once, and reads a bounded part of the log at once", async () => {
  using bench = new Bench();
  const store = await coldStore(bench);
  const seen: string[] = [];
  const filter = wanting((n) => n === 20 || n > 390, seen);
  const all: string[] = [];
  let reads = 0;
  for (let next = 0; next < 400; reads++) {
    const before = seen.length;
    const found = await store.get("T", 0, next, 32, filter);
    assert(found.nextBeginOffset > next, "it goes on");
    assert(
      (seen.length - before) * 5000 <= (COLD_BLOCKS_PER_READ + 1) * FILE_BYTES,
      `${seen.length - before} looked at`,
    );
    assertEquals(found.status, found.records.length > 0 ? "FOUND" : "NO_MATCHED_MESSAGE");
    all.push(...bodies(found.records));
    next = found.nextBeginOffset;
  }
  assertEquals(all, names(400).filter((_, i) => i === 20 || i > 390));
  assert(reads > 2, "no read goes through all of it");
  assertEquals(seen, names(400), "each was looked at once");
  await store.close();
});

Deno.test("MessageStore ends a read whose filter takes long, and says how far it came", async () => {
  for (const cold of [false, true]) {
    using bench = new Bench();
    const store = cold ? await coldStore(bench) : await bench.open();
    if (!cold) await putMany(store, 400);
    let looked = 0;
    const filter: MessageFilter = {
      record: () => {
        looked++;
        bench.clock.time += FILTER_MS_PER_TURN / 4;
        return false;
      },
    };
    for (let next = 0; next < 20;) {
      looked = 0;
      const found = await store.get("T", 0, next, 32, filter);
      assertEquals([found.status, found.nextBeginOffset], ["NO_MATCHED_MESSAGE", next + looked]);
      // Four in one turn, and four more in another one when a block had to be read in between.
      assert(looked === 4 || (cold && looked === 8), `${looked} looked at`);
      next = found.nextBeginOffset;
    }
    await store.close();
  }
});

Deno.test("recordProperties() reads what decodeRecord() reads, whatever the hosts", async () => {
  using bench = new Bench();
  const store = await bench.open();
  for (const bornHost of [new Uint8Array(8), new Uint8Array(20)]) {
    for (const properties of ["", "a\u00011", "KEYS\u0001中文\u0002b\u0001x"]) {
      await put(store, message({ bornHost, properties }));
    }
  }
  const { records } = await store.get("T", 0, 0, 32);
  assertEquals(records.length, 6);
  for (const record of records) assertEquals(recordProperties(record), decodeRecord(record).properties);
  await store.close();
});
