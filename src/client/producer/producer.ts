/**
 * Sends messages: each to the next queue of its topic, and to another broker when one fails; or to the queue of a key.
 *
 * @module
 */
import { SystemTopic } from "../../protocol/names.ts";
import { SendReplyMessageV2 } from "../../protocol/requests.ts";
import { leftMs } from "../../remoting/deadlines.ts";
import { unlessAborted } from "../aborting.ts";
import { UniqueKeys } from "../identity.ts";
import type { OutgoingMessage, ReceivedMessage } from "../message.ts";
import { batchOf, type Parcel, parcelOf } from "./parcel.ts";
import { AwaitedReplies, replyTo } from "./requests.ts";
import type { SendOptions } from "./selecting.ts";
import { traceHook } from "../trace/trace.ts";
import { TraceDispatcher } from "../trace/trace_dispatcher.ts";
import type { ProducerOptions } from "./producer_options.ts";
import { Sender } from "./sender.ts";
import type { SendResult } from "./send_results.ts";

/** Group of producers that were given none; beginning of the groups that traces are sent by, and their time, ms. */
const DEFAULT_GROUP = "rocketd_producer";
const TRACE_GROUP_PREFIX = "_INNER_TRACE_PRODUCER";
const TRACE_TIMEOUT_MS = 5_000;

export type { ProducerOptions } from "./producer_options.ts";
export type { SendResult } from "./send_results.ts";

/**
 * Sends messages. Calls may overlap; with 65,535 sends under way, further ones are refused as `unavailable`.
 *
 * @example
 * ```ts
 * import { Producer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * await using producer = new Producer({ nameservers: cluster.nameservers }); // or "10.0.0.1:9876;10.0.0.2:9876"
 * const { status } = await producer.send({ topic: "orders", tag: "new", keys: ["4711"], body: "one pizza" });
 * assertEquals(status, "SEND_OK");
 * ```
 */
export class Producer implements AsyncDisposable {
  /** @internal */
  protected readonly sender: Sender;
  readonly #keys = new UniqueKeys();
  readonly #replies: AwaitedReplies;
  readonly #traces: TraceDispatcher | undefined;

