/**
 * A cluster of one node in the caller's own process, for programs that want to be tested without an installation.
 *
 * @module
 */
import { loadSettings, problemLine } from "../config/mod.ts";
import { RocketdError } from "../errors.ts";
import { startNode } from "./node.ts";

/** Below the ports that Linux gives to outgoing connections, so that only other listeners can be in the way. */
const PORTS = { from: 20_002, to: 32_000 };
const PORTS_TRIED = 20;
const HERE = "127.0.0.1";

/**
 * How a cluster in one's own process differs from the usual one.
 *
 * @example
 * ```ts
 * import { type LocalClusterOptions, startLocalCluster } from "@rocketd/rocketd";
 * import { assert } from "@std/assert";
 *
 * const options: LocalClusterOptions = { settings: { enablePropertyFilter: true, "broker.brokerName": "broker-b" } };
 * await using cluster = await startLocalCluster(options);
 * assert(cluster.nameservers.startsWith("127.0.0.1:"));
 * ```
 */
export interface LocalClusterOptions {
  /** Settings of nameserver and master by RocketMQ's names, as `rocketd settings` shows them. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * A cluster that serves on this machine only, until it is closed.
 *
 * @example
 * ```ts
 * import { type LocalCluster, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster: LocalCluster = await startLocalCluster();
 * assertEquals(cluster.broker.split(":")[0], "127.0.0.1");
 * ```
 */
export interface LocalCluster extends AsyncDisposable {
  /** Where its nameserver is: what clients take as `nameservers`. */
  readonly nameservers: string;
  /** Where its master is, `host:port`. */
  readonly broker: string;
  /** Stops it and deletes all that it stored. Close clients first. */
  close(): Promise<void>;
  /** As `close`, at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a nameserver and a master in this process, on free ports of 127.0.0.1 and with a store in a temporary folder:
 * for the tests of programs that use RocketMQ. Topics come with their first message. Needs the permissions to listen, to
 * connect, to read and write the temporary folder, and to see how much memory there is (`--allow-sys=systemMemoryInfo`).
 * Rejects with `invalidSettings`, or as `startNode` does.
 *
 * @example
 * ```ts
 * import { Producer, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster();
 * await using producer = new Producer({ nameservers: cluster.nameservers });
 * const { status } = await producer.send({ topic: "orders", body: "one pizza" });
 * assertEquals(status, "SEND_OK");
 * ```
 */
export async function startLocalCluster({ settings = {} }: LocalClusterOptions = {}): Promise<LocalCluster> {
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "rocketd-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const node = stack.use(await onFreePorts(dir, settings));
  const [nameserver, master] = node.listening;
  const owned = stack.move();
  const close = () => owned.disposeAsync();
  return { nameservers: nameserver!.address, broker: master!.address, close, [Symbol.asyncDispose]: close };
}

/** A broker listens on three ports that hang together, so that no system call finds them. */
async function onFreePorts(dir: string, settings: NonNullable<LocalClusterOptions["settings"]>) {
  for (let attempt = 1;; attempt++) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const usual = {
      storePathRootDir: dir,
      bindAddress: HERE,
      brokerIP1: HERE,
      "broker.brokerName": "broker-a",
      httpListen: 0,
      "nameserver.listenPort": 0,
      "broker.listenPort": port,
    };
    const sets = Object.entries({ ...usual, ...settings }).map(([name, value]) => `${name}=${value}`);
    const loaded = await loadSettings({ roles: ["nameserver", "master"], sets });
    if (!loaded.ok) {
      const problems = loaded.problems.map((problem) => problemLine(problem, undefined));
      throw new RocketdError("invalidSettings", `Cannot start a cluster: ${problems.join("; ")}`);
    }
    try {
      return await startNode(loaded.settings);
    } catch (error) {
      if (!(error instanceof RocketdError && error.code === "inUse") || attempt === PORTS_TRIED) throw error;
    }
  }
}
