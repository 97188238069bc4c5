/**
 * What hooks see of messages that are consumed, and the traces that are made of it.
 *
 * @module
 */
import type { ConsumeCall, ConsumeHook } from "../../../src/client/consumer/consume_hooks.ts";
import { LitePullConsumer, Producer, PushConsumer, type PushConsumerOptions } from "../../../src/client/mod.ts";
import { consumeTraceHook } from "../../../src/client/trace/trace.ts";
import type { Trace } from "../../../src/client/trace/trace_dispatcher.ts";
import { formatProperties } from "../../../src/protocol/properties.ts";
import { assert, assertEquals, assertMatch } from "../../../src/std.ts";
import { received } from "../messages.ts";
import { OwnCluster } from "../own_cluster.ts";
import { until } from "../scene.ts";

/** A message with these properties, as its broker adds where it is from. */
function message(properties: Record<string, string>, more: Parameters<typeof received>[0] = {}) {
  const all = { MSG_REGION: "R", TRACE_ON: "true", ...properties };
  return received({ properties: formatProperties(new Map(Object.entries(all))), ...more });
}

/** A hook that traces, and what it has traced: the fields, and the keys. */
function tracing() {
  const traces: Trace[] = [];
  const hook = consumeTraceHook({ topic: "Traces", append: (trace) => traces.push(trace) });
  const fields = () => traces.map(({ text }) => text.split("\u0002")[0]!.split("\u0001"));
  return { hook, fields, keys: () => traces.map(({ keys }) => keys) };
}

const queue = { topic: "T", brokerName: "broker-a", queueId: 0 };

Deno.test("each message leaves a trace when it is handed out and one when it is done, which share an id", () => {
  const { hook, fields, keys } = tracing();
  const messages = [message({ UNIQ_KEY: "U1", KEYS: "k1 k2" }, { reconsumeTimes: 3 }), message({ UNIQ_KEY: "U2" })];
  const call: ConsumeCall = { group: "g", queue, messages, began: 1_000 };
  hook.beforeConsume!(call);
  hook.afterConsume!(call, { status: "RECONSUME_LATER", isSuccess: false, returnType: "FAILED", costMs: 25 });
  const id = fields()[0]![4]!;
  assertMatch(id, /^[0-9A-F]{32}$/);
  assertEquals(fields(), [
    ["SubBefore", "1000", "R", "g", id, "U1", "3", "k1 k2"],
    ["SubBefore", "1000", "R", "g", id, "U2", "0", "null"],
    ["SubAfter", id, "U1", "12", "false", "k1 k2", "4", "1025", "g"],
    ["SubAfter", id, "U2", "12", "false", "null", "4", "1025", "g"],
  ]);
  assertEquals(keys(), [["U1", "k1", "k2"], ["U2"], ["U1", "k1", "k2"], ["U2"]]);
});

Deno.test("messages that want no trace leave none, and traces do not trace themselves", () => {
  const { hook, fields } = tracing();
  const unwanted = [message({ UNIQ_KEY: "U1", TRACE_ON: "false" }), message({ UNIQ_KEY: "U2" }, { topic: "Traces" })];
  const call: ConsumeCall = { group: "g", queue, messages: unwanted, began: 0 };
  hook.beforeConsume!(call);
  hook.afterConsume!(call, { status: "CONSUME_SUCCESS", isSuccess: true, returnType: "SUCCESS", costMs: 0 });
  assertEquals(fields(), []);
});

/** Consumes what `T` holds with these options until the hooks have seen `calls` ends; gives what they saw of each. */
async function watched(cluster: OwnCluster, calls: number, options: Partial<PushConsumerOptions>): Promise<string[]> {
  const seen: string[] = [], begun = new Set<ConsumeCall>();
  const hook: ConsumeHook = {
    beforeConsume: (call) => void begun.add(call),
    afterConsume: (call, { status, isSuccess, returnType, error }) => {
      assert(begun.has(call) && call.queue.topic === "T");
      const bodies = call.messages.map((message) => message.text());
      seen.push([call.group, bodies, status, isSuccess, returnType, ...error === undefined ? [] : [error]].join(" "));
    },
  };
  const bad: ConsumeHook = {
    beforeConsume: () => {
      throw new Error("a bad hook");
    },
  };
  await using consumer = new PushConsumer({
    nameservers: cluster.nameservers,
    group: "watched",
    subscriptions: { T: "*" },
    from: "first",
    hooks: [bad, hook],
    ...options,
  });
  await consumer.start();
  await until(() => seen.length >= calls);
  return seen.slice(0, calls);
}

