/**
 * One HTTP connection: what its peer sends is carried to the server behind, what that answers is carried back, for as
 * long as its time lasts. Nothing is gathered on the way: who does not read is not read for.
 *
 * @module
 */
import { HTTP_COPY_BYTES } from "../limits.ts";
import type { Peer } from "../remoting/listener.ts";

/** How a connection of HTTP/2 begins. */
const HTTP2 = "PRI ";

/** A connection, from when it is accepted until `carry` resolves. */
export class Guest {
  /** Bytes of its last answer, which the peer may not have taken yet. */
  unsent = 0;
  readonly #outside: Deno.TcpConn;
  #inside: Deno.TcpConn | undefined;
  #timer: ReturnType<typeof setTimeout>;
  #ended = false;

  constructor(outside: Deno.TcpConn, readonly peer: Peer, ms: number) {
    this.#outside = outside;
    this.#timer = setTimeout(() => this.end(), ms);
  }

  /** Ends the connection this much later than now, ms, whatever was said before. */
  timeFrom(ms: number): void {
    if (this.#ended) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(), ms);
  }

  /**
   * Carries until one side ends it, or the time is over. `joined` is told the port that the server behind sees. Never
   * rejects.
   */
  async carry(to: number, joined: (port: number) => void): Promise<void> {
    try {
      const first = await this.#firstBytes();
      // One connection of HTTP/2 brings many requests at once, whose answers nobody counts.
      if (first === undefined || startsWith(first, HTTP2)) return;
      const inside = this.#inside = await Deno.connect({ hostname: "127.0.0.1", port: to });
      if (this.#ended) return inside.close();
      joined((inside.localAddr as Deno.NetAddr).port);
      await writeAll(inside, first);
      const inward = copy(this.#outside, inside).then(() => inside.closeWrite()).catch(() => {});
      await copy(inside, this.#outside);
      this.end();
      await inward;
    } catch {
      // The peer has gone, or its time is over: there is nobody to tell.
    } finally {
      this.end();
    }
  }

  /** What the peer says first, enough to tell HTTP/2; undefined when it leaves. */
  async #firstBytes(): Promise<Uint8Array | undefined> {
    const buffer = new Uint8Array(HTTP_COPY_BYTES);
    let length = 0;
    while (length < HTTP2.length) {
      const count = await this.#outside.read(buffer.subarray(length));
      if (count === null) return undefined;
      length += count;
    }
    return buffer.subarray(0, length);
  }

  /**
   * Ends it at once; but a write that waits for a peer who does not read, Deno 2.6 ends only when the peer reads or leaves
   * (2.9 at once). Until then the socket is open, and so the connection counts.
   */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    for (const conn of [this.#outside, this.#inside]) {
      try {
        conn?.close();
      } catch {
        // It has gone already.
      }
    }
  }
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return [...text].every((char, i) => bytes[i] === char.charCodeAt(0));
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await to.write(bytes.subarray(sent));
}

/** Copies until the end of what is read. */
async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(HTTP_COPY_BYTES);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    await writeAll(to, buffer.subarray(0, count));
  }
}
