/**
 * Our producer against Java's nodes and ours, and beside Java's clients: in order by key, delayed, in transactions,
 * asking and replying, traced.
 *
 * @module
 */
import { Producer } from "../../src/client/producer/producer.ts";
import { ReceivedMessage } from "../../src/client/message.ts";
import { TransactionProducer } from "../../src/client/producer/transactions.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { storedAt } from "../client/own_cluster.ts";
import { hasJava } from "../java.ts";
import { delay, type Node } from "../launch.ts";
import { type Kind, onJavaAndOurs, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

const QUEUES = 5;
const GROUP = "interop-sdk";
const SETTINGS = { transactionTimeOut: 500, transactionCheckInterval: 500, transactionCheckMax: 100 };

/** What the scenes share. */
interface Scene {
  readonly nameservers: string;
  readonly broker: Node;
  readonly java: JavaShell;
  /** The messages of a topic as soon as there are so many: the same again after a while. */
  readonly read: (topic: string, count: number) => Promise<ReceivedMessage[]>;
}

async function inOrder({ nameservers, java }: Scene): Promise<void> {
  await using producer = new Producer({ nameservers, group: GROUP });
  const keys = ["TagA", "order-4711", "polygenelubricants", "grün🟢", 7, -7, 0, 2 ** 31, 2 ** 40 + 7, -(2 ** 40)];
  const named = keys.map((key) => typeof key === "string" ? `s:${key}` : (key | 0) === key ? `i:${key}` : `l:${key}`);
  const theirs = await java.run("sdk-send-by-key", "Sdk-keys", ...named);
  const ours = [];
  for (const by of keys) ours.push((await producer.send({ topic: "Sdk-keys", body: "x" }, { by })).queue);
  const ofOurs = ours.map(({ brokerName, queueId }) => `${brokerName}/${queueId}`);
  assertEquals(ofOurs, theirs.map(({ broker, queue }) => `${broker}/${queue}`));
  assertEquals(new Set(ours.map(({ brokerName }) => brokerName)).size, 2);
}

async function delayed({ nameservers, read }: Scene): Promise<void> {
  await using producer = new Producer({ nameservers, group: GROUP });
  await producer.send({ topic: "Sdk-delay", body: "later", delayLevel: 1 });
  const [message] = await read("Sdk-delay", 1);
  assertEquals(message!.text(), "later");
  const waited = message!.storeTimestamp - message!.bornTimestamp;
  assert(waited >= 1_000, `delivered after ${waited} ms`);
}

async function batch({ nameservers, java }: Scene): Promise<void> {
  await using producer = new Producer({ nameservers, group: GROUP });
  const bodies = ["one", "two", "x".repeat(10_000)];
  const sent = await producer.sendBatch(bodies.map((body) => ({ topic: "Sdk-batch", body, tag: "b" })), { by: "one" });
  await producer.send({ topic: "Sdk-batch", body: "y".repeat(10_000) });
  const found = await java.run("read-topic", "Sdk-batch");
  assertEquals(found.map(({ body }) => String(body)).sort(), [...bodies, "y".repeat(10_000)].sort());
  assertEquals(found.filter(({ queue }) => queue === sent.queue.queueId).length >= 3, true);
  assertEquals(found.find(({ body }) => String(body).startsWith("y"))!["sysFlag"], 1);
}

/** Bodies say what the Java member of the group answers to a check: see Transactions.java. */
async function transactions({ nameservers, java, read }: Scene): Promise<void> {
  const topic = "Sdk-transactions", group = "interop-sdk-transactions";
  const asked = new Set<string>();
  const options = {
    nameservers,
    group,
    heartbeatBrokerIntervalMs: 500,
    // Brokers may ask about any of them, where the machine is slow.
    checkLocalTransaction: (message: ReceivedMessage) => {
      const text = message.text();
      asked.add(text);
      if (text.endsWith("#heir")) return "unknown" as const;
      return text.startsWith("rollback") ? "rollback" as const : "commit" as const;
    },
  };
  /** What was delivered, as soon as there is so much: what was asked about twice may come twice. */
  const delivered = async (count: number) => {
    for (let least = count;; least++) {
      const texts = new Set((await read(topic, least)).map((message) => message.text()));
      if (texts.size >= count) return [...texts].sort();
    }
  };
  const first = new TransactionProducer(options);
  await first.sendInTransaction({ topic, body: "commit#ours" }, () => "commit");
  await first.sendInTransaction({ topic, body: "rollback#ours" }, () => "rollback");
  await first.sendInTransaction({ topic, body: "unknown-commit#asked" }, () => "unknown");
  await delivered(2);
  assert(asked.has("unknown-commit#asked"));
  // Left open, for Java's member of the group: ours does not know.
  await first.sendInTransaction({ topic, body: "unknown-rollback#heir" }, () => "unknown");
  await first.sendInTransaction({ topic, body: "unknown-commit#heir" }, () => "unknown");
  await first.close();
  await java.run("start-transactions", group);
  await delivered(3);
  await java.run("transactions", topic, group, 1, "unknown-unknown-unknown-unknown-unknown-unknown-unknown-unknown");
  await java.run("stop-transactions", group);
  await using heir = new TransactionProducer(options);
  await heir.start([topic]);
  const texts = await delivered(4);
  const theirs = texts.filter((text) => text.startsWith("unknown-unknown"));
  assertEquals(theirs.length, 1);
  assertEquals(asked.has(theirs[0]!), true);
  assertEquals(texts.filter((text) => !theirs.includes(text)), [
    "commit#ours",
    "unknown-commit#asked",
    "unknown-commit#heir",
  ]);
}

async function requests({ nameservers, java, read }: Scene): Promise<void> {
  await using producer = new Producer({ nameservers, group: "interop-sdk-asking" });
  await java.run("sdk-reply", "Sdk-requests", "interop-sdk-replier");
  const bodies = Array.from({ length: 20 }, (_, i) => `q${i}`);
  const ask = (body: string) => producer.request({ topic: "Sdk-requests", body }, { timeoutMs: 20_000 });
  const replies = await Promise.all(bodies.map(ask));
  assertEquals(replies.map((reply) => reply.text()), bodies.map((body) => `reply to ${body}`));
  const theirs = java.run("sdk-ask", "Sdk-asked", "question");
  const [question] = await read("Sdk-asked", 1);
  await producer.reply(question!, { body: `ours to ${question!.text()}`, tag: "t" });
  assertEquals((await theirs)[0], { what: "reply", body: "ours to question", tag: "t" });
}

async function traces({ nameservers, java }: Scene): Promise<void> {
  const common = { nameservers, group: "interop-sdk-traced", enableMsgTrace: true };
  const producer = new TransactionProducer({ ...common, checkLocalTransaction: () => "unknown" });
  const message = { topic: "Sdk-traced", body: "x", tag: "t", keys: ["k1", "k2"] };
  const plain = await producer.send(message);
  const ended = await producer.sendInTransaction(message, () => "commit");
  await producer.close();
  const place = { what: "trace", group: "interop-sdk-traced", topic: "Sdk-traced", tags: "t", keys: "k1 k2" };
  const pub = { ...place, type: "Pub", state: "null", success: true, retries: 0, code: 0 };
  const of = async (id: string, count: number) =>
    (await java.run("sdk-traces", "RMQ_SYS_TRACE_TOPIC", id, count)).map(({ request: _, ...trace }) => trace);
  assertEquals(await of(plain.uniqueKey, 1), [{ ...pub, kind: "Normal_Msg" }]);
  const [half, end] = (await of(ended.uniqueKey, 2)).sort((a, b) => String(b["type"]).localeCompare(String(a["type"])));
  assertEquals(half, { ...pub, kind: "Trans_Msg_Half" });
  assertEquals([end!["type"], end!["kind"], end!["state"]], ["EndTransaction", "Trans_msg_Commit", "COMMIT_MESSAGE"]);
}

const SCENES = { inOrder, delayed, batch, transactions, requests, traces };

async function exercise(kind: Kind): Promise<void> {
  await using nameserver = await startNameserver(kind);
  const nameservers = nameserver.address;
  const started = ["broker-a", "broker-b"].map((brokerName) =>
    startBroker({ namesrvAddr: nameservers, brokerName, settings: SETTINGS }, kind)
  );
  await using broker = await started[0]!;
  await using other = await started[1]!;
  await using java = await JavaShell.start("client-4.9.7", "JSON", nameservers);
  using client = new RemotingClient();
  const read = async (topic: string, count: number) => {
    for (const end = Date.now() + 60_000;;) {
      const records = await storedAt(client, broker.address, topic, QUEUES);
      if (records.length >= count) return records.map((record) => new ReceivedMessage(record, ""));
      assert(Date.now() < end, `${topic} holds ${records.length} messages, expected are ${count}`);
      await delay(50);
    }
  };
  for (const topic of ["keys", "delay", "batch", "transactions", "requests", "asked", "traced"]) {
    await java.run("create-topic", broker.address, `Sdk-${topic}`, QUEUES);
  }
  // Keys choose among the queues of both, and replies may come through either.
  for (const topic of ["keys", "requests"]) {
    await java.run("create-topic", other.address, `Sdk-${topic}`, QUEUES, QUEUES);
  }
  for (const [name, scene] of Object.entries(SCENES)) {
    await withLogs([broker, other], () => scene({ nameservers, broker, java, read })).catch((cause) => {
      throw new Error(`${name} with ${kind} nodes: ${cause instanceof Error ? cause.message : cause}`, { cause });
    });
  }
}

Deno.test({
  name: "our producer works with Java's nodes as with ours, and beside Java's clients",
  ignore: !hasJava(),
  fn: async () => {
    await onJavaAndOurs(exercise);
  },
});
