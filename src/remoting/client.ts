/**
 * The asking side of the remoting protocol: one connection for each address, made when it is first needed, shared by
 * all callers, and made anew on the next use after it was lost.
 *
 * @module
 */
import { messageOf, RocketdError } from "../errors.ts";
import { CONNECT_TIMEOUT_MS } from "../limits.ts";
import { HeaderEncoding, ResponseCode, responseCodeName } from "../protocol/codes.ts";
import type { RequestInput, RequestType } from "../protocol/request.ts";
import { Connection } from "./connection.ts";
import { leftMs } from "./deadlines.ts";
import { HandlerTable } from "./handlers.ts";
import type { Wire } from "./listener.ts";
import type { ConnectionOwner, Received, Sign } from "./owner.ts";
import { type ClientTlsOptions, connectTls } from "./tls/client_tls.ts";

/** Silence after which a connection is left, ms: shorter than what is waited for sends, longer than pauses of a healthy peer. */
const SILENT_MS = 1_000;

/** How a client connects and what it obeys. */
export interface RemotingClientOptions {
  /** What servers may ask of us; nothing by default. */
  readonly handlers?: HandlerTable;
  /** Encoding of the requests' headers; servers answer in kind. JSON by default, as Java's clients. */
  readonly encoding?: HeaderEncoding | undefined;
  /** Time for a connection to come about, ms. */
  readonly connectTimeoutMs?: number;
  /** Fields to add to each of our requests, as a signature. */
  readonly sign?: Sign | undefined;
  /** Speaks TLS with every server; plain without it. */
  readonly tls?: ClientTlsOptions | undefined;
  /** Says whether an address may be connected to; each one may without it. */
  readonly allows?: (address: string) => boolean;
  /**
   * A connection on which nothing was read while a request waited in vain for so long, ms, is left for a new one: its
   * peer may have gone without a word. Who waits on it goes on waiting. Java's clients close it (`closeSocketIfTimeout`).
   */
  readonly silentMs?: number;
  /** Closes such a connection at once: for those whose requests may be made again, so that nobody waits in vain. */
  readonly closesSilent?: boolean;
  /** Called when a connection to an address has gone, or is left. */
  readonly onClose?: (address: string) => void;
}

/** How a client shows who it is, and makes sure who the servers are. */
export type ClientSecurity = Pick<RemotingClientOptions, "sign" | "tls">;

/** A connection to an address on its way, and once it is there. */
interface Link {
  readonly made: Promise<Connection>;
  open: Connection | undefined;
}

/** Bodies are given whole or in parts that are sent one after the other. */
export type RequestBody = Uint8Array | readonly Uint8Array[];

/**
 * Sends requests to servers by address, `ip:port` or `[v6]:port`.
 *
 * @example
 * ```ts ignore
 * const client = new RemotingClient();
 * const answer = succeed(await client.invoke("127.0.0.1:10911", GetMaxOffset, { topic, queueId: 0 }, undefined, 3000));
 * client.close();
 * ```
 */
export class RemotingClient {
  readonly #options: RemotingClientOptions;
  readonly #handlers: HandlerTable;
  readonly #links = new Map<string, Link>();
  /** Connections that are used no more, on which somebody waits. */
  readonly #left = new Set<Connection>();
  #closed = false;

  constructor(options: RemotingClientOptions = {}) {
    this.#options = options;
    this.#handlers = options.handlers ?? new HandlerTable();
  }

  /**
   * Asks and waits for the answer, whatever its code; see {@linkcode succeed}. Rejects with `timeout` after `timeoutMs`
   * (the time to connect included), `unavailable` without a connection, `invalidArgument` for a bad address.
   */
  invoke<R extends RequestType>(
    address: string,
    type: R,
    header: RequestInput<R>,
    body: RequestBody | undefined,
    timeoutMs: number,
  ): Promise<Received<R>> {
    const open = this.#links.get(address)?.open;
    if (open !== undefined) return open.request(type, header, partsOf(body), timeoutMs);
    return this.#invokeFirst(address, type, header, body, timeoutMs);
  }

