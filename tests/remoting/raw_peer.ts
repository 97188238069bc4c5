/**
 * The other end of a connection under test: a plain socket that writes bytes and reads frames, and nothing by itself.
 *
 * @module
 */
import { ByteWriter } from "../../src/protocol/byte_writer.ts";
import { HeaderEncoding } from "../../src/protocol/codes.ts";
import { encodeFrame } from "../../src/protocol/encode_frame.ts";
import type { Fields } from "../../src/protocol/fields.ts";
import { decodeFrame, type Frame, frameLength } from "../../src/protocol/frame.ts";
import type { HeaderParts } from "../../src/protocol/header_binary.ts";

/** One frame; what is not given is 0. */
export function frameBytes<S extends Fields>(
  header: Partial<HeaderParts<S>>,
  body = "",
  encoding: HeaderEncoding = HeaderEncoding.JSON,
): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  const parts = { code: 0, version: 407, opaque: 0, flag: 0, ...header };
  encodeFrame(out, encoding, parts, [new TextEncoder().encode(body)]);
  return out.written();
}

/** A connected socket. */
export class RawPeer implements Disposable {
  #bytes = new Uint8Array(0);

  /** Over a connection that was made otherwise. */
  constructor(readonly conn: Deno.Conn) {}

  static async connect(port: number): Promise<RawPeer> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new RawPeer(conn);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.conn.write(bytes.subarray(sent));
  }

  /** The next frame; undefined when the other end has closed the connection. */
  async read(): Promise<Frame | undefined> {
    const chunk = new Uint8Array(65_000);
    while (true) {
      const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
      const length = frameLength(view, 0, this.#bytes.length);
      if (length !== undefined && length <= this.#bytes.length) {
        const frame = decodeFrame(this.#bytes, view, 0, length);
        this.#bytes = this.#bytes.slice(length);
        return frame;
      }
      const count = await this.conn.read(chunk).catch(() => null);
      if (count === null) return undefined;
      const grown = new Uint8Array(this.#bytes.length + count);
      grown.set(this.#bytes);
      grown.set(chunk.subarray(0, count), this.#bytes.length);
      this.#bytes = grown;
    }
  }

  /** Writes one request and reads the next frame. */
  async ask<S extends Fields>(header: Partial<HeaderParts<S>>, body = ""): Promise<Frame> {
    await this.write(frameBytes(header, body));
    const frame = await this.read();
    if (frame === undefined) throw new Error("the connection was closed instead of an answer");
    return frame;
  }

  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // The test has closed it.
    }
  }
}
