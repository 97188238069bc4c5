/**
 * Where topics are, as nameservers tell: asked from any of several, kept for a while.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { ROUTES_KEPT_MAX, TOPIC_QUEUES_MAX } from "../limits.ts";
import { decodeTopicRoute, type TopicRouteData } from "../protocol/bodies/mod.ts";
import { MASTER_ID, Permission, ResponseCode } from "../protocol/codes.ts";
import { GetRouteinfoByTopic } from "../protocol/requests.ts";
import { type RemotingClient, succeed } from "../remoting/client.ts";
import { Nameservers } from "./nameservers.ts";
import { compareQueues, type MessageQueue } from "./consumer/rebalance.ts";

/** How long a route is believed, ms: `pollNameServerInterval` of Java's clients. */
const ROUTE_MS = 30_000;
/** The same for a topic that is about to be created. */
const BORROWED_ROUTE_MS = 500;
/** Pause after nameservers were asked about a topic, whatever becomes of sends meanwhile, ms. */
const AGAIN_MS = 1_000;
/** How long who doubts a route waits for a newer one, ms. */
const PATIENCE_MS = 500;
/**
 * How long after it was last seen a topic may be missing, ms: a nameserver that has just started knows nothing before
 * brokers have told it, which they do every 30 s, or up to every 60 s (`registerNameServerPeriod`).
 */
const MISSING_MS = 120_000;
const NAMESERVER_TIMEOUT_MS = 3_000;
/** The topic whose route a topic without one borrows; brokers then create it (`autoCreateTopicEnable`). */
export const TEMPLATE_TOPIC = "TBW102";
/** Queues that a new topic gets: `defaultTopicQueueNums` of Java's producers. */
export const NEW_TOPIC_QUEUES = 4;

/** A topic's queues and the brokers that have them. */
export class Route {
  /** Queues to write to, in Java's order; empty when no master takes writes. */
  readonly writable: readonly MessageQueue[];
  /**
   * Queues that keys and selectors choose from: those to write to, but of an ordered topic those of its configuration,
   * whether their brokers are there or not, so that a key keeps its queue.
   */
  readonly selectable: readonly MessageQueue[];
  /** Queues to read from, in Java's order. */
  readonly readable: readonly MessageQueue[];
  /** Names of the clusters whose brokers have the topic. */
  readonly clusters: ReadonlySet<string>;
  readonly #addresses: ReadonlyMap<string, ReadonlyMap<number, string>>;

  constructor(topic: string, data: TopicRouteData, queuesMax = Infinity) {
    this.#addresses = new Map(data.brokerDatas.map((broker) => [broker.brokerName, broker.brokerAddrs]));
    const queues = (perm: number, count: (queue: TopicRouteData["queueDatas"][number]) => number) =>
      data.queueDatas.filter((queue) => (queue.perm & perm) !== 0)
        .flatMap((queue) =>
          Array.from({ length: Math.min(count(queue), queuesMax) }, (_, queueId) => {
            return { topic, brokerName: queue.brokerName, queueId };
          })
        ).sort(compareQueues);
    this.writable = queues(Permission.WRITE, (queue) => queue.writeQueueNums)
      .filter(({ brokerName }) => this.master(brokerName) !== undefined);
    this.selectable = data.orderTopicConf ? orderedQueues(topic, data.orderTopicConf) : this.writable;
    this.clusters = new Set(data.brokerDatas.map(({ cluster }) => cluster));
    this.readable = queues(Permission.READ, (queue) => queue.readQueueNums);
  }

  /** The address of a broker's master. */
  master(brokerName: string): string | undefined {
    return this.#addresses.get(brokerName)?.get(MASTER_ID);
  }

  /** The address of the broker with this id, else the master's, else that of any slave. */
  reader(brokerName: string, brokerId: number = MASTER_ID): string | undefined {
    return this.#addresses.get(brokerName)?.get(brokerId) ?? this.master(brokerName) ??
      this.#addresses.get(brokerName)?.values().next().value;
  }

