/**
 * Entries of queues that were read from their files together with others.
 *
 * @module
 */
import { QUEUE_PAGES_MAX } from "../../src/limits.ts";
import { assertEquals } from "../../src/std.ts";
import type { ConsumeQueue } from "../../src/store/consume_queue.ts";
import { ConsumeQueues } from "../../src/store/consume_queues.ts";
import { CountingDisk, inFolder } from "./counting_disk.ts";

const ENTRIES = 300;
const OPTIONS = { fileSize: 200 * 20, openFilesMax: 4 };

/** Queues of one topic with entries on disk only. */
function onDisk(folder: string, counting: CountingDisk, count: number): { queues: ConsumeQueues; all: ConsumeQueue[] } {
  let queues = ConsumeQueues.open(folder, OPTIONS, counting.disk);
  for (let id = 0; id < count; id++) {
    for (let i = 0; i < ENTRIES; i++) queues.getOrCreate("T", id).append(place(id, i), 100, 0);
  }
  queues.close();
  queues = ConsumeQueues.open(folder, OPTIONS, counting.disk);
  return { queues, all: Array.from({ length: count }, (_, id) => queues.get("T", id)!) };
}

function place(id: number, i: number): number {
  return id * 1_000_000 + i * 100;
}

function read(queue: ConsumeQueue, from: number, count: number): number[] {
  const slice = queue.read(from, count);
  return Array.from({ length: slice.count }, (_, i) => slice.logOffset(i));
}

function places(id: number, from: number, end: number): number[] {
  return Array.from({ length: end - from }, (_, i) => place(id, from + i));
}

Deno.test("Who reads a queue on and on asks the system once for many entries, and gets as many as without that", () =>
  inFolder((folder) => {
    const counting = new CountingDisk();
    const { queues, all: [queue] } = onDisk(folder, counting, 1);
    const { reads } = counting;
    for (let at = 0; at + 32 <= 200; at += 32) assertEquals(read(queue!, at, 32), places(0, at, at + 32));
    assertEquals(counting.reads - reads, 1);
    assertEquals(read(queue!, 192, 32), places(0, 192, 200), "a read ends with the file");
    assertEquals(read(queue!, 200, 500), places(0, 200, ENTRIES));
    assertEquals(read(queue!, 50, 2), [place(0, 50), place(0, 51)]);
    queues.close();
  }));

Deno.test("Entries that were cut away and came anew are read anew", () =>
  inFolder((folder) => {
    const { queues, all: [queue] } = onDisk(folder, new CountingDisk(), 1);
    assertEquals(read(queue!, 90, 20), places(0, 90, 110));
    queue!.truncateFrom(place(0, 100));
    for (let i = 0; i < 50; i++) queue!.append(place(7, i), 100, 0);
    // Once without changes, so that nothing of it stays in memory.
    queues.flush();
    queues.flush();
    assertEquals(read(queue!, 98, 4), [...places(0, 98, 100), ...places(7, 0, 2)]);
    queues.close();
  }));

Deno.test("Only so many queues have entries in memory that were read together, each its own", () =>
  inFolder((folder) => {
    const counting = new CountingDisk();
    const count = QUEUE_PAGES_MAX + 1;
    const { queues, all } = onDisk(folder, counting, count);
    for (const [id, queue] of all.entries()) assertEquals(read(queue, 0, 10), places(id, 0, 10));
    const { reads } = counting;
    assertEquals(read(all.at(-1)!, 10, 10), places(count - 1, 10, 20));
    assertEquals(counting.reads, reads);
    assertEquals(read(all[0]!, 10, 10), places(0, 10, 20));
    assertEquals(counting.reads, reads + 1, "it had to make room");
    queues.close();
  }));
