/**
 * A TLS connection to a server that nobody vouches for, as RocketMQ's clients make them unless tls.client.authServer is
 * true. Deno's own client always asks for trust; the one that it has for Node programs does not have to.
 *
 * @module
 */
import { connect, type TLSSocket } from "node:tls";
import type { Wire } from "../listener.ts";

/** Where to connect, and what to show there, as PEM texts. */
export interface TrustingOptions {
  readonly hostname: string;
  readonly port: number;
  readonly cert?: string;
  readonly key?: string;
}

/** Connects and greets; `signal` ends the wait. Rejects for a server that cannot be reached or speaks no TLS. */
export function connectTrusting({ hostname, port, ...shown }: TrustingOptions, signal: AbortSignal): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port, rejectUnauthorized: false, ...shown });
    const fail = (reason: unknown) => {
      socket.destroy();
      reject(reason);
    };
    socket.once("error", fail);
    socket.once("close", () => fail(new Error("the server closed the connection")));
    // Destroyed before it is there, the connection would stay for ever (Deno 2.6): who is late is destroyed then.
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    socket.once("secureConnect", () => {
      if (signal.aborted) {
        socket.destroy();
      } else {
        socket.setNoDelay(true);
        resolve(new TrustingConn(socket, { hostname, port }));
      }
    });
  });
}

class TrustingConn implements Wire {
  readonly remoteAddr: Deno.NetAddr;
  readonly localAddr: Deno.NetAddr;
  readonly #socket: TLSSocket;
  #rest: Uint8Array = new Uint8Array(0);
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: TLSSocket, asked: { readonly hostname: string; readonly port: number }) {
    this.#socket = socket;
    const address = (hostname = asked.hostname, port = asked.port) => ({ transport: "tcp" as const, hostname, port });
    this.remoteAddr = address(socket.remoteAddress, socket.remotePort);
    this.localAddr = address(socket.localAddress, socket.localPort);
    socket.on("readable", () => this.#wake?.());
    socket.on("error", (error: Error) => this.#error = error);
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake?.();
      });
    }
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#rest.length === 0) {
      const chunk = this.#socket.read() as Uint8Array | null;
      if (chunk !== null) this.#rest = chunk;
      else if (this.#error !== undefined) throw this.#error;
      else if (this.#ended) return null;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const count = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#ended = true;
    this.#wake?.();
  }
}
