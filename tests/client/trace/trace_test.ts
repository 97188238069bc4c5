/**
 * What hooks see of sends, and the traces that are made of it.
 *
 * @module
 */
import type { SendHook } from "../../../src/client/hooks.ts";
import type { OutgoingMessage } from "../../../src/client/message.ts";
import { Producer } from "../../../src/client/producer/producer.ts";
import { traceHook } from "../../../src/client/trace/trace.ts";
import { type Trace, TraceDispatcher } from "../../../src/client/trace/trace_dispatcher.ts";
import { TransactionProducer } from "../../../src/client/producer/transactions.ts";
import { TRACES_AT_ONCE, TRACES_HELD_MAX } from "../../../src/limits.ts";
import { ResponseCode } from "../../../src/protocol/codes.ts";
import { propertyOf } from "../../../src/protocol/properties.ts";
import { assert, assertEquals } from "../../../src/std.ts";
import { AnsweringCluster } from "../answering_cluster.ts";
import { OwnCluster } from "../own_cluster.ts";

Deno.test("Hooks see each attempt and how it ended, and harm no send", async () => {
  await using cluster = new AnsweringCluster({ a: ResponseCode.SYSTEM_BUSY, b: ResponseCode.SUCCESS });
  const seen: string[] = [];
  const hook: SendHook = {
    beforeSend: ({ queue, kind, bodyLength }) => {
      seen.push(`to ${queue.brokerName} ${kind} ${bodyLength}`);
    },
    afterSend: ({ queue }, { result, error }) => {
      seen.push(`${queue.brokerName} ${result?.status ?? (error as Error).message}`);
    },
  };
  const bad: SendHook = {
    beforeSend: () => {
      throw new Error("a bad hook");
    },
    afterSend: async () => {
      await Promise.reject(new Error("a bad promise"));
    },
  };
  await using producer = new Producer({ nameservers: cluster.nameservers, hooks: [bad, hook] });
  for (let i = 0; i < 4; i++) await producer.send({ topic: "T", body: "x".repeat(9_000), delayLevel: 2 });
  const attempts = seen.filter((text) => text.startsWith("to "));
  assertEquals(new Set(attempts), new Set(["to a delay 9000", "to b delay 9000"]));
  assert(seen.includes("b SEND_OK"));
  assert(seen.includes("a Cannot send to T: SYSTEM_BUSY (2) told so"));
  assertEquals(seen.length, attempts.length * 2);
});

/** The fields of all traces, and the keys of the messages that bring them. */
async function traces(cluster: OwnCluster, topic: string, count: number) {
  await cluster.bodies(topic, 1);
  const records = await cluster.stored(topic);
  const text = records.map(({ body }) => new TextDecoder().decode(body)).join("");
  const fields = text.split("\u0002").slice(0, -1).map((trace) => trace.split("\u0001"));
  assertEquals(fields.length, count);
  return { fields, keys: records.map(({ properties }) => propertyOf(properties, "KEYS")).join(" ") };
}

Deno.test("A traced message leaves a trace that tells where it is, once its producer has closed", async () => {
  await using cluster = await OwnCluster.start();
  const options = { nameservers: cluster.nameservers, group: "traced", enableMsgTrace: true };
  const producer = new Producer(options);
  const sent = await producer.send({ topic: "T", body: "four", tag: "t", keys: ["k1", "k2"] });
  await producer.close();
  const { fields, keys } = await traces(cluster, "RMQ_SYS_TRACE_TOPIC", 1);
  const [type, time, region, group, topic, id, tags, itsKeys, host, length, cost, kind, offsetId, success] = fields[0]!;
  assertEquals([type, region, group, topic], ["Pub", "DefaultRegion", "traced", "T"]);
  assertEquals([id, tags, itsKeys, host, length], [sent.uniqueKey, "t", "k1 k2", cluster.broker, "4"]);
  assertEquals([kind, offsetId, success], ["0", sent.offsetMessageId, "true"]);
  assert(Math.abs(Date.now() - Number(time)) < 60_000 && Number(cost) >= 0);
  assertEquals(keys.split(" ").sort(), [sent.uniqueKey, "k1", "k2"].sort());
});

