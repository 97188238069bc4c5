/**
 * Our producer and consumer against real nodes: Java's, and ours once `$ROCKETD_BIN` or the source runs.
 *
 * @module
 */
import { Admin, findAdminCommand } from "../../src/client/admin/mod.ts";
import { LitePullConsumer, Producer, PushConsumer, type ReceivedMessage } from "../../src/client/mod.ts";
import { RocketdError } from "../../src/errors.ts";
import { HeaderEncoding } from "../../src/protocol/codes.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import { type Node, startJavaBroker, startJavaNameserver, startRocketd } from "../launch.ts";
import { ask } from "../probe.ts";
import { until } from "./scene.ts";

interface Cluster {
  readonly name: string;
  readonly ignore: boolean;
  readonly nameserver: () => Promise<Node>;
  readonly master: (namesrvAddr: string) => Promise<Node>;
}

const clusters: Cluster[] = [
  {
    name: "Java",
    ignore: !hasJava(),
    nameserver: () => startJavaNameserver(),
    master: (namesrvAddr) => startJavaBroker({ namesrvAddr }),
  },
  {
    name: "rocketd",
    ignore: false,
    nameserver: () => startRocketd({ role: "nameserver" }),
    master: (namesrvAddr) => startRocketd({ role: "master", namesrvAddr }),
  },
];

/** Takes messages until there are `count` different ones. */
async function texts(consumer: LitePullConsumer, count: number): Promise<string[]> {
  const seen = new Set<string>();
  for await (const message of consumer) {
    seen.add(message.text());
    if (seen.size < count) continue;
    consumer.acknowledge();
    break;
  }
  return [...seen].sort();
}

const GET_ROUTEINFO_BY_TOPIC = 105;

/** Waits until a nameserver knows a topic that a send has just made: brokers tell it after they have answered. */
async function routed(nameserver: Node, topic: string): Promise<void> {
  await until(async () => (await ask(nameserver.port, GET_ROUTEINFO_BY_TOPIC, { topic })).code === 0);
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `m${from + i}`).sort();

