/**
 * What a command of administrators is: a table entry from which running, help, completion, the README and the JSON API
 * all come.
 *
 * @module
 */
import type { Admin } from "./admin.ts";
import type { Options, Values } from "./options.ts";
import type { AdminResult } from "./result.ts";

/** What a command is about, in the order of the help. */
export const AREAS = ["cluster", "topics", "groups", "clients", "messages", "nameserver", "access", "export"] as const;
export type Area = typeof AREAS[number];

/** A command such as `rocketd admin topicList`; names and letters are mqadmin's. */
export interface AdminCommand<O extends Options = Options> {
  readonly name: string;
  /** Other names that mqadmin takes. */
  readonly aliases?: readonly string[];
  readonly area: Area;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly options: O;
  /** Paragraphs below the options in the help. */
  readonly notes?: readonly string[];
  /** It changes, sends or deletes; what only reads can be offered to anybody. */
  readonly changes: boolean;
  /** Its result is a document, which mqadmin writes to a file of this name. */
  readonly exports?: string;
  /** It repeats itself well: people watch what it shows. */
  readonly watched?: boolean;
  /** The question before something is lost; a command without it, or without an answer, does not ask. */
  asks?(values: Values<O>): string | undefined;
  /** Does it. Throws `RocketdError` when nothing came of it; `invalidArgument` where options do not fit together. */
  run(admin: Admin, values: Values<O>): Promise<AdminResult>;
}

/** Declares a command that only reads. */
export function reads<O extends Options>(command: Omit<AdminCommand<O>, "changes" | "asks">): AdminCommand {
  return { ...command, changes: false } as AdminCommand;
}

/** Declares a command that changes something. */
export function changes<O extends Options>(command: Omit<AdminCommand<O>, "changes">): AdminCommand {
  return { ...command, changes: true } as AdminCommand;
}
