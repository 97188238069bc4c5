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

/** What a connection needs of a socket, whatever lies between. */
export type Wire = Pick<Deno.Conn, "read" | "write" | "close" | "remoteAddr" | "localAddr">;

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
export async function acceptAll<C extends Deno.Conn>(
  listener: { accept(): Promise<C> },
  log: Logger,
  each: (conn: C) => void,
): Promise<void> {
  while (true) {
    let conn: C;
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

/** Who is at the other end of a connection. */
export interface Peer {
  /** An address of IPv4 that came in over IPv6 looks like itself. */
  readonly ip: string;
  readonly port: number;
  /** Both, as `ip:port` or `[v6]:port`. */
  readonly text: string;
  /** It is on this machine: its address is a loopback address, or the very one that it connected to. */
  readonly isLocal: boolean;
}

/** Names the peer of a connection. */
export function peerOf(conn: Pick<Wire, "remoteAddr" | "localAddr">): Peer {
  const { hostname, port } = conn.remoteAddr as Deno.NetAddr;
  const ip = plain(hostname), here = plain((conn.localAddr as Deno.NetAddr).hostname);
  const isLocal = ip.startsWith("127.") || ip === "::1" || ip === here;
  return { ip, port, text: ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`, isLocal };
}

function plain(hostname: string): string {
  return hostname.startsWith("::ffff:") ? hostname.slice("::ffff:".length) : hostname;
}
