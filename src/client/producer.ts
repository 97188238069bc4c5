/**
 * Sends messages: each to the next queue of its topic, and to another broker when one fails; or to the queue of a key.
 *
 * @module
 */
import { SystemTopic } from "../protocol/names.ts";
import { SendReplyMessageV2 } from "../protocol/requests.ts";
import { unlessAborted } from "./aborting.ts";
import { UniqueKeys } from "./identity.ts";
import type { OutgoingMessage, ReceivedMessage } from "./message.ts";
import { batchOf, type Parcel, parcelOf } from "./parcel.ts";
import { AwaitedReplies, replyTo } from "./requests.ts";
import type { SendOptions } from "./selecting.ts";
import { traceHook } from "./trace.ts";
import { TraceDispatcher } from "./trace_dispatcher.ts";
import { type ProducerOptions, Sender, type SendResult } from "./sender.ts";

/** Group of producers that were given none; beginning of the groups that traces are sent by, and their time, ms. */
const DEFAULT_GROUP = "rocketd_producer";
const TRACE_GROUP_PREFIX = "_INNER_TRACE_PRODUCER";
const TRACE_TIMEOUT_MS = 5_000;

export type { ProducerOptions, SendResult } from "./sender.ts";

/**
 * Sends messages. Calls may overlap as much as the caller likes.
 *
 * @example
 * ```ts ignore
 * await using producer = new Producer({ nameservers: "127.0.0.1:9876" });
 * const { queueOffset } = await producer.send({ topic: "orders", tag: "new", body: "one pizza" });
 * ```
 */
export class Producer implements AsyncDisposable {
  /** @internal */
  protected readonly sender: Sender;
  readonly #keys = new UniqueKeys();
  readonly #replies: AwaitedReplies;
  readonly #traces: TraceDispatcher | undefined;

  constructor(options: ProducerOptions) {
    const { hooks = [], group = DEFAULT_GROUP } = options;
    this.#traces = traceDispatcher(options, group, "PRODUCE");
    this.sender = new Sender({ ...options, group, hooks: this.#traces ? [...hooks, traceHook(this.#traces)] : hooks });
    this.#replies = new AwaitedReplies(this.sender.clientId, this.sender.handlers);
  }

  /**
   * Sends a message and waits until it is stored. Rejects with `invalidArgument` (a message that no broker takes),
   * `notFound` (no such topic), `refused` (with RocketMQ's code), `aborted`, `unavailable` or `timeout`: after the last
   * three the message may be stored all the same.
   *
   * @example
   * ```ts ignore
   * await producer.send({ topic: "orders", body: "paid" }, { by: "order-4711" });
   * await producer.send({ topic: "orders", body: "remind", delayLevel: 5 }); // in a minute
   * ```
   */
  async send(message: OutgoingMessage, options?: SendOptions): Promise<SendResult> {
    return await this.sender.send(this.parcel(message), options);
  }

  /**
   * Sends messages of one topic together: all are stored, in one queue, or none. None may be delayed, all must have the
   * same `waitStored`, and together they may have `maxMessageSize` bytes; else it rejects with `invalidArgument`.
   */
  async sendBatch(messages: readonly OutgoingMessage[], options?: SendOptions): Promise<SendResult> {
    return await this.sender.send(batchOf(messages, () => this.#keys.next(), this.sender.bounds), options);
  }

  /** Sends a message that nobody answers for: resolves when it is on its way. */
  async sendOneWay(message: OutgoingMessage, options?: SendOptions): Promise<void> {
    await this.sender.sendOneWay(this.parcel(message), options);
  }

  /**
   * Sends a message and waits for the reply of one who consumes it. `timeoutMs` is for both. Rejects as `send` does, and
   * with `timeout` when no reply comes in time. The reply's offsets are -1: it is handed over by its broker.
   *
   * @example
   * ```ts ignore
   * const reply = await producer.request({ topic: "questions", body: "how late is it?" }, { timeoutMs: 5_000 });
   * console.log(reply.text());
   * ```
   */
  async request(message: OutgoingMessage, options: SendOptions = {}): Promise<ReceivedMessage> {
    const { timeoutMs = this.sender.timeoutMs, signal } = options;
    const { topic } = message;
    await this.sender.introduceForReplies(topic);
    const asked = this.#replies.ask(topic, timeoutMs);
    try {
      const properties = { ...message.properties, ...asked.properties };
      await this.sender.send(this.parcel({ ...message, properties }), { ...options, introduce: true });
      return await (signal === undefined ? asked.reply : unlessAborted(signal, `asking ${topic}`, () => asked.reply));
    } finally {
      asked.forget();
    }
  }

  /**
   * Answers a message that was sent with `request`. Rejects with `invalidArgument` when its sender waits for no reply, and
   * with `refused` when the sender is gone.
   *
   * @example
   * ```ts ignore
   * for await (const question of consumer) await producer.reply(question, { body: new Date().toISOString() });
   * ```
   */
  async reply(
    request: ReceivedMessage,
    reply: Omit<OutgoingMessage, "topic">,
    options: SendOptions = {},
  ): Promise<SendResult> {
    const message = replyTo(request, reply);
    return await this.sender.send(this.parcel(message), { ...options, prefer: request.brokerName }, SendReplyMessageV2);
  }

  /** @internal */
  protected parcel(message: OutgoingMessage): Parcel {
    return parcelOf(message, this.#keys.next(), this.sender.bounds);
  }

  /** Takes leave of the brokers, waits until what was sent one-way has left, then closes the connections. */
  async close(): Promise<void> {
    this.#replies.close();
    await this.#traces?.close();
    await this.sender.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

type TraceOptions = Pick<
  ProducerOptions,
  "nameservers" | "encoding" | "sign" | "tls" | "enableMsgTrace" | "customizedTraceTopic"
>;

/** What sends the traces of a group's producer or consumer, if they are wanted; it has a producer of its own. */
export function traceDispatcher(
  { nameservers, encoding, sign, tls, enableMsgTrace, customizedTraceTopic }: TraceOptions,
  group: string,
  kind: "PRODUCE" | "CONSUME",
): TraceDispatcher | undefined {
  if (!enableMsgTrace) return undefined;
  const own = { group: `${TRACE_GROUP_PREFIX}-${group}-${kind}`, timeoutMs: TRACE_TIMEOUT_MS };
  const open = () => new Producer({ nameservers, encoding, sign, tls, ...own });
  return new TraceDispatcher(customizedTraceTopic ?? SystemTopic.TRACE, open);
}
