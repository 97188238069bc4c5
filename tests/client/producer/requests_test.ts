/**
 * Requests and their replies through a broker, and waiting in vain.
 *
 * @module
 */
import { ReceivedMessage } from "../../../src/client/message.ts";
import { Producer } from "../../../src/client/producer/producer.ts";
import { AwaitedReplies } from "../../../src/client/producer/requests.ts";
import { RocketdError } from "../../../src/errors.ts";
import type { MessageRecord } from "../../../src/protocol/message_record.ts";
import { HandlerTable } from "../../../src/remoting/handlers.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "../../../src/std.ts";
import { OwnCluster } from "../own_cluster.ts";

const TOPIC = "Requests";

/** The next `count` requests in the topic, as whoever consumes them sees them. */
async function requests(cluster: OwnCluster, count: number): Promise<ReceivedMessage[]> {
  await cluster.bodies(TOPIC, count);
  return (await cluster.stored(TOPIC)).map((record: MessageRecord) => new ReceivedMessage(record, "broker-t"));
}

Deno.test("Each request gets its own reply, large ones too", async () => {
  await using cluster = await OwnCluster.start();
  const { nameservers } = cluster;
  await using asker = new Producer({ nameservers, group: "askers" });
  await using replier = new Producer({ nameservers, group: "repliers" });
  const bodies = Array.from({ length: 20 }, (_, i) => `q${i}`);
  const replies = bodies.map((body) => asker.request({ topic: TOPIC, body }, { timeoutMs: 10_000 }));
  for (const question of (await requests(cluster, 20)).reverse()) {
    const body = `${question.text()}!`.padEnd(10_000, ".");
    const sent = await replier.reply(question, { body, tag: "t", properties: { mine: "yes" } });
    assertEquals([sent.status, sent.queue.topic], ["SEND_OK", "DefaultCluster_REPLY_TOPIC"]);
  }
  for (const [i, reply] of (await Promise.all(replies)).entries()) {
    assertEquals(reply.text().replaceAll(".", ""), `q${i}!`);
    assertEquals([reply.topic, reply.tag, reply.properties.get("mine")], ["DefaultCluster_REPLY_TOPIC", "t", "yes"]);
    assertEquals([reply.queueOffset, reply.bornHost.split(":")[0]], [-1, "127.0.0.1"]);
  }
});

Deno.test("A request waits for its reply no longer than it may, and a late reply harms nobody", async () => {
  await using cluster = await OwnCluster.start();
  const { nameservers } = cluster;
  await using asker = new Producer({ nameservers, group: "askers" });
  // Makes the topic, so that the requests have all their time for their replies.
  await asker.send({ topic: TOPIC, body: "first" });
  const asking = [1200, 1000].map((timeoutMs) => asker.request({ topic: TOPIC, body: "x" }, { timeoutMs }));
  for (const end of await Promise.allSettled(asking)) {
    const { code, message } = (end as PromiseRejectedResult).reason;
    assertEquals(code, "timeout");
    assertStringIncludes(message, "Cannot get a reply from Requests");
  }
  const late = (await requests(cluster, 3)).find((message) => message.text() === "x");
  assertEquals((await asker.reply(late!, { body: "late" })).status, "SEND_OK");
});

Deno.test("A reply to an asker that has gone is refused", async () => {
  await using cluster = await OwnCluster.start();
  const { nameservers } = cluster;
  const asker = new Producer({ nameservers, group: "askers" });
  const asking = asker.request({ topic: TOPIC, body: "x" }, { timeoutMs: 10_000 });
  const failing = assertRejects(() => asking, RocketdError, "the producer is closed");
  const [question] = await requests(cluster, 1);
  await asker.close();
  assertEquals((await failing).code, "unavailable");
  await using replier = new Producer({ nameservers });
  const error = await assertRejects(() => replier.reply(question!, { body: "y" }), RocketdError, "not found");
  assertEquals(error.code, "refused");
});

Deno.test("A request that is forgotten leaves no timer behind", () => {
  const replies = new AwaitedReplies("me@1", new HandlerTable());
  const [one, other] = [replies.ask("T", 60_000), replies.ask("T", 30_000)];
  assertEquals(one.properties["REPLY_TO_CLIENT"], "me@1");
  other.forget();
  one.forget();
});

Deno.test("A request can be given up", async () => {
  await using cluster = await OwnCluster.start();
  await using asker = new Producer({ nameservers: cluster.nameservers });
  const given = new AbortController();
  const asking = asker.request({ topic: TOPIC, body: "x" }, { timeoutMs: 60_000, signal: given.signal });
  await cluster.bodies(TOPIC, 1);
  given.abort();
  assertEquals((await assertRejects(() => asking, RocketdError)).code, "aborted");
});

Deno.test("A message that is no request cannot be replied to", async () => {
  await using cluster = await OwnCluster.start();
  await using producer = new Producer({ nameservers: cluster.nameservers });
  await producer.send({ topic: TOPIC, body: "x" });
  const [message] = await requests(cluster, 1);
  const error = await assertRejects(() => producer.reply(message!, { body: "y" }), RocketdError, "it is no request");
  assertEquals(error.code, "invalidArgument");
});
