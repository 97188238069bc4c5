/**
 * A slave's side of the stream: it follows one master, whose log it copies byte for byte, and tries again and again when
 * that fails. It never overwrites what it has.
 *
 * RocketMQ's protocol tells a slave nothing about the log's begin: a slave without a log that reports 0, as Java's does,
 * gets the master's last file only. Ours asks over remoting for the oldest offset and reports that one. When that is 0
 * it reports 0, which is right while the master has one file; if the answer begins elsewhere, it reports 1 and works
 * the byte at 0 out ({@linkcode FirstByte}).
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../errors.ts";
import { CONNECT_TIMEOUT_MS, HA_RETRY_MS_MAX, HA_RETRY_MS_MIN, HA_TROUBLE_LOGGED_EVERY_MS } from "../limits.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { parseAddress } from "../remoting/client.ts";
import type { CopyStore } from "./copy_store.ts";
import { type LinkSettings, lostItsEnd, MasterLink, OtherStart } from "./master_link.ts";
import { isFresh, startInLog, type StartPoint } from "./start_point.ts";

const log = getLogger(["rocketd", "ha"]);

/** How far a master's log goes, as far as it tells. */
export interface MasterLog {
  /** Its oldest offset (`commitLogMinOffset`). */
  readonly oldest: number | undefined;
  /** Its end (`commitLogMaxOffset`). */
  readonly end: number | undefined;
  /** Why it is not known how far it goes. */
  readonly unknown?: string;
}

export interface HaSlaveOptions {
  readonly store: CopyStore;
  readonly settings: LinkSettings;
  readonly clock: Clock;
  /** Asks the master with this HA address for its log. Rejects with the reason why this master cannot be followed. */
  readonly masterLog: (haAddress: string) => Promise<MasterLog>;
  /** Called whenever the master has shown that it has the same log. */
  readonly onCopying?: () => void;
  /** The port for slaves that this node itself listens on, if it does: a connection to it is refused. */
  readonly ownPort?: number;
  /** For tests. */
  readonly connect?: (address: { hostname: string; port: number }) => Promise<Deno.Conn>;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** For health and metrics. */
export interface HaSlaveStatus {
  /** `copying` once the master has shown that it has the same log; `waiting` between two attempts. */
  readonly state: "idle" | "connecting" | "copying" | "waiting" | "closed";
  readonly master: string | undefined;
  /** The end of this slave's log. */
  readonly offset: number;
  /** Why the last attempt failed; undefined while copying. */
  readonly lastError: string | undefined;
}

/** Follows the master that `setMaster` names, from then to `close`. */
export class HaSlave {
  readonly #options: HaSlaveOptions;
  #state: HaSlaveStatus["state"] = "idle";
  #master: string | undefined;
  #lastError: string | undefined;
  #loggedAt = -Infinity;
  /** Failed attempts since the last good one. */
  #failures = 0;
  /** Where the next attempt should begin, learned from the last. */
  #hint = 0;
  #link: MasterLink | undefined;
  #running: Promise<void> | undefined;
  /** Ends the attempt, or the pause, that is under way. */
  #stop = new AbortController();

  constructor(options: HaSlaveOptions) {
    this.#options = options;
  }

