/**
 * What commands about messages have in common: reading queues, finding by id and key, and what is shown of a message.
 *
 * @module
 */
import { ADMIN_MESSAGE_BYTES_MAX, PULL_MESSAGES_AT_ONCE } from "../../limits.ts";
import { PullFlag, ResponseCode } from "../../protocol/codes.ts";
import { formatHost } from "../../protocol/host.ts";
import { parseMessageId } from "../../protocol/message_id.ts";
import { decodeRecord, decodeRecords } from "../../protocol/message_record.ts";
import {
  GetMaxOffset,
  GetMinOffset,
  PullMessage,
  QueryMessage,
  SearchOffsetByTimestamp,
  ViewMessageById,
} from "../../protocol/requests.ts";
import { succeed } from "../../remoting/client.ts";
import { ReceivedMessage } from "../message.ts";
import { EVERYTHING, subscriptionTo, wants } from "../consumer/subscription.ts";
import type { Admin, Peer } from "./admin.ts";
import { column, records, table, wide } from "./result.ts";

/** The group in whose name tools read; every broker has it. */
export const TOOLS_GROUP = "TOOLS_CONSUMER";

const shared = {
  offsetMessageId: wide("text"),
  bornTime: wide("time"),
  bornHost: wide("text"),
  storeHost: wide("text"),
  reconsumeTimes: wide("count"),
  flag: wide("count"),
  sysFlag: wide("count"),
  properties: wide("map"),
  bodyBase64: wide("text"),
} as const;
const brief = {
  id: column("ID", "text"),
  topic: wide("text"),
  broker: column("BROKER", "text"),
  queueId: column("QUEUE", "count"),
  offset: column("OFFSET", "count"),
  storeTime: column("STORED", "time"),
  tag: column("TAG", "text"),
  keys: column("KEYS", "texts"),
  bytes: column("SIZE", "bytes"),
  ...shared,
} as const;

/** Messages, one a line. */
export const messageTable = table("messages", { ...brief, body: wide("text") });
/** The same with the begin of their bodies. */
export const messageTableWithBodies = table("messages", { ...brief, body: column("BODY", "text") });
/** Messages with all that is known of them. */
export const messageRecords = records("messages", {
  id: column("Id", "text"),
  offsetMessageId: column("Offset id", "text"),
  topic: column("Topic", "text"),
  broker: column("Broker", "text"),
  queueId: column("Queue", "count"),
  offset: column("Offset", "count"),
  storeTime: column("Stored", "time"),
  storeHost: column("Stored at", "text"),
  bornTime: column("Born", "time"),
  bornHost: column("Born at", "text"),
  tag: column("Tag", "text"),
  keys: column("Keys", "texts"),
  reconsumeTimes: column("Retries", "count"),
  flag: column("Flag", "count"),
  sysFlag: column("System flag", "count"),
  properties: column("Properties", "map"),
  bytes: column("Size", "bytes"),
  body: column("Body", "text"),
  bodyBase64: wide("text"),
});

const strict = new TextDecoder("utf-8", { fatal: true });

