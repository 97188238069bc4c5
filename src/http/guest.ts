/**
 * One HTTP connection: what its peer sends is carried to the server behind, what that answers is carried back, for as
 * long as its time lasts. Nothing is gathered on the way: who does not read is not read for.
 *
 * @module
 */
import { HTTP_COPY_BYTES } from "../limits.ts";
import type { Peer } from "../remoting/listener.ts";

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

  /** Carries until one side ends it, or the time is over. `joined` is told the port that the server behind sees. Never rejects. */
  async carry(to: number, joined: (port: number) => void): Promise<void> {
    try {
      const inside = this.#inside = await Deno.connect({ hostname: "127.0.0.1", port: to });
      if (this.#ended) return inside.close();
      joined((inside.localAddr as Deno.NetAddr).port);
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

  /** Ends it at once. */
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

/** Copies until the end of what is read. */
async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(HTTP_COPY_BYTES);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
  }
}
