/**
 * What delays make of clocks, levels, offsets and logs that are not as they were.
 *
 * @module
 */
import { SystemTopic } from "../../src/protocol/names.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { FILE_BYTES } from "../store/kit.ts";
import { DelayBench, LEVELS, span } from "./delay_bench.ts";

Deno.test("Delays delivers at once what would wait longer than its level says", async () => {
  using bench = new DelayBench();
  await bench.open([1000, 3_600_000]);
  await bench.send(1, "clock");
  bench.shift -= 600_000;
  await bench.go(1000);
  assertEquals(await bench.bodies(), ["clock"], "the clock was set back");
  await bench.send(2, "level");
  await bench.close();
  await bench.open([1000, 5000]);
  await bench.goUntil(2);
  assertEquals(await bench.bodies(), ["clock", "level"], "the level was an hour");
  await bench.close();
});

Deno.test("Delays sees within a second that the clock was set forward", async () => {
  using bench = new DelayBench();
  await bench.open([3_600_000]);
  await bench.send(1, "m");
  bench.shift += 3_600_000;
  await bench.go(1000, 100);
  assertEquals(await bench.bodies(), ["m"]);
  await bench.close();
});

Deno.test("Delays finds the time itself where a Java broker kept it in consumequeue_ext", async () => {
  using bench = new DelayBench();
  await bench.open([5000]);
  await bench.send(1, "m");
  await bench.close();
  const entries = `${bench.place.dir}/consumequeue/${SystemTopic.SCHEDULE}/0/00000000000000000000`;
  using file = Deno.openSync(entries, { write: true });
  file.seekSync(12, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(new BigInt64Array([128n]).buffer)); // Of its 8 bytes in Java's order, 0x80 comes first.
  await bench.open([5000]);
  await bench.go(4900, 100);
  assertEquals(await bench.bodies(), []);
  // It is read from the disk.
  await bench.goUntil(1);
  assertEquals(await bench.bodies(), ["m"]);
  await bench.close();
});

Deno.test("Delays brings an offset behind its queue's end back to it", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  await bench.send(1, "m0");
  await bench.close();
  bench.writeFile(`{"offsetTable":{1:100}}`);
  await bench.open(LEVELS);
  await bench.go(5000, 100);
  assertEquals(await bench.bodies(), []);
  await bench.send(1, "m1");
  await bench.go(1000);
  assertEquals(await bench.bodies(), ["m1"]);
  await bench.close();
  assertEquals(bench.file(), `{\n\t"offsetTable":{1:2\n\t}\n}`);
});

Deno.test("Delays begins at 0 with a level whose queue is gone", async () => {
  using bench = new DelayBench();
  bench.writeFile(`{"offsetTable":{1:100}}`);
  await bench.open(LEVELS);
  await bench.send(1, "m");
  await bench.go(1000, 100);
  assertEquals(await bench.bodies(), ["m"]);
  await bench.close();
});

Deno.test("Delays goes on at the first message that retention has left", async () => {
  using bench = new DelayBench();
  const { clock } = bench.place;
  clock.time = Date.now();
  const size = FILE_BYTES / 8;
  const options = { fileReservedTime: 1, deleteWhen: [] };
  await bench.open([100_000_000], options);
  for (const name of span(0, 20)) await bench.send(1, name.padEnd(size, "."));
  await bench.store.sync();
  clock.time += 3_700_000;
  bench.store.removeOldFiles();
  const min = bench.store.minOffset(SystemTopic.SCHEDULE, 0);
  assert(min > 0 && min < 20, `the queue begins at ${min}`);
  clock.time += 100_000_000;
  await bench.go(2000, 100);
  assertEquals((await bench.bodies()).map((body) => body.replace(/\.+/, "")), span(min, 20));
  await bench.close();
  await bench.open([100_000_000], options);
  assertEquals(bench.scheduled(1), 20);
  await bench.close();
  assertEquals(bench.file(), `{\n\t"offsetTable":{1:20\n\t}\n}`);
});

Deno.test("Delays does not take later messages in the place of those that are gone from the log", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  for (const name of span(0, 2)) await bench.send(1, name);
  await bench.go(500);
  await bench.send(1, "m2");
  bench.found = (found, offset) => {
    assert(!(found instanceof Promise));
    if (offset > 0) return found;
    // The store passes over what is gone, and goes on until it has as many as were wanted.
    const more = bench.store.get(SystemTopic.SCHEDULE, 0, 1, 2);
    assert(!(more instanceof Promise));
    return more;
  };
  await bench.go(500);
  assertEquals(await bench.bodies(), ["m1"]);
  await bench.go(500);
  assertEquals(await bench.bodies(), ["m1", "m2"]);
  await bench.close();
});
