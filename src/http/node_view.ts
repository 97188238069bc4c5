/**
 * What the HTTP side sees of its node: the roles, each from when it serves until it stops.
 *
 * @module
 */
import type { RunningBroker } from "../broker/mod.ts";
import type { Role } from "../config/mod.ts";
import type { Nameserver } from "../nameserver/mod.ts";
import type { ClientTlsOptions } from "../remoting/tls/client_tls.ts";

/** A node, as it is at the moment. */
export interface NodeView {
  /** The roles that it was told to play. */
  readonly roles: readonly Role[];
  /** Where the JSON API asks, as `host:port`. */
  nameservers: readonly string[];
  /** How the node itself connects. */
  readonly tls?: ClientTlsOptions | undefined;
  /** Addresses besides this machine's that may use the JSON API (`adminRequestsFrom`). */
  readonly apiFrom: readonly string[];
  /** Undefined while it starts or stops, and when this node is none. */
  nameserver?: Pick<Nameserver, "port" | "routes" | "kv" | "counts"> | undefined;
  broker?: Pick<RunningBroker, "port" | "view"> | undefined;
}
