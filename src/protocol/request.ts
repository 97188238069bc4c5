/**
 * What a declared request is: a code, a name, the fields of the request and of its answer.
 *
 * @module
 */
import { type Fields, FieldTable, type InputOf, type ValuesOf } from "./fields.ts";
import { RequestCode } from "./request_codes.ts";

/** A request declared once; see requests.ts and admin_requests.ts for the tables. */
export interface RequestType<F extends Fields = Fields, A extends Fields = Fields> {
  readonly code: number;
  readonly name: string;
  readonly request: FieldTable<F>;
  readonly answer: FieldTable<A>;
  /**
   * An administrator's: it changes, deletes or wipes, and only those may send it who are allowed to. What clients,
   * brokers, slaves and consoles live on is none.
   */
  readonly changes: boolean;
}

/** The decoded header of a request. */
export type RequestHeader<R> = R extends RequestType<infer F, Fields> ? ValuesOf<F> : never;
/** What a caller gives for the header of a request. */
export type RequestInput<R> = R extends RequestType<infer F, Fields> ? InputOf<F> : never;
/** The decoded header of an answer. */
export type AnswerHeader<R> = R extends RequestType<Fields, infer A> ? ValuesOf<A> : never;
/** What a handler gives for the header of an answer. */
export type AnswerInput<R> = R extends RequestType<Fields, infer A> ? InputOf<A> : never;

/** Declares a request: its code's name, the fields asked, the fields answered, whether it is for administrators. */
export function request<F extends Fields, A extends Fields>(
  name: keyof typeof RequestCode,
  fields: F,
  answer: A,
  { changes = false }: { readonly changes?: boolean } = {},
): RequestType<F, A> {
  return { code: RequestCode[name], name, request: new FieldTable(fields), answer: new FieldTable(answer), changes };
}
