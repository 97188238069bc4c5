/**
 * Cleaning at an operator's word: CLEAN_UNUSED_TOPIC 316 removes queues whose topic is not there any more,
 * CLEAN_EXPIRED_CONSUMEQUEUE 306 those whose messages are all gone and that nobody reads, DELETE_EXPIRED_COMMITLOG 329
 * old log files whatever the hour. Follows DefaultMessageStore of RocketMQ 4.9.7, but passes over what the broker itself
 * lives on.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { RocketdError } from "../errors.ts";
import { CleanExpiredConsumequeue, CleanUnusedTopic, DeleteExpiredCommitlog } from "../protocol/admin_requests.ts";
import { ResponseCode } from "../protocol/codes.ts";
import type { Answer, HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import { inTurns } from "./slices.ts";

const log = getLogger(["rocketd", "broker"]);

/** What cleaning needs of the broker. */
export interface CleaningContext extends Pick<BrokerContext, "clock"> {
  readonly settings: Pick<BrokerContext["settings"], "brokerRole">;
  readonly topics: Pick<BrokerContext["topics"], "get" | "isSystem">;
  readonly offsets: Pick<BrokerContext["offsets"], "beginAnew" | "get" | "groupsOf">;
  readonly consumers: Pick<BrokerContext["consumers"], "groupsOf">;
  readonly store: Pick<
    BrokerContext["store"],
    "queues" | "deleteTopic" | "removeOldFiles" | "minLogOffset" | "storeTimeAt"
  >;
}

/** RocketMQ's light message queues, which have no topics of their own. */
const LIGHT_PREFIX = "%LMQ%";
/** On a slave: how long the newest message of a topic must be there, ms. It learns of its master's topics later than that. */
const KNOWN_AFTER_MS = 60_000;

/** Does one piece of cleaning after the other. */
export class Cleaning {
  readonly #broker: CleaningContext;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(broker: CleaningContext) {
    this.#broker = broker;
  }

  /** Adds the handlers of cleaning. */
  handlers(table: HandlerTable): void {
    table.on(CleanUnusedTopic, () => this.#inTurn(() => this.#unusedTopics()));
    table.on(CleanExpiredConsumequeue, () => this.#inTurn(() => this.#expiredQueues()));
    table.on(DeleteExpiredCommitlog, () => {
      this.#broker.store.removeOldFiles(true);
      return { code: ResponseCode.SUCCESS };
    });
  }

  /** One after the other; others get their turn between pieces of the work. */
  async #inTurn(work: () => Iterable<void>): Promise<Answer> {
    const before = this.#running;
    const { clock } = this.#broker;
    const run = before.then(() =>
      inTurns(work(), clock, () => {
        if (this.#closed) throw new RocketdError("aborted", "this node is stopping");
      })
    );
    this.#running = run.catch(() => {});
    await run;
    return { code: ResponseCode.SUCCESS };
  }

  *#unusedTopics(): Generator<void> {
    const { topics, store } = this.#broker;
    for (const topic of store.queues.topics()) {
      yield;
      if (topics.get(topic) !== undefined || this.#isKept(topic) || this.#isYoung(topic)) continue;
      log.warn("Removing the queues of {topic}: there is no such topic", { topic });
      store.deleteTopic(topic);
    }
  }

  *#expiredQueues(): Generator<void> {
    const { settings, store, offsets } = this.#broker;
    for (const topic of store.queues.topics()) {
      if (this.#isKept(topic)) continue;
      for (const queue of store.queues.of(topic)) {
        yield;
        const { queueId } = queue;
        if (!queue.isExpired(store.minLogOffset) || this.#isRead(topic, queueId)) continue;
        log.warn("Removing the queue {topic}-{queueId}: its messages are gone", { topic, queueId });
        store.deleteTopic(topic, queueId);
        // Should the topic have it again, it begins at 0. A slave's offsets are its master's.
        if (settings.brokerRole !== "SLAVE") offsets.beginAnew(topic, queueId);
      }
    }
  }

  /**
   * Whether somebody may wait for the next message of a queue. It would have the offset 0 in one that was removed: RocketMQ
   * sends those who are further to the end then, and they miss it.
   */
  #isRead(topic: string, queueId: number): boolean {
    const { topics, offsets, consumers } = this.#broker;
    const config = topics.get(topic);
    if (config === undefined || queueId >= Math.max(config.readQueueNums, config.writeQueueNums)) return false;
    return consumers.groupsOf(topic).length > 0 ||
      offsets.groupsOf(topic).some((group) => offsets.get(group, topic, queueId) > 0);
  }

  /** What delays, transactions and others go on from by offsets of their own; in RocketMQ only a part of these. */
  #isKept(topic: string): boolean {
    return this.#broker.topics.isSystem(topic) || topic.startsWith(LIGHT_PREFIX);
  }

  /** On a slave: whether its topic may be one that is not copied from the master yet. */
  #isYoung(topic: string): boolean {
    const { settings, store, clock } = this.#broker;
    if (settings.brokerRole !== "SLAVE") return false;
    return store.queues.of(topic).some((queue) => {
      const last = queue.read(queue.maxOffset - 1, 1);
      return last.count > 0 && store.storeTimeAt(last.logOffset(0), last.size(0)) > clock.now() - KNOWN_AFTER_MS;
    });
  }

  /** Ends what is going on. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }
}
