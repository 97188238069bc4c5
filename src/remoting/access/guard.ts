/**
 * Asks of each request whether its sender may make it: by the accounts of RocketMQ's access control, or, without it, by
 * where administrators' requests come from. Follows PlainPermissionManager.validate of RocketMQ 4.9.7, and closes what it
 * leaves open: all that changes things needs an admin.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { shortened } from "../../errors.ts";
import { LineBudget } from "../../logging/line_budget.ts";
import { GetBrokerClusterAclConfig } from "../../protocol/admin_requests.ts";
import { ResponseCode } from "../../protocol/codes.ts";
import { isRetryTopic, RETRY_PREFIX, SystemTopic } from "../../protocol/names.ts";
import type { RequestType } from "../../protocol/request.ts";
import type { Connection } from "../connection.ts";
import type { Answer, Check, HandlerTable, Incoming } from "../handlers.ts";
import type { AccountBook, Accounts } from "./accounts.ts";
import type { Account } from "./acl_file.ts";
import { guardAdministration, isAdministrative } from "./administration.ts";
import { Grant, type Need, needsOf } from "./permissions.ts";
import { AccessField, isSigned } from "./signature.ts";

const log = getLogger(["rocketd", "access"]);

/** Refusals are told in the log so often, and no more often. */
const LINES_MAX = 10;
const LINES_EVERY_MS = 60_000;

/** Whom to obey. */
export interface GuardOptions {
  /** None without `aclEnable`. */
  readonly accounts: Pick<Accounts, "book"> | undefined;
  readonly adminRequestsFrom: readonly string[];
  /** Which requests need an account, where there are accounts. */
  readonly concerns: (type: RequestType) => boolean;
}

/** Puts the check before the requests of a table whose handlers are all there. */
export function guard(table: HandlerTable, { accounts, adminRequestsFrom, concerns }: GuardOptions): void {
  if (accounts === undefined) return guardAdministration(table, adminRequestsFrom);
  if (adminRequestsFrom.length > 0) log.warn("adminRequestsFrom has no effect with aclEnable: admins sign instead");
  table.check(accessCheck(accounts), concerns);
}

/** The check of a node with accounts. A refusal has RocketMQ's code and words. */
export function accessCheck(accounts: Pick<Accounts, "book">): Check {
  const whiteIn = new WeakMap<Connection, AccountBook>();
  const isWhite = (connection: Connection, book: AccountBook) => {
    if (whiteIn.get(connection) === book) return true;
    const found = isWhiteForAll(connection, book);
    if (found) whiteIn.set(connection, book);
    return found;
  };
  return (request) => {
    const { book } = accounts;
    if (isWhite(request.connection, book)) return undefined;
    const reason = refusal(request, book);
    return reason === undefined ? undefined : accessRefusal(request, reason);
  };
}

/** Says why the sender of a request may not do something; undefined when it may. */
export type Permit = (need: Need) => string | undefined;

/** What a request's sender may do, for handlers that learn on their way what is needed; undefined: all. */
export type PermitOf = (request: Incoming) => Permit | undefined;

/** Without accounts everybody may do all. */
export const ALL_PERMITTED: PermitOf = () => undefined;

/**
 * Permissions of the accounts whose requests {@linkcode accessCheck} let pass: for requests that name a message by its
 * place, where only the store tells its topic. RocketMQ asks for none there. Admins have them all.
 */
export function permitsOf(accounts: Pick<Accounts, "book"> | undefined): PermitOf {
  if (accounts === undefined) return ALL_PERMITTED;
  return (request) => {
    const { book } = accounts;
    const { connection } = request;
    const account = book.byKey.get(request.extFields().get(AccessField.ACCESS_KEY) ?? "");
    if (isWhiteForAll(connection, book) || account?.isWhite(connection.peerIp) || account?.admin) return undefined;
    return (need) => account !== undefined && isGranted(account, need) ? undefined : lacking(need);
  };
}

function isWhiteForAll({ peerIp }: Connection, { white }: AccountBook): boolean {
  return white.some((contains) => contains(peerIp));
}

const lines = new LineBudget(LINES_MAX, LINES_EVERY_MS);

/** The answer to a request whose sender may not make it, in RocketMQ's form; some of them are told in the log. */
export function accessRefusal(request: Pick<Incoming, "type" | "connection">, reason: string): Answer {
  const { type: { name }, connection: { peer } } = request;
  const more = lines.spend(Date.now());
  if (more !== undefined) log.warn("{name} of {peer} is refused: {reason}{more}", { name, peer, reason, more });
  return { code: ResponseCode.SYSTEM_ERROR, remark: `org.apache.rocketmq.acl.common.AclException: ${reason}` };
}

function refusal(request: Incoming, { byKey }: AccountBook): string | undefined {
  const { type, body, connection } = request;
  const fields = request.extFields();
  const accessKey = fields.get(AccessField.ACCESS_KEY);
  if (accessKey === undefined) return "No accessKey is configured";
  const account = byKey.get(accessKey);
  if (account === undefined) return `No acl config for ${shortened(accessKey)}`;
  const white = account.isWhite(connection.peerIp);
  if (!white && !isSigned(fields, body, account.key)) return `Check signature failed for accessKey=${accessKey}`;
  if (needsAdmin(type) && !account.admin) {
    return `Need admin permission for request code=${type.code}, but accessKey=${accessKey} is not`;
  }
  if (white || (account.admin && account.grants.size === 0)) return undefined;
  const needs = needsOf(request);
  if (needs.some(([topic, needed]) => topic === SystemTopic.TRACE && needed === Grant.PUB)) return undefined;
  const missing = needs.find((need) => !isGranted(account, need));
  return missing === undefined ? undefined : lacking(missing);
}

function lacking([resource]: Need): string {
  const named = isRetryTopic(resource) ? `group:${resource.slice(RETRY_PREFIX.length)}` : `topic:${resource}`;
  return `No default permission for ${named}`;
}

/** The configuration of accounts is shown to admins only; without their secrets even so. */
function needsAdmin(type: RequestType): boolean {
  return isAdministrative(type) || type.code === GetBrokerClusterAclConfig.code;
}

function isGranted({ grants, groupsByDefault, topicsByDefault }: Account, [resource, needed]: Need): boolean {
  const byDefault = isRetryTopic(resource) ? groupsByDefault : topicsByDefault;
  return ((grants.get(resource) ?? byDefault) & needed) !== 0;
}
