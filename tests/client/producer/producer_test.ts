/**
 * How the producer chooses brokers and what it makes of their answers, against servers in the same process.
 *
 * @module
 */
import { Producer, type ProducerOptions } from "../../../src/client/producer/producer.ts";
import { RocketdError } from "../../../src/errors.ts";
import { ResponseCode } from "../../../src/protocol/codes.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../../src/std.ts";
import { AnsweringCluster, HANGS } from "../answering_cluster.ts";
import { until } from "../scene.ts";

const { SUCCESS, SYSTEM_BUSY, MESSAGE_ILLEGAL, FLUSH_DISK_TIMEOUT } = ResponseCode;
const message = { topic: "T", body: "x" };

Deno.test("Producer sends to all queues in turn", async () => {
  await using cluster = new AnsweringCluster({ a: SUCCESS, b: SUCCESS });
  await using producer = new Producer({ nameservers: cluster.nameservers });
  for (let i = 0; i < 8; i++) await producer.send(message);
  const counts = ["a/0", "a/1", "b/0", "b/1"].map((queue) => cluster.asked.filter((asked) => asked === queue).length);
  assertEquals(counts, [2, 2, 2, 2]);
  assertEquals(cluster.topics, ["T"]);
});

Deno.test("Producer tries another broker when one is busy", async () => {
  await using cluster = new AnsweringCluster({ a: SYSTEM_BUSY, b: SUCCESS });
  await using producer = new Producer({ nameservers: cluster.nameservers });
  for (let i = 0; i < 4; i++) assertEquals((await producer.send(message)).queue.brokerName, "b");
});

Deno.test("Producer keeps to the queue of a key, even when it fails", async () => {
  await using cluster = new AnsweringCluster({ a: SYSTEM_BUSY, b: SUCCESS });
  await using producer = new Producer({ nameservers: cluster.nameservers, retries: 1 });
  // Of four queues a/0, a/1, b/0, b/1 these are the hash codes 1 and 2.
  await assertRejects(() => producer.send(message, { by: 1 }), RocketdError, "SYSTEM_BUSY");
  assertEquals((await producer.send(message, { by: 2 })).queue, { topic: "T", brokerName: "b", queueId: 0 });
  await producer.sendOneWay(message, { to: (queues) => queues[3]! });
  await producer.send(message, { to: { brokerName: "b", queueId: 0 } });
  assertEquals(cluster.asked, ["a/1", "a/1", "b/0", "b/1", "b/0"]);
});

Deno.test("Producer gives up after its retries with the last refusal", async () => {
  await using cluster = new AnsweringCluster({ a: SYSTEM_BUSY });
  await using producer = new Producer({ nameservers: cluster.nameservers, retries: 3 });
  const error = await assertRejects(() => producer.send(message), RocketdError, "SYSTEM_BUSY (2) told so");
  assertEquals([error.code, error.details.responseCode, cluster.asked.length], ["refused", SYSTEM_BUSY, 4]);
});

Deno.test("Producer does not repeat what no broker would take", async () => {
  await using cluster = new AnsweringCluster({ a: MESSAGE_ILLEGAL, b: MESSAGE_ILLEGAL });
  await using producer = new Producer({ nameservers: cluster.nameservers });
  await assertRejects(() => producer.send(message), RocketdError, "MESSAGE_ILLEGAL (13)");
  assertEquals(cluster.asked.length, 1);
});

Deno.test("Producer says of a stored message that the disk was not waited for", async () => {
  await using cluster = new AnsweringCluster({ a: FLUSH_DISK_TIMEOUT });
  await using producer = new Producer({ nameservers: cluster.nameservers });
  const { status, queueOffset, offsetMessageId } = await producer.send(message);
  assertEquals([status, queueOffset, offsetMessageId], ["FLUSH_DISK_TIMEOUT", 5, "ID"]);
});

Deno.test("Producer tries another broker when one stored without waiting, if that is wanted", async () => {
  await using cluster = new AnsweringCluster({ a: FLUSH_DISK_TIMEOUT, b: SUCCESS });
  const options = { nameservers: cluster.nameservers, retryAnotherBrokerWhenNotStoreOK: true };
  await using producer = new Producer(options);
  for (let i = 0; i < 4; i++) assertEquals((await producer.send(message)).status, "SEND_OK");
  assert(cluster.asked.some((asked) => asked.startsWith("a/")));
});

Deno.test("Producer gives the last result when no broker waited for its disk", async () => {
  await using cluster = new AnsweringCluster({ a: FLUSH_DISK_TIMEOUT, b: FLUSH_DISK_TIMEOUT });
  const options = { nameservers: cluster.nameservers, retryAnotherBrokerWhenNotStoreOK: true };
  await using producer = new Producer(options);
  assertEquals((await producer.send(message)).status, "FLUSH_DISK_TIMEOUT");
  assertEquals(cluster.asked.length, 3);
});

