/**
 * The RocketMQ 4.x message store.
 *
 * @module
 */
export { MessageStore, type StorePlatform } from "./store.ts";
export { DEFAULT_DELAY_LEVELS, parseDelayLevels, type StoreOptions, storeOptions } from "./options.ts";
export type * from "./types.ts";
