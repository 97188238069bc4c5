/**
 * Who may send administrators' requests where nobody signs: this machine, and the addresses that the operator named.
 * RocketMQ 4.9.7 obeys them from anywhere, which CVE-2023-33246 and those after it made use of.
 *
 * @module
 */
import { parseAddresses } from "../../config/addresses.ts";
import { ResponseCode } from "../../protocol/codes.ts";
import type { RequestType } from "../../protocol/request.ts";
import type { HandlerTable } from "../handlers.ts";

/** Whether a request changes, deletes or wipes something in an administrator's name. */
export function isAdministrative({ changes }: RequestType): boolean {
  return changes;
}

/**
 * Puts the check before the administrators' requests of a table whose handlers are all there.
 *
 * @param from sets of addresses, as the setting `adminRequestsFrom` has them
 */
export function guardAdministration(table: HandlerTable, from: readonly string[]): void {
  const sets = from.map((text) => parseAddresses(text) ?? (() => false));
  table.check(({ connection, type }) => {
    if (connection.isLocal || sets.some((contains) => contains(connection.peerIp))) return undefined;
    const remark = `${type.name} is obeyed from this machine only, not from ${connection.peerIp}: ` +
      "the setting adminRequestsFrom lists the addresses that may send it too, and with aclEnable signed requests of admins may";
    return { code: ResponseCode.NO_PERMISSION, remark };
  }, isAdministrative);
}
