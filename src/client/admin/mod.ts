/**
 * Administration of a cluster: the table of all commands, and what runs them.
 *
 * @module
 */
export { Admin, type AdminOptions, type AdminRunOptions, type AdminRunResult } from "./admin.ts";
export { type AdminCommand, type Area, AREAS } from "./command.ts";
export { ADMIN_COMMANDS, findAdminCommand } from "./commands.ts";
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
