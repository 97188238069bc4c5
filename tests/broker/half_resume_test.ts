/**
 * @module
 */
import { SLAVE_REFUSAL } from "../../src/store/appender.ts";
import { assertEquals, assertStringIncludes } from "../../src/std.ts";
import { put } from "../store/kit.ts";
import { CHECKED_OUT, COMMIT, HALF, TransactionDesk } from "./transaction_desk.ts";

Deno.test("a half message that was put aside is asked about again, as often as a new one, and can be committed", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    const { commitLogOffset } = await desk.prepare("m");
    for (let round = 0; round < 3; round++) await desk.pass();
    assertEquals([producer.asked(), await desk.texts(CHECKED_OUT)], [["m", "m"], ["m"]]);
    const [aside] = await desk.records(CHECKED_OUT);
    assertEquals(await desk.resume(aside!.physicalOffset), [0, undefined]);
    for (let round = 0; round < 3; round++) await desk.pass();
    const { checks } = producer;
    assertEquals([checks.length, await desk.texts(CHECKED_OUT)], [2, ["m", "m"]]);
    // By the id that its sender got, too; then its producer ends it at last.
    assertEquals(await desk.resume(commitLogOffset), [0, undefined]);
    await desk.pass();
    assertEquals(await desk.end(checks.at(-1)!, COMMIT), [0, undefined]);
    assertEquals(await desk.delivered(), ["m"]);
    for (let round = 0; round < 3; round++) await desk.pass();
    assertEquals([checks.length, await desk.texts(CHECKED_OUT)], [3, ["m", "m"]]);
  }, { transactionCheckMax: 2 });
});

Deno.test("an open transaction is not made two of", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    const { commitLogOffset } = await desk.prepare("m");
    const refused = async () => {
      const [code, remark] = await desk.resume(commitLogOffset);
      assertEquals(code, 1);
      assertStringIncludes(remark ?? "", "is still open: its producer is asked about it");
    };
    await refused();
    // Its newest copy is open as well.
    await desk.pass();
    assertEquals([producer.asked(), desk.store.maxOffset(HALF, 0)], [["m"], 2]);
    await refused();
    assertEquals(desk.store.maxOffset(HALF, 0), 2);
  });
});

Deno.test("what is no half message is not stored as one", async () => {
  await TransactionDesk.with(async (desk) => {
    await desk.prepare("m");
    const [half] = await desk.records(HALF);
    const plain = await put(desk.store);
    // A body that reads like a half message.
    await put(desk.store, { topic: HALF });
    const bytes = desk.store.fetchRecord(half!.physicalOffset) as Uint8Array;
    const within = await put(desk.store, { body: bytes.slice() });
    const bare = desk.store.logOffsetOf(HALF, 0, 1)!;
    const before = desk.store.maxOffset(HALF, 0);
    const cases: [number, string][] = [
      [plain.logOffset, "is no half message"],
      [bare, "is no half message"],
      [within.logOffset + 1, "can not find message by the id"],
      [desk.store.maxLogOffset, "can not find message by the id"],
    ];
    for (const [offset, reason] of cases) {
      const [code, remark] = await desk.resume(offset);
      assertEquals(code, 1);
      assertStringIncludes(remark ?? "", reason);
    }
    assertEquals(desk.store.maxOffset(HALF, 0), before);
  });
});

Deno.test("a slave stores no half message anew", async () => {
  await TransactionDesk.with(async (desk) => {
    const { commitLogOffset } = await desk.prepare("m");
    await desk.close();
    await desk.open({ brokerRole: "SLAVE" });
    assertEquals(await desk.resume(commitLogOffset), [1, SLAVE_REFUSAL]);
  });
});