  /** Connects when it first sends. Throws `invalidArgument` when no nameserver is given. */
  constructor(options: ProducerOptions) {
    const { hooks = [], group = DEFAULT_GROUP } = options;
    this.#traces = traceDispatcher(options, group, "PRODUCE");
    this.sender = new Sender({ ...options, group, hooks: this.#traces ? [...hooks, traceHook(this.#traces)] : hooks });
    this.#replies = new AwaitedReplies(this.sender.clientId, this.sender.handlers);
  }

  /**
   * Sends a message and waits until it is stored. Rejects with `invalidArgument` (a message that no broker takes),
   * `notFound` (no such topic), `refused` (with RocketMQ's code), `aborted`, `unavailable`, `timeout` or `malformed` (an
   * answer that cannot be read): after the last four the message may be stored all the same.
   *
   * @example
   * ```ts
   * import { Producer, startLocalCluster } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * await using producer = new Producer({ nameservers: cluster.nameservers });
   * await producer.send({ topic: "orders", body: "remind", delayLevel: 5 }); // in a minute
   * const ordered = await producer.send({ topic: "orders", body: "ordered" }, { by: "4711" });
   * const paid = await producer.send({ topic: "orders", body: "paid" }, { by: "4711", timeoutMs: 10_000 });
   * assertEquals(paid.queue, ordered.queue);
   * ```
   */
  async send(message: OutgoingMessage, options?: SendOptions): Promise<SendResult> {
    return await this.sender.send(this.parcel(message), options);
  }

  /**
   * Sends messages of one topic together: all are stored, in one queue, or none. None may be delayed, all must have the
   * same `waitStored`, and together they may have `maxMessageSize` bytes; else it rejects with `invalidArgument`.
   *
   * @example
   * ```ts
   * import { Producer, startLocalCluster } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * await using producer = new Producer({ nameservers: cluster.nameservers });
   * const guests = ["Ann", "Bo", "Cy"].map((name) => ({ topic: "guests", body: name }));
   * const { offsetMessageId } = await producer.sendBatch(guests);
   * assertEquals(offsetMessageId.split(",").length, 3);
   * ```
   */
  async sendBatch(messages: readonly OutgoingMessage[], options?: SendOptions): Promise<SendResult> {
    return await this.sender.send(batchOf(messages, () => this.#keys.next(), this.sender.bounds), options);
  }

  /**
   * Sends a message that nobody answers for: resolves when it is on its way.
   *
   * @example
   * ```ts
   * import { LitePullConsumer, Producer, startLocalCluster } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * const { nameservers } = cluster;
   * await using producer = new Producer({ nameservers });
   * await producer.send({ topic: "clicks", body: "first" }, { by: "page" });
   * await producer.sendOneWay({ topic: "clicks", body: "second" }, { by: "page" });
   *
   * const subscriptions = { clicks: "*" };
   * await using consumer = new LitePullConsumer({ nameservers, group: "counter", subscriptions, from: "first" });
   * const clicks: string[] = [];
   * for await (const message of consumer) if (clicks.push(message.text()) === 2) break;
   * assertEquals(clicks, ["first", "second"]);
   * ```
   */
  async sendOneWay(message: OutgoingMessage, options?: SendOptions): Promise<void> {
    await this.sender.sendOneWay(this.parcel(message), options);
  }

  /**
   * Sends a message and waits for the reply of one who consumes it. `timeoutMs` is for both. Rejects as `send` does, and
   * with `timeout` when no reply comes in time. The reply's offsets are -1: it is handed over by its broker.
   *
   * @example
   * ```ts
   * import { Producer, PushConsumer, startLocalCluster } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * const { nameservers } = cluster;
   * await using asking = new Producer({ nameservers, group: "asking" });
   * await asking.send({ topic: "questions", tag: "greeting", body: "makes the topic" });
   *
   * await using replying = new Producer({ nameservers, group: "replying" });
   * await using consumer = new PushConsumer({
   *   nameservers,
   *   group: "oracle",
   *   subscriptions: { questions: "sum" },
   *   from: "first",
   *   consumeConcurrently: async ([question]) => {
   *     const sum = question!.text().split("+").reduce((total, part) => total + Number(part), 0);
   *     await replying.reply(question!, { body: String(sum) });
   *   },
   * });
   * await consumer.start();
   * const reply = await asking.request({ topic: "questions", tag: "sum", body: "20+22" }, { timeoutMs: 30_000 });
   * assertEquals(reply.text(), "42");
   * ```
   */
  async request(message: OutgoingMessage, options: SendOptions = {}): Promise<ReceivedMessage> {
    const { signal } = options;
    const { topic } = message;
    const deadline = performance.now() + this.sender.patience(options);
    await unlessAborted(signal, `asking ${topic}`, () => this.sender.introduceForReplies(topic, deadline));
    const timeoutMs = leftMs(deadline);
    const asked = this.#replies.ask(topic, timeoutMs);
    try {
      const properties = { ...message.properties, ...asked.properties };
      await this.sender.send(this.parcel({ ...message, properties }), { ...options, timeoutMs, introduce: true });
      return await unlessAborted(signal, `asking ${topic}`, () => asked.reply);
    } finally {
      asked.forget();
    }
  }

  /**
   * Answers a message that was sent with `request`. Rejects with `invalidArgument` when its sender waits for no reply, and
   * with `refused` when the sender is gone.
   *
   * @example
   * ```ts
   * import { LitePullConsumer, Producer, startLocalCluster } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * const { nameservers } = cluster;
   * await using producer = new Producer({ nameservers });
   * const answer = producer.request({ topic: "questions", body: "how much is a pizza?" }, { timeoutMs: 30_000 });
   * answer.catch(() => {});
   * await producer.send({ topic: "questions", body: "no question" });
   *
   * const subscriptions = { questions: "*" };
   * await using consumer = new LitePullConsumer({ nameservers, group: "shop", subscriptions, from: "first" });
   * for await (const question of consumer) {
   *   if (question.text() === "no question") continue;
   *   await producer.reply(question, { body: "12 euros" });
   *   break;
   * }
   * assertEquals((await answer).text(), "12 euros");
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

  /**
   * Takes leave of the brokers, waits `timeoutMs` at most until what was sent one-way has left, then closes the
   * connections. Sends that are under way reject with `unavailable`: wait for them first.
   */
  async close(): Promise<void> {
    this.#replies.close();
    await this.#traces?.close();
    await this.sender.close();
  }

  /** As `close`, at the end of an `await using`. */
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
