/**
 * Every setting of a node: declared once, read from file, environment and command line, and checked.
 *
 * @module
 */
export { type BrokerSettings, brokerSettings } from "./broker.ts";
export { LOG_LEVELS, type LogLevel } from "./common.ts";
export { type HttpAddress, httpAddressOf } from "./http_listen.ts";
export { checkSettings, type Loaded, type LoadOptions, loadSettings, type NodeSettings } from "./load.ts";
export { nearest } from "./nearest.ts";
export { type NameserverSettings, nameserverSettings } from "./nameserver.ts";
export { type Problem, problemLine } from "./problem.ts";
export { partOf, type Role, ROLES, TABLES } from "./roles.ts";
export { constantDefaults, type Setting, type SettingsOf, type Table } from "./setting.ts";
export { escapeProperty, unescapeProperty } from "./source.ts";
export { type StoreSettings, storeSettings } from "./store.ts";
