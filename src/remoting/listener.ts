/**
 * What every server on a TCP port begins with: listening, accepting until it is closed, and naming its peers.
 *
 * @module
 */
import type { Logger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";

/** How long to wait when a connection cannot be accepted, ms. */
const ACCEPT_AGAIN_MS = 50;

/** Where to listen. */
export interface ListenAddress {
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** Listens on a port. Throws `inUse`, naming the setting that the port comes from. */
export function listenOn({ hostname, port }: ListenAddress, setting: string): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port });
  } catch (cause) {
    throw new RocketdError("inUse", `Cannot listen on ${hostname}:${port} (${setting}): ${messageOf(cause)}`, {
      field: setting,
      value: port,
      cause,
    });
  }
}

/** Hands over each connection as it comes; resolves when the listener was closed. */
export async function acceptAll(
  listener: Deno.TcpListener,
  log: Logger,
  each: (conn: Deno.TcpConn) => void,
): Promise<void> {
  while (true) {
    let conn: Deno.TcpConn;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      // Out of file descriptors, or the peer left before we came: wait a little, go on.
      log.warn("cannot accept a connection: {reason}", { reason: messageOf(error) });
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
      continue;
    }
    each(conn);
  }
}

/** Address of a peer; one of IPv4 that came in over IPv6 looks like itself. */
export function peerOf(conn: Deno.Conn): { readonly ip: string; readonly port: number; readonly text: string } {
  const { hostname, port } = conn.remoteAddr as Deno.NetAddr;
  const ip = hostname.startsWith("::ffff:") ? hostname.slice("::ffff:".length) : hostname;
  return { ip, port, text: ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}` };
}
