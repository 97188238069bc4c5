/**
 * The roles of a node, and the table of settings that each brings.
 *
 * @module
 */
import { brokerSettings } from "./broker.ts";
import { nameserverSettings } from "./nameserver.ts";
import type { Table } from "./setting.ts";
import type { Part } from "./source.ts";

export const ROLES = ["nameserver", "master", "slave"] as const;
export type Role = typeof ROLES[number];

/** The part of the process that plays a role; master and slave are brokers. */
export function partOf(role: Role): Part {
  return role === "nameserver" ? "nameserver" : "broker";
}

export const TABLES: Readonly<Record<Part, Table>> = { nameserver: nameserverSettings, broker: brokerSettings };

/** The name of the setting that a part knows by this name or as an older spelling. */
export function settingNamed(part: Part, key: string): string | undefined {
  const table = TABLES[part];
  return Object.keys(table).find((name) => name === key || table[name]!.aliases?.includes(key));
}
