/**
 * What the shell's clients have in common: the flag for nameservers, and its value.
 *
 * @module
 */
import type { RemotingClientOptions } from "../remoting/client.ts";
import type { Args, Flag } from "./command.ts";

const NAMESERVER_BY_DEFAULT = "127.0.0.1:9876";

export const NAMESRV_FLAG: Flag = {
  name: "namesrv",
  short: "n",
  aliases: ["namesrvAddr"],
  value: "HOST:PORT",
  help: `nameservers, joined by ; (else $NAMESRV_ADDR, else ${NAMESERVER_BY_DEFAULT})`,
};

/** What every client in the shell takes. */
export const CLIENT_FLAGS: readonly Flag[] = [NAMESRV_FLAG];

/** How a client connects, as its flags and the environment say. */
export function clientOptions(_args: Args): Promise<Pick<RemotingClientOptions, "sign">> {
  return Promise.resolve({});
}

/** The nameservers to ask: flag, then environment, then this machine. */
export function nameserversOf(args: Args): string {
  return args.text(NAMESRV_FLAG.name) ?? Deno.env.get("NAMESRV_ADDR") ?? NAMESERVER_BY_DEFAULT;
}
