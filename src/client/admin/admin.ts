/**
 * The administrator's view of a cluster: finds its brokers, asks one or all of them, and names those that failed.
 *
 * @module
 */
import { messageOf, RocketdError } from "../../errors.ts";
import { ADMIN_BROKERS_AT_ONCE, ADMIN_SILENCES } from "../../limits.ts";
import { type ClusterInfo, decodeClusterInfo, type TopicRouteData } from "../../protocol/bodies/mod.ts";
import { MASTER_ID } from "../../protocol/codes.ts";
import type { RequestInput, RequestType } from "../../protocol/request.ts";
import { GetBrokerClusterInfo } from "../../protocol/requests.ts";
import type { Received } from "../../remoting/connection.ts";
import { RemotingClient, type RemotingClientOptions, type RequestBody, succeed } from "../../remoting/client.ts";
import { Nameservers } from "../nameservers.ts";
import { Producer } from "../producer.ts";
import { askRoute } from "../routes.ts";
import type { Failure } from "./result.ts";

/** How an administrator connects. */
export interface AdminOptions extends RemotingClientOptions {
  /** `host:port`, several joined by `;` or as a list. */
  readonly nameservers: string | readonly string[];
  /** Time for one answer, ms: 5 s, as mqadmin's `timeoutMillis`. */
  readonly timeoutMs?: number;
}

/** One process that can be asked: a broker, or a nameserver under the name "nameserver". */
export interface Peer {
  readonly name: string;
  readonly address: string;
}

/** A broker as nameservers know it. `id`: 0 is the master. */
export interface Broker extends Peer {
  readonly cluster: string;
  readonly id: number;
}

/** Which brokers are meant: one (by `host:port` or broker name), those of a cluster, or all. */
export interface Target {
  readonly brokerAddr?: string | undefined;
  readonly clusterName?: string | undefined;
}

/** What several peers answered, and which of them failed. */
export interface Gathered<T> {
  readonly rows: T[];
  readonly failures: Failure[];
}

/**
 * Asks nameservers and brokers on behalf of an administrator.
 *
 * @example
 * ```ts ignore
 * await using admin = new Admin({ nameservers: "127.0.0.1:9876" });
 * const { parts } = await findAdminCommand("topicList")!.run(admin, {});
 * ```
 */
export class Admin implements AsyncDisposable {
  readonly timeoutMs: number;
  readonly client: RemotingClient;
  readonly #nameservers: Nameservers;
  readonly #options: AdminOptions;
  /** Peers that let somebody wait for long, why, and until when nobody waits for them again. */
  readonly #silent = new Map<string, { readonly error: RocketdError; readonly until: number }>();

  constructor(given: AdminOptions) {
    const { nameservers, timeoutMs = 5_000, ...options } = given;
    this.#options = given;
    this.timeoutMs = timeoutMs;
    this.client = new RemotingClient(options);
    this.#nameservers = new Nameservers(this.client, nameservers, timeoutMs);
  }

