/**
 * What the shell's clients have in common: the flag for nameservers, and its value.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { type Credentials, signer } from "../remoting/access/signature.ts";
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

const ACCESS_KEY_VARIABLE = "ROCKETD_ACCESS_KEY", SECRET_KEY_VARIABLE = "ROCKETD_SECRET_KEY";

/** In whose name to ask. A secret on the command line would be everybody's: the list of processes shows it. */
export const ACCOUNT_FLAGS: readonly Flag[] = [
  { name: "access-key", value: "KEY", help: `account to sign requests with (else $${ACCESS_KEY_VARIABLE})` },
  { name: "secret-key-file", value: "FILE", help: `file with its secret (else the secret is $${SECRET_KEY_VARIABLE})` },
];

/** How to connect, and in whose name. */
export const SECURITY_FLAGS: readonly Flag[] = [...TLS_FLAGS, ...ACCOUNT_FLAGS];

/** What every client in the shell takes. */
export const CLIENT_FLAGS: readonly Flag[] = [NAMESRV_FLAG, ...SECURITY_FLAGS];

/** How a client connects, as its flags and the environment say. Rejects with {@linkcode UsageError}. */
export async function clientOptions(args: Args): Promise<ClientSecurity> {
  const credentials = await credentialsOf(args);
  return { tls: tlsOf(args), sign: credentials && signer(credentials) };
}

/** The account to sign with; undefined: none. Rejects with {@linkcode UsageError} for half of one. */
async function credentialsOf(args: Args): Promise<Credentials | undefined> {
  const accessKey = args.text("access-key") || Deno.env.get(ACCESS_KEY_VARIABLE) || undefined;
  const file = args.text("secret-key-file");
  if (accessKey === undefined && file === undefined) return undefined;
  if (accessKey === undefined) throw new UsageError("--secret-key-file needs --access-key");
  const secretKey = file === undefined
    ? Deno.env.get(SECRET_KEY_VARIABLE) ?? ""
    : await secretIn(file, "--secret-key-file");
  if (secretKey === "") {
    throw new UsageError(`the account ${accessKey} needs its secret: --secret-key-file or $${SECRET_KEY_VARIABLE}`);
  }
  return { accessKey, secretKey };
}

/** The secret in a file, or on standard input for `-`. Rejects with {@linkcode UsageError}, which names the flag. */
export async function secretIn(file: string, flag: string): Promise<string> {
  try {
    const text = file === "-" ? await new Response(Deno.stdin.readable).text() : await Deno.readTextFile(file);
    return text.trim();
  } catch (error) {
    throw new UsageError(`${flag}: ${messageOf(error)}`);
  }
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