Deno.test("Producer stores a message with a key once, whatever was waited for", async () => {
  await using cluster = new AnsweringCluster({ a: FLUSH_DISK_TIMEOUT, b: SUCCESS });
  const options = { nameservers: cluster.nameservers, retryAnotherBrokerWhenNotStoreOK: true };
  await using producer = new Producer(options);
  assertEquals((await producer.send(message, { by: 0 })).status, "FLUSH_DISK_TIMEOUT");
  assertEquals(cluster.asked, ["a/0"]);
});

Deno.test("Producer gives what one broker stored when the next one refuses", async () => {
  const codes = { a: FLUSH_DISK_TIMEOUT, b: MESSAGE_ILLEGAL };
  await using cluster = new AnsweringCluster(codes);
  const options = { nameservers: cluster.nameservers, retryAnotherBrokerWhenNotStoreOK: true };
  await using producer = new Producer(options);
  const ends = await Promise.allSettled(Array.from({ length: 4 }, () => producer.send(message)));
  // Two begin with a, and are stored there; two begin with b, which no other broker is asked after.
  assertEquals(ends.map(({ status }) => status).sort(), ["fulfilled", "fulfilled", "rejected", "rejected"]);
});

Deno.test("Producer repeats after the codes that it is told", async () => {
  await using cluster = new AnsweringCluster({ a: MESSAGE_ILLEGAL, b: SUCCESS });
  const options = { nameservers: cluster.nameservers, retryResponseCodes: [MESSAGE_ILLEGAL] };
  await using producer = new Producer(options);
  for (let i = 0; i < 4; i++) assertEquals((await producer.send(message)).queue.brokerName, "b");
});

Deno.test("Producer passes over a broker that failed, if that is wanted", async () => {
  await using cluster = new AnsweringCluster({ a: SYSTEM_BUSY, b: SUCCESS });
  await using producer = new Producer({ nameservers: cluster.nameservers, sendLatencyFaultEnable: true });
  for (let i = 0; i < 8; i++) await producer.send(message);
  assertEquals(cluster.asked.filter((asked) => asked.startsWith("a/")).length, 1);
});

Deno.test("Producer does not pass over brokers that refused what none would take", async () => {
  const codes: Record<string, number> = { a: MESSAGE_ILLEGAL, b: SUCCESS };
  await using cluster = new AnsweringCluster(codes);
  await using producer = new Producer({ nameservers: cluster.nameservers, sendLatencyFaultEnable: true });
  await assertRejects(() => producer.send(message, { to: { brokerName: "a", queueId: 0 } }), RocketdError);
  codes["a"] = SUCCESS;
  for (let i = 0; i < 4; i++) await producer.send(message);
  // Not how often: one that is slow just now is passed over.
  assert(cluster.asked.slice(1).some((asked) => asked.startsWith("a/")));
});

Deno.test("Producer turns to another broker when one has gone", async () => {
  await using cluster = new AnsweringCluster({ a: SUCCESS, b: SUCCESS });
  await using producer = new Producer({ nameservers: cluster.nameservers });
  await producer.send(message);
  await cluster.stopBroker(0);
  for (let i = 0; i < 4; i++) assertEquals((await producer.send(message)).queue.brokerName, "b");
});

Deno.test("Producer sends along the last known routes while no nameserver is there", async () => {
  await using cluster = new AnsweringCluster({ a: SYSTEM_BUSY, b: SUCCESS });
  await using producer = new Producer({ nameservers: cluster.nameservers });
  await producer.send(message);
  await cluster.stopNameserver();
  for (let i = 0; i < 4; i++) assertEquals((await producer.send(message)).queue.brokerName, "b");
});

Deno.test("Producer waits for a broker that hangs no longer than it may", async () => {
  const codes = { a: SUCCESS as number };
  await using cluster = new AnsweringCluster(codes);
  await using producer = new Producer({ nameservers: cluster.nameservers });
  // So that the way is known, and costs nothing of the time.
  await producer.send(message);
  codes.a = HANGS;
  const error = await assertRejects(() => producer.send(message, { timeoutMs: 200 }), RocketdError, "within");
  await until(() => cluster.asked.length >= 2);
  assertEquals([error.code, cluster.asked.length], ["timeout", 2]);
});

Deno.test("Producer gives a send up when its signal says so", async () => {
  await using cluster = new AnsweringCluster({ a: HANGS });
  await using producer = new Producer({ nameservers: cluster.nameservers });
  const given = new AbortController();
  const sending = producer.send(message, { signal: given.signal });
  given.abort(new Error("enough"));
  const error = await assertRejects(() => sending, RocketdError, "given up");
  assertEquals([error.code, (error.cause as Error).message], ["aborted", "enough"]);
  await assertRejects(() => producer.send(message, { signal: AbortSignal.abort() }), RocketdError, "given up");
});