  close(): void {
    this.client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** A producer of this group, which connects in the same way and does not try a message again. */
  producer(group: string): Producer {
    const { nameservers, encoding, sign, tls } = this.#options;
    return new Producer({ nameservers, encoding, sign, tls, group, timeoutMs: this.timeoutMs, retries: 0 });
  }

  /** All nameservers. */
  get nameservers(): Peer[] {
    return this.#nameservers.addresses.map((address) => ({ name: "nameserver", address }));
  }

  /** Asks, and throws `refused` for every code but SUCCESS. Long work is given a multiple of the usual time. */
  async ask<R extends RequestType>(
    peer: Pick<Peer, "address">,
    type: R,
    header: RequestInput<R>,
    { body, patience = 1 }: { readonly body?: RequestBody; readonly patience?: number } = {},
  ): Promise<Received<R>> {
    return succeed(await this.try(peer, type, header, { ...(body && { body }), patience }), type.name);
  }

  /**
   * Asks, and gives the answer whatever its code. A peer that stays silent costs a command its time-out once, not for each
   * topic or group that it is asked about.
   */
  async try<R extends RequestType>(
    { address }: Pick<Peer, "address">,
    type: R,
    header: RequestInput<R>,
    { body, patience = 1 }: { readonly body?: RequestBody; readonly patience?: number } = {},
  ): Promise<Received<R>> {
    const silent = this.#silent.get(address);
    const began = Date.now();
    if (silent !== undefined && began < silent.until) throw silent.error;
    try {
      return await this.client.invoke(address, type, header, body, this.timeoutMs * patience);
    } catch (error) {
      const now = Date.now();
      if (error instanceof RocketdError && error.retriable && now - began >= this.timeoutMs / 2) {
        this.#silent.set(address, { error, until: now + ADMIN_SILENCES * this.timeoutMs });
      }
      throw error;
    }
  }

  /** Asks whichever nameserver answers. */
  async lookUp<R extends RequestType>(type: R, header: RequestInput<R>): Promise<Received<R>> {
    return succeed(await this.#nameservers.ask(type, header), type.name);
  }

  /** All clusters with their brokers. */
  async clusters(): Promise<ClusterInfo> {
    return decodeClusterInfo((await this.lookUp(GetBrokerClusterInfo, {})).body);
  }

  /** Where a topic is. Throws `notFound`. */
  route(topic: string): Promise<TopicRouteData> {
    return askRoute(this.#nameservers, topic);
  }

  /** Brokers by cluster, name and id; of a cluster if one is named. Throws `notFound` for a cluster that is not there. */
  async brokers(clusterName?: string): Promise<Broker[]> {
    const { brokerAddrTable, clusterAddrTable } = await this.clusters();
    if (clusterName !== undefined && !clusterAddrTable.has(clusterName)) {
      throw missing("cluster", clusterName, [...clusterAddrTable.keys()]);
    }
    return [...clusterAddrTable].filter(([cluster]) => clusterName === undefined || cluster === clusterName)
      .flatMap(([cluster, names]) =>
        [...names].sort().flatMap((name) =>
          [...brokerAddrTable.get(name)?.brokerAddrs ?? []].sort(([a], [b]) => a - b)
            .map(([id, address]) => ({ cluster, name, id, address }))
        )
      );
  }

  /** The masters that are meant; a broker that is named by its address may be a slave, and need not be registered. */
  async masters({ brokerAddr, clusterName }: Target): Promise<Peer[]> {
    if (brokerAddr !== undefined) return [await this.broker(brokerAddr)];
    const masters = (await this.brokers(clusterName)).filter(({ id }) => id === MASTER_ID);
    if (masters.length > 0) return masters;
    const where = clusterName === undefined ? "" : ` in the cluster ${clusterName}`;
    throw new RocketdError("notFound", `Cannot find a master${where}: no nameserver knows one`);
  }

  /** A broker by its address, or the master of a broker name. Throws `notFound` for a name that nobody has. */
  async broker(nameOrAddress: string): Promise<Peer> {
    if (/:\d+$/.test(nameOrAddress)) {
      // Who knows the address may ask it even while no nameserver answers.
      const known = await this.brokers().catch(() => []);
      const name = known.find(({ address }) => address === nameOrAddress)?.name;
      return { name: name ?? nameOrAddress, address: nameOrAddress };
    }
    const brokers = await this.brokers();
    const master = brokers.find(({ name, id }) => name === nameOrAddress && id === MASTER_ID);
    if (master) return master;
    throw missing("broker", nameOrAddress, [...new Set(brokers.map(({ name }) => name))]);
  }

  /** For each broker of a topic the master, else a slave: who can tell of it. Throws `notFound`. */
  async readersOf(topic: string): Promise<Peer[]> {
    const { brokerDatas } = await this.route(topic);
    const peers = brokerDatas.flatMap(({ brokerName, brokerAddrs }) => {
      const address = brokerAddrs.get(MASTER_ID) ?? brokerAddrs.values().next().value;
      return address === undefined ? [] : [{ name: brokerName, address }];
    });
    return peers.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** Asks several peers at the same time; the rows of each stay together, in the order of the peers. */
  async each<P extends Peer, T>(peers: readonly P[], work: (peer: P) => Promise<readonly T[]>): Promise<Gathered<T>> {
    const done = new Map<P, readonly T[] | Failure>();
    const rest = peers.values();
    const runOne = async () => {
      for (const peer of rest) {
        try {
          done.set(peer, await work(peer));
        } catch (error) {
          if (!(error instanceof RocketdError)) throw error;
          done.set(peer, { name: peer.name, address: peer.address, reason: messageOf(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: ADMIN_BROKERS_AT_ONCE }, runOne));
    const outcomes = peers.map((peer) => done.get(peer)!);
    const isFailure = (outcome: readonly T[] | Failure): outcome is Failure => "reason" in outcome;
    return {
      rows: outcomes.flatMap((outcome) => isFailure(outcome) ? [] : outcome),
      failures: outcomes.filter(isFailure),
    };
  }
}

function missing(kind: string, name: string, known: readonly string[]): RocketdError {
  const allowed = known.length === 0 ? `no ${kind} is registered` : `known are ${known.join(", ")}`;
  return new RocketdError("notFound", `Cannot find the ${kind} ${name}: ${allowed}`, {
    field: kind,
    value: name,
    allowed,
  });
}
