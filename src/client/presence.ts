/**
 * Makes a producer known to brokers as a member of its group, by heartbeats: they ask it about open transactions, send
 * it replies, and show it to administrators.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import { encodeHeartbeat } from "../protocol/bodies/mod.ts";
import { HeartBeat, UnregisterClient } from "../protocol/requests.ts";
import { type RemotingClient, succeed } from "../remoting/client.ts";
import type { RouteBook } from "./routes.ts";

const log = getLogger(["rocketd", "client"]);

const REQUEST_TIMEOUT_MS = 3_000;
/** Pause before a broker that lost us is told again, ms. */
const AGAIN_MS = 1_000;

/** Who is made known, and how often brokers are told again, ms (`heartbeatBrokerInterval`). */
export interface Member {
  readonly clientId: string;
  readonly group: string;
  readonly intervalMs: number;
}

/** A producer's place among the clients of its brokers; it begins with the first broker that is met. */
export class Presence {
  readonly #client: RemotingClient;
  readonly #routes: RouteBook;
  readonly #member: Member;
  readonly #body: Uint8Array;
  /** Brokers that were told, or are being told, and their refusals. */
  readonly #told = new Map<string, Promise<RocketdError | undefined>>();
  /** Brokers whose first telling was waited for. */
  readonly #tried = new Set<string>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(client: RemotingClient, routes: RouteBook, member: Member) {
    this.#client = client;
    this.#routes = routes;
    this.#member = member;
    const producerDataSet = [{ groupName: member.group }];
    this.#body = encodeHeartbeat({ clientID: member.clientId, producerDataSet, consumerDataSet: [] });
  }

  /** Sees to it that a broker is told, without waiting. */
  meet(address: string): void {
    if (!this.#told.has(address)) this.greet(address).catch(() => {});
  }

  /**
   * Resolves when a broker knows of us, or with its refusal: then it may take messages all the same, but asks us nothing.
   * Rejects with `timeout` or `unavailable` when it cannot be told.
   */
  greet(address: string): Promise<RocketdError | undefined> {
    const before = this.#told.get(address);
    if (before !== undefined) return before;
    const told = this.#tell(address);
    this.#told.set(address, told);
    told.catch(() => this.#told.get(address) === told && this.#told.delete(address));
    if (!this.#closed) this.#timer ??= setInterval(() => this.#tellAll(), this.#member.intervalMs);
    return told;
  }

  /** Tells brokers, and waits for those that have never been tried before. Never rejects. */
  async greetOnce(addresses: readonly string[]): Promise<void> {
    const fresh = addresses.filter((address) => !this.#tried.has(address));
    for (const address of addresses) this.#tried.add(address);
    const greeted = Promise.allSettled(fresh.map((address) => this.greet(address)));
    for (const address of addresses) this.meet(address);
    await greeted;
  }

  /** The connection to a broker has gone, and with it what the broker knew of us. */
  lost(address: string): void {
    if (!this.#told.delete(address) || this.#closed) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#tellAll(), Math.min(AGAIN_MS, this.#member.intervalMs));
  }

  /** Takes leave of all brokers, without waiting for what they say. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#again);
    const header = { clientID: this.#member.clientId, producerGroup: this.#member.group };
    await Promise.allSettled(
      [...this.#told.keys()].map((address) => this.#client.notify(address, UnregisterClient, header)),
    );
  }

  /** All masters of the topics in use: those that are met, and those that came in between. */
  #tellAll(): void {
    void this.#routes.renew();
    const masters = new Set([...this.#routes.known()].flatMap((route) => route.masters()));
    for (const address of masters) {
      // Who is known already need not wait for this.
      if (this.#told.has(address)) this.#tell(address).catch(() => this.#told.delete(address));
      else this.meet(address);
    }
    for (const address of this.#told.keys()) if (!masters.has(address)) this.#told.delete(address);
    for (const address of this.#tried) if (!masters.has(address)) this.#tried.delete(address);
  }

  async #tell(address: string): Promise<RocketdError | undefined> {
    const answer = await this.#client.invoke(address, HeartBeat, {}, this.#body, REQUEST_TIMEOUT_MS);
    try {
      succeed(answer, "a heartbeat");
    } catch (error) {
      const { group } = this.#member;
      log.warn("{address} does not know group {group}: {reason}", { address, group, reason: messageOf(error) });
      if (error instanceof RocketdError) return error;
    }
    return undefined;
  }
}
