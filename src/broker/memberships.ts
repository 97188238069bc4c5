/**
 * Which connections belong to which groups: the part that consumer and producer groups share. A connection leaves when
 * it closes; one that sends no heartbeat for long is closed.
 *
 * @module
 */
import type { Clock, Timer } from "../platform/clock.ts";
import type { Connection } from "../remoting/connection.ts";

/** What a group needs of a connection. */
export type MemberConnection = Pick<Connection, "notify" | "close" | "onClose" | "peer">;

/** What a client said of itself with its last heartbeat. */
export interface Client {
  readonly clientId: string;
  readonly language: string;
  /** `MQVersion` ordinal. */
  readonly version: number;
}

/** A client in a group. */
export interface Member extends Client {
  /** Time of the last heartbeat, ms. */
  readonly lastUpdate: number;
}

/** RocketMQ: `CHANNEL_EXPIRED_TIMEOUT` of ConsumerManager and ProducerManager. */
const EXPIRY_MS = 120_000;
/** RocketMQ: period of ClientHousekeepingService. */
const SCAN_MS = 10_000;

/** Groups by name, each with its connections. */
export class Memberships {
  readonly #clock: Clock;
  readonly #left: (group: string, connection: MemberConnection, member: Member) => void;
  readonly #groups = new Map<string, Map<MemberConnection, Member>>();
  readonly #groupsOf = new Map<MemberConnection, Set<string>>();
  #timer: Timer | undefined;

  /** `left` is called for each group that a closed connection was in, after it is out. */
  constructor(clock: Clock, left: (group: string, connection: MemberConnection, member: Member) => void) {
    this.#clock = clock;
    this.#left = left;
  }

  /** Adds or refreshes a member; true when the connection is new in the group. */
  join(group: string, connection: MemberConnection, { clientId, language, version }: Client): boolean {
    let members = this.#groups.get(group);
    if (members === undefined) this.#groups.set(group, members = new Map());
    const isNew = !members.has(connection);
    members.set(connection, { clientId, language, version, lastUpdate: this.#clock.now() });
    const groups = this.#groupsOf.get(connection);
    if (groups !== undefined) groups.add(group);
    else {
      this.#groupsOf.set(connection, new Set([group]));
      // Comes last: a connection that has closed already calls back at once.
      connection.onClose(() => this.#closed(connection));
    }
    return isNew;
  }

  /** Takes a connection out of a group; undefined when it was not in it. */
  leave(group: string, connection: MemberConnection): Member | undefined {
    const members = this.#groups.get(group);
    const member = members?.get(connection);
    if (members === undefined || member === undefined) return undefined;
    members.delete(connection);
    if (members.size === 0) this.#groups.delete(group);
    this.#groupsOf.get(connection)?.delete(group);
    return member;
  }

  #closed(connection: MemberConnection): void {
    const groups = [...this.#groupsOf.get(connection) ?? []];
    for (const group of groups) {
      const member = this.leave(group, connection);
      if (member !== undefined) this.#left(group, connection, member);
    }
    this.#groupsOf.delete(connection);
  }

  /** The members of a group; undefined when nobody is in it. */
  get(group: string): ReadonlyMap<MemberConnection, Member> | undefined {
    return this.#groups.get(group);
  }

  /** Names of the groups that have members. */
  names(): IterableIterator<string> {
    return this.#groups.keys();
  }

  /** Groups that have members. */
  get size(): number {
    return this.#groups.size;
  }

  /** Closes connections without a heartbeat from now on. */
  start(): void {
    this.#timer ??= this.#clock.every(SCAN_MS, () => this.#closeSilent());
  }

  #closeSilent(): void {
    const oldest = this.#clock.now() - EXPIRY_MS;
    const silent = new Set<MemberConnection>();
    for (const members of this.#groups.values()) {
      for (const [connection, { lastUpdate }] of members) if (lastUpdate < oldest) silent.add(connection);
    }
    for (const connection of silent) connection.close();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
