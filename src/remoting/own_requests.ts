/**
 * What one side of a connection asks of the other: requests that wait for their answers and, where the other side reads
 * slowly, those that wait for room to be sent, in their order.
 *
 * @module
 */
import { messageOf, RocketdError } from "../errors.ts";
import { REQUESTS_PENDING_MAX } from "../limits.ts";
import { Flag } from "../protocol/codes.ts";
import type { Frame } from "../protocol/frame.ts";
import type { RequestInput, RequestType } from "../protocol/request.ts";
import { Deadlines } from "./deadlines.ts";
import type { Received } from "./owner.ts";

interface Pending {
  readonly type: RequestType;
  readonly resolve: (received: Received) => void;
  readonly reject: (error: unknown) => void;
  readonly timeoutMs: number;
  /** When its time is over, of `performance.now()`. */
  readonly deadline: number;
}

const NO_BODY = new Uint8Array(0);

/** A connection as its own requests see it. */
export interface Line {
  readonly peer: string;
  readonly isClosed: boolean;
  /** Whether so much is unsent that more had better wait. */
  readonly congested: boolean;
  /** When something was read last (`performance.now()`). */
  readonly lastRead: number;
  /** Nothing has come for as long as a request has waited: true when the line is used no more for new ones. */
  silent(waitedMs: number): boolean;
  close(): void;
  /** Writes a request. */
  write(
    type: RequestType,
    header: RequestInput<RequestType>,
    body: readonly Uint8Array[] | undefined,
    opaque: number,
    flag: number,
  ): void;
}

/** The requests of one connection. */
export class OwnRequests {
  readonly #line: Line;
  readonly #pending = new Map<number, Pending>();
  /** Sends what waits for room, by opaque; its time runs already. */
  readonly #waiting = new Map<number, () => void>();
  readonly #deadlines = new Deadlines((now) => this.#endAllBefore(now));
  #opaque = 0;
  #isLeft = false;

  constructor(line: Line) {
    this.#line = line;
  }

  /** Requests that nobody answered yet. */
  get size(): number {
    return this.#pending.size;
  }

  /** Asks and waits for the answer. Rejects with `timeout`, `unavailable`. */
  ask<R extends RequestType>(
    type: R,
    header: RequestInput<R>,
    body: readonly Uint8Array[] | undefined,
    timeoutMs: number,
  ): Promise<Received<R>> {
    return new Promise((resolve, reject) => {
      const opaque = this.#begin(type, resolve as (received: Received) => void, reject, timeoutMs);
      if (opaque === undefined) return;
      if (this.#mustWait) this.#waiting.set(opaque, () => this.#write(type, header, body, opaque, 0));
      else this.#write(type, header, body, opaque, 0);
    });
  }

  /** Tells what needs no answer as soon as there is room. Rejects with `timeout`, `unavailable`: it is not sent then. */
  async tell<R extends RequestType>(
    type: R,
    header: RequestInput<R>,
    body: readonly Uint8Array[] | undefined,
    timeoutMs: number,
  ): Promise<void> {
    if (!this.#mustWait && !this.#line.isClosed) return this.notify(type, header, body);
    await new Promise<unknown>((resolve, reject) => {
      const opaque = this.#begin(type, resolve, reject, timeoutMs);
      if (opaque === undefined) return;
      this.#waiting.set(opaque, () => {
        this.#write(type, header, body, opaque, Flag.ONE_WAY);
        if (this.#end(opaque) !== undefined) resolve(undefined);
      });
    });
  }

  /** Tells at once, whoever waits for room. */
  notify<R extends RequestType>(type: R, header: RequestInput<R>, body?: readonly Uint8Array[]): void {
    this.#line.write(type, header, body, this.#nextOpaque(), Flag.ONE_WAY);
  }

  /** Sends what waits, as long as there is room. */
  letIn(): void {
    for (const [opaque, send] of this.#waiting) {
      if (this.#line.congested) return;
      this.#waiting.delete(opaque);
      send();
    }
  }

  /** Hands an answer to who waits for it; nobody may. */
  answered({ header, body }: Frame): void {
    const pending = this.#end(header.opaque);
    if (pending === undefined) return; // Late: its timeout has passed.
    try {
      pending.resolve({
        code: header.code,
        remark: header.remark,
        header: header.fields.readLoosely(pending.type.answer),
        body: body.length === 0 ? NO_BODY : body.slice(),
        version: header.version,
      });
    } catch (error) {
      const reason = `${this.#line.peer} answered ${pending.type.name} badly: ${messageOf(error)}`;
      pending.reject(new RocketdError("malformed", reason));
    }
  }

  /** The connection has gone: all fail as `unavailable`. */
  close(): void {
    const { peer } = this.#line;
    this.#deadlines.stop();
    for (const [opaque, { reject, type }] of this.#pending) {
      const reason = this.#waiting.has(opaque)
        ? `Cannot send ${type.name} to ${peer}: the connection closed before there was room for it`
        : `${peer} closed the connection before it answered ${type.name}`;
      reject(new RocketdError("unavailable", reason));
    }
    this.#pending.clear();
    this.#waiting.clear();
  }

  get #mustWait(): boolean {
    return this.#waiting.size > 0 || this.#line.congested;
  }

  #nextOpaque(): number {
    return this.#opaque = (this.#opaque + 1) & 0x7fff_ffff;
  }

