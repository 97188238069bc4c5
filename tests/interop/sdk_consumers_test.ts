/**
 * Our consumers against Java's nodes and ours, and in one group with Java's consumers.
 *
 * @module
 */
import { type MessageQueue, Producer, PushConsumer, type ReceivedMessage } from "../../src/client/mod.ts";
import { assertEquals } from "../../src/std.ts";
import { answerScenes } from "../client/answer_scenes.ts";
import { litePullScenes } from "../client/consumer/lite_pull_scenes.ts";
import { broadcastingScenes, concurrentScenes, orderlyScenes, started } from "../client/consumer/push_scenes.ts";
import { numbered, Scene, until } from "../client/scene.ts";
import { CLIENT_VERSIONS, hasJava, SERVER_VERSION } from "../java.ts";
import { AdminTool } from "./admin_tool.ts";
import { type Kind, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";
import { toolHome } from "./mqadmin_run.ts";

/** So that retries come soon, and SQL92 is evaluated. */
const SETTINGS = { messageDelayLevel: "1s 1s 1s 1s 1s 1s", enablePropertyFilter: true };
const QUEUES = 4;
/**
 * Java's members look for themselves too, as a queue that was locked when they were told of it has no other notice; and
 * they give up locks of queues from which they hold messages in less than 20 s.
 */
const CLIENT_JVM = [
  "-Drocketmq.client.rebalance.waitInterval=500",
  "-Drocketmq.client.rebalance.lockInterval=500",
  "-Drocketmq.client.unlockDelayTimeMills=100",
];

/** A call of a listener, ours or Java's. */
interface Call {
  readonly queue: number;
  readonly body: string;
  readonly begun: number;
  readonly ended: number;
}

/** A member of ours, and what it saw. */
class Member implements AsyncDisposable {
  readonly calls: Call[] = [];
  readonly #consumer: PushConsumer;
  readonly #topic: string;

  constructor(scene: Scene, group: string, topic: string, isOrderly: boolean) {
    this.#topic = topic;
    const listener = async (messages: readonly ReceivedMessage[]) => {
      for (const message of messages) {
        const begun = Date.now();
        await new Promise((resolve) => setTimeout(resolve, 5));
        this.calls.push({ queue: message.queueId, body: message.text(), begun, ended: Date.now() });
      }
    };
    const listening = isOrderly ? { consumeOrderly: listener } : { consumeConcurrently: listener };
    const subscriptions = { [topic]: "*" };
    this.#consumer = new PushConsumer({
      nameservers: scene.nameserver,
      group,
      subscriptions,
      from: "first",
      rebalanceIntervalMs: 500,
      ...listening,
    });
  }

  async start(): Promise<void> {
    await this.#consumer.start();
  }

  queues(): number[] {
    return this.#consumer.assignment().filter(({ topic }: MessageQueue) => topic === this.#topic)
      .map(({ queueId }) => queueId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.close();
  }
}

class JavaMember {
  constructor(readonly java: JavaShell, readonly name: string, readonly topic: string) {}

  async join(group: string, isOrderly: boolean): Promise<void> {
    const kind = isOrderly ? "orderly" : "concurrently";
    await this.java.run("mixed", "join", this.name, group, this.topic, kind);
  }

  async queues(): Promise<number[]> {
    const [{ queues } = {}] = await this.java.run("mixed", "queues", this.name, this.topic) as { queues?: string }[];
    return queues ? queues.split(",").map(Number) : [];
  }

  async calls(): Promise<Call[]> {
    const [{ seen } = {}] = await this.java.run("mixed", "seen", this.name) as { seen?: string }[];
    return (seen ? seen.split(",") : []).map((call) => {
      const [queue, body, begun, ended] = call.split(":");
      return { queue: Number(queue), body: body!, begun: Number(begun), ended: Number(ended) };
    });
  }

  async leave(): Promise<void> {
    await this.java.run("mixed", "leave", this.name);
  }
}

/**
 * Two of ours and two of Java's come and go while messages are sent. Each time the queues are shared out anew, nobody
 * has another's; in the end every message was delivered, in order and by one member at a time if it is to be so.
 */
