/**
 * The HTTP listener. The runtime's own server has no bound for connections, for a request's head or for the time that a
 * peer may take, so rocketd reads and writes HTTP/1.1 itself, one request a connection; what is answered is hono's part.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { HTTP_ANSWER_MS, HTTP_CONNECTIONS_MAX, HTTP_HEAD_MS, HTTP_UNSENT_BYTES_MAX } from "../limits.ts";
import { LineBudget } from "../logging/line_budget.ts";
import { logger } from "../logging/mod.ts";
import { acceptAll, type ListenAddress, listenOn, type Peer, peerOf } from "../remoting/listener.ts";
import { Exchange, type ExchangeTimes } from "./exchange.ts";
import type { RequestHead } from "./request_head.ts";

const log = logger("http");

/** Lines about refused connections and failures, in this time, ms. */
const LINES_MAX = 5, LINES_EVERY_MS = 10_000;

/** What a server listens on and answers with. */
export interface HttpServerOptions extends ListenAddress {
  /** Answers a request, as hono's `fetch`. */
  readonly fetch: (request: Request, peer: Peer) => Response | Promise<Response>;
  /** For tests; without it what src/limits.ts says. */
  readonly times?: ExchangeTimes;
  readonly connectionsMax?: number;
}

const TIMES: ExchangeTimes = { headMs: HTTP_HEAD_MS, answerMs: HTTP_ANSWER_MS };

/** Serves from when it is made until `close`. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #listener: Deno.TcpListener;
  readonly #accepting: Promise<void>;
  readonly #exchanges = new Set<Exchange>();
  readonly #lines = new LineBudget(LINES_MAX, LINES_EVERY_MS);
  #unsent = 0;

  /** Throws `inUse`, naming httpListen, when the port is taken. */
  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#listener = listenOn(options, "httpListen");
    this.#accepting = acceptAll(this.#listener, log, (conn) => this.#take(conn));
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#exchanges.size;
  }

  /** Bytes of answers that their peers have not taken yet. */
  get unsentBytes(): number {
    return this.#unsent;
  }

  #take(conn: Deno.TcpConn): void {
    const { connectionsMax = HTTP_CONNECTIONS_MAX, times = TIMES } = this.#options;
    if (this.#exchanges.size >= connectionsMax) {
      conn.close();
      this.#warn("refusing connections: {max} are open", { max: connectionsMax });
      return;
    }
    const exchange = new Exchange(conn, times, {
      take: (bytes) => this.#takeUnsent(bytes),
      give: (bytes) => this.#unsent -= bytes,
    });
    this.#exchanges.add(exchange);
    const peer = peerOf(conn);
    void exchange.run((head) => this.#answer(head, peer)).finally(() => this.#exchanges.delete(exchange));
  }

  #takeUnsent(bytes: number): boolean {
    // One answer alone may be as long as it is.
    if (this.#unsent > 0 && this.#unsent + bytes > HTTP_UNSENT_BYTES_MAX) return false;
    this.#unsent += bytes;
    return true;
  }

  async #answer({ target, headers }: RequestHead, peer: Peer): Promise<Response> {
    try {
      // HEAD is answered as GET, of which only the head goes out. The Host header is judged by the handlers: it has no
      // part in the address.
      return await this.#options.fetch(new Request(`http://localhost${target}`, { headers }), peer);
    } catch (error) {
      this.#warn("cannot answer a request: {reason}", { reason: messageOf(error) });
      return Response.json({ error: "this request cannot be answered: see the node's log" }, { status: 500 });
    }
  }

  #warn(message: string, values: Record<string, unknown>): void {
    const held = this.#lines.spend(Date.now());
    if (held === undefined) return;
    if (held === 0) log.warn(message, values);
    else log.warn(`${message} ({held} lines were left out)`, { ...values, held });
  }

  /** Takes no more connections and ends those that are open. */
  async close(): Promise<void> {
    try {
      this.#listener.close();
    } catch {
      // Already closed.
    }
    await this.#accepting;
    for (const exchange of this.#exchanges) exchange.close();
  }
}
