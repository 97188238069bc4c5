/**
 * What a slave copies from its master beside the log: topics (GET_ALL_TOPIC_CONFIG 21), consumer offsets (43), delay
 * offsets (45) and consumer groups (201), every ten seconds as SlaveSynchronize of RocketMQ 4.9.7; at once from a new
 * master, and when the log brings a message of a topic that is not known yet.
 *
 * Offsets tell what the master has done with messages. Those copied before the messages would, once this slave takes
 * over, skip what comes in their place; so they count when the slave's log has reached the end that the master's log had
 * after they were copied (RocketMQ's do at once).
 *
 * All is taken only while the log is copied, when the master was seen to have the same log: one that lost its disk
 * answers as well, with empty tables (RocketMQ takes them). And queues stay when their topic goes, as RocketMQ's do;
 * those of a topic that is made again begin anew with its first message. Its offsets go with it (RocketMQ's stay).
 *
 * While the master is away, consumers read from the slave and commit there. RocketMQ lays the master's old offsets over
 * those when it returns, and whatever a consumer that has left since had committed is delivered once more. Here an offset
 * that was committed on this slave and is ahead of the master's is told to the master (UPDATE_CONSUMER_OFFSET) instead;
 * of a slave that was restarted in between it is not known, and the master's counts.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { type ConsumerOffsetTable, decodeConsumerOffsets } from "../protocol/bodies/consumer_offsets.ts";
import { decodeDelayOffsets, type DelayOffsetTable } from "../protocol/bodies/delay_offsets.ts";
import { decodeSubscriptionGroupTable } from "../protocol/bodies/subscription_group.ts";
import { decodeTopicConfigTable, type TopicConfigTable } from "../protocol/bodies/topic_config.ts";
import {
  GetAllConsumerOffset,
  GetAllDelayOffset,
  GetAllSubscriptionGroupConfig,
  GetAllTopicConfig,
  GetBrokerRuntimeInfo,
  UpdateConsumerOffset,
} from "../protocol/requests.ts";
import { type RemotingClient, succeed } from "../remoting/client.ts";
import type { BrokerContext } from "./context.ts";
import type { DelayOffsets } from "./delay_offsets.ts";
import type { QueueOffset } from "./offsets.ts";
import { runtimeIn } from "./runtime_info.ts";

const log = getLogger(["rocketd", "broker"]);

/** `SlaveSynchronize` 4.9.7. */
const PERIOD_MS = 10_000;
const TIMEOUT_MS = 3_000;
/** Least time between two copies that were asked for, and between looks whether the log has come far enough, ms. */
const SOON_MS = 1_000;

/** What fails when no request gets through. */
const NO_CONNECTION = "no connection";

type CopiedRequest =
  | typeof GetAllTopicConfig
  | typeof GetAllSubscriptionGroupConfig
  | typeof GetAllConsumerOffset
  | typeof GetAllDelayOffset
  | typeof GetBrokerRuntimeInfo;

/** What the copy needs of the broker. */
export interface SlaveCopyOptions extends Pick<BrokerContext, "topics" | "groups" | "offsets" | "clock"> {
  readonly delayOffsets: Pick<DelayOffsets, "replace">;
  readonly store: Pick<BrokerContext["store"], "maxLogOffset" | "onArrival">;
  readonly client: Pick<RemotingClient, "invoke" | "notify">;
  /** Whether the log is being copied from a master that was seen to have the same. */
  readonly sameLog: () => boolean;
}

/** Offsets of the master, as of when its log ended at `end`. */
interface Copied {
  readonly end: number;
  readonly consumers: ConsumerOffsetTable | undefined;
  readonly delays: DelayOffsetTable | undefined;
}

/** Copies from `start` to `close`, while there is a master. */
export class SlaveCopy {
  readonly #broker: SlaveCopyOptions;
  readonly #clock: Clock;
  #master: string | undefined;
  /** Changes whenever what comes may be of another log than what came before. */
  #epoch = 0;
  #waiting: Copied | undefined;
  /** Where consumers committed here since the master's offsets were last laid over ours. */
  readonly #own = new Map<string, QueueOffset>();
  /** What fails now, by request: it is said once. */
  readonly #failing = new Set<string>();
  #timers: Timer[] = [];
  #soon: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(broker: SlaveCopyOptions) {
    this.#broker = broker;
    this.#clock = broker.clock;
    broker.offsets.onCommit((entry) => this.#own.set(keyOf(entry), entry));
    broker.store.onArrival((topic) => {
      if (broker.topics.get(topic) === undefined) this.#copySoon();
    });
  }

