/**
 * A TLS listener of Deno's that only this process uses: each of its connections is the inner end of a connection that
 * was taken elsewhere and turned out to speak TLS. Deno knows no other way to speak TLS as a server.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { RocketdError } from "../../errors.ts";
import { TLS_CONNECTIONS_UNCLAIMED_MAX } from "../../limits.ts";
import { acceptAll } from "../listener.ts";

const log = getLogger(["rocketd", "remoting"]);

/** Where it listens and is connected to from. */
const HERE = "127.0.0.1";
/** How long one end may wait for the other, ms: when strangers took all the room, it never comes. */
const CLAIM_MS = 10_000;

/** A certificate, with those that vouch for it, and its key; both as PEM text. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Two ends of one connection: what is encrypted goes into and comes out of `outer`, what is plain `inner`. */
export interface Joint {
  readonly outer: Deno.TcpConn;
  readonly inner: Deno.TlsConn;
}

/** Speaks TLS with one certificate until {@linkcode InnerListener.close}; what was joined before goes on. */
export class InnerListener {
  readonly #listener: Deno.TlsListener;
  /** By the port that the outer end connects from: nobody else can have it at the same time. */
  readonly #waiting = new Map<number, (conn: Deno.TlsConn) => void>();
  /** Accepted before the connecting side knew its own port, or a stranger's. */
  readonly #unclaimed = new Map<number, Deno.TlsConn>();
  #joining = 0;
  #closing = false;

  /** Throws what Deno does for a certificate that it cannot read, or a key that is not the certificate's. */
  constructor(pair: KeyPair, readonly claimMs = CLAIM_MS) {
    this.#listener = Deno.listenTls({ ...pair, hostname: HERE, port: 0 });
    acceptAll(this.#listener, log, (conn) => this.#take(conn));
  }

  /** Where it listens, on the loopback address. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Makes a connection to this process itself. Rejects when none is to be had. */
  async join(): Promise<Joint> {
    if (this.#closing) throw new RocketdError("unavailable", "Cannot speak TLS: this node is stopping");
    this.#joining++;
    try {
      const outer = await Deno.connect({ hostname: HERE, port: this.port });
      outer.setNoDelay(true);
      const from = (outer.localAddr as Deno.NetAddr).port;
      const inner = this.#unclaimed.get(from) ?? await this.#accepted(from);
      this.#unclaimed.delete(from);
      if (inner !== undefined) return { outer, inner };
      outer.close();
      throw new RocketdError("unavailable", "Cannot speak TLS: too many others connect to this node's inner TLS port");
    } finally {
      this.#joining--;
      this.#settle();
    }
  }

  /** The other end, once it is accepted; undefined when that takes too long. */
  #accepted(from: number): Promise<Deno.TlsConn | undefined> {
    return new Promise((resolve) => {
      const claim = (conn?: Deno.TlsConn) => {
        clearTimeout(timer);
        this.#waiting.delete(from);
        resolve(conn);
      };
      const timer = setTimeout(claim, this.claimMs);
      this.#waiting.set(from, claim);
    });
  }

  #take(conn: Deno.TlsConn): void {
    const { hostname, port } = conn.remoteAddr;
    // From another address of this machine a stranger could use the port that one of ours has.
    if (hostname !== HERE) return conn.close();
    const claim = this.#waiting.get(port);
    if (claim !== undefined) {
      claim(conn);
    } else if (this.#joining === 0 || this.#unclaimed.size >= TLS_CONNECTIONS_UNCLAIMED_MAX) {
      // A stranger's. Nobody reads it; Deno lets go of it when its other end does.
      conn.close();
    } else {
      this.#unclaimed.get(port)?.close();
      this.#unclaimed.set(port, conn);
    }
  }

  /** Lets go of what strangers connected, once nothing can be ours any more. */
  #settle(): void {
    if (this.#joining > 0) return;
    for (const conn of this.#unclaimed.values()) conn.close();
    this.#unclaimed.clear();
    if (this.#closing) this.#listener.close();
  }

  /** Ends the listener, once those who are joining have done so. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#settle();
  }
}
