/**
 * A slave's connection as its master sees it: reports come in, frames of the log go out, as HAConnection of RocketMQ
 * 4.9.7 has it. Nothing is sent before the first report. From then on the slave is sent what is written as soon as it is
 * written, from memory; and what it is behind with from the disk, where the next stretch is read while the socket takes
 * this one.
 *
 * A slave costs two buffers, for what is read and for what is sent, however slow it is. Between two writes everybody else has a turn.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { HA_BUFFER_BYTES, HA_FRAME_DATA_BYTES_MAX, HA_REPORTS_READ_BYTES } from "../limits.ts";
import type { Clock } from "../platform/clock.ts";
import { peerOf } from "../remoting/listener.ts";
import { othersTurn } from "../remoting/turn.ts";
import { FRAME_HEADER_BYTES, ReportReader, writeFrameHeader } from "./protocol.ts";

/** A log that is copied: the store's. */
export interface SourceLog {
  /** Everything before it was removed. */
  readonly minLogOffset: number;
  /** Everything before it is written. */
  readonly maxLogOffset: number;
  /** Where the newest file begins. */
  readonly lastFileStart: number;
  /**
   * At most `most` bytes from a log offset on, never across a file's end: as a view that is valid this turn, or later as
   * a copy in `into`. Undefined outside of the log and at its end.
   */
  readLog(from: number, most: number, into: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

/** Times in ms, sizes in bytes, under RocketMQ's names. */
export interface LinkSettings {
  /** A slave that was sent nothing for so long gets a heartbeat. */
  readonly haSendHeartbeatInterval: number;
  /** A slave that reported nothing for so long is let go. */
  readonly haHousekeepingInterval: number;
  /** Most bytes of the log in one frame. */
  readonly haTransferBatchSize: number;
}

/** What a link tells its owner. */
export interface LinkOwner {
  /** A report came that can be true; `first` is the one that the sending begins with. */
  reported(link: SlaveLink, end: number, first: boolean): void;
  /** Called once, when the connection has gone. `reason` when it was us who ended it. */
  ended(link: SlaveLink, reason: string | undefined): void;
}

export class SlaveLink {
  readonly peer: string;
  /** The end of its log as the slave reported it last; -1 before its first report. */
  reported = -1;
  /** What is sent next; -1 before the first report. */
  next = -1;
  #lastReport: number;
  /** When the socket last took bytes of ours. */
  #lastSent: number;
  #sending = false;
  #closed = false;
  readonly #frameData: number;
  /** Most bytes of the log that the buffer holds in frames. */
  readonly #most: number;
  /** Frames on their way to the socket. */
  #buffer = new Uint8Array(0);
  #view = new DataView(this.#buffer.buffer);
  /** Where what comes from the disk is read into, and the next stretch that is. */
  #fromDisk = new Uint8Array(0);
  #ahead: Promise<Uint8Array | undefined> | undefined;

  constructor(
    readonly conn: Deno.TcpConn,
    readonly log: SourceLog,
    readonly settings: LinkSettings,
    readonly clock: Clock,
    readonly owner: LinkOwner,
  ) {
    this.peer = peerOf(conn).text;
    this.#lastReport = this.#lastSent = clock.now();
    const frameData = this.#frameData = Math.min(settings.haTransferBatchSize, HA_FRAME_DATA_BYTES_MAX);
    this.#most = frameData * Math.max(1, Math.floor(HA_BUFFER_BYTES / (frameData + FRAME_HEADER_BYTES)));
  }

  /** Bytes of the log that the slave does not hold yet, as far as it reported. */
  get lag(): number {
    return this.log.maxLogOffset - Math.max(0, this.reported);
  }

  /** Hears reports until either side closes. Never throws. */
  async run(): Promise<void> {
    const bytes = new Uint8Array(HA_REPORTS_READ_BYTES);
    const reports = new ReportReader();
    try {
      while (!this.#closed) {
        const count = await this.conn.read(bytes);
        if (count === null) break;
        const newest = reports.take(bytes.subarray(0, count));
        if (newest !== undefined && !this.#closed) this.#hear(newest);
      }
    } catch {
      // Broken: the slave comes again when it can.
    }
    this.close();
  }

  #hear(end: number): void {
    const problem = this.#problemOf(end);
    if (problem !== undefined) return this.close(problem);
    const first = this.next < 0;
    this.#lastReport = this.clock.now();
    this.reported = end;
    if (first) {
      this.next = end === 0 ? this.log.lastFileStart : end;
      this.#buffer = new Uint8Array(this.#most + FRAME_HEADER_BYTES * this.#most / this.#frameData);
      this.#view = new DataView(this.#buffer.buffer);
      this.#fromDisk = new Uint8Array(this.#most);
    }
    this.owner.reported(this, end, first);
    if (first) this.wake();
  }

  /** Why a report cannot be that of a slave of this log. */
  #problemOf(end: number): string | undefined {
    const { maxLogOffset, minLogOffset } = this.log;
    if (end < 0) return `it reports a log up to ${end}, which is no log offset`;
    if (end > maxLogOffset) return `it reports a log up to ${end}, but the master's ends at ${maxLogOffset}`;
    if (this.next >= 0) {
      return end > this.next
        ? `it reports a log up to ${end}, but was sent no more than up to ${this.next}`
        : undefined;
    }
    return end > 0 && end < minLogOffset ? goneBefore(end, minLogOffset) : undefined;
  }

  /** Sends what was written meanwhile, unless that is under way. */
  wake(): void {
    if (!this.#sending && this.next >= 0 && !this.#closed) this.#send(false);
  }

  /** Sends a heartbeat, or lets the slave go, when it is time. */
  tick(now: number): void {
    const { haHousekeepingInterval, haSendHeartbeatInterval } = this.settings;
    if (now - this.#lastReport > haHousekeepingInterval) {
      return this.close(`it reported nothing for ${now - this.#lastReport} ms (haHousekeepingInterval)`);
    }
    if (this.#sending) {
      if (now - this.#lastSent <= haHousekeepingInterval) return;
      return this.close(`it took no bytes for ${now - this.#lastSent} ms (haHousekeepingInterval)`);
    }
    if (this.next >= 0 && now - this.#lastSent >= haSendHeartbeatInterval) this.#send(true);
  }

  /** Sends until the slave was sent everything that is written. Never rejects. */
  async #send(heartbeat: boolean): Promise<void> {
    this.#sending = true;
    this.#lastSent = this.clock.now();
    try {
      if (heartbeat) {
        writeFrameHeader(this.#view, 0, this.next, 0);
        await this.#write(FRAME_HEADER_BYTES);
      }
      while (!this.#closed && this.next !== this.log.maxLogOffset) {
        let piece = this.#ahead ?? this.log.readLog(this.next, this.#most, this.#fromDisk);
        this.#ahead = undefined;
        const cold = piece instanceof Promise;
        if (piece instanceof Promise) piece = await piece;
        if (this.#closed) break;
        if (piece === undefined || piece.length === 0) {
          this.close(goneBefore(this.next, this.log.minLogOffset));
          break;
        }
        const written = this.#write(this.#frame(piece));
        if (cold) this.#readAhead();
        await written;
        // What comes from the disk has let others have their turn already.
        if (!cold && this.next !== this.log.maxLogOffset) await othersTurn();
      }
    } catch (error) {
      this.close(`it cannot be sent the log from ${this.next} on: ${messageOf(error)}`);
    } finally {
      this.#sending = false;
    }
  }

  #readAhead(): void {
    if (this.next === this.log.maxLogOffset) return;
    const ahead = this.log.readLog(this.next, this.#most, this.#fromDisk);
    // A view of what is in memory is not valid any longer when its turn comes.
    if (!(ahead instanceof Promise)) return;
    ahead.catch(() => {});
    this.#ahead = ahead;
  }

  /** Puts a stretch of the log into the buffer as frames; returns how long they are. */
  #frame(piece: Uint8Array): number {
    let length = 0;
    for (let at = 0; at < piece.length;) {
      const size = Math.min(this.#frameData, piece.length - at);
      writeFrameHeader(this.#view, length, this.next, size);
      length += FRAME_HEADER_BYTES;
      this.#buffer.set(piece.subarray(at, at + size), length);
      length += size;
      at += size;
      this.next += size;
    }
    return length;
  }

  async #write(length: number): Promise<void> {
    try {
      for (let sent = 0; sent < length;) {
        sent += await this.conn.write(this.#buffer.subarray(sent, length));
        this.#lastSent = this.clock.now();
      }
    } catch {
      // The slave has gone.
      this.close();
    }
  }

  /** Ends the connection, for a reason that is worth a line of the log if one is given. */
  close(reason?: string): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.conn.close();
    } catch {
      // The slave was faster.
    }
    this.owner.ended(this, reason);
  }
}

function goneBefore(from: number, min: number): string {
  return `it needs the log from ${from} on, which now begins at ${min}: empty the slave's store for a new copy`;
}
