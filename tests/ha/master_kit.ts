/**
 * What the tests of the master's side share: a log in memory, a slave that is a plain socket, the lines of the log.
 *
 * @module
 */
import { configure, type LoggerConfig, type LogRecord, reset } from "@logtape/logtape";
import { HaMaster, type HaMasterSettings, type ReplicatedStore } from "../../src/ha/master.ts";
import { encodeReport, FrameReader } from "../../src/ha/protocol.ts";
import { lineOf } from "../../src/logging/mod.ts";
import { assertEquals } from "../../src/std.ts";
import { HandClock, until } from "../broker/workshop.ts";

export const SETTINGS: HaMasterSettings = {
  haSendHeartbeatInterval: 5_000,
  haHousekeepingInterval: 20_000,
  haTransferBatchSize: 1_000,
  haConnectionsMax: 8,
};

/** A log of files of `fileBytes`, whose bytes follow from their offsets; it begins at `minLogOffset`. */
export class MemoryLog implements ReplicatedStore {
  replicas = { connected: () => 0 };
  readonly acknowledgements: number[] = [];
  /** Bytes that were read. */
  read = 0;
  /** Whether reads come later, as from a disk. */
  cold = false;
  /** Instead of reading. */
  failure: Error | undefined;
  readonly #listeners: ((end: number) => void)[] = [];

  constructor(readonly fileBytes: number, public maxLogOffset = 0, public minLogOffset = 0) {}

  get lastFileStart(): number {
    return this.maxLogOffset - this.maxLogOffset % this.fileBytes;
  }

  readLog(from: number, most: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.failure !== undefined) throw this.failure;
    if (from < this.minLogOffset || from >= this.maxLogOffset) return undefined;
    const size = Math.min(most, this.maxLogOffset - from, this.fileBytes - from % this.fileBytes);
    this.read += size;
    const bytes = bytesAt(from, size);
    if (this.cold) return new Promise((resolve) => setTimeout(() => resolve(bytes), 0));
    // Like the tail's memory, a view is overwritten once its turn is over.
    queueMicrotask(() => bytes.fill(0));
    return bytes;
  }

  onWritten(listener: (end: number) => void): void {
    this.#listeners.push(listener);
  }

  acknowledged(end: number): void {
    this.acknowledgements.push(end);
  }

  write(size: number): void {
    this.maxLogOffset += size;
    for (const listener of this.#listeners) listener(this.maxLogOffset);
  }
}

/** The bytes of a memory log. */
export function bytesAt(from: number, size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => (from + i) * 7 % 251);
}

/** A slave that does what it is told; it checks that all data is the log's. */
export class HandSlave implements Disposable {
  /** Frames so far: log offset and size. */
  readonly frames: [from: number, size: number][] = [];
  /** Bytes of data that came. */
  data = 0;
  readonly #reader = new FrameReader();

  private constructor(readonly conn: Deno.TcpConn) {}

  static async connect(port: number, report?: number): Promise<HandSlave> {
    const slave = new HandSlave(await Deno.connect({ hostname: "127.0.0.1", port }));
    slave.conn.setNoDelay(true);
    if (report !== undefined) await slave.report(report);
    return slave;
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.conn.write(bytes.subarray(sent));
  }

  async report(end: number): Promise<void> {
    await this.send(encodeReport(end));
  }

  /** Reads until something holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (!await this.#read()) throw new Error("the master closed the connection");
    }
  }

  /** Reads until the master has closed the connection. */
  async closed(): Promise<void> {
    while (await this.#read());
  }

  async #read(): Promise<boolean> {
    const bytes = new Uint8Array(64_000);
    const count = await this.conn.read(bytes).catch(() => null);
    if (count === null) return false;
    this.#reader.take(bytes.subarray(0, count), {
      frame: (logOffset, size) => void this.frames.push([logOffset, size]),
      data: (logOffset, data) => {
        assertEquals(data, bytesAt(logOffset, data.length));
        this.data += data.length;
      },
    });
    return true;
  }

  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // The master was faster.
    }
  }
}

/** A master at work, its clock, and the lines that it logs. */
export interface Scene {
  readonly log: MemoryLog;
  readonly master: HaMaster;
  readonly clock: HandClock;
  readonly lines: string[];
  /** Connects, and waits until the report was heard. */
  slave(report?: number): Promise<HandSlave>;
}

/** Runs a test with a master of a log; closes its slaves and it. */
export async function serving(
  log: MemoryLog,
  test: (scene: Scene) => Promise<void>,
  settings: Partial<HaMasterSettings> = {},
): Promise<void> {
  const lines: string[] = [];
  const sink = (record: LogRecord) => void lines.push(lineOf(record, false).replace(/^\S+ /, "").trim());
  const loggers: LoggerConfig<"sink", string>[] = [
    { category: "rocketd", sinks: ["sink"] },
    // The library's own logger would explain itself.
    { category: ["logtape", "meta"], lowestLevel: "warning" },
  ];
  await configure({ reset: true, sinks: { sink }, loggers });
  const clock = new HandClock();
  const options = { hostname: "127.0.0.1", port: 0, store: log, settings: { ...SETTINGS, ...settings }, clock };
  const master = new HaMaster(options);
  const slaves: HandSlave[] = [];
  const slave = async (report?: number) => {
    const before = log.replicas.connected();
    const made = await HandSlave.connect(master.port, report);
    slaves.push(made);
    if (report !== undefined) await until(() => log.replicas.connected() > before, "the report");
    return made;
  };
  try {
    await test({ log, master, clock, lines, slave });
  } finally {
    for (const made of slaves) made[Symbol.dispose]();
    await master.close();
    await reset();
    assertEquals([clock.timers, log.replicas.connected()], [0, 0]);
  }
}
