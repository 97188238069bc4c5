/**
 * The RocketMQ 4.x message store.
 *
 * @module
 */
export { MessageStore, type StorePlatform } from "./store.ts";
export { parseDelayLevels, type StoreOptions, storeOptions, workedOut } from "./options.ts";
export type * from "./types.ts";
