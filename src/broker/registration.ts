/**
 * How a broker makes itself known: it registers with every nameserver at start, every `registerNameServerPeriod`, at once
 * when its topics change, and soon after a nameserver was lost; it unregisters when it stops. Nameservers are served
 * side by side, so that one that is down delays no other. Follows BrokerController and BrokerOuterAPI of RocketMQ 4.9.7.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { BrokerSettings } from "../config/mod.ts";
import { messageOf } from "../errors.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { decodeDataVersion, encodeDataVersion, sameDataVersion } from "../protocol/bodies/data_version.ts";
import { decodeKvTable } from "../protocol/bodies/lists.ts";
import { encodeRegisterBroker, registerBodyCrc } from "../protocol/bodies/register_broker.ts";
import type { TopicConfig } from "../protocol/bodies/topic_config.ts";
import { Permission } from "../protocol/codes.ts";
import { QueryDataVersion, RegisterBroker, UnregisterBroker } from "../protocol/requests.ts";
import { type ClientSecurity, RemotingClient, succeed } from "../remoting/client.ts";
import type { TopicTable } from "./topics.ts";

const log = getLogger(["rocketd", "broker"]);

/** How long the start waits for the first round, ms. */
const FIRST_ROUND_MS = 3_000;
/** How soon a nameserver that was lost is tried again, ms: it has forgotten us, so clients cannot find us there. */
const RETRY_MS = 2_000;
/** How long a stop waits for each nameserver, ms. */
const UNREGISTER_TIMEOUT_MS = 3_000;

const READ_WRITE = Permission.READ | Permission.WRITE;

/** What a registration needs. */
export interface RegistrationOptions {
  readonly settings: Pick<
    BrokerSettings,
    | "namesrvAddr"
    | "brokerName"
    | "brokerClusterName"
    | "brokerId"
    | "brokerIP2"
    | "haListenPort"
    | "brokerPermission"
    | "compressedRegister"
    | "forceRegister"
    | "registerBrokerTimeoutMills"
    | "registerNameServerPeriod"
    | "brokerRole"
  >;
  /** What clients are told: `ip:port`. */
  readonly address: string;
  readonly topics: Pick<TopicTable, "all" | "version" | "setOrder" | "onChange">;
  readonly clock: Clock;
  readonly security?: ClientSecurity;
  /** For a slave: called with what the first nameserver that is up knows of its master, after each registration. */
  readonly onMaster?: (master: MasterPlace) => void;
}

/** Where a slave finds its master, as `host:port`: where clients do, and where slaves do. Undefined: no master is known. */
export interface MasterPlace {
  readonly masterAddr?: string | undefined;
  readonly haServerAddr?: string | undefined;
}

/** Whether a nameserver knows this broker, as far as can be told from here. */
export interface NameserverStanding {
  /** `host:port`. */
  readonly address: string;
  readonly registered: boolean;
}

/** Keeps a broker registered from `start` to `close`. */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #client: RemotingClient;
  readonly #lanes: Lane[];
  #period: Timer | undefined;
  #round: Promise<void> | undefined;
  #closed = false;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    const lanes = new Map<string, Lane>();
    this.#client = new RemotingClient({ ...options.security, onClose: (address) => lanes.get(address)?.lost() });
    for (const address of options.settings.namesrvAddr) {
      const isFirst = () => [...lanes.values()].find((lane) => lane.isUp)?.address === address;
      if (!lanes.has(address)) lanes.set(address, new Lane(address, options, this.#client, isFirst));
    }
    this.#lanes = [...lanes.values()];
    options.topics.onChange(() => this.registerNow());
  }

  /** Registers for the first time, waiting a little for that; a failure is logged and does not stop the start. */
  async start(): Promise<void> {
    const { clock, settings } = this.#options;
    this.#period = clock.every(settings.registerNameServerPeriod, () => {
      for (const lane of this.#lanes) lane.register(settings.forceRegister || settings.brokerRole === "SLAVE");
    });
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => timer = clock.after(FIRST_ROUND_MS, resolve));
    await Promise.race([this.registerNow(), late]);
    timer?.cancel();
  }

  /** Registers with all nameservers, once for all calls of one turn; resolves when each has answered or failed. */
  registerNow(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return this.#round ??= Promise.resolve().then(async () => {
      this.#round = undefined;
      await Promise.all(this.#lanes.map((lane) => lane.register(true)));
    });
  }

  /** How each nameserver stands to this broker. */
  standing(): NameserverStanding[] {
    return this.#lanes.map(({ address, isUp }) => ({ address, registered: isUp }));
  }

  /** Unregisters everywhere and closes the connections. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#period?.cancel();
    await Promise.all(this.#lanes.map((lane) => lane.unregister()));
    this.#client.close();
  }
}

/** One nameserver. At most one registration is under way; calls that come meanwhile share the one after it. */
class Lane {
  readonly address: string;
  readonly #options: RegistrationOptions;
  readonly #client: RemotingClient;
  /** Whether this is the first of the nameservers that are up: only that one's order table counts. */
  readonly #isFirst: () => boolean;
  #up: boolean | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #retry: Timer | undefined;
  #closed = false;

