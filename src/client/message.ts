/**
 * Messages as a program sees them, and how they become what travels: properties text, folded body, batch.
 *
 * @module
 */
import { deflateSync, inflateSync } from "node:zlib";
import { messageOf, RocketdError } from "../errors.ts";
import { MESSAGE_BYTES_UNFOLDED_MAX } from "../limits.ts";
import { ByteWriter } from "../protocol/byte_writer.ts";
import { SysFlag } from "../protocol/codes.ts";
import { formatHost } from "../protocol/host.ts";
import { formatMessageId } from "../protocol/message_id.ts";
import type { MessageRecord } from "../protocol/message_record.ts";
import { isRetryTopic } from "../protocol/names.ts";
import { formatProperties, parseProperties, PropertyName } from "../protocol/properties.ts";

/**
 * A message to send.
 *
 * @example
 * ```ts
 * import { type OutgoingMessage, Producer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const reminder: OutgoingMessage = {
 *   topic: "reminders",
 *   tag: "dentist",
 *   keys: ["4711"],
 *   properties: { clinic: "north" },
 *   body: "today at nine",
 *   delayLevel: 5, // in a minute
 * };
 * await using cluster = await startLocalCluster();
 * await using producer = new Producer({ nameservers: cluster.nameservers });
 * assertEquals((await producer.send(reminder)).status, "SEND_OK");
 * ```
 */
export interface OutgoingMessage {
  /** Where it goes; `autoCreateTopicEnable` of the brokers lets the first message make it. */
  readonly topic: string;
  /** Text is sent as UTF-8. Not empty. */
  readonly body: Uint8Array | string;
  /** One tag, which consumers can choose by. */
  readonly tag?: string;
  /** Keys by which the message can be found later. */
  readonly keys?: readonly string[];
  /**
   * Properties of the program's own, none of them empty. Names that RocketMQ uses itself are taken as they are: a message
   * that is sent again with the UNIQ_KEY of the first send can be known by it.
   */
  readonly properties?: Readonly<Record<string, string>>;
  /** Number that is kept with the message. */
  readonly flag?: number;
  /** Delivers later: number of a level of `messageDelayLevel`, by default 1 = 1 s, 2 = 5 s, … 18 = 2 h; 0: at once. */
  readonly delayLevel?: number;
  /** False: the broker answers before disk and slave have it, whatever it is set to. */
  readonly waitStored?: boolean;
}

const FOLD_LEVEL = 5;
/** Bits 8 to 10 of sysFlag: how a folded body is folded (since 4.9.4); 0 and 3 mean zlib. */
export const FOLD_TYPE_MASK = 0x700;
const FOLD_TYPE_ZLIB = 0x300;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes of a body. */
export function bodyBytes(body: Uint8Array | string): Uint8Array {
  return typeof body === "string" ? encoder.encode(body) : body;
}

/** Folds a body above `foldAbove` bytes; one that does not get smaller stays as it is. */
export function fold(body: Uint8Array, foldAbove: number): { body: Uint8Array; sysFlag: number } {
  if (body.length <= foldAbove) return { body, sysFlag: 0 };
  const folded = deflateSync(body, { level: FOLD_LEVEL });
  return folded.length < body.length ? { body: folded, sysFlag: SysFlag.COMPRESSED } : { body, sysFlag: 0 };
}

/** Whether the broker answers only when disk and slave have the message, if it is set to wait for them. */
export function waitsStored({ waitStored, properties }: OutgoingMessage): boolean {
  return waitStored ?? properties?.[PropertyName.WAIT]?.toLowerCase() !== "false";
}

/** The properties text of a message with this UNIQ_KEY. */
export function propertiesText(message: OutgoingMessage, uniqueKey: string): string {
  const properties = new Map(Object.entries(message.properties ?? {}));
  if (message.tag !== undefined) properties.set(PropertyName.TAGS, message.tag);
  if (message.keys !== undefined) properties.set(PropertyName.KEYS, message.keys.join(" "));
  if (message.delayLevel) properties.set(PropertyName.DELAY, String(message.delayLevel));
  properties.set(PropertyName.UNIQ_KEY, uniqueKey);
  properties.set(PropertyName.WAIT, String(waitsStored(message)));
  return formatProperties(properties);
}

