/**
 * One HTTP connection: one request is read, one answer is written, and the connection ends. Whatever the peer does or
 * does not do, that takes a bounded time and a bounded memory.
 *
 * @module
 */
import { HTTP_HEAD_BYTES_MAX, HTTP_LINGER_BYTES_MAX, HTTP_READ_BYTES, HTTP_WRITE_BYTES } from "../limits.ts";
import { othersTurn } from "../remoting/turn.ts";
import { BadRequest, headEnd, parseHead, type RequestHead } from "./request_head.ts";

/** How long an exchange may take, ms. */
export interface ExchangeTimes {
  /** Until the head of the request is there. */
  readonly headMs: number;
  /** Until the peer has taken the whole answer, from when it was made. */
  readonly answerMs: number;
}

/** Makes the answer to a request. Must not reject. */
export type Answering = (head: RequestHead) => Promise<Response>;

/** Bytes of answers that wait for their peers, over all connections of one server. */
export interface UnsentBytes {
  /** Takes so much on, and says whether that is allowed. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

const encoder = new TextEncoder();
/** How long the peer may take to read an answer before the connection is closed under what it still sends, ms. */
const LINGER_MS = 1_000;

/** A connection, from `run` until it is closed. */
export class Exchange {
  readonly #conn: Deno.TcpConn;
  readonly #times: ExchangeTimes;
  readonly #unsent: UnsentBytes;
  /** What the socket is taking. Before Deno 2.9 it is not given up when the connection is closed. */
  #writing: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(conn: Deno.TcpConn, times: ExchangeTimes, unsent: UnsentBytes) {
    this.#conn = conn;
    this.#times = times;
    this.#unsent = unsent;
  }

  /** Never rejects; the connection is closed, and of no more cost, when this resolves. */
  async run(answer: Answering): Promise<void> {
    try {
      await this.#obey(answer);
    } catch {
      // The peer has gone, or its time is over: there is nobody to tell.
    } finally {
      this.close();
      await this.#writing.catch(() => {});
    }
  }

  async #obey(answer: Answering): Promise<void> {
    let head: RequestHead | undefined, response: Response;
    try {
      head = await this.#within(this.#times.headMs, () => this.#readHead());
      if (head === undefined) return;
      response = await answer(head);
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      response = refusal(error);
    }
    // A peer that is gone takes nothing.
    if (!this.#closed) await this.#send(response, head?.method === "HEAD");
  }

  /** The connection is closed when the time is over, and this rejects. */
  async #within<T>(ms: number, act: () => Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.close();
        reject(new Error("the peer's time is over"));
      }, ms);
    });
    try {
      return await Promise.race([act(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Undefined when the peer says nothing, or not all of it. */
  async #readHead(): Promise<RequestHead | undefined> {
    let bytes = new Uint8Array(HTTP_READ_BYTES), length = 0;
    while (true) {
      const count = await this.#conn.read(bytes.subarray(length));
      if (count === null) return undefined;
      const end = headEnd(bytes.subarray(0, length + count), length);
      if (end !== undefined) return parseHead(bytes.subarray(0, end));
      length += count;
      if (length < bytes.length) continue;
      if (length >= HTTP_HEAD_BYTES_MAX) {
        throw new BadRequest(431, `path and headers have more than ${HTTP_HEAD_BYTES_MAX} bytes`);
      }
      const larger = new Uint8Array(Math.min(2 * length, HTTP_HEAD_BYTES_MAX));
      larger.set(bytes);
      bytes = larger;
    }
  }

  async #send(response: Response, headOnly: boolean): Promise<void> {
    const body: Uint8Array[] = [];
    for await (const piece of response.body ?? []) body.push(piece);
    const length = body.reduce((sum, piece) => sum + piece.length, 0);
    if (!this.#unsent.take(length)) {
      return this.#send(refusal(new BadRequest(503, "too many answers wait to be read")), headOnly);
    }
    try {
      await this.#within(this.#times.answerMs, async () => {
        await this.#write(encoder.encode(headOf(response, length)));
        if (!headOnly) { for (const piece of body) await this.#write(piece); }
        await this.#conn.closeWrite();
      });
    } finally {
      this.#unsent.give(length);
    }
    await this.#within(LINGER_MS, () => this.#linger());
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length && !this.#closed;) {
      // A copy: all of the answer would stay in memory with a piece that is never taken.
      const writing = this.#conn.write(bytes.slice(sent, sent + HTTP_WRITE_BYTES));
      this.#writing = writing;
      sent += await writing;
      if (sent < bytes.length) await othersTurn();
    }
  }

  /** A connection that is closed with bytes unread takes the answer with it, so what comes still is read, some of it. */
  async #linger(): Promise<void> {
    const bytes = new Uint8Array(HTTP_READ_BYTES);
    for (let length = 0; length < HTTP_LINGER_BYTES_MAX;) {
      const count = await this.#conn.read(bytes);
      if (count === null) return;
      length += count;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#conn.close();
    } catch {
      // Closed by what went wrong.
    }
  }
}

function refusal({ status, message }: BadRequest): Response {
  const headers = status === 405 ? { Allow: "GET, HEAD" } : undefined;
  return Response.json({ error: message }, { status, ...(headers && { headers }) });
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  414: "URI Too Long",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

function headOf({ status, headers }: Response, length: number): string {
  const lines = [`HTTP/1.1 ${status} ${REASONS[status] ?? ""}`];
  for (const [name, value] of headers) if (name !== "content-length") lines.push(`${name}: ${value}`);
  lines.push(`content-length: ${length}`, "connection: close");
  return `${lines.join("\r\n")}\r\n\r\n`;
}
