/**
 * Check-backs: rounds over open transactions, on a clock that is moved by hand.
 *
 * @module
 */
import { formatMessageId } from "../../src/protocol/message_id.ts";
import { propertyOf } from "../../src/protocol/properties.ts";
import type { Permit } from "../../src/remoting/access/guard.ts";
import { Grant } from "../../src/remoting/access/permissions.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { HOST, put } from "../store/kit.ts";
import {
  type Check,
  CHECKED_OUT,
  COMMIT,
  HALF,
  OP,
  ROLLBACK,
  textOf,
  TIMEOUT,
  TransactionDesk,
} from "./transaction_desk.ts";

Deno.test("A producer of the group is asked about an open transaction, and its answer ends it", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    const stranger = desk.producer("PG2");
    await desk.prepare("m", { flag: 9, properties: { TAGS: "TagA" } });
    await desk.pass();
    const [check] = producer.checks as [Check];
    assertEquals(check.header, {
      tranStateTableOffset: 1,
      commitLogOffset: check.commitLogOffset,
      msgId: "m",
      transactionId: "m",
      offsetMsgId: formatMessageId(HOST, check.commitLogOffset),
    });
    const { topic, queueId, flag, queueOffset, physicalOffset, properties } = check.record;
    assertEquals([topic, queueId, flag, queueOffset, physicalOffset], ["T", 1, 9, 1, check.commitLogOffset]);
    assertEquals([propertyOf(properties, "TAGS"), propertyOf(properties, "TRANSACTION_CHECK_TIMES")], ["TagA", "1"]);
    assertEquals([await desk.end(check, COMMIT), await desk.delivered()], [[0, undefined], ["m"]]);
    await desk.pass();
    assertEquals([producer.asked(), stranger.asked()], [["m"], []], "it is asked once");
  });
});

Deno.test("A transaction is left alone until transactionTimeOut has passed", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    await desk.pass(60_000 - TIMEOUT);
    await desk.prepare("old");
    await desk.pass(1);
    await desk.prepare("young");
    await desk.pass(TIMEOUT - 1);
    assertEquals(producer.asked(), ["old"]);
    assertEquals(desk.progress(), [1, 0]);
    await desk.pass();
    assertEquals(producer.asked(), ["young", "old"], "in the order of the half queue");
  });
});

Deno.test("A producer that does not know yet is asked in every round, at most transactionCheckMax times", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    await desk.prepare("m");
    for (let round = 1; round <= 3; round++) {
      await desk.pass();
      assertEquals(propertyOf(producer.checks[0]!.record.properties, "TRANSACTION_CHECK_TIMES"), String(round));
      assertEquals(producer.asked(), ["m"]);
    }
    await desk.pass();
    await desk.pass();
    assertEquals([producer.asked(), await desk.delivered()], [[], []]);
    const [moved, ...others] = await desk.records(CHECKED_OUT);
    assertEquals([textOf(moved!), others.length], ["m", 0]);
    assertEquals(propertyOf(moved!.properties, "REAL_TOPIC"), "T");
    assertEquals(desk.progress(), [4, 0]);
  }, { transactionCheckMax: 3 });
});

Deno.test("A half message that is older than messages are kept is put aside unasked", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    await desk.prepare("m", { bornTimestamp: desk.bench.clock.now() - 2 * 3_600_000 });
    await desk.pass();
    assertEquals([producer.asked(), await desk.texts(CHECKED_OUT)], [[], ["m"]]);
  }, { fileReservedTime: 1 });
});

Deno.test("Without a producer a transaction waits; the next one of its group is asked", async () => {
  await TransactionDesk.with(async (desk) => {
    const dying = desk.producer();
    await desk.prepare("m");
    dying.close();
    await desk.pass();
    assertEquals(dying.asked(), []);
    const heir = desk.producer();
    await desk.pass();
    const [check] = heir.checks as [Check];
    assertEquals(propertyOf(check.record.properties, "TRANSACTION_CHECK_TIMES"), "2", "RocketMQ counts both rounds");
    assertEquals([await desk.end(check, ROLLBACK), heir.asked()], [[0, undefined], ["m"]]);
    await desk.pass();
    assertEquals([heir.asked(), await desk.delivered()], [[], []]);
  });
});

