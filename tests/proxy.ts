/**
 * A TCP proxy for tests: stands between two nodes, and cuts, stalls or delays what goes through, at any byte. It never
 * changes nor reorders anything.
 *
 * @module
 */
import { delay } from "./launch.ts";
import { freePort } from "./ports.ts";

/** `up`: from the one who connects to the target; `down`: back to it. */
export type Direction = "up" | "down";

const BUFFER_BYTES = 64 * 1024;

/** One connection through the proxy, and what it leads to. */
class Pair {
  #closed = false;

  constructor(readonly near: Deno.TcpConn, readonly far: Deno.TcpConn) {}

  /** Ends both sides at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.near.close();
    this.far.close();
  }
}

/** Starts with {@linkcode Proxy.start}; closed when it goes out of scope. */
export class Proxy implements AsyncDisposable {
  /** Bytes that went through, of all connections. */
  readonly bytes: Record<Direction, number> = { up: 0, down: 0 };
  /** Connections that were taken, and those that {@linkcode cutAfter} ended. */
  connections = 0;
  cuts = 0;
  /** Each piece waits for this long before it goes on, ms. */
  delayMs = 0;
  readonly #left: Record<Direction, number> = { up: Infinity, down: Infinity };
  readonly #open = new Set<Pair>();
  readonly #running = new Set<Promise<void>>();
  readonly #listener: Deno.TcpListener;
  #stalled: { promise: Promise<void>; resume: () => void } | undefined;
  #closed = false;

  private constructor(readonly port: number, readonly target: number) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#run(this.#accept());
  }

  /** A proxy in front of a port of this machine. */
  static start(target: number): Proxy {
    return new Proxy(freePort(), target);
  }

  /** `127.0.0.1:port`, where to connect instead of to the target. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Lets exactly this many further bytes through in one direction, then ends the connection; once. */
  cutAfter(direction: Direction, bytes: number): void {
    this.#left[direction] = bytes;
  }

  /** Ends every connection now; new ones are taken. */
  cut(): void {
    for (const pair of this.#open) {
      this.cuts++;
      pair.close();
    }
  }

  /** Lets nothing through until {@linkcode resume}; connections stay, and new ones are taken. */
  stall(): void {
    if (this.#stalled) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stalled = { promise, resume: resolve };
  }

  /** Lets through what waits, in order. */
  resume(): void {
    this.#stalled?.resume();
    this.#stalled = undefined;
  }

  /** Ends the listener and every connection. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    this.resume();
    for (const pair of this.#open) pair.close();
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #run(work: Promise<void>): void {
    const running = work.finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      const near = await this.#listener.accept().catch(() => undefined);
      if (near === undefined) return;
      this.connections++;
      this.#run(this.#serve(near));
    }
  }

  async #serve(near: Deno.TcpConn): Promise<void> {
    const far = await Deno.connect({ hostname: "127.0.0.1", port: this.target }).catch(() => undefined);
    if (far === undefined) return near.close();
    for (const conn of [near, far]) conn.setNoDelay(true);
    const pair = new Pair(near, far);
    this.#open.add(pair);
    if (this.#closed) pair.close();
    try {
      await Promise.all([this.#copy(pair, "up"), this.#copy(pair, "down")]);
    } finally {
      this.#open.delete(pair);
      pair.close();
    }
  }

  /** Copies until one side ends: in order, so that all that came is handed on before the end is. */
  async #copy(pair: Pair, direction: Direction): Promise<void> {
    const [from, to] = direction === "up" ? [pair.near, pair.far] : [pair.far, pair.near];
    const buffer = new Uint8Array(BUFFER_BYTES);
    try {
      while (true) {
        const count = await from.read(buffer);
        if (this.delayMs > 0) await delay(this.delayMs);
        while (this.#stalled) await this.#stalled.promise;
        if (count === null) return await to.closeWrite();
        const allowed = Math.min(count, this.#left[direction]);
        this.#left[direction] -= allowed;
        for (let sent = 0; sent < allowed;) sent += await to.write(buffer.subarray(sent, allowed));
        this.bytes[direction] += allowed;
        if (this.#left[direction] > 0) continue;
        this.#left[direction] = Infinity;
        this.cuts++;
        return pair.close();
      }
    } catch {
      // The other direction, or one of the ends, has closed the connection.
      pair.close();
    }
  }
}
