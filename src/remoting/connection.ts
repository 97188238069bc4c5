/**
 * One TCP connection that speaks frames in both directions: either side may ask, either may answer. Servers and
 * clients share it.
 *
 * The way of a request: one read brings many frames; each is decoded in place and handed to its handler; answers
 * gather in one buffer that goes out with one write once the turn's work is done. A peer that does not read is not
 * read from, and when its unsent bytes pass the bound, it is let go.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import {
  READ_BUFFER_BYTES,
  READ_BUFFER_BYTES_BUSY,
  REMARK_LENGTH_MAX,
  REQUEST_BYTES_AT_ONCE,
  REQUESTS_IN_HAND_MAX,
  UNSENT_BYTES_HIGH,
  UNSENT_BYTES_MAX,
} from "../limits.ts";
import { ByteWriter } from "../protocol/byte_writer.ts";
import { Flag, type HeaderEncoding, OUR_VERSION, ResponseCode } from "../protocol/codes.ts";
import { encodeFrame } from "../protocol/encode_frame.ts";
import { encodeHost, parseIp } from "../protocol/host.ts";
import type { InputOf } from "../protocol/fields.ts";
import { decodeFrame, type Frame, frameLength, isAnswer } from "../protocol/frame.ts";
import type { RequestInput, RequestType } from "../protocol/request.ts";
import { requestCodeName } from "../protocol/request_codes.ts";
import type { Answer, Incoming } from "./handlers.ts";
import { IncomingRequest } from "./incoming.ts";
import { peerOf, type Wire } from "./listener.ts";
import { OwnRequests } from "./own_requests.ts";
import type { ConnectionOwner, Received } from "./owner.ts";
import { turnBegan } from "./turn.ts";

export type { Received } from "./owner.ts";

const log = getLogger(["rocketd", "remoting"]);

let connections = 0;
const nothing: readonly Uint8Array[] = [];
/** The remark for requests that come while the node stops. */
export const STOPPING = "service not available now. This node is stopping";

/** A connection; made by a server or a client, which then calls {@linkcode Connection.run}. */
export class Connection {
  readonly id = ++connections;
  /** The peer as `ip:port`. */
  readonly peer: string;
  readonly peerIp: string;
  readonly peerPort: number;
  /** The peer as a message's host: address bytes, then the port in 4 bytes. */
  readonly peerHost: Uint8Array;
  /** Whether the peer is on this machine. */
  readonly isLocal: boolean;
  /** Time of the last read or finished write, ms. */
  lastActivity = Date.now();
  /** Time of the last read, by a clock that nobody sets. */
  lastRead = performance.now();
  readonly #conn: Wire;
  readonly #owner: ConnectionOwner;
  #out = new ByteWriter();
  #sending = new ByteWriter();
  #flushScheduled = false;
  #writing = false;
  #written: Promise<void> = Promise.resolve();
  #inHand = 0;
  /** How long what is obeyed now has waited since its bytes were read, ms; looked at once per read. */
  #waited = 0;
  #closed = false;
  #draining = false;
  readonly #own: OwnRequests;
  #drained: (() => void)[] = [];
  #closeListeners: (() => void)[] = [];

  constructor(conn: Wire, owner: ConnectionOwner, readonly encoding: HeaderEncoding) {
    this.#conn = conn;
    this.#owner = owner;
    const { ip, port, text, isLocal } = peerOf(conn);
    this.peerIp = ip;
    this.peerPort = port;
    this.peerHost = encodeHost(parseIp(ip) ?? new Uint8Array(4), port);
    this.peer = text;
    this.isLocal = isLocal;
    this.#own = new OwnRequests(this);
  }

  /** Whether so much is unsent that new answers had better wait for {@linkcode whenDrained}. */
  get congested(): boolean {
    // Nothing waits for a connection that has gone.
    return !this.#closed && this.#unsent > UNSENT_BYTES_HIGH;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get #unsent(): number {
    return this.#out.length + this.#sending.length;
  }

