/**
 * What the library under the real mqadmin asks about clients and does with their offsets, topics and groups, with live
 * Java consumers of two versions.
 *
 * @module
 */
import { assertEquals, assertMatch } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import { delay, type Node } from "../launch.ts";
import { clusterKind, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell, type Report } from "./java_shell.ts";

const TOPIC = "Live", GROUP = "interop-live", OFFLINE = "interop-offline", CLONE = "interop-clone";
const TRANSACTIONS = "interop-resumed";
const EACH = 20;
/** Half messages are asked about once, not before their producer has gone, and put aside. */
const SETTINGS = { transactionTimeOut: 3000, transactionCheckInterval: 1000, transactionCheckMax: 1 };
const QUERY_OFFSET = 14, UPDATE_OFFSET = 15, MAX_OFFSET = 30, REGISTER_FILTER_SERVER = 301, CLONE_OFFSETS = 314;

/** The JVM of the administrator and of a consumer of 4.9.7, that of one of 4.1.0, and who serves them. */
interface Scene {
  readonly java: JavaShell;
  readonly old: JavaShell;
  readonly broker: Node;
}

async function admin({ java }: Scene, ...args: (string | number | boolean)[]): Promise<Report> {
  const [report] = await java.run("admin-clients", ...args);
  return report ?? { what: "nothing" };
}

async function ask({ java, broker }: Scene, code: number, fields: Record<string, string | number | boolean>) {
  const given = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  const [answer] = await java.run("ask", broker.address, code, "-", ...given);
  return answer as Report & { code: number; fields: Record<string, string> };
}

/** The stored offsets of a group, by queue; 0 where there is none, since the queues are young. */
async function stored(scene: Scene, consumerGroup: string, topic = TOPIC): Promise<number[]> {
  const offsets: number[] = [];
  for (const queueId of [0, 1]) {
    const { fields } = await ask(scene, QUERY_OFFSET, { consumerGroup, topic, queueId });
    offsets.push(Number(fields["offset"]));
  }
  return offsets;
}

/** How many messages of a mark both consumers have had, those that came twice counted twice. */
async function had({ java, old }: Scene, mark: string): Promise<number[]> {
  const counts: number[] = [];
  for (const [shell, name] of [[java, "new"], [old, "old"]] as const) {
    const [report] = await shell.run("got", mark, 0, name);
    counts.push(Number(report?.["messages"]));
  }
  return counts;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!await holds()) {
    if (Date.now() > deadline) throw new Error(`never came: ${what}`);
    await delay(100);
  }
}

async function persist(scene: Scene, offsets: number[]): Promise<void> {
  await until(`offsets ${offsets}`, async () => {
    await scene.java.run("persist", "new");
    await scene.old.run("persist", "old");
    return String(await stored(scene, GROUP)) === String(offsets);
  });
}

async function connections(scene: Scene): Promise<[fresh: string, old: string]> {
  const { clients, ...group } = await admin(scene, "consumers", GROUP);
  assertEquals(group, {
    what: "consumers",
    type: "CONSUME_PASSIVELY",
    model: "CLUSTERING",
    from: "CONSUME_FROM_FIRST_OFFSET",
    topics: `[%RETRY%${GROUP}, ${TOPIC}]`,
  });
  const { 407: fresh, 232: old, ...more } = clients as Record<string, string>;
  assertEquals(more, {});
  assertMatch(fresh!, /^JAVA .+@new$/);
  assertMatch(old!, /^JAVA .+@old$/);
  await scene.java.run("create-topic", scene.broker.address, "Direct", 1);
  const producer = await admin(scene, "producers", scene.broker.address, "Direct");
  assertEquals(producer, { what: "producer", language: "JAVA", version: 407, infoLanguage: "JAVA", infoVersion: 407 });
  return [fresh!.slice(5), old!.slice(5)];
}

