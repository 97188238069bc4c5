/**
 * Locks on queues, by which a member of a group has a queue for itself while it consumes it in order: given by the
 * queue's master, and renewed (LOCK_BATCH_MQ, UNLOCK_BATCH_MQ; `RebalanceImpl` and `ProcessQueue` of RocketMQ 4.9.7).
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../../errors.ts";
import { decodeLocked, encodeLockBatch } from "../../protocol/bodies/mod.ts";
import { LockBatchMq, UnlockBatchMq } from "../../protocol/requests.ts";
import { succeed } from "../../remoting/client.ts";
import type { GroupMember } from "./group_member.ts";
import { type MessageQueue, queueKey } from "./rebalance.ts";

const log = getLogger(["rocketd", "client"]);

/** How long a lock counts after it was asked for, ms: brokers give it for a minute (`REBALANCE_LOCK_MAX_LIVE_TIME`). */
const LOCK_MS = 30_000;
/** Time for an answer: as Java's, ms. */
const TIMEOUT_MS = 1_000;

/** The locks of one member. */
export class QueueLocks {
  readonly #member: Pick<GroupMember, "client" | "routes" | "group" | "clientId">;
  /** When each lock that is held was asked for last, ms. */
  readonly #askedAt = new Map<string, number>();
  #last: Promise<void> = Promise.resolve();
  /** Locks to give back, and when that will be done. */
  #unwanted: MessageQueue[] = [];
  #unlocking: Promise<void> | undefined;

  constructor(member: Pick<GroupMember, "client" | "routes" | "group" | "clientId">) {
    this.#member = member;
  }

  /** Whether nobody else in the group can have the queue now. */
  holds(queue: MessageQueue, now: number = Date.now()): boolean {
    return now - this.lockedAt(queue) <= LOCK_MS;
  }

  /** When the lock was given or renewed, ms; 0: it is not held. */
  lockedAt(queue: MessageQueue): number {
    return this.#askedAt.get(queueKey(queue)) ?? 0;
  }

  /**
   * Asks for locks; gives the queues that are ours then. A broker that does not answer changes nothing. Does not reject.
   */
  async lock(queues: readonly MessageQueue[]): Promise<ReadonlySet<MessageQueue>> {
    await this.#inTurn(() => this.#lockAll(queues));
    return new Set(queues.filter((queue) => this.holds(queue)));
  }

  /** Renews the locks of these queues as they are when it is its turn. Does not reject. */
  async renew(queues: () => readonly MessageQueue[]): Promise<void> {
    await this.#inTurn(() => this.#lockAll(queues()));
  }

  /** One request after the other, so that no renewal takes back what is being given up. */
  #inTurn(ask: () => Promise<void>): Promise<void> {
    return this.#last = this.#last.then(ask);
  }

  async #lockAll(queues: readonly MessageQueue[]): Promise<void> {
    const byBroker = Map.groupBy(queues, ({ brokerName }) => brokerName);
    await Promise.all([...byBroker.values()].map((some) => this.#lockAt(some)));
  }

  async #lockAt(queues: readonly MessageQueue[]): Promise<void> {
    const askedAt = Date.now();
    try {
      const { client } = this.#member;
      const answer = await client.invoke(
        await this.#master(queues[0]!),
        LockBatchMq,
        {},
        this.#body(queues),
        TIMEOUT_MS,
      );
      const locked = new Set(decodeLocked(succeed(answer, "locking queues").body).map(queueKey));
      for (const key of queues.map(queueKey)) {
        if (locked.has(key)) this.#askedAt.set(key, askedAt);
        else this.#askedAt.delete(key);
      }
    } catch (error) {
      const { group } = this.#member;
      log.warn("cannot lock queues for group {group}: {reason}", { group, reason: messageOf(error) });
    }
  }

  /** Gives a lock back, together with those that are given back meanwhile. Does not reject: one that is lost expires. */
  unlock(queue: MessageQueue): Promise<void> {
    this.#unwanted.push(queue);
    return this.#unlocking ??= this.#inTurn(async () => {
      this.#unlocking = undefined;
      const queues = this.#unwanted.splice(0).filter((one) => this.#askedAt.delete(queueKey(one)));
      const byBroker = Map.groupBy(queues, ({ brokerName }) => brokerName);
      await Promise.all([...byBroker.values()].map((some) => this.#unlockAt(some)));
    });
  }

  async #unlockAt(queues: readonly MessageQueue[]): Promise<void> {
    try {
      const address = await this.#master(queues[0]!);
      succeed(await this.#member.client.invoke(address, UnlockBatchMq, {}, this.#body(queues), TIMEOUT_MS));
    } catch (error) {
      const { group } = this.#member;
      log.debug("cannot unlock queues for group {group}: {reason}", { group, reason: messageOf(error) });
    }
  }

  async #master({ topic, brokerName }: MessageQueue): Promise<string> {
    const address = (await this.#member.routes.find(topic)).master(brokerName);
    if (address !== undefined) return address;
    throw new RocketdError("unavailable", `Cannot reach the master of ${brokerName}: no nameserver knows its address`);
  }

  #body(queues: readonly MessageQueue[]): Uint8Array {
    const { group, clientId } = this.#member;
    return encodeLockBatch({ consumerGroup: group, clientId, mqSet: [...queues] });
  }
}
