/**
 * rocketd: a RocketMQ 4.x compatible nameserver and broker. Run, it is the program `rocketd`; imported, it gives what
 * that program is made of.
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
