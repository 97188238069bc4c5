/**
 * Every bound of rocketd with its source, in one place. Bounds that an operator may move are settings (src/config).
 *
 * @module
 */
export * from "./limits/broker.ts";
export * from "./limits/client.ts";
export * from "./limits/ha.ts";
export * from "./limits/http.ts";
export * from "./limits/messages.ts";
export * from "./limits/remoting.ts";
export * from "./limits/store.ts";
export * from "./limits/tables.ts";
