/**
 * HTTP for machines: /healthz, /readyz, /metrics and the JSON API of a node, on `httpListen`.
 *
 * @module
 */
import type { HttpAddress } from "../config/mod.ts";
import { thisMachine } from "../config/surroundings.ts";
import { httpApp } from "./app.ts";
import { hostNames } from "./hosts.ts";
import type { NodeView } from "./node_view.ts";
import { HttpServer } from "./server.ts";

export type { NodeView } from "./node_view.ts";

/** What the HTTP side of a node needs. */
export interface HttpOptions {
  readonly address: HttpAddress;
  /** Names in requests' Host header besides localhost, addresses, this machine's and that of `address` (`httpHosts`). */
  readonly hosts: readonly string[];
  readonly node: NodeView;
}

/** Serves HTTP until it is closed. Throws `inUse`, naming httpListen, when the port is taken. */
export function startHttp({ address, hosts, node }: HttpOptions): HttpServer {
  const { hostName } = thisMachine({});
  const app = httpApp({ node, hosts: hostNames([...hosts, address.hostname, hostName]) });
  return new HttpServer({ ...address, fetch: (request, peer) => app.fetch(request, { peer }) });
}
