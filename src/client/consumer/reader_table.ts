/**
 * The queues that a consumer reads: takes them over, gives them up, and has their offsets kept.
 *
 * @module
 */
import type { SubscriptionData } from "../../protocol/bodies/mod.ts";
import type { OffsetStore, QueueOffset } from "./offset_store.ts";
import { QueueReader, type ReaderContext } from "./queue_reader.ts";
import { type MessageQueue, queueKey } from "./rebalance.ts";
import { choosesTheSame } from "./subscription.ts";

/** What a kind of consumer does when queues come and go. */
export interface QueueHooks {
  /** Which of the queues that have become ours may be read now; all of them without this. The others are tried again. */
  readonly admit?: (queues: readonly MessageQueue[]) => Promise<ReadonlySet<MessageQueue>>;
  /** Called when a queue was given up, to have its offset kept with `keep` when that is right. Does not reject. */
  readonly release?: (reader: QueueReader, keep: () => Promise<void>) => Promise<void>;
}

/** Readers by queue. */
export class ReaderTable {
  readonly #context: ReaderContext;
  readonly #offsets: OffsetStore;
  readonly #hooks: QueueHooks;
  readonly #readers = new Map<string, QueueReader>();
  readonly #running = new Set<Promise<void>>();
  /** Queues that were given up, as long as something of them is still in hand. */
  readonly #leaving = new Map<string, Promise<void>>();
  /** Readers that may have something to hand out, the next one first. */
  readonly #ready = new Set<QueueReader>();
  /** Queues of which nothing is handed out, whether they are read or not. */
  readonly #paused = new Set<string>();
  #closed = false;

  constructor(context: ReaderContext, offsets: OffsetStore, hooks: QueueHooks = {}) {
    this.#context = {
      ...context,
      arrived: (reader) => {
        this.#ready.add(reader);
        context.arrived(reader);
      },
    };
    this.#offsets = offsets;
    this.#hooks = hooks;
  }

  get size(): number {
    return this.#readers.size;
  }

  get(queue: MessageQueue): QueueReader | undefined {
    return this.#readers.get(queueKey(queue));
  }

  /** All readers. */
  all(): QueueReader[] {
    return [...this.#readers.values()];
  }

  /** A reader with something to hand out, each in its turn; undefined: none. */
  next(): QueueReader | undefined {
    for (const reader of this.#ready) {
      this.#ready.delete(reader);
      if (!reader.hasMore) continue;
      this.#ready.add(reader);
      return reader;
    }
    return undefined;
  }

  /**
   * From now on these queues of a topic are ours, and no others of it. Resolves when what is given up is kept; gives
   * whether all of ours are read now.
   */
  async assign(topic: string, queues: readonly MessageQueue[], subscription: SubscriptionData): Promise<boolean> {
    const keys = new Set(queues.map(queueKey));
    const fits = (reader: QueueReader) =>
      keys.has(queueKey(reader.queue)) && choosesTheSame(reader.subscription, subscription);
    await this.#giveUp(this.all().filter((reader) => reader.queue.topic === topic && !fits(reader)));
    const added = queues.filter((queue) => this.get(queue) === undefined);
    const free = added.filter((queue) => !this.#leaving.has(queueKey(queue)));
    const admitted = free.length === 0 ? new Set(free) : await this.#hooks.admit?.(free) ?? new Set(free);
    for (const queue of admitted) {
      if (this.#closed || this.get(queue) !== undefined) continue;
      const reader = new QueueReader(queue, subscription, this.#context);
      if (this.#paused.has(queueKey(queue))) reader.pause();
      this.#readers.set(queueKey(queue), reader);
      const run = reader.run().finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
    return admitted.size === added.length;
  }

  /** Gives up all queues of a topic. */
  async drop(topic: string): Promise<void> {
    await this.#giveUp(this.all().filter(({ queue }) => queue.topic === topic));
  }

  /** Gives up queues that may be another member's. */
  async lose(readers: readonly QueueReader[]): Promise<void> {
    await this.#giveUp(readers.filter((reader) => this.get(reader.queue) === reader));
  }

  /** Hands out nothing of these queues, until {@linkcode ReaderTable.resume}. */
  pause(queues: readonly MessageQueue[]): void {
    for (const queue of queues) {
      this.#paused.add(queueKey(queue));
      this.get(queue)?.pause();
    }
  }

  /** Ends a pause. */
  resume(queues: readonly MessageQueue[]): void {
    for (const queue of queues) {
      this.#paused.delete(queueKey(queue));
      this.get(queue)?.resume();
    }
  }

  /** Where the queues are. */
  offsets(): QueueOffset[] {
    return offsetsOf(this.all());
  }

  /** Has the offsets of all queues kept. */
  async commit(): Promise<void> {
    await this.#offsets.persist(this.offsets());
  }

  /** Gives up everything; resolves when the offsets are kept and nothing runs any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#giveUp(this.all());
    await Promise.all(this.#leaving.values());
    await Promise.all(this.#running);
  }

  /** Goes on from these offsets where the queue is ours; gives those. */
  seek(offsets: readonly QueueOffset[]): QueueOffset[] {
    const ours = offsets.filter(([queue]) => this.get(queue) !== undefined);
    for (const [queue, offset] of ours) this.get(queue)!.seek(offset);
    return ours;
  }

  /** Stops reading these queues; what is in hand of them may end later. */
  async #giveUp(readers: readonly QueueReader[]): Promise<void> {
    if (readers.length === 0) return;
    for (const reader of readers) {
      this.#readers.delete(queueKey(reader.queue));
      this.#ready.delete(reader);
      reader.stop();
    }
    const { release } = this.#hooks;
    if (release === undefined) return await this.#offsets.persist(offsetsOf(readers));
    for (const reader of readers) {
      const key = queueKey(reader.queue);
      const left = release(reader, () => this.#offsets.persist(offsetsOf([reader])));
      this.#leaving.set(key, left.finally(() => this.#leaving.delete(key)));
    }
  }
}

function offsetsOf(readers: readonly QueueReader[]): QueueOffset[] {
  return readers.flatMap(({ queue, consumed }) => consumed === undefined ? [] : [[queue, consumed] as const]);
}
