/**
 * What check-backs stand: clients that say what they should not, producers that come and go, a power loss, settings that
 * change.
 *
 * @module
 */
import { assert, assertEquals } from "../../src/std.ts";
import { put } from "../store/kit.ts";
import { type Check, CHECKED_OUT, COMMIT, HALF, ROLLBACK, TransactionDesk } from "./transaction_desk.ts";

Deno.test("Half messages of Java's broker that name others as their origin do those no harm", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    // The copies will be at 2 and 3.
    for (const [text, origin] of [["circle", 2], ["thief", 0]] as const) {
      await put(desk.store, {
        topic: HALF,
        bornTimestamp: desk.bench.clock.now(),
        body: new TextEncoder().encode(text),
        properties: [
          ["PGROUP", "PG"],
          ["REAL_TOPIC", "T"],
          ["REAL_QID", "1"],
          ["TRAN_PREPARED_QUEUE_OFFSET", String(origin)],
        ].map((property) => property.join("\u0001")).join("\u0002"),
      });
    }
    const commitLogOffset = desk.store.logOffsetOf(HALF, 0, 0)!;
    await desk.pass();
    const [check] = producer.checks as [Check];
    assertEquals(producer.asked(), ["circle", "thief"]);
    assertEquals(await desk.end(check, ROLLBACK), [0, undefined]);
    assertEquals(await desk.end({ tranStateTableOffset: 0, commitLogOffset }, COMMIT), [0, undefined]);
    assertEquals(await desk.delivered(), ["circle"]);
    await desk.pass();
    assertEquals(producer.asked(), ["thief"]);
  });
});

Deno.test("A producer that says its half message is a copy of another does not get that one's end", async () => {
  await TransactionDesk.with(async (desk) => {
    const half = await desk.prepare("a");
    await desk.prepare("b", { properties: { TRAN_PREPARED_QUEUE_OFFSET: "0" } });
    await desk.pass();
    await desk.close();
    await desk.open();
    await desk.pass();
    assertEquals(await desk.end(half, ROLLBACK), [0, undefined]);
    const producer = desk.producer();
    await desk.pass();
    assert(producer.asked().includes("b"));
  });
});

Deno.test("A round goes on when the producers that it waits for leave, and others come", async () => {
  await TransactionDesk.with(async (desk) => {
    const leaving = desk.producer();
    leaving.congested = true;
    await desk.prepare("m");
    desk.bench.clock.advance(60_000);
    await new Promise((resolve) => setTimeout(resolve, 0));
    leaving.close();
    const coming = desk.producer();
    let looks = 0;
    let reads = false;
    const LOOKS_MAX = 100;
    Object.defineProperty(coming, "congested", {
      get() {
        if (++looks > LOOKS_MAX) throw new Error("it is looked at without a pause");
        return !reads;
      },
    });
    desk.bench.clock.advance(1);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(looks, 1);
    reads = true;
    await desk.calm();
    assertEquals(coming.asked(), ["m"]);
  });
});

Deno.test("An open transaction is asked about after a power loss too, right after it was stored anew", async () => {
  await TransactionDesk.with(async (desk) => {
    await desk.prepare("open");
    const half = await desk.prepare("ended");
    await desk.store.sync();
    assertEquals(await desk.end(half, COMMIT), [0, undefined]);
    await desk.pass();
    assertEquals(desk.progress()[0], 2);
    desk.offsets.save();
    desk.bench.disk.powerLoss();
    await desk.close({ save: false });
    await desk.open();
    const producer = desk.producer();
    await desk.pass();
    assertEquals([producer.asked(), await desk.delivered()], [["open"], ["ended"]]);
  });
});

Deno.test("A round whose progress cannot be made safe keeps none", async () => {
  await TransactionDesk.with(async (desk) => {
    await desk.prepare("m");
    const { store } = desk;
    // Of all syncs, the round's own.
    const sync = store.sync.bind(store);
    store.sync = () => {
      desk.bench.disk.failSyncIn = 1;
      return sync();
    };
    await desk.pass();
    assertEquals([store.maxOffset(HALF, 0), desk.progress()], [2, [-1, -1]]);
  });
});

Deno.test("A half message that is larger than is allowed now holds up none behind it", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    await desk.prepare("large".padEnd(5_000, "."));
    await desk.prepare("small");
    desk.store.options.maxMessageSize = 1_000;
    await desk.pass();
    assertEquals([producer.asked(), await desk.texts(CHECKED_OUT), desk.progress()], [["small"], [], [2, 0]]);
  });
});

Deno.test("A half message of the near future stays immune, one of the far future does not stay for ever", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    const prepare = (text: string, ahead: number) =>
      desk.prepare(text, {
        bornTimestamp: desk.bench.clock.now() + ahead,
        properties: { CHECK_IMMUNITY_TIME_IN_SECONDS: "150" },
      });
    await prepare("near", 90_000);
    await prepare("far", 1_000 * 24 * 3_600_000);
    const asked: string[][] = [];
    for (let round = 1; round <= 4; round++) {
      await desk.pass();
      asked.push(producer.asked());
    }
    assertEquals([asked, await desk.texts(CHECKED_OUT)], [[["far"], ["far"], [], ["near"]], ["far"]]);
  }, { transactionCheckMax: 2 });
});
