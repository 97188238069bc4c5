/**
 * What administrators ask of a broker about its clients and their offsets, and what they have cleaned.
 *
 * @module
 */
import type { HandlerTable } from "../remoting/handlers.ts";
import { Cleaning } from "./cleaning.ts";
import { questionHandlers } from "./client_questions.ts";
import { connectionHandlers } from "./connections.ts";
import type { BrokerContext } from "./context.ts";
import { groupOffsetHandlers } from "./group_offsets.ts";
import { resetHandlers } from "./reset_offset.ts";

/** Adds these handlers; what they have going on ends with the `close` of what is returned. */
export function administrationHandlers(table: HandlerTable, broker: BrokerContext): { close(): Promise<void> } {
  connectionHandlers(table, broker);
  questionHandlers(table, broker);
  resetHandlers(table, broker);
  groupOffsetHandlers(table, broker);
  const cleaning = new Cleaning(broker);
  cleaning.handlers(table);
  return cleaning;
}
