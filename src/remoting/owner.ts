/**
 * What a connection has to do with those who made it: whom it tells what, and what it brings of answers.
 *
 * @module
 */
import type { RocketdError } from "../errors.ts";
import type { AnswerHeader, RequestType } from "../protocol/request.ts";
import type { Connection } from "./connection.ts";
import type { HandlerTable } from "./handlers.ts";

/** The answer to a request of ours. `body` is a copy. */
export interface Received<R = RequestType> {
  readonly code: number;
  readonly remark: string | undefined;
  readonly header: Partial<AnswerHeader<R>>;
  readonly body: Uint8Array;
  readonly version: number;
}

/**
 * Gives the fields that go out with a request beside its own: who asks, and the proof of it. `signer` makes one for
 * RocketMQ's accounts; another kind of proof is a function of one's own.
 *
 * @example
 * ```ts
 * import type { Sign } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const sign: Sign = (fields) => new Map([["Tenant", "shop"], ["FieldCount", String(fields.size)]]);
 * assertEquals(sign(new Map([["topic", "orders"]]), []).get("FieldCount"), "1");
 * ```
 */
export type Sign = (fields: ReadonlyMap<string, string>, body: readonly Uint8Array[]) => ReadonlyMap<string, string>;

/** What a connection tells its owner. */
export interface ConnectionOwner {
  readonly handlers: HandlerTable;
  /** Called once, when the connection has gone, whoever ended it. */
  closed(connection: Connection): void;
  /** Called when the peer sent what cannot be a frame, before the connection is closed. */
  malformed?(connection: Connection, error: RocketdError): void;
  /** Called when nothing was read for as long as a request waited in vain; true: it makes no more requests here. */
  silent?(connection: Connection, waitedMs: number): boolean;
  /** Signs each of our requests. */
  readonly sign?: Sign | undefined;
}
