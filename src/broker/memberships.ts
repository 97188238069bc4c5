/**
 * Which connections belong to which groups: the part that consumer and producer groups share. A connection leaves when
 * it closes; one that sends no heartbeat for long is closed.
 *
 * @module
 */
import { GROUP_CLIENTS_MAX, GROUPS_CLIENTS_MAX } from "../limits.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Permit } from "../remoting/access/guard.ts";
import type { Connection } from "../remoting/connection.ts";

/** What a group needs of a connection. */
export type MemberConnection = Pick<Connection, "notify" | "request" | "congested" | "close" | "onClose" | "peer">;

/** What a client said of itself with its last heartbeat. */
export interface Client {
  readonly clientId: string;
  readonly language: string;
  /** `MQVersion` ordinal. */
  readonly version: number;
  /** What its account may do; undefined: all. */
  readonly permit?: Permit | undefined;
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

/** A connection that was in a group at least once. */
interface Presence {
  /** As its last heartbeat said. */
  clientId: string;
  readonly groups: Set<string>;
}

/** Groups by name, each with its connections. */
export class Memberships {
  readonly #clock: Clock;
  readonly #left: (group: string, connection: MemberConnection, member: Member) => void;
  readonly #groups = new Map<string, Map<MemberConnection, Member>>();
  readonly #present = new Map<MemberConnection, Presence>();
  /** By client id; one entry for a connection at most. */
  readonly #connectionOf = new Map<string, MemberConnection>();
  #timer: Timer | undefined;
  #count = 0;

  /** `left` is called for each group that a closed connection was in, after it is out. */
  constructor(clock: Clock, left: (group: string, connection: MemberConnection, member: Member) => void) {
    this.#clock = clock;
    this.#left = left;
  }

  /** Why a connection cannot join a group; undefined when it can. `kind` tells people what groups these are. */
  problem(group: string, connection: MemberConnection, kind: string, groupsMax: number): string | undefined {
    const members = this.#groups.get(group);
    if (members?.has(connection)) return undefined;
    if (members === undefined && this.#groups.size >= groupsMax) return `${groupsMax} ${kind} groups are online`;
    if (members !== undefined && members.size >= GROUP_CLIENTS_MAX) {
      return `the ${kind} group ${group} has ${GROUP_CLIENTS_MAX} members already`;
    }
    return this.#count < GROUPS_CLIENTS_MAX ? undefined : `all ${kind} groups have ${GROUPS_CLIENTS_MAX} members`;
  }

  /** Adds or refreshes a member; true when the connection is new in the group. */
  join(group: string, connection: MemberConnection, { clientId, language, version, permit }: Client): boolean {
    let members = this.#groups.get(group);
    if (members === undefined) this.#groups.set(group, members = new Map());
    const isNew = !members.has(connection);
    if (isNew) this.#count++;
    members.set(connection, { clientId, language, version, permit, lastUpdate: this.#clock.now() });
    const known = this.#present.get(connection);
    if (known !== undefined && known.clientId !== clientId) this.#forgetClient(known.clientId, connection);
    if (isNew || !this.#connectionOf.has(clientId)) this.#connectionOf.set(clientId, connection);
    if (known !== undefined) {
      known.clientId = clientId;
      known.groups.add(group);
    } else {
      this.#present.set(connection, { clientId, groups: new Set([group]) });
      // Comes last: a connection that has closed already calls back at once.
      connection.onClose(() => this.#closed(connection));
    }
    return isNew;
  }

  #forgetClient(clientId: string, connection: MemberConnection): void {
    if (this.#connectionOf.get(clientId) === connection) this.#connectionOf.delete(clientId);
  }

  /** Takes a connection out of a group; undefined when it was not in it. */
  leave(group: string, connection: MemberConnection): Member | undefined {
    const members = this.#groups.get(group);
    const member = members?.get(connection);
    if (members === undefined || member === undefined) return undefined;
    members.delete(connection);
    this.#count--;
    if (members.size === 0) this.#groups.delete(group);
    const known = this.#present.get(connection);
    known?.groups.delete(group);
    if (known?.groups.size === 0) this.#forgetClient(known.clientId, connection);
    return member;
  }

  #closed(connection: MemberConnection): void {
    const groups = [...this.#present.get(connection)?.groups ?? []];
    for (const group of groups) {
      const member = this.leave(group, connection);
      if (member !== undefined) this.#left(group, connection, member);
    }
    this.#present.delete(connection);
  }

  /** The connection of a client that is in a group: the newest, if several say that they are it. */
  connectionOf(clientId: string): MemberConnection | undefined {
    return this.#connectionOf.get(clientId);
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
