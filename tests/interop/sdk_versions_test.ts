/**
 * The SDK at Java's nodes of the oldest and of the newest version that it promises to work with; 4.9.7 has its own
 * tests. What a version has not, ends in a clear error.
 *
 * @module
 */
import {
  Admin,
  type AdminRunOptions,
  HeaderEncoding,
  LitePullConsumer,
  Producer,
  PushConsumer,
  type ReceivedMessage,
  type Selection,
  TransactionProducer,
  type TransactionState,
} from "../../src/client/mod.ts";
import { messageOf, RocketdError } from "../../src/errors.ts";
import { assert, assertEquals, assertRejects } from "../../src/std.ts";
import { answerScenes } from "../client/answer_scenes.ts";
import { broadcastingScenes, concurrentScenes, orderlyScenes } from "../client/consumer/push_scenes.ts";
import { numbered, Scene, type Step, until } from "../client/scene.ts";
import { hasJava, type ServerVersion } from "../java.ts";
import { startJavaBroker, startJavaNameserver } from "../launch.ts";
import { withLogs } from "./cluster.ts";

/** For sends, on machines where Java's nodes are slow at first. */
const PATIENCE_MS = 30_000;
const LOG_FILE_BYTES = 16 << 20;
const SETTINGS = {
  // 4.1 spells it with one p.
  mapedFileSizeCommitLog: LOG_FILE_BYTES,
  mappedFileSizeCommitLog: LOG_FILE_BYTES,
  // So that retries and delayed messages come soon.
  messageDelayLevel: "1s 1s 1s 1s 1s 1s",
  enablePropertyFilter: true,
  timerWheelEnable: false,
  transactionTimeOut: 500,
  transactionCheckInterval: 500,
  transactionCheckMax: 100,
};

/** What a version has. */
interface Abilities {
  readonly version: ServerVersion;
  /** Whether it asks how transactions ended (since 4.3), and passes replies on (since 4.6). */
  readonly asksAndReplies: boolean;
  /** What its brokers call it. */
  readonly named: string;
}
const VERSIONS: readonly Abilities[] = [
  { version: "4.1.0-incubating", asksAndReplies: false, named: "V4_1_0_SNAPSHOT" },
  { version: "5.1.4", asksAndReplies: true, named: "V5_1_4" },
];

/** Reads a topic from its beginning until so many messages came. */
async function read(
  scene: Scene,
  topic: string,
  count: number,
  selection: Selection = "*",
): Promise<ReceivedMessage[]> {
  const group = `read-${crypto.randomUUID()}`;
  const subscriptions = { [topic]: selection };
  await using consumer = new LitePullConsumer({ nameservers: scene.nameserver, group, subscriptions, from: "first" });
  return await polled(consumer, count);
}

/** Polls until there are so many. */
async function polled(consumer: LitePullConsumer, count: number): Promise<ReceivedMessage[]> {
  const found: ReceivedMessage[] = [];
  await until(async () => found.push(...await consumer.poll(100)) >= count, `${count} messages`);
  return found;
}

const texts = (messages: readonly ReceivedMessage[]) => messages.map((message) => message.text());
const drained = async (consumer: LitePullConsumer, count: number) => texts(await polled(consumer, count));

