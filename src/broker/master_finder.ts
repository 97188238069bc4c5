/**
 * Which master a slave follows: the one that `haMasterAddress` says, else the one that the nameserver has under the
 * slave's broker name. As in RocketMQ 4.9.7 a nameserver that no longer knows a master changes nothing about where
 * messages come from; other than there, a slave that knows no master asks again soon, an address that was set is asked
 * whose it is, and settings are copied from there too where no nameserver tells better.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { BrokerSettings } from "../config/mod.ts";
import { messageOf } from "../errors.ts";
import type { MasterLog } from "../ha/slave.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { GetBrokerConfig, GetBrokerRuntimeInfo } from "../protocol/requests.ts";
import { parseAddress, type RemotingClient, succeed } from "../remoting/client.ts";
import type { MasterPlace } from "./registration.ts";
import { runtimeIn } from "./runtime_info.ts";

const log = getLogger(["rocketd", "broker"]);

/** How long a broker may take to tell of itself, ms. */
const ASK_TIMEOUT_MS = 3_000;

/** How soon a slave without a master looks for one again, ms. */
const LOOK_AGAIN_MS = 5_000;

const UNKNOWN_LOG: MasterLog = { oldest: undefined, end: undefined };

/** What finding the master needs. */
export interface MasterFinderOptions {
  readonly settings: Pick<BrokerSettings, "brokerName" | "brokerId" | "haMasterAddress">;
  /** What clients are told of this slave: `ip:port`. */
  readonly address: string;
  readonly client: Pick<RemotingClient, "invoke">;
  readonly clock: Clock;
  /** Told where messages come from, the port for slaves; undefined: from nowhere. */
  readonly follow: (haAddress: string | undefined) => void;
  /** Told where settings come from, the port for clients; undefined: from nowhere. */
  readonly copyFrom: (address: string | undefined) => void;
  /** Asks the nameservers again, which ends in {@linkcode MasterFinder.told}. */
  readonly askNameservers: () => void;
}

/** Finds the master, and sees to it that it is the right one. */
export class MasterFinder {
  readonly #options: MasterFinderOptions;
  #told: MasterPlace = {};
  #found = false;
  #said: string | undefined;
  #timer: Timer | undefined;
  #round = 0;
  #closed = false;

  constructor(options: MasterFinderOptions) {
    this.#options = options;
  }

  /** Looks now and, until a master is found, every few seconds. */
  start(): void {
    this.#timer = this.#options.clock.every(LOOK_AGAIN_MS, () => this.#look());
    this.#look();
  }

  #look(): void {
    if (this.#found) return;
    this.#options.askNameservers();
    if (this.#options.settings.haMasterAddress !== "") void this.#decide();
  }

  /** What a nameserver knows of the master; nothing when there is none. */
  told(place: MasterPlace): void {
    this.#told = place;
    void this.#decide();
  }

  async #decide(): Promise<void> {
    const round = ++this.#round;
    const { settings: { brokerName, haMasterAddress }, address } = this.#options;
    const { masterAddr, haServerAddr } = this.#told;
    if (haMasterAddress !== "") {
      const whose = await this.#whose(haMasterAddress);
      if (round !== this.#round || this.#closed) return;
      if (whose.problem !== undefined) return this.#refuse(`haMasterAddress=${haMasterAddress} ${whose.problem}`);
      return this.#take(haMasterAddress, masterAddr ?? whose.clientAddress);
    }
    if (masterAddr === address) {
      return this.#refuse(`the nameserver has ${address}, which is this slave itself, as master of ${brokerName}`);
    }
    if (masterAddr === undefined || haServerAddr === undefined) {
      this.#say("info", `no master of ${brokerName} is registered with the nameserver; looking again`);
      this.#found = false;
      return this.#options.copyFrom(undefined);
    }
    this.#take(haServerAddr, masterAddr);
  }

  #take(haAddress: string, clientAddress: string | undefined): void {
    this.#found = clientAddress !== undefined;
    this.#said = undefined;
    this.#options.copyFrom(clientAddress === this.#options.address ? undefined : clientAddress);
    this.#options.follow(haAddress);
  }

  #refuse(problem: string): void {
    this.#found = false;
    this.#say("error", `Cannot follow a master: ${problem}`);
    this.#options.copyFrom(undefined);
    this.#options.follow(undefined);
  }

  /** Once, until there is something else to say. */
  #say(level: "info" | "error", text: string): void {
    if (this.#said === text) return;
    this.#said = text;
    log[level]("{text}", { text });
  }

  /**
   * Whose a port for slaves is, or why it is none to follow. RocketMQ has it next to the port for clients, where every
   * broker tells its settings; of one that does not answer there nothing is known, and nothing held against it.
   */
  async #whose(haAddress: string): Promise<{ problem?: string; clientAddress?: string }> {
    const { settings: { brokerName, brokerId } } = this.#options;
    const clientAddress = besideOf(haAddress);
    if (clientAddress === undefined) return {};
    const theirs = await this.#settingsOf(clientAddress);
    if (theirs === undefined) return {};
    const [name, id, role] = ["brokerName", "brokerId", "brokerRole"].map((key) => theirs.get(key));
    if (name !== brokerName) {
      return { problem: `is the address of a broker named ${name}, this slave's brokerName is ${brokerName}` };
    }
    if (role === "SLAVE" && id === String(brokerId)) {
      return { problem: `is this slave itself, or another one with the same brokerId ${brokerId}` };
    }
    return { clientAddress };
  }

  async #settingsOf(address: string): Promise<ReadonlyMap<string, string> | undefined> {
    try {
      const received = await this.#options.client.invoke(address, GetBrokerConfig, {}, undefined, ASK_TIMEOUT_MS);
      const lines = new TextDecoder().decode(succeed(received).body).split("\n");
      return new Map(lines.flatMap((line) => {
        const at = line.indexOf("=");
        return at < 0 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
      }));
    } catch (error) {
      log.debug("cannot ask {address} for its settings: {reason}", { address, reason: messageOf(error) });
      return undefined;
    }
  }

  /** How far a master's log goes. Never rejects. */
  async masterLog(haAddress: string): Promise<MasterLog> {
    const address = this.#told.masterAddr ?? besideOf(haAddress);
    if (address === undefined) return UNKNOWN_LOG;
    try {
      const received = await this.#options.client.invoke(address, GetBrokerRuntimeInfo, {}, undefined, ASK_TIMEOUT_MS);
      const { minLogOffset: oldest, maxLogOffset: end } = runtimeIn(succeed(received).body);
      return { oldest, end };
    } catch (error) {
      return { ...UNKNOWN_LOG, unknown: messageOf(error) };
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }
}

/** The address for clients that RocketMQ has beside one for slaves: a port below. Undefined when there is none. */
function besideOf(haAddress: string): string | undefined {
  const { hostname, port } = parseAddress(haAddress);
  if (port <= 1) return undefined;
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port - 1}`;
}