  /** Calls back once when the unsent bytes have gone down, or the connection has closed. */
  whenDrained(callback: () => void): void {
    this.#drained.push(callback);
    if (!this.congested || this.#closed) this.#wakeDrained();
  }

  /** Calls back once when the connection has closed. */
  onClose(callback: () => void): void {
    if (this.#closed) callback();
    else this.#closeListeners.push(callback);
  }

  /** Reads and obeys frames until either side closes. Never throws. */
  async run(): Promise<void> {
    try {
      await this.#readLoop();
    } catch (error) {
      if (error instanceof RocketdError && error.code === "malformed") {
        if (this.#owner.malformed) this.#owner.malformed(this, error);
        else log.warn("closing {peer}: {reason}", { peer: this.peer, reason: error.message });
      } else if (!this.#closed) {
        log.debug("connection {peer} broke: {reason}", { peer: this.peer, reason: messageOf(error) });
      }
    } finally {
      this.close();
    }
  }

  async #readLoop(): Promise<void> {
    let bytes = new Uint8Array(READ_BUFFER_BYTES), view = new DataView(bytes.buffer);
    let start = 0, end = 0;
    while (!this.#closed) {
      const count = await this.#conn.read(end === 0 ? bytes : bytes.subarray(end));
      if (count === null) return;
      end += count;
      this.lastRead = performance.now();
      const readAt = turnBegan(this.lastActivity = Date.now());
      this.#waited = this.lastActivity - readAt;
      let length = frameLength(view, start, end);
      while (length !== undefined && start + length <= end) {
        const frame = decodeFrame(bytes, view, start, length);
        // Answers to us are always read: else both sides might wait for each other to read.
        const mustWait = this.congested || this.#inHand >= REQUESTS_IN_HAND_MAX;
        if (mustWait && !isAnswer(frame)) await this.#untilCalm(readAt);
        if (this.#closed) return;
        this.#obey(frame);
        start += length;
        length = frameLength(view, start, end);
      }
      const needed = Math.max(
        length ?? 0,
        end < bytes.length ? 0 : Math.min(bytes.length * 2, READ_BUFFER_BYTES_BUSY),
        READ_BUFFER_BYTES,
      );
      // Room for one whole frame; a buffer that one great frame needed is given back after it.
      const tooLarge = bytes.length > READ_BUFFER_BYTES_BUSY && needed <= READ_BUFFER_BYTES_BUSY;
      if (needed > bytes.length || tooLarge) {
        const next = new Uint8Array(Math.max(needed, end - start));
        next.set(bytes.subarray(start, end));
        bytes = next;
        view = new DataView(bytes.buffer);
        end -= start;
        start = 0;
      } else if (start === end) {
        start = end = 0;
      } else if (start > 0) {
        bytes.copyWithin(0, start, end);
        end -= start;
        start = 0;
      }
    }
  }

  async #untilCalm(readAt: number): Promise<void> {
    const { congested } = this;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
    // A peer that did not read its answers has waited for itself.
    if (!congested) this.#waited = Date.now() - readAt;
  }

  #obey(frame: Frame): void {
    if (isAnswer(frame)) return this.#own.answered(frame);
    const { header } = frame;
    // Clients turn to another node at once, where they would wait for an answer that never comes.
    if (this.#draining) return this.#refuse(frame, ResponseCode.SERVICE_NOT_AVAILABLE, STOPPING);
    const route = this.#owner.handlers.get(header.code);
    if (route === undefined) {
      const remark = ` request type ${requestCodeName(header.code)} not supported`;
      return this.#refuse(frame, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark);
    }
    const oneWay = (header.flag & Flag.ONE_WAY) !== 0;
    const { type, limit } = route;
    const busy = limit?.refusal(this.#waited, oneWay);
    if (busy !== undefined) return this.#refuse(frame, ResponseCode.SYSTEM_BUSY, busy);
    this.#inHand++;
    let request: IncomingRequest;
    try {
      request = new IncomingRequest(this, type, frame, header.fields.read(type.request), oneWay, limit);
    } catch (error) {
      this.finished();
      return this.#refuse(frame, ResponseCode.SYSTEM_ERROR, `${type.name}: ${messageOf(error)}`);
    }
    try {
      const result = route.check?.(request as Incoming) ?? route.handler(request as Incoming);
      if (result instanceof Promise) {
        result.then((answer) => answer && request.answer(answer), (error) => request.fail(error));
      } else if (result !== undefined) return request.answer(result);
      else if (oneWay) return request.hold();
      request.letGo();
    } catch (error) {
      request.fail(error);
    }
  }

  /** Answers a request that no handler sees. */
  #refuse({ encoding, header }: Frame, code: number, remark: string): void {
    if ((header.flag & Flag.ONE_WAY) === 0) this.sendAnswer(encoding, header.opaque, undefined, { code, remark });
  }

  /** For IncomingRequest: one request less in hand. */
  finished(): void {
    this.#inHand--;
    if (this.#drained.length > 0 && !this.congested) this.#wakeDrained();
  }

  /** For IncomingRequest: writes an answer frame. */
  sendAnswer(encoding: HeaderEncoding, opaque: number, type: RequestType | undefined, answer: Answer): void {
    const { code, header: values, body } = answer;
    const remark = answer.remark?.slice(0, REMARK_LENGTH_MAX);
    const parts = { code, version: OUR_VERSION, opaque, flag: Flag.ANSWER, remark, table: type?.answer, values };
    this.#send(encoding, parts, body === undefined ? nothing : body instanceof Uint8Array ? [body] : body);
  }

  #send(encoding: HeaderEncoding, header: Parameters<typeof encodeFrame>[2], body: readonly Uint8Array[]): void {
    if (this.#closed) return;
    const { length } = this.#out;
    try {
      encodeFrame(this.#out, encoding, header, body);
    } catch (error) {
      // Half a frame would spoil those that follow it.
      this.#out.length = length;
      throw error;
    }
    if (this.#unsent > UNSENT_BYTES_MAX) {
      log.warn("closing {peer}: it does not read, {bytes} bytes are unsent", { peer: this.peer, bytes: this.#unsent });
      return this.close();
    }
    if (!this.#flushScheduled && !this.#writing) {
      this.#flushScheduled = true;
      queueMicrotask(this.#flushNow);
    }
  }

  readonly #flushNow = (): void => {
    this.#flushScheduled = false;
    if (!this.#writing) this.#written = this.#flush();
  };

  async #flush(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#out.length > 0 && !this.#closed) {
        [this.#out, this.#sending] = [this.#sending, this.#out];
        const bytes = this.#sending.written();
        let sent = await this.#conn.write(bytes);
        while (sent < bytes.length) sent += await this.#conn.write(bytes.subarray(sent));
        this.#sending.reset();
        this.lastActivity = Date.now();
        if (this.#unsent > UNSENT_BYTES_HIGH / 2) continue;
        if (this.#drained.length > 0) this.#wakeDrained();
        this.#own.letIn();
      }
    } catch (error) {
      log.debug("cannot write to {peer}: {reason}", { peer: this.peer, reason: messageOf(error) });
      this.close();
    } finally {
      this.#writing = false;
    }
  }

  #wakeDrained(): void {
    const waiting = this.#drained;
    this.#drained = [];
    this.#call(waiting);
  }

  /** Calls those that waited; one that throws keeps nobody else from being called. */
  #call(waiting: readonly (() => void)[]): void {
    for (const callback of waiting) {
      try {
        callback();
      } catch (error) {
        log.error("what waited for {peer} failed: {error}", { peer: this.peer, error });
      }
    }
  }

  /** Asks the peer and waits for its answer; where it reads slowly, for room first. Rejects with `timeout`, `unavailable`. */
  request<R extends RequestType>(
    type: R,
    header: RequestInput<R>,
    body: readonly Uint8Array[] | undefined,
    timeoutMs: number,
  ): Promise<Received<R>> {
    return this.#own.ask(type, header, body, timeoutMs);
  }

  /** Tells the peer something that it does not answer, at once. */
  notify<R extends RequestType>(type: R, header: RequestInput<R>, body?: readonly Uint8Array[]): void {
    this.#own.notify(type, header, body);
  }

  /** The same as soon as there is room; resolves when it is on its way. Rejects with `timeout`, `unavailable`. */
  tell<R extends RequestType>(
    type: R,
    header: RequestInput<R>,
    body: readonly Uint8Array[] | undefined,
    timeoutMs: number,
  ): Promise<void> {
    return this.#own.tell(type, header, body, timeoutMs);
  }

  /** For OwnRequests: says whether the owner leaves this connection, which closes once nobody waits on it. */
  silent(waitedMs: number): boolean {
    return this.#owner.silent?.(this, waitedMs) ?? false;
  }

  /** For OwnRequests: writes a request frame. */
  write(
    type: RequestType,
    values: RequestInput<RequestType>,
    body: readonly Uint8Array[] = nothing,
    opaque: number,
    flag: number,
  ): void {
    const table = type.request, fields = values as InputOf<RequestType["request"]["fields"]>;
    const extra = this.#owner.sign?.(new Map(Object.entries(table.texts(fields))), body);
    this.#send(
      this.encoding,
      { code: type.code, version: OUR_VERSION, opaque, flag, table, values: fields, extra },
      body,
    );
    // The peer works on these while we make the next ones.
    if (this.#out.length >= REQUEST_BYTES_AT_ONCE && !this.#writing) this.#flushNow();
  }

  /**
   * Resolves when no write is under way. Before Deno 2.9 closing a socket does not end a write that waits for a peer who
   * does not read: socket and bytes stay until that peer goes.
   */
  get written(): Promise<void> {
    return this.#written;
  }

  /** Resolves when everything written so far has gone to the socket, the connection has closed, or the time is over. */
  async flushed(timeoutMs = Infinity): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (!this.#closed && (this.#unsent > 0 || this.#writing) && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /**
   * Refuses further requests; resolves when those in hand are answered and sent, and ours too are answered, or the
   * connection has closed.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    while (!this.#closed && (this.#inHand > 0 || this.#own.size > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await this.flushed();
  }

  /** Ends the connection; requests in hand lose their answers, our own fail as `unavailable`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#conn.close();
    } catch {
      // The peer was faster.
    }
    this.#own.close();
    this.#wakeDrained();
    this.#call(this.#closeListeners.splice(0));
    this.#owner.closed(this);
  }
}
