/**
 * What was read last from the files of consume queues: who reads on finds the next entries there, without asking the
 * system each time.
 *
 * @module
 */
import { QUEUE_PAGES_MAX, QUEUE_READ_ENTRIES_MAX } from "../limits.ts";
import { ENTRY_BYTES } from "./queue_entries.ts";

/** Entries of one queue, from the offset `from` on. */
export interface QueuePage {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  from: number;
  count: number;
}

/** One page for each of the queues that were read last; the one that was filled longest ago makes room. */
export class QueuePages<Queue> {
  readonly #pages = new Map<Queue, QueuePage>();

  /** The page of a queue, if it has `count` entries from an offset on. */
  find(queue: Queue, from: number, count: number): QueuePage | undefined {
    const page = this.#pages.get(queue);
    return page !== undefined && from >= page.from && from + count <= page.from + page.count ? page : undefined;
  }

  /** An empty page for entries from an offset on. */
  begin(queue: Queue, from: number): QueuePage {
    let used: Queue | undefined = this.#pages.has(queue) ? queue : undefined;
    if (used === undefined && this.#pages.size >= QUEUE_PAGES_MAX) [used] = this.#pages.keys();
    const page = used === undefined ? newPage() : this.#pages.get(used)!;
    if (used !== undefined) this.#pages.delete(used);
    this.#pages.set(queue, page);
    page.from = from;
    page.count = 0;
    return page;
  }

  /** Forgets what was read of a queue, since its files change. */
  forget(queue: Queue): void {
    this.#pages.delete(queue);
  }
}

function newPage(): QueuePage {
  const bytes = new Uint8Array(QUEUE_READ_ENTRIES_MAX * ENTRY_BYTES);
  return { bytes, view: new DataView(bytes.buffer), from: 0, count: 0 };
}
