/**
 * How transactions begin and end: half messages and END_TRANSACTION over a real connection and a real store.
 *
 * @module
 */
import { ResponseCode } from "../../src/protocol/codes.ts";
import { PHYSICAL_OFFSET_AT } from "../../src/protocol/message_record.ts";
import { parseProperties } from "../../src/protocol/properties.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { put } from "../store/kit.ts";
import { COMMIT, HALF, OP, ROLLBACK, textOf, TransactionDesk } from "./transaction_desk.ts";

const { SUCCESS, SYSTEM_ERROR, SLAVE_NOT_AVAILABLE, NO_PERMISSION } = ResponseCode;
const OK: [number, undefined] = [SUCCESS, undefined];

Deno.test("A half message waits in its own topic, with all that its commit needs", async () => {
  await TransactionDesk.with(async (desk) => {
    const { header } = await desk.send("m", { sysFlag: 4 | 1, flag: 9, properties: { WAIT: "true", TAGS: "TagA" } });
    assertEquals([header.queueId, header.queueOffset], [1, 0], "the queue is the one that was asked for");
    const [half] = await desk.records(HALF);
    assertEquals([textOf(half!), half!.sysFlag, half!.flag, half!.preparedTransactionOffset], ["m", 1, 9, 0]);
    assertEquals(Object.fromEntries(parseProperties(half!.properties)), {
      UNIQ_KEY: "m",
      TRAN_MSG: "true",
      PGROUP: "PG",
      WAIT: "true",
      TAGS: "TagA",
      CLUSTER: "DefaultCluster",
      REAL_TOPIC: "T",
      REAL_QID: "1",
    });
    assertEquals(await desk.delivered(), []);
  });
});

Deno.test("A commit delivers the message as it was sent, and says that the half message is done with", async () => {
  await TransactionDesk.with(async (desk) => {
    await desk.prepare("first");
    const half = await desk.prepare("m", { sysFlag: 4 | 1, flag: 9, reconsumeTimes: 2 });
    assertEquals(await desk.end(half, COMMIT), OK);
    const [before] = (await desk.records(HALF)).slice(1);
    const [message] = await desk.records("T", 1);
    const { sysFlag, flag, reconsumeTimes, preparedTransactionOffset, properties, bornTimestamp } = message!;
    assertEquals(textOf(message!), "m");
    assertEquals([sysFlag, flag, reconsumeTimes], [COMMIT | 1, 9, 2]);
    assertEquals(preparedTransactionOffset, half.commitLogOffset);
    assertEquals([properties, bornTimestamp], [before!.properties, before!.bornTimestamp]);
    const [op] = await desk.records(OP);
    assertEquals([textOf(op!), op!.properties], ["1", "WAIT\u0001true\u0002TAGS\u0001d"]);
  });
});

Deno.test("A half message counts for the half topic, and for its own once it is committed", async () => {
  await TransactionDesk.with(async (desk) => {
    const [first, second] = [await desk.prepare("first"), await desk.prepare("second")];
    await desk.end(first, COMMIT);
    await desk.end(second, ROLLBACK);
    const counted = [...desk.stats.topicsPut()].map(([topic, { nums }]) => [topic, nums]);
    assertEquals(counted, [[HALF, 2], ["T", 1]]);
    assertEquals(desk.stats.put.nums, 3);
  });
});

Deno.test("A rollback delivers nothing, and says that the half message is done with", async () => {
  await TransactionDesk.with(async (desk) => {
    assertEquals(await desk.end(await desk.prepare("m"), ROLLBACK), OK);
    assertEquals(await desk.texts(OP), ["0"]);
    await desk.pass();
    assertEquals(await desk.delivered(), []);
    assertEquals(desk.store.maxOffset(HALF, 0), 1);
  });
});

Deno.test("An unknown end changes nothing", async () => {
  await TransactionDesk.with(async (desk) => {
    assertEquals(await desk.end(await desk.prepare("m"), 0), OK);
    assertEquals([await desk.delivered(), await desk.texts(OP)], [[], []]);
  });
});

