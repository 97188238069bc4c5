/**
 * Administration of a cluster: the table of all commands, and what runs them.
 *
 * @module
 */
import { TOPIC_COMMANDS } from "./commands/topics.ts";
import { type AdminCommand, AREAS } from "./command.ts";

export { Admin, type AdminOptions } from "./admin.ts";
export { type AdminCommand, type Area, AREAS } from "./command.ts";
export { NOW, type Option, type Options, readValues, type Values } from "./options.ts";
export {
  type AdminResult,
  type Cell,
  type Column,
  type Failure,
  isoTime,
  type Kind,
  type Part,
  resultData,
} from "./result.ts";

/** All commands, by area. */
export const ADMIN_COMMANDS: readonly AdminCommand[] = [...TOPIC_COMMANDS]
  .sort((a, b) => AREAS.indexOf(a.area) - AREAS.indexOf(b.area));

/** The command of this name, in capitals or not, as mqadmin finds it. */
export function findAdminCommand(name: string): AdminCommand | undefined {
  return ADMIN_COMMANDS.find((command) => command.name.toLowerCase() === name.toLowerCase());
}