Deno.test("The producers of a group take turns, and one that does not read is passed over", async () => {
  await TransactionDesk.with(async (desk) => {
    const producers = [desk.producer(), desk.producer(), desk.producer()];
    producers[1]!.congested = true;
    for (const text of ["a", "b", "c", "d"]) await desk.prepare(text);
    await desk.pass();
    assertEquals(producers.map((producer) => producer.asked()), [["a", "c"], [], ["b", "d"]]);
    for (const producer of producers) producer.congested = true;
    await desk.pass();
    assertEquals(producers.map((producer) => producer.asked()), [[], [], []]);
    for (const producer of producers) producer.congested = false;
    await desk.pass();
    assertEquals(producers.flatMap((producer) => producer.asked()).sort(), ["a", "b", "c", "d"]);
  });
});

Deno.test("A producer whose account cannot publish such messages is not shown them", async () => {
  await TransactionDesk.with(async (desk) => {
    const permit: Permit = ([topic, needed]) => topic === "U" && needed === Grant.PUB ? undefined : "no";
    const stranger = desk.producer("PG", permit);
    await desk.prepare("secret");
    await desk.pass();
    assertEquals(stranger.asked(), []);
    const producer = desk.producer();
    for (const text of ["second", "third"]) await desk.prepare(text);
    await desk.prepare("for both", { topic: "U" });
    await desk.pass();
    const strangers = stranger.asked();
    assert(strangers.every((text) => text === "for both"), strangers.join());
    assertEquals([...producer.asked(), ...strangers].sort(), ["for both", "second", "secret", "third"]);
    producer.congested = true;
    await desk.pass();
    assertEquals(stranger.asked(), ["for both"]);
  });
});

Deno.test("CHECK_IMMUNITY_TIME_IN_SECONDS keeps a transaction from being asked about, and holds up no other", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    await desk.prepare("immune", { properties: { CHECK_IMMUNITY_TIME_IN_SECONDS: "150" } });
    await desk.prepare("other");
    const asked: string[][] = [];
    for (let round = 1; round <= 3; round++) {
      await desk.pass();
      asked.push(producer.asked());
    }
    assertEquals(asked, [["other"], ["other"], ["immune", "other"]]);
    const last = (await desk.records(HALF)).findLast((half) => textOf(half) === "immune")!;
    assertEquals(propertyOf(last.properties, "TRAN_PREPARED_QUEUE_OFFSET"), "0");
    assertEquals(propertyOf(last.properties, "TRANSACTION_CHECK_TIMES"), "1", "it was asked about once");
  });
});

Deno.test("A transaction that ends by its first offset is over, though it was stored anew since", async () => {
  for (const properties of [{}, { CHECK_IMMUNITY_TIME_IN_SECONDS: "3600" }] as Record<string, string>[]) {
    await TransactionDesk.with(async (desk) => {
      const producer = desk.producer();
      const half = await desk.prepare("m", { properties });
      await desk.pass();
      await desk.pass();
      producer.asked();
      assertEquals(await desk.end(half, COMMIT), [0, undefined]);
      await desk.pass();
      assertEquals([producer.asked(), await desk.delivered()], [[], ["m"]]);
      assertEquals(desk.progress()[0], desk.store.maxOffset(HALF, 0));
      assertEquals(desk.store.maxOffset(HALF, 0), 3, "it is not stored once more");
    });
  }
});