async function sendTo(cluster: OwnCluster, ...bodies: string[]): Promise<void> {
  await using producer = new Producer({ nameservers: cluster.nameservers });
  for (const body of bodies) await producer.send({ topic: "T", body }, { by: "one queue" });
}

Deno.test("hooks see each call of a concurrent listener and how it ended, and harm none", async () => {
  await using cluster = await OwnCluster.start();
  await sendTo(cluster, "good", "bad", "worse");
  const seen = await watched(cluster, 3, {
    consumeConcurrently: ([message]) => {
      if (message!.text() === "worse") throw new Error("on purpose");
      return message!.text() === "bad" ? "RECONSUME_LATER" : undefined;
    },
  });
  assertEquals(seen.toSorted(), [
    "watched bad RECONSUME_LATER false FAILED",
    "watched good CONSUME_SUCCESS true SUCCESS",
    "watched worse RECONSUME_LATER false EXCEPTION Error: on purpose",
  ]);
});

Deno.test("hooks see each call of an orderly listener and how it ended", async () => {
  await using cluster = await OwnCluster.start();
  await sendTo(cluster, "one", "two");
  const answers = ["SUSPEND_CURRENT_QUEUE_A_MOMENT", "ROLLBACK", "COMMIT", "SUCCESS"] as const;
  let calls = 0;
  const seen = await watched(cluster, 4, {
    suspendCurrentQueueTimeMs: 10,
    consumeOrderly: (_, context) => {
      context.autoCommit = false;
      return answers[calls++];
    },
  });
  assertEquals(seen, [
    "watched one SUSPEND_CURRENT_QUEUE_A_MOMENT false FAILED",
    "watched one ROLLBACK false FAILED",
    "watched one COMMIT true SUCCESS",
    "watched two SUCCESS true SUCCESS",
  ]);
});

Deno.test("what took longer than it may counts as overdue", async () => {
  await using cluster = await OwnCluster.start();
  await sendTo(cluster, "slow");
  const seen = await watched(cluster, 1, {
    consumeTimeoutMs: 1,
    consumeOrderly: () => new Promise((resolve) => setTimeout(resolve, 20)),
  });
  assertEquals(seen, ["watched slow SUCCESS true TIME_OUT"]);
});

Deno.test("a consumer's traces are in the topic that is asked for, once it has closed", async () => {
  await using cluster = await OwnCluster.start();
  await sendTo(cluster, "x", "y");
  const common = {
    nameservers: cluster.nameservers,
    subscriptions: { T: "*" },
    from: "first" as const,
    enableMsgTrace: true,
    customizedTraceTopic: "MyTraces",
  };
  {
    await using puller = new LitePullConsumer({ ...common, group: "pulling" });
    const found: string[] = [];
    await until(async () =>
      found.push(...(await puller.poll()).map((message) => message.text())) > 0 && found.length === 2
    );
    assertEquals(found, ["x", "y"]);
  }
  let consumed = 0;
  {
    await using pushed = new PushConsumer({ ...common, group: "pushed", consumeConcurrently: () => void consumed++ });
    await pushed.start();
    await until(() => consumed === 2);
  }
  const texts = (await cluster.stored("MyTraces")).map(({ body }) => new TextDecoder().decode(body)).join("");
  const traces = texts.split("\u0002").slice(0, -1).map((trace) => trace.split("\u0001"));
  const counts = Map.groupBy(traces, (trace) => `${trace[0]} of ${trace[0] === "SubBefore" ? trace[3] : trace[8]}`);
  const expected = ["SubAfter of pulling", "SubAfter of pushed", "SubBefore of pulling", "SubBefore of pushed"];
  assertEquals([...counts.keys()].toSorted(), expected);
  assertEquals([...counts.values()].map(({ length }) => length), [2, 2, 2, 2]);
});
