import { assertEquals } from "../../src/std.ts";
import { CLIENT_VERSIONS, type ClientVersion, hasJava } from "../java.ts";
import { delay, type Node } from "../launch.ts";
import { startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

/** Nothing counts as recent, so that a new group starts where it wants to, and not at 0 because the queue is young. */
const SETTINGS = { accessMessageInMemoryMaxRatio: 0 };

/** What the steps of one client share. */
interface Scene {
  readonly java: JavaShell;
  readonly broker: Node;
  /** Makes a topic that no other step has. */
  topic(name: string, queues: number): Promise<string>;
  group(name: string): string;
  /** Another machine, so to speak. */
  another(): Promise<JavaShell>;
}

/** How many messages of a mark each member has, once they have all of them together. */
async function got(java: JavaShell, mark: string, count: number, ...names: string[]): Promise<unknown[]> {
  const reports = await java.run("got", mark, count, ...names);
  return names.map((name) => reports.find(({ what }) => what === name)?.["messages"]);
}

async function pullCode({ java, broker }: Scene, group: string, topic: string, subVersion = 0): Promise<unknown> {
  const [report] = await java.run("pull-code", broker.address, group, topic, subVersion);
  return report?.["code"];
}

async function killed(scene: Scene) {
  const { java } = scene;
  const topic = await scene.topic("Killed", 6), group = scene.group("killed");
  await java.run("join", "k1", group, topic);
  await java.run("join", "k2", group, topic);
  {
    await using other = await scene.another();
    await other.run("join", "k3", group, topic);
    for (const name of ["k1", "k2"]) await java.run("await-queues", name, topic, 2);
    await other.run("await-queues", "k3", topic, 2);
    await java.run("post", topic, "three", 60);
    assertEquals(await got(java, "three", 40, "k1", "k2"), [20, 20]);
    assertEquals(await got(other, "three", 20, "k3"), [20]);
  }
  // Nobody said goodbye: the broker knows by the connection.
  for (const name of ["k1", "k2"]) await java.run("await-queues", name, topic, 3);
  await java.run("post", topic, "two", 60);
  assertEquals(await got(java, "two", 60, "k1", "k2"), [30, 30]);
  for (const name of ["k1", "k2"]) await java.run("leave", name);
}

async function broadcast(scene: Scene) {
  const { java } = scene;
  const topic = await scene.topic("Broadcast", 4), group = scene.group("broadcast");
  const join = (name: string) => java.run("join", name, group, topic, "model=BROADCASTING", "from=LAST_OFFSET");
  for (const name of ["b1", "b2"]) {
    await join(name);
    await java.run("await-queues", name, topic, 4);
  }
  await java.run("post", topic, "all", 20);
  for (const name of ["b1", "b2"]) assertEquals(await got(java, "all", 20, name), [20]);
  // Each keeps its own offset, on its own disk.
  await java.run("leave", "b1");
  await java.run("post", topic, "meanwhile", 20);
  assertEquals(await got(java, "meanwhile", 20, "b2"), [20]);
  await join("b1");
  assertEquals(await got(java, "meanwhile", 20, "b1"), [20]);
  assertEquals(await got(java, "all", 0, "b1"), [0]);
  for (const name of ["b1", "b2"]) await java.run("leave", name);
}

/**
 * A topic with old and new messages, and a time between them. Clients name a time by its second, and the broker takes
 * the message that is nearest to it, which must be a new one: else once more.
 */
async function oldAndNew(scene: Scene): Promise<[topic: string, time: number]> {
  const { java } = scene;
  for (let attempt = 0;; attempt++) {
    const topic = await scene.topic(`From${attempt}`, 2);
    await java.run("post", topic, "old", 8);
    const ended = Date.now(), time = Math.ceil(ended / 1000) * 1000 + 2000;
    await delay(time - ended);
    await java.run("post", topic, "new", 8);
    if (Date.now() - time < time - ended) return [topic, time];
    if (attempt === 9) throw new Error("this machine takes seconds to send some messages, time and again");
  }
}

async function consumeFrom(scene: Scene) {
  const { java } = scene;
  const [topic, time] = await oldAndNew(scene);
  const wishes: [from: string, old: number, fresh: number][] = [
    ["FIRST_OFFSET", 8, 8],
    ["TIMESTAMP", 0, 8],
    ["LAST_OFFSET", 0, 0],
  ];
  for (const [from] of wishes) {
    await java.run("join", from, scene.group(`from-${from}`), topic, `from=${from}`, `time=${time}`);
    await java.run("await-queues", from, topic, 2);
  }
  await java.run("post", topic, "late", 8);
  for (const [from, old, fresh] of wishes) {
    assertEquals(await got(java, "late", 8, from), [8], from);
    assertEquals([await got(java, "old", old, from), await got(java, "new", fresh, from)], [[old], [fresh]], from);
    await java.run("leave", from);
  }
}

async function subscriptions(scene: Scene) {
  const { java } = scene;
  const one = await scene.topic("One", 2), two = await scene.topic("Two", 2), group = scene.group("changing");
  await java.run("join", "s", group, one, "tags=TagA");
  await java.run("post", one, "before-A", 4, "TagA");
  await java.run("post", one, "before-B", 4, "TagB");
  assertEquals(await got(java, "before-A", 4, "s"), [4]);

  await java.run("subscribe", "s", two, "TagB");
  await java.run("await-queues", "s", two, 2);
  await java.run("post", two, "second-A", 4, "TagA");
  await java.run("post", two, "second-B", 4, "TagB");
  assertEquals(await got(java, "second-B", 4, "s"), [4]);

  // A newer expression for a topic takes the place of the older one.
  await java.run("subscribe", "s", one, "TagB");
  await java.run("post", one, "after-A", 4, "TagA");
  await java.run("post", one, "after-B", 4, "TagB");
  assertEquals(await got(java, "after-B", 4, "s"), [4]);
  for (const mark of ["before-B", "second-A", "after-A"]) assertEquals(await got(java, mark, 0, "s"), [0], mark);

  assertEquals(await pullCode(scene, group, two), 0);
  assertEquals(await pullCode(scene, group, two, Number.MAX_SAFE_INTEGER), 25);
  await java.run("unsubscribe", "s", two);
  assertEquals(await pullCode(scene, group, two), 24);
  assertEquals(await pullCode(scene, group, one), 0);
  await java.run("leave", "s");
  assertEquals(await pullCode(scene, group, one), 24);
}

async function switches(scene: Scene) {
  const { java, broker } = scene;
  const topic = await scene.topic("Switches", 2), group = scene.group("switched");
  const set = (...switches: string[]) => java.run("update-group", broker.address, group, ...switches);
  await set("consumeEnable=false");
  await java.run("join", "w", group, topic);
  await java.run("post", topic, "closed", 4);
  assertEquals(await pullCode(scene, group, topic), 16);
  assertEquals(await got(java, "closed", 0, "w"), [0]);
  await set("consumeEnable=true");
  assertEquals(await got(java, "closed", 4, "w"), [4]);
  assertEquals(await pullCode(scene, group, topic), 0);
  await set("consumeBroadcastEnable=false");
  assertEquals(await pullCode(scene, group, topic), 0);
  await java.run("leave", "w");

  const broadcast = scene.group("switched-broadcast");
  await java.run("update-group", broker.address, broadcast, "consumeBroadcastEnable=false");
  await java.run("join", "w", broadcast, topic, "model=BROADCASTING");
  assertEquals(await pullCode(scene, broadcast, topic), 16);
  await java.run("update-group", broker.address, broadcast);
  assertEquals(await pullCode(scene, broadcast, topic), 0);
  assertEquals(await got(java, "closed", 4, "w"), [4]);
  await java.run("leave", "w");
}

const STEPS: [name: string, work: (scene: Scene) => Promise<void>][] = [
  ["three share the queues, and two take over those of one that is killed", killed],
  ["every member of a broadcasting group gets everything, and goes on where it stopped", broadcast],
  ["a new group starts at the first message, at a time, or behind the last message", consumeFrom],
  ["a group changes its topics and expressions while it runs", subscriptions],
  ["a group may be closed, or closed to broadcasting, and opened again", switches],
];

async function exercise(t: Deno.TestContext, version: ClientVersion, [nameserver, broker]: [Node, Node]) {
  const start = () => JavaShell.start(`client-${version}`, "JSON", nameserver.address);
  await using java = await start();
  const mark = version.replaceAll(".", "_");
  const scene: Scene = {
    java,
    broker,
    topic: async (name, queues) => {
      await java.run("create-topic", broker.address, `${name}-${mark}`, queues);
      return `${name}-${mark}`;
    },
    group: (name) => `${name}-${mark}`,
    another: start,
  };
  for (const [name, work] of STEPS) {
    await t.step(name, () => withLogs([nameserver, broker], () => work(scene)));
  }
}

Deno.test({
  name: "consumer groups",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nameserver = await startNameserver();
    const options = { namesrvAddr: nameserver.address, brokerName: "broker-a", settings: SETTINGS };
    await using broker = await startBroker(options);
    for (const version of CLIENT_VERSIONS) {
      await t.step(`Java client ${version}`, (t) => exercise(t, version, [nameserver, broker]));
    }
  },
});
