/**
 * The nodes that the client programs meet: ours or Java's, as the environment variable `CLUSTER` says.
 *
 * @module
 */
import {
  type BrokerOptions,
  type Node,
  type Settings,
  type SlaveOptions,
  startJavaBroker,
  startJavaNameserver,
  startJavaSlave,
  startRocketd,
} from "../launch.ts";

/** Who plays which part: `rocketd`, `java`, `java-ns+rocketd` (a Java nameserver, our broker), `rocketd-ns+java`. */
export type Kind = "rocketd" | "java" | "java-ns+rocketd" | "rocketd-ns+java";

const KINDS: readonly string[] = ["rocketd", "java", "java-ns+rocketd", "rocketd-ns+java"];

/** What `$CLUSTER` says; our own nodes if it says nothing. */
export function clusterKind(): Kind {
  const kind = Deno.env.get("CLUSTER") ?? "rocketd";
  if (!KINDS.includes(kind)) throw new Error(`CLUSTER is "${kind}", allowed are ${KINDS.join(", ")}`);
  return kind as Kind;
}

/** Small log files, so that tests see them roll over; the same for both brokers, so that they can exchange stores. */
export const STORE_SETTINGS = { mappedFileSizeCommitLog: 16 << 20, mappedFileSizeConsumeQueue: 20 * 2000 };

/** Starts a nameserver of the given kind. `jvm`: further flags for Java's. */
export async function startNameserver(
  kind: Kind = clusterKind(),
  settings: Settings = {},
  jvm: readonly string[] = [],
): Promise<Node> {
  if (kind.startsWith("java")) return await startJavaNameserver(settings, { jvm });
  return await startRocketd({ role: "nameserver", settings });
}

/** Starts a master of the given kind, with small log files. */
export async function startBroker(options: BrokerOptions, kind: Kind = clusterKind()): Promise<Node> {
  const all = { ...options, settings: { ...STORE_SETTINGS, ...options.settings } };
  return kind.endsWith("java") ? await startJavaBroker(all) : await startRocketd({ role: "master", ...all });
}

/** Starts a slave of the given kind, with log files of the same size. */
export async function startSlave(options: SlaveOptions, kind: Kind): Promise<Node> {
  const all = { ...options, settings: { ...STORE_SETTINGS, ...options.settings } };
  return kind.endsWith("java") ? await startJavaSlave(all) : await startRocketd({ role: "slave", ...all });
}

/** A nameserver and two masters: one that makes topics for the first message (`open`), one that does not (`closed`). */
export interface Cluster extends AsyncDisposable {
  nameserver: Node;
  open: Node;
  closed: Node;
}

/** Starts the cluster that the client programs meet. */
export async function startCluster(kind: Kind = clusterKind()): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const nameserver = stack.use(await startNameserver(kind));
  const namesrvAddr = nameserver.address;
  const open = stack.use(await startBroker({ namesrvAddr, brokerName: "broker-a" }, kind));
  const settings = { autoCreateTopicEnable: false };
  const closed = stack.use(await startBroker({ namesrvAddr, brokerName: "broker-b", settings }, kind));
  const nodes = stack.move();
  return { nameserver, open, closed, [Symbol.asyncDispose]: () => nodes.disposeAsync() };
}

/** Rethrows with the last lines that the nodes logged: mostly there is the reason why a client failed. */
export async function withLogs<T>(nodes: Node[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const node of nodes) {
      const tail = (await node.log()).split("\n").slice(-15).join("\n");
      Deno.stderr.writeSync(new TextEncoder().encode(`--- ${node.name}, end of its log\n${tail}\n`));
    }
    throw error;
  }
}

/** Does the same with Java nodes and with ours, at a time; waits for both even if one fails, so that nothing is left. */
export async function onJavaAndOurs<T>(work: (kind: Kind) => Promise<T>): Promise<{ java: T; ours: T }> {
  const [java, ours] = await Promise.allSettled([work("java"), work("rocketd")]);
  if (java.status === "rejected") throw java.reason;
  if (ours.status === "rejected") throw ours.reason;
  return { java: java.value, ours: ours.value };
}