Deno.test("Producer borrows the template's route for a topic that is not there yet", async () => {
  await using cluster = new AnsweringCluster({ a: SUCCESS }, (topic) => topic === "TBW102");
  await using producer = new Producer({ nameservers: cluster.nameservers });
  assertEquals((await producer.send(message)).queue.topic, "T");
  assertEquals(cluster.topics, ["T", "TBW102"]);
});

Deno.test("Producer refuses a topic that nobody has or would create", async () => {
  await using cluster = new AnsweringCluster({ a: SUCCESS }, () => false);
  await using producer = new Producer({ nameservers: cluster.nameservers });
  assertEquals((await assertRejects(() => producer.send(message), RocketdError, "topic T")).code, "notFound");
});

Deno.test("Producer refuses batches of nothing and of several topics", async () => {
  await using producer = new Producer({ nameservers: "127.0.0.1:1" });
  for (const batch of [[], [message, { topic: "U", body: "y" }]]) {
    assertEquals((await assertRejects(() => producer.sendBatch(batch), RocketdError)).code, "invalidArgument");
  }
});

Deno.test("Producer refuses options that cannot be, by their names", async () => {
  const nameservers = "127.0.0.1:1";
  const bad: Partial<ProducerOptions>[] = [
    ...[{ group: "" }, { group: "no group!" }, { group: "g".repeat(256) }, { retries: NaN }, { retries: -1 }],
    ...[NaN, 0, -1, Infinity, 2 ** 31].flatMap((ms) => [{ timeoutMs: ms }, { heartbeatBrokerIntervalMs: ms }]),
    ...[{ maxMessageSize: NaN }, { maxMessageSize: 2 ** 30 }, { foldAbove: NaN }],
  ];
  for (const options of bad) {
    const error = assertThrows(() => new Producer({ nameservers, ...options }), RocketdError);
    assertEquals([error.code, error.details.field], ["invalidArgument", Object.keys(options)[0]]);
  }
  await using producer = new Producer({ nameservers, foldAbove: Infinity });
  for (const way of ["send", "sendOneWay", "request"] as const) {
    const sending = (): Promise<unknown> => producer[way](message, { timeoutMs: Infinity });
    await assertRejects(sending, RocketdError, "Cannot use timeoutMs Infinity: allowed is more than 0");
  }
});

Deno.test("Producer needs a nameserver", async () => {
  const error = await assertRejects(
    () => Promise.resolve().then(() => new Producer({ nameservers: " ; " })),
    RocketdError,
  );
  assertEquals(error.code, "invalidArgument");
});

Deno.test("Producer refuses at once what would be more sends than may be under way, and sends the others", async () => {
  await using cluster = new AnsweringCluster({ a: SUCCESS });
  await using producer = new Producer({ nameservers: cluster.nameservers, backPressureForAsyncSendNum: 20 });
  for (let round = 0; round < 2; round++) {
    const sends = [
      ...Array.from({ length: 10 }, () => producer.send(message)),
      ...Array.from({ length: 10 }, () => producer.sendOneWay(message)),
      ...Array.from({ length: 5 }, () => producer.send(message)),
      ...Array.from({ length: 5 }, () => producer.sendOneWay(message)),
    ];
    const ends = await Promise.allSettled(sends);
    assertEquals(ends.map(({ status }) => status).lastIndexOf("fulfilled"), 19);
    const codes = ends.flatMap((end) => end.status === "rejected" ? end.reason.code : []);
    assertEquals(codes, Array.from({ length: 10 }, () => "unavailable"));
  }
  const most = await assertRejects(() => {
    return Promise.all(Array.from({ length: 21 }, () => producer.send(message)));
  }, RocketdError);
  assert(most.message.includes("20 sends are under way"), most.message);
});

Deno.test("Producer counts no send that has ended in any way", async () => {
  await using cluster = new AnsweringCluster({ a: HANGS }, (topic) => topic === "T");
  await using producer = new Producer({ nameservers: cluster.nameservers, backPressureForAsyncSendNum: 1, retries: 0 });
  const codes: string[] = [];
  const failed = async (sending: Promise<unknown>) => {
    codes.push((await assertRejects(() => sending, RocketdError)).code);
  };
  await failed(producer.send(message, { timeoutMs: 10 }));
  await failed(producer.send(message, { signal: AbortSignal.abort() }));
  await failed(producer.send(message, { signal: AbortSignal.timeout(10), timeoutMs: 60_000 }));
  await failed(producer.send({ ...message, topic: "U" }));
  await producer.sendOneWay(message);
  assertEquals(codes, ["timeout", "aborted", "aborted", "notFound"]);
});
