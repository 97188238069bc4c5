/**
 * Consumer groups that are online: their members, what they subscribe to, and the notices that make them share out the
 * queues anew. Follows ConsumerManager and ConsumerGroupInfo of RocketMQ 4.9.7.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { BrokerSettings } from "../config/mod.ts";
import { GROUPS_MAX, SUBSCRIPTION_CHARACTERS_MAX } from "../limits.ts";
import type { Clock } from "../platform/clock.ts";
import type {
  ConsumeFromWhere,
  ConsumerData,
  ConsumeType,
  MessageModel,
  SubscriptionData,
} from "../protocol/bodies/heartbeat.ts";
import { NotifyConsumerIdsChanged } from "../protocol/requests.ts";
import type { SubscriptionGroupTable } from "./groups.ts";
import { type Client, type Member, type MemberConnection, Memberships } from "./memberships.ts";

const log = getLogger(["rocketd", "broker"]);

/** One group that is online. */
export interface ConsumerGroup {
  readonly name: string;
  readonly consumeType: ConsumeType;
  readonly messageModel: MessageModel;
  readonly consumeFromWhere: ConsumeFromWhere;
  /** By topic: what the member with the last heartbeat wants. */
  readonly subscriptions: ReadonlyMap<string, SubscriptionData>;
  readonly members: ReadonlyMap<MemberConnection, Member>;
  clientIds(): string[];
}

/** What consumer groups need. */
export interface ConsumerGroupsOptions {
  readonly settings: Pick<BrokerSettings, "notifyConsumerIdsChangedEnable">;
  readonly groups: Pick<SubscriptionGroupTable, "get">;
  readonly clock: Clock;
}

const nobody: ReadonlyMap<MemberConnection, Member> = new Map();

/** A group with what its last heartbeat said. */
class OnlineGroup implements ConsumerGroup {
  readonly name: string;
  readonly #memberships: Memberships;
  consumeType: ConsumeType;
  messageModel: MessageModel;
  consumeFromWhere: ConsumeFromWhere;
  subscriptions = new Map<string, SubscriptionData>();
  characters = 0;

  constructor({ groupName, consumeType, messageModel, consumeFromWhere }: ConsumerData, memberships: Memberships) {
    this.name = groupName;
    this.#memberships = memberships;
    this.consumeType = consumeType;
    this.messageModel = messageModel;
    this.consumeFromWhere = consumeFromWhere;
  }

  get members(): ReadonlyMap<MemberConnection, Member> {
    return this.#memberships.get(this.name) ?? nobody;
  }

  clientIds(): string[] {
    return [...new Set([...this.members.values()].map(({ clientId }) => clientId))];
  }
}

/** Groups by name. */
export class ConsumerGroups {
  readonly #options: ConsumerGroupsOptions;
  readonly #members: Memberships;
  readonly #online = new Map<string, OnlineGroup>();
  #characters = 0;

  constructor(options: ConsumerGroupsOptions) {
    this.#options = options;
    // Closed connections are told to the others whatever the group's own flag says.
    this.#members = new Memberships(options.clock, (group, _, { clientId }) => {
      log.info("the consumer {clientId} of {group} is gone", { clientId, group });
      this.#forgetIfEmpty(group);
      this.#notify(group);
    });
  }

  /** A group with at least one member. */
  find(group: string): ConsumerGroup | undefined {
    return this.#online.get(group);
  }

  /** How many groups are online. */
  get size(): number {
    return this.#online.size;
  }

  /** Names of the groups that are online. */
  names(): string[] {
    return [...this.#online.keys()];
  }

  /** Groups that are online and subscribe to a topic. */
  groupsOf(topic: string): string[] {
    return [...this.#online].filter(([, { subscriptions }]) => subscriptions.has(topic)).map(([group]) => group);
  }

  /** Why a heartbeat cannot be taken; undefined when it can. */
  problem(data: ConsumerData, connection: MemberConnection): string | undefined {
    const { groupName } = data;
    const problem = this.#members.problem(groupName, connection, "consumer", GROUPS_MAX);
    if (problem !== undefined) return problem;
    const state = this.#online.get(groupName);
    const characters = this.#characters - (state?.characters ?? 0) + charactersOf(data.subscriptionDataSet);
    if (characters > SUBSCRIPTION_CHARACTERS_MAX) {
      return `the subscriptions of all groups have ${characters} characters, allowed are ${SUBSCRIPTION_CHARACTERS_MAX}`;
    }
    return undefined;
  }

  /**
   * Takes the part of a heartbeat that is about one group. When the connection is new in it, or topics came or went, all
   * members are told before this returns. A newer expression for a known topic is taken without a notice.
   */
  register(data: ConsumerData, connection: MemberConnection, client: Client): void {
    const { groupName } = data;
    let state = this.#online.get(groupName);
    if (state === undefined) this.#online.set(groupName, state = new OnlineGroup(data, this.#members));
    state.consumeType = data.consumeType;
    state.messageModel = data.messageModel;
    state.consumeFromWhere = data.consumeFromWhere;
    const changed = this.#subscribe(state, data.subscriptionDataSet);
    const isNew = this.#members.join(groupName, connection, client);
    if (!isNew && !changed) return;
    log.info("the group {group} has changed: heartbeat of {clientId} from {peer}", {
      group: groupName,
      clientId: client.clientId,
      peer: connection.peer,
    });
    if (this.#flagOf(groupName)) this.#notify(groupName);
  }

  #subscribe(state: OnlineGroup, wanted: readonly SubscriptionData[]): boolean {
    const old = state.subscriptions;
    const next = new Map<string, SubscriptionData>();
    let changed = false;
    for (const subscription of wanted) {
      const known = old.get(subscription.topic);
      if (known === undefined) changed = true;
      next.set(subscription.topic, known && known.subVersion >= subscription.subVersion ? known : subscription);
    }
    for (const topic of old.keys()) if (!next.has(topic)) changed = true;
    state.subscriptions = next;
    this.#characters -= state.characters;
    state.characters = charactersOf(next.values());
    this.#characters += state.characters;
    return changed;
  }

  /** Takes a connection out of a group and tells the others, if it was in it. */
  unregister(group: string, connection: MemberConnection): void {
    if (this.#members.leave(group, connection) === undefined) return;
    this.#forgetIfEmpty(group);
    if (this.#flagOf(group)) this.#notify(group);
  }

  #forgetIfEmpty(group: string): void {
    if (this.#members.get(group) !== undefined) return;
    this.#characters -= this.#online.get(group)?.characters ?? 0;
    this.#online.delete(group);
  }

  #flagOf(group: string): boolean {
    return this.#options.groups.get(group)?.notifyConsumerIdsChangedEnable ?? true;
  }

  #notify(group: string): void {
    if (!this.#options.settings.notifyConsumerIdsChangedEnable) return;
    for (const connection of this.#members.get(group)?.keys() ?? []) {
      connection.notify(NotifyConsumerIdsChanged, { consumerGroup: group });
    }
  }

  /** Ends members without heartbeats from now on. */
  start(): void {
    this.#members.start();
  }

  close(): void {
    this.#members.close();
  }
}

/** About what a subscription takes in memory, in characters: its texts, its tags twice (name and code), and itself. */
function charactersOf(subscriptions: Iterable<SubscriptionData>): number {
  let characters = 0;
  for (const { topic, subString, tagsSet } of subscriptions) {
    characters += 200 + topic.length + subString.length;
    for (const tag of tagsSet) characters += 16 + tag.length;
  }
  return characters;
}