function bodyOf(message: ReceivedMessage): { bytes: number; body: string | null; bodyBase64: string | null } {
  const bytes = message.body;
  try {
    return { bytes: bytes.length, body: strict.decode(bytes), bodyBase64: null };
  } catch {
    return { bytes: bytes.length, body: null, bodyBase64: toBase64(bytes) };
  }
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** What is shown of a message. A body that is not UTF-8 is there in Base64 only. */
export function messageRow(message: ReceivedMessage) {
  const { record } = message;
  return {
    id: message.uniqueKey ?? message.offsetMessageId,
    offsetMessageId: message.offsetMessageId,
    topic: record.topic,
    broker: message.brokerName,
    queueId: message.queueId,
    offset: message.queueOffset,
    storeTime: message.storeTimestamp,
    storeHost: formatHost(record.storeHost),
    bornTime: message.bornTimestamp,
    bornHost: message.bornHost,
    tag: message.tag ?? null,
    keys: message.keys,
    reconsumeTimes: message.reconsumeTimes,
    flag: record.flag,
    sysFlag: record.sysFlag,
    properties: Object.fromEntries(message.properties),
    ...bodyOf(message),
  };
}

/** A part of a queue: from `begin` to before `end`, at most `limit` messages. */
export interface Reading {
  readonly topic: string;
  readonly queueId: number;
  readonly begin: number;
  readonly end: number;
  readonly limit: number;
  /** Tags joined by `||`. */
  readonly expression?: string | undefined;
  /** Only messages stored from and until these times, ms. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** Reads a part of a queue, in whose name nothing is remembered. `more`: the limit, or much memory, was reached. */
export async function readQueue(
  admin: Admin,
  broker: Peer,
  { topic, queueId, begin, end, limit, expression = EVERYTHING, since = 0, until = Infinity }: Reading,
): Promise<{ messages: ReceivedMessage[]; more: boolean }> {
  const subscription = subscriptionTo(topic, expression);
  const messages: ReceivedMessage[] = [];
  let bytes = 0;
  for (let at = begin; at < end && messages.length < limit;) {
    const answer = await admin.try(broker, PullMessage, {
      consumerGroup: TOOLS_GROUP,
      topic,
      queueId,
      queueOffset: at,
      maxMsgNums: Math.min(PULL_MESSAGES_AT_ONCE, end - at),
      sysFlag: PullFlag.SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subscription: subscription.subString,
      subVersion: subscription.subVersion,
      expressionType: subscription.expressionType,
    });
    if (!PULLED.has(answer.code)) succeed(answer, `reading queue ${queueId} of ${topic}`);
    const records = answer.code === ResponseCode.SUCCESS ? decodeRecords(answer.body) : [];
    messages.push(
      ...records.map((record) => new ReceivedMessage(record, broker.name)).filter((message) =>
        message.queueOffset < end && message.storeTimestamp >= since && message.storeTimestamp <= until &&
        wants(subscription, message.tag)
      ),
    );
    if (records.some(({ storeTimestamp }) => storeTimestamp > until)) break;
    const next = answer.header.nextBeginOffset ?? end;
    if (next <= at) break;
    at = next;
    bytes += answer.body.length;
    if (at < end && (messages.length === limit || bytes > ADMIN_MESSAGE_BYTES_MAX)) return { messages, more: true };
  }
  return { messages: messages.slice(0, limit), more: messages.length > limit };
}

const PULLED: ReadonlySet<number> = new Set([
  ResponseCode.SUCCESS,
  ResponseCode.PULL_NOT_FOUND,
  ResponseCode.PULL_RETRY_IMMEDIATELY,
  ResponseCode.PULL_OFFSET_MOVED,
]);

/** From where to where a queue goes; from about a time (ms) on if one is given: brokers give the nearest message. */
export async function boundsOf(
  admin: Admin,
  broker: Peer,
  queue: { readonly topic: string; readonly queueId: number },
  since?: number,
): Promise<{ begin: number; end: number }> {
  const [first, last] = await Promise.all([
    since === undefined
      ? admin.ask(broker, GetMinOffset, queue)
      : admin.ask(broker, SearchOffsetByTimestamp, { ...queue, timestamp: since }),
    admin.ask(broker, GetMaxOffset, queue),
  ]);
  return { begin: first.header.offset ?? 0, end: last.header.offset ?? 0 };
}

/** The message with an id that tells where it is stored. Throws `malformed` for no such id, `refused` if it is gone. */
export async function messageById(admin: Admin, id: string): Promise<ReceivedMessage> {
  const { storeHost, logOffset } = parseMessageId(id);
  const broker = await admin.broker(formatHost(storeHost));
  const { body } = await admin.ask(broker, ViewMessageById, { offset: logOffset });
  return new ReceivedMessage(decodeRecord(body), broker.name);
}

/** Messages that one broker finds by a key, or by the id that their producer gave them. */
export async function messagesByKey(
  admin: Admin,
  broker: Peer,
  { topic, key, limit, unique }: { topic: string; key: string; limit: number; unique: boolean },
): Promise<ReceivedMessage[]> {
  const answer = await admin.try(broker, QueryMessage, {
    topic,
    key,
    maxNum: limit,
    beginTimestamp: 0,
    endTimestamp: Number.MAX_SAFE_INTEGER,
    ...(unique && { uniqueKeyQuery: true }),
  });
  if (answer.code === ResponseCode.QUERY_NOT_FOUND) return [];
  // Keys are looked up by their hash, which others may share.
  return decodeRecords(succeed(answer, `looking for ${key} in ${topic}`).body)
    .map((record) => new ReceivedMessage(record, broker.name))
    .filter((message) => unique ? message.uniqueKey === key : message.keys.includes(key));
}
