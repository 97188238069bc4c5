/**
 * What the tests of the index by key share.
 *
 * @module
 */
import type { IndexOptions, IndexService } from "../../src/store/index_service.ts";
import type { DispatchEntry } from "../../src/store/types.ts";

/** The time of most entries, ms. */
export const T0 = Date.UTC(2026, 0, 1);
export const SMALL: IndexOptions = { maxHashSlotNum: 7, maxIndexNum: 20, now: () => T0 };
export const ROOMY: IndexOptions = { maxHashSlotNum: 100_000, maxIndexNum: 400_000, now: () => T0 };
export const ALWAYS: [number, number] = [0, Number.MAX_SAFE_INTEGER];

/** What the log tells of a record. */
export function entry(logOffset: number, uniqKey: string, more: Partial<DispatchEntry> = {}): DispatchEntry {
  return {
    topic: "T",
    queueId: 0,
    queueOffset: 0,
    logOffset,
    size: 100,
    tagsCode: 0,
    storeTimestamp: T0,
    sysFlag: 0,
    keys: "",
    uniqKey,
    ...more,
  };
}

/** Searches to the end in one go. */
export function lookup(index: IndexService, ...query: Parameters<IndexService["search"]>): number[] {
  const search = index.search(...query);
  while (true) {
    const step = search.next();
    if (step.done === true) return step.value;
  }
}

/** The index files, oldest first. */
export function fileNames(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
