/**
 * What the two ways of consuming have in common: concurrently and in order.
 *
 * @module
 */
import type { ConsumeDirectlyResult } from "../../protocol/bodies/mod.ts";
import type { ConsumeFigures } from "./consume_figures.ts";
import type { ConsumeHooks } from "./consume_hooks.ts";
import type { ReceivedMessage } from "../message.ts";
import type { QueueLocks } from "./queue_locks.ts";
import type { QueueReader } from "./queue_reader.ts";
import type { QueueHooks, ReaderTable } from "./reader_table.ts";
import type { MessageQueue } from "./rebalance.ts";
import type { SendBack } from "./send_back.ts";

/** What a way of consuming needs of its consumer. */
export interface ConsumingContext {
  readonly group: string;
  /** Whether what fails is given back; else it is dropped. */
  readonly isShared: boolean;
  readonly table: () => ReaderTable;
  readonly sendBack: SendBack;
  readonly figures: ConsumeFigures;
  readonly hooks: ConsumeHooks;
  /** Calls of the listener at the same time. */
  readonly concurrency: number;
  readonly consumeMessageBatchMaxSize: number;
}

/** Calls the listener. */
export interface Consuming {
  readonly isOrderly: boolean;
  readonly hooks: QueueHooks;
  /** The locks on queues, where there are any. */
  readonly locks?: QueueLocks | undefined;
  start(): void;
  /** Messages came in for a reader. */
  arrived(reader: QueueReader): void;
  /** Whether messages are handed out; what is in hand is finished anyway. */
  suspended: boolean;
  /** Ends all that goes on by itself, hands out no more; resolves when nothing is in hand, or `ms` are over. */
  stop(ms: number): Promise<void>;
  /** Has a message consumed at once (CONSUME_MESSAGE_DIRECTLY), whatever queue it is of. */
  directly(message: ReceivedMessage, queue: MessageQueue): Promise<ConsumeDirectlyResult>;
}

/** What a listener threw, or words for it: never undefined, which means that it threw nothing. */
export function thrown(error: unknown): unknown {
  return error ?? `${error} was thrown`;
}

/** Counts what is in hand, and waits until it is nothing. */
export class InHand {
  #count = 0;
  #waiting: (() => void)[] = [];

  get count(): number {
    return this.#count;
  }

  begin(): void {
    this.#count++;
  }

  end(): void {
    if (--this.#count === 0) { for (const resolve of this.#waiting.splice(0)) resolve(); }
  }

  /** Resolves when nothing is in hand, or `ms` are over; gives whether the first is so. */
  async none(ms: number): Promise<boolean> {
    if (this.#count === 0) return true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    return this.#count === 0;
  }
}
