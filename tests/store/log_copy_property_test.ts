/** A slave's log becomes what the master's is, however it is cut and whenever one of both dies. @module */
import fc from "fast-check";
import { denoDisk } from "../../src/platform/disk.ts";
import { assert, assertEquals } from "../../src/std.ts";
import type { NewMessage } from "../../src/store/mod.ts";
import { LOCK_TEXT } from "../../src/store/safe_point.ts";
import { assertSameFiles, copyAll, piece, SLAVE } from "./copy_kit.ts";
import { Bench, put, readAll } from "./kit.ts";

type Happening = "nothing" | "slave killed" | "slave closed" | "slave loses power" | "master killed" | "time passes";

interface Step {
  readonly puts: readonly Partial<NewMessage>[];
  readonly cuts: readonly number[];
  readonly happening: Happening;
}

/** Nobody else is there, and taking a lock may be slow on a busy machine. */
const LOCKLESS = { ...denoDisk, lock: () => Promise.resolve({ before: LOCK_TEXT, release: () => {} }) };

const put1: fc.Arbitrary<Partial<NewMessage>> = fc.record({
  topic: fc.constantFrom("T", "Other", "%RETRY%g"),
  queueId: fc.nat(2),
  // None, prepared, commit and rollback of a transaction; compressed.
  sysFlag: fc.constantFrom(0, 0, 0, 1, 4, 8, 12),
  body: fc.nat(9000).map((size) => new Uint8Array(size).fill(size)),
  properties: fc.constantFrom("", "TAGS\u0001a", "KEYS\u0001k l\u0002UNIQ_KEY\u0001u", "x\u0001ü\u0002TAGS\u0001b"),
});

const step: fc.Arbitrary<Step> = fc.record({
  puts: fc.array(put1, { maxLength: 25 }),
  cuts: fc.array(fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 20_000 })), { maxLength: 60 }),
  happening: fc.constantFrom<Happening>(
    "nothing",
    "slave killed",
    "slave closed",
    "slave loses power",
    "master killed",
    "time passes",
  ),
});

Deno.test("A copy made of any pieces, through any restarts, has the files, queues and index of its master", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      using masterBench = new Bench(LOCKLESS);
      using slaveBench = new Bench(LOCKLESS);
      let master = await masterBench.open();
      let slave = await slaveBench.open(SLAVE);
      for (const { puts, cuts, happening } of steps) {
        await Promise.all(puts.map((given) => put(master, given)));
        for (const most of cuts) {
          const from = slave.maxLogOffset;
          const bytes = await piece(master, from, most);
          if (bytes === undefined) break;
          slave.appendCopy(from, bytes);
          assertEquals(slave.maxLogOffset, from + bytes.length);
        }
        if (happening === "slave closed") {
          await slave.close();
          slave = await slaveBench.open(SLAVE);
        } else if (happening === "slave killed") {
          slaveBench.disk.killed();
          slave = await slaveBench.open(SLAVE);
        } else if (happening === "slave loses power") {
          await slave.sync();
          const { safeLogOffset } = slave;
          const { lastFileStart } = slave;
          slaveBench.disk.powerLoss();
          slave = await slaveBench.open(SLAVE);
          // But the unused rest behind a filler, which comes again.
          assert(slave.maxLogOffset >= Math.min(safeLogOffset, lastFileStart));
        } else if (happening === "master killed") {
          masterBench.disk.killed();
          master = await masterBench.open();
        } else if (happening === "time passes") {
          masterBench.clock.advance(11_000);
          slaveBench.clock.advance(11_000);
        }
      }
      await copyAll(master, slave, 7777);
      assertEquals(slave.maxLogOffset, master.maxLogOffset);
      for (const queue of master.queues.all()) {
        const { topic, queueId, nextOffset } = queue;
        assertEquals(slave.queues.get(topic, queueId)?.nextOffset ?? 0, nextOffset, `${topic}-${queueId}`);
        assertEquals(await readAll(slave, topic, queueId), await readAll(master, topic, queueId));
      }
      for (const key of ["k", "l", "u"]) {
        const wanted = await master.queryByKey("T", key, 1000, 0, Number.MAX_SAFE_INTEGER);
        assertEquals((await slave.queryByKey("T", key, 1000, 0, Number.MAX_SAFE_INTEGER)).records, wanted.records);
      }
      await master.close();
      await slave.close();
      assertSameFiles(masterBench, slaveBench, ["commitlog", "consumequeue"]);
    }),
    { numRuns: 25, endOnFailure: true },
  );
});
