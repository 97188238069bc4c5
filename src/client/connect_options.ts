/**
 * What clients of all kinds need to know to reach a cluster.
 *
 * @module
 */
import type { HeaderEncoding } from "../protocol/codes.ts";
import type { Sign } from "../remoting/owner.ts";
import type { ClientTlsOptions } from "../remoting/tls/client_tls.ts";

/**
 * Where the nameservers are, and how to show and check who is who.
 *
 * @example
 * ```ts
 * import { Admin, type ConnectOptions, HeaderEncoding, Producer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const shared: ConnectOptions = { nameservers: cluster.nameservers, encoding: HeaderEncoding.ROCKETMQ };
 * await using producer = new Producer({ ...shared, group: "shop" });
 * await producer.send({ topic: "orders", body: "one pizza" });
 * await using admin = new Admin(shared);
 * const { brokers } = await admin.run("topicRoute", { topic: "orders" });
 * assertEquals(Array.isArray(brokers), true);
 * ```
 */
export interface ConnectOptions {
  /** `host:port`, several joined by `;` or as a list. */
  readonly nameservers: string | readonly string[];
  /** How headers are written: as JSON unless told otherwise, as Java's clients do; answers come in kind. */
  readonly encoding?: HeaderEncoding | undefined;
  /** Signs requests in an account's name, where the cluster has accounts: see `signer`. */
  readonly sign?: Sign | undefined;
  /** Speaks TLS with all nameservers and brokers; plain without it. */
  readonly tls?: ClientTlsOptions | undefined;
}
