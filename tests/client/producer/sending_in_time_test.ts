/**
 * Sends that take no longer than they may and never go out later, whatever hangs: nameserver, heartbeats, the broker's
 * reading; whoever sets the clock.
 *
 * @module
 */
import { Producer } from "../../../src/client/producer/producer.ts";
import { AwaitedReplies } from "../../../src/client/producer/requests.ts";
import { TransactionProducer } from "../../../src/client/producer/transactions.ts";
import { RocketdError } from "../../../src/errors.ts";
import { encodeTopicRoute } from "../../../src/protocol/bodies/mod.ts";
import { Flag, ResponseCode } from "../../../src/protocol/codes.ts";
import { GetRouteinfoByTopic, HeartBeat, SendMessageV2 } from "../../../src/protocol/requests.ts";
import { HandlerTable } from "../../../src/remoting/handlers.ts";
import { assertEquals, assertRejects } from "../../../src/std.ts";
import { frameBytes, RawPeer } from "../../remoting/raw_peer.ts";
import { serving } from "../../remoting/small_server.ts";
import { AnsweringCluster, HANGS } from "../answering_cluster.ts";

const message = { topic: "T", body: "x" };
const PATIENCE = { timeoutMs: 60_000 };

/** A nameserver that tells nothing before it is let go. */
function gated() {
  const gate = Promise.withResolvers<boolean>();
  return {
    cluster: new AnsweringCluster({ a: ResponseCode.SUCCESS }, () => gate.promise),
    letGo: () => gate.resolve(true),
  };
}

/** A cluster whose broker hears heartbeats and says nothing. */
function aloof(): AnsweringCluster {
  const handlers = new HandlerTable().on(HeartBeat, (request) => (request.hold(), undefined));
  return new AnsweringCluster({ a: ResponseCode.SUCCESS }, undefined, handlers);
}

async function codeOf(sending: Promise<unknown>, text: string): Promise<string> {
  return (await assertRejects(() => sending, RocketdError, text)).code;
}

Deno.test("A message that is given up while its route is looked for never goes out", async () => {
  const { cluster, letGo } = gated();
  await using _ = cluster;
  await using producer = new Producer({ nameservers: cluster.nameservers, ...PATIENCE });
  const given = new AbortController();
  const { signal } = given;
  const sends = [producer.send(message, { signal }), producer.sendOneWay(message, { signal })];
  given.abort();
  for (const sending of sends) assertEquals(await codeOf(sending, "given up"), "aborted");
  letGo();
  await producer.send(message);
  assertEquals(cluster.asked.length, 1);
});

Deno.test("A message whose time is over before its route is there never goes out", async () => {
  const { cluster, letGo } = gated();
  await using _ = cluster;
  await using producer = new Producer({ nameservers: cluster.nameservers, ...PATIENCE });
  const options = { timeoutMs: 20 };
  const sends = [producer.send(message, options), producer.sendOneWay(message, options)];
  const codes = await Promise.all(sends.map((sending) => codeOf(sending, "no nameserver told its route in time")));
  assertEquals(codes, ["timeout", "timeout"]);
  letGo();
  await producer.send(message);
  assertEquals(cluster.asked.length, 1);
});

Deno.test("Transactions and requests wait for heartbeats no longer than they may, and go out no more", async () => {
  await using cluster = aloof();
  const options = { nameservers: cluster.nameservers, group: "g", checkLocalTransaction: () => "commit" as const };
  await using producer = new TransactionProducer(options);
  const half = producer.sendInTransaction(message, () => "commit", { timeoutMs: 20 });
  assertEquals(await codeOf(half, "Cannot send to T"), "timeout");
  assertEquals(await codeOf(producer.request(message, { timeoutMs: 20 }), "Cannot send to T"), "timeout");
  await using other = new TransactionProducer({ ...options, ...PATIENCE });
  const given = new AbortController();
  const { signal } = given;
  const sends = [other.request(message, { signal }), other.sendInTransaction(message, () => "commit", { signal })];
  given.abort();
  for (const sending of sends) assertEquals(await codeOf(sending, "given up"), "aborted");
  assertEquals(cluster.asked, []);
});

Deno.test("A send ends in time although the clock is set back meanwhile", async () => {
  await using cluster = new AnsweringCluster({ a: HANGS });
  await using producer = new Producer({ nameservers: cluster.nameservers });
  const replies = new AwaitedReplies("me@1", new HandlerTable());
  const { now } = Date;
  try {
    const ends = [producer.send(message, { timeoutMs: 50 }), replies.ask("T", 50).reply];
    Date.now = () => now() - 3_600_000;
    for (const end of ends) assertEquals(await codeOf(end, "Cannot"), "timeout");
  } finally {
    Date.now = now;
  }
});

/** Runs with a nameserver that names one broker `a`, and with what connects to that one. */
async function withRawBroker(work: (nameservers: string, peers: AsyncIterator<RawPeer>) => Promise<void>) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const body = encodeTopicRoute({
    queueDatas: [{ brokerName: "a", readQueueNums: 1, writeQueueNums: 1, perm: 6, topicSysFlag: 0 }],
    brokerDatas: [{ brokerName: "a", cluster: "C", brokerAddrs: new Map([[0, `127.0.0.1:${listener.addr.port}`]]) }],
    filterServerTable: new Map(),
  });
  const handlers = new HandlerTable().on(GetRouteinfoByTopic, () => ({ code: ResponseCode.SUCCESS, body }));
  const peers = async function* () {
    for await (const conn of listener) yield new RawPeer(conn);
  };
  await serving(handlers, (server) => work(`127.0.0.1:${server.port}`, peers()));
}

Deno.test("A broker whose answers cannot be read is tried as often as one that gives none", async () => {
  await withRawBroker(async (nameservers, peers) => {
    await using producer = new Producer({ nameservers, ...PATIENCE });
    const sending = codeOf(producer.send(message), "(tried 3 times: a, a, a)");
    using peer = (await peers.next()).value as RawPeer;
    for (let sends = 0; sends < 3;) {
      const { header: { code, opaque } } = (await peer.read())!;
      const isSend = code === SendMessageV2.code;
      if (isSend) sends++;
      const extra = isSend ? [["msgId", "ID"], ["queueId", "none"], ["queueOffset", "none"]] as const : [];
      await peer.write(frameBytes({ opaque, flag: Flag.ANSWER, extra: new Map(extra) }));
    }
    assertEquals(await sending, "malformed");
  });
});

Deno.test({
  name: "A broker that does not read keeps no one-way message waiting for ever, and no producer from closing",
  // Before Deno 2.9 the write that hangs ends only when its peer has gone, which nobody here hears of.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await withRawBroker(async (nameservers, peers) => {
      const producer = new Producer({ nameservers, timeoutMs: 50, foldAbove: Infinity });
      const body = new Uint8Array(4_000_000);
      const sends = Array.from({ length: 20 }, () => producer.send({ topic: "T", body }, PATIENCE));
      const ends = Promise.allSettled(sends);
      using peer = (await peers.next()).value as RawPeer;
      await peer.conn.read(new Uint8Array(1));
      const oneWay = producer.sendOneWay(message);
      assertEquals(await codeOf(oneWay, "did not read what was sent before"), "timeout");
      await producer.close();
      assertEquals(new Set((await ends).map(({ status }) => status)), new Set(["rejected"]));
    });
  },
});
