/**
 * What the tests of the index by key share.
 *
 * @module
 */
import { keySeedOf } from "../../src/protocol/java_hash.ts";
import { StoreProperties } from "../../src/protocol/property_bytes.ts";
import { keysOf, uniqKeyOf } from "../../src/store/dispatcher.ts";
import type { IndexOptions, IndexService } from "../../src/store/index_service.ts";
import type { DispatchEntry } from "../../src/store/types.ts";

/** The time of most entries, ms. */
export const T0 = Date.UTC(2026, 0, 1);
export const SMALL: IndexOptions = { maxHashSlotNum: 7, maxIndexNum: 20, now: () => T0 };
export const ROOMY: IndexOptions = { maxHashSlotNum: 100_000, maxIndexNum: 400_000, now: () => T0 };
export const ALWAYS: [number, number] = [0, Number.MAX_SAFE_INTEGER];

/** What the log tells of a record with these properties. */
export function entry(
  logOffset: number,
  uniqKey: string,
  { keys = "", topic = "T", ...more }: Partial<Omit<DispatchEntry, "keys">> & { keys?: string } = {},
): DispatchEntry {
  const bytes = new TextEncoder().encode(`UNIQ_KEY\x01${uniqKey}\x02KEYS\x01${keys}`);
  const properties = new StoreProperties().read(bytes, 0, bytes.length);
  const seed = keySeedOf(topic);
  return {
    topic,
    queueId: 0,
    queueOffset: 0,
    logOffset,
    size: 100,
    tagsCode: 0,
    storeTimestamp: T0,
    sysFlag: 0,
    uniqKey: uniqKeyOf(properties, seed),
    keys: keysOf(properties, seed),
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
