/**
 * Reading topics and queues without being a consumer: no group's place moves.
 *
 * @module
 */
import { RocketdError } from "../../../errors.ts";
import { ADMIN_MESSAGES_MAX } from "../../../limits.ts";
import type { ReceivedMessage } from "../../message.ts";
import { Route } from "../../routes.ts";
import type { Admin, Peer } from "../admin.ts";
import { reads } from "../command.ts";
import { boundsOf, messageRow, messageTable, messageTableWithBodies, readQueue } from "../messages.ts";
import { NOW, text, time, truth, whole } from "../options.ts";
import { type AdminResult, column, type Failure, onceEach, result, table } from "../result.ts";
import { TOPIC } from "../targets.ts";

/** Messages that are shown unless more are asked for; of consumeMessage as mqadmin's. */
const SHOWN = 100;
const CONSUMED = 128;

const WHICH = {
  topic: TOPIC,
  subExpression: text({ short: "s", value: "TAGS", help: "only these tags, joined by ||" }),
  beginTimestamp: time({
    short: "b",
    help: "stored from this time on: ms since 1970, ISO 8601, 2026-01-31#12:00:00:000",
  }),
  endTimestamp: time({ short: "e", help: "stored until this time" }),
  printBody: truth({ short: "d", otherwise: true, help: "with the begin of their bodies (true)" }),
  limit: whole(1, ADMIN_MESSAGES_MAX)({ otherwise: SHOWN, help: `at most so many messages (${SHOWN})` }),
};

interface Wanted {
  readonly topic: string;
  readonly subExpression?: string | undefined;
  readonly beginTimestamp: number | undefined;
  readonly endTimestamp: number | undefined;
  readonly limit: number;
  /** From this offset on. */
  readonly offset?: number | undefined;
}

/** Reads queues one after the other until there are enough messages; those of a broker that fails hide no others. */
async function readQueues(admin: Admin, queues: readonly { broker: Peer; queueId: number }[], wanted: Wanted) {
  const { topic, subExpression, beginTimestamp, limit, offset = 0 } = wanted;
  const until = wanted.endTimestamp === NOW ? undefined : wanted.endTimestamp;
  const since = beginTimestamp === NOW ? Date.now() : beginTimestamp;
  let left = limit;
  let more = false;
  const messages: ReceivedMessage[] = [];
  const failures: Failure[] = [];
  for (const { broker, queueId } of queues) {
    if (more) break;
    const read = await admin.each([broker], async () => {
      const bounds = await boundsOf(admin, broker, { topic, queueId }, since);
      const begin = Math.max(bounds.begin, offset);
      if (left === 0) return [{ messages: [], more: begin < bounds.end }];
      const range = { topic, queueId, begin, end: bounds.end, limit: left };
      return [await readQueue(admin, broker, { ...range, expression: subExpression, since, until })];
    });
    for (const part of read.rows) {
      messages.push(...part.messages);
      left -= part.messages.length;
      more = part.more;
    }
    failures.push(...read.failures);
  }
  const remarks = more ? [`There are more messages; these are ${messages.length}.`] : [];
  return { messages, failures: onceEach(failures), remarks };
}

/** All queues of a topic, at the brokers that can be read. */
async function queuesOf(admin: Admin, topic: string): Promise<{ broker: Peer; queueId: number }[]> {
  const route = new Route(topic, await admin.route(topic));
  return route.readable.flatMap(({ brokerName, queueId }) => {
    const address = route.reader(brokerName);
    return address === undefined ? [] : [{ broker: { name: brokerName, address }, queueId }];
  });
}

async function show(
  admin: Admin,
  queues: readonly { broker: Peer; queueId: number }[],
  wanted: Wanted & { readonly printBody: boolean },
): Promise<AdminResult> {
  const { messages, failures, remarks } = await readQueues(admin, queues, wanted);
  const part = wanted.printBody ? messageTableWithBodies : messageTable;
  return { ...result(part(messages.map(messageRow)), failures), remarks };
}

const printMsg = reads({
  name: "printMsg",
  area: "messages",
  summary: "List the messages of a topic",
  options: WHICH,
  run: async (admin, values) => await show(admin, await queuesOf(admin, values.topic), values),
});

const tagTable = table("tags", { tag: column("TAG", "text"), count: column("MESSAGES", "count") });

const printMsgByQueue = reads({
  name: "printMsgByQueue",
  area: "messages",
  summary: "List the messages of a queue, or count them by tag",
  options: {
    ...WHICH,
    brokerName: text({ short: "a", value: "NAME", required: true, help: "the broker name" }),
    queueId: whole(0)({ short: "i", required: true, help: "the queue's number" }),
    printMsg: truth({ short: "p", otherwise: true, help: "list them (true)" }),
    calculate: truth({ short: "f", otherwise: false, help: "count them by tag (false)" }),
  },
  run: async (admin, { brokerName, queueId, printMsg, calculate, ...wanted }) => {
    const queues = [{ broker: await admin.broker(brokerName), queueId }];
    const { messages, failures, remarks } = await readQueues(admin, queues, wanted);
    const part = wanted.printBody ? messageTableWithBodies : messageTable;
    const counts = new Map<string, number>();
    for (const { tag = "" } of messages) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    const parts = [
      ...(printMsg ? [part(messages.map(messageRow))] : []),
      ...(calculate ? [tagTable([...counts].map(([tag, count]) => ({ tag, count })))] : []),
    ];
    return { ...result(parts, failures), remarks };
  },
});

const consumeMessage = reads({
  name: "consumeMessage",
  area: "messages",
  summary: "List some messages of a topic or a queue, from an offset or a time on",
  options: {
    topic: TOPIC,
    brokerName: text({ short: "b", value: "NAME", help: "only queues of this broker name" }),
    queueId: whole(0)({ short: "i", help: "only this queue, with -b" }),
    offset: whole(0)({ short: "o", help: "from this offset on, with -i" }),
    consumerGroup: text({ short: "g", value: "GROUP", help: "as mqadmin has it; no group's place moves here" }),
    beginTimestamp: time({ short: "s", help: WHICH.beginTimestamp.help }),
    endTimestamp: time({ short: "e", help: WHICH.endTimestamp.help }),
    MessageNumber: whole(1, ADMIN_MESSAGES_MAX)({
      short: "c",
      otherwise: CONSUMED,
      help: `at most so many messages (${CONSUMED})`,
    }),
  },
  run: async (admin, { brokerName, queueId, offset, MessageNumber, ...values }) => {
    if ((queueId !== undefined && brokerName === undefined) || (offset !== undefined && queueId === undefined)) {
      const allowed = "-b and -i with -o, -b with -i";
      throw new RocketdError("invalidArgument", `an offset or queue of which broker and queue?: expected ${allowed}`, {
        field: "queueId",
        allowed,
      });
    }
    const queues = (await queuesOf(admin, values.topic))
      .filter(({ broker }) => brokerName === undefined || broker.name === brokerName)
      .filter((queue) => queueId === undefined || queue.queueId === queueId);
    return await show(admin, queues, { ...values, offset, limit: MessageNumber, printBody: true });
  },
});

/** Commands that read messages. */
export const READING_COMMANDS = [printMsg, printMsgByQueue, consumeMessage];