Deno.test("An end that does not fit its half message is refused, and does nothing", async () => {
  await TransactionDesk.with(async (desk) => {
    const other = await desk.prepare("other");
    const half = await desk.prepare("m");
    const plain = await put(desk.store, { topic: "Plain", properties: "PGROUP\u0001PG" });
    const refusals: [Parameters<TransactionDesk["end"]>, string][] = [
      [[half, COMMIT, "PG2"], "The producer group wrong"],
      [[half, ROLLBACK, ""], "The producer group wrong"],
      [[{ ...half, tranStateTableOffset: 0 }, COMMIT], "The transaction state table offset wrong"],
      [[{ ...half, tranStateTableOffset: -1 }, COMMIT], "The transaction state table offset wrong"],
      [[{ ...half, commitLogOffset: other.commitLogOffset }, COMMIT], "The transaction state table offset wrong"],
      [[{ ...half, commitLogOffset: half.commitLogOffset + 1 }, ROLLBACK], "Find prepared transaction message failed"],
      [[{ ...half, commitLogOffset: 2 ** 52 }, COMMIT], "Find prepared transaction message failed"],
      [[{ ...half, commitLogOffset: -8 }, COMMIT], "Find prepared transaction message failed"],
      [[{ tranStateTableOffset: 0, commitLogOffset: plain.logOffset }, COMMIT], "is no half message"],
      [[half, 7], "the field commitOrRollback is 7"],
    ];
    for (const [args, expected] of refusals) {
      const [code, remark] = await desk.end(...args);
      assertEquals(code, SYSTEM_ERROR, expected);
      assertStringIncludes(remark ?? "", expected);
    }
    assertEquals([await desk.delivered(), await desk.texts(OP)], [[], []]);
    assertEquals(await desk.end(half, COMMIT), OK);
  });
});

Deno.test("Bytes that look like a half message inside another message's body are none", async () => {
  await TransactionDesk.with(async (desk) => {
    const half = await desk.prepare("m");
    const bytes = (await desk.store.fetchRecord(half.commitLogOffset))!.slice();
    // Where the body of the next message begins can be known beforehand.
    const first = await put(desk.store, { topic: "Trap", body: bytes, properties: "" });
    const commitLogOffset = first.logOffset + 2 * first.size - bytes.length - "Trap".length - 3;
    new DataView(bytes.buffer).setBigInt64(PHYSICAL_OFFSET_AT, BigInt(commitLogOffset));
    await put(desk.store, { topic: "Trap", body: bytes, properties: "" });
    assertEquals(await desk.store.fetchRecord(commitLogOffset), bytes, "the trap is not where the test thinks it is");
    const [code, remark] = await desk.end({ ...half, commitLogOffset }, COMMIT);
    assertEquals(code, SYSTEM_ERROR);
    assertStringIncludes(remark ?? "", "The commit log offset wrong");
    assertEquals(await desk.delivered(), []);
  });
});

Deno.test("A committed message with a delay level waits for it; the half message itself does not", async () => {
  await TransactionDesk.with(async (desk) => {
    const half = await desk.prepare("m", { properties: { DELAY: "3" } });
    assertEquals(await desk.texts(HALF), ["m"]);
    assertEquals(await desk.end(half, COMMIT), OK);
    assertEquals([await desk.delivered(), await desk.texts("SCHEDULE_TOPIC_XXXX", 2)], [[], ["m"]]);
  });
});

Deno.test("A half message whose commit could never be stored is refused", async () => {
  await TransactionDesk.with(async (desk) => {
    const { code, remark } = await desk.send("m", { properties: { DELAY: "soon" } });
    assertEquals([code, remark], [
      ResponseCode.MESSAGE_ILLEGAL,
      "the property DELAY is soon, allowed is a whole number",
    ]);
    assertEquals(desk.store.maxOffset(HALF, 0), 0);
  });
});

Deno.test("A message that an old consumer sends again is no half message, though the one that failed was", async () => {
  await TransactionDesk.with(async (desk) => {
    const again = await desk.send("m", { reconsumeTimes: 1, properties: { DELAY: "3" } });
    assertEquals([again.code, await desk.texts(HALF), await desk.texts("SCHEDULE_TOPIC_XXXX", 2)], [SUCCESS, [], [
      "m",
    ]]);
    await desk.prepare("half", { reconsumeTimes: 1 });
    assertEquals(await desk.texts(HALF), ["half"]);
  });
});

