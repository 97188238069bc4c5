/**
 * The nameserver role: brokers register here, clients ask where topics are.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { NameserverSettings } from "../config/nameserver.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { denoDisk, type Disk } from "../platform/disk.ts";
import { accountsOf } from "../remoting/access/accounts.ts";
import { isAdministrative } from "../remoting/access/administration.ts";
import { guard } from "../remoting/access/guard.ts";
import { GetNamesrvConfig } from "../protocol/admin_requests.ts";
import type { RequestType } from "../protocol/request.ts";
import { RemotingServer, type ServerCounts } from "../remoting/server.ts";
import { openServerTls } from "../remoting/tls/settings.ts";
import { nameserverHandlers } from "./handlers.ts";
import { KvConfig } from "./kv_config.ts";
import { RouteTable } from "./route_table.ts";

export { KvConfig } from "./kv_config.ts";
export { RouteTable } from "./route_table.ts";

const log = getLogger(["rocketd", "nameserver"]);

const EXPIRY_FIRST_MS = 5_000;
const EXPIRY_PERIOD_MS = 10_000;

/** A running nameserver. */
export interface Nameserver {
  /** The port that it listens on. */
  readonly port: number;
  readonly routes: RouteTable;
  readonly kv: KvConfig;
  readonly counts: ServerCounts;
  close(): Promise<void>;
}

/** Disk and clock, where a test brings its own. */
export interface NameserverPlatform {
  readonly disk?: Disk;
  readonly clock?: Clock;
}

/** What {@linkcode startNameserver} needs of the settings. */
export type NameserverOptions = Pick<
  NameserverSettings,
  | "bindAddress"
  | "listenPort"
  | "kvConfigPath"
  | "orderMessageEnable"
  | "adminRequestsFrom"
  | "aclEnable"
  | "aclFile"
  | "maxConnections"
  | "serverChannelMaxIdleTimeSeconds"
  | "tlsServerMode"
  | "tlsServerCertPath"
  | "tlsServerKeyPath"
>;

/** Starts a nameserver. Throws `inUse` when the port is taken, `damagedStore` when kvConfig.json cannot be read. */
export async function startNameserver(
  settings: NameserverOptions,
  { disk = denoDisk, clock = systemClock }: NameserverPlatform = {},
): Promise<Nameserver> {
  const routes = new RouteTable();
  const kv = KvConfig.open(disk, settings.kvConfigPath);
  const handlers = nameserverHandlers({ routes, kv, clock, settings });
  const accounts = accountsOf(settings, { disk, clock });
  guard(handlers, { accounts, adminRequestsFrom: settings.adminRequestsFrom, concerns: isForAdministrators });
  const tls = await openServerTls(settings);
  let server: RemotingServer;
  try {
    server = new RemotingServer({
      hostname: settings.bindAddress,
      port: settings.listenPort,
      tls,
      handlers,
      connectionsMax: settings.maxConnections,
      idleMs: settings.serverChannelMaxIdleTimeSeconds * 1000,
      onClose: (connection) => routes.linkClosed(connection),
    });
  } catch (error) {
    await tls?.close();
    throw error;
  }
  const expire = () => routes.expire(clock.now());
  accounts?.watch();
  const timers = [clock.after(EXPIRY_FIRST_MS, expire), clock.every(EXPIRY_PERIOD_MS, expire)];
  log.info("nameserver listens on {address}:{port}", { address: settings.bindAddress, port: server.port });
  return {
    port: server.port,
    routes,
    kv,
    counts: server.counts,
    async close() {
      for (const timer of timers) timer.cancel();
      accounts?.close();
      await server.close();
      await tls?.close();
    },
  };
}

/** Clients and brokers do without accounts here, as in RocketMQ: what they ask and tell is open to all. */
function isForAdministrators(type: RequestType): boolean {
  return isAdministrative(type) || type.code === GetNamesrvConfig.code;
}
