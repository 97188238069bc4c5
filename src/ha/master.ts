/**
 * The master's side of replication: listens on `haListenPort`, sends every slave the log (slave_link.ts) and tells the
 * store how much of it slaves hold.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { HA_DRAIN_MS, REFUSALS_LOGGED_EVERY_MS } from "../limits.ts";
import { LineBudget } from "../logging/line_budget.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { acceptAll, type ListenAddress, listenOn } from "../remoting/listener.ts";
import { type LinkOwner, type LinkSettings, SlaveLink, type SourceLog } from "./slave_link.ts";

const log = getLogger(["rocketd", "ha"]);

/** How often heartbeats and idle limits are looked at, ms, at the least; more often where these are short. */
const TICK_MS_MAX = 1_000;
const TICKS_PER_INTERVAL = 4;
/** Lines about slaves that the log takes in `REFUSALS_LOGGED_EVERY_MS`: there may be many bad ones. */
const LINES_MAX = 20;

/** What a master needs of its store. */
export interface ReplicatedStore extends SourceLog {
  /** Calls back with the log's end after bytes were written. */
  onWritten(listener: (end: number) => void): void;
  /** Hears up to where a slave holds the log. */
  acknowledged(end: number): void;
  /** Asks here how many slaves are connected. */
  replicas: { connected: () => number };
}

export interface HaMasterSettings extends LinkSettings {
  /** Connections beyond this are closed at once. */
  readonly haConnectionsMax: number;
}

export interface HaMasterOptions extends ListenAddress {
  readonly store: ReplicatedStore;
  readonly settings: HaMasterSettings;
  readonly clock: Clock;
}

/** A slave that is being sent the log. */
export interface SlaveState {
  /** `ip:port`. */
  readonly peer: string;
  /** The end of its log as it reported it last. */
  readonly reported: number;
  /** Bytes that it has not reported yet. */
  readonly lag: number;
}

/** Serves slaves until {@linkcode HaMaster.close}. */
export class HaMaster implements LinkOwner {
  readonly #options: HaMasterOptions;
  readonly #listener: Deno.TcpListener;
  readonly #accepting: Promise<void>;
  readonly #links = new Set<SlaveLink>();
  readonly #timer: Timer;
  readonly #lines = new LineBudget(LINES_MAX, REFUSALS_LOGGED_EVERY_MS);
  readonly #refusals = new LineBudget(1, REFUSALS_LOGGED_EVERY_MS);
  #acknowledged = 0;
  #closing: Promise<void> | undefined;
  #caughtUp: (() => void) | undefined;

  /** Throws `inUse` when the port is taken. */
  constructor(options: HaMasterOptions) {
    this.#options = options;
    const { store, settings, clock } = options;
    this.#listener = listenOn(options, "haListenPort");
    const shortest = Math.min(settings.haSendHeartbeatInterval, settings.haHousekeepingInterval);
    this.#timer = clock.every(Math.max(1, Math.min(TICK_MS_MAX, shortest / TICKS_PER_INTERVAL)), () => this.#tick());
    store.replicas = { connected: () => this.#replicas };
    store.onWritten(() => {
      for (const link of this.#links) link.wake();
    });
    this.#accepting = acceptAll(this.#listener, log, (conn) => this.#take(conn));
  }

  /** The port that slaves connect to. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** The slaves that have reported. */
  slaves(): SlaveState[] {
    return [...this.#links]
      .filter(({ reported }) => reported >= 0)
      .map(({ peer, reported, lag }) => ({ peer, reported, lag }));
  }

  get #replicas(): number {
    let count = 0;
    for (const { reported } of this.#links) if (reported >= 0) count++;
    return count;
  }

  #take(conn: Deno.TcpConn): void {
    const { store, settings, clock } = this.#options;
    if (this.#links.size >= settings.haConnectionsMax) {
      conn.close();
      const more = this.#refusals.spend(clock.now());
      if (more !== undefined) {
        log.warn("refusing slaves: {max} are connected{more}", { max: settings.haConnectionsMax, more });
      }
      return;
    }
    conn.setNoDelay(true);
    const link = new SlaveLink(conn, store, settings, clock, this);
    this.#links.add(link);
    link.run();
  }

  #tick(): void {
    const now = this.#options.clock.now();
    for (const link of this.#links) link.tick(now);
  }

  reported({ peer, next }: SlaveLink, end: number, first: boolean): void {
    if (first) {
      this.#say("info", "slave {peer} has the log up to {end}: sending it from {next} on", { peer, end, next });
    }
    if (end > this.#acknowledged) {
      this.#acknowledged = end;
      this.#options.store.acknowledged(end);
    }
    this.#tellCaughtUp();
  }

  ended(link: SlaveLink, reason: string | undefined): void {
    this.#links.delete(link);
    const { peer, reported } = link;
    if (reason !== undefined) this.#say("warn", "closing slave {peer}: {reason}", { peer, reason });
    else if (reported >= 0) {
      this.#say("info", "slave {peer} has left, it has the log up to {reported}", { peer, reported });
    }
    this.#tellCaughtUp();
  }

  /** A line of the log, unless there were too many. */
  #say(level: "info" | "warn", message: string, values: Record<string, unknown>): void {
    const more = this.#lines.spend(this.#options.clock.now());
    if (more !== undefined) log[level](`${message}{more}`, { ...values, more });
  }

  #tellCaughtUp(): void {
    if (this.#caughtUp !== undefined && this.slaves().every(({ lag }) => lag === 0)) this.#caughtUp();
  }

  /** Takes no new slaves, gives those that are there a moment to get the rest of the log, and closes. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(HA_DRAIN_MS, resolve);
      this.#caughtUp = () => {
        timer.cancel();
        resolve();
      };
      this.#tellCaughtUp();
    });
    this.#timer.cancel();
    for (const link of this.#links) link.close();
  }
}
