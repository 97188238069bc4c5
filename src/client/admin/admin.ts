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
import { RemotingClient, type RequestBody, succeed } from "../../remoting/client.ts";
import { TIMER_MS_MAX } from "../../remoting/deadlines.ts";
import type { ConnectOptions } from "../connect_options.ts";
import { Nameservers } from "../nameservers.ts";
import { checkMs } from "../option_checks.ts";
import { Producer } from "../producer/producer.ts";
import { askRoute } from "../routes.ts";
import type { AdminCommand } from "./command.ts";
import { findAdminCommand } from "./commands.ts";
import { type Options, readValues, type Values } from "./options.ts";
import { type Failure, resultData } from "./result.ts";

/**
 * How an administrator connects.
 *
 * @example
 * ```ts
 * import { Admin, type AdminOptions, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const options: AdminOptions = { nameservers: cluster.nameservers, timeoutMs: 10_000 };
 * await using admin = new Admin(options);
 * assertEquals((await admin.run("clusterList")).failures, []);
 * ```
 */
export interface AdminOptions extends ConnectOptions {
  /** Time for one answer, ms: 5 s, as mqadmin's `timeoutMillis`. */
  readonly timeoutMs?: number;
  /**
   * Says whether an address may be connected to; each one may without it.
   *
   * @internal
   */
  readonly allows?: (address: string) => boolean;
}

/**
 * Options of an administrator's command by their long names; a switch is `true`.
 *
 * @example
 * ```ts
 * import { Admin, type AdminRunOptions, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * await using admin = new Admin({ nameservers: cluster.nameservers });
 * const where: AdminRunOptions = { brokerAddr: cluster.broker };
 * const { done } = await admin.run("updateSubGroup", { ...where, groupName: "billing", retryMaxTimes: 3 });
 * assertEquals(Array.isArray(done) && done[0].address, cluster.broker);
 * ```
 */
export type AdminRunOptions = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/**
 * What an administrator's command found or did: its tables and records by their names.
 *
 * @example
 * ```ts
 * import { Admin, type AdminRunResult, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * await using admin = new Admin({ nameservers: cluster.nameservers });
 * const result: AdminRunResult = await admin.run("topicList");
 * assertEquals(Object.keys(result), ["topics", "failures"]);
 * ```
 */
export interface AdminRunResult {
  /** Who did not answer, or refused: `name` is a broker's, or "nameserver". */
  readonly failures: readonly { readonly name: string; readonly address: string; readonly reason: string }[];
  /** Parts of the result; as `document` what is one JSON document. */
  readonly [part: string]: unknown;
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
 * Asks nameservers and brokers on behalf of an administrator: whatever `rocketd admin` can.
 *
 * @example
 * ```ts
 * import { Admin, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * await using admin = new Admin({ nameservers: cluster.nameservers });
 * await admin.run("updateTopic", { topic: "orders", clusterName: "DefaultCluster", writeQueueNums: 8, readQueueNums: 8 });
 * const { queues } = await admin.run("topicStatus", { topic: "orders" });
 * assertEquals(Array.isArray(queues) && queues.length, 8);
 * ```
 */
export class Admin implements AsyncDisposable {
  /** @internal */
  readonly timeoutMs: number;
  /** @internal */
  readonly client: RemotingClient;
  readonly #nameservers: Nameservers;
  readonly #options: AdminOptions;
  /** What peers let somebody wait for, why, and until when (`performance.now()`) nobody waits for that again. */
  readonly #silent = new Map<string, { readonly error: RocketdError; readonly until: number }>();

  /** Connects when it is first asked. Throws `invalidArgument` for no nameserver, or a time that cannot be waited. */
  constructor(given: AdminOptions) {
    const { nameservers, timeoutMs = 5_000, ...options } = given;
    checkMs("timeoutMs", timeoutMs);
    this.#options = given;
    this.timeoutMs = timeoutMs;
    this.client = new RemotingClient(options);
    this.#nameservers = new Nameservers(this.client, nameservers, timeoutMs);
  }

  /** Closes the connections; what waits for an answer rejects with `unavailable`. */
  close(): void {
    this.client.close();
  }

  /** As `close`, at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /**
   * Does what `rocketd admin COMMAND` does (the README lists commands and options), without asking back. Gives what
   * `--json` prints: each table as a list of objects, each record as an object, and `failures` of those that could not
   * be asked, which hide nothing of what others answered. Rejects with `invalidArgument` for an unknown command or
   * option and for a bad value, and as the command does: with `notFound`, `refused`, `unavailable`, `timeout`.
   *
   * @example
   * ```ts
   * import { Admin, Producer, startLocalCluster } from "@rocketd/rocketd";
   * import { assertEquals } from "@std/assert";
   *
   * await using cluster = await startLocalCluster();
   * await using producer = new Producer({ nameservers: cluster.nameservers });
   * await producer.send({ topic: "orders", body: "one pizza" });
   *
   * await using admin = new Admin({ nameservers: cluster.nameservers });
   * const { brokers, failures } = await admin.run("topicRoute", { topic: "orders" });
   * assertEquals([Array.isArray(brokers), failures], [true, []]);
   * ```
   */
  async run(command: string, options: AdminRunOptions = {}): Promise<AdminRunResult> {
    const found = findAdminCommand(command);
    if (found === undefined) {
      const text = `Cannot run ${command}: there is no such command of administrators`;
      throw new RocketdError("invalidArgument", text, { field: "command", value: command });
    }
    const unknown = Object.keys(options).find((name) => !Object.hasOwn(found.options, name));
    if (unknown !== undefined) {
      const allowed = Object.keys(found.options).join(", ") || "none";
      const text = `Cannot run ${found.name}: it has no option ${unknown}, allowed is ${allowed}`;
      throw new RocketdError("invalidArgument", text, { field: unknown, value: options[unknown], allowed });
    }
    const result = await found.run(this, valuesOf(found, options));
    return { ...resultData(result), failures: result.failures };
  }

