/**
 * A member of a consumer group: tells the brokers that it is there and what it wants, and finds out which queues are its
 * own. All kinds of consumers are built on it.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../../errors.ts";
import {
  type ConsumerData,
  decodeConsumerIds,
  encodeCheckClientConfig,
  encodeHeartbeat,
  type SubscriptionData,
} from "../../protocol/bodies/mod.ts";
import { retryTopic } from "../../protocol/names.ts";
import {
  CheckClientConfig,
  GetConsumerListByGroup,
  HeartBeat,
  NotifyConsumerIdsChanged,
  UnregisterClient,
} from "../../protocol/requests.ts";
import { RemotingClient, succeed } from "../../remoting/client.ts";
import type { HandlerTable } from "../../remoting/handlers.ts";
import type { ConnectOptions } from "../connect_options.ts";
import { checkConsumerOptions } from "./consumer_options.ts";
import { newClientId } from "../identity.ts";
import { type ConsumeFrom, consumeFromWhere, QueueQuestions, REQUEST_TIMEOUT_MS } from "../queue_questions.ts";
import { allocateAveragely, type MessageQueue } from "./rebalance.ts";
import { type Route, RouteBook } from "../routes.ts";
import { EVERYTHING, type Selection, subscriptionTo } from "./subscription.ts";

const log = getLogger(["rocketd", "client"]);

/** Periods of Java's consumers, ms. */
const HEARTBEAT_MS = 30_000;
const REBALANCE_MS = 20_000;
/** Pause before a lost broker, or a failed rebalance, is tried again, ms. */
const AGAIN_MS = 1_000;
/** The same for topics that no nameserver knows at the moment, ms. */
const WITHOUT_ROUTE_MS = 3_000;

/**
 * What every member of a group needs to know; defaults are those of Java's consumers.
 *
 * @example
 * ```ts
 * import { LitePullConsumer, type MemberOptions, PushConsumer } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const member: MemberOptions = { nameservers: "10.0.0.1:9876;10.0.0.2:9876", group: "kitchen", from: "first" };
 * const subscriptions = { orders: "new || paid" };
 * await using pulling = new LitePullConsumer({ ...member, subscriptions });
 * await using pushed = new PushConsumer({ ...member, subscriptions, consumeConcurrently: () => {}, clientId: "10.0.0.7@2" });
 * assertEquals([pulling.clientId === pushed.clientId, pushed.clientId], [false, "10.0.0.7@2"]);
 * ```
 */
export interface MemberOptions extends ConnectOptions {
  /** Name of the consumer group. */
  readonly group: string;
  /** What to read, by topic. All members of a group must have the same. */
  readonly subscriptions?: Readonly<Record<string, Selection>>;
  /** Where a group without offsets begins: `last` without this. */
  readonly from?: ConsumeFrom;
  /** How the brokers know this member; different for each. */
  readonly clientId?: string;
  /** How often brokers are told that it is there, ms (`heartbeatBrokerInterval`): 30 s. */
  readonly heartbeatBrokerIntervalMs?: number;
  /** How often it looks which queues are its own, beside when brokers say that something changed: 20 s. */
  readonly rebalanceIntervalMs?: number;
}

/** What a kind of consumer adds. */
export interface MemberKind extends Pick<ConsumerData, "consumeType" | "messageModel"> {
  /** What brokers may ask of it, beside saying that the members have changed. */
  readonly handlers: HandlerTable;
  /** Gives up the queues of a topic. */
  drop(topic: string): Promise<void>;
  /** Called when the connection to a broker has gone. */
  lost(address: string): void;
  /** From now on these queues of a topic are ours, and no others of it. Gives false to be called again soon. */
  assign(topic: string, queues: readonly MessageQueue[], subscription: SubscriptionData): Promise<boolean>;
}

/** Membership from {@linkcode GroupMember.start} to {@linkcode GroupMember.leave}. */
export class GroupMember {
  readonly clientId: string;
  readonly group: string;
  readonly from: ConsumeFrom;
  readonly client: RemotingClient;
  readonly routes: RouteBook;
  readonly questions: QueueQuestions;
  readonly #kind: MemberKind;
  readonly #heartbeatMs: number;
  readonly #rebalanceMs: number;
  readonly #subscriptions = new Map<string, SubscriptionData>();
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  /** Topics that are read without a subscription. */
  #otherTopics: ReadonlySet<string> = new Set();
  /** Topics that are not there, of which that was told. */
  readonly #missing = new Set<string>();
  #again: ReturnType<typeof setTimeout> | undefined;
  #againAt = 0;
  /** Whether a rebalance waits for the one that goes on. */
  #waits = false;
  #started = false;
  #left = false;
  #rebalancing: Promise<void> = Promise.resolve();

