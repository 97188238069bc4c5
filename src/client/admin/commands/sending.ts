/**
 * Sending a message, and measuring how long brokers take to store some.
 *
 * @module
 */
import { messageOf, RocketdError } from "../../../errors.ts";
import { BENCH_BODY_BYTES_MAX } from "../../../limits.ts";
import type { Producer, SendResult } from "../../producer/producer.ts";
import { Route } from "../../routes.ts";
import type { Admin } from "../admin.ts";
import { changes } from "../command.ts";
import { text, texts, whole } from "../options.ts";
import { column, record, result, table } from "../result.ts";
import { TOPIC } from "../targets.ts";

const GROUP = "rocketd_admin";
const AMOUNT = 100;
const SIZE = 128;
/** As many as mqadmin's sendMsgStatus sends. */
const STATUS_COUNT = 50;

const sentRecord = record("sent", {
  status: column("Status", "text"),
  id: column("Id", "text"),
  offsetMessageId: column("Offset id", "text"),
  broker: column("Broker", "text"),
  queueId: column("Queue", "count"),
  offset: column("Offset", "count"),
});

const sendMessage = changes({
  name: "sendMessage",
  area: "messages",
  summary: "Send one message",
  options: {
    topic: TOPIC,
    body: text({ short: "p", value: "TEXT", required: true, help: "what it says" }),
    key: texts({ short: "k", value: "KEY", help: "its keys, joined by commas" }),
    tags: text({ short: "c", value: "TAG", help: "its tag" }),
    broker: text({ short: "b", value: "NAME", help: "the broker name that it goes to" }),
    qid: whole(0)({ short: "i", help: "the queue that it goes to, with -b (0)" }),
  },
  run: async (admin, { topic, body, key, tags, broker, qid }) => {
    if (qid !== undefined && broker === undefined) {
      throw new RocketdError("invalidArgument", "--qid is given without --broker: expected both", { field: "qid" });
    }
    await using producer = admin.producer(GROUP);
    const message = { topic, body, ...(key && { keys: key }), ...(tags !== undefined && { tag: tags }) };
    const to = broker === undefined ? undefined : { brokerName: broker, queueId: qid ?? 0 };
    const sent = await producer.send(message, to && { to });
    const { queue, queueOffset, status, uniqueKey, offsetMessageId } = sent;
    const { brokerName, queueId } = queue;
    return result(
      sentRecord({ status, id: uniqueKey, offsetMessageId, broker: brokerName, queueId, offset: queueOffset }),
    );
  },
});

const sendTable = table("sends", {
  broker: column("BROKER", "text"),
  queueId: column("QUEUE", "count"),
  result: column("RESULT", "text"),
  ms: column("TOOK", "ms"),
});
const summaryRecord = record("summary", {
  sent: column("Sent", "count"),
  failed: column("Failed", "count"),
  averageMs: column("Average", "ms"),
  maxMs: column("Longest", "ms"),
});

interface Timed {
  readonly broker: string | null;
  readonly queueId: number | null;
  readonly result: string;
  readonly ok: boolean;
  readonly ms: number;
}

async function timed(
  send: () => Promise<SendResult>,
  planned?: { brokerName: string; queueId: number },
): Promise<Timed> {
  const began = performance.now();
  try {
    const { status, queue } = await send();
    return {
      broker: queue.brokerName,
      queueId: queue.queueId,
      result: status,
      ok: true,
      ms: performance.now() - began,
    };
  } catch (error) {
    if (!(error instanceof RocketdError)) throw error;
    const { brokerName = null, queueId = null } = planned ?? {};
    return { broker: brokerName, queueId, result: messageOf(error), ok: false, ms: performance.now() - began };
  }
}

/** The first one pays for routes and connections: it does not count, as in mqadmin. */
function summary(sends: readonly Timed[]) {
  const counted = (sends.length > 1 ? sends.slice(1) : sends).map(({ ms }) => ms);
  const failed = sends.filter(({ ok }) => !ok).length;
  return {
    sent: sends.length - failed,
    failed,
    averageMs: counted.reduce((sum, ms) => sum + ms, 0) / counted.length,
    maxMs: counted.reduce((longest, ms) => Math.max(longest, ms), 0),
  };
}

