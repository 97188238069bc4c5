/**
 * The SDK where nothing but TLS is spoken and every request is signed: at our nodes and at Java's 4.9.7. What brokers ask
 * of clients comes the same way.
 *
 * @module
 */
import {
  Admin,
  type ConnectOptions,
  LitePullConsumer,
  Producer,
  PushConsumer,
  type ReceivedMessage,
  signer,
  TransactionProducer,
} from "../../src/client/mod.ts";
import { type ErrorCode, messageOf, RocketdError } from "../../src/errors.ts";
import { assert, assertEquals, assertRejects } from "../../src/std.ts";
import { hasTools } from "../cache.ts";
import { Authority, type Pair } from "../certificates.ts";
import { answerScenes } from "../client/answer_scenes.ts";
import { orderlyScenes } from "../client/consumer/push_scenes.ts";
import { numbered, Scene, type SceneAccess, type Step, until } from "../client/scene.ts";
import { hasJava } from "../java.ts";
import { startJavaNameserver, startRocketd } from "../launch.ts";
import { startSecured } from "./accounts.ts";
import { type Kind, onJavaAndOurs, withLogs } from "./cluster.ts";

const ACCOUNTS = `
accounts:
- accessKey: sdk-admin
  secretKey: secret-of-admin
  admin: true
- accessKey: sdk-member
  secretKey: secret-of-member
  admin: false
  defaultTopicPerm: PUB|SUB
  defaultGroupPerm: PUB|SUB
- accessKey: sdk-reader
  secretKey: secret-of-reader
  admin: false
  defaultTopicPerm: SUB
  defaultGroupPerm: SUB
`;
/** So that retries come soon, transactions are asked for soon, and SQL92 is evaluated. */
const SETTINGS = {
  messageDelayLevel: "1s 1s 1s 1s 1s 1s",
  enablePropertyFilter: true,
  transactionTimeOut: 500,
  transactionCheckInterval: 500,
  transactionCheckMax: 100,
};
/** For sends, on machines where Java's nodes are slow at first. */
const PATIENCE_MS = 30_000;
/** Longer than the test: what comes sooner has another reason. */
const NEVER_MS = 600_000;
/** Attempts that a send makes at most: Java's default. */
const TRIES_MAX = 3;

/** A cluster that lets only those in who show an account and trust its certificate. */
interface Fortress {
  readonly scene: Scene;
  readonly member: SceneAccess["member"];
  /** Certificates of somebody else. */
  readonly stranger: Authority;
}

async function callbacks({ scene }: Fortress): Promise<void> {
  const topic = await scene.topic("Asked-back");
  const asked: string[] = [];
  await using producer = new TransactionProducer({
    ...scene.connection,
    group: `asked-back-${scene.mark}`,
    timeoutMs: PATIENCE_MS,
    checkLocalTransaction: (message) => {
      asked.push(message.text());
      return message.text().includes("commit") ? "commit" : "rollback";
    },
  });
  await producer.sendInTransaction({ topic, body: "rolled back" }, () => "rollback");
  await producer.sendInTransaction({ topic, body: "left to roll back" }, () => "unknown");
  await producer.sendInTransaction({ topic, body: "left to commit" }, () => "unknown");
  await producer.sendInTransaction({ topic, body: "committed" }, () => "commit");
  const subscriptions = { [topic]: "*" };
  const options = { ...scene.connection, group: `reader-${scene.mark}`, subscriptions, from: "first" } as const;
  await using consumer = new LitePullConsumer(options);
  // A set: brokers ask although they were told when an answer takes long, and then commit twice.
  const found = new Set<string>();
  await until(async () => {
    for (const message of await consumer.poll(100)) found.add(message.text());
    return found.size >= 2;
  }, "what was committed");
  await until(() => asked.includes("left to roll back"), "a question about a transaction");
  assertEquals([...found].sort(), ["committed", "left to commit"]);
}

