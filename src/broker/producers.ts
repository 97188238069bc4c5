/**
 * Producer groups that are online. Follows ProducerManager of RocketMQ 4.9.7.
 *
 * @module
 */
import { PRODUCER_GROUPS_MAX } from "../limits.ts";
import type { Clock } from "../platform/clock.ts";
import { type Client, type Member, type MemberConnection, Memberships } from "./memberships.ts";

/** Groups by name, members by connection. */
export class ProducerGroups {
  readonly #members: Memberships;

  constructor(clock: Clock) {
    this.#members = new Memberships(clock, () => {});
  }

  /** Why a heartbeat cannot be taken; undefined when it can. */
  problem(group: string, connection: MemberConnection): string | undefined {
    return this.#members.problem(group, connection, "producer", PRODUCER_GROUPS_MAX);
  }

  /** Adds or refreshes a producer. */
  register(group: string, connection: MemberConnection, client: Client): void {
    this.#members.join(group, connection, client);
  }

  /** Takes a connection out of a group. */
  unregister(group: string, connection: MemberConnection): void {
    this.#members.leave(group, connection);
  }

  /** The members of a group; undefined when it has none. */
  find(group: string): ReadonlyMap<MemberConnection, Member> | undefined {
    return this.#members.get(group);
  }

  /** The connection of a producer by its client id: where RocketMQ sends the replies that the client waits for. */
  connectionOf(clientId: string): MemberConnection | undefined {
    return this.#members.connectionOf(clientId);
  }

  /** Names of the groups that are online. */
  names(): string[] {
    return [...this.#members.names()];
  }

  /** Ends members without heartbeats from now on. */
  start(): void {
    this.#members.start();
  }

  close(): void {
    this.#members.close();
  }
}
