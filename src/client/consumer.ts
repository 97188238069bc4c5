/**
 * Consumes topics as a member of a group: each queue is read by one member at a time, and the group's offsets are kept
 * by the brokers.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import { ResetConsumerClientOffset } from "../protocol/admin_requests.ts";
import {
  decodeConsumerIds,
  decodeResetOffset,
  encodeHeartbeat,
  type QueueOffsets,
  type SubscriptionData,
} from "../protocol/bodies/mod.ts";
import { retryTopic } from "../protocol/names.ts";
import { GetConsumerListByGroup, HeartBeat, NotifyConsumerIdsChanged, UnregisterClient } from "../protocol/requests.ts";
import { type ClientSecurity, RemotingClient, type RemotingClientOptions, succeed } from "../remoting/client.ts";
import { HandlerTable } from "../remoting/handlers.ts";
import { newClientId } from "./identity.ts";
import type { ReceivedMessage } from "./message.ts";
import { QueueReader, type ReaderContext } from "./queue_reader.ts";
import { allocateAveragely, queueKey } from "./rebalance.ts";
import { type Route, RouteBook } from "./routes.ts";
import { EVERYTHING, subscriptionTo } from "./subscription.ts";

const log = getLogger(["rocketd", "client"]);

/** Periods of Java's consumers, ms. */
const HEARTBEAT_MS = 30_000;
const REBALANCE_MS = 20_000;
const COMMIT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 3_000;
/** Pause before a lost broker, or a failed rebalance, is tried again, ms. */
const AGAIN_MS = 1_000;
/** The same for topics that no nameserver knows at the moment, ms. */
const WITHOUT_ROUTE_MS = 3_000;

interface Taken {
  readonly reader: QueueReader;
  readonly message: ReceivedMessage;
}

/** What a consumer needs to know; defaults are those of Java's push consumer. */
export interface ConsumerOptions extends ClientSecurity, Pick<RemotingClientOptions, "encoding"> {
  /** `host:port`, several joined by `;` or as a list. */
  readonly nameservers: string | readonly string[];
  readonly group: string;
  /** Tag expressions by topic: `*`, or tags joined by `||`. All members of a group must have the same. */
  readonly subscriptions: Readonly<Record<string, string>>;
  /** Where a group without offsets begins. */
  readonly from?: "first" | "last";
  /** Messages that one pull asks for. */
  readonly pullMessages?: number;
  readonly clientId?: string;
}

/**
 * A member of a group, as an async iterator. A message counts as consumed when the next one is asked for, or with
 * {@linkcode Consumer.acknowledge}; whatever does not count when the member ends comes again, to this or another member.
 *
 * @example
 * ```ts ignore
 * await using consumer = new Consumer({ nameservers: "127.0.0.1:9876", group: "g", subscriptions: { orders: "*" } });
 * for await (const message of consumer) console.log(message.text());
 * ```
 */
export class Consumer implements AsyncIterable<ReceivedMessage>, AsyncDisposable {
  readonly clientId: string;
  readonly #group: string;
  readonly #from: "first" | "last";
  readonly #client: RemotingClient;
  readonly #routes: RouteBook;
  readonly #subscriptions: ReadonlyMap<string, SubscriptionData>;
  readonly #context: ReaderContext;
  readonly #readers = new Map<string, QueueReader>();
  readonly #running = new Set<Promise<void>>();
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #again: ReturnType<typeof setTimeout> | undefined;
  #current: Taken | undefined;
  #turn = 0;
  #wake: (() => void) | undefined;
  #started: Promise<void> | undefined;
  #rebalancing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;