  constructor(options: MemberOptions, kind: MemberKind) {
    checkConsumerOptions({ ...options });
    const { nameservers, group, subscriptions = {}, from = "last", encoding, sign, tls } = options;
    this.clientId = options.clientId ?? newClientId();
    this.group = group;
    this.from = from;
    this.#kind = kind;
    this.#heartbeatMs = options.heartbeatBrokerIntervalMs ?? HEARTBEAT_MS;
    this.#rebalanceMs = options.rebalanceIntervalMs ?? REBALANCE_MS;
    kind.handlers.on(NotifyConsumerIdsChanged, ({ header }) => {
      if (header.consumerGroup === group) this.rebalanceSoon();
      return undefined;
    });
    // A broker that lost us has forgotten our membership.
    const onClose = (address: string) => {
      kind.lost(address);
      this.rebalanceSoon(AGAIN_MS);
    };
    // Pulls are held for longer than the other questions may take: when those are not answered, nor will pulls be.
    const silence = { silentMs: REQUEST_TIMEOUT_MS, closesSilent: true };
    this.client = new RemotingClient({ handlers: kind.handlers, onClose, encoding, sign, tls, ...silence });
    this.routes = new RouteBook(this.client, nameservers);
    this.questions = new QueueQuestions(this.client, this.routes);
    for (const [topic, selection] of Object.entries(subscriptions)) this.#want(topic, selection);
  }

  /** What is read, by topic; the group's retry topic is among them where queues are shared. */
  get subscriptions(): ReadonlyMap<string, SubscriptionData> {
    return this.#subscriptions;
  }

  /** Reads a topic from now on, or chooses its messages anew. */
  async subscribe(topic: string, selection?: Selection): Promise<void> {
    this.#want(topic, selection);
    await this.#startOver(topic);
  }

  /** Reads a topic no more. */
  async unsubscribe(topic: string): Promise<void> {
    this.#subscriptions.delete(topic);
    await this.#startOver(topic);
  }