async function sends(scene: Scene): Promise<void> {
  const topic = await scene.topic("Sent", 3);
  const { producer } = scene;
  const long = "long ".repeat(4_000);
  const sent = await producer.send({
    topic,
    body: "plain",
    tag: "t",
    keys: ["k"],
    properties: { own: "yes" },
    flag: 7,
  });
  assertEquals([sent.status, sent.queue.topic], ["SEND_OK", topic]);
  await producer.send({ topic, body: long });
  const batch = await producer.sendBatch(["b0", "b1", "b2"].map((body) => ({ topic, body })));
  assertEquals([batch.status, batch.offsetMessageId.split(",").length], ["SEND_OK", 3]);
  await producer.sendOneWay({ topic, body: "one way" });
  for (const body of numbered(5)) await producer.send({ topic, body }, { by: "key" });
  const before = Date.now();
  await producer.send({ topic, body: "delayed", delayLevel: 1 });
  const all = await read(scene, topic, 12);
  const expected = ["plain", long, "b0", "b1", "b2", "one way", ...numbered(5), "delayed"];
  assertEquals(texts(all).sort(), expected.sort());
  const find = (text: string) => all.find((message) => message.text() === text)!;
  const plain = find("plain");
  assertEquals([plain.tag, plain.keys, plain.properties.get("own"), plain.record.flag], ["t", ["k"], "yes", 7]);
  assertEquals([plain.uniqueKey, plain.offsetMessageId], [sent.uniqueKey, sent.offsetMessageId]);
  assert(find("delayed").storeTimestamp - before >= 1_000);
  const ordered = all.filter((message) => message.text().startsWith("m"));
  assertEquals([new Set(ordered.map(({ queueId }) => queueId)).size, texts(ordered)], [1, numbered(5)]);
}

async function createsTopics(scene: Scene): Promise<void> {
  const topic = `Unheard-${scene.mark}`;
  await scene.producer.send({ topic, body: "first" });
  await scene.appeared(topic);
  assertEquals(texts(await read(scene, topic, 1)), ["first"]);
}

async function transactions(scene: Scene, { asksAndReplies }: Abilities): Promise<void> {
  const topic = await scene.topic("Transactions");
  const asked: string[] = [];
  await using producer = new TransactionProducer({
    nameservers: scene.nameserver,
    group: `transactions-${scene.mark}`,
    timeoutMs: PATIENCE_MS,
    checkLocalTransaction: (message) => {
      asked.push(message.text());
      return message.text().includes("commit") ? "commit" : "rollback";
    },
  });
  for (const state of ["commit", "rollback", "unknown"] satisfies TransactionState[]) {
    const sent = await producer.sendInTransaction({ topic, body: state }, () => state);
    assertEquals([sent.status, sent.state], ["SEND_OK", state]);
  }
  await producer.sendInTransaction({ topic, body: "left to commit" }, () => "unknown");
  const committed = asksAndReplies ? ["commit", "left to commit"] : ["commit"];
  const options = { nameservers: scene.nameserver, group: `committed-${scene.mark}`, from: "first" } as const;
  await using consumer = new LitePullConsumer({ ...options, subscriptions: { [topic]: "*" } });
  // A set: brokers ask although they were told when an answer takes long, and then commit twice.
  const found = new Set<string>();
  await until(async () => {
    for (const message of await consumer.poll(100)) found.add(message.text());
    return committed.every((body) => found.has(body));
  }, "what was committed");
  assertEquals([...found].sort(), committed);
  if (asksAndReplies) await until(() => asked.includes("unknown"), "a question about a transaction");
  else assertEquals(asked, []);
}

async function requests(scene: Scene, { asksAndReplies }: Abilities): Promise<void> {
  const topic = await scene.topic("Requests");
  const { producer } = scene;
  const subscriptions = { [topic]: "*" };
  const group = `replies-${scene.mark}`;
  await using consumer = new LitePullConsumer({ nameservers: scene.nameserver, group, subscriptions, from: "first" });
  const asking = producer.request({ topic, body: "question" }, { timeoutMs: asksAndReplies ? PATIENCE_MS : 3_000 });
  asking.catch(() => {});
  const [question] = await polled(consumer, 1);
  const replying = () => producer.reply(question!, { body: "answer" });
  if (asksAndReplies) {
    await replying();
    assertEquals((await asking).text(), "answer");
  } else {
    await assertRejects(replying, RocketdError, "it has no property CLUSTER, so it is no request");
    await assertRejects(() => asking, RocketdError, "Cannot get a reply from");
  }
}