for (const { name, ignore, nameserver, master } of clusters) {
  Deno.test({
    name: `Producer and LitePullConsumer work with a ${name} cluster`,
    ignore,
    async fn(t) {
      await using ns = await nameserver();
      await using broker = await master(ns.address);
      // A nameserver that is not there comes first: the others are asked then.
      const nameservers = `127.0.0.1:1;${ns.address}`;
      await using producer = new Producer({ nameservers });
      await using admin = new Admin({ nameservers });

      await t.step("a message keeps its body, tag, keys and properties", async () => {
        const { status, uniqueKey, offsetMessageId, queue, queueOffset } = await producer.send({
          topic: "Whole",
          body: "häß",
          tag: "red",
          keys: ["k1", "k2"],
          properties: { mine: "yes" },
          flag: 7,
        });
        assertEquals([status, queue.topic, queueOffset], ["SEND_OK", "Whole", 0]);
        assertMatch(uniqueKey, /^[0-9A-F]{32}$/);
        await routed(ns, "Whole");
        await using consumer = new LitePullConsumer({
          nameservers,
          group: "whole",
          subscriptions: { Whole: "*" },
          from: "first",
        });
        for await (const message of consumer) {
          assertEquals([message.text(), message.tag, message.keys], ["häß", "red", ["k1", "k2"]]);
          assertEquals([message.properties.get("mine"), message.record.flag], ["yes", 7]);
          assertEquals([message.uniqueKey, message.offsetMessageId], [uniqueKey, offsetMessageId]);
          assertEquals([message.queueId, message.topic], [queue.queueId, "Whole"]);
          break;
        }
      });

      await t.step("a large body travels folded and comes out as it was", async () => {
        const body = "abc".repeat(10_000);
        await producer.send({ topic: "Large", body });
        await routed(ns, "Large");
        await using consumer = new LitePullConsumer({
          nameservers,
          group: "large",
          subscriptions: { Large: "*" },
          from: "first",
        });
        for await (const message of consumer) {
          assertEquals(message.text(), body);
          assert(message.record.body.length < 1000);
          break;
        }
      });

      await t.step("a group goes on where it committed", async () => {
        await Promise.all(numbered(50).map((body) => producer.send({ topic: "Goes", body })));
        await routed(ns, "Goes");
        const options = { nameservers, group: "goes", subscriptions: { Goes: "*" }, from: "first" } as const;
        const first = new LitePullConsumer(options);
        assertEquals(await texts(first, 50), numbered(50));
        await first.close();
        await Promise.all(numbered(20, 100).map((body) => producer.send({ topic: "Goes", body })));
        await using second = new LitePullConsumer(options);
        assertEquals(await texts(second, 20), numbered(20, 100));
      });

      await t.step("a batch lies in one queue, one-way messages arrive, and tags choose", async () => {
        await producer.send({ topic: "Tags", tag: "no", body: "unwanted" });
        const batch = numbered(10).map((body) => ({ topic: "Tags", tag: "a", body }));
        assertEquals((await producer.sendBatch(batch)).offsetMessageId.split(",").length, 10);
        await producer.sendOneWay({ topic: "Tags", tag: "b", body: "m77" });
        await routed(ns, "Tags");
        await using consumer = new LitePullConsumer({
          nameservers,
          group: "tags",
          subscriptions: { Tags: "a || b" },
          from: "first",
          encoding: HeaderEncoding.ROCKETMQ,
        });
        assertEquals(await texts(consumer, 11), [...numbered(10), "m77"].sort());
      });

      await t.step("two members share the queues, and one takes over when the other leaves", async () => {
        await producer.send({ topic: "Shared", body: "first" });
        await routed(ns, "Shared");
        const options = { nameservers, group: "shared", subscriptions: { Shared: "*" }, from: "first" } as const;
        await using one = new LitePullConsumer(options);
        assertEquals(await texts(one, 1), ["first"]);
        const other = new LitePullConsumer(options);
        const got = { one: new Set<string>(), other: new Set<string>() };
        const reading = (["one", "other"] as const).map(async (who) => {
          for await (const message of who === "one" ? one : other) got[who].add(message.text());
        });
        for (let i = 0; got.other.size === 0; i++) {
          await producer.send({ topic: "Shared", body: `m${i}` });
          if (i > 3000) throw new Error("the second member never got a message");
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        await other.close();
        const last = numbered(40, 10_000);
        await Promise.all(last.map((body) => producer.send({ topic: "Shared", body })));
        await until(() => last.every((body) => got.one.has(body)));
        await one.close();
        await Promise.all(reading);
      });

      await t.step("a message that was not acknowledged comes again", async () => {
        await producer.send({ topic: "Twice", body: "once more" });
        await routed(ns, "Twice");
        const options = { nameservers, group: "twice", subscriptions: { Twice: "*" }, from: "first" } as const;
        for (let i = 0; i < 2; i++) {
          await using consumer = new LitePullConsumer(options);
          for await (const message of consumer) {
            assertEquals(message.text(), "once more");
            break;
          }
        }
      });

      await t.step("a member that is online goes where an administrator moves its group", async () => {
        for (const body of numbered(8)) await producer.send({ topic: "Moved", body });
        await routed(ns, "Moved");
        await using consumer = new LitePullConsumer({
          nameservers,
          group: "moved",
          subscriptions: { Moved: "*" },
          from: "first",
        });
        assertEquals(await texts(consumer, 8), numbered(8));
        await consumer.commit();
        const { parts } = await findAdminCommand("resetOffsetByTime")!.run(admin, {
          group: "moved",
          topic: "Moved",
          timestamp: 0,
          force: true,
        });
        assertEquals([...new Set(parts[0]!.rows.map(({ how }) => how))], ["members told"]);
        assertEquals(await texts(consumer, 8), numbered(8));
      });

      await t.step("members of each kind go on after their broker was killed and started again", async () => {
        await producer.send({ topic: "Crash", body: "before" });
        await routed(ns, "Crash");
        await using consumer = new LitePullConsumer({
          nameservers,
          group: "crash",
          subscriptions: { Crash: "*" },
          from: "first",
        });
        const pushed: Record<string, string[]> = { concurrently: [], orderly: [] };
        const push = async (group: "concurrently" | "orderly") => {
          const listener = ([message]: readonly ReceivedMessage[]) => void pushed[group]!.push(message!.text());
          const listening = group === "orderly" ? { consumeOrderly: listener } : { consumeConcurrently: listener };
          const options = { nameservers, group, subscriptions: { Crash: "*" }, from: "first" } as const;
          const member = new PushConsumer({ ...options, ...listening });
          await member.start();
          return member;
        };
        await using _concurrent = await push("concurrently");
        await using _orderly = await push("orderly");
        assertEquals(await texts(consumer, 1), ["before"]);
        await broker.kill();
        await broker.start();
        await producer.send({ topic: "Crash", body: "after" });
        // Its offset may have been lost with the broker: then "before" comes again.
        for await (const message of consumer) if (message.text() === "after") break;
        await until(() => Object.values(pushed).every((texts) => texts.includes("after")));
      });

      await t.step("a topic that cannot be is refused", async () => {
        const error = await assertRejects(() => producer.send({ topic: "bad topic!", body: "x" }), RocketdError);
        assertEquals((error as RocketdError).code, "invalidArgument");
      });
    },
  });
}