async function sends({ scene }: Fortress): Promise<void> {
  const topic = await scene.topic("Sent");
  const { producer } = scene;
  const long = "long ".repeat(4_000);
  await producer.send({ topic, body: long });
  await producer.sendBatch([{ topic, body: "b0" }, { topic, body: "b1" }]);
  await producer.sendOneWay({ topic, body: "one way" });
  await producer.send({ topic, body: "delayed", delayLevel: 1 });
  const subscriptions = { [topic]: "*" };
  const group = `replier-${scene.mark}`;
  await using consumer = new LitePullConsumer({ ...scene.connection, group, subscriptions, from: "first" });
  const found: ReceivedMessage[] = [];
  await until(async () => found.push(...await consumer.poll(100)) >= 5, "what was sent");
  assertEquals(found.map((message) => message.text()).sort(), [long, "b0", "b1", "one way", "delayed"].sort());
  const [queue] = await consumer.fetchMessageQueues(topic);
  await consumer.seek(queue!, 1);
  assertEquals((await consumer.poll(PATIENCE_MS))[0]!.queueOffset, 1);
  await consumer.seekToEnd(queue!);
  await consumer.commit();
  assertEquals(await consumer.committed(queue!), 5);
  const asking = producer.request({ topic, body: "question" }, { timeoutMs: PATIENCE_MS });
  const [question] = await consumer.poll(PATIENCE_MS);
  await producer.reply(question!, { body: "answer" });
  assertEquals((await asking).text(), "answer");
}

/** Members look for themselves so seldom that only the broker's notice can make them share. */
async function shares({ scene }: Fortress): Promise<void> {
  const topic = await scene.topic("Shared", 4);
  const group = `shared-${scene.mark}`;
  const seen: string[] = [];
  const member = () =>
    new PushConsumer({
      ...scene.connection,
      group,
      subscriptions: { [topic]: "*" },
      from: "first",
      rebalanceIntervalMs: NEVER_MS,
      consumeConcurrently: ([message], context) => {
        seen.push(`${message!.text()}/${message!.reconsumeTimes}`);
        context.delayLevelWhenNextConsume = 1;
        return message!.text() === "m3" && message!.reconsumeTimes === 0 ? "RECONSUME_LATER" : "CONSUME_SUCCESS";
      },
    });
  const sizeOf = (consumer: PushConsumer) => consumer.assignment().filter((queue) => queue.topic === topic).length;
  await using one = member();
  await one.start();
  await until(() => sizeOf(one) === 4, "all queues");
  {
    await using two = member();
    await two.start();
    await until(() => sizeOf(one) === 2 && sizeOf(two) === 2, "half of the queues each");
    await scene.send(topic, numbered(8));
    await until(() => seen.length >= 9, "the messages");
    assertEquals(seen.toSorted(), [...numbered(8).map((text) => `${text}/0`), "m3/1"].toSorted());
  }
  await until(() => sizeOf(one) === 4, "all queues again");
  await one.commit();
  await using observer = new LitePullConsumer({ ...scene.connection, group });
  const queues = await observer.fetchMessageQueues(topic);
  assertEquals(await Promise.all(queues.map((queue) => observer.committed(queue))), [2, 2, 2, 2]);
}

async function keepsOut({ scene, member, stranger }: Fortress): Promise<void> {
  const topic = await scene.topic("Closed");
  const { nameservers, tls } = scene.connection;
  const impostor = signer({ accessKey: "sdk-member", secretKey: "secret-of-somebody" });
  const reader = signer({ accessKey: "sdk-reader", secretKey: "secret-of-reader" });
  const distrustful = { verify: "everything", trust: { path: stranger.cert } } as const;
  await allRefused(
    { nameservers, tls, sign: impostor },
    scene,
    topic,
    "refused",
    "Check signature failed for accessKey=",
  );
  await allRefused({ nameservers, ...member, tls: distrustful }, scene, topic, "unavailable", "TLS failed: ");
  const others = [
    [{ nameservers, tls }, "No accessKey is configured"],
    [{ nameservers, tls, sign: reader }, "No default permission for topic"],
    [{ nameservers, sign: member.sign }, "closed the connection before it answered"],
  ] as const;
  for (const [connection, reason] of others) {
    await using producer = new Producer({ ...connection, timeoutMs: PATIENCE_MS });
    await assertRejects(() => producer.send({ topic, body: "x" }), RocketdError, reason);
  }
}

