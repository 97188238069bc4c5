/**
 * The HTTP listener. Deno's own server speaks HTTP, on a loopback port that only this process gets answers from; before
 * it stands a listener that bounds what Deno's does not: the connections, the time that one may take, and the bytes that
 * wait for peers.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import {
  HTTP_ANSWER_MS,
  HTTP_CONNECTIONS_MAX,
  HTTP_PIECE_BYTES,
  HTTP_REQUEST_MS,
  HTTP_UNSENT_BYTES_MAX,
} from "../limits.ts";
import { LineBudget } from "../logging/line_budget.ts";
import { logger } from "../logging/mod.ts";
import { acceptAll, type ListenAddress, listenOn, type Peer, peerOf } from "../remoting/listener.ts";
import { Guest } from "./guest.ts";

const log = logger("http");

/** Lines about refused connections and failures, in this time, ms. */
const LINES_MAX = 5, LINES_EVERY_MS = 10_000;

/** How long a connection may take, ms. */
export interface HttpTimes {
  /** Until its first request is there. */
  readonly requestMs: number;
  /** From a request until the peer has taken the answer and sent the next request. */
  readonly answerMs: number;
}

/** What a server listens on and answers with. */
export interface HttpServerOptions extends ListenAddress {
  /** Answers a request, as hono's `fetch`. */
  readonly fetch: (request: Request, peer: Peer) => Response | Promise<Response>;
  /** For tests; without it what src/limits.ts says. */
  readonly times?: HttpTimes;
  readonly connectionsMax?: number;
}

const TIMES: HttpTimes = { requestMs: HTTP_REQUEST_MS, answerMs: HTTP_ANSWER_MS };

/** Serves from when it is made until `close`. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #times: HttpTimes;
  readonly #listener: Deno.TcpListener;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  readonly #accepting: Promise<void>;
  readonly #guests = new Set<Guest>();
  /** By the port from which Deno's server sees them. */
  readonly #byPort = new Map<number, Guest>();
  readonly #lines = new LineBudget(LINES_MAX, LINES_EVERY_MS);

  /** Throws `inUse`, naming httpListen, when the port is taken. */
  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#times = options.times ?? TIMES;
    this.#listener = listenOn(options, "httpListen");
    this.#http = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {}, onError: (error) => this.#failed(error) },
      (request, { remoteAddr }) => this.#answer(request, remoteAddr.port),
    );
    this.#accepting = acceptAll(this.#listener, log, (conn) => this.#take(conn));
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#guests.size;
  }

  /** Bytes of answers that may not have gone out yet: the last one of each open connection. */
  get unsentBytes(): number {
    return [...this.#guests].reduce((sum, { unsent }) => sum + unsent, 0);
  }

  #take(conn: Deno.TcpConn): void {
    const { connectionsMax = HTTP_CONNECTIONS_MAX } = this.#options;
    if (this.#guests.size >= connectionsMax) {
      conn.close();
      this.#warn("refusing connections: {max} are open", { max: connectionsMax });
      return;
    }
    const guest = new Guest(conn, peerOf(conn), this.#times.requestMs);
    this.#guests.add(guest);
    let from: number | undefined;
    guest.carry(this.#http.addr.port, (port) => this.#byPort.set(from = port, guest)).finally(() => {
      this.#guests.delete(guest);
      if (from !== undefined && this.#byPort.get(from) === guest) this.#byPort.delete(from);
    });
  }

  async #answer(request: Request, from: number): Promise<Response> {
    const guest = this.#byPort.get(from);
    if (guest === undefined) return refusal(403, "this port is not for you: see the setting httpListen");
    guest.timeFrom(this.#times.answerMs);
    let response: Response;
    try {
      response = await this.#options.fetch(request, guest.peer);
    } catch (error) {
      response = this.#failed(error);
    }
    if (response.body === null) return response;
    // As they are: several peers may get the same.
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body) pieces.push(piece);
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    // What it was answered before, the peer has taken.
    guest.unsent = 0;
    const waiting = this.unsentBytes;
    // One answer alone may be as long as it is.
    if (waiting > 0 && waiting + length > HTTP_UNSENT_BYTES_MAX) {
      return refusal(503, "too much waits for peers that do not read");
    }
    guest.unsent = length;
    const headers = new Headers(response.headers);
    headers.set("content-length", String(length));
    return new Response(ReadableStream.from(cut(pieces)), { status: response.status, headers });
  }

  #failed(error: unknown): Response {
    this.#warn("cannot answer a request: {reason}", { reason: messageOf(error) });
    return refusal(500, "this request cannot be answered: see the node's log");
  }

  #warn(message: string, values: Record<string, unknown>): void {
    const more = this.#lines.spend(Date.now());
    if (more !== undefined) log.warn(`${message}{more}`, { ...values, more });
  }

  /** Takes no more connections and ends those that are open. */
  async close(): Promise<void> {
    try {
      this.#listener.close();
    } catch {
      // Already closed.
    }
    await this.#accepting;
    for (const guest of this.#guests) guest.end();
    await this.#http.shutdown();
  }
}

/** Small pieces: each may be compressed, which takes its time. */
function* cut(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += HTTP_PIECE_BYTES) yield piece.subarray(at, at + HTTP_PIECE_BYTES);
  }
}

function refusal(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
