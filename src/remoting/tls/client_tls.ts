/**
 * TLS for connections that this process makes: RocketMQ's `tls.enable` and `tls.client.*`.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import type { Wire } from "../listener.ts";
import { type PemFile, readPem } from "./key_pair_files.ts";
import { connectTrusting } from "./trusting_conn.ts";

/**
 * What can be asked of a server's certificate: that it comes from somebody trusted and names the host that is connected
 * to (`everything`), that it comes from somebody trusted (`chain`, RocketMQ's tls.client.authServer), or `nothing`.
 */
export const VERIFY_WORDS = ["everything", "chain", "nothing"] as const satisfies readonly NonNullable<
  ClientTlsOptions["verify"]
>[];

/**
 * Whom a client trusts, and how it shows itself. The files are read anew for each connection.
 *
 * @example
 * ```ts
 * import { type ClientTlsOptions, Producer, RocketdError, startLocalCluster } from "@rocketd/rocketd";
 * import { assertRejects } from "@std/assert";
 *
 * const tls: ClientTlsOptions = { verify: "chain" }; // { trust: { path: "/etc/shop/ca.pem" } } for a CA of one's own
 * await using cluster = await startLocalCluster(); // which speaks plain, and so is not what was asked for
 * await using producer = new Producer({ nameservers: cluster.nameservers, tls });
 * await assertRejects(() => producer.send({ topic: "orders", body: "x" }), RocketdError);
 * ```
 */
export interface ClientTlsOptions {
  /**
   * What is asked of a server's certificate: that it comes from somebody trusted and names the host that is connected to
   * (`everything`, unless told otherwise), that it comes from somebody trusted (`chain`, RocketMQ's
   * tls.client.authServer), or `nothing`.
   */
  readonly verify?: "everything" | "chain" | "nothing";
  /** Certificates to trust; those that Deno or the system trusts without it. */
  readonly trust?: PemFile;
  /** To show to servers that ask for one. */
  readonly cert?: PemFile;
  /** The certificate's key, not encrypted. */
  readonly key?: PemFile;
}

/**
 * Connects and greets within a time. The files are read anew for each connection, so that they may be replaced at any
 * time. Rejects for a server that cannot be reached, does not speak TLS or cannot be trusted; `invalidSettings` for an
 * unusable file.
 */
export async function connectTls(
  address: { readonly hostname: string; readonly port: number },
  { trust, verify = "everything", cert, key }: ClientTlsOptions,
  timeoutMs: number,
): Promise<Wire> {
  const pair = cert && key && { cert: await readPem(cert), key: await readPem(key) };
  const trusted = trust && await readPem(trust);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`no TLS within ${timeoutMs} ms`)), timeoutMs);
  try {
    if (verify === "nothing") return await connectTrusting({ ...address, ...pair }, late.signal);
    const options = {
      unsafelyDisableHostnameVerification: verify === "chain",
      ...(trusted !== undefined && { caCerts: [trusted] }),
    };
    return await greet(
      pair === undefined ? await start(address, options) : await Deno.connectTls({ ...address, ...options, ...pair }),
      late.signal,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** The way in which TLS does not wait for full packets; it cannot show a certificate. */
async function start(
  address: { readonly hostname: string; readonly port: number },
  options: Omit<Deno.StartTlsOptions, "hostname">,
): Promise<Deno.TlsConn> {
  const plain = await Deno.connect(address);
  plain.setNoDelay(true);
  return await Deno.startTls(plain, { ...options, hostname: address.hostname });
}

async function greet(conn: Deno.TlsConn, signal: AbortSignal): Promise<Deno.TlsConn> {
  let open = true;
  const close = () => {
    if (open) conn.close();
    open = false;
  };
  signal.addEventListener("abort", close, { once: true });
  try {
    await conn.handshake();
  } catch (error) {
    close();
    throw signal.aborted ? signal.reason : new Error(`TLS failed: ${messageOf(error)}`, { cause: error });
  } finally {
    signal.removeEventListener("abort", close);
  }
  return conn;
}
