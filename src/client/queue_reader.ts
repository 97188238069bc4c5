/**
 * Reads one queue for a consumer: pulls ahead, with long polling, as far as the bounds allow, and knows how far the
 * program has come.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import { QUEUE_BYTES_HELD_MAX, QUEUE_MESSAGES_HELD_MAX } from "../limits.ts";
import type { SubscriptionData } from "../protocol/bodies/mod.ts";
import { PullFlag, ResponseCode } from "../protocol/codes.ts";
import { decodeRecords } from "../protocol/message_record.ts";
import { isRetryTopic } from "../protocol/names.ts";
import { GetMaxOffset, PullMessage, QueryConsumerOffset, UpdateConsumerOffset } from "../protocol/requests.ts";
import { type RemotingClient, succeed } from "../remoting/client.ts";
import { ReceivedMessage } from "./message.ts";
import type { MessageQueue } from "./rebalance.ts";
import type { RouteBook } from "./routes.ts";
import { wants } from "./subscription.ts";

const log = getLogger(["rocketd", "client"]);

/** How long a broker may hold a pull, and how long its answer may take: as Java's push consumer, ms. */
const HOLD_MS = 15_000;
const PULL_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 3_000;
/** Pause after a failure: `pullTimeDelayMillsWhenException` is 3 s in Java's. */
const PAUSE_MS = 1_000;

/** What a reader shares with its consumer. */
export interface ReaderContext {
  readonly client: RemotingClient;
  readonly routes: RouteBook;
  readonly group: string;
  readonly from: "first" | "last";
  readonly pullMessages: number;
  /** Called when messages came in. */
  readonly arrived: () => void;
}

/** One queue being read; {@linkcode QueueReader.run} goes on until {@linkcode QueueReader.stop}. */
export class QueueReader {
  #held: ReceivedMessage[] = [];
  #heldBytes = 0;
  /** Offset of the next pull. */
  #next = -1;
  /** Offset up to which the program is done, and the one that the broker knows. */
  #done = -1;
  #committed = -1;
  #committedTo: string | undefined;
  #handedOut = 0;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(
    readonly queue: MessageQueue,
    readonly subscription: SubscriptionData,
    readonly context: ReaderContext,
  ) {}

  get stopped(): boolean {
    return this.#stopped;
  }

  /** The next message, if one is there. */
  take(): ReceivedMessage | undefined {
    const message = this.#held.shift();
    if (message === undefined) return undefined;
    this.#heldBytes -= message.record.totalSize;
    this.#handedOut++;
    if (!this.#full) this.#wake?.();
    return message;
  }

  /** The program is done with a message that it took. */
  finish(message: ReceivedMessage): void {
    this.#handedOut--;
    this.#done = this.#held.length === 0 && this.#handedOut === 0 ? this.#next : message.queueOffset + 1;
  }

  /** Tells the broker how far the program has come, if that changed; gives whether it did. */
  async commit(): Promise<boolean> {
    if (this.#done < 0) return false;
    const address = await this.#address();
    // A master that is back may not know what its slave was told.
    if (this.#done === this.#committed && address === this.#committedTo) return false;
    const commitOffset = this.#done;
    const { topic, queueId } = this.queue;
    const header = { consumerGroup: this.context.group, topic, queueId, commitOffset };
    succeed(await this.context.client.invoke(address, UpdateConsumerOffset, header, undefined, REQUEST_TIMEOUT_MS));
    this.#committed = commitOffset;
    this.#committedTo = address;
    return true;
  }

  /** Ends the reader; what it holds is dropped. */
  stop(): void {
    this.#stopped = true;
    this.#held = [];
    this.#wake?.();
  }

  /** Ends the reader, and counts the queue as consumed up to this offset, whatever the program got. */
  stopAt(offset: number): void {
    this.stop();
    this.#done = offset;
  }

  /** Finds where the group stands, then pulls until stopped. Never throws: failures are logged, and tried again. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      try {
        if (this.#next < 0) {
          const start = await this.#start();
          if (this.#stopped) return;
          this.#next = this.#done = this.#committed = start;
        }
        if (this.#full) await this.#pause();
        else await this.#pull();
      } catch (error) {
        if (this.#stopped) return;
        const { topic, brokerName, queueId } = this.queue;
        const reason = messageOf(error);
        log.warn("cannot read {topic} {brokerName}/{queueId}: {reason}", { topic, brokerName, queueId, reason });
        this.context.routes.forget(topic);
        await this.#pause(PAUSE_MS);
      }
    }
  }

  get #full(): boolean {
    return this.#held.length >= QUEUE_MESSAGES_HELD_MAX || this.#heldBytes >= QUEUE_BYTES_HELD_MAX;
  }

  /** Until something is taken or the reader is stopped, or until the time is over. */
  #pause(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      if (this.#stopped) this.#wake();
    });
  }

  /** The master, while it is gone a slave. */
  async #address(): Promise<string> {
    const { topic, brokerName } = this.queue;
    const route = await this.context.routes.find(topic);
    const address = route.reader(brokerName);
    if (address !== undefined) return address;
    throw new RocketdError("unavailable", `Cannot reach ${brokerName}: no nameserver knows its address`);
  }

  /** The group's offset; for a group that has none the first or last of the queue, as asked. */
  async #start(): Promise<number> {
    const { topic, queueId } = this.queue;
    const { client, group } = this.context;
    const address = this.#committedTo = await this.#address();
    const header = { consumerGroup: group, topic, queueId };
    const known = await client.invoke(address, QueryConsumerOffset, header, undefined, REQUEST_TIMEOUT_MS);
    if (known.code !== ResponseCode.QUERY_NOT_FOUND) return succeed(known, "asking for an offset").header.offset ?? 0;
    // A retry topic is always read from its first message: what lies there was asked for again by this group.
    if (this.context.from === "first" || isRetryTopic(topic)) return 0;
    const max = await client.invoke(address, GetMaxOffset, { topic, queueId }, undefined, REQUEST_TIMEOUT_MS);
    return succeed(max, "asking for the last offset").header.offset ?? 0;
  }

  async #pull(): Promise<void> {
    const { topic, brokerName, queueId } = this.queue;
    const header = {
      consumerGroup: this.context.group,
      topic,
      queueId,
      queueOffset: this.#next,
      maxMsgNums: this.context.pullMessages,
      sysFlag: PullFlag.SUSPEND | PullFlag.SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: HOLD_MS,
      subscription: this.subscription.subString,
      subVersion: this.subscription.subVersion,
      expressionType: this.subscription.expressionType,
    };
    const address = await this.#address();
    const answer = await this.context.client.invoke(address, PullMessage, header, undefined, PULL_TIMEOUT_MS);
    if (this.#stopped) return;
    switch (answer.code) {
      case ResponseCode.SUCCESS:
      case ResponseCode.PULL_NOT_FOUND:
      case ResponseCode.PULL_RETRY_IMMEDIATELY:
      case ResponseCode.PULL_OFFSET_MOVED:
        break;
      default:
        succeed(answer, `pulling from ${topic}`);
    }
    const next = answer.header.nextBeginOffset ?? this.#next;
    if (answer.code === ResponseCode.SUCCESS) {
      for (const record of decodeRecords(answer.body)) {
        const message = new ReceivedMessage(record, brokerName);
        if (!wants(this.subscription, message.tag)) continue;
        this.#held.push(message);
        this.#heldBytes += record.totalSize;
      }
    }
    this.#next = next;
    // Nothing is left to do below: what the filter dropped counts as done.
    if (this.#held.length === 0 && this.#handedOut === 0) this.#done = next;
    else this.context.arrived();
  }
}