async function mixedGroup(scene: Scene, java: JavaShell, isOrderly: boolean, mark: string): Promise<void> {
  const topic = await scene.topic(`Mixed-${mark}`, QUEUES);
  const group = `mixed-${mark}-${scene.mark}`;
  const members: { queues(): number[] | Promise<number[]> }[] = [];
  const shares = async () => {
    const all: number[][] = [];
    for (const member of members) all.push(await member.queues());
    return all;
  };
  const settled = async (sizes: readonly number[]) => {
    await until(async () => {
      const all = await shares();
      const isShare = String(all.map(({ length }) => length).toSorted()) === String(sizes);
      return isShare && new Set(all.flat()).size === QUEUES;
    }, `shares of ${sizes}`);
  };
  let sent = 0, sending = true;
  const sender = (async () => {
    for (; sending; sent++) {
      await scene.send(topic, Array.from({ length: QUEUES }, () => `m${sent}`));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const one = new Member(scene, group, topic, isOrderly), two = new Member(scene, group, topic, isOrderly);
  const [first, second] = ["first", "second"].map((name) => new JavaMember(java, `${name}-${mark}`, topic));
  const all = async () => [...one.calls, ...two.calls, ...await first!.calls(), ...await second!.calls()];
  await using _one = one;
  await using _two = two;
  try {
    await first!.join(group, isOrderly);
    members.push(first!);
    await one.start();
    members.push(one);
    await settled([2, 2]);
    await second!.join(group, isOrderly);
    await two.start();
    members.push(second!, two);
    await settled([1, 1, 1, 1]);
    await first!.leave();
    members.shift();
    await settled([1, 1, 2]);
    await one[Symbol.asyncDispose]();
    members.shift();
    await settled([2, 2]);
  } finally {
    sending = false;
    await sender;
  }
  const wanted = Array.from({ length: QUEUES }, (_, queue) => numbered(sent).map((body) => `${queue} ${body}`)).flat();
  await until(async () => {
    const seen = new Set((await all()).map(({ queue, body }) => `${queue} ${body}`));
    return wanted.every((one) => seen.has(one));
  }, "every message");
  if (isOrderly) assertEquals(disorder(await all()), []);
  await second!.leave();
}

/** mqadmin's library reads what our members answer, and resets them. */
async function asked(scene: Scene, java: JavaShell): Promise<void> {
  const topic = await scene.topic("ByJava", 1), direct = await scene.topic("ByJavaDirect", 1);
  const group = `by-java-${scene.mark}`;
  await scene.send(topic, numbered(3));
  const seen: string[] = [];
  await using consumer = await started(scene, "by-java", topic, {
    consumeConcurrently: ([message]) => void seen.push(message!.text()),
  });
  await until(() => seen.length === 3);
  await consumer.commit();
  const admin = async (...args: string[]) => (await java.run("admin-clients", ...args))[0]!;
  const running = await admin("running", group, consumer.clientId, "Deno");
  assertEquals([running["type"], running["queues"]], ["CONSUME_PASSIVELY", `[${topic}-3]`]);
  const consumed = await admin("consume", direct, group, consumer.clientId);
  assertEquals(consumed, { what: "consumed", result: "CR_SUCCESS", order: false, remark: null });
  assertEquals(seen.at(-1), "direct 0");
  const status = await admin("status", topic, group, consumer.clientId);
  assertEquals([status["clients"], status["offsets"]], [1, { 0: 3 }]);
  const reset = await admin("reset", topic, group, "0", "true");
  assertEquals(reset, { what: "reset", code: 0, offsets: { 0: 0 } });
  await until(() => seen.length === 7);
  assertEquals(seen.slice(4), numbered(3));
}

/** Traces of a message that is sent, fails and comes again, as Java's decoder, its tool and ours read them. */
async function traced(scene: Scene, java: JavaShell): Promise<void> {
  const topic = await scene.topic("Traced"), group = `traced-${scene.mark}`;
  await using producer = new Producer({
    nameservers: scene.nameserver,
    group: `${group}-sender`,
    enableMsgTrace: true,
  });
  const { uniqueKey } = await producer.send({ topic, body: "x", keys: ["k1", "k2"] });
  let calls = 0;
  {
    await using _consumer = await started(scene, "traced", topic, {
      enableMsgTrace: true,
      consumeConcurrently: (_, context) => {
        context.delayLevelWhenNextConsume = 1;
        return calls++ === 0 ? "RECONSUME_LATER" : "CONSUME_SUCCESS";
      },
    });
    await until(() => calls === 2);
  }
  const found = await java.run("sdk-traces", "RMQ_SYS_TRACE_TOPIC", uniqueKey, 5);
  const requests = new Set(found.map(({ request }) => request));
  const told = found.map(({ type, group, keys, success, retries, code }) =>
    [type, group, keys, success, retries, code].join(" ")
  );
  assertEquals(told.toSorted(), [
    `Pub ${group}-sender k1 k2 true 0 0`,
    `SubAfter ${group} k1 k2 false 0 4`,
    `SubAfter ${group} k1 k2 true 0 0`,
    `SubBefore ${group} k1 k2 true 0 0`,
    `SubBefore ${group} k1 k2 true 1 0`,
  ]);
  // What is traced before and after shares an id; a send has one of its own.
  assertEquals(requests.size, 3);
  const [printed] = await java.run("mqadmin", `queryMsgTraceById -n ${scene.nameserver} -i ${uniqueKey}`);
  const rows = String(printed!["text"]).split("\n").map((line) => line.trim().split(/ +/));
  const named = rows.filter(([type]) => type === "Pub" || type === "Sub").map((
    cells,
  ) => [...cells.slice(0, 2), cells.at(-1)]);
  const expected = [
    ["Pub", `${group}-sender`, "success"],
    ["Sub", group, "failed"],
    ["Sub", group, "success"],
  ];
  assertEquals(named.toSorted(), expected, String(printed!["text"]));
  await using tool = new AdminTool({ nameservers: scene.nameserver });
  const ours = await tool.cells("traces", "type group status", `queryMsgTraceById -i ${uniqueKey}`);
  assertEquals(ours.toSorted(), expected);
}

/** Where two calls for one queue overlapped, or one left a message out. */
function disorder(calls: readonly Call[]): string[] {
  const faults: string[] = [];
  for (const ofQueue of Map.groupBy(calls, ({ queue }) => queue).values()) {
    const inTurn = ofQueue.toSorted((a, b) => a.begun - b.begun || a.ended - b.ended);
    for (const [i, call] of inTurn.entries()) {
      const before = inTurn[i - 1];
      if (before === undefined) continue;
      const number = ({ body }: Call) => Number(body.slice(1));
      // The clocks of two processes tell whole milliseconds.
      if (call.begun < before.ended - 1) faults.push(`${call.queue}: ${call.body} began in ${before.body}`);
      if (number(call) > number(before) + 1) faults.push(`${call.queue}: ${call.body} came after ${before.body}`);
    }
  }
  return faults;
}

for (const kind of ["java", "rocketd"] satisfies Kind[]) {
  Deno.test({
    name: `our consumers with ${kind === "java" ? "Java's" : "our"} nodes, and beside Java's consumers`,
    ignore: !hasJava(),
    fn: async (t) => {
      await using nameserver = await startNameserver(kind);
      const namesrvAddr = nameserver.address;
      await using broker = await startBroker({ namesrvAddr, settings: SETTINGS }, kind);
      await using scene = new Scene(namesrvAddr, broker.address, kind);
      const step = (name: string, work: () => Promise<void>) =>
        t.step(name, () => withLogs([nameserver, broker], work));
      await litePullScenes(scene, step);
      // With our node they run in one process, where retries take no less time.
      if (kind === "java") await concurrentScenes(scene, step);
      await orderlyScenes(scene, step);
      await broadcastingScenes(scene, step);
      await answerScenes(scene, step);
      {
        const home = await toolHome();
        await using stack = new AsyncDisposableStack();
        stack.defer(() => Deno.remove(home, { recursive: true }));
        const flags = [`-Drocketmq.home.dir=${home}`];
        await using java = await JavaShell.start(`server-${SERVER_VERSION}`, "JSON", namesrvAddr, flags);
        await step("mqadmin's library sees our members, and resets them", () => asked(scene, java));
        await step("Java's tool and ours find the traces of our clients", () => traced(scene, java));
      }
      for (const version of CLIENT_VERSIONS) {
        if (kind === "java" && version !== "4.9.7") continue;
        await using java = await JavaShell.start(`client-${version}`, "JSON", namesrvAddr, CLIENT_JVM);
        const mark = version.replaceAll(".", "_");
        await step(`a group of ours and Java's ${version} shares its queues through joins and leaves`, () => {
          return mixedGroup(scene, java, false, mark);
        });
        await step(
          `the same in order, and by one member at a time`,
          () => mixedGroup(scene, java, true, `order-${mark}`),
        );
      }
    },
  });
}
