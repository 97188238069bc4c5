/**
 * Finding messages, by id, key and place, and handing them to a consumer once more.
 *
 * @module
 */
import { RocketdError } from "../../../errors.ts";
import { ConsumeMessageDirectly, QueryConsumeQueue } from "../../../protocol/admin_requests.ts";
import { QUEUE_READ_ENTRIES_MAX } from "../../../limits.ts";
import { decodeConsumeDirectly, decodeQueueEntries } from "../../../protocol/bodies/mod.ts";
import { formatHost } from "../../../protocol/host.ts";
import type { ReceivedMessage } from "../../message.ts";
import type { Admin, Gathered } from "../admin.ts";
import { type AdminCommand, reads } from "../command.ts";
import { messageById, messageRecords, messageRow, messagesByKey, messageTable, readQueue } from "../messages.ts";
import { flag, text, texts, whole } from "../options.ts";
import { type AdminResult, column, onceEach, record, result, table } from "../result.ts";
import { QUEUE, TOPIC } from "../targets.ts";
import { tracksOf, trackTable } from "../tracks.ts";
import { groupsOf } from "./topics.ts";

/** Messages that a key is looked up for, and that an id is; both as mqadmin. */
const BY_KEY_MAX = 64;
const BY_ID_MAX = 32;
/** Members of the group that is handed a message may take their time. */
const CLIENT_PATIENCE = 3;

/** To hand what is found to a consumer. */
const HAND_TO = {
  consumerGroup: text({
    short: "g",
    value: "GROUP",
    changes: true,
    help: "hand it to a member of this group, with -d",
  }),
  clientId: text({
    short: "d",
    value: "ID",
    changes: true,
    help: "client id of the member that it is handed to, with -g",
  }),
};

const handedTable = table("results", {
  id: column("ID", "text"),
  result: column("RESULT", "text"),
  ms: column("TOOK", "ms"),
  order: column("IN ORDER", "flag"),
  remark: column("REMARK", "text"),
});

interface HandTo {
  readonly consumerGroup: string | undefined;
  readonly clientId: string | undefined;
}

/** Shows messages with who has got them, or hands them over. */
async function showOrHand(
  admin: Admin,
  { rows: messages, failures }: Gathered<ReceivedMessage>,
  { consumerGroup, clientId }: HandTo,
): Promise<AdminResult> {
  if (consumerGroup === undefined && clientId === undefined) {
    const shown = messages.map((message) => ({ name: message.record.topic, address: "", message }));
    const tracks = await admin.each(shown, async ({ message, name }) => {
      const groups = await groupsOf(admin, name);
      return [{ rows: await tracksOf(admin, message, groups.rows), failures: groups.failures }];
    });
    const missed = onceEach([...failures, ...tracks.failures, ...tracks.rows.flatMap(({ failures }) => failures)]);
    return result(
      [messageRecords(messages.map(messageRow)), trackTable(tracks.rows.flatMap(({ rows }) => rows))],
      missed,
    );
  }
  if (consumerGroup === undefined || clientId === undefined) {
    throw new RocketdError("invalidArgument", "-g and -d must be given both", { field: "consumerGroup" });
  }
  const peers = messages.map((message) => ({
    name: message.uniqueKey ?? message.offsetMessageId,
    address: formatHost(message.record.storeHost),
    message,
  }));
  const handed = await admin.each(peers, async ({ name, address, message }) => {
    const header = {
      consumerGroup,
      clientId,
      msgId: message.offsetMessageId,
      brokerName: message.brokerName,
      topic: message.record.topic,
    };
    const { body } = await admin.ask({ address }, ConsumeMessageDirectly, header, { patience: CLIENT_PATIENCE });
    const { consumeResult, spentTimeMills, order, remark } = decodeConsumeDirectly(body);
    return [{ id: name, result: consumeResult ?? null, ms: spentTimeMills, order, remark: remark ?? null }];
  });
  return result(handedTable(handed.rows), [...failures, ...handed.failures]);
}

const queryMsgById = reads({
  name: "queryMsgById",
  area: "messages",
  summary: "Show messages by the id that tells where they are stored, and who has got them",
  options: {
    msgId: texts({ short: "i", value: "ID,ID", required: true, help: "the ids" }),
    ...HAND_TO,
  },
  run: async (admin, { msgId, ...handTo }) => {
    const ids = msgId.map((id) => ({ name: id, address: "" }));
    return await showOrHand(admin, await admin.each(ids, async ({ name }) => [await messageById(admin, name)]), handTo);
  },
});

