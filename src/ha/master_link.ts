/**
 * One connection of a slave to its master, from the first report to its end: what comes is checked and appended, what
 * this slave holds is reported.
 *
 * @module
 */
import { messageOf, RocketdError } from "../errors.ts";
import { HA_READ_BYTES } from "../limits.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { othersTurn } from "../remoting/turn.ts";
import { writeAll } from "../remoting/wires.ts";
import type { CopyStore } from "./copy_store.ts";
import { FirstByte } from "./first_byte.ts";
import { encodeReport, FrameReader, type FrameSink } from "./protocol.ts";
import type { StartPoint } from "./start_point.ts";

/** Settings of the stream, by their names of broker.conf; ms. */
export interface LinkSettings {
  readonly haSendHeartbeatInterval: number;
  readonly haHousekeepingInterval: number;
}

export interface LinkOptions {
  readonly store: CopyStore;
  readonly settings: LinkSettings;
  readonly clock: Clock;
  readonly start: StartPoint;
  /** The oldest offset that the master still has; undefined, or a rejection, when that cannot be learned now. */
  readonly oldest: () => Promise<number | undefined>;
  /** Called when the master has shown that it has the same log. */
  readonly onGood: () => void;
}

/** The master cannot be copied from where this slave began, but from somewhere else. */
export class OtherStart extends RocketdError {
  /** @param from its oldest offset, or 1 to get a log that begins at 0 and has several files */
  constructor(readonly from: number) {
    super("unavailable", `the copy must begin at offset ${from}`);
  }
}

/** The master has gone, without a word why. */
class Lost extends RocketdError {}

const BEGIN_ANEW =
  "nothing was written. To follow this master, stop this slave, move its store away and start it empty";

/** Refuses a master whose log ends before this slave's. */
export function lostItsEnd(theirs: string, end: number): RocketdError {
  const reason = `${theirs}, and this slave's ends at ${end}: the master lost its log's end, or is another one`;
  return new RocketdError("foreign", `${reason}; ${BEGIN_ANEW}, or make this one the master`);
}

export class MasterLink implements FrameSink {
  readonly #conn: Deno.Conn;
  readonly #options: LinkOptions;
  readonly #reader = new FrameReader();
  readonly #firstByte: FirstByte | undefined;
  readonly #timers: Timer[] = [];
  /** The end of this slave's own bytes that the master sends again. */
  readonly #ownEnd: number;
  /** Where the next byte of the master belongs. */
  #at: number;
  #heard = false;
  #lastRead: number;
  /** Heartbeats since the last data, and whether what they mean is being found out. */
  #beats = 0;
  #asking = false;
  #good = false;
  /** What had come when the last sync began, for SYNC_FLUSH. */
  #synced = -1;
  #reportDue = false;
  #reporting = false;
  #end: unknown;
  #ended = false;

  constructor(conn: Deno.Conn, options: LinkOptions) {
    const { start, store, clock } = options;
    this.#conn = conn;
    this.#options = options;
    this.#at = start.from;
    this.#ownEnd = start.from + start.own.length;
    this.#lastRead = clock.now();
    const first = store.maxLogOffset === 0 && start.from === 1;
    this.#firstByte = first ? new FirstByte(store.options.mappedFileSizeCommitLog) : undefined;
  }

