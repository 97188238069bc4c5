/**
 * @module
 */
import { assertEquals } from "../../src/std.ts";
import { Bench, put } from "./kit.ts";

Deno.test("a write to the log that takes osPageCacheBusyTimeOutMills is remembered, a faster one is not", async () => {
  using bench = new Bench();
  const { clock, disk } = bench;
  let takes = 0;
  const open = disk.openSync.bind(disk);
  disk.openSync = (path, options) => {
    const file = open(path, options);
    if (!path.includes("/commitlog/")) return file;
    const write = file.writeSync.bind(file);
    file.writeSync = (bytes, at) => {
      clock.time += takes;
      write(bytes, at);
    };
    return file;
  };
  const store = await bench.open({ osPageCacheBusyTimeOutMills: 100 });
  await put(store);
  takes = 99;
  await put(store);
  assertEquals(store.slowWrite, { tookMs: 0, endedAt: 0 });
  takes = 100;
  await put(store);
  assertEquals(store.slowWrite, { tookMs: 100, endedAt: clock.now() });
  const slow = store.slowWrite;
  takes = 0;
  clock.advance(1000);
  await put(store);
  assertEquals(store.slowWrite, slow);
  await store.close();
});