  constructor(options: ConsumerOptions) {
    const { group, nameservers, encoding, sign, tls } = options;
    this.clientId = options.clientId ?? newClientId();
    this.#group = group;
    this.#from = options.from ?? "last";
    const handlers = new HandlerTable().on(NotifyConsumerIdsChanged, ({ header }) => {
      if (header.consumerGroup === group) this.#rebalanceSoon(0);
      return undefined;
    }).on(ResetConsumerClientOffset, ({ header, body }) => {
      if (header.group === group) this.#moveSoon(decodeResetOffset(body));
      return undefined;
    });
    // A broker that lost us has forgotten our membership.
    const onClose = () => this.#rebalanceSoon(AGAIN_MS);
    this.#client = new RemotingClient({ handlers, onClose, encoding, sign, tls });
    this.#routes = new RouteBook(this.#client, nameservers);
    const version = Date.now();
    const wanted = { ...options.subscriptions, [retryTopic(group)]: EVERYTHING };
    this.#subscriptions = new Map(
      Object.entries(wanted).map(([topic, expression]) => [topic, subscriptionTo(topic, expression, version)]),
    );
    this.#context = {
      client: this.#client,
      routes: this.#routes,
      group,
      from: this.#from,
      pullMessages: options.pullMessages ?? 32,
      arrived: () => this.#wake?.(),
    };
  }

  /** Joins the group and starts to read; the first iteration does it too. Throws when a topic is not there. */
  start(): Promise<void> {
    return this.#started ??= this.#start();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedMessage> {
    await this.start();
    while (!this.#closed) {
      this.acknowledge();
      const taken = this.#take();
      if (taken === undefined) {
        await new Promise<void>((resolve) => this.#wake = resolve);
        continue;
      }
      this.#current = taken;
      yield taken.message;
    }
  }

  /** Counts the message that was handed out last as consumed, before the next one is asked for. */
  acknowledge(): void {
    if (this.#current === undefined) return;
    const { reader, message } = this.#current;
    this.#current = undefined;
    reader.finish(message);
  }

  /** Tells the brokers how far the group has come; also done every 5 s and on close. */
  async commit(): Promise<void> {
    const tables = Map.groupBy(this.#readers.values(), ({ queue }) => `${queue.topic}@${queue.brokerName}`);
    await Promise.all([...tables.values()].map((readers) => this.#commitAll(readers)));
  }

  /** Java's broker loses first offsets that come at the same time: each makes a table of its own, the last one stays. */
  async #commitAll(readers: QueueReader[]): Promise<void> {
    const rest = readers.values();
    for (const reader of rest) if (await this.#commit(reader)) break;
    await Promise.all(rest.map((reader) => this.#commit(reader)));
  }

  /** Commits, leaves the group, ends the iteration. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#again);
    await this.commit();
    for (const reader of this.#readers.values()) reader.stop();
    await this.#leave();
    this.#client.close();
    this.#wake?.();
    await this.#rebalancing;
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(): Promise<void> {
    const topics = [...this.#subscriptions.keys()].filter((topic) => topic !== retryTopic(this.#group));
    await Promise.all(topics.map((topic) => this.#routes.find(topic)));
    await this.#rebalance();
    if (this.#closed) return;
    this.#timers.push(
      setInterval(() => void this.#heartbeat(), HEARTBEAT_MS),
      setInterval(() => this.#rebalanceSoon(0), REBALANCE_MS),
      setInterval(() => void this.commit(), COMMIT_MS),
    );
  }

  /** One message of the queues in turn. */
  #take(): Taken | undefined {
    const readers = [...this.#readers.values()];
    for (let i = 0; i < readers.length; i++) {
      const reader = readers[this.#turn++ % readers.length]!;
      const message = reader.take();
      if (message !== undefined) return { reader, message };
    }
    return undefined;
  }

  /** Whether there was something to tell the broker. */
  async #commit(reader: QueueReader): Promise<boolean> {
    try {
      return await reader.commit();
    } catch (error) {
      const { topic, brokerName, queueId } = reader.queue;
      const reason = messageOf(error);
      log.warn("cannot commit {topic} {brokerName}/{queueId}: {reason}", { topic, brokerName, queueId, reason });
      return true;
    }
  }

  /** The routes of all topics that exist. */
  async #routesNow(): Promise<Map<string, Route>> {
    const routes = new Map<string, Route>();
    for (const topic of this.#subscriptions.keys()) {
      try {
        routes.set(topic, await this.#routes.find(topic));
      } catch (error) {
        if (!(error instanceof RocketdError) || error.code !== "notFound") throw error;
      }
    }
    return routes;
  }

  /** Slaves too: they serve the group when its master is gone. */
  async #brokers(): Promise<Set<string>> {
    return new Set([...(await this.#routesNow()).values()].flatMap((route) => route.brokers()));
  }

  async #heartbeat(): Promise<void> {
    const body = encodeHeartbeat({
      clientID: this.clientId,
      producerDataSet: [],
      consumerDataSet: [{
        groupName: this.#group,
        consumeType: "CONSUME_PASSIVELY",
        messageModel: "CLUSTERING",
        consumeFromWhere: this.#from === "first" ? "CONSUME_FROM_FIRST_OFFSET" : "CONSUME_FROM_LAST_OFFSET",
        subscriptionDataSet: [...this.#subscriptions.values()],
        unitMode: false,
      }],
    });
    try {
      await Promise.all(
        [...await this.#brokers()].map(async (address) =>
          succeed(await this.#client.invoke(address, HeartBeat, {}, body, REQUEST_TIMEOUT_MS), "a heartbeat")
        ),
      );
    } catch (error) {
      log.warn("cannot reach every broker of group {group}: {reason}", {
        group: this.#group,
        reason: messageOf(error),
      });
    }
  }

  async #leave(): Promise<void> {
    const header = { clientID: this.clientId, consumerGroup: this.#group };
    try {
      await Promise.all(
        [...await this.#brokers()].map((address) =>
          this.#client.invoke(address, UnregisterClient, header, undefined, REQUEST_TIMEOUT_MS)
        ),
      );
    } catch (error) {
      log.debug("cannot leave group {group}: {reason}", { group: this.#group, reason: messageOf(error) });
    }
  }

  /** An administrator moves the group: brokers only tell its members, and those commit where they go on. */
  #moveSoon(offsets: QueueOffsets): void {
    // Between rebalances, which start to read where the group stands.
    this.#rebalancing = (this.#rebalancing ?? Promise.resolve()).then(async () => {
      const moved = [...offsets].flatMap(([queue, offset]) => {
        const reader = this.#readers.get(queueKey(queue));
        if (this.#closed || reader === undefined) return [];
        this.#readers.delete(queueKey(queue));
        if (this.#current?.reader === reader) this.#current = undefined;
        reader.stopAt(offset);
        return [reader];
      });
      await this.#commitAll(moved);
      this.#rebalanceSoon(0);
    });
  }

  /** Rebalances after a while; calls meanwhile are one. */
  #rebalanceSoon(ms: number): void {
    if (this.#closed || this.#started === undefined) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      this.#rebalancing = (this.#rebalancing ?? Promise.resolve()).then(async () => {
        try {
          if (!this.#closed) await this.#rebalance();
        } catch (error) {
          if (this.#closed) return;
          log.warn("cannot rebalance group {group}: {reason}", { group: this.#group, reason: messageOf(error) });
          this.#rebalanceSoon(AGAIN_MS);
        }
      });
    }, ms);
  }

  /** Gives up the queues that are another's now, and starts to read those that are ours. */
  async #rebalance(): Promise<void> {
    await this.#heartbeat();
    const ours = new Map<string, QueueReader>();
    const routes = await this.#routesNow();
    for (const [topic, route] of routes) {
      const members = await this.#members(topic, route);
      for (const queue of allocateAveragely(this.clientId, route.readable, members)) {
        const key = queueKey(queue);
        ours.set(key, this.#readers.get(key) ?? new QueueReader(queue, this.#subscriptions.get(topic)!, this.#context));
      }
    }
    for (const [key, reader] of this.#readers) {
      // A topic without a route has lost its brokers for a while: its queues are nobody else's.
      if (ours.has(key) || !routes.has(reader.queue.topic)) continue;
      this.#readers.delete(key);
      reader.stop();
      await this.#commit(reader);
    }
    for (const [key, reader] of ours) {
      if (this.#closed || this.#readers.has(key)) continue;
      this.#readers.set(key, reader);
      const run = reader.run().finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
    if (routes.size < this.#subscriptions.size) this.#rebalanceSoon(WITHOUT_ROUTE_MS);
  }

  async #members(topic: string, route: Route): Promise<string[]> {
    const brokerName = route.readable[0]?.brokerName;
    const address = brokerName === undefined ? undefined : route.reader(brokerName);
    if (address === undefined) return [];
    const header = { consumerGroup: this.#group };
    const answer = await this.#client.invoke(address, GetConsumerListByGroup, header, undefined, REQUEST_TIMEOUT_MS)
      .catch((error) => {
        this.#routes.forget(topic);
        throw error;
      });
    return decodeConsumerIds(succeed(answer, `asking for the members of ${this.#group}`).body);
  }
}