Deno.test("A broker with rejectTransactionMessage refuses half messages", async () => {
  await TransactionDesk.with(async (desk) => {
    const { code, remark } = await desk.send("m");
    assertEquals(code, NO_PERMISSION);
    assertStringIncludes(remark ?? "", "sending transaction message is forbidden");
    assertEquals((await desk.send("plain", { properties: { TRAN_MSG: "false" } })).code, SUCCESS);
  }, { rejectTransactionMessage: true });
});

Deno.test("A slave ends no transactions", async () => {
  await TransactionDesk.with(async (desk) => {
    const [code, remark] = await desk.end({ tranStateTableOffset: 0, commitLogOffset: 0 }, COMMIT);
    assertEquals(code, SLAVE_NOT_AVAILABLE);
    assert(remark !== undefined);
  }, { brokerRole: "SLAVE" });
});

Deno.test("An end that cannot be stored is not acknowledged", async () => {
  await TransactionDesk.with(async (desk) => {
    const halves = [await desk.prepare("a"), await desk.prepare("b")];
    desk.bench.disk.failWriteIn = 1;
    assertEquals((await desk.end(halves[0]!, COMMIT))[0], ResponseCode.SERVICE_NOT_AVAILABLE);
    assertEquals((await desk.end(halves[1]!, ROLLBACK))[0], ResponseCode.SERVICE_NOT_AVAILABLE);
  });
});

Deno.test("With SYNC_FLUSH a commit is acknowledged when its message is safe; a rollback and WAIT=false do not wait", async () => {
  const expected = [["true", COMMIT, ResponseCode.SERVICE_NOT_AVAILABLE], ["false", COMMIT, SUCCESS], [
    "true",
    ROLLBACK,
    SUCCESS,
  ]] as const;
  for (const [WAIT, end, code] of expected) {
    await TransactionDesk.with(async (desk) => {
      const half = await desk.prepare("m", { properties: { WAIT } });
      desk.bench.disk.failSyncIn = 1;
      assertEquals((await desk.end(half, end))[0], code, `WAIT=${WAIT}, end ${end}`);
    }, { flushDiskType: "SYNC_FLUSH" });
  }
});

Deno.test("What only the broker says of a half message is not taken from its sender", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    const said = { TRAN_PREPARED_QUEUE_OFFSET: "0", TRANSACTION_CHECK_TIMES: "99", REAL_TOPIC: OP, REAL_QID: "0" };
    await desk.prepare("m", { properties: said });
    const [half] = await desk.records(HALF);
    assertEquals(
      half!.properties.split("\x02").map((property) => property.replace("\x01", "=")),
      ["UNIQ_KEY=m", "TRAN_MSG=true", "PGROUP=PG", "CLUSTER=DefaultCluster", "REAL_TOPIC=T", "REAL_QID=1"],
    );
    await desk.pass();
    const [check] = producer.checks;
    assertEquals(await desk.end(check!, COMMIT), OK);
    assertEquals([await desk.delivered(), await desk.texts(OP)], [["m"], ["1"]]);
  });
});

Deno.test("No message of a client gets into the queues of half messages and of their ends", async () => {
  await TransactionDesk.with(async (desk) => {
    for (const topic of [HALF, OP]) {
      for (const TRAN_MSG of ["true", ""]) {
        for (const batch of [false, true]) {
          const { code } = await desk.send("0", { topic, queueId: 0, batch, properties: { TRAN_MSG, TAGS: "d" } });
          assertEquals(code, NO_PERMISSION, `${topic}, TRAN_MSG=${TRAN_MSG}, batch=${batch}`);
        }
      }
    }
    const properties = { TRAN_MSG: "", DELAY: "1", REAL_TOPIC: OP, REAL_QID: "0" };
    assertEquals((await desk.send("0", { properties })).code, SUCCESS);
    const [delayed] = await desk.records("SCHEDULE_TOPIC_XXXX");
    assertEquals([delayed!.properties.includes(OP), desk.store.maxOffset(HALF, 0)], [false, 0]);
    assertEquals(desk.store.maxOffset(OP, 0), 0);
  });
});
