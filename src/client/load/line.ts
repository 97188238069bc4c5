/**
 * One connection of a client that measures: frames gather and go out in one write, answers are seen where they lie in
 * the read buffer, and no promise is made for a single request.
 *
 * @module
 */
import { messageOf, RocketdError } from "../../errors.ts";
import { BENCH_CONNECTS_AT_ONCE, CONNECT_TIMEOUT_MS, READ_BUFFER_BYTES, READ_BUFFER_BYTES_BUSY } from "../../limits.ts";
import { ByteWriter } from "../../protocol/byte_writer.ts";
import { frameLength } from "../../protocol/frame.ts";
import { type ClientSecurity, parseAddress } from "../../remoting/client.ts";
import type { Wire } from "../../remoting/listener.ts";
import { connectTls } from "../../remoting/tls/client_tls.ts";
import { Answer } from "./answers.ts";

/** What becomes of what a line reads. */
export interface LineUser {
  /** An answer, which is valid until the call ends. */
  receive(answer: Answer, bytes: Uint8Array, view: DataView, now: number): void;
  /** All answers of one read were received. */
  received(now: number): void;
}

/** A connection; {@linkcode Line.run} reads it. */
export class Line {
  /** Frames for the next write. */
  out = new ByteWriter();
  #sending = new ByteWriter();
  #writing = false;
  #closed = false;

  constructor(readonly address: string, readonly wire: Wire) {}

  /** Writes what has gathered, unless a write is under way, which then goes on with it. */
  flush(): void {
    if (!this.#writing && this.out.length > 0) void this.#write();
  }

  /** Reads until {@linkcode Line.close}. Rejects when the peer ends the connection or sends what is no frame. */
  async run(user: LineUser): Promise<void> {
    const answer = new Answer();
    let bytes = new Uint8Array(READ_BUFFER_BYTES), view = new DataView(bytes.buffer);
    let end = 0;
    while (!this.#closed) {
      let count: number | null;
      try {
        count = await this.wire.read(end === 0 ? bytes : bytes.subarray(end));
      } catch (error) {
        if (this.#closed) return;
        throw error;
      }
      if (this.#closed) return;
      if (count === null) throw new Error("the broker closed the connection");
      end += count;
      const now = performance.now();
      let at = 0;
      let length = frameLength(view, at, end);
      while (length !== undefined && at + length <= end) {
        answer.read(bytes, view, at, at + length);
        user.receive(answer, bytes, view, now);
        at += length;
        length = frameLength(view, at, end);
      }
      user.received(now);
      const room = Math.max(length ?? 0, end === bytes.length ? Math.min(2 * end, READ_BUFFER_BYTES_BUSY) : 0);
      if (room > bytes.length) {
        const larger = new Uint8Array(room);
        larger.set(bytes.subarray(at, end));
        bytes = larger;
        view = new DataView(bytes.buffer);
      } else if (at > 0) bytes.copyWithin(0, at, end);
      end -= at;
    }
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      while (this.out.length > 0 && !this.#closed) {
        [this.out, this.#sending] = [this.#sending, this.out];
        const bytes = this.#sending.written();
        for (let sent = 0; sent < bytes.length;) sent += await this.wire.write(bytes.subarray(sent));
        this.#sending.reset();
      }
    } catch {
      // The read on the same connection tells.
    } finally {
      this.#writing = false;
    }
  }

  /** Ends the connection and {@linkcode Line.run}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.wire.close();
    } catch {
      // The peer was faster.
    }
  }
}

/** Connects to each of the addresses, in their order. Rejects with `unavailable`, and then leaves no connection open. */
export async function openLines(addresses: readonly string[], security: ClientSecurity): Promise<Line[]> {
  const lines: Line[] = [];
  for (let at = 0; at < addresses.length; at += BENCH_CONNECTS_AT_ONCE) {
    const some = addresses.slice(at, at + BENCH_CONNECTS_AT_ONCE);
    const made = await Promise.allSettled(some.map((address) => openLine(address, security)));
    for (const one of made) if (one.status === "fulfilled") lines.push(one.value);
    const failed = made.find((one) => one.status === "rejected");
    if (failed === undefined) continue;
    for (const line of lines) line.close();
    throw failed.reason;
  }
  return lines;
}

async function openLine(address: string, { tls }: ClientSecurity): Promise<Line> {
  const where = parseAddress(address);
  try {
    if (tls !== undefined) return new Line(address, await connectTls(where, tls, CONNECT_TIMEOUT_MS));
    const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
    const conn = await Deno.connect({ ...where, signal });
    conn.setNoDelay(true);
    return new Line(address, conn);
  } catch (cause) {
    throw new RocketdError("unavailable", `Cannot reach ${address}: ${messageOf(cause)}`, { cause });
  }
}