async function questions(scene: Scene, clients: readonly string[]): Promise<void> {
  for (const client of clients) {
    const running = await admin(scene, "running", GROUP, client);
    assertEquals([running["type"], running["queues"]], ["CONSUME_PASSIVELY", `[${TOPIC}-${EACH / 2}]`]);
    const consumed = await admin(scene, "consume", "Direct", GROUP, client);
    assertEquals(consumed, { what: "consumed", result: "CR_SUCCESS", order: false, remark: null });
    const one = await admin(scene, "status", TOPIC, GROUP, client);
    assertEquals([one["clients"], Object.values(one["offsets"] as object)], [1, [EACH / 2]]);
  }
  assertEquals(await had(scene, "direct"), [1, 1]);
  const all = await admin(scene, "status", TOPIC, GROUP);
  assertEquals([all["clients"], all["offsets"]], [2, { 0: EACH / 2, 1: EACH / 2 }]);
}

/** The clients take ten seconds over it; other things happen meanwhile. `posted`: when the first messages were there. */
async function reset(scene: Scene, posted: number, meanwhile: () => Promise<void>): Promise<void> {
  // Brokers take the message that is nearest to a time: those before it must be further away than those behind it.
  await delay(Math.max(0, posted + 5_000 - Date.now()));
  const between = Date.now();
  await scene.java.run("post", TOPIC, "second", EACH);
  await persist(scene, [EACH, EACH]);
  assertEquals(await had(scene, "second"), [EACH / 2, EACH / 2]);
  const offsets = { 0: EACH / 2, 1: EACH / 2 };
  assertEquals(await admin(scene, "reset", TOPIC, GROUP, between, true), { what: "reset", code: 0, offsets });
  await meanwhile();
  await until("the messages again", async () => String(await had(scene, "second")) === `${EACH},${EACH}`);
  assertEquals(await had(scene, "first"), [EACH / 2, EACH / 2]);
  await persist(scene, [EACH, EACH]);
}

async function offline(scene: Scene): Promise<void> {
  const isJava = clusterKind().endsWith("java");
  const refused = await admin(scene, "reset", TOPIC, OFFLINE, -1, true);
  assertEquals(refused, { what: "reset", code: 1, remark: `THe consumer group <${OFFLINE}> not exist` });
  for (const queueId of [0, 1]) {
    await ask(scene, UPDATE_OFFSET, { consumerGroup: OFFLINE, topic: TOPIC, queueId, commitOffset: 3 });
  }
  const gone = await admin(scene, "reset", TOPIC, OFFLINE, -1, true);
  assertEquals(gone["code"], 206);
  assertMatch(
    String(gone["remark"]),
    /^Consumer not online, so can not reset offset, Group: interop-offline Topic: Live/,
  );
  await admin(scene, "reset-new", OFFLINE, TOPIC, -1);
  assertEquals(await stored(scene, OFFLINE), [EACH, EACH]);

  await ask(scene, UPDATE_OFFSET, { consumerGroup: OFFLINE, topic: TOPIC, queueId: 1, commitOffset: 4 });
  // The group that is online has all, or has been set back by now, or between two questions.
  await until("the corrections", async () => {
    const before = await corrected(scene);
    const { offsets } = await admin(scene, "corrections", scene.broker.address, TOPIC, OFFLINE);
    if (JSON.stringify(before) !== JSON.stringify(await corrected(scene))) return false;
    assertEquals(offsets, { ...before, 1: 4 });
    return true;
  });
  const cloned = (destGroup: string, topic: string) =>
    ask(scene, CLONE_OFFSETS, { srcGroup: OFFLINE, destGroup, topic, offline: true });
  assertEquals((await cloned(CLONE, TOPIC)).code, 0);
  assertEquals(await stored(scene, CLONE), [EACH, 4]);
  await until("the same offsets in the clone", async () => {
    await admin(scene, "clone", GROUP, CLONE, TOPIC);
    return String(await stored(scene, CLONE)) === String(await stored(scene, GROUP));
  });
  // Java's broker clones nothing without a topic.
  assertEquals((await cloned(`${CLONE}-all`, "")).code, 0);
  assertEquals(await stored(scene, `${CLONE}-all`), isJava ? [0, 0] : [EACH, 4]);
  await admin(scene, "delete-group", scene.broker.address, OFFLINE, false);
  assertEquals(await stored(scene, OFFLINE), [EACH, 4]);
  await admin(scene, "delete-group", scene.broker.address, OFFLINE, true);
  assertEquals(await stored(scene, OFFLINE), [0, 0]);
}

