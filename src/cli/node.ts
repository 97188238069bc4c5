/**
 * Wires the roles of one process together: starts them in order, and stops them in the opposite one.
 *
 * @module
 */
import { startBroker } from "../broker/mod.ts";
import { httpAddressOf, type NodeSettings, type Role } from "../config/mod.ts";
import { type NodeView, startHttp } from "../http/mod.ts";
import { startNameserver } from "../nameserver/mod.ts";
import { clientTlsOf } from "../remoting/tls/settings.ts";

/**
 * A role that serves, with where.
 *
 * @example
 * ```ts
 * import { type Listening, loadSettings, startNode } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const loaded = await loadSettings({ roles: ["nameserver"], sets: ["listenPort=0", "bindAddress=127.0.0.1"] });
 * if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
 * await using node = await startNode(loaded.settings);
 * const { role, port, address }: Listening = node.listening[0]!;
 * assertEquals([role, address], ["nameserver", `127.0.0.1:${port}`]);
 * ```
 */
export interface Listening {
  /** What serves. */
  readonly role: Role;
  /** The port that it has. */
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
}

/**
 * A node that serves.
 *
 * @example
 * ```ts
 * import { loadSettings, type RunningNode, startNode } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const loaded = await loadSettings({ roles: ["nameserver"], sets: ["listenPort=0", "httpListen=127.0.0.1:0"] });
 * if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
 * const node: RunningNode = await startNode(loaded.settings);
 * const health = await fetch(`http://${node.http}/healthz`);
 * assertEquals(health.status, 200);
 * await health.body?.cancel();
 * await node.close();
 * ```
 */
export interface RunningNode extends AsyncDisposable {
  /** Its roles, nameserver first. */
  readonly listening: readonly Listening[];
  /** Where HTTP is answered, as `host:port`; undefined: nowhere (`httpListen`). */
  readonly http: string | undefined;
  /** Stops in order: broker first, so that it can still take leave of its nameserver. */
  close(): Promise<void>;
}

interface Server {
  readonly port: number;
  close(): Promise<void>;
}

function addressOf(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Where this process itself reaches a role: not at an address that only means "all of mine". */
function addressFromHere({ port, address }: Listening): string {
  return address.replace(/^(0\.0\.0\.0|\[::\]):\d+$/, `127.0.0.1:${port}`);
}

/**
 * Starts the roles that the settings are for, and resolves when all of them serve. A broker beside a nameserver
 * registers with that one unless `namesrvAddr` names others. Throws `RocketdError`, with nothing left running.
 *
 * @example
 * ```ts
 * import { loadSettings, startNode } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * const loaded = await loadSettings({ roles: ["nameserver"], sets: ["listenPort=0"] });
 * if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
 * await using node = await startNode(loaded.settings);
 * assertEquals(node.listening.map(({ role }) => role), ["nameserver"]);
 * ```
 */
export async function startNode({ roles, nameserver, broker }: NodeSettings): Promise<RunningNode> {
  const servers: Server[] = [];
  const listening: Listening[] = [];
  const serves = (role: Role, server: Server, host: string) => {
    servers.push(server);
    listening.push({ role, port: server.port, address: addressOf(host, server.port) });
  };
  const close = async () => {
    view.nameserver = view.broker = undefined;
    const errors: unknown[] = [];
    for (let server = servers.pop(); server; server = servers.pop()) {
      // One that fails must not keep the others from stopping.
      await server.close().catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  };
  const { httpListen, httpHosts, adminRequestsFrom: apiFrom } = (broker ?? nameserver)!;
  const view: NodeView = { roles, nameservers: [], tls: broker && clientTlsOf(broker), apiFrom };
  let http: string | undefined;
  try {
    // First, so that it tells of a long start as well; and closed last.
    const httpAddress = httpAddressOf(httpListen);
    if (httpAddress !== undefined) {
      const server = startHttp({ address: httpAddress, hosts: httpHosts, node: view });
      servers.push(server);
      http = addressOf(httpAddress.hostname, server.port);
    }
    if (nameserver) {
      const server = view.nameserver = await startNameserver(nameserver);
      serves("nameserver", server, nameserver.bindAddress);
      view.nameservers = listening.map(addressFromHere);
    }
    if (broker) {
      const beside = broker.namesrvAddr.length === 0 ? view.nameservers : broker.namesrvAddr;
      view.nameservers = beside;
      const role = roles.includes("slave") ? "slave" : "master";
      const server = view.broker = await startBroker({ ...broker, namesrvAddr: beside });
      serves(role, server, broker.bindAddress);
    }
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
  return { listening, http, close, [Symbol.asyncDispose]: close };
}
