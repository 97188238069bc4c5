/**
 * What a nameserver knows: which brokers live, and which topics are on them. Pure state; follows RouteInfoManager of
 * RocketMQ 4.9.7, with its oddities where clients can see them.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { RocketdError } from "../errors.ts";
import { BROKER_NAMES_MAX, BROKERS_MAX, CLUSTERS_MAX, ROUTE_ENTRIES_MAX } from "../limits.ts";
import {
  type ClusterInfo,
  type DataVersion,
  type QueueData,
  sameDataVersion,
  type TopicConfig,
  type TopicConfigTable,
  type TopicRouteData,
} from "../protocol/bodies/mod.ts";
import { MASTER_ID, Permission } from "../protocol/codes.ts";

const log = getLogger(["rocketd", "nameserver"]);

/** A broker that has not registered for this long is dead, ms. */
export const BROKER_EXPIRY_MS = 120_000;

/** The connection over which a broker registered. */
export interface BrokerLink {
  close(): void;
}

/** What a broker says of itself; addresses are `host:port`. */
export interface Registration {
  readonly clusterName: string;
  readonly brokerName: string;
  readonly brokerId: number;
  readonly brokerAddr: string;
  readonly haServerAddr: string | undefined;
  readonly topics: TopicConfigTable;
  readonly filterServers: readonly string[];
  readonly link: BrokerLink;
}

/** What a slave is told of its master. */
export interface MasterInfo {
  readonly haServerAddr?: string | undefined;
  readonly masterAddr?: string | undefined;
}

interface Broker {
  readonly cluster: string;
  readonly brokerName: string;
  readonly brokerAddrs: Map<number, string>;
}

interface LiveBroker {
  lastUpdate: number;
  readonly clusterName: string;
  readonly brokerName: string;
  readonly dataVersion: DataVersion;
  readonly haServerAddr: string | undefined;
  readonly link: BrokerLink;
}

/** The routes of one nameserver. */
export class RouteTable {
  /** Topic to broker name to queues. */
  readonly #topics = new Map<string, Map<string, QueueData>>();
  readonly #brokers = new Map<string, Broker>();
  readonly #clusters = new Map<string, Set<string>>();
  /** By broker address. */
  readonly #live = new Map<string, LiveBroker>();
  readonly #filterServers = new Map<string, readonly string[]>();
  #entries = 0;

  /** Takes what a broker says; `now` in ms. Throws `invalidArgument` when there are too many brokers, clusters or topics. */
  register(registration: Registration, now: number): MasterInfo {
    const { clusterName, brokerName, brokerId, brokerAddr, haServerAddr, topics, filterServers, link } = registration;
    const before = this.#live.get(brokerAddr);
    const moved = before !== undefined && (before.brokerName !== brokerName || before.clusterName !== clusterName);
    this.#checkRoom(registration, moved || this.isChanged(brokerAddr, topics.dataVersion));
    // An address is one broker: under its old names nothing would ever remove it.
    if (moved) this.#removeAddress(brokerAddr);
    let names = this.#clusters.get(clusterName);
    if (names === undefined) this.#clusters.set(clusterName, names = new Set());
    names.add(brokerName);
    let broker = this.#brokers.get(brokerName);
    if (broker === undefined) {
      broker = { cluster: clusterName, brokerName, brokerAddrs: new Map() };
      this.#brokers.set(brokerName, broker);
    }
    // A slave that became master: an address has one id.
    for (const [id, address] of broker.brokerAddrs) {
      if (address === brokerAddr && id !== brokerId) broker.brokerAddrs.delete(id);
    }
    const isFirst = !broker.brokerAddrs.has(brokerId);
    broker.brokerAddrs.set(brokerId, brokerAddr);
    if (brokerId === MASTER_ID && (isFirst || this.isChanged(brokerAddr, topics.dataVersion))) {
      for (const topic of topics.topicConfigTable.values()) this.#setQueues(brokerName, topic);
    }
    if (!this.#live.has(brokerAddr)) {
      log.info("broker {brokerName} ({brokerId}) at {brokerAddr} joined", { brokerName, brokerId, brokerAddr });
    }
    const { dataVersion } = topics;
    this.#live.set(brokerAddr, { lastUpdate: now, clusterName, brokerName, dataVersion, haServerAddr, link });
    if (filterServers.length > 0) this.#filterServers.set(brokerAddr, filterServers);
    else this.#filterServers.delete(brokerAddr);
    return brokerId === MASTER_ID ? {} : this.#masterOf(broker);
  }