const OPTIONS = {
  amount: whole(1, 1_000_000)({ short: "a", otherwise: AMOUNT, help: `messages (${AMOUNT})` }),
  size: whole(1, BENCH_BODY_BYTES_MAX)({ short: "s", otherwise: SIZE, value: "BYTES", help: `size of each (${SIZE})` }),
};

/** Whether all were stored; if not the first refusal is told beside the figures. */
function outcome(sends: readonly Timed[], name: string) {
  const bad = sends.find(({ ok }) => !ok);
  return bad === undefined ? [] : [{ name, address: "", reason: bad.result }];
}

async function sendSome(producer: Producer, topic: string, amount: number, size: number): Promise<Timed[]> {
  const message = { topic, body: "a".repeat(size) };
  const sends: Timed[] = [];
  for (let i = 0; i < amount; i++) sends.push(await timed(() => producer.send(message)));
  return sends;
}

const checkMsgSendRT = changes({
  name: "checkMsgSendRT",
  area: "messages",
  summary: "Send messages to each queue of a topic in turn, and measure how long each takes",
  options: { topic: TOPIC, ...OPTIONS },
  run: async (admin, { topic, amount, size }) => {
    const queues = new Route(topic, await admin.route(topic)).writable;
    if (queues.length === 0) {
      throw new RocketdError("unavailable", `Cannot send to ${topic}: no broker takes writes for it`);
    }
    await using producer = admin.producer(GROUP);
    const message = { topic, body: "a".repeat(size) };
    const sends: Timed[] = [];
    for (let i = 0; i < amount; i++) {
      const queue = queues[i % queues.length]!;
      sends.push(await timed(() => producer.send(message, { to: queue }), queue));
    }
    return result([sendTable(sends), summaryRecord(summary(sends))], outcome(sends, topic));
  },
});

const sendMsgStatus = changes({
  name: "sendMsgStatus",
  area: "messages",
  summary: "Send messages to a broker, and measure how long each takes",
  options: {
    brokerName: text({ short: "b", value: "NAME", required: true, help: "the broker name, which is the topic too" }),
    messageSize: { ...OPTIONS.size },
    count: whole(1, 1_000_000)({ short: "c", otherwise: STATUS_COUNT, help: `messages (${STATUS_COUNT})` }),
  },
  run: async (admin, { brokerName, messageSize, count }) => {
    await using producer = admin.producer(GROUP);
    const sends = await sendSome(producer, brokerName, count, messageSize);
    return result([sendTable(sends), summaryRecord(summary(sends))], outcome(sends, brokerName));
  },
});

const clusterTable = table("brokers", {
  cluster: column("CLUSTER", "text"),
  broker: column("BROKER", "text"),
  averageMs: column("AVERAGE", "ms"),
  maxMs: column("LONGEST", "ms"),
  sent: column("SENT", "count"),
  failed: column("FAILED", "count"),
});

const clusterRT = changes({
  name: "clusterRT",
  area: "cluster",
  summary: "Send messages to every master, and measure how long they take",
  options: {
    ...OPTIONS,
    cluster: text({ short: "c", aliases: ["clusterName"], value: "CLUSTER", help: "only this cluster" }),
  },
  watched: true,
  run: async (admin, { amount, size, cluster }) => {
    const names = await namesOf(admin, cluster);
    const { rows, failures } = await admin.each(names, async ({ name, cluster }) => {
      await using producer = admin.producer(GROUP);
      const sends = await sendSome(producer, name, amount, size);
      return [{ row: { cluster, broker: name, ...summary(sends) }, failures: outcome(sends, name) }];
    });
    return result(clusterTable(rows.map(({ row }) => row)), [...failures, ...rows.flatMap(({ failures }) => failures)]);
  },
});

/** Each broker name once: it is a topic of that broker alone. */
async function namesOf(admin: Admin, cluster: string | undefined) {
  const brokers = await admin.brokers(cluster);
  return [...new Map(brokers.map((broker) => [broker.name, broker])).values()];
}

/** Commands that send. */
export const SENDING_COMMANDS = [sendMessage, checkMsgSendRT, sendMsgStatus, clusterRT];