  /** The addresses of all masters. */
  masters(): string[] {
    return [...this.#addresses.keys()].flatMap((brokerName) => this.master(brokerName) ?? []);
  }

  /** The broker whose master has this address. */
  brokerNameOf(address: string): string | undefined {
    return [...this.#addresses.keys()].find((brokerName) => this.master(brokerName) === address);
  }

  /** All brokers of the route, masters and slaves. */
  brokers(): string[] {
    return [...this.#addresses.values()].flatMap((byId) => [...byId.values()]);
  }
}

/** The queues of `brokerA:4;brokerB:8` in that order, as `topicRouteData2TopicPublishInfo` of 4.9.7 reads it. */
function orderedQueues(topic: string, orderTopicConf: string): MessageQueue[] {
  return orderTopicConf.split(";").flatMap((entry) => {
    const [brokerName = "", count] = entry.split(":");
    const length = Math.min(Math.max(0, Math.trunc(Number(count)) || 0), TOPIC_QUEUES_MAX);
    return Array.from({ length }, (_, queueId) => ({ topic, brokerName, queueId }));
  });
}

interface Kept {
  /** What is believed; of a topic that is new to us, the first look for it. */
  route: Promise<Route>;
  /** The same, once it is there. */
  last: Route | undefined;
  /** It is another topic's, where brokers would create this one. */
  isBorrowed: boolean;
  /** When nameservers gave it, when they were last asked, and when they are asked again, ms. */
  found: number;
  asked: number;
  expires: number;
  /** The look for a newer one. */
  renewal: Promise<Route> | undefined;
  /** It did not lead to a broker that obeys: a newer one is waited for. */
  isDoubted: boolean;
}

/**
 * Finds and keeps routes. A route that is known is used while a newer one is looked for, and as long as no nameserver has
 * one. Callers that ask for the same topic at the same time share one request.
 */
export class RouteBook {
  readonly #nameservers: Nameservers;
  readonly #kept = new Map<string, Kept>();
  readonly #now: () => number;
  #isRenewing = false;

  /**
   * @param nameservers `host:port`, several joined by `;` or as a list
   * @param now a time that only goes forward, ms
   */
  constructor(
    client: RemotingClient,
    nameservers: string | readonly string[],
    now: () => number = () => performance.now(),
  ) {
    this.#nameservers = new Nameservers(client, nameservers, NAMESERVER_TIMEOUT_MS);
    this.#now = now;
  }

  /** The nameservers that are asked, as `host:port`. */
  get nameservers(): readonly string[] {
    return this.#nameservers.addresses;
  }

  /** The route of a topic that exists. Throws `notFound`, or `unavailable` when no nameserver answers. */
  find(topic: string): Promise<Route> {
    const kept = this.#kept.get(topic);
    if (kept === undefined) return this.#first(topic, ROUTE_MS, () => this.#ask(topic));
    if (kept.expires > this.#now()) return kept.route;
    const renewal = this.#renewal(topic, kept);
    if (kept.isBorrowed) return renewal;
    return kept.isDoubted ? patiently(renewal, kept.route) : kept.route;
  }

  /** The route of a topic if it is known and needs no look now. */
  peek(topic: string): Route | undefined {
    const kept = this.#kept.get(topic);
    return kept !== undefined && kept.expires > this.#now() ? kept.last : undefined;
  }

  /** As `find`, or for a topic that does not exist the route where a broker would create it. */
  async findOrBorrow(topic: string): Promise<Route> {
    try {
      return await this.find(topic);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const others = this.#kept.get(topic);
      if (others !== undefined) return await others.route;
      const borrow = () => this.#ask(topic, TEMPLATE_TOPIC, NEW_TOPIC_QUEUES).catch(() => Promise.reject(error));
      return await this.#first(topic, BORROWED_ROUTE_MS, borrow, true);
    }
  }

  /** The last known routes of all topics that were asked for. */
  known(): Route[] {
    return [...this.#kept.values()].flatMap(({ last }) => last ?? []);
  }

  /** A broker of the route failed: asks anew at the next use, unless that has just been done. */
  forget(topic: string): void {
    const kept = this.#kept.get(topic);
    if (kept?.last === undefined || this.#now() < kept.asked + AGAIN_MS) return;
    kept.isDoubted = true;
    kept.expires = 0;
  }

  /** Looks anew for the routes that are no longer believed, one after the other. Never rejects. */
  async renew(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    for (const [topic, kept] of this.#kept) {
      if (!kept.isBorrowed && kept.expires <= this.#now()) await this.#renewal(topic, kept).catch(() => {});
    }
    this.#isRenewing = false;
  }

  #first(topic: string, ms: number, look: () => Promise<Route>, isBorrowed = false): Promise<Route> {
    const route = look();
    const kept: Kept = {
      ...{ route, last: undefined, isBorrowed, found: 0, asked: 0, expires: Infinity },
      ...{ renewal: undefined, isDoubted: false },
    };
    const [oldest] = this.#kept.size < ROUTES_KEPT_MAX ? [] : this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(topic, kept);
    route.then((found) => this.#believe(kept, found, ms), () => this.#drop(topic, kept));
    return route;
  }

  #renewal(topic: string, kept: Kept): Promise<Route> {
    if (kept.renewal === undefined) {
      kept.renewal = this.#renew(topic, kept);
      // Who uses what is known does not wait for it.
      kept.renewal.catch(() => {});
    }
    return kept.renewal;
  }

  async #renew(topic: string, kept: Kept): Promise<Route> {
    try {
      this.#believe(kept, await this.#ask(topic), ROUTE_MS);
      kept.isBorrowed = false;
    } catch (error) {
      const now = kept.asked = this.#now();
      if (isNotFound(error) && (kept.isBorrowed || now - kept.found > MISSING_MS)) {
        this.#drop(topic, kept);
        throw error;
      }
      kept.expires = now + AGAIN_MS;
    } finally {
      kept.renewal = undefined;
      kept.isDoubted = false;
    }
    return kept.route;
  }

  #believe(kept: Kept, route: Route, ms: number): void {
    kept.found = kept.asked = this.#now();
    kept.expires = kept.found + ms;
    kept.last = route;
    kept.route = Promise.resolve(route);
  }

  #drop(topic: string, kept: Kept): void {
    if (this.#kept.get(topic) === kept) this.#kept.delete(topic);
  }

  /** The route of a topic as nameservers tell it; of another one where that is said. */
  async #ask(topic: string, where = topic, queuesMax = Infinity): Promise<Route> {
    return new Route(topic, await askRoute(this.#nameservers, where), queuesMax);
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof RocketdError && error.code === "notFound";
}

/** The newer route, or after a while the one that is known. */
function patiently(newer: Promise<Route>, known: Promise<Route>): Promise<Route> {
  const { promise, resolve } = Promise.withResolvers<Route>();
  const timer = setTimeout(() => resolve(known), PATIENCE_MS);
  return Promise.race([newer, promise]).finally(() => clearTimeout(timer));
}

/** The route of a topic as a nameserver tells it now. Throws `notFound`, or `unavailable` when none answers. */
export async function askRoute(nameservers: Nameservers, topic: string): Promise<TopicRouteData> {
  const answer = await nameservers.ask(GetRouteinfoByTopic, { topic, acceptStandardJsonOnly: true });
  if (answer.code === ResponseCode.TOPIC_NOT_EXIST) {
    throw new RocketdError("notFound", `Cannot find the topic ${topic}: no broker has it`, {
      field: "topic",
      value: topic,
    });
  }
  return decodeTopicRoute(succeed(answer, `the route of ${topic}`).body);
}
