/**
 * Which client of a group may consume a queue in order: LOCK_BATCH_MQ 41 and UNLOCK_BATCH_MQ 42. Follows
 * RebalanceLockManager of RocketMQ 4.9.7: a lock lives `lockMaxLiveTime` from its last renewal, is known to nobody but
 * this process, and is not given up when its owner's connection closes.
 *
 * @module
 */
import type { BrokerSettings } from "../config/mod.ts";
import { LOCKS_MAX } from "../limits.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { decodeLockBatch, encodeLocked, type LockBatch, type MessageQueue } from "../protocol/bodies/message_queue.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { LockBatchMq, UnlockBatchMq } from "../protocol/requests.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import type { SubscriptionGroupTable } from "./groups.ts";
import type { TopicTable } from "./topics.ts";

/** Adds the handlers of locks. */
export function lockHandlers(table: HandlerTable, locks: QueueLocks): void {
  table.on(LockBatchMq, ({ body }) => {
    const { locked, problem } = locks.lock(decodeLockBatch(body));
    return { code: ResponseCode.SUCCESS, remark: problem, body: encodeLocked(locked) };
  });
  table.on(UnlockBatchMq, ({ body }) => {
    locks.unlock(decodeLockBatch(body));
    return { code: ResponseCode.SUCCESS };
  });
}

/** What locks need. */
export interface QueueLocksOptions {
  readonly settings: Pick<BrokerSettings, "brokerName" | "lockMaxLiveTime">;
  readonly groups: Pick<SubscriptionGroupTable, "get">;
  readonly topics: Pick<TopicTable, "get">;
  readonly clock: Clock;
}

/** What came of a wish for locks. */
export interface LockResult {
  /** The queues that the client has now. */
  readonly locked: readonly MessageQueue[];
  /** Why another was left out, if that was not for another client's lock. */
  readonly problem: string | undefined;
}

interface Lock {
  clientId: string;
  /** Time of the last renewal, ms. */
  renewed: number;
}

/** The locks of all groups. */
export class QueueLocks {
  readonly #options: QueueLocksOptions;
  /** By group, then by `topic@queueId`: no topic has an @. */
  readonly #groups = new Map<string, Map<string, Lock>>();
  #count = 0;
  #timer: Timer | undefined;

  constructor(options: QueueLocksOptions) {
    this.#options = options;
  }

  /** Locks that are kept. */
  get size(): number {
    return this.#count;
  }

  /**
   * Locks the queues that no other client has, and renews those that the client has already. Where Java locks whatever
   * it is asked for, a queue is left out here when there is no such group, or no such queue of a topic at this broker
   * (nobody could pull there), or when there are too many locks: a client tries again, as for a queue that another has.
   */
  lock({ consumerGroup, clientId, mqSet }: LockBatch): LockResult {
    if (this.#options.groups.get(consumerGroup) === undefined) {
      return { locked: [], problem: `subscription group [${consumerGroup}] does not exist` };
    }
    let problem: string | undefined;
    const locked = mqSet.filter((queue) => {
      const reason = this.#problemOf(queue);
      if (reason === undefined) return this.#lock(consumerGroup, keyOf(queue), clientId);
      problem ??= reason;
      return false;
    });
    if (problem === undefined && this.#count >= LOCKS_MAX) {
      problem = `${LOCKS_MAX} queues are locked, no more are allowed`;
    }
    return { locked, problem };
  }

  #problemOf({ topic, brokerName, queueId }: MessageQueue): string | undefined {
    const { settings, topics } = this.#options;
    if (brokerName !== settings.brokerName) return `this is not the broker ${brokerName} but ${settings.brokerName}`;
    const config = topics.get(topic);
    if (config === undefined) return `topic[${topic}] not exist, apply first please!`;
    if (queueId >= 0 && queueId < config.readQueueNums) return undefined;
    return `queueId[${queueId}] is illegal, topic[${topic}] has queues 0 to ${config.readQueueNums - 1}`;
  }

  #lock(group: string, key: string, clientId: string): boolean {
    const now = this.#options.clock.now();
    const locks = this.#groups.get(group);
    const lock = locks?.get(key);
    if (lock !== undefined) {
      if (lock.clientId !== clientId && !this.#isExpired(lock, now)) return false;
      lock.clientId = clientId;
      lock.renewed = now;
      return true;
    }
    if (this.#count >= LOCKS_MAX) return false;
    this.#count++;
    if (locks !== undefined) locks.set(key, { clientId, renewed: now });
    else this.#groups.set(group, new Map([[key, { clientId, renewed: now }]]));
    return true;
  }

  #isExpired({ renewed }: Lock, now: number): boolean {
    return now - renewed > this.#options.settings.lockMaxLiveTime;
  }

  /** Gives up the client's own locks of these queues; those of others stay. */
  unlock({ consumerGroup, clientId, mqSet }: LockBatch): void {
    for (const queue of mqSet) {
      const key = keyOf(queue);
      if (this.#groups.get(consumerGroup)?.get(key)?.clientId === clientId) this.#drop(consumerGroup, key);
    }
  }

  #drop(group: string, key: string): void {
    const locks = this.#groups.get(group);
    if (locks?.delete(key)) this.#count--;
    if (locks?.size === 0) this.#groups.delete(group);
  }

  /** Lets go of expired locks from now on, once in a lock's lifetime. */
  start(): void {
    const { clock, settings } = this.#options;
    this.#timer ??= clock.every(settings.lockMaxLiveTime, () => this.#dropExpired());
  }

  #dropExpired(): void {
    const now = this.#options.clock.now();
    for (const [group, locks] of this.#groups) {
      for (const [key, lock] of locks) if (this.#isExpired(lock, now)) this.#drop(group, key);
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

function keyOf({ topic, queueId }: MessageQueue): string {
  return `${topic}@${queueId}`;
}
