/**
 * Brings parcels to brokers for producers of all kinds: finds the queue, tries again where that may help, and tells what
 * the broker answered.
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { FOLD_ABOVE_BYTES, FRAME_BYTES_MAX, SEND_BYTES_MAX, SENDS_UNDER_WAY_MAX } from "../../limits.ts";
import { ResponseCode, SysFlag } from "../../protocol/codes.ts";
import { checkGroup, replyTopic } from "../../protocol/names.ts";
import { PropertyName } from "../../protocol/properties.ts";
import type { RequestInput } from "../../protocol/request.ts";
import { SendBatchMessage, SendMessageV2, type SendReplyMessageV2 } from "../../protocol/requests.ts";
import { RemotingClient, within } from "../../remoting/client.ts";
import { leftMs } from "../../remoting/deadlines.ts";
import { HandlerTable } from "../../remoting/handlers.ts";
import { goOn, unlessAborted } from "../aborting.ts";
import { QueueTurns } from "./fault_tolerance.ts";
import { Hooks, type SendAttempt } from "../hooks.ts";
import { newClientId } from "../identity.ts";
import { badOption, checkMs, checkWhole } from "../option_checks.ts";
import type { Parcel } from "./parcel.ts";
import { Presence } from "../presence.ts";
import type { ProducerOptions } from "./producer_options.ts";
import type { MessageQueue } from "../consumer/rebalance.ts";
import { NEW_TOPIC_QUEUES, type Route, RouteBook, TEMPLATE_TOPIC } from "../routes.ts";
import { selectQueue, type SendOptions } from "./selecting.ts";
import { failure, late, nobodyTakes, nowhere, resultOf, type SendResult, tooMany } from "./send_results.ts";

/** Refusals after which another broker, or the same a little later, may take the message (`retryResponseCodes`). */
const WORTH_ANOTHER_TRY: readonly number[] = [
  ResponseCode.TOPIC_NOT_EXIST,
  ResponseCode.SERVICE_NOT_AVAILABLE,
  ResponseCode.SYSTEM_ERROR,
  ResponseCode.SYSTEM_BUSY,
  ResponseCode.NO_PERMISSION,
  ResponseCode.NO_BUYER_ID,
  ResponseCode.NOT_IN_CURRENT_UNIT,
];

/** More attempts than anybody can want. */
const RETRIES_MAX = 1_000;

type SendRequest = typeof SendMessageV2 | typeof SendReplyMessageV2;
/** How producers differ in what they ask for. */
interface InnerOptions extends SendOptions {
  /** The broker must know of this producer before it gets the message. */
  readonly introduce?: boolean;
  /** The broker that gets the message first, if it can be written to. */
  readonly prefer?: string;
}
const NO_OPTIONS: InnerOptions = {};

/** What producers of all kinds share: connections, routes, and the sends themselves. */
export class Sender {
  readonly handlers = new HandlerTable();
  readonly client: RemotingClient;
  readonly routes: RouteBook;
  readonly clientId: string;
  readonly group: string;
  readonly timeoutMs: number;
  readonly bounds: { readonly foldAbove: number; readonly maxMessageSize: number };
  readonly hooks: Hooks;
  readonly #retries: number;
  readonly #retryCodes: ReadonlySet<number>;
  readonly #wantsStored: boolean;
  readonly #turns: QueueTurns;
  readonly #presence: Presence;
  readonly #sendsMax: number;
  #sends = 0;

