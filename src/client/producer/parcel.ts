/**
 * What travels of one send: a message, or several in a batch, once checked against the rules that brokers keep.
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { SysFlag } from "../../protocol/codes.ts";
import { checkTopic, isRetryTopic, TOPICS_CLOSED_TO_CLIENTS } from "../../protocol/names.ts";
import {
  formatProperties,
  NAME_VALUE_SEPARATOR,
  propertiesProblem,
  PROPERTY_SEPARATOR,
  PropertyName,
} from "../../protocol/properties.ts";
import { bodyBytes, encodeBatch, fold, type OutgoingMessage, propertiesText, waitsStored } from "../message.ts";

const INT32_MAX = 0x7fff_ffff;
/** What stands between properties on their way, and cannot stand in one. */
const SEPARATORS = new RegExp(`[${NAME_VALUE_SEPARATOR}${PROPERTY_SEPARATOR}]`);
const WITHOUT_SEPARATORS = "text without the characters 1 and 2";

/** A send on its way. Of a batch, `message` is the first one, and `uniqueKey` its UNIQ_KEY. */
export interface Parcel {
  readonly topic: string;
  readonly uniqueKey: string;
  readonly body: Uint8Array;
  readonly sysFlag: number;
  readonly flag: number;
  readonly properties: string;
  readonly batch: boolean;
  readonly message: OutgoingMessage;
  /** Bytes of the body before it was folded. */
  readonly bodyLength: number;
}

/** Bytes above which a body is folded, and above which it is refused (`maxMessageSize` of Java's producers). */
export interface ParcelBounds {
  readonly foldAbove: number;
  readonly maxMessageSize: number;
}

/**
 * One message with its UNIQ_KEY: that which its properties give, as Java has it, so that a message which is sent again
 * can be known. Throws `invalidArgument` for one that no broker would take.
 */
export function parcelOf(message: OutgoingMessage, nextKey: string, bounds: ParcelBounds): Parcel {
  const { topic, flag = 0 } = message;
  const uniqueKey = keyOf(message, nextKey);
  checkSendTopic(topic);
  const plain = checkLength(topic, bodyBytes(message.body), bounds);
  const { body, sysFlag } = fold(plain, bounds.foldAbove);
  const half = message.properties?.[PropertyName.TRAN_MSG] === "true" ? SysFlag.TRANSACTION_PREPARED : 0;
  return {
    topic,
    uniqueKey,
    body,
    sysFlag: sysFlag | half,
    flag,
    properties: checkedProperties(message, uniqueKey),
    batch: false,
    message,
    bodyLength: plain.length,
  };
}

/**
 * Messages of one topic with their UNIQ_KEYs, to be stored together. Throws `invalidArgument` for what cannot be in a
 * batch: several topics, several values of `waitStored`, delayed and half messages, those for a retry topic, more than
 * `maxMessageSize` bytes in all.
 */
export function batchOf(
  messages: readonly OutgoingMessage[],
  nextKey: () => string,
  bounds: ParcelBounds,
): Parcel {
  const [first] = messages;
  if (first === undefined) throw badBatch("it is empty", "one message or more");
  const { topic } = first, waitStored = waitsStored(first);
  checkSendTopic(topic);
  if (isRetryTopic(topic)) throw badBatch(`${topic} is a retry topic`, "any other topic");
  for (const message of messages) {
    if (message.topic !== topic) throw badBatch(`it is for ${topic} and for ${message.topic}`, "messages of one topic");
    if (waitsStored(message) !== waitStored) throw badBatch("waitStored differs", "one value for all messages");
    const { DELAY, TRAN_MSG } = message.properties ?? {};
    if ((message.delayLevel ?? 0) > 0 || DELAY !== undefined) {
      throw badBatch("a message has a delay level", "messages without one");
    }
    if (TRAN_MSG !== undefined) throw badBatch("a message is part of a transaction", "messages of no transaction");
  }
  const entries = messages.map((message) => {
    const key = keyOf(message, nextKey());
    return { message, key, properties: checkedProperties(message, key) };
  });
  const body = checkLength(topic, encodeBatch(entries), bounds);
  return {
    topic,
    uniqueKey: entries[0]!.key,
    body,
    sysFlag: 0,
    flag: 0,
    properties: formatProperties([[PropertyName.WAIT, String(waitStored)]]),
    batch: true,
    message: first,
    bodyLength: body.length,
  };
}

function keyOf({ properties }: OutgoingMessage, nextKey: string): string {
  return properties?.[PropertyName.UNIQ_KEY] ?? nextKey;
}

function checkSendTopic(topic: string): void {
  const problem = TOPICS_CLOSED_TO_CLIENTS.has(topic) ? `the topic ${topic} is RocketMQ's own` : checkTopic(topic);
  if (problem !== undefined) {
    throw new RocketdError("invalidArgument", `Cannot send: ${problem}`, { field: "topic", value: topic });
  }
}

function checkLength(topic: string, body: Uint8Array, { maxMessageSize }: ParcelBounds): Uint8Array {
  if (body.length <= maxMessageSize) return body;
  const allowed = `up to ${maxMessageSize} bytes (maxMessageSize)`;
  throw new RocketdError("invalidArgument", `Cannot send to ${topic}: ${body.length} bytes, allowed are ${allowed}`, {
    field: "body",
    value: body.length,
    allowed,
  });
}

function checkedProperties(message: OutgoingMessage, uniqueKey: string): string {
  const { topic, delayLevel = 0, flag = 0 } = message;
  // As Java's producers: its consumers hand out null for no body.
  if (message.body.length === 0) throw badField(topic, "body", "", "one byte or more");
  if ((flag | 0) !== flag) throw badField(topic, "flag", flag, "a whole number of 32 bits");
  if (!Number.isInteger(delayLevel) || delayLevel < 0 || delayLevel > INT32_MAX) {
    throw badField(topic, "delayLevel", delayLevel, "a whole number, 0 for no delay");
  }
  for (const [name, value] of Object.entries(message.properties ?? {})) {
    if (SEPARATORS.test(name) || SEPARATORS.test(value)) throw badField(topic, "properties", name, WITHOUT_SEPARATORS);
    // Nobody would ever see it: brokers and clients leave it out.
    if (name === "" || value === "") throw badField(topic, "properties", name, "names and values that are not empty");
  }
  if (message.tag !== undefined && SEPARATORS.test(message.tag)) {
    throw badField(topic, "tag", message.tag, WITHOUT_SEPARATORS);
  }
  const badKey = message.keys?.find((key) => SEPARATORS.test(key));
  if (badKey !== undefined) throw badField(topic, "keys", badKey, WITHOUT_SEPARATORS);
  const text = propertiesText(message, uniqueKey);
  const problem = propertiesProblem(text);
  if (problem === undefined) return text;
  throw new RocketdError("invalidArgument", `Cannot send to ${topic}: ${problem}`, { field: "properties" });
}

function badField(topic: string, field: string, value: unknown, allowed: string): RocketdError {
  const reason = `${field} is ${typeof value === "string" ? JSON.stringify(value) : value}, allowed is ${allowed}`;
  return new RocketdError("invalidArgument", `Cannot send to ${topic}: ${reason}`, { field, value, allowed });
}

function badBatch(reason: string, allowed: string): RocketdError {
  const text = `Cannot send a batch: ${reason}, allowed: ${allowed}`;
  return new RocketdError("invalidArgument", text, { field: "messages", allowed });
}
