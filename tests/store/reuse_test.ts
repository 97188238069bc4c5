/**
 * @module
 */
import { assert, assertEquals } from "../../src/std.ts";
import type { PutResult } from "../../src/store/mod.ts";
import { Bench, bodies, message, putMany } from "./kit.ts";

Deno.test("MessageStore gives copies when it had to read the disk, which later puts leave alone", async () => {
  using bench = new Bench();
  const store = await bench.open();
  const count = 1000;
  await putMany(store, count, "m", 1000);
  // The last offset whose batch begins on disk and goes on in the tail.
  let offset = count - 1;
  let found = store.get("T", 0, offset, 32);
  while (!(found instanceof Promise) && offset > 0) found = store.get("T", 0, --offset, 32);
  assert(found instanceof Promise);
  const { records } = await found;
  assert(records.length > 1);
  const more = putMany(store, count, "other", 1000);
  assertEquals(bodies(records), records.map((_, i) => `m${offset + i}`));
  await more;
  await store.close();
});

Deno.test("MessageStore syncs a put that is made while another one is answered", async () => {
  using bench = new Bench();
  const store = await bench.open({ flushDiskType: "SYNC_FLUSH" });
  const inner = await new Promise<PutResult>((resolve) => store.put(message(), () => store.put(message(), resolve)));
  assertEquals([inner.status, inner.queueOffset], ["PUT_OK", 1]);
  await store.close();
});
