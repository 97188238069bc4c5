/**
 * The table of all commands of administrators.
 *
 * @module
 */
import { ACCESS_COMMANDS } from "./commands/access.ts";
import { BROKER_COMMANDS } from "./commands/brokers.ts";
import { CLIENT_COMMANDS } from "./commands/clients.ts";
import { CLUSTER_COMMANDS } from "./commands/cluster.ts";
import { EXPORT_COMMANDS } from "./commands/exports.ts";
import { GROUP_COMMANDS } from "./commands/groups.ts";
import { MESSAGE_COMMANDS } from "./commands/messages.ts";
import { NAMESERVER_COMMANDS } from "./commands/nameservers.ts";
import { OFFSET_COMMANDS } from "./commands/offsets.ts";
import { READING_COMMANDS } from "./commands/reading.ts";
import { SENDING_COMMANDS } from "./commands/sending.ts";
import { STATS_COMMANDS } from "./commands/stats.ts";
import { TOPIC_CHANGES } from "./commands/topic_changes.ts";
import { TOPIC_COMMANDS } from "./commands/topics.ts";
import { TRACING_COMMANDS } from "./commands/tracing.ts";
import { type AdminCommand, AREAS } from "./command.ts";

/** All commands, by area. */
export const ADMIN_COMMANDS: readonly AdminCommand[] = [
  ...CLUSTER_COMMANDS,
  ...BROKER_COMMANDS,
  ...TOPIC_COMMANDS,
  ...TOPIC_CHANGES,
  ...STATS_COMMANDS,
  ...GROUP_COMMANDS,
  ...OFFSET_COMMANDS,
  ...CLIENT_COMMANDS,
  ...MESSAGE_COMMANDS,
  ...READING_COMMANDS,
  ...TRACING_COMMANDS,
  ...SENDING_COMMANDS,
  ...NAMESERVER_COMMANDS,
  ...ACCESS_COMMANDS,
  ...EXPORT_COMMANDS,
]
  .sort((a, b) => AREAS.indexOf(a.area) - AREAS.indexOf(b.area));

/** The command of this name, in capitals or not, as mqadmin finds it. */
export function findAdminCommand(name: string): AdminCommand | undefined {
  const wanted = name.toLowerCase();
  return ADMIN_COMMANDS.find(({ name, aliases = [] }) =>
    [name, ...aliases].some((one) => one.toLowerCase() === wanted)
  );
}
