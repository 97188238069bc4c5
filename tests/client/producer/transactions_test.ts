/**
 * Transactions from their half message to their end, and the questions of brokers.
 *
 * @module
 */
import type { ReceivedMessage } from "../../../src/client/message.ts";
import { TransactionProducer, type TransactionState } from "../../../src/client/producer/transactions.ts";
import { RocketdError } from "../../../src/errors.ts";
import { ResponseCode } from "../../../src/protocol/codes.ts";
import { encodeRecord } from "../../../src/protocol/message_record.ts";
import { CheckTransactionState, EndTransaction, HeartBeat } from "../../../src/protocol/requests.ts";
import type { Connection } from "../../../src/remoting/connection.ts";
import { HandlerTable } from "../../../src/remoting/handlers.ts";
import { assertEquals, assertRejects } from "../../../src/std.ts";
import { AnsweringCluster } from "../answering_cluster.ts";
import { OwnCluster } from "../own_cluster.ts";

const TOPIC = "Transactions";
const SETTINGS = ["transactionTimeOut=100", "transactionCheckInterval=100", "transactionCheckMax=100"];
const never = (): TransactionState => {
  throw new Error("nobody should ask");
};

Deno.test("A committed message is delivered, and one that was rolled back is not", async () => {
  await using cluster = await OwnCluster.start();
  const options = { nameservers: cluster.nameservers, group: "g", checkLocalTransaction: never };
  await using producer = new TransactionProducer(options);
  for (const state of ["rollback", "commit"] as const) {
    const result = await producer.sendInTransaction({ topic: TOPIC, body: state, tag: "t" }, (sent) => {
      assertEquals([sent.status, sent.transactionId], ["SEND_OK", sent.uniqueKey]);
      return state;
    });
    assertEquals([result.state, result.failure], [state, undefined]);
  }
  assertEquals(await cluster.bodies(TOPIC, 1), ["commit"]);
});

Deno.test("A transaction that its sender left open ends as the check says, however often that fails", async () => {
  await using cluster = await OwnCluster.start(...SETTINGS);
  const asked = new Map<string, number>();
  const checkLocalTransaction = (message: ReceivedMessage): TransactionState => {
    const body = message.text(), times = (asked.get(body) ?? 0) + 1;
    asked.set(body, times);
    assertEquals([message.topic, message.tag, message.brokerName], [TOPIC, "t", "broker-t"]);
    if (body === "fails" && times === 1) throw new Error("the database is away");
    if (body === "nonsense" && times === 1) return "perhaps" as TransactionState;
    return body === "no" ? "rollback" : "commit";
  };
  const options = { nameservers: cluster.nameservers, group: "g", checkLocalTransaction };
  await using producer = new TransactionProducer(options);
  for (const body of ["yes", "no", "fails", "nonsense"]) {
    const sent = await producer.sendInTransaction({ topic: TOPIC, body, tag: "t" }, () => "unknown");
    assertEquals(sent.state, "unknown");
  }
  const failed = await producer.sendInTransaction({ topic: TOPIC, body: "thrown", tag: "t" }, () => {
    throw new Error("the work failed");
  });
  assertEquals([failed.state, (failed.failure as Error).message], ["unknown", "the work failed"]);
  assertEquals(await cluster.bodies(TOPIC, 4), ["fails", "nonsense", "thrown", "yes"]);
  assertEquals([asked.has("no"), asked.get("fails")! >= 2, asked.get("nonsense")! >= 2], [true, true, true]);
});

Deno.test("Another producer of the group is asked when the first has gone, before it sends", async () => {
  await using cluster = await OwnCluster.start(...SETTINGS);
  const common = { nameservers: cluster.nameservers, group: "g" };
  const first = new TransactionProducer({ ...common, checkLocalTransaction: () => "unknown" });
  await first.sendInTransaction({ topic: TOPIC, body: "heirloom" }, () => "unknown");
  await first.close();
  await using other = new TransactionProducer({ ...common, group: "other", checkLocalTransaction: never });
  await other.start([TOPIC]);
  await using heir = new TransactionProducer({ ...common, checkLocalTransaction: () => "commit" });
  await heir.start();
  assertEquals(await cluster.bodies(TOPIC, 1), ["heirloom"]);
});

Deno.test("A half message that disk or slave were not waited for is rolled back before any work", async () => {
  const ended = Promise.withResolvers<unknown>();
  const more = new HandlerTable().on(EndTransaction, ({ header }) => {
    ended.resolve([header.commitOrRollback, header.tranStateTableOffset, header.commitLogOffset]);
    return undefined;
  });
  await using cluster = new AnsweringCluster({ a: ResponseCode.FLUSH_SLAVE_TIMEOUT }, undefined, more);
  cluster.messageId = "7F00000100002A9F00000000000000FF";
  const options = { nameservers: cluster.nameservers, group: "g", checkLocalTransaction: never };
  await using producer = new TransactionProducer(options);
  const { state, status } = await producer.sendInTransaction({ topic: TOPIC, body: "x" }, never);
  assertEquals([state, status], ["rollback", "FLUSH_SLAVE_TIMEOUT"]);
  assertEquals(await ended.promise, [12, 5, 255]);
});

Deno.test("A question about another group's transaction is not answered", async () => {
  const known = Promise.withResolvers<Connection>(), ended = Promise.withResolvers<unknown>();
  const more = new HandlerTable().on(HeartBeat, ({ connection }) => {
    known.resolve(connection);
    return { code: ResponseCode.SUCCESS };
  }).on(EndTransaction, ({ header: { msgId, commitOrRollback, fromTransactionCheck } }) => {
    ended.resolve([msgId, commitOrRollback, fromTransactionCheck]);
    return undefined;
  });
  await using cluster = new AnsweringCluster({ a: ResponseCode.SUCCESS }, undefined, more);
  const options = { nameservers: cluster.nameservers, group: "g", checkLocalTransaction: () => "rollback" as const };
  await using producer = new TransactionProducer(options);
  await producer.start([TOPIC]);
  const broker = await known.promise;
  for (const group of ["other", "g"]) {
    const record = encodeRecord({
      ...{ queueId: 0, flag: 0, queueOffset: 1, physicalOffset: 2, sysFlag: 0, bornTimestamp: 3, storeTimestamp: 4 },
      ...{ bornHost: new Uint8Array(8), storeHost: new Uint8Array(8), reconsumeTimes: 0, preparedTransactionOffset: 0 },
      ...{ body: new Uint8Array(1), topic: TOPIC, properties: `PGROUP\u0001${group}\u0002UNIQ_KEY\u0001of-${group}` },
    });
    broker.notify(CheckTransactionState, { tranStateTableOffset: 1, commitLogOffset: 2 }, [record]);
  }
  assertEquals(await ended.promise, ["of-g", 12, true]);
});

Deno.test("A message in a transaction cannot be delayed", async () => {
  const options = { nameservers: "127.0.0.1:1", group: "g", checkLocalTransaction: never };
  await using producer = new TransactionProducer(options);
  for (const delay of [{ delayLevel: 1 }, { properties: { DELAY: "1" } }]) {
    const sending = () => producer.sendInTransaction({ topic: TOPIC, body: "x", ...delay }, never);
    await assertRejects(sending, RocketdError, "cannot be delayed");
  }
});

Deno.test("A producer cannot make itself known where nobody is", async () => {
  const options = { nameservers: "127.0.0.1:1", group: "g", checkLocalTransaction: never };
  await using producer = new TransactionProducer(options);
  assertEquals((await assertRejects(() => producer.start(), RocketdError)).code, "unavailable");
});