  constructor({ nameservers, encoding, sign, tls, ...options }: ProducerOptions & { readonly group: string }) {
    const onClose = (address: string) => this.#presence.lost(address);
    this.client = new RemotingClient({ handlers: this.handlers, onClose, encoding, sign, tls });
    this.routes = new RouteBook(this.client, nameservers);
    const clientId = this.clientId = options.clientId ?? newClientId();
    const group = this.group = options.group;
    const problem = checkGroup(group);
    if (problem !== undefined) throw badOption("group", group, problem);
    const intervalMs = options.heartbeatBrokerIntervalMs ?? 30_000;
    checkMs("heartbeatBrokerIntervalMs", intervalMs);
    this.#presence = new Presence(this.client, this.routes, { clientId, group, intervalMs });
    this.hooks = new Hooks(options.hooks ?? []);
    this.timeoutMs = options.timeoutMs ?? 3_000;
    checkMs("timeoutMs", this.timeoutMs);
    this.bounds = {
      foldAbove: options.foldAbove ?? FOLD_ABOVE_BYTES,
      maxMessageSize: options.maxMessageSize ?? SEND_BYTES_MAX,
    };
    checkWhole("maxMessageSize", this.bounds.maxMessageSize, 1, FRAME_BYTES_MAX);
    if (!(this.bounds.foldAbove >= 0)) throw badOption("foldAbove", options.foldAbove, "0 or more");
    this.#sendsMax = options.backPressureForAsyncSendNum ?? SENDS_UNDER_WAY_MAX;
    checkWhole("backPressureForAsyncSendNum", this.#sendsMax, 1, SENDS_UNDER_WAY_MAX);
    this.#retries = options.retries ?? 2;
    checkWhole("retries", this.#retries, 0, RETRIES_MAX);
    this.#retryCodes = new Set(options.retryResponseCodes ?? WORTH_ANOTHER_TRY);
    this.#wantsStored = options.retryAnotherBrokerWhenNotStoreOK ?? false;
    this.#turns = new QueueTurns(options.sendLatencyFaultEnable ?? false);
  }

  /** Sends and waits until it is stored; see `Producer.send`. */
  send(parcel: Parcel, options = NO_OPTIONS, type: SendRequest = SendMessageV2): Promise<SendResult> {
    return this.#underWay(parcel, options, () => this.#send(parcel, options, type));
  }

  /** Resolves when the frame is on its way. Rejects with `timeout` where the broker does not read; it is not sent then. */
  sendOneWay(parcel: Parcel, options = NO_OPTIONS): Promise<void> {
    return this.#underWay(parcel, options, () => this.#sendOneWay(parcel, options));
  }

  /** How long a send with these options may take, ms. */
  patience({ timeoutMs }: SendOptions): number {
    if (timeoutMs === undefined) return this.timeoutMs;
    checkMs("timeoutMs", timeoutMs);
    return timeoutMs;
  }

  /** Makes all masters of a topic know of this producer. Rejects when none of them can be told, or all refuse it. */
  async introduce(topic: string): Promise<void> {
    const masters = (await this.routes.findOrBorrow(topic)).masters();
    const greet = async (address: string) => {
      const refusal = await this.#presence.greet(address);
      if (refusal !== undefined) throw refusal;
    };
    await Promise.any(masters.map(greet)).catch((error: AggregateError) => {
      throw error.errors[0] ?? nobodyTakes(topic);
    });
  }

  /**
   * Makes all brokers that may pass on a reply know of this producer: those of the topic, and those of its clusters. Who
   * cannot be told is told later; only the first attempt is waited for, until `deadline` (of `performance.now()`).
   */
  async introduceForReplies(topic: string, deadline: number): Promise<void> {
    const { clusters } = await this.#routeOf(topic, deadline);
    const routes = [topic, ...[...clusters].map(replyTopic)].map((name) => this.#routeOf(name, deadline));
    const found = (await Promise.allSettled(routes)).flatMap((end) => end.status === "fulfilled" ? end.value : []);
    const greeted = this.#presence.greetOnce(found.flatMap((route) => route.masters()));
    await within(greeted, leftMs(deadline), () => late(topic, "its brokers did not answer heartbeats in time"));
  }

  /** The name of the broker at an address, or "". */
  brokerNameOf(address: string): string {
    for (const route of this.routes.known()) {
      const name = route.brokerNameOf(address);
      if (name !== undefined) return name;
    }
    return "";
  }

  /** Takes leave, waits until what was sent one-way has left, then closes the connections. */
  async close(): Promise<void> {
    await this.#presence.close();
    await this.client.flushed(this.timeoutMs);
    this.client.close();
  }

  /** Waits for a send, unless too many are waited for. */
  async #underWay<T>(parcel: Parcel, { signal }: SendOptions, send: () => Promise<T>): Promise<T> {
    if (this.#sends >= this.#sendsMax) throw tooMany(parcel.topic, this.#sendsMax);
    this.#sends++;
    try {
      return await (signal === undefined ? send() : unlessAborted(signal, sending(parcel), send));
    } finally {
      this.#sends--;
    }
  }

  async #send(parcel: Parcel, options: InnerOptions, type: SendRequest): Promise<SendResult> {
    const { signal } = options;
    // By a clock that nobody sets.
    const deadline = performance.now() + this.patience(options);
    const tried: string[] = [];
    let given: MessageQueue | undefined, queue: MessageQueue | undefined, stored: SendResult | undefined;
    for (let attempt = 0;; attempt++) {
      const isLast = () => attempt >= this.#retries || performance.now() >= deadline || signal?.aborted === true;
      try {
        const route = this.routes.peek(parcel.topic) ?? await this.#routeOf(parcel.topic, deadline);
        if (signal !== undefined) goOn(signal, sending(parcel));
        given ??= this.#queueOf(route, parcel, options);
        queue = given ?? (attempt === 0 ? preferred(route, options) : undefined) ??
          this.#anyQueue(route, parcel.topic, queue?.brokerName);
        tried.push(queue.brokerName);
        const result = await this.#attempt(route, queue, parcel, deadline, type, options);
        if (result.status === "SEND_OK" || !this.#wantsStored || given !== undefined || isLast()) return result;
        stored = result;
      } catch (error) {
        const again = this.#isWorthAnotherTry(error);
        if (!again || isLast()) {
          if (stored !== undefined) return stored;
          throw tried.length === 0 ? error : failure(error, parcel, tried);
        }
        this.routes.forget(parcel.topic);
      }
    }
  }

  async #attempt(
    route: Route,
    queue: MessageQueue,
    parcel: Parcel,
    deadline: number,
    type: SendRequest,
    { introduce, signal }: InnerOptions,
  ): Promise<SendResult> {
    const began = performance.now();
    const cost = () => Math.round(performance.now() - began);
    let attempt: SendAttempt | undefined;
    try {
      const address = masterOf(route, parcel.topic, queue);
      if (introduce) {
        const silent = () => late(parcel.topic, `${address} did not answer a heartbeat in time`);
        await within(this.#presence.greet(address), leftMs(deadline), silent);
        goOn(signal, sending(parcel));
      } else this.#presence.meet(address);
      if (!this.hooks.isEmpty) this.hooks.beforeSend(attempt = attemptOf(this.group, parcel, queue, address));
      const header = this.#header(parcel, queue);
      const request = parcel.batch ? SendBatchMessage : type;
      const answer = await this.client.invoke(address, request, header, parcel.body, leftMs(deadline));
      const result = resultOf(answer, parcel, queue);
      const costMs = cost();
      this.#turns.took(queue.brokerName, costMs);
      if (attempt !== undefined) this.hooks.afterSend(attempt, { result, costMs });
      return result;
    } catch (error) {
      // A broker that refuses what none would take, or was not waited for, has not failed.
      if (this.#isWorthAnotherTry(error)) this.#turns.failed(queue.brokerName);
      if (attempt !== undefined) this.hooks.afterSend(attempt, { error, costMs: cost() });
      throw error;
    }
  }

  async #sendOneWay(parcel: Parcel, options: InnerOptions): Promise<void> {
    const deadline = performance.now() + this.patience(options);
    const route = this.routes.peek(parcel.topic) ?? await this.#routeOf(parcel.topic, deadline);
    goOn(options.signal, sending(parcel));
    const queue = this.#queueOf(route, parcel, options) ?? this.#anyQueue(route, parcel.topic);
    const address = masterOf(route, parcel.topic, queue);
    const type = parcel.batch ? SendBatchMessage : SendMessageV2;
    this.#presence.meet(address);
    await this.client.notify(address, type, this.#header(parcel, queue), parcel.body, leftMs(deadline));
  }

  #routeOf(topic: string, deadline: number): Promise<Route> {
    const silent = () => late(topic, "no nameserver told its route in time");
    return within(this.routes.findOrBorrow(topic), leftMs(deadline), silent);
  }

  #header(parcel: Parcel, queue: MessageQueue): RequestInput<typeof SendMessageV2> {
    return {
      producerGroup: this.group,
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

  /** The queue that the caller asked for, if any. */
  #queueOf(route: Route, { topic, message }: Parcel, options: SendOptions): MessageQueue | undefined {
    if (options.by === undefined && options.to === undefined) return undefined;
    if (route.selectable.length === 0 && typeof options.to !== "object") throw nobodyTakes(topic);
    return selectQueue(route.selectable, options, message);
  }

  #anyQueue(route: Route, topic: string, failed?: string): MessageQueue {
    const queue = this.#turns.next(route.writable, failed);
    if (queue === undefined) throw nobodyTakes(topic);
    return queue;
  }

  #isWorthAnotherTry(error: unknown): boolean {
    if (!(error instanceof RocketdError)) return false;
    // An answer that cannot be read says as much as none.
    return error.retriable || error.code === "malformed" || this.#retryCodes.has(error.details.responseCode ?? -1);
  }
}

function preferred(route: Route, { prefer }: InnerOptions): MessageQueue | undefined {
  return prefer === undefined ? undefined : route.writable.find(({ brokerName }) => brokerName === prefer);
}

function attemptOf(
  group: string,
  { topic, message, uniqueKey, sysFlag, bodyLength }: Parcel,
  queue: MessageQueue,
  brokerAddress: string,
): SendAttempt {
  const isDelayed = (message.delayLevel ?? 0) > 0 || message.properties?.[PropertyName.DELAY] !== undefined;
  const kind = isDelayed ? "delay" : (sysFlag & SysFlag.TRANSACTION_MASK) === 0 ? "normal" : "half";
  return { group, topic, message, uniqueKey, queue, brokerAddress, kind, bodyLength, began: Date.now() };
}

function masterOf(route: Route, topic: string, { brokerName }: MessageQueue): string {
  const address = route.master(brokerName);
  if (address === undefined) throw nowhere(topic, `no master of ${brokerName} has it`);
  return address;
}

function sending({ topic }: Parcel): string {
  return `sending to ${topic}`;
}
