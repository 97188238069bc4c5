/**
 * What defaults take from the machine: its name, its address, the home directory.
 *
 * @module
 */
import { NAME } from "./forms.ts";

/** What a machine says about itself. */
export interface Machine {
  readonly home: string;
  readonly hostName: string;
  readonly address: string;
}

/** Asks the machine. What it does not tell is made up: its name is `localhost`, its address 127.0.0.1. */
export function thisMachine(env: Readonly<Record<string, string>>): Machine {
  const hostName = attempt(() => Deno.hostname()) ?? "localhost";
  const interfaces = attempt(() => Deno.networkInterfaces()) ?? [];
  const outer = interfaces.find(({ family, address }) => family === "IPv4" && !address.startsWith("127."));
  return {
    home: env["HOME"] || ".",
    hostName: NAME.pattern.test(hostName) ? hostName : "localhost",
    address: outer?.address ?? "127.0.0.1",
  };
}

function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}