Deno.test("An immunity that is no number counts as none; a transaction born tomorrow is asked about", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    await desk.prepare("a", { properties: { CHECK_IMMUNITY_TIME_IN_SECONDS: "soon" } });
    await desk.prepare("b", { bornTimestamp: desk.bench.clock.now() + 86_400_000 });
    await desk.pass();
    assertEquals(producer.asked(), ["a", "b"]);
  });
});

Deno.test("After a restart everything open is asked about again, and nothing that ended", async () => {
  for (const save of [true, false]) {
    await TransactionDesk.with(async (desk) => {
      const halves = [];
      for (let i = 0; i < 100; i++) halves.push(await desk.prepare(`m${i}`));
      for (let i = 0; i < 100; i++) if (i % 10 !== 3) await desk.end(halves[i]!, i % 2 === 0 ? COMMIT : ROLLBACK);
      await desk.close({ save });
      await desk.open();
      const producer = desk.producer();
      await desk.pass();
      assertEquals(producer.asked(), Array.from({ length: 10 }, (_, i) => `m${10 * i + 3}`));
      assertEquals((await desk.delivered()).length, 50);
      assertEquals(desk.progress()[0], 100);
    });
  }
});

Deno.test("A restart in the middle goes on where the rounds had come to", async () => {
  await TransactionDesk.with(async (desk) => {
    for (const text of ["a", "b", "c"]) await desk.end(await desk.prepare(text), COMMIT);
    await desk.prepare("open");
    await desk.pass();
    await desk.pass();
    assertEquals(desk.progress(), [5, 3]);
    await desk.close();
    await desk.open();
    const producer = desk.producer();
    await desk.pass();
    assertEquals(producer.checks.map(({ record }) => propertyOf(record.properties, "TRANSACTION_CHECK_TIMES")), ["3"]);
    assertEquals([producer.asked(), desk.progress()], [["open"], [6, 3]]);
  });
});

Deno.test("Op messages are done with once their half messages are passed", async () => {
  await TransactionDesk.with(async (desk) => {
    for (let i = 0; i < 5; i++) await desk.end(await desk.prepare(`m${i}`), ROLLBACK);
    await desk.pass(60_000 - 1);
    const young = await desk.prepare("young");
    await desk.end(await desk.prepare("younger"), COMMIT);
    await desk.pass(1);
    assertEquals(desk.progress(), [5, 0], "the sixth op message is about one that is still to come");
    await desk.end(young, COMMIT);
    await desk.pass();
    assertEquals(desk.progress(), [7, 7]);
    assertEquals(await desk.delivered(), ["younger", "young"]);
  });
});

Deno.test("Rounds over many and great half messages far back in the log come to an end", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    const count = 150;
    for (let i = 0; i < count; i++) {
      const half = await desk.prepare(`m${i}`);
      if (i % 3 === 0) await desk.end(half, COMMIT);
      await put(desk.store, { topic: "Filling", body: new Uint8Array(8_000) });
    }
    await desk.close();
    await desk.open();
    const after = desk.producer();
    await desk.pass();
    const open = Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 !== 0).map((i) => `m${i}`);
    assertEquals([producer.asked(), after.asked()], [[], open]);
    assertEquals((await desk.delivered()).length, 50);
  });
});

Deno.test("Op messages that name no half message are left out", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    await desk.prepare("m");
    const op = (body: string, properties: string) =>
      put(desk.store, { topic: OP, body: new TextEncoder().encode(body), properties });
    await op("zero", "TAGS\u0001d");
    await op("0", "TAGS\u0001other");
    await op("9007199254740993", "TAGS\u0001d");
    await op("77", "TAGS\u0001d");
    await desk.pass();
    assertEquals(producer.asked(), ["m"]);
    await op("1", "TAGS\u0001d");
    await desk.pass();
    await desk.pass();
    assertEquals([producer.asked(), desk.progress()], [[], [2, 5]]);
  });
});