  async #invokeFirst<R extends RequestType>(
    address: string,
    type: R,
    header: RequestInput<R>,
    body: RequestBody | undefined,
    timeoutMs: number,
  ): Promise<Received<R>> {
    const deadline = performance.now() + timeoutMs;
    const connection = await this.#connection(address, timeoutMs);
    return await connection.request(type, header, partsOf(body), leftMs(deadline));
  }

  /**
   * Tells without an answer: resolves when the frame lies in the connection's buffer. Rejects as `invoke` does, with
   * `timeout` also where the server does not read what it was sent before; nothing is sent then.
   */
  async notify<R extends RequestType>(
    address: string,
    type: R,
    header: RequestInput<R>,
    body?: RequestBody,
    timeoutMs: number = this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
  ): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    const connection = await this.#connection(address, timeoutMs);
    await connection.tell(type, header, partsOf(body), leftMs(deadline));
  }

  /** Resolves when what was written so far has gone to the sockets, their connections have closed, or the time is over. */
  async flushed(timeoutMs?: number): Promise<void> {
    const open = await Promise.allSettled([...this.#links.values()].map(({ made }) => made));
    await Promise.all(open.map((made) => made.status === "fulfilled" ? made.value.flushed(timeoutMs) : undefined));
  }

  /** Closes every connection; calls in flight and later ones reject with `unavailable`. */
  close(): void {
    this.#closed = true;
    for (const { made } of this.#links.values()) made.then((connection) => connection.close(), () => {});
    this.#links.clear();
    for (const connection of [...this.#left]) connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #connection(address: string, patienceMs: number): Promise<Connection> {
    if (this.#closed) throw new RocketdError("unavailable", `Cannot reach ${address}: the client is closed`);
    let link = this.#links.get(address);
    if (link?.open !== undefined) return link.open;
    if (link === undefined) {
      const made = this.#connect(address), added: Link = link = { made, open: undefined };
      this.#links.set(address, added);
      // A failure is not kept: the next use tries again. Who waits for it is told by the promise itself.
      made.then((connection) => added.open = connection, () => this.#forget(address, added));
    }
    return await within(link.made, patienceMs, () => {
      return new RocketdError("timeout", `Cannot reach ${address}: no connection within ${patienceMs} ms`);
    });
  }

  async #connect(address: string): Promise<Connection> {
    const { hostname, port } = parseAddress(address);
    const timeoutMs = this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const { sign, tls, allows } = this.#options;
    if (allows?.(address) === false) {
      throw new RocketdError("invalidArgument", `Cannot reach ${address}: it is no address of this cluster`);
    }
    const connecting = tls === undefined
      ? connectPlain({ hostname, port })
      : connectTls({ hostname, port }, tls, timeoutMs);
    let conn: Wire;
    try {
      conn = await within(connecting, timeoutMs, () => new Error(`no connection within ${timeoutMs} ms`));
    } catch (cause) {
      connecting.then((late) => late.close(), () => {});
      throw new RocketdError("unavailable", `Cannot reach ${address}: ${messageOf(cause)}`, { cause });
    }
    if (this.#closed) {
      conn.close();
      throw new RocketdError("unavailable", `Cannot reach ${address}: the client is closed`);
    }
    const owner: ConnectionOwner = {
      handlers: this.#handlers,
      closed: (connection) => {
        if (!this.#left.delete(connection)) this.#lost(address);
      },
      silent: (connection, waitedMs) => {
        if (waitedMs < (this.#options.silentMs ?? SILENT_MS)) return false;
        if (this.#options.closesSilent) {
          connection.close();
          return false;
        }
        this.#left.add(connection);
        this.#lost(address);
        return true;
      },
      ...(sign === undefined ? {} : { sign }),
    };
    const connection = new Connection(conn, owner, this.#options.encoding ?? HeaderEncoding.JSON);
    connection.run();
    return connection;
  }

  /** The next request to this address makes a new connection. */
  #lost(address: string): void {
    this.#forget(address, this.#links.get(address));
    this.#options.onClose?.(address);
  }

  /** Forgets a connection, unless another has taken its place. */
  #forget(address: string, link: Link | undefined): void {
    if (link !== undefined && this.#links.get(address) === link) this.#links.delete(address);
  }
}

/** The answer, if its code is SUCCESS. Throws `refused` with RocketMQ's code and remark for any other. */
export function succeed<A extends Pick<Received, "code" | "remark">>(received: A, what = "the request"): A {
  if (received.code === ResponseCode.SUCCESS) return received;
  const { code, remark } = received;
  throw new RocketdError(
    "refused",
    `Cannot finish ${what}: ${responseCodeName(code)} (${code}) ${remark ?? ""}`.trim(),
    {
      responseCode: code,
    },
  );
}

/** Host and port of `ip:port`, `name:port` or `[v6]:port`. Throws `invalidArgument` for anything else. */
export function parseAddress(address: string): { hostname: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(address.trim());
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    const allowed = "ip:port or [v6]:port";
    throw new RocketdError("invalidArgument", `Cannot use the address "${address}": allowed is ${allowed}`, {
      field: "address",
      value: address,
      allowed,
    });
  }
  return { hostname: match[1] ?? match[2]!, port };
}

async function connectPlain(address: { hostname: string; port: number }): Promise<Wire> {
  const conn = await Deno.connect(address);
  conn.setNoDelay(true);
  return conn;
}

function partsOf(body: RequestBody | undefined): readonly Uint8Array[] | undefined {
  return body instanceof Uint8Array ? [body] : body;
}

/** What a promise resolves to, unless that takes longer: then it rejects with what `late` makes. */
export async function within<T>(promise: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => timer = setTimeout(() => reject(late()), ms));
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