  #checkRoom({ clusterName, brokerName, brokerAddr, topics }: Registration, isChanged: boolean): void {
    if (!this.#live.has(brokerAddr) && this.#live.size >= BROKERS_MAX) {
      throw new RocketdError("invalidArgument", `no room for the broker ${brokerAddr}: ${BROKERS_MAX} are registered`);
    }
    if (!this.#brokers.has(brokerName) && this.#brokers.size >= BROKER_NAMES_MAX) {
      throw new RocketdError(
        "invalidArgument",
        `no room for the broker name ${brokerName}: ${BROKER_NAMES_MAX} are known`,
      );
    }
    if (!this.#clusters.has(clusterName) && this.#clusters.size >= CLUSTERS_MAX) {
      throw new RocketdError("invalidArgument", `no room for the cluster ${clusterName}: ${CLUSTERS_MAX} are known`);
    }
    if (isChanged && this.#entries + topics.topicConfigTable.size > ROUTE_ENTRIES_MAX) {
      throw new RocketdError("invalidArgument", `no room for the topics of ${brokerAddr}: ${this.#entries} are routed`);
    }
  }

  #masterOf(broker: Broker): MasterInfo {
    const masterAddr = broker.brokerAddrs.get(MASTER_ID);
    const master = masterAddr === undefined ? undefined : this.#live.get(masterAddr);
    return master === undefined ? {} : { masterAddr, haServerAddr: master.haServerAddr };
  }

  #setQueues(brokerName: string, topic: TopicConfig): void {
    const { topicName, readQueueNums, writeQueueNums, perm, topicSysFlag } = topic;
    let queues = this.#topics.get(topicName);
    if (queues === undefined) this.#topics.set(topicName, queues = new Map());
    if (!queues.has(brokerName)) this.#entries++;
    queues.set(brokerName, { brokerName, readQueueNums, writeQueueNums, perm, topicSysFlag });
  }

  /** Whether the topics of a broker differ from those it last registered, or it is unknown. */
  isChanged(brokerAddr: string, dataVersion: DataVersion): boolean {
    const known = this.dataVersion(brokerAddr);
    return known === undefined || !sameDataVersion(known, dataVersion);
  }

  /** The version of the topics that a broker last registered. */
  dataVersion(brokerAddr: string): DataVersion | undefined {
    return this.#live.get(brokerAddr)?.dataVersion;
  }

  /** A broker showed that it lives. */
  touch(brokerAddr: string, now: number): void {
    const live = this.#live.get(brokerAddr);
    if (live !== undefined) live.lastUpdate = now;
  }

  /** A broker says goodbye. Its id may belong to another address by now, which then stays. */
  unregister(brokerName: string, brokerId: number, brokerAddr: string): void {
    this.#forgetAddress(brokerAddr);
    const broker = this.#brokers.get(brokerName);
    if (broker?.brokerAddrs.get(brokerId) === brokerAddr) this.#removeId(broker, brokerId);
  }

  /** Removes the broker that registered over a connection which has closed: as in RocketMQ only the first found. */
  linkClosed(link: BrokerLink): void {
    for (const [address, live] of this.#live) {
      if (live.link === link) return this.#removeAddress(address);
    }
  }

  /** Removes the brokers that have been silent for too long, and closes their connections. */
  expire(now: number): void {
    const silent = [...this.#live].filter(([, { lastUpdate }]) => lastUpdate + BROKER_EXPIRY_MS < now);
    for (const [address, { link }] of silent) {
      log.warn("broker {address} has not registered for {ms} ms", { address, ms: BROKER_EXPIRY_MS });
      this.#removeAddress(address);
      link.close();
    }
  }

  #removeAddress(address: string): void {
    this.#forgetAddress(address);
    for (const broker of this.#brokers.values()) {
      for (const [id, known] of broker.brokerAddrs) {
        if (known === address) return this.#removeId(broker, id);
      }
    }
  }

  #forgetAddress(address: string): void {
    if (this.#live.delete(address)) log.info("broker at {address} left", { address });
    this.#filterServers.delete(address);
  }

  /** With its last address a broker name goes, and its topics with it. */
  #removeId(broker: Broker, id: number): void {
    const { brokerName } = broker;
    broker.brokerAddrs.delete(id);
    if (broker.brokerAddrs.size > 0) return;
    this.#brokers.delete(brokerName);
    for (const [cluster, names] of this.#clusters) {
      if (names.delete(brokerName) && names.size === 0) this.#clusters.delete(cluster);
    }
    for (const topic of this.#topics.keys()) this.#removeQueues(topic, brokerName);
  }

  #removeQueues(topic: string, brokerName: string): void {
    const queues = this.#topics.get(topic);
    if (!queues?.delete(brokerName)) return;
    this.#entries--;
    if (queues.size === 0) this.#topics.delete(topic);
  }

  /** Takes the permission to write from all topics of a broker, until it registers changed topics; gives their number. */
  wipeWritePermission(brokerName: string): number {
    return this.#setPermission(brokerName, (perm) => perm & ~Permission.WRITE);
  }

  /** Lets all topics of a broker be read and written; gives their number. */
  addWritePermission(brokerName: string): number {
    return this.#setPermission(brokerName, () => Permission.READ | Permission.WRITE);
  }

  #setPermission(brokerName: string, change: (perm: number) => number): number {
    let count = 0;
    for (const queues of this.#topics.values()) {
      const queue = queues.get(brokerName);
      if (queue === undefined) continue;
      queues.set(brokerName, { ...queue, perm: change(queue.perm) });
      count++;
    }
    return count;
  }

  /** Forgets a topic, in one cluster if one is given. */
  deleteTopic(topic: string, clusterName?: string): void {
    const names = clusterName === undefined ? this.#brokersOf(topic) : [...this.#clusters.get(clusterName) ?? []];
    for (const name of names) this.#removeQueues(topic, name);
  }

  #brokersOf(topic: string): string[] {
    return [...this.#topics.get(topic)?.keys() ?? []];
  }

  /** The route of a topic; undefined when no broker that has it lives. */
  route(topic: string): TopicRouteData | undefined {
    const queues = this.#topics.get(topic);
    if (queues === undefined) return undefined;
    const brokerDatas = [...queues.keys()].flatMap((name) => this.#brokers.get(name) ?? []);
    if (brokerDatas.length === 0) return undefined;
    const filterServerTable = new Map<string, readonly string[]>();
    if (this.#filterServers.size > 0) {
      for (const address of brokerDatas.flatMap(({ brokerAddrs }) => [...brokerAddrs.values()])) {
        const servers = this.#filterServers.get(address);
        if (servers !== undefined) filterServerTable.set(address, servers);
      }
    }
    return { queueDatas: [...queues.values()], brokerDatas, filterServerTable };
  }

  /** All brokers and clusters. */
  clusterInfo(): ClusterInfo {
    return {
      brokerAddrTable: this.#brokers,
      clusterAddrTable: new Map([...this.#clusters].map(([cluster, names]) => [cluster, [...names]])),
    };
  }

  /** How many brokers (by address) live, and how many topics are on them. */
  get counts(): { readonly brokers: number; readonly topics: number } {
    return { brokers: this.#live.size, topics: this.#topics.size };
  }

  topics(): string[] {
    return [...this.#topics.keys()];
  }

  /** Topics on the brokers of a cluster. */
  topicsOf(clusterName: string): string[] {
    const names = [...this.#clusters.get(clusterName) ?? []];
    return [...this.#topics].filter(([, queues]) => names.some((name) => queues.has(name))).map(([topic]) => topic);
  }

  /** Topics whose flag has the bits `has` and not the bits `hasNot`; only the first broker of a topic is looked at. */
  topicsWithFlag(has: number, hasNot = 0): string[] {
    return [...this.#topics].filter(([, queues]) => {
      const flag = queues.values().next().value?.topicSysFlag ?? 0;
      return (flag & has) === has && (flag & hasNot) === 0;
    }).map(([topic]) => topic);
  }

  /** Names of clusters and brokers, each of which is a topic too, and the address of some broker. */
  systemTopics(): { topicList: string[]; brokerAddr: string | undefined } {
    const topicList = [...this.#clusters].flatMap(([cluster, names]) => [cluster, ...names]);
    const [broker] = this.#brokers.values();
    return { topicList, brokerAddr: broker?.brokerAddrs.values().next().value };
  }
}
