/**
 * Requests that wait for a reply: the asker's message carries an id and the asker's client id, and whoever consumes it
 * sends the reply to a broker, which passes it on to the asker (RocketMQ 4.6 and later).
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { REPLIES_AWAITED_MAX } from "../../limits.ts";
import { ResponseCode, SysFlag } from "../../protocol/codes.ts";
import { encodeHost, parseIp } from "../../protocol/host.ts";
import { bodyCrcOf } from "../../protocol/message_record.ts";
import { replyTopic } from "../../protocol/names.ts";
import { formatProperties, parseProperties, PropertyName, propertyOf } from "../../protocol/properties.ts";
import type { RequestHeader } from "../../protocol/request.ts";
import { PushReplyMessageToClient } from "../../protocol/requests.ts";
import { parseAddress } from "../../remoting/client.ts";
import type { HandlerTable } from "../../remoting/handlers.ts";
import { type OutgoingMessage, ReceivedMessage } from "../message.ts";

/** What a message of type "reply" is called in its properties. */
const REPLY_TYPE = "reply";

interface Waiting {
  readonly resolve: (reply: ReceivedMessage) => void;
  readonly reject: (error: RocketdError) => void;
  readonly deadline: number;
  readonly topic: string;
  readonly ttlMs: number;
}

/** How a request is marked, how long its reply may take, and the reply. */
export interface Asked {
  readonly properties: Readonly<Record<string, string>>;
  readonly reply: Promise<ReceivedMessage>;
  /** Nobody waits any longer. */
  forget(): void;
}

/** The requests of one producer that wait for their replies. One timer serves them all. */
export class AwaitedReplies {
  readonly #waiting = new Map<string, Waiting>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  constructor(readonly clientId: string, handlers: HandlerTable) {
    handlers.on(PushReplyMessageToClient, ({ header, body }) => {
      this.#arrived(header, body);
      return { code: ResponseCode.SUCCESS };
    });
  }

  /** Waits for the reply to a request. Throws `unavailable` when too many wait; `reply` rejects with `timeout`. */
  ask(topic: string, ttlMs: number): Asked {
    if (this.#waiting.size >= REPLIES_AWAITED_MAX) {
      const reason = `${REPLIES_AWAITED_MAX} requests wait for their replies`;
      throw new RocketdError("unavailable", `Cannot send a request to ${topic}: ${reason}`);
    }
    const id = crypto.randomUUID();
    const { promise: reply, resolve, reject } = Promise.withResolvers<ReceivedMessage>();
    // The send may fail first, and then nobody looks at it.
    reply.catch(() => {});
    const deadline = performance.now() + ttlMs;
    this.#waiting.set(id, { resolve, reject, deadline, topic, ttlMs });
    this.#wakeAt(deadline);
    return {
      properties: {
        [PropertyName.CORRELATION_ID]: id,
        [PropertyName.REPLY_TO_CLIENT]: this.clientId,
        [PropertyName.TTL]: String(ttlMs),
      },
      reply,
      forget: () => {
        this.#waiting.delete(id);
        if (this.#waiting.size === 0) this.#sleep();
      },
    };
  }

  /** Rejects all that wait. */
  close(): void {
    this.#sleep();
    for (const { reject, topic } of this.#waiting.values()) {
      reject(new RocketdError("unavailable", `Cannot get a reply from ${topic}: the producer is closed`));
    }
    this.#waiting.clear();
  }

  #arrived(header: RequestHeader<typeof PushReplyMessageToClient>, body: Uint8Array): void {
    const id = propertyOf(header.properties ?? "", PropertyName.CORRELATION_ID) ?? "";
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return; // Late: its asker has given up.
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#sleep();
    waiting.resolve(replyOf(header, body));
  }

  #wakeAt(time: number): void {
    if (time >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = time;
    this.#timer = setTimeout(() => this.#expire(), Math.ceil(time - performance.now()));
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
  }

  #expire(): void {
    this.#timerAt = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const [id, { reject, deadline, topic, ttlMs }] of this.#waiting) {
      if (deadline > now) {
        next = Math.min(next, deadline);
        continue;
      }
      this.#waiting.delete(id);
      reject(new RocketdError("timeout", `Cannot get a reply from ${topic}: none came within ${ttlMs} ms`));
    }
    if (next < Infinity) this.#wakeAt(next);
  }
}

/** The message that answers a request. Throws `invalidArgument` for a message that waits for no reply. */
export function replyTo(request: ReceivedMessage, reply: Omit<OutgoingMessage, "topic">): OutgoingMessage {
  const { properties } = request;
  const needed = [PropertyName.CLUSTER, PropertyName.CORRELATION_ID, PropertyName.REPLY_TO_CLIENT] as const;
  const missing = needed.find((name) => !properties.get(name));
  if (missing !== undefined) {
    const text = `Cannot reply to ${request.offsetMessageId}: it has no property ${missing}, so it is no request`;
    throw new RocketdError("invalidArgument", text, { field: missing });
  }
  const [cluster, id, asker] = needed.map((name) => properties.get(name)!);
  const ttl = properties.get(PropertyName.TTL);
  return {
    ...reply,
    topic: replyTopic(cluster!),
    properties: {
      ...reply.properties,
      [PropertyName.MSG_TYPE]: REPLY_TYPE,
      [PropertyName.CORRELATION_ID]: id!,
      [PropertyName.REPLY_TO_CLIENT]: asker!,
      ...(ttl === undefined ? {} : { [PropertyName.TTL]: ttl }),
    },
  };
}

/** A reply as the broker passes it on: it lies nowhere that the asker knows, so its offsets are -1. */
function replyOf(header: RequestHeader<typeof PushReplyMessageToClient>, bytes: Uint8Array): ReceivedMessage {
  const properties = parseProperties(header.properties ?? "");
  properties.set(PropertyName.ARRIVE_TIME, String(Date.now()));
  const body = bytes.slice();
  const bornHost = hostOf(header.bornHost), storeHost = hostOf(header.storeHost);
  const { topic, queueId, flag, bornTimestamp, storeTimestamp, reconsumeTimes = 0 } = header;
  return new ReceivedMessage({
    totalSize: body.length,
    bodyCrc: bodyCrcOf(body),
    queueId,
    flag,
    queueOffset: -1,
    physicalOffset: -1,
    sysFlag: header.sysFlag & ~(SysFlag.BORN_HOST_V6 | SysFlag.STORE_HOST_V6),
    bornTimestamp,
    bornHost,
    storeTimestamp,
    storeHost,
    reconsumeTimes,
    preparedTransactionOffset: 0,
    body,
    topic,
    properties: formatProperties(properties),
  }, "");
}

/** `ip:port`, with or without the slash that Java puts before it; zeros for anything else. */
function hostOf(text: string): Uint8Array {
  try {
    const { hostname, port } = parseAddress(text.replace(/^\//, ""));
    return encodeHost(parseIp(hostname) ?? new Uint8Array(4), port);
  } catch {
    return encodeHost(new Uint8Array(4), 0);
  }
}
