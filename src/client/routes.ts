/**
 * Where topics are, as nameservers tell: asked from any of several, kept for a while.
 *
 * @module
 */
import { RocketdError } from "../errors.ts";
import { TOPIC_QUEUES_MAX } from "../limits.ts";
import { decodeTopicRoute, type TopicRouteData } from "../protocol/bodies/mod.ts";
import { MASTER_ID, Permission, ResponseCode } from "../protocol/codes.ts";
import { GetRouteinfoByTopic } from "../protocol/requests.ts";
import { type RemotingClient, succeed } from "../remoting/client.ts";
import { Nameservers } from "./nameservers.ts";
import { compareQueues, type MessageQueue } from "./rebalance.ts";

/** How long a route is believed, ms: `pollNameServerInterval` of Java's clients. */
const ROUTE_MS = 30_000;
/** The same for a topic that is about to be created. */
const BORROWED_ROUTE_MS = 500;
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
  readonly route: Promise<Route>;
  expires: number;
  /** The last route that was found. */
  last: Route | undefined;
}

/** Finds and keeps routes. Callers that ask for the same topic at the same time share one request. */
export class RouteBook {
  readonly #nameservers: Nameservers;
  readonly #kept = new Map<string, Kept>();

  /** `nameservers`: `host:port`, several joined by `;` or as a list. */
  constructor(client: RemotingClient, nameservers: string | readonly string[]) {
    this.#nameservers = new Nameservers(client, nameservers, NAMESERVER_TIMEOUT_MS);
  }

  /** The nameservers that are asked, as `host:port`. */
  get nameservers(): readonly string[] {
    return this.#nameservers.addresses;
  }

  /** The route of a topic that exists. Throws `notFound`, or `unavailable` when no nameserver answers. */
  find(topic: string): Promise<Route> {
    return this.#keep(topic, ROUTE_MS, async () => new Route(topic, await this.#ask(topic)));
  }

  /** The same, or for a topic that does not exist the route where a broker would create it. */
  async findOrBorrow(topic: string): Promise<Route> {
    try {
      return await this.find(topic);
    } catch (error) {
      if (!(error instanceof RocketdError) || error.code !== "notFound") throw error;
      return await this.#keep(topic, BORROWED_ROUTE_MS, async () => {
        return new Route(topic, await this.#ask(TEMPLATE_TOPIC).catch(() => Promise.reject(error)), NEW_TOPIC_QUEUES);
      });
    }
  }

  /** The last known routes of all topics that were asked for. */
  known(): Route[] {
    return [...this.#kept.values()].flatMap(({ last }) => last ?? []);
  }

  /** Asks anew at the next use; what is known now counts only while no nameserver answers. */
  forget(topic: string): void {
    const kept = this.#kept.get(topic);
    if (kept !== undefined && kept.expires !== Infinity) kept.expires = 0;
  }

  #keep(topic: string, ms: number, find: () => Promise<Route>): Promise<Route> {
    const known = this.#kept.get(topic);
    if (known !== undefined && known.expires > Date.now()) return known.route;
    const last = known?.last;
    const route = last === undefined ? find() : find().catch((error) => {
      if (error instanceof RocketdError && error.retriable) return last;
      throw error;
    });
    const kept: Kept = { route, expires: Infinity, last };
    this.#kept.set(topic, kept);
    kept.route.then(
      (found) => {
        kept.last = found;
        kept.expires = Date.now() + ms;
      },
      () => this.#kept.get(topic) === kept && this.#kept.delete(topic),
    );
    return kept.route;
  }

  #ask(topic: string): Promise<TopicRouteData> {
    return askRoute(this.#nameservers, topic);
  }
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
