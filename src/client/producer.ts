/**
 * Sends messages: each to the next queue of its topic, and to another broker when one fails.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { FOLD_ABOVE_BYTES } from "../limits.ts";
import { ResponseCode, responseCodeName } from "../protocol/codes.ts";
import { formatProperties, PropertyName } from "../protocol/properties.ts";
import type { RequestInput } from "../protocol/request.ts";
import { SendBatchMessage, SendMessageV2 } from "../protocol/requests.ts";
import { type ClientSecurity, RemotingClient, type RemotingClientOptions } from "../remoting/client.ts";
import type { Received } from "../remoting/connection.ts";
import { UniqueKeys } from "./identity.ts";
import { bodyBytes, encodeBatch, fold, type OutgoingMessage, propertiesText } from "./message.ts";
import type { MessageQueue } from "./rebalance.ts";
import { NEW_TOPIC_QUEUES, type Route, RouteBook, TEMPLATE_TOPIC } from "./routes.ts";

/** What a producer needs to know; defaults are those of Java's. */
export interface ProducerOptions extends ClientSecurity, Pick<RemotingClientOptions, "encoding"> {
  /** `host:port`, several joined by `;` or as a list. */
  readonly nameservers: string | readonly string[];
  /** Name of the producer group. */
  readonly group?: string;
  /** Time for one send with all its attempts, ms. */
  readonly timeoutMs?: number;
  /** Further attempts after the first one failed. */
  readonly retries?: number;
  /** Bodies above this many bytes are folded (zlib). */
  readonly foldAbove?: number;
}

/** The codes of answers to stored messages: all but the first say that disk or slave were not waited for. */
const STORED = new Map<number, SendResult["status"]>([
  [ResponseCode.SUCCESS, "SEND_OK"],
  [ResponseCode.FLUSH_DISK_TIMEOUT, "FLUSH_DISK_TIMEOUT"],
  [ResponseCode.FLUSH_SLAVE_TIMEOUT, "FLUSH_SLAVE_TIMEOUT"],
  [ResponseCode.SLAVE_NOT_AVAILABLE, "SLAVE_NOT_AVAILABLE"],
]);

/** Refusals after which another broker, or the same a little later, may take the message (`retryResponseCodes`). */
const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([
  ResponseCode.TOPIC_NOT_EXIST,
  ResponseCode.SERVICE_NOT_AVAILABLE,
  ResponseCode.SYSTEM_ERROR,
  ResponseCode.SYSTEM_BUSY,
  ResponseCode.NO_PERMISSION,
  ResponseCode.NO_BUYER_ID,
  ResponseCode.NOT_IN_CURRENT_UNIT,
]);

/** Where a message was stored. */
export interface SendResult {
  readonly status: "SEND_OK" | "FLUSH_DISK_TIMEOUT" | "FLUSH_SLAVE_TIMEOUT" | "SLAVE_NOT_AVAILABLE";
  /** The UNIQ_KEY; of a batch, the first one. */
  readonly uniqueKey: string;
  /** The broker's id of the message; of a batch, all of them joined by commas. */
  readonly offsetMessageId: string;
  readonly queue: MessageQueue;
  readonly queueOffset: number;
}

