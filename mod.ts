/**
 * rocketd: a RocketMQ 4.x compatible nameserver and broker, and an SDK for RocketMQ from 4.1 to 5.1. Run, it is the
 * program `rocketd`; imported, it gives producers, consumers and administration, and nodes to start in one's own process.
 *
 * @example A cluster for a test, a producer and a consumer
 * ```ts
 * import { LitePullConsumer, Producer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * const { nameservers } = cluster; // or "10.0.0.1:9876;10.0.0.2:9876"
 * await using producer = new Producer({ nameservers });
 * await producer.send({ topic: "orders", body: "one pizza" });
 *
 * const subscriptions = { orders: "*" };
 * await using consumer = new LitePullConsumer({ nameservers, group: "kitchen", subscriptions, from: "first" });
 * for await (const message of consumer) {
 *   assertEquals(message.text(), "one pizza");
 *   break;
 * }
 * ```
 *
 * @module
 */
import { main } from "./src/cli/main.ts";

export { type LocalCluster, type LocalClusterOptions, startLocalCluster } from "./src/cli/local_cluster.ts";
export { type Listening, type RunningNode, startNode } from "./src/cli/node.ts";
export {
  type Loaded,
  type LoadOptions,
  loadSettings,
  type NodeSettings,
  type Problem,
  type Role,
} from "./src/config/mod.ts";
export * from "./src/client/mod.ts";
export { type ErrorCode, ErrorCodes, type ErrorDetails, RocketdError } from "./src/errors.ts";
export { VERSION } from "./src/version.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