  /** Where the master answers clients; another than before is copied from at once. */
  setMaster(address: string | undefined): void {
    if (address === this.#master) return;
    this.#master = address;
    this.#failing.clear();
    this.logFits();
  }

  /** The master was just seen to have the same log, and is copied from at once. */
  logFits(): void {
    this.#epoch++;
    this.#waiting = undefined;
    if (this.#timers.length === 0) return;
    // A round that is under way is the old master's, or of what it was before.
    if (this.#running === undefined) void this.copy();
    else void this.#running.then(() => this.copy());
  }

  start(): void {
    this.#timers = [
      this.#clock.every(PERIOD_MS, () => void this.copy()),
      this.#clock.every(SOON_MS, () => void this.#takeOffsets()),
    ];
    void this.copy();
  }

  #copySoon(): void {
    this.#soon ??= this.#clock.after(SOON_MS, () => {
      this.#soon = undefined;
      void this.copy();
    });
  }

  /** One round, shared by all who ask meanwhile. Never rejects. */
  copy(): Promise<void> {
    if (this.#closed || this.#master === undefined || !this.#broker.sameLog()) return Promise.resolve();
    return this.#running ??= this.#copy(this.#master).finally(() => this.#running = undefined);
  }

  /** A request that fails keeps the others from nothing. */
  async #copy(master: string): Promise<void> {
    const { groups, sameLog } = this.#broker;
    const epoch = this.#epoch;
    const isOld = () => this.#closed || this.#epoch !== epoch || !sameLog();
    const table = await this.#step(master, GetAllTopicConfig, decodeTopicConfigTable);
    if (table !== undefined && !isOld()) this.#takeTopics(table, master);
    const groupTable = await this.#step(master, GetAllSubscriptionGroupConfig, decodeSubscriptionGroupTable);
    if (groupTable !== undefined && !isOld()) groups.replace(groupTable);
    if (this.#waiting === undefined) {
      const consumers = await this.#step(master, GetAllConsumerOffset, decodeConsumerOffsets);
      const delays = await this.#step(master, GetAllDelayOffset, decodeDelayOffsets);
      // Asked last: what the offsets tell of lies before it.
      const runtime = await this.#step(master, GetBrokerRuntimeInfo, runtimeIn);
      if (runtime !== undefined && !isOld()) this.#waiting = { end: runtime.maxLogOffset ?? 0, consumers, delays };
    }
    await this.#takeOffsets();
  }

  /** The offsets of a topic go with it: when it is made anew, its queues begin at 0. */
  #takeTopics(table: TopicConfigTable, master: string): void {
    const { topics, offsets } = this.#broker;
    const before = [...topics.names()];
    topics.replace(table, `the master ${master}`);
    for (const topic of before) if (topics.get(topic) === undefined) offsets.deleteTopic(topic);
  }

  /** What the master answers; undefined when it does not, which is logged once. */
  async #step<T>(master: string, type: CopiedRequest, decode: (body: Uint8Array) => T): Promise<T | undefined> {
    const { name } = type;
    try {
      const received = await this.#broker.client.invoke(master, type, {}, undefined, TIMEOUT_MS);
      const decoded = decode(succeed(received, name).body);
      this.#failing.delete(name);
      this.#failing.delete(NO_CONNECTION);
      return decoded;
    } catch (error) {
      this.#failed(master, error instanceof RocketdError && error.code === "unavailable" ? NO_CONNECTION : name, error);
      return undefined;
    }
  }

  #failed(master: string, what: string, error: unknown): void {
    if (this.#closed || this.#failing.has(what)) return;
    this.#failing.add(what);
    log.warn("Cannot copy from the master {master}: {what}: {reason}; trying again and again", {
      master,
      what,
      reason: messageOf(error),
    });
  }

  /** Lets the copied offsets count once the log has come so far, be the master gone by then. */
  async #takeOffsets(): Promise<void> {
    const { offsets, delayOffsets, store, sameLog } = this.#broker;
    const copied = this.#waiting, master = this.#master;
    if (copied === undefined || master === undefined || store.maxLogOffset < copied.end) return;
    this.#waiting = undefined;
    const { consumers, delays } = copied;
    if (delays !== undefined) delayOffsets.replace(delays);
    if (consumers === undefined) return;
    const ahead = this.#ownAheadOf(consumers);
    offsets.merge(consumers, (entry) => !ahead.has(keyOf(entry)));
    for (const [key, entry] of ahead) {
      if (!sameLog() || !await this.#tell(master, entry)) return;
      if (this.#own.get(key) === entry) this.#own.delete(key);
    }
  }

  /** What was committed here and is ahead of the master; the rest is of no more use. */
  #ownAheadOf(theirs: ConsumerOffsetTable): Map<string, QueueOffset> {
    const ahead = new Map<string, QueueOffset>();
    for (const [key, entry] of this.#own) {
      const { topic, group, queueId, offset } = entry;
      if (offset > (theirs.get(`${topic}@${group}`)?.get(queueId) ?? -1)) ahead.set(key, entry);
      else this.#own.delete(key);
    }
    return ahead;
  }

  async #tell(master: string, { group, topic, queueId, offset }: QueueOffset): Promise<boolean> {
    try {
      const header = { consumerGroup: group, topic, queueId, commitOffset: offset };
      await this.#broker.client.notify(master, UpdateConsumerOffset, header);
      return true;
    } catch (error) {
      log.debug("cannot tell {master} an offset: {reason}", { master, reason: messageOf(error) });
      return false;
    }
  }

  /** Stops; offsets that wait and have become good are taken. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#soon?.cancel();
    await this.#running;
    await this.#takeOffsets();
  }
}

function keyOf({ group, topic, queueId }: QueueOffset): string {
  return `${topic}@${group}@${queueId}`;
}