const queryMsgByUniqueKey = reads({
  name: "queryMsgByUniqueKey",
  area: "messages",
  summary: "Show a message by the id that its producer gave it, and who has got it",
  options: {
    msgId: text({ short: "i", value: "ID", required: true, help: "the id" }),
    topic: TOPIC,
    showAll: flag({ short: "a", help: `all that have the id, at most ${BY_ID_MAX}` }),
    ...HAND_TO,
  },
  run: async (admin, { msgId, topic, showAll, ...handTo }) => {
    const query = { topic, key: msgId, limit: BY_ID_MAX, unique: true };
    const found = await admin.each(await admin.readersOf(topic), (broker) => messagesByKey(admin, broker, query));
    const rows = showAll ? found.rows : found.rows.slice(0, 1);
    if (rows.length === 0 && found.failures.length === 0) throw nothingFound(`the id ${msgId}`, topic);
    return await showOrHand(admin, { ...found, rows }, handTo);
  },
});

function nothingFound(what: string, topic: string): RocketdError {
  return new RocketdError("notFound", `Cannot find a message with ${what} in ${topic}: no broker has one`);
}

const queryMsgByKey = reads({
  name: "queryMsgByKey",
  area: "messages",
  summary: "List the messages that have a key",
  options: { topic: TOPIC, msgKey: text({ short: "k", value: "KEY", required: true, help: "the key" }) },
  run: async (admin, { topic, msgKey }) => {
    const query = { topic, key: msgKey, limit: BY_KEY_MAX, unique: false };
    const found = await admin.each(await admin.readersOf(topic), (broker) => messagesByKey(admin, broker, query));
    return result(messageTable(found.rows.map(messageRow)), found.failures);
  },
});

const queryMsgByOffset = reads({
  name: "queryMsgByOffset",
  area: "messages",
  summary: "Show the message at an offset of a queue, and who has got it",
  options: { topic: TOPIC, ...QUEUE, offset: whole(0)({ short: "o", required: true, help: "the offset" }) },
  run: async (admin, { topic, brokerName, queueId, offset }) => {
    const broker = await admin.broker(brokerName);
    const { messages } = await readQueue(admin, broker, { topic, queueId, begin: offset, end: offset + 1, limit: 1 });
    const rows = messages.filter((message) => message.queueOffset === offset);
    if (rows.length === 0) throw nothingFound(`the offset ${offset} in queue ${queueId} of ${brokerName}`, topic);
    return await showOrHand(admin, { rows, failures: [] }, { consumerGroup: undefined, clientId: undefined });
  },
});

const queueRecord = record("queue", {
  minIndex: column("First index", "count"),
  maxIndex: column("Last index", "count"),
});
const entryTable = table("entries", {
  index: column("INDEX", "count"),
  physicOffset: column("LOG OFFSET", "count"),
  physicSize: column("SIZE", "bytes"),
  tagsCode: column("TAG CODE", "count"),
  evaluated: column("WANTED", "flag"),
  detail: column("DETAIL", "text"),
});

const queryCq = reads({
  name: "queryCq",
  area: "messages",
  summary: "Show entries of a queue as they are on the disk",
  options: {
    topic: TOPIC,
    queue: whole(0)({ short: "q", required: true, help: "the queue's number" }),
    index: whole(0)({ short: "i", required: true, help: "the first entry" }),
    count: whole(1, QUEUE_READ_ENTRIES_MAX)({ short: "c", otherwise: 10, help: "how many (10)" }),
    broker: text({
      short: "b",
      value: "BROKER",
      help: "the broker: host:port, or its broker name (the topic's first)",
    }),
    consumer: text({ short: "g", value: "GROUP", help: "whether this group wants the messages" }),
  },
  run: async (admin, { topic, queue, index, count, broker, consumer }) => {
    const peer = broker === undefined ? (await admin.readersOf(topic))[0]! : await admin.broker(broker);
    const header = { topic, queueId: queue, index, count, ...(consumer !== undefined && { consumerGroup: consumer }) };
    const { body } = await admin.ask(peer, QueryConsumeQueue, header);
    // Beyond the end a broker of Java's says yes, and nothing else.
    if (body.length === 0) return result(entryTable([]));
    const { queueData = [], minQueueIndex, maxQueueIndex } = decodeQueueEntries(body);
    const entries = queueData.map((entry, i) => ({
      index: index + i,
      physicOffset: entry.physicOffset,
      physicSize: entry.physicSize,
      tagsCode: entry.tagsCode,
      evaluated: consumer === undefined ? null : entry.eval,
      detail: entry.msg ?? entry.extendDataJson ?? null,
    }));
    return result([entryTable(entries), queueRecord({ minIndex: minQueueIndex, maxIndex: maxQueueIndex })]);
  },
});

/** Commands that find messages. */
export const MESSAGE_COMMANDS: readonly AdminCommand[] = [
  queryMsgById,
  queryMsgByUniqueKey,
  queryMsgByKey,
  queryMsgByOffset,
  queryCq,
];