  /**
   * A producer of this group, which connects in the same way and does not try a message again.
   *
   * @internal
   */
  producer(group: string): Producer {
    const { nameservers, encoding, sign, tls } = this.#options;
    return new Producer({ nameservers, encoding, sign, tls, group, timeoutMs: this.timeoutMs, retries: 0 });
  }

  /**
   * All nameservers.
   *
   * @internal
   */
  get nameservers(): Peer[] {
    return this.#nameservers.addresses.map((address) => ({ name: "nameserver", address }));
  }

  /**
   * Asks, and throws `refused` for every code but SUCCESS. Long work is given a multiple of the usual time.
   *
   * @internal
   */
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
   * topic or group that it is asked about. Brokers of 4.1 say nothing to what they do not know, and answer all the rest.
   *
   * @internal
   */
  async try<R extends RequestType>(
    { address }: Pick<Peer, "address">,
    type: R,
    header: RequestInput<R>,
    { body, patience = 1 }: { readonly body?: RequestBody; readonly patience?: number } = {},
  ): Promise<Received<R>> {
    const question = `${address} ${type.code}`;
    const silent = this.#silent.get(question);
    const began = performance.now();
    if (silent !== undefined && began < silent.until) throw silent.error;
    try {
      const timeoutMs = Math.min(TIMER_MS_MAX, this.timeoutMs * patience);
      return await this.client.invoke(address, type, header, body, timeoutMs);
    } catch (error) {
      const now = performance.now();
      if (error instanceof RocketdError && error.retriable && now - began >= this.timeoutMs / 2) {
        this.#silent.set(question, { error, until: now + ADMIN_SILENCES * this.timeoutMs });
      }
      throw error;
    }
  }

  /**
   * Asks whichever nameserver answers.
   *
   * @internal
   */
  async lookUp<R extends RequestType>(type: R, header: RequestInput<R>): Promise<Received<R>> {
    return succeed(await this.#nameservers.ask(type, header), type.name);
  }

  /**
   * All clusters with their brokers.
   *
   * @internal
   */
  async clusters(): Promise<ClusterInfo> {
    return decodeClusterInfo((await this.lookUp(GetBrokerClusterInfo, {})).body);
  }

  /**
   * Where a topic is. Throws `notFound`.
   *
   * @internal
   */
  route(topic: string): Promise<TopicRouteData> {
    return askRoute(this.#nameservers, topic);
  }

  /**
   * Brokers by cluster, name and id; of a cluster if one is named. Throws `notFound` for a cluster that is not there.
   *
   * @internal
   */
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

  /**
   * The masters that are meant; a broker that is named by its address may be a slave, and need not be registered.
   *
   * @internal
   */
  async masters({ brokerAddr, clusterName }: Target): Promise<Peer[]> {
    if (brokerAddr !== undefined) return [await this.broker(brokerAddr)];
    const masters = (await this.brokers(clusterName)).filter(({ id }) => id === MASTER_ID);
    if (masters.length > 0) return masters;
    const where = clusterName === undefined ? "" : ` in the cluster ${clusterName}`;
    throw new RocketdError("notFound", `Cannot find a master${where}: no nameserver knows one`);
  }

  /**
   * A broker by its address, or the master of a broker name. Throws `notFound` for a name that nobody has.
   *
   * @internal
   */
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

  /**
   * For each broker of a topic the master, else a slave: who can tell of it. Throws `notFound`.
   *
   * @internal
   */
  async readersOf(topic: string): Promise<Peer[]> {
    const { brokerDatas } = await this.route(topic);
    const peers = brokerDatas.flatMap(({ brokerName, brokerAddrs }) => {
      const address = brokerAddrs.get(MASTER_ID) ?? brokerAddrs.values().next().value;
      return address === undefined ? [] : [{ name: brokerName, address }];
    });
    return peers.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /**
   * Asks several peers at the same time; the rows of each stay together, in the order of the peers.
   *
   * @internal
   */
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

/** Options as a command receives them. Throws `invalidArgument`. */
function valuesOf({ name, options }: AdminCommand, given: AdminRunOptions): Values<Options> {
  try {
    return readValues(options, (option) => given[option]?.toString());
  } catch (error) {
    if (!(error instanceof RocketdError)) throw error;
    throw new RocketdError(error.code, `Cannot run ${name}: ${error.message}`, error.details);
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
