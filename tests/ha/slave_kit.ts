/**
 * What the tests of a slave's side share: a log in memory, a master that does what the test says, and a slave of both.
 *
 * @module
 */
import { configure, type LogRecord, reset } from "@logtape/logtape";
import type { CopyStore } from "../../src/ha/copy_store.ts";
import { FRAME_HEADER_BYTES, ReportReader, writeFrameHeader } from "../../src/ha/protocol.ts";
import { HaSlave, type HaSlaveOptions } from "../../src/ha/slave.ts";
import { RocketdError } from "../../src/errors.ts";
import { ManualClock } from "../../src/platform/manual_clock.ts";
import { until } from "../broker/workshop.ts";
import { encodeRecord } from "../../src/protocol/message_record.ts";

export const FILE_BYTES = 4096;
export const settings = { haSendHeartbeatInterval: 5_000, haHousekeepingInterval: 20_000 };

/** A log whose bytes tell their places: no two stretches of 4 bytes are the same. */
export function logBytes(from: number, to: number, salt = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: to - from }, (_, i) => {
    const at = from + i;
    return [(at >> 8) & 0xFF, at & 0xFF, at * 31 + salt, at >> 3][at & 3]!;
  });
}

/** A whole record at offset 0 of a log. */
export function firstRecord(bodyBytes: number): Uint8Array<ArrayBuffer> {
  return encodeRecord({
    queueId: 0,
    flag: 0,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: new Uint8Array(8),
    storeTimestamp: 2,
    storeHost: new Uint8Array(8),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new Uint8Array(bodyBytes).fill(7),
    topic: "T",
    properties: "",
  });
}

/** A store that is a piece of memory. */
export class MemoryLog implements CopyStore {
  readonly options: { mappedFileSizeCommitLog: number; flushDiskType: "ASYNC_FLUSH" | "SYNC_FLUSH" } = {
    mappedFileSizeCommitLog: FILE_BYTES,
    flushDiskType: "ASYNC_FLUSH",
  };
  appends = 0;
  /** Records are short, if nothing else is said. */
  lastRecordOffset: number | undefined = Infinity;
  #begin: number;
  #bytes: number[];
  /** What a sync waits for, in tests of SYNC_FLUSH. */
  synced: () => Promise<boolean> = () => Promise.resolve(true);

  constructor(begin = 0, bytes: Iterable<number> = []) {
    this.#begin = begin;
    this.#bytes = [...bytes];
  }

  get minLogOffset(): number {
    return this.#begin;
  }

  get maxLogOffset(): number {
    return this.#begin + this.#bytes.length;
  }

  get safeLogOffset(): number {
    return this.maxLogOffset;
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  readLog(from: number, most: number): Uint8Array | undefined {
    if (from < this.#begin || from >= this.maxLogOffset) return undefined;
    const end = Math.min(from + most, (Math.floor(from / FILE_BYTES) + 1) * FILE_BYTES);
    return this.bytes.subarray(from - this.#begin, end - this.#begin);
  }

  appendCopy(from: number, bytes: Uint8Array): void {
    if (this.maxLogOffset === 0) this.#begin = from;
    if (from !== this.maxLogOffset) throw new RocketdError("malformed", `gap: ${from} after ${this.maxLogOffset}`);
    this.appends++;
    this.#bytes.push(...bytes);
  }

  sync(): Promise<boolean> {
    return this.synced();
  }
}

/** Frames of at most `batch` bytes. */
export function frames(from: number, bytes: Uint8Array, batch = 100): Uint8Array<ArrayBuffer> {
  const parts: number[] = [];
  for (let at = 0; at < bytes.length; at += batch) parts.push(...frame(from + at, bytes.subarray(at, at + batch)));
  return Uint8Array.from(parts);
}

/** One frame; without data a heartbeat. `size` is what the header says. */
export function frame(from: number, data: Uint8Array = new Uint8Array(0), size = data.length): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + data.length);
  writeFrameHeader(new DataView(bytes.buffer), 0, from, size);
  bytes.set(data, FRAME_HEADER_BYTES);
  return bytes;
}

/** Fails where a slave does nothing that should do something. */
async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`never came: ${what}`)), 60_000);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The warnings that are logged while something runs. */
export async function warningsOf(run: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  await configure({
    reset: true,
    sinks: { lines: (record: LogRecord) => void lines.push(record.message.join("")) },
    loggers: ["rocketd", ["logtape", "meta"]].map((category) => ({
      category,
      sinks: ["lines"],
      lowestLevel: "warning",
    })),
  });
  await run().finally(reset);
  return lines;
}

/** A slave's connection as a scripted master has it. */
export class Peer {
  readonly #reports = new ReportReader();
  readonly #bytes = new Uint8Array(1000);

  constructor(readonly conn: Deno.Conn) {}

  /** The newest report of the next read; undefined when the slave has closed. */
  async report(): Promise<number | undefined> {
    for (;;) {
      const count = await soon(this.conn.read(this.#bytes).catch(() => null), "a report, or the end");
      if (count === null) return undefined;
      const report = this.#reports.take(this.#bytes.subarray(0, count));
      if (report !== undefined) return report;
    }
  }

  /** Waits until a report says `end`. */
  async reported(end: number): Promise<void> {
    for (;;) {
      const report = await this.report();
      if (report === end) return;
      if (report === undefined) throw new Error(`the slave closed before it reported ${end}`);
    }
  }

  async send(...parts: Uint8Array[]): Promise<void> {
    for (const part of parts) {
      for (let sent = 0; sent < part.length;) sent += await this.conn.write(part.subarray(sent));
    }
  }

  close(): void {
    this.conn.close();
  }

  /** Waits until the slave has closed, then closes too. */
  async closed(): Promise<void> {
    while (await this.report() !== undefined);
    this.close();
  }
}

/** A port at which tests play the master. */
export class ScriptedMaster {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly port = this.#listener.addr.port;
  readonly address = `127.0.0.1:${this.port}`;

  async accept(): Promise<Peer> {
    return new Peer(await soon(this.#listener.accept(), "a connection"));
  }

  close(): void {
    this.#listener.close();
  }
}

/** A slave of a scripted master, on a clock that stands still. */
export class Scene implements AsyncDisposable {
  readonly master = new ScriptedMaster();
  readonly clock = new ManualClock();
  readonly slave: HaSlave;
  /** What the master says its oldest offset is. */
  oldest: number | undefined | Error = 0;
  /** Where the master says its log ends. */
  end: number | undefined;

  constructor(readonly store = new MemoryLog(), options: Partial<HaSlaveOptions> = {}) {
    const masterLog = () => {
      const { oldest, end } = this;
      return oldest instanceof Error ? Promise.reject(oldest) : Promise.resolve({ oldest, end });
    };
    this.slave = new HaSlave({ store, settings, clock: this.clock, masterLog, random: () => 1, ...options });
  }

  /** Lets the slave connect; gives the connection and its first report. */
  async begin(): Promise<[Peer, number | undefined]> {
    this.slave.setMaster(this.master.address);
    const peer = await this.master.accept();
    return [peer, await peer.report()];
  }

  /** Waits until the slave has given up an attempt; gives the reason. */
  async trouble(): Promise<string> {
    await until(() => this.slave.status.state === "waiting", "the end of an attempt");
    return this.slave.status.lastError ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.slave.close();
    this.master.close();
  }
}