Deno.test("Progress that lies beyond the queues starts at their ends", async () => {
  await TransactionDesk.with(async (desk) => {
    await desk.end(await desk.prepare("a"), COMMIT);
    await desk.pass();
    assertEquals(desk.offsets.commit("CID_RMQ_SYS_TRANS", HALF, 0, 500), undefined);
    assertEquals(desk.offsets.commit("CID_RMQ_SYS_TRANS", OP, 0, 500), undefined);
    await desk.close();
    await desk.open();
    const producer = desk.producer();
    await desk.prepare("b");
    await desk.pass();
    assertEquals(producer.asked(), ["b"]);
    assertEquals(desk.offsets.commit("CID_RMQ_SYS_TRANS", HALF, 0, 0), undefined);
    await desk.pass();
    assertEquals(producer.asked(), ["a", "b", "b"], "an operator's offsets are obeyed");
  });
});

Deno.test("A half message that cannot grow by its count is put aside", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    const fill = 32_767 - "UNIQ_KEY_m_TRAN_MSG_true_PGROUP_PG_F__".length -
      "CLUSTER_DefaultCluster_REAL_TOPIC_T_REAL_QID_1".length;
    await desk.prepare("m", { properties: { F: "x".repeat(fill) } });
    await desk.pass();
    assertEquals([producer.asked(), await desk.texts(CHECKED_OUT)], [[], ["m"]]);
    assertEquals(desk.progress()[0], 1);
  });
});

Deno.test("A half message that says no group is asked about nobody, and put aside in the end", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    await desk.prepare("m", { properties: { PGROUP: "" } });
    for (let round = 0; round < 3; round++) await desk.pass();
    assertEquals([producer.asked(), await desk.texts(CHECKED_OUT)], [[], ["m"]]);
  }, { transactionCheckMax: 2 });
});

Deno.test("A slave asks about nothing", async () => {
  await TransactionDesk.with(async (desk) => {
    await desk.prepare("m");
    await desk.close();
    await desk.open({ brokerRole: "SLAVE" });
    const producer = desk.producer();
    await desk.pass();
    assertEquals([producer.asked(), desk.store.maxOffset(HALF, 0)], [[], 1]);
  });
});

Deno.test("A transaction that ends while its producers do not read is not asked about", async () => {
  await TransactionDesk.with(async (desk) => {
    const producer = desk.producer();
    producer.congested = true;
    const half = await desk.prepare("m");
    desk.bench.clock.advance(60_000);
    assertEquals(await desk.end(half, COMMIT), [0, undefined]);
    producer.congested = false;
    await desk.calm();
    assertEquals([producer.asked(), desk.store.maxOffset(HALF, 0)], [[], 1]);
  });
});

Deno.test("An immune transaction ends by its first offset after a restart too, once it was stored anew", async () => {
  await TransactionDesk.with(async (desk) => {
    const half = await desk.prepare("m", { properties: { CHECK_IMMUNITY_TIME_IN_SECONDS: "150" } });
    await desk.pass();
    await desk.close();
    await desk.open();
    await desk.pass();
    assertEquals(await desk.end(half, ROLLBACK), [0, undefined]);
    const producer = desk.producer();
    await desk.pass();
    assertEquals([producer.asked(), desk.store.maxOffset(HALF, 0)], [[], 3]);
  });
});

Deno.test("The op queue is read after a start, and not again", async () => {
  await TransactionDesk.with(async (desk) => {
    for (let i = 0; i < 100; i++) await desk.end(await desk.prepare(`m${i}`), COMMIT);
    await desk.close({ save: false });
    await desk.open();
    let reads = 0;
    const get = desk.store.get.bind(desk.store);
    desk.store.get = (topic, ...rest) => {
      if (topic === OP) reads++;
      return get(topic, ...rest);
    };
    await desk.end(await desk.prepare("last"), COMMIT);
    await desk.pass();
    assertEquals([desk.progress(), reads], [[101, 101], 0]);
  });
});
