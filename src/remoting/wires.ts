/**
 * What is done with a connection whatever it carries: writing all of it, copying it onto another one, closing it.
 *
 * @module
 */
import { WIRE_COPY_BYTES } from "../limits.ts";
import type { Wire } from "./listener.ts";

/** Writes all bytes. Rejects when the connection has gone. */
export async function writeAll(to: Pick<Wire, "write">, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await to.write(bytes.subarray(sent));
}

/** Copies until the end of what is read. Rejects when one of both has gone. */
export async function copyAll(from: Pick<Wire, "read">, to: Pick<Wire, "write">): Promise<void> {
  const buffer = new Uint8Array(WIRE_COPY_BYTES);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    await writeAll(to, buffer.subarray(0, count));
  }
}

/** Closes a connection that may have gone already. */
export function closeQuietly(conn: Pick<Wire, "close">): void {
  try {
    conn.close();
  } catch {
    // It has gone already.
  }
}