  #want(topic: string, selection: Selection | undefined): void {
    this.#subscriptions.set(topic, subscriptionTo(topic, selection));
    const retry = retryTopic(this.group);
    if (this.#kind.messageModel === "CLUSTERING" && !this.#subscriptions.has(retry)) {
      this.#subscriptions.set(retry, subscriptionTo(retry, EVERYTHING));
    }
  }

  /** A rebalance that goes on now may still take queues over as it was before. */
  async #startOver(topic: string): Promise<void> {
    await this.#rebalancing.catch(() => {});
    await this.#kind.drop(topic);
    this.rebalanceSoon();
  }

  /** Reads topics whose queues are not shared out: only their brokers need to know of us. */
  async readAlso(topics: Iterable<string>): Promise<void> {
    this.#otherTopics = new Set(topics);
    if (this.#started) await this.heartbeat();
  }

  /** Joins the group. Rejects when a topic is not there, or a broker refuses us or a filter; may be called again then. */
  async start(): Promise<void> {
    const topics = [...this.#subscriptions.keys(), ...this.#otherTopics];
    await Promise.all(topics.filter((topic) => topic !== retryTopic(this.group)).map((it) => this.routes.find(it)));
    await this.#checkFilters();
    if (this.#left) return;
    this.#started = true;
    this.#rebalancing = this.#rebalance().catch((error) => this.#tryAgain(error));
    try {
      await this.#rebalancing;
    } catch (error) {
      await this.#giveUp();
      throw error;
    }
    if (this.#left) return;
    this.#timers.push(
      setInterval(() => void this.heartbeat(), this.#heartbeatMs),
      setInterval(() => this.rebalanceSoon(), this.#rebalanceMs),
    );
  }

  /** A start that fails leaves nothing behind. */
  async #giveUp(): Promise<void> {
    this.#started = false;
    clearTimeout(this.#again);
    this.#again = undefined;
    for (const topic of this.#subscriptions.keys()) await this.#kind.drop(topic);
  }

  /** Ends all that goes on by itself; the connections stay for what is still to be said. */
  async stop(): Promise<void> {
    this.#left = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#again);
    await this.#rebalancing.catch(() => {});
  }

  /** Takes leave of the brokers and closes the connections. */
  async leave(): Promise<void> {
    if (this.#started) await this.#unregister();
    this.client.close();
  }

  /** Looks after a while which queues are ours; calls meanwhile are one, the earliest. */
  rebalanceSoon(ms = 0): void {
    const at = Date.now() + ms;
    if (this.#left || !this.#started || (this.#again !== undefined && this.#againAt <= at)) return;
    clearTimeout(this.#again);
    this.#againAt = at;
    this.#again = setTimeout(() => {
      this.#again = undefined;
      if (this.#waits) return;
      this.#waits = true;
      this.#rebalancing = this.#rebalancing.catch(() => {}).then(async () => {
        this.#waits = false;
        if (!this.#left && this.#started) await this.#rebalance().catch((error) => this.#warn(error));
      });
    }, ms);
  }

  /** A broker that is not there now may be there soon; one that refuses us is the program's to know. */
  #tryAgain(error: unknown): void {
    if (!this.#left && !(error instanceof RocketdError && error.retriable)) throw error;
    this.#warn(error);
  }

  #warn(error: unknown): void {
    if (this.#left) return;
    log.warn("cannot rebalance group {group}: {reason}", { group: this.group, reason: messageOf(error) });
    this.rebalanceSoon(AGAIN_MS);
  }

  /** Tells all brokers of the topics that we are there. */
  async heartbeat(): Promise<void> {
    const { consumeType, messageModel } = this.#kind;
    const body = encodeHeartbeat({
      clientID: this.clientId,
      producerDataSet: [],
      consumerDataSet: [{
        groupName: this.group,
        consumeType,
        messageModel,
        consumeFromWhere: consumeFromWhere(this.from),
        subscriptionDataSet: [...this.#subscriptions.values()],
        unitMode: false,
      }],
    });
    await this.#toEveryBroker(async (address) => {
      succeed(await this.client.invoke(address, HeartBeat, {}, body, REQUEST_TIMEOUT_MS), "a heartbeat");
    });
  }

  /** Resolves when all brokers were told, or cannot be. */
  async #toEveryBroker(tell: (address: string) => Promise<void>): Promise<void> {
    const warn = (error: unknown) => {
      if (this.#left) return;
      log.warn("cannot reach every broker of group {group}: {reason}", { group: this.group, reason: messageOf(error) });
    };
    const brokers = await this.#brokers().catch(warn);
    await Promise.all([...brokers ?? []].map((address) => tell(address).catch(warn)));
  }

  /** Asks a broker of each topic with an SQL92 expression whether it can evaluate it. */
  async #checkFilters(): Promise<void> {
    for (const subscriptionData of this.#subscriptions.values()) {
      if (subscriptionData.expressionType === "TAG") continue;
      const { topic } = subscriptionData;
      const queue = (await this.routes.find(topic)).readable[0];
      if (queue === undefined) continue;
      const body = encodeCheckClientConfig({ clientId: this.clientId, group: this.group, subscriptionData });
      const address = await this.questions.address(queue);
      const answer = await this.client.invoke(address, CheckClientConfig, {}, body, REQUEST_TIMEOUT_MS);
      succeed(answer, `the subscription to ${topic}`);
    }
  }

  /** The routes of all topics that exist. */
  async #routesNow(): Promise<Map<string, Route>> {
    const routes = new Map<string, Route>();
    for (const topic of [...this.#subscriptions.keys(), ...this.#otherTopics]) {
      try {
        routes.set(topic, await this.routes.find(topic));
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

  async #unregister(): Promise<void> {
    const header = { clientID: this.clientId, consumerGroup: this.group };
    await this.#toEveryBroker(async (address) => {
      await this.client.invoke(address, UnregisterClient, header, undefined, REQUEST_TIMEOUT_MS);
    });
  }

  /** The name of a topic may be wrong: that is told once. The group's retry topic comes with its first member. */
  #tellOfMissing(routes: ReadonlyMap<string, Route>): void {
    for (const topic of this.#subscriptions.keys()) {
      if (routes.has(topic)) this.#missing.delete(topic);
      else if (topic !== retryTopic(this.group) && !this.#missing.has(topic)) {
        this.#missing.add(topic);
        log.warn("group {group} waits for the topic {topic}: no broker has it", { group: this.group, topic });
      }
    }
  }

  /** A topic without a route has lost its brokers for a while, and keeps its queues: they are nobody else's. */
  async #rebalance(): Promise<void> {
    await this.heartbeat();
    const routes = await this.#routesNow();
    this.#tellOfMissing(routes);
    let settled = true, failure: unknown;
    const mute = new Set<string>();
    for (const [topic, subscription] of this.#subscriptions) {
      const route = routes.get(topic);
      if (route === undefined || this.#left) continue;
      try {
        settled = await this.#kind.assign(topic, await this.#ours(topic, route, mute), subscription) && settled;
      } catch (error) {
        // The other topics may have other brokers.
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    if (!settled) this.rebalanceSoon(AGAIN_MS);
    else if (routes.size < this.#subscriptions.size + this.#otherTopics.size) this.rebalanceSoon(WITHOUT_ROUTE_MS);
  }

  async #ours(topic: string, route: Route, mute: Set<string>): Promise<readonly MessageQueue[]> {
    if (this.#kind.messageModel === "BROADCASTING" || route.readable.length === 0) return route.readable;
    return allocateAveragely(this.clientId, route.readable, await this.#members(topic, route, mute));
  }

  /**
   * Any broker of the topic knows all members; one that knows nothing of us has not heard of us yet. Those that do not
   * answer are added to `mute`, and not asked for other topics.
   */
  async #members(topic: string, route: Route, mute: Set<string>): Promise<string[]> {
    const header = { consumerGroup: this.group };
    let others: string[] | undefined, failure: unknown;
    for (const address of new Set([...route.masters(), ...route.brokers()])) {
      if (this.#left || mute.has(address)) continue;
      try {
        const answer = await this.client.invoke(address, GetConsumerListByGroup, header, undefined, REQUEST_TIMEOUT_MS);
        const members = decodeConsumerIds(succeed(answer, `asking for the members of ${this.group}`).body);
        if (members.includes(this.clientId)) return members;
        others ??= members;
      } catch (error) {
        failure ??= error;
        mute.add(address);
        this.routes.forget(topic);
      }
    }
    if (others !== undefined) return others;
    throw failure ?? new RocketdError("unavailable", `Cannot find the members of ${this.group}: no broker answers`);
  }
}
