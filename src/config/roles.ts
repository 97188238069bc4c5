/**
 * The roles of a node, and the table of settings that each brings.
 *
 * @module
 */
import { brokerSettings } from "./broker.ts";
import { nameserverSettings } from "./nameserver.ts";
import type { Table } from "./setting.ts";
import type { Part } from "./source.ts";

/** All roles. */
export const ROLES = ["nameserver", "master", "slave"] as const satisfies readonly Role[];

/**
 * What a node is.
 *
 * @example
 * ```ts
 * import { loadSettings, type Role } from "@rocketd/rocketd";
 * import { assert } from "@std/assert";
 *
 * const roles: Role[] = ["nameserver", "master"];
 * assert((await loadSettings({ roles })).ok);
 * ```
 */
export type Role = "nameserver" | "master" | "slave";

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