/** Every kind of client says clearly why it cannot work, and gives up. */
async function allRefused(
  connection: ConnectOptions,
  { broker, mark }: Scene,
  topic: string,
  code: string,
  reason: string,
): Promise<void> {
  const group = `closed-${mark}`, subscriptions = { [topic]: "*" };
  const options = { ...connection, timeoutMs: PATIENCE_MS };
  let attempts = 0, transacted = false;
  const hooks = [{ beforeSend: () => void attempts++ }];
  const produce = async (work: (producer: TransactionProducer) => Promise<unknown>) => {
    attempts = 0;
    await using producer = new TransactionProducer({ ...options, group, hooks, checkLocalTransaction: () => "commit" });
    await work(producer).finally(() => assert(attempts <= TRIES_MAX && !transacted, `${attempts} attempts`));
  };
  const transact = () => {
    transacted = true;
    return "commit" as const;
  };
  const works = {
    send: () => produce((producer) => producer.send({ topic, body: "x" })),
    transaction: () => produce((producer) => producer.sendInTransaction({ topic, body: "x" }, transact)),
    producer: () => produce((producer) => producer.start([topic])),
    push: async () => {
      await using pushed = new PushConsumer({ ...connection, group, subscriptions, consumeConcurrently: () => {} });
      await pushed.start();
    },
    pull: async () => {
      await using pulled = new LitePullConsumer({ ...connection, group, subscriptions });
      await pulled.poll();
    },
    admin: async () => {
      await using admin = new Admin(options);
      const { failures: [failure] } = await admin.run("brokerStatus", { brokerAddr: broker });
      throw new RocketdError(code as ErrorCode, failure?.reason ?? "");
    },
  };
  for (const [name, work] of Object.entries(works)) {
    // Whoever is told nothing for seconds, on a slow machine, says that instead.
    await until(async () => {
      const error = await work().catch((error) => error);
      return error instanceof RocketdError && error.code === code && error.message.includes(reason);
    }, `${name}: ${code}, ${reason}`);
  }
}

async function own(_: Scene, step: Step, fortress: Fortress): Promise<void> {
  const works = { sends, callbacks, shares, keepsOut };
  for (const [name, work] of Object.entries(works)) await step(name, () => work(fortress));
}

async function exercise(kind: Kind): Promise<void> {
  await using authority = await Authority.create();
  await using stranger = await Authority.create();
  const trust = await Deno.readTextFile(authority.cert);
  const server = serving(await authority.issue("node", "IP:127.0.0.1"));
  const client = { "tls.enable": "true", "tls.client.authServer": "true", "tls.client.trustCertPath": authority.cert };
  const isJava = kind === "java";
  await using nameserver = isJava
    ? await startJavaNameserver({}, { jvm: flags(server), trust })
    : await startRocketd({ role: "nameserver", settings: server, trust });
  const namesrvAddr = nameserver.address;
  const settings = { ...SETTINGS, ...isJava ? {} : { ...server, ...client } };
  const options = { namesrvAddr, settings, jvm: flags({ ...server, ...client }), trust };
  await using secured = await startSecured(options, kind, ACCOUNTS);
  const tls = { verify: "everything", trust: { path: authority.cert } } as const;
  const admin = { tls, sign: signer({ accessKey: "sdk-admin", secretKey: "secret-of-admin" }) };
  const member = { tls, sign: signer({ accessKey: "sdk-member", secretKey: "secret-of-member" }) };
  await using scene = new Scene(namesrvAddr, secured.node.address, kind, { admin, member, trust });
  const fortress = { scene, member, stranger };
  const step = (name: string, work: () => Promise<void>) =>
    work().catch((cause) => {
      throw new Error(`${name}, with ${kind} nodes: ${messageOf(cause)}`, { cause });
    });
  await withLogs([nameserver, secured.node], async () => {
    const chains = [own, orderlyScenes, answerScenes].map((chain) => chain(scene, step, fortress));
    // All end even if one fails, so that nothing is left.
    const failed = (await Promise.allSettled(chains)).find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  });
}

/** Settings of a node that speaks nothing but TLS. */
function serving({ cert, key }: Pair): Record<string, string> {
  return { "tls.server.mode": "enforcing", "tls.server.certPath": cert, "tls.server.keyPath": key };
}

/** The same for Java's machine. */
function flags(settings: Record<string, string>): string[] {
  return ["-Dtls.test.mode.enable=false", ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)];
}

Deno.test({
  name: "our SDK works over TLS with accounts, with Java's nodes as with ours",
  ignore: !(hasTools("openssl") && hasJava()),
  fn: async () => {
    await onJavaAndOurs(exercise);
  },
});
