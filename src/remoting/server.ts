/**
 * A listener for the remoting protocol: accepts connections up to a limit, runs each, ends idle ones.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { RocketdError } from "../errors.ts";
import { LineBudget } from "../logging/line_budget.ts";
import { HeaderEncoding } from "../protocol/codes.ts";
import { Connection } from "./connection.ts";
import type { HandlerTable } from "./handlers.ts";
import { acceptAll, listenOn } from "./listener.ts";
import type { ConnectionOwner } from "./owner.ts";
import type { ServerTls } from "./tls/server_tls.ts";

const log = getLogger(["rocketd", "remoting"]);

const IDLE_CHECK_MS = 5_000;
/** Lines of the log about peers that send what is no frame, and the time they are for. */
const LINES_MAX = 10;
const LINES_EVERY_MS = 60_000;
/** How long a stopping server waits for answers in hand to go out, ms. */
const DRAIN_MS = 3_000;

/** What a server listens on and obeys. */
export interface ServerOptions {
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly handlers: HandlerTable;
  /** Connections beyond this are closed at once. */
  readonly connectionsMax: number;
  /** A connection with no traffic for this long is closed, ms (`serverChannelMaxIdleTimeSeconds`). */
  readonly idleMs: number;
  /** Lets connections speak TLS; without it all are plain. Who gives it closes it, after the servers that share it. */
  readonly tls?: ServerTls | undefined;
  /** Called when a connection has gone. */
  readonly onClose?: (connection: Connection) => void;
}

/** Counts for operators. */
export interface ServerCounts {
  accepted: number;
  refused: number;
  malformed: number;
  idle: number;
}

/** Listens until {@linkcode RemotingServer.close}. */
export class RemotingServer implements ConnectionOwner {
  readonly handlers: HandlerTable;
  readonly connections = new Set<Connection>();
  /** Closed, with a write still under way; they count, so that their number is bounded too. */
  readonly #ending = new Set<Connection>();
  readonly counts: ServerCounts = { accepted: 0, refused: 0, malformed: 0, idle: 0 };
  readonly #listener: Deno.TcpListener;
  readonly #options: ServerOptions;
  readonly #lines = new LineBudget(LINES_MAX, LINES_EVERY_MS);
  readonly #idleTimer: ReturnType<typeof setInterval>;
  readonly #accepting: Promise<void>;

  /** Throws `inUse` when the port is taken. */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.handlers = options.handlers;
    this.#listener = listenOn(options, "listenPort");
    this.#idleTimer = setInterval(() => this.#endIdle(), Math.min(IDLE_CHECK_MS, options.idleMs));
    this.#accepting = acceptAll(this.#listener, log, (conn) => this.#take(conn));
  }

  /** The port that the server listens on. */
  get port(): number {
    return this.#listener.addr.port;
  }

  #take(conn: Deno.TcpConn): void {
    const { tls, connectionsMax } = this.#options;
    if (this.connections.size + this.#ending.size + (tls?.lingering ?? 0) >= connectionsMax) {
      if (this.counts.refused++ === 0) {
        log.warn("refusing connections: {max} are open (maxConnections)", { max: connectionsMax });
      }
      conn.close();
      return;
    }
    this.counts.accepted++;
    conn.setNoDelay(true);
    const connection = new Connection(tls?.guard(conn) ?? conn, this, HeaderEncoding.JSON);
    this.connections.add(connection);
    connection.run();
  }

  #endIdle(): void {
    const oldest = Date.now() - this.#options.idleMs;
    for (const connection of this.connections) {
      if (connection.lastActivity < oldest) {
        this.counts.idle++;
        connection.close();
      }
    }
  }

  closed(connection: Connection): void {
    if (!this.connections.delete(connection)) return;
    this.#ending.add(connection);
    connection.written.then(() => this.#ending.delete(connection));
    this.#options.onClose?.(connection);
  }

  malformed({ peer }: Connection, { message: reason }: RocketdError): void {
    this.counts.malformed++;
    const more = this.#lines.spend(Date.now());
    if (more !== undefined) log.warn("closing {peer}: {reason}{more}", { peer, reason, more });
  }

  /** Takes no new connections; those that are open go on. */
  stopAccepting(): void {
    try {
      this.#listener.close();
    } catch {
      // Already closed.
    }
  }

  /** Stops in order: no new connections, what is answered goes out, then all are closed. */
  async close(): Promise<void> {
    this.stopAccepting();
    clearInterval(this.#idleTimer);
    await this.#accepting;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([this.#drain(), new Promise((resolve) => timer = setTimeout(resolve, DRAIN_MS))]);
    clearTimeout(timer);
    for (const connection of this.connections) connection.close();
  }

  async #drain(): Promise<void> {
    const connections = [...this.connections];
    await Promise.all(connections.map((connection) => connection.drain()));
    // What one peer answered to us may be what another one waited for.
    await Promise.all(connections.map((connection) => connection.flushed()));
  }
}