  /** Notes a request; undefined for one that cannot be made. */
  #begin(
    type: RequestType,
    resolve: (received: Received) => void,
    reject: (error: unknown) => void,
    timeoutMs: number,
  ): number | undefined {
    const { isClosed, peer } = this.#line;
    if (isClosed || this.#pending.size >= REQUESTS_PENDING_MAX) {
      const reason = isClosed ? "it is closed" : `${REQUESTS_PENDING_MAX} requests wait for an answer`;
      reject(new RocketdError("unavailable", `Cannot send ${type.name} to ${peer}: ${reason}`));
      return undefined;
    }
    const opaque = this.#nextOpaque();
    const now = performance.now(), deadline = now + timeoutMs;
    this.#pending.set(opaque, { type, resolve, reject, timeoutMs, deadline });
    this.#deadlines.add(deadline, now);
    return opaque;
  }

  #write<R extends RequestType>(
    type: R,
    header: RequestInput<R>,
    body: readonly Uint8Array[] | undefined,
    opaque: number,
    flag: number,
  ): void {
    try {
      this.#line.write(type, header, body, opaque, flag);
    } catch (error) {
      this.#end(opaque)?.reject(error);
    }
  }

  #end(opaque: number): Pending | undefined {
    const pending = this.#pending.get(opaque);
    if (pending !== undefined) this.#pending.delete(opaque);
    if (this.#isLeft && this.#pending.size === 0) this.#line.close();
    return pending;
  }

  #endAllBefore(now: number): number {
    let next = Infinity;
    for (const [opaque, { deadline, timeoutMs }] of this.#pending) {
      if (deadline <= now) this.#timeOut(opaque, timeoutMs, deadline - timeoutMs);
      else if (deadline < next) next = deadline;
    }
    return next;
  }

  #timeOut(opaque: number, ms: number, began: number): void {
    const { type, reject } = this.#end(opaque)!;
    const { peer } = this.#line;
    const late = this.#waiting.delete(opaque)
      ? `Cannot send ${type.name} to ${peer}: within ${ms} ms it did not read what was sent before`
      : `${peer} did not answer ${type.name} within ${ms} ms`;
    reject(new RocketdError("timeout", late));
    if (this.#isLeft || this.#line.lastRead > began || !this.#line.silent(ms)) return;
    this.#isLeft = true;
    // What was not sent may go another way at once.
    for (const unsent of this.#waiting.keys()) {
      const { type, reject } = this.#end(unsent)!;
      const reason = `Cannot send ${type.name} to ${peer}: nothing comes from there any more`;
      reject(new RocketdError("unavailable", reason));
    }
    this.#waiting.clear();
    if (this.#pending.size === 0) this.#line.close();
  }
}