  /** Copies until the connection ends; always rejects, with the reason. */
  async run(): Promise<never> {
    const { clock, settings } = this.#options;
    this.#timers.push(clock.every(settings.haSendHeartbeatInterval, () => this.#report()));
    this.#watch();
    this.#report();
    try {
      return await this.#read();
    } catch (error) {
      this.end(error);
    }
    const unexplained = this.#end instanceof Lost && (this.#at < this.#ownEnd || !this.#heard);
    throw (unexplained ? await this.#whyNothing().catch(() => undefined) : undefined) ?? this.#end;
  }

  /** Ends the connection, so that `run` rejects with `reason`. */
  end(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end = reason;
    for (const timer of this.#timers) timer.cancel();
    this.#conn.close();
  }

  async #read(): Promise<never> {
    const buffer = new Uint8Array(HA_READ_BYTES);
    for (;;) {
      const count = await this.#conn.read(buffer).catch((cause) => {
        throw new Lost("unavailable", `the connection broke: ${messageOf(cause)}`, { cause });
      });
      if (this.#ended) throw this.#end;
      if (count === null) throw this.#closedByMaster();
      this.#lastRead = this.#options.clock.now();
      const before = this.#at;
      this.#take(buffer.subarray(0, count));
      if (this.#at > before && this.#at >= this.#ownEnd) this.#report();
      // A master that is far ahead could fill every turn.
      await othersTurn();
      if (this.#ended) throw this.#end;
    }
  }

  #take(bytes: Uint8Array): void {
    try {
      this.#reader.take(bytes, this);
    } catch (error) {
      if (this.#heard || error instanceof OtherStart) throw error;
      throw new RocketdError("malformed", `${messageOf(error)}; perhaps ${NOT_HA}`, { cause: error });
    }
  }

  #closedByMaster(): RocketdError {
    const { from } = this.#options.start;
    const why = `it closed the connection when it was asked for offset ${from}: it does not have that, or ${NOT_HA}`;
    return new Lost("unavailable", this.#heard ? "it closed the connection" : why);
  }

  /** A frame begins: it must continue what came before. */
  frame(logOffset: number, size: number): void {
    const { start, store } = this.#options;
    if (logOffset !== this.#at) {
      if (!this.#heard && start.from === 0) throw new OtherStart(1);
      const reason = `what it sends begins at offset ${logOffset}, and this slave needs offset ${this.#at} next`;
      throw new RocketdError("gap", reason);
    }
    this.#heard = true;
    if (size === 0) return this.#heartbeat();
    this.#beats = 0;
    const { mappedFileSizeCommitLog: fileBytes } = store.options;
    if (logOffset % fileBytes + size > fileBytes) {
      const reason = `the ${size} bytes at offset ${logOffset} go beyond a log file's end`;
      throw new RocketdError(
        "malformed",
        `${reason}: mappedFileSizeCommitLog, here ${fileBytes}, must be the master's`,
      );
    }
  }

  /** Bytes of a frame: first those that this slave has, to be compared, then those to append. */
  data(logOffset: number, bytes: Uint8Array): void {
    const known = Math.min(bytes.length, Math.max(this.#ownEnd - logOffset, 0));
    if (known > 0) this.#compare(logOffset, bytes.subarray(0, known));
    this.#at = logOffset + bytes.length;
    if (this.#at >= this.#ownEnd) this.#isGood();
    if (known < bytes.length) this.#append(logOffset + known, bytes.subarray(known));
  }

  #compare(logOffset: number, bytes: Uint8Array): void {
    const { start } = this.#options;
    const skip = logOffset - start.from;
    const differs = bytes.findIndex((byte, i) => byte !== start.own[skip + i]);
    if (differs < 0) return;
    const reason = `from offset ${logOffset + differs} on it has another log than this slave, whose log ends at`;
    throw new RocketdError(
      "foreign",
      `${reason} ${this.#ownEnd}: this is another master, or one of both lost its end; ${BEGIN_ANEW}`,
    );
  }

  #append(logOffset: number, bytes: Uint8Array): void {
    const { store } = this.#options;
    const first = this.#firstByte;
    if (first === undefined || store.maxLogOffset > 0) return this.#appendCopy(logOffset, bytes);
    let rest = bytes, beginning = first.beginning;
    while (rest.length > 0 && beginning === undefined) {
      rest = rest.subarray(first.take(rest));
      beginning = first.beginning;
    }
    if (beginning === undefined) return;
    this.#appendCopy(0, beginning);
    if (rest.length > 0) this.#appendCopy(beginning.length, rest);
  }

  #appendCopy(logOffset: number, bytes: Uint8Array): void {
    try {
      this.#options.store.appendCopy(logOffset, bytes);
    } catch (error) {
      if (!(error instanceof RocketdError) || error.code !== "foreign") throw error;
      throw new RocketdError("foreign", `${error.message}; ${BEGIN_ANEW}`, { cause: error });
    }
  }

  #isGood(): void {
    if (this.#good) return;
    this.#good = true;
    this.#options.onGood();
  }

  /** A master sends the first one perhaps before it looked for data, the second because it has none. */
  #heartbeat(): void {
    if (this.#at >= this.#ownEnd) this.#isGood();
    this.#beats++;
    const { start } = this.#options;
    const stuck = this.#at < this.#ownEnd || this.#at === start.from;
    if (this.#beats < 2 || !stuck || this.#asking) return;
    this.#asking = true;
    this.#whyNothing().then((why) => {
      this.#asking = false;
      if (why !== undefined && this.#beats > 0) this.end(why);
    }, () => this.#asking = false);
  }

  /** Why the master sends nothing where this slave needs more; undefined when it may just have nothing new. */
  async #whyNothing(): Promise<RocketdError | undefined> {
    const at = this.#at;
    const { start, store } = this.#options;
    const oldest = at > start.from ? undefined : await this.#options.oldest().catch(() => undefined);
    const end = store.maxLogOffset;
    if (oldest !== undefined && oldest > at) {
      if (end === 0 || oldest <= end) return new OtherStart(oldest);
      const reason = `its log begins at offset ${oldest} by now, and this slave's ends at ${end}, so there is a gap`;
      return new RocketdError("gap", `${reason}; ${BEGIN_ANEW}`);
    }
    if (this.#ownEnd <= at || !this.#heard) return undefined;
    const where = at > start.from ? `its log ends at offset ${at}` : `it has nothing from offset ${at} on`;
    return lostItsEnd(where, end);
  }

  /** What the master may take as held by this slave: nothing that it has not been seen to have itself. */
  get #held(): number {
    if (this.#at < this.#ownEnd) return this.#at;
    return Math.max(this.#options.start.from, this.#options.store.safeLogOffset);
  }

  /** Tells the master what is held. One report is under way at a time; what comes meanwhile is in the next. */
  #report(): void {
    this.#reportDue = true;
    if (this.#reporting) return;
    this.#reporting = true;
    this.#sendReports().catch((error) => this.end(error));
  }

  async #sendReports(): Promise<void> {
    const { store } = this.#options;
    while (this.#reportDue && !this.#ended) {
      this.#reportDue = false;
      if (store.options.flushDiskType === "SYNC_FLUSH" && this.#at !== this.#synced) {
        this.#synced = this.#at;
        if (!await store.sync()) throw new RocketdError("disk", "this slave cannot sync what came");
      }
      const bytes = encodeReport(this.#held);
      try {
        await writeAll(this.#conn, bytes);
      } catch {
        // Reading says how the connection ended.
        return;
      }
    }
    this.#reporting = false;
  }

  /** Ends a connection that brought nothing for `haHousekeepingInterval`. */
  #watch(): void {
    const { clock, settings } = this.#options;
    const left = this.#lastRead + settings.haHousekeepingInterval - clock.now();
    if (left > 0) {
      this.#timers[1] = clock.after(left, () => this.#watch());
      return;
    }
    const reason = `nothing came for ${settings.haHousekeepingInterval} ms (haHousekeepingInterval)`;
    this.end(new Lost("timeout", this.#heard ? reason : `${reason}; perhaps ${NOT_HA}`));
  }
}

const NOT_HA = "this is not a master's port for slaves (haListenPort, 10912 if not set)";
