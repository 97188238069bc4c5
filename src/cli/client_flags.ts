/**
 * What the shell's clients have in common: the flag for nameservers, and its value.
 *
 * @module
 */
import type { Args, Flag } from "./command.ts";

const NAMESERVER_BY_DEFAULT = "127.0.0.1:9876";

export const NAMESRV_FLAG: Flag = {
  name: "namesrv",
  short: "n",
  value: "HOST:PORT",
  help: `nameservers, joined by ; (else $NAMESRV_ADDR, else ${NAMESERVER_BY_DEFAULT})`,
};

/** The nameservers to ask: flag, then environment, then this machine. */
export function nameserversOf(args: Args): string {
  return args.text(NAMESRV_FLAG.name) ?? Deno.env.get("NAMESRV_ADDR") ?? NAMESERVER_BY_DEFAULT;
}
