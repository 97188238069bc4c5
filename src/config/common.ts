/**
 * Settings that every role has.
 *
 * @module
 */
import { HOST, NAME } from "./forms.ts";
import { httpListen } from "./http_listen.ts";
import { choice, int, list, string } from "./setting.ts";

/** From the most to the least that is logged. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LOG_LEVELS[number];

export const commonSettings = {
  bindAddress: string(HOST, { default: "0.0.0.0", help: "address to listen on" }),
  serverChannelMaxIdleTimeSeconds: int({
    default: 120,
    min: 1,
    max: 86400,
    help: "seconds after which a connection that says and hears nothing is closed",
  }),
  maxConnections: int({
    default: 10000,
    min: 1,
    max: 1000000,
    help: "connections at one time; one more is closed at once",
  }),
  httpListen,
  httpHosts: list(HOST, {
    default: [],
    help: "names in requests' Host header besides localhost, addresses, this machine's name and httpListen's",
  }),
  configBlackList: list(NAME, {
    default: [],
    help: "settings that cannot be changed by requests, though they may change while the node runs",
  }),
  logLevel: choice(LOG_LEVELS, {
    default: "info",
    hot: true,
    help: "what is logged: this level and all more serious ones",
  }),
};