interface Parcel {
  readonly topic: string;
  readonly uniqueKey: string;
  readonly body: Uint8Array;
  readonly sysFlag: number;
  readonly flag: number;
  readonly properties: string;
  readonly batch: boolean;
}

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
  readonly #client: RemotingClient;
  readonly #routes: RouteBook;
  readonly #keys = new UniqueKeys();
  readonly #options: Required<Omit<ProducerOptions, "nameservers" | "encoding" | keyof ClientSecurity>>;
  #turn = Math.floor(Math.random() * NEW_TOPIC_QUEUES);

  constructor({ nameservers, encoding, sign, tls, ...options }: ProducerOptions) {
    this.#client = new RemotingClient({ encoding, sign, tls });
    this.#routes = new RouteBook(this.#client, nameservers);
    this.#options = {
      group: "rocketd_producer",
      timeoutMs: 3_000,
      retries: 2,
      foldAbove: FOLD_ABOVE_BYTES,
      ...options,
    };
  }

  /**
   * Sends a message and waits until it is stored. Rejects with `notFound` (no such topic), `refused` (with RocketMQ's
   * code), `unavailable` or `timeout`: after the last two the message may be stored all the same. `to`: this queue, and
   * no other one if it fails.
   */
  async send(message: OutgoingMessage, to?: Pick<MessageQueue, "brokerName" | "queueId">): Promise<SendResult> {
    return await this.#send(this.#parcel(message), to && { topic: message.topic, ...to });
  }

  /** Sends messages of one topic together: all are stored, in one queue, or none. */
  async sendBatch(messages: readonly OutgoingMessage[]): Promise<SendResult> {
    const [first] = messages;
    if (first === undefined || messages.some(({ topic }) => topic !== first.topic)) {
      const allowed = "one or more messages of one topic";
      throw new RocketdError("invalidArgument", `Cannot send a batch: allowed is ${allowed}`, { allowed });
    }
    const entries = messages.map((message) => ({ message, key: this.#keys.next() }));
    return await this.#send({
      topic: first.topic,
      uniqueKey: entries[0]!.key,
      body: encodeBatch(entries.map(({ message, key }) => ({ message, properties: propertiesText(message, key) }))),
      sysFlag: 0,
      flag: 0,
      properties: formatProperties([[PropertyName.WAIT, String(first.waitStored ?? true)]]),
      batch: true,
    });
  }

  /** Sends a message that nobody answers for: resolves when it is on its way. */
  async sendOneWay(message: OutgoingMessage): Promise<void> {
    const parcel = this.#parcel(message);
    const route = await this.#routes.findOrBorrow(parcel.topic);
    const queue = this.#choose(route, parcel.topic);
    await this.#client.notify(route.master(queue.brokerName)!, SendMessageV2, this.#header(parcel, queue), parcel.body);
  }

  /** Waits until what was sent one-way has left, then closes the connections. */
  async close(): Promise<void> {
    await this.#client.flushed();
    this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #parcel(message: OutgoingMessage): Parcel {
    const uniqueKey = this.#keys.next();
    const { topic, flag = 0 } = message;
    const folded = fold(bodyBytes(message.body), this.#options.foldAbove);
    return { topic, uniqueKey, ...folded, flag, properties: propertiesText(message, uniqueKey), batch: false };
  }

  async #send(parcel: Parcel, to?: MessageQueue): Promise<SendResult> {
    const deadline = Date.now() + this.#options.timeoutMs;
    let failedBroker: string | undefined;
    for (let attempt = 0;; attempt++) {
      try {
        const route = await this.#routes.findOrBorrow(parcel.topic);
        const queue = to ?? this.#choose(route, parcel.topic, failedBroker);
        failedBroker = queue.brokerName;
        return await this.#attempt(route, queue, parcel, deadline - Date.now());
      } catch (error) {
        if (!worthAnotherTry(error) || attempt >= this.#options.retries || Date.now() >= deadline) throw error;
        this.#routes.forget(parcel.topic);
      }
    }
  }

  async #attempt(route: Route, queue: MessageQueue, parcel: Parcel, timeoutMs: number): Promise<SendResult> {
    const type = parcel.batch ? SendBatchMessage : SendMessageV2;
    const address = route.master(queue.brokerName);
    if (address === undefined) throw nowhere(parcel.topic, `no master of ${queue.brokerName} has it`);
    const answer = await this.#client.invoke(address, type, this.#header(parcel, queue), parcel.body, timeoutMs);
    const status = STORED.get(answer.code);
    if (status === undefined) throw refusal(parcel.topic, answer);
    const { msgId = "", queueId = queue.queueId, queueOffset = -1 } = answer.header;
    return {
      status,
      uniqueKey: parcel.uniqueKey,
      offsetMessageId: msgId,
      queue: { ...queue, queueId },
      queueOffset,
    };
  }

  #header(parcel: Parcel, queue: MessageQueue): RequestInput<typeof SendMessageV2> {
    return {
      producerGroup: this.#options.group,
      topic: parcel.topic,
      defaultTopic: TEMPLATE_TOPIC,
      defaultTopicQueueNums: NEW_TOPIC_QUEUES,
      queueId: queue.queueId,
      sysFlag: parcel.sysFlag,
      bornTimestamp: Date.now(),
      flag: parcel.flag,
      properties: parcel.properties,
      reconsumeTimes: 0,
      unitMode: false,
      batch: parcel.batch,
      brokerName: queue.brokerName,
    };
  }

  /** The next queue in turn, on another broker than the one that failed if there is one. */
  #choose(route: Route, topic: string, failedBroker?: string): MessageQueue {
    const others = route.writable.filter(({ brokerName }) => brokerName !== failedBroker);
    const queues = others.length > 0 ? others : route.writable;
    const queue = queues[this.#turn++ % queues.length];
    if (queue === undefined) throw nowhere(topic, "no broker takes writes for it");
    return queue;
  }
}

function nowhere(topic: string, reason: string): RocketdError {
  return new RocketdError("unavailable", `Cannot send to ${topic}: ${reason}`, { field: "topic", value: topic });
}

function refusal(topic: string, { code, remark }: Received): RocketdError {
  const reason = `${responseCodeName(code)} (${code}) ${remark ?? ""}`.trim();
  return new RocketdError("refused", `Cannot send to ${topic}: ${reason}`, { responseCode: code });
}

function worthAnotherTry(error: unknown): boolean {
  if (!(error instanceof RocketdError)) return false;
  return error.retriable || WORTH_ANOTHER_TRY.has(error.details.responseCode ?? -1);
}
