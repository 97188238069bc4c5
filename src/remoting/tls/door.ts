/**
 * A connection whose first byte decides what it speaks: 0x16 begins a TLS handshake, and no frame. What is plain is
 * passed on untouched; what is TLS goes through an inner connection of this process's own, see inner_listener.ts.
 * Nothing is gathered on the way: who does not read is not read for.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import { TLS_HANDSHAKE } from "../../protocol/frame.ts";
import type { Wire } from "../listener.ts";
import { closeQuietly, copyAll, writeAll } from "../wires.ts";
import type { Joint } from "./inner_listener.ts";

/** How long what was written may take to reach a peer after the connection was closed on our side, ms. */
const LINGER_MS = 3_000;
/** As Netty's SslHandler, which RocketMQ uses. */
export const HANDSHAKE_MS = 10_000;

/** Who opens doors. */
export interface DoorKeeper {
  /** Whether connections may speak plain. */
  readonly plain: boolean;
  readonly handshakeMs: number;
  /** Makes an inner connection. */
  join(): Promise<Joint>;
  /** Called when a door opens to TLS, and when nothing of that connection is left. */
  entered(door: Door): void;
  left(door: Door): void;
  /** Called when its user has closed a TLS connection that may still have to send. */
  lingers(door: Door): void;
  /** Called when a peer is turned away. */
  refused(door: Door, why: "plain" | "handshake", detail?: string): void;
}

/** Opens with the first read. */
export class Door implements Wire {
  /** What the connection turned out to be. */
  #open: Wire | undefined;
  #joint: Joint | undefined;
  /** Between the first byte of the handshake and its end. */
  #greeting = false;
  /** By its user. */
  #closed = false;
  /** Nothing of it is left but perhaps its user. */
  #ended = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly outside: Deno.TcpConn, readonly keeper: DoorKeeper) {}

  get remoteAddr(): Deno.Addr {
    return this.outside.remoteAddr;
  }

  get localAddr(): Deno.Addr {
    return this.outside.localAddr;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#open === undefined ? this.#begin(into) : this.#open.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#open === undefined) return Promise.reject(new Error("nothing was read from the connection yet"));
    return this.#open.write(bytes);
  }

  async #begin(into: Uint8Array): Promise<number | null> {
    const count = await this.outside.read(into);
    if (count === null || this.#closed) return null;
    if (into[0] === TLS_HANDSHAKE) return await this.#greet(into.slice(0, count), into);
    if (!this.keeper.plain) {
      this.keeper.refused(this, "plain");
      return null;
    }
    this.#open = this.outside;
    return count;
  }

  async #greet(hello: Uint8Array, into: Uint8Array): Promise<number | null> {
    this.keeper.entered(this);
    let timer: ReturnType<typeof setTimeout> | undefined, late = false;
    try {
      const joint = this.#joint = await this.keeper.join();
      if (this.#closed) {
        this.#end();
        return null;
      }
      this.#carryIn(joint.outer, hello);
      this.#carryOut(joint.outer);
      // The handshake fails when its other end is cut off.
      timer = setTimeout(() => {
        late = true;
        this.#end();
      }, this.keeper.handshakeMs);
      this.#greeting = true;
      await joint.inner.handshake().finally(() => this.#greeting = false);
      this.#open = joint.inner;
    } catch (error) {
      const reason = late ? `it took longer than ${this.keeper.handshakeMs} ms` : messageOf(error);
      if (!this.#closed) this.keeper.refused(this, "handshake", reason);
      if (this.#joint === undefined) this.#end();
      return null;
    } finally {
      clearTimeout(timer);
    }
    return await this.#open.read(into);
  }

  async #carryIn(outer: Deno.TcpConn, hello: Uint8Array): Promise<void> {
    try {
      await writeAll(outer, hello);
      await copyAll(this.outside, outer);
      await outer.closeWrite();
    } catch {
      // One of both has gone. What comes out of the inner connection is still due, and ends all.
      outer.closeWrite().catch(() => {});
    }
  }

  async #carryOut(outer: Deno.TcpConn): Promise<void> {
    try {
      await copyAll(outer, this.outside);
    } catch {
      // One of both has gone.
    }
    this.#end();
  }

  /** Ends the connection for its user; what was written before still goes out, unless that takes too long. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#joint === undefined) return closeQuietly(this.outside);
    closeQuietly(this.#joint.inner);
    if (this.#ended) return;
    // Deno keeps such a connection until its other end goes.
    if (this.#greeting) return this.#end();
    this.#lingering = setTimeout(() => this.#end(), LINGER_MS);
    this.keeper.lingers(this);
  }

  /** Ends all at once. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#lingering);
    closeQuietly(this.outside);
    if (this.#joint !== undefined) closeQuietly(this.#joint.outer);
    if (this.#closed && this.#joint !== undefined) closeQuietly(this.#joint.inner);
    this.keeper.left(this);
  }
}
