/**
 * A role as a table from request to handler, and what a handler sees and gives.
 *
 * @module
 */
import type { HeaderEncoding } from "../protocol/codes.ts";
import type { AnswerInput, RequestHeader, RequestType } from "../protocol/request.ts";
import type { Connection } from "./connection.ts";

/** What a handler gives: RocketMQ's response code, the reason for people, the header's fields, the body. */
export interface Answer<R = RequestType> {
  readonly code: number;
  readonly remark?: string | undefined;
  readonly header?: AnswerInput<R>;
  /** Copied before `answer` returns. */
  readonly body?: Uint8Array | readonly Uint8Array[];
}

/** One request in hand. */
export interface Incoming<R = RequestType> {
  readonly connection: Connection;
  readonly type: R;
  readonly header: RequestHeader<R>;
  /** A view that is valid until the handler returns or first awaits: copy what is kept. */
  readonly body: Uint8Array;
  readonly opaque: number;
  readonly oneWay: boolean;
  /** `MQVersion` ordinal and language of the sender. */
  readonly version: number;
  readonly language: string;
  readonly encoding: HeaderEncoding;
  /** The fields as text, for what no declaration names (signatures, forwarding). */
  extFields(): Map<string, string>;
  /** Answers, at once or later; a second call does nothing, nor does the answer to a one-way request. */
  answer(answer: Answer<R>): void;
  /** The answer may take long by design (a held pull): it no longer counts as work in hand, and its body is let go. */
  hold(): void;
}

/** Answers at once by its value, later by a promise or `request.answer`, or (undefined) not at all. */
export type Handler<R> = (request: Incoming<R>) => Answer<R> | undefined | Promise<Answer<R> | undefined>;

/** What requests of one kind share: in RocketMQ the queue of their thread pool, here a count and a bound for waiting. */
export interface FlowLimit {
  /** Requests in hand, unanswered; what is held does not count. Kept by the connections. */
  inHand: number;
  /**
   * Why a request must not be obeyed now, as the remark of a SYSTEM_BUSY answer; undefined when it may.
   *
   * @param waitedMs since its bytes were read
   */
  refusal(waitedMs: number, oneWay: boolean): string | undefined;
}

/** Says why a request must not be obeyed; undefined when it may. It runs before the handler, which then sees nothing. */
export type Check = (request: Incoming) => Answer | undefined;

/** A declared request with its handler, the check that comes before, and the limit of its kind if it has one. */
export interface Route {
  readonly type: RequestType;
  readonly handler: Handler<RequestType>;
  readonly check?: Check | undefined;
  readonly limit?: FlowLimit | undefined;
}

/**
 * The requests that a listener obeys.
 *
 * @example
 * ```ts ignore
 * const table = new HandlerTable().on(GetMaxOffset, ({ header }) => ({
 *   code: ResponseCode.SUCCESS,
 *   header: { offset: store.maxOffset(header.topic, header.queueId) },
 * }));
 * ```
 */
export class HandlerTable {
  readonly #routes = new Map<number, Route>();

  /** Adds a handler; a code has one. */
  on<R extends RequestType>(type: R, handler: Handler<R>): this {
    if (this.#routes.has(type.code)) throw new Error(`two handlers for ${type.name}`);
    this.#routes.set(type.code, { type, handler: handler as unknown as Handler<RequestType> });
    return this;
  }

  /** Puts a limit on requests that have a handler. */
  limit(limit: FlowLimit, types: readonly RequestType[]): this {
    for (const { code } of types) {
      const route = this.#routes.get(code);
      if (route !== undefined) this.#routes.set(code, { ...route, limit });
    }
    return this;
  }

  /** Puts a check before requests that have a handler; one that stands there already is asked first. */
  check(check: Check, concerns: (type: RequestType) => boolean): this {
    for (const [code, route] of this.#routes) {
      if (!concerns(route.type)) continue;
      const first = route.check;
      const both: Check = first === undefined ? check : (request) => first(request) ?? check(request);
      this.#routes.set(code, { ...route, check: both });
    }
    return this;
  }

  /** The route of a code, if there is one. */
  get(code: number): Route | undefined {
    return this.#routes.get(code);
  }

  /** A table with the same routes but for some. */
  without(...types: RequestType[]): HandlerTable {
    const table = new HandlerTable();
    for (const [code, route] of this.#routes) {
      if (!types.some((type) => type.code === code)) table.#routes.set(code, route);
    }
    return table;
  }
}