async function chooses(scene: Scene): Promise<void> {
  const topic = await scene.topic("Chosen");
  for (const n of [1, 2, 3]) {
    await scene.producer.send({ topic, tag: n === 2 ? "even" : "odd", body: `m${n}`, properties: { n: `${n}` } });
  }
  assertEquals(texts(await read(scene, topic, 2, "odd || none")), ["m1", "m3"]);
  assertEquals(texts(await read(scene, topic, 2, { sql: "n > 1" })), ["m2", "m3"]);
  await assertRejects(() => read(scene, topic, 1, { sql: "n >" }), RocketdError, "the subscription to");
}

async function pulls(scene: Scene): Promise<void> {
  const topic = await scene.topic("Pulled", 2);
  await scene.send(topic, numbered(20));
  const options = { nameservers: scene.nameserver, group: `pulled-${scene.mark}`, from: "first" } as const;
  {
    await using consumer = new LitePullConsumer({ ...options, autoCommit: false });
    await consumer.start();
    const [one] = await consumer.fetchMessageQueues(topic);
    await consumer.assign([one!]);
    await consumer.seek(one!, 7);
    assertEquals(await drained(consumer, 3), ["m14", "m16", "m18"]);
    await consumer.seekToBegin(one!);
    assertEquals((await drained(consumer, 10))[0], "m0");
    await consumer.seekToEnd(one!);
    await consumer.commit();
    assertEquals(await consumer.committed(one!), 10);
    assertEquals(await consumer.offsetForTimestamp(one!, 0), 0);
    await assertRejects(() => consumer.seek(one!, 11), RocketdError, "allowed is 0 to 10");
  }
  await using subscribed = new LitePullConsumer({ ...options, subscriptions: { [topic]: "*" } });
  assertEquals(await drained(subscribed, 10), numbered(20).filter((_, i) => i % 2 === 1));
}

/** Headers in RocketMQ's own form, which brokers of all these versions read. */
async function binary(scene: Scene): Promise<void> {
  const topic = await scene.topic("Binary");
  const common = { nameservers: scene.nameserver, encoding: HeaderEncoding.ROCKETMQ };
  await using producer = new Producer({ ...common, timeoutMs: PATIENCE_MS });
  await producer.send({ topic, body: "one" }, { by: "key" });
  await producer.sendBatch([{ topic, body: "two" }, { topic, body: "three" }]);
  const seen: string[] = [];
  await using consumer = new PushConsumer({
    ...common,
    group: `binary-${scene.mark}`,
    subscriptions: { [topic]: "*" },
    from: "first",
    consumeOrderly: (messages) => void seen.push(...texts(messages)),
  });
  await consumer.start();
  await until(() => seen.length >= 3, "what was sent");
  assertEquals(seen, ["one", "two", "three"]);
}

