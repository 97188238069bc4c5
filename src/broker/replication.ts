/**
 * A broker's part in replication: a master serves slaves on `haListenPort`; a slave finds its master, copies its log and
 * its tables.
 *
 * @module
 */
import { HaMaster } from "../ha/master.ts";
import { HaSlave } from "../ha/slave.ts";
import { HA_CONNECTIONS_MAX } from "../limits.ts";
import { type ClientSecurity, RemotingClient } from "../remoting/client.ts";
import type { BrokerContext } from "./context.ts";
import type { Delays } from "./delays.ts";
import type { SlaveStanding } from "./health.ts";
import { MasterFinder } from "./master_finder.ts";
import type { MasterPlace } from "./registration.ts";
import { SlaveCopy } from "./slave_copy.ts";

/** Serves slaves from now on. Throws `inUse` when the port is taken. */
export function serveSlaves({ settings, store, clock }: Pick<BrokerContext, "settings" | "store" | "clock">): HaMaster {
  return new HaMaster({
    hostname: settings.bindAddress,
    port: settings.haListenPort,
    store,
    settings: { ...settings, haConnectionsMax: HA_CONNECTIONS_MAX },
    clock,
  });
}

/** A slave's part, from `start` to `close`. */
export class Following {
  readonly #client: RemotingClient;
  readonly #copy: SlaveCopy;
  readonly #finder: MasterFinder;
  readonly #log: HaSlave;

  /** @param askNameservers registers again, after which {@linkcode Following.told} is called */
  constructor(broker: BrokerContext, delays: Delays, askNameservers: () => void, security: ClientSecurity) {
    const { settings, store, clock, address } = broker;
    const client = this.#client = new RemotingClient(security);
    const sameLog = () => this.#log.status.state === "copying";
    this.#copy = new SlaveCopy({ ...broker, delayOffsets: delays.offsets, client, sameLog });
    this.#finder = new MasterFinder({
      settings,
      address,
      client,
      clock,
      follow: (haAddress) => this.#log.setMaster(haAddress),
      copyFrom: (clientAddress) => this.#copy.setMaster(clientAddress),
      askNameservers,
    });
    this.#log = new HaSlave({
      store,
      settings,
      clock,
      masterLog: (haAddress) => this.#finder.masterLog(haAddress),
      onCopying: () => this.#copy.logFits(),
      ownPort: settings.listenPort,
    });
  }

  /** What a nameserver knows of the master. */
  told(place: MasterPlace): void {
    this.#finder.told(place);
  }

  /** How far the copy has come. Never rejects. */
  async standing(): Promise<SlaveStanding> {
    const { master } = this.#log.status;
    const masterEnd = master === undefined ? undefined : (await this.#finder.masterLog(master)).end;
    return { status: this.#log.status, masterEnd };
  }

  start(): void {
    this.#copy.start();
    this.#finder.start();
  }

  /** Stops; what has come of the log is in the store. */
  async close(): Promise<void> {
    this.#finder.close();
    await this.#log.close();
    this.#client.close();
    await this.#copy.close();
  }
}