async function corrected(scene: Scene): Promise<Record<string, number>> {
  return { 0: Math.min(EACH, ...(await stored(scene, GROUP)).slice(0, 1)) };
}

async function topics(scene: Scene): Promise<void> {
  const { java, broker } = scene;
  const topic = "Deleted";
  const end = async () => Number((await ask(scene, MAX_OFFSET, { topic, queueId: 0 })).fields["offset"]);
  await java.run("create-topic", broker.address, topic, 1);
  await java.run("post", topic, "before", 5);
  assertEquals(await end(), 5);
  await admin(scene, "delete-topic", broker.address, topic);
  assertEquals(await end(), 0);
  await java.run("create-topic", broker.address, topic, 1);
  await java.run("post", topic, "after", 2);
  assertEquals(await end(), 2);
  const cleaned = await admin(scene, "clean", broker.address);
  assertEquals(cleaned, { what: "cleaned", unused: true, expired: true, log: true });
  assertEquals(await end(), 2);
  // Filter servers are gone since 4.9.6.
  assertEquals((await ask(scene, REGISTER_FILTER_SERVER, { filterServerAddr: "127.0.0.1:1" })).code, 3);
}

/** A half message is put aside while its producer is away, and committed once the producer is asked again. */
async function resumed(scene: Scene): Promise<void> {
  const { java, broker } = scene;
  await java.run("create-topic", broker.address, TRANSACTIONS, 1);
  await java.run("start-transactions", TRANSACTIONS);
  await java.run("transactions", TRANSACTIONS, TRANSACTIONS, 1, "unknown-commit");
  await java.run("stop-transactions", TRANSACTIONS);
  const { id } = await admin(scene, "await-half", "broker-a");
  await java.run("start-transactions", TRANSACTIONS);
  assertEquals((await admin(scene, "resume-half", broker.address, TRANSACTIONS, String(id)))["resumed"], true);
  await until("the commit", async () => (await java.run("read-topic", TRANSACTIONS)).length > 0);
  const bodies = (await java.run("read-topic", TRANSACTIONS)).map(({ body }) => body);
  assertEquals(bodies, ["unknown-commit#0"]);
  await java.run("stop-transactions", TRANSACTIONS);
}

Deno.test({
  name: "administrators and clients",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nameserver = await startNameserver();
    const namesrvAddr = nameserver.address;
    await using broker = await startBroker({ namesrvAddr, brokerName: "broker-a", settings: SETTINGS });
    const start = (set: "server-4.9.7" | "client-4.1.0-incubating") => JavaShell.start(set, "JSON", namesrvAddr);
    const [first, second] = await Promise.all([start("server-4.9.7"), start("client-4.1.0-incubating")]);
    await using java = first;
    await using old = second;
    const scene: Scene = { java, old, broker };
    const step = (name: string, work: () => Promise<void>) => t.step(name, () => withLogs([nameserver, broker], work));

    await java.run("create-topic", broker.address, TOPIC, 2);
    await java.run("join", "new", GROUP, TOPIC);
    await old.run("join", "old", GROUP, TOPIC);
    await java.run("await-queues", "new", TOPIC, 1);
    await old.run("await-queues", "old", TOPIC, 1);
    await java.run("post", TOPIC, "first", EACH);
    const posted = Date.now();
    await persist(scene, [EACH / 2, EACH / 2]);

    let clients: [string, string] | undefined;
    await step("clients are listed", async () => {
      clients = await connections(scene);
    });
    await step("clients are asked, and handed a message", () => questions(scene, clients!));
    await step("a reset sets consumers back that are online, and other groups meanwhile", async () => {
      await reset(scene, posted, async () => {
        await offline(scene);
        await topics(scene);
        await resumed(scene);
      });
    });
  },
});
