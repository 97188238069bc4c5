/**
 * What others in the process may see of a running broker: its tables, its health and its connections.
 *
 * @module
 */
import type { HaMaster } from "../ha/master.ts";
import type { RemotingServer } from "../remoting/server.ts";
import type { BrokerContext } from "./context.ts";
import { BrokerHealth, type Condition } from "./health.ts";
import type { Registration } from "./registration.ts";
import type { Following } from "./replication.ts";
import type { RuntimeInfo } from "./runtime_info.ts";

type Shown =
  | "settings"
  | "address"
  | "store"
  | "topics"
  | "groups"
  | "offsets"
  | "consumers"
  | "producers"
  | "stats"
  | "clock";

/** A broker as health and metrics see it: to read, not to change. */
export interface BrokerView extends Pick<BrokerContext, Shown> {
  /** What must be so for the broker to be ready. Never rejects. */
  conditions(): Promise<Condition[]>;
  /** What GET_BROKER_RUNTIME_INFO 28 answers, by key. */
  readonly runtimeInfo: RuntimeInfo;
  /** The slaves that are being sent the log; a slave has none. */
  slaves(): ReturnType<HaMaster["slaves"]>;
  /** The listeners for clients: the port, and its VIP twin. */
  readonly servers: readonly Pick<RemotingServer, "connections" | "counts">[];
}

/** What a view is made of. */
export interface ViewParts {
  readonly broker: BrokerContext;
  readonly runtimeInfo: RuntimeInfo;
  readonly registration: Registration;
  readonly following: Following | undefined;
  readonly slaves: HaMaster | undefined;
  readonly servers: readonly RemotingServer[];
}

/** Makes the view of a broker that serves. */
export function viewOf({ broker, runtimeInfo, registration, following, slaves, servers }: ViewParts): BrokerView {
  const health = new BrokerHealth({ ...broker, registration, following });
  return {
    ...broker,
    conditions: () => health.conditions(),
    runtimeInfo,
    slaves: () => slaves?.slaves() ?? [],
    servers,
  };
}