/** The body of SEND_BATCH_MESSAGE: see the grammar of `MessageDecoder.encodeMessage` (4.9.7). */
export function encodeBatch(messages: readonly { message: OutgoingMessage; properties: string }[]): Uint8Array {
  const out = new ByteWriter();
  for (const { message, properties } of messages) {
    const body = bodyBytes(message.body);
    const start = out.ensure(20);
    out.length = start + 4;
    out.int32(0); // magic and CRC: the broker computes its own
    out.int32(0);
    out.int32(message.flag ?? 0);
    out.int32(body.length);
    out.raw(body);
    const lengthAt = out.ensure(2);
    out.length = lengthAt + 2;
    // First the text: it may move the buffer, and its view with it.
    const length = out.text(properties);
    out.view.setInt16(lengthAt, length);
    out.view.setInt32(start, out.length - start);
  }
  return out.written();
}

/**
 * A message that was received. Body and properties are read when they are first asked for.
 *
 * @example
 * ```ts
 * import { LitePullConsumer, Producer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * await producer.send({ topic: "orders", tag: "new", keys: ["4711"], body: "one pizza", properties: { table: "7" } });
 *
 * const subscriptions = { orders: "*" };
 * await using consumer = new LitePullConsumer({ nameservers, group: "kitchen", subscriptions, from: "first" });
 * for await (const message of consumer) {
 *   assertEquals([message.text(), message.tag, message.keys], ["one pizza", "new", ["4711"]]);
 *   assertEquals(message.properties.get("table"), "7");
 *   break;
 * }
 * ```
 */
export class ReceivedMessage {
  #properties: Map<string, string> | undefined;

  /** @internal */
  readonly record: MessageRecord;
  /** The broker that it came from. */
  readonly brokerName: string;

  /** @internal */
  constructor(record: MessageRecord, brokerName: string) {
    this.record = record;
    this.brokerName = brokerName;
  }

  /**
   * The topic that it was sent to, also for a message that comes again from its group's retry topic. Of a dead letter it
   * is `%DLQ%` and the group, and the property `RETRY_TOPIC` tells where it was sent to.
   */
  get topic(): string {
    const { topic } = this.record;
    return isRetryTopic(topic) ? this.properties.get(PropertyName.RETRY_TOPIC) ?? topic : topic;
  }

  /** The queue of the broker that it lies in. */
  get queueId(): number {
    return this.record.queueId;
  }

  /** Its place in the queue. */
  get queueOffset(): number {
    return this.record.queueOffset;
  }

  /** Its tag, if it has one. */
  get tag(): string | undefined {
    return this.properties.get(PropertyName.TAGS);
  }

  /** Its keys. */
  get keys(): string[] {
    return this.properties.get(PropertyName.KEYS)?.split(" ").filter((key) => key !== "") ?? [];
  }

  /** The id that its producer gave it. */
  get uniqueKey(): string | undefined {
    return this.properties.get(PropertyName.UNIQ_KEY);
  }

  /** The id that tells where it is stored. */
  get offsetMessageId(): string {
    return formatMessageId(this.record.storeHost, this.record.physicalOffset);
  }

  /** When its producer made it, ms. */
  get bornTimestamp(): number {
    return this.record.bornTimestamp;
  }

  /** When its broker stored it, ms. */
  get storeTimestamp(): number {
    return this.record.storeTimestamp;
  }

  /** Who sent it, `ip:port`. */
  get bornHost(): string {
    return formatHost(this.record.bornHost);
  }

  /** How often it was delivered before. */
  get reconsumeTimes(): number {
    return this.record.reconsumeTimes;
  }

  /** All properties, RocketMQ's own among them. */
  get properties(): ReadonlyMap<string, string> {
    return this.#properties ??= parseProperties(this.record.properties);
  }

  /** The body, unfolded. Throws `malformed` when it is folded in a way that we do not know, or badly. */
  get body(): Uint8Array {
    const { sysFlag, body } = this.record;
    if ((sysFlag & SysFlag.COMPRESSED) === 0) return body;
    const type = sysFlag & FOLD_TYPE_MASK;
    try {
      if (type !== 0 && type !== FOLD_TYPE_ZLIB) throw new Error(`compression type ${type >> 8}, allowed is zlib (3)`);
      return inflateSync(body, { maxOutputLength: MESSAGE_BYTES_UNFOLDED_MAX });
    } catch (cause) {
      const id = this.offsetMessageId;
      throw new RocketdError("malformed", `Cannot unfold the body of ${id}: ${messageOf(cause)}`, { cause });
    }
  }

  /** The body as UTF-8. */
  text(): string {
    return decoder.decode(this.body);
  }
}