  get status(): HaSlaveStatus {
    const { maxLogOffset: offset } = this.#options.store;
    return { state: this.#state, master: this.#master, offset, lastError: this.#lastError };
  }

  /** Names the master's HA address, `ip:port`, or undefined when none is known. Nothing happens while it is the same. */
  setMaster(haAddress: string | undefined): void {
    if (this.#state === "closed" || haAddress === this.#master) return;
    log.info("the master is {address}", { address: haAddress ?? "not known" });
    this.#master = haAddress;
    this.#hint = this.#failures = 0;
    this.#lastError = undefined;
    this.#loggedAt = -Infinity;
    this.#stopTrying();
    this.#running ??= this.#run();
  }

  /** Ends the copying; resolves when nothing more will be appended. */
  async close(): Promise<void> {
    this.#state = "closed";
    this.#master = undefined;
    this.#stopTrying();
    await this.#running;
  }

  #stopTrying(): void {
    this.#link?.end(new RocketdError("aborted", "the master has changed"));
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    for (let master = this.#master; master !== undefined; master = this.#master) {
      this.#state = "connecting";
      const { signal } = this.#stop = new AbortController();
      const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      let again = false;
      try {
        await Promise.race([this.#copyFrom(master, signal), stopped]);
      } catch (error) {
        again = error instanceof OtherStart && this.#hint !== error.from;
        this.#hint = error instanceof OtherStart ? error.from : 0;
        if (!again && !signal.aborted) this.#tellTrouble(master, messageOf(error));
      }
      if (!again && !signal.aborted) await this.#pause(stopped);
    }
    if (this.#state !== "closed") this.#state = "idle";
    // At once, so that a master named from now on is not left to this run.
    this.#running = undefined;
  }

  /** Always rejects, but for an attempt that was stopped. */
  async #copyFrom(master: string, signal: AbortSignal): Promise<void> {
    const address = parseAddress(master);
    const { store, settings, clock, masterLog } = this.#options;
    const theirs = await masterLog(master);
    const { maxLogOffset } = store;
    // Before anything is reported: a SYNC_MASTER of RocketMQ takes what lies beyond its log as acknowledged.
    if (theirs.end !== undefined && theirs.end < maxLogOffset) {
      throw lostItsEnd(`its log ends at offset ${theirs.end}`, maxLogOffset);
    }
    const start = isFresh(store) ? this.#freshStart(theirs) : await startInLog(store, this.#hint);
    if (signal.aborted) return;
    const conn = await this.#connect(address);
    if (signal.aborted) return conn.close();
    const link = new MasterLink(conn, {
      store,
      settings,
      clock,
      start,
      oldest: async () => (await masterLog(master)).oldest,
      onGood: () => this.#isGood(master),
    });
    this.#link = link;
    try {
      await link.run();
    } finally {
      if (this.#link === link) this.#link = undefined;
    }
  }

  #freshStart({ oldest: from, unknown }: MasterLog): StartPoint {
    const { store } = this.#options;
    const own = new Uint8Array(0);
    if (from === undefined) {
      const reason = "where its log begins cannot be learned (request 28 to its listenPort)";
      throw new RocketdError("unavailable", unknown === undefined ? reason : `${reason}: ${unknown}`);
    }
    const { mappedFileSizeCommitLog: fileBytes } = store.options;
    if (from > 0 && from % fileBytes !== 0) {
      const reason = `its log begins at offset ${from}, which is no multiple of mappedFileSizeCommitLog`;
      throw new RocketdError("invalidArgument", `${reason}, here ${fileBytes}: that must be the master's`);
    }
    return { from: from > 0 ? from : this.#hint === 1 ? 1 : 0, own };
  }

  async #connect(address: { hostname: string; port: number }): Promise<Deno.Conn> {
    const { clock, ownPort, connect = Deno.connect } = this.#options;
    const connecting = connect(address);
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      const giveUp = () => reject(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`));
      timer = clock.after(CONNECT_TIMEOUT_MS, giveUp);
    });
    let conn: Deno.Conn;
    try {
      conn = await Promise.race([connecting, late]);
    } catch (cause) {
      connecting.then((late) => late.close(), () => {});
      throw new RocketdError("unavailable", `no connection: ${messageOf(cause)}`, { cause });
    } finally {
      timer?.cancel();
    }
    const { localAddr, remoteAddr } = conn as Deno.TcpConn;
    if (localAddr.hostname === remoteAddr.hostname && remoteAddr.port === ownPort) {
      conn.close();
      throw new RocketdError(
        "invalidArgument",
        "this is this slave's own port: haMasterAddress must name the master's",
      );
    }
    (conn as Partial<Deno.TcpConn>).setNoDelay?.(true);
    return conn;
  }

  #isGood(master: string): void {
    if (this.#master !== master) return;
    this.#state = "copying";
    this.#failures = 0;
    this.#lastError = undefined;
    this.#loggedAt = -Infinity;
    log.info("copying the log of {master} from offset {offset}", {
      master,
      offset: this.#options.store.maxLogOffset,
    });
    this.#options.onCopying?.();
  }

  /** Logs what is new, and what stays now and then. A reason with other numbers is not new: logs grow meanwhile. */
  #tellTrouble(master: string, reason: string): void {
    const now = this.#options.clock.now();
    const isNew = withoutNumbers(reason) !== withoutNumbers(this.#lastError ?? "");
    this.#lastError = reason;
    if (!isNew && now - this.#loggedAt < HA_TROUBLE_LOGGED_EVERY_MS) return;
    this.#loggedAt = now;
    log.warn("Cannot copy the log of {master}: {reason}; trying again and again", { master, reason });
  }

  async #pause(stopped: Promise<void>): Promise<void> {
    const { clock, random = Math.random } = this.#options;
    this.#state = "waiting";
    const most = Math.min(HA_RETRY_MS_MIN * 2 ** this.#failures++, HA_RETRY_MS_MAX);
    let timer: Timer | undefined;
    const over = new Promise<void>((resolve) => timer = clock.after(most * (1 + random()) / 2, resolve));
    await Promise.race([over, stopped]);
    timer?.cancel();
  }
}

function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+/g, "0");
}