Deno.test("A transaction leaves a trace of its half message and one of its end, in the topic that is asked for", async () => {
  await using cluster = await OwnCluster.start();
  const trace = { enableMsgTrace: true, customizedTraceTopic: "MyTraces" };
  const common = { nameservers: cluster.nameservers, group: "traced", ...trace };
  const producer = new TransactionProducer({ ...common, checkLocalTransaction: () => "unknown" });
  const sent = await producer.sendInTransaction({ topic: "T", body: "x" }, () => "commit");
  await producer.close();
  const { fields } = await traces(cluster, "MyTraces", 2);
  const [half, end] = fields.sort((a, b) => a.length - b.length).reverse();
  assertEquals([half![0], half![11]], ["Pub", "1"]);
  assertEquals([end![0], ...end!.slice(2)], [
    ...["EndTransaction", "DefaultRegion", "traced", "T", sent.uniqueKey, "", "", cluster.broker],
    ...["2", sent.uniqueKey, "COMMIT_MESSAGE", "false"],
  ]);
});

/** Notes messages; `send` waits until it is let go. */
function holding() {
  const gate = Promise.withResolvers<void>();
  const messages: OutgoingMessage[] = [];
  const send = async (message: OutgoingMessage) => {
    messages.push(message);
    await gate.promise;
  };
  return { messages, letGo: gate.resolve, sink: { send, close: () => Promise.resolve() } };
}

const traceOf = (number: number): Trace => ({ text: `${number}\u0002`, keys: [`k${number}`] });

Deno.test("Traces go out in lots, in order, and those beyond the bound are dropped", async () => {
  const { messages, letGo, sink } = holding();
  const dispatcher = new TraceDispatcher("Traces", () => sink);
  for (let i = 0; i < TRACES_HELD_MAX + 50; i++) dispatcher.append(traceOf(i));
  letGo();
  await dispatcher.close();
  const numbers = messages.flatMap(({ body }) => String(body).split("\u0002").slice(0, -1).map(Number));
  assertEquals(numbers, Array.from({ length: TRACES_HELD_MAX }, (_, i) => i));
  assert(messages.every(({ keys }) => keys!.length <= TRACES_AT_ONCE));
  assertEquals(messages.length, Math.ceil(TRACES_HELD_MAX / TRACES_AT_ONCE));
});

Deno.test("Great traces share no message, and one that cannot be sent takes no other with it", async () => {
  const bodies: string[] = [];
  const send = ({ body }: OutgoingMessage) => {
    bodies.push(String(body).slice(0, 1));
    return bodies.length === 1 ? Promise.reject(new Error("no broker")) : Promise.resolve();
  };
  const dispatcher = new TraceDispatcher("Traces", () => ({ send, close: () => Promise.resolve() }));
  for (const letter of "abc") dispatcher.append({ text: letter.repeat(20_000), keys: [] });
  await dispatcher.close();
  assertEquals(bodies, ["a", "b", "c"]);
});

Deno.test("Nothing is traced where the broker wants no traces, or names no region", () => {
  const found: Trace[] = [];
  const { afterSend } = traceHook({ append: (trace) => found.push(trace) });
  const queue = { topic: "T", brokerName: "b", queueId: 0 };
  const message = { topic: "T", body: "" };
  const where = { group: "g", topic: "T", message, uniqueKey: "K", queue, brokerAddress: "h:1" };
  const attempt = { ...where, kind: "normal", bodyLength: 0, began: 0 } as const;
  const stored = { status: "SEND_OK", uniqueKey: "K", offsetMessageId: "O", queue, queueOffset: 0 } as const;
  for (const result of [stored, { ...stored, regionId: "R", traceOn: false }, { ...stored, regionId: "R" }]) {
    afterSend!(attempt, { result, costMs: 1 });
  }
  afterSend!(attempt, { error: new Error("x"), costMs: 1 });
  assertEquals(found.length, 1);
});
