/**
 * What the shell's clients have in common: the flag for nameservers, and its value.
 *
 * @module
 */
import type { ClientSecurity } from "../remoting/client.ts";
import { type ClientTlsOptions, VERIFY_WORDS } from "../remoting/tls/client_tls.ts";
import { type Args, type Flag, UsageError } from "./command.ts";

const NAMESERVER_BY_DEFAULT = "127.0.0.1:9876";

export const NAMESRV_FLAG: Flag = {
  name: "namesrv",
  short: "n",
  aliases: ["namesrvAddr"],
  value: "HOST:PORT",
  help: `nameservers, joined by ; (else $NAMESRV_ADDR, else ${NAMESERVER_BY_DEFAULT})`,
};

/** How to speak TLS, and with whom. */
export const TLS_FLAGS: readonly Flag[] = [
  { name: "tls", help: "connect to nameservers and brokers with TLS" },
  { name: "tls-ca", value: "FILE", help: "PEM file of the certificates to trust; implies --tls" },
  {
    name: "tls-verify",
    value: "WHAT",
    words: VERIFY_WORDS,
    help: "everything (the default), chain (whatever host a certificate names) or nothing; implies --tls",
  },
];

/** What every client in the shell takes. */
export const CLIENT_FLAGS: readonly Flag[] = [NAMESRV_FLAG, ...TLS_FLAGS];

/** How a client connects, as its flags and the environment say. */
export function clientOptions(args: Args): Promise<ClientSecurity> {
  return Promise.resolve({ tls: tlsOf(args) });
}

/** How a client speaks TLS; undefined: not at all. Throws {@linkcode UsageError}. */
export function tlsOf(args: Args): ClientTlsOptions | undefined {
  const trust = args.text("tls-ca"), verify = args.text("tls-verify");
  if (!args.has("tls") && trust === undefined && verify === undefined) return undefined;
  const word = VERIFY_WORDS.find((each) => each === (verify ?? "everything"));
  if (word === undefined) {
    throw new UsageError(`--tls-verify ${JSON.stringify(verify)}: expected ${VERIFY_WORDS.join(", ")}`);
  }
  return { verify: word, ...(trust !== undefined && { trust: { path: trust, setting: "--tls-ca" } }) };
}

/** The nameservers to ask: flag, then environment, then this machine. */
export function nameserversOf(args: Args): string {
  return args.text(NAMESRV_FLAG.name) ?? Deno.env.get("NAMESRV_ADDR") ?? NAMESERVER_BY_DEFAULT;
}