async function administrates(scene: Scene, { asksAndReplies, named }: Abilities): Promise<void> {
  await using admin = new Admin({ nameservers: scene.nameserver, timeoutMs: PATIENCE_MS });
  const topic = `Administrated-${scene.mark}`, group = `administrated-${scene.mark}`, brokerAddr = scene.broker;
  /** A part of what a command finds. */
  const find = async (part: string, command: string, options: AdminRunOptions = {}) => {
    const { failures, [part]: rows } = await admin.run(command, options);
    assertEquals(failures, [], command);
    return rows as Record<string, unknown>[];
  };
  await admin.run("updateTopic", { topic, brokerAddr, writeQueueNums: 2, readQueueNums: 2 });
  // Brokers tell their nameservers on their own time.
  await until(() => find("queues", "topicRoute", { topic }).then(() => true, () => false), "the route");
  assertEquals((await find("queues", "topicRoute", { topic }))[0]!["writeQueues"], 2);
  assert((await find("topics", "topicList")).some((row) => row["topic"] === topic));
  assertEquals(await find("clusters", "topicClusterList", { topic }), [{ cluster: "DefaultCluster" }]);
  await admin.run("updateSubGroup", { groupName: group, brokerAddr, retryMaxTimes: 3 });
  assertEquals((await find("configs", "getConsumerConfig", { groupName: group }))[0]!["retryMaxTimes"], 3);

  await scene.send(topic, numbered(3));
  const subscriptions = { [topic]: "*" };
  const seen: string[] = [];
  await using consumer = new PushConsumer({
    nameservers: scene.nameserver,
    group,
    subscriptions,
    from: "first",
    consumeConcurrently: (messages) => void seen.push(...texts(messages)),
  });
  await consumer.start();
  await until(() => seen.length === 3, "the messages");
  await consumer.commit();
  const sum = (rows: Record<string, unknown>[], column: string) => rows.reduce((n, row) => n + Number(row[column]), 0);
  assertEquals(sum(await find("queues", "topicStatus", { topic }), "messages"), 3);
  const progress = (await find("queues", "consumerProgress", { groupName: group })).filter((row) =>
    row["topic"] === topic
  );
  assertEquals([sum(progress, "consumerOffset"), sum(progress, "behind")], [3, 0]);
  const everyone = await find("queues", "brokerConsumeStats", { brokerAddr });
  assertEquals(sum(everyone.filter((row) => row["topic"] === topic), "consumerOffset"), 3);
  assert((await find("stats", "statsAll")).some((row) => row["topic"] === topic && row["group"] === group));
  assertEquals((await find("brokers", "clusterList")).map((row) => row["version"]), [named]);
  assert((await find("runtime", "brokerStatus", { brokerAddr })).some((row) => row["value"] === named));
  const settings = await find("settings", "getBrokerConfig", { brokerAddr });
  assertEquals(settings.find((row) => row["key"] === "enablePropertyFilter")?.["value"], "true");

  if (!asksAndReplies) {
    // It knows nothing of accounts, and brokers of 4.1 say nothing at all to what they do not know.
    await using hasty = new Admin({ nameservers: scene.nameserver, timeoutMs: 2_000 });
    const { failures } = await hasty.run("clusterAclConfigVersion", { brokerAddr });
    assertEquals(failures.map(({ reason }) => reason.includes("did not answer")), [true], JSON.stringify(failures));
  }
  await consumer.close();
  assert((await find("done", "deleteTopic", { topic, clusterName: "DefaultCluster" })).length > 0);
}

const CHAINS: readonly ((scene: Scene, step: Step, abilities: Abilities) => Promise<void>)[] = [
  async (scene, step, abilities) => {
    const own = { sends, createsTopics, transactions, requests, chooses, pulls, binary, administrates };
    for (const [name, work] of Object.entries(own)) await step(name, () => work(scene, abilities));
  },
  concurrentScenes,
  async (scene, step) => {
    for (const scenes of [orderlyScenes, broadcastingScenes, answerScenes]) await scenes(scene, step);
  },
];

async function exercise(abilities: Abilities): Promise<void> {
  const { version } = abilities;
  await using nameserver = await startJavaNameserver({}, { version });
  const namesrvAddr = nameserver.address;
  await using broker = await startJavaBroker({ namesrvAddr, version, settings: SETTINGS });
  await using scene = new Scene(namesrvAddr, broker.address, version.replaceAll(".", "_"));
  const step = (name: string, work: () => Promise<void>) =>
    work().catch((cause) => {
      throw new Error(`${name}, with ${version}: ${messageOf(cause)}`, { cause });
    });
  await withLogs([nameserver, broker], () => all(CHAINS.map((chain) => chain(scene, step, abilities))));
}

/** Waits for all even if one fails, so that nothing is left. */
async function all(works: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

Deno.test({
  name: "our SDK works with Java's nodes of 4.1.0 and of 5.1.4",
  ignore: !hasJava(),
  fn: () => all(VERSIONS.map(exercise)),
});