  constructor(address: string, options: RegistrationOptions, client: RemotingClient, isFirst: () => boolean) {
    this.address = address;
    this.#options = options;
    this.#client = client;
    this.#isFirst = isFirst;
  }

  get isUp(): boolean {
    return this.#up === true;
  }

  /**
   * Never rejects. Without `force`, a nameserver that has this version of the topics is only asked for it, and a
   * registration that is under way will do.
   */
  register(force: boolean): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#running === undefined) {
      this.#running = this.#run(force).finally(() => this.#running = undefined);
      return this.#running;
    }
    if (!force) return this.#running;
    return this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.register(true);
    });
  }

  async #run(force: boolean): Promise<void> {
    this.#retry?.cancel();
    this.#retry = undefined;
    try {
      if (force || await this.#isOutdated()) await this.#register();
      this.#setUp();
    } catch (error) {
      if (this.#closed) return;
      if (this.#up !== false) {
        log.warn("Cannot register with the nameserver {address}: {reason}; trying again and again", {
          address: this.address,
          reason: messageOf(error),
        });
      }
      this.#up = false;
      this.#tryAgain();
    }
  }

  #setUp(): void {
    if (this.#up !== true) log.info("registered with the nameserver {address}", { address: this.address });
    this.#up = true;
  }

  /** The connection has gone, and with it what the nameserver knew of us. */
  lost(): void {
    if (this.#closed || this.#running !== undefined) return;
    this.#up = undefined;
    this.#tryAgain();
  }

  #tryAgain(): void {
    this.#retry ??= this.#options.clock.after(RETRY_MS, () => void this.register(true));
  }

  get #identity(): { brokerName: string; brokerAddr: string; clusterName: string; brokerId: number } {
    const { brokerName, brokerClusterName, brokerId } = this.#options.settings;
    return { brokerName, brokerAddr: this.#options.address, clusterName: brokerClusterName, brokerId };
  }

  async #isOutdated(): Promise<boolean> {
    const { settings, topics } = this.#options;
    const ours = topics.version();
    const { code, header, body } = await this.#client.invoke(
      this.address,
      QueryDataVersion,
      this.#identity,
      encodeDataVersion(ours),
      settings.registerBrokerTimeoutMills,
    );
    if (code !== 0 || header.changed !== false || body.length === 0) return true;
    return !sameDataVersion(decodeDataVersion(body), ours);
  }

  async #register(): Promise<void> {
    const { settings, topics } = this.#options;
    const { brokerIP2, haListenPort, compressedRegister, registerBrokerTimeoutMills } = settings;
    const topicConfigTable = new Map([...topics.all()].map((topic) => [topic.topicName, this.#published(topic)]));
    const body = encodeRegisterBroker({
      topicConfigSerializeWrapper: { dataVersion: topics.version(), topicConfigTable },
      filterServerList: [],
    }, compressedRegister);
    const header = {
      ...this.#identity,
      haServerAddr: `${brokerIP2}:${haListenPort}`,
      compressed: compressedRegister,
      bodyCrc32: registerBodyCrc(body),
    };
    const received = await this.#client.invoke(
      this.address,
      RegisterBroker,
      header,
      body,
      registerBrokerTimeoutMills,
    );
    const { body: orders, header: { masterAddr, haServerAddr } } = succeed(received, "the registration");
    this.#setUp();
    if (!this.#isFirst()) return;
    this.#options.onMaster?.({ masterAddr, haServerAddr });
    // A slave's topics are ordered where its master's are.
    if (orders.length > 0 && settings.brokerRole !== "SLAVE") topics.setOrder(decodeKvTable(orders));
  }

  /** A broker that may not be read from or written to says so of each topic. */
  #published(topic: TopicConfig): TopicConfig {
    const { brokerPermission } = this.#options.settings;
    return (brokerPermission & READ_WRITE) === READ_WRITE ? topic : { ...topic, perm: brokerPermission };
  }

  /** Unregisters if the nameserver is there; registers no more. */
  async unregister(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    if (this.#up !== true) return;
    try {
      const { address } = this;
      const received = await this.#client.invoke(
        address,
        UnregisterBroker,
        this.#identity,
        undefined,
        UNREGISTER_TIMEOUT_MS,
      );
      succeed(received, "the unregistration");
    } catch (error) {
      log.warn("Cannot unregister from {address}: {reason}", { address: this.address, reason: messageOf(error) });
    }
  }
}
