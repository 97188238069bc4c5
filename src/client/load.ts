/**
 * A sender that costs next to nothing, to measure brokers with: frames are encoded once, of each answer only the code is
 * read, and one write carries all frames that one read made room for.
 *
 * @module
 */
import process from "node:process";
import { messageOf, RocketdError } from "../errors.ts";
import { CONNECT_TIMEOUT_MS, READ_BUFFER_BYTES_BUSY } from "../limits.ts";
import { ByteWriter } from "../protocol/byte_writer.ts";
import { HeaderEncoding, OUR_VERSION } from "../protocol/codes.ts";
import { encodeFrame } from "../protocol/encode_frame.ts";
import { SendMessageV2 } from "../protocol/requests.ts";
import { parseAddress } from "../remoting/client.ts";
import type { Wire } from "../remoting/listener.ts";
import type { Sign } from "../remoting/owner.ts";
import { type ClientTlsOptions, connectTls } from "../remoting/tls/client_tls.ts";
import { NEW_TOPIC_QUEUES, TEMPLATE_TOPIC } from "./routes.ts";

/** What to send, and how much of it at once. */
export interface LoadOptions {
  /** The broker, `host:port`. */
  readonly broker: string;
  readonly topic: string;
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly inFlight: number;
  readonly bodyBytes: number;
  readonly encoding: HeaderEncoding;
  readonly seconds: number;
  /** Speaks TLS; plain without it. */
  readonly tls?: ClientTlsOptions | undefined;
  /** Each frame is signed once, so that signing costs the sender nothing; its messages share one UNIQ_KEY then. */
  readonly sign?: Sign | undefined;
}

/** What came of it. Latencies are from a request's write to its answer's read, ms. */
export interface LoadResult {
  readonly answered: number;
  /** Answers other than SUCCESS, by code. */
  readonly failed: Record<number, number>;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** CPU seconds that the sender itself used: well below `seconds`, or the sender was the limit. */
  readonly senderCpuSeconds: number;
}

/** Latencies are counted by the microsecond up to one second. */
const MICROSECONDS_MAX = 1_000_000;
/** Opaques have ten digits, so that each slot's fits into the same place. */
const FIRST_OPAQUE = 1_000_000_000;
const KEY_DIGITS = 16;
const ASCII_0 = 48;
const HEX = Uint8Array.from("0123456789ABCDEF", (digit) => digit.charCodeAt(0));

/** Sends for some seconds, then waits for the answers that are out. Throws when a connection cannot be made or breaks. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const counts = new Counts();
  const conns = await Promise.all(Array.from({ length: options.connections }, () => connect(options)));
  const cpu = process.cpuUsage();
  const started = performance.now();
  const end = started + options.seconds * 1000;
  try {
    await Promise.all(conns.map((conn, i) => new Lane(conn, options, counts, i).run(end)));
  } catch (cause) {
    throw new RocketdError("unavailable", `Cannot go on sending to ${options.broker}: ${messageOf(cause)}`, { cause });
  } finally {
    for (const conn of conns) conn.close();
  }
  const { user, system } = process.cpuUsage(cpu);
  return { ...counts.result((performance.now() - started) / 1000), senderCpuSeconds: (user + system) / 1e6 };
}

async function connect({ broker, tls }: LoadOptions): Promise<Wire> {
  try {
    const address = parseAddress(broker);
    if (tls !== undefined) return await connectTls(address, tls, CONNECT_TIMEOUT_MS);
    const conn = await Deno.connect(address);
    conn.setNoDelay(true);
    return conn;
  } catch (cause) {
    throw new RocketdError("unavailable", `Cannot reach ${broker}: ${messageOf(cause)}`, { cause });
  }
}

/** Answers and latencies of all connections. */
class Counts {
  answered = 0;
  readonly failed: Record<number, number> = {};
  readonly #byMicrosecond = new Uint32Array(MICROSECONDS_MAX + 1);

  add(code: number, ms: number): void {
    this.answered++;
    if (code !== 0) this.failed[code] = (this.failed[code] ?? 0) + 1;
    this.#byMicrosecond[Math.min(MICROSECONDS_MAX, Math.round(ms * 1000))]!++;
  }

  result(seconds: number): Omit<LoadResult, "senderCpuSeconds"> {
    const { answered, failed } = this;
    const [p50, p99, p999] = [this.#quantile(0.5), this.#quantile(0.99), this.#quantile(0.999)];
    return { answered, failed, seconds, perSecond: answered / seconds, p50, p99, p999 };
  }

  #quantile(share: number): number {
    let left = this.answered * share;
    for (let at = 0; at <= MICROSECONDS_MAX; at++) {
      left -= this.#byMicrosecond[at]!;
      if (left <= 0) return at / 1000;
    }
    return MICROSECONDS_MAX / 1000;
  }
}

/** One connection. Each slot has a frame of its own with its own opaque, and at most one request in flight. */
class Lane {
  readonly #frames: Uint8Array[];
  readonly #keyAt: number[];
  readonly #sentAt: Float64Array;
  #free: number[];
  #keys = 0;
  #out = 0;
  #writing = false;
  #ended = false;
  readonly #outgoing: Uint8Array;

  constructor(
    readonly conn: Wire,
    readonly options: LoadOptions,
    readonly counts: Counts,
    readonly number: number,
  ) {
    const own = crypto.randomUUID().replaceAll("-", "").slice(0, 16).toUpperCase();
    const keys = Array.from(
      { length: options.inFlight },
      (_, slot) => own + (options.sign === undefined ? "" : String(slot)).padStart(KEY_DIGITS, "0"),
    );
    this.#frames = keys.map((key, slot) => encodeSend(options, slot, key));
    this.#keyAt = this.#frames.map((frame, slot) => {
      const key = new TextEncoder().encode(keys[slot]);
      return indexOf(frame, key) + key.length;
    });
    this.#sentAt = new Float64Array(options.inFlight);
    this.#free = this.#frames.map((_, slot) => slot);
    this.#outgoing = new Uint8Array(this.#frames.reduce((sum, frame) => sum + frame.length, 0));
  }

  async run(end: number): Promise<void> {
    const bytes = new Uint8Array(READ_BUFFER_BYTES_BUSY);
    const view = new DataView(bytes.buffer);
    let filled = 0;
    void this.#write();
    while (this.#out > 0 || !this.#ended) {
      const count = await this.conn.read(bytes.subarray(filled));
      if (count === null) throw new Error("the broker closed the connection");
      filled += count;
      const now = performance.now();
      this.#ended = now >= end;
      let at = 0;
      while (filled - at >= 4) {
        const length = view.getInt32(at) + 4;
        if (filled - at < length) break;
        this.#receive(bytes, view, at, now);
        at += length;
      }
      bytes.copyWithin(0, at, filled);
      filled -= at;
      if (!this.#ended) void this.#write();
    }
  }

  #receive(bytes: Uint8Array, view: DataView, at: number, now: number): void {
    let opaque: number, code: number;
    if (view.getUint8(at + 4) === HeaderEncoding.ROCKETMQ) {
      code = view.getInt16(at + 8);
      opaque = view.getInt32(at + 13);
    } else {
      const end = at + 8 + (view.getInt32(at + 4) & 0xffffff);
      code = numberAfter(bytes, at + 8, end, CODE);
      opaque = numberAfter(bytes, at + 8, end, OPAQUE);
    }
    const slot = opaque - FIRST_OPAQUE;
    this.counts.add(code, now - this.#sentAt[slot]!);
    this.#free.push(slot);
    this.#out--;
  }

  async #write(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    try {
      while (this.#free.length > 0 && !this.#ended) {
        const slots = this.#free;
        this.#free = [];
        let length = 0;
        const now = performance.now();
        for (const slot of slots) {
          const frame = this.#frames[slot]!;
          if (this.options.sign === undefined) this.#number(frame, this.#keyAt[slot]!);
          this.#outgoing.set(frame, length);
          length += frame.length;
          this.#sentAt[slot] = now;
        }
        this.#out += slots.length;
        for (let sent = 0; sent < length;) sent += await this.conn.write(this.#outgoing.subarray(sent, length));
      }
    } catch {
      // The read on the same connection tells.
    } finally {
      this.#writing = false;
    }
  }

  /** Gives the next message a UNIQ_KEY of its own. */
  #number(frame: Uint8Array, keyEnd: number): void {
    let rest = this.#keys++ * this.options.connections + this.number;
    for (let at = keyEnd - 1; rest > 0; at--) {
      frame[at] = HEX[rest & 15]!;
      rest = Math.floor(rest / 16);
    }
  }
}

function encodeSend(options: LoadOptions, slot: number, key: string): Uint8Array {
  const out = new ByteWriter();
  const values = {
    producerGroup: "rocketd_bench",
    topic: options.topic,
    defaultTopic: TEMPLATE_TOPIC,
    defaultTopicQueueNums: NEW_TOPIC_QUEUES,
    queueId: slot % NEW_TOPIC_QUEUES,
    sysFlag: 0,
    bornTimestamp: Date.now(),
    flag: 0,
    properties: `UNIQ_KEY\u0001${key}\u0002WAIT\u0001true`,
    reconsumeTimes: 0,
    unitMode: false,
    batch: false,
  };
  const header = { code: SendMessageV2.code, version: OUR_VERSION, opaque: FIRST_OPAQUE + slot, flag: 0 };
  const body = new Uint8Array(options.bodyBytes).fill(ASCII_0);
  const table = SendMessageV2.request;
  const extra = options.sign?.(new Map(Object.entries(table.texts(values))), [body]);
  encodeFrame(out, options.encoding, { ...header, remark: undefined, table, values, extra }, [body]);
  return out.written().slice();
}

const CODE = new TextEncoder().encode('"code":');
const OPAQUE = new TextEncoder().encode('"opaque":');

function numberAfter(bytes: Uint8Array, start: number, end: number, name: Uint8Array): number {
  let at = indexOf(bytes, name, start, end) + name.length;
  let value = 0;
  for (let digit = bytes[at]! - ASCII_0; digit >= 0 && digit <= 9; digit = bytes[++at]! - ASCII_0) {
    value = value * 10 + digit;
  }
  return value;
}

/** Where the bytes of `part` begin; throws when they are not there. */
function indexOf(bytes: Uint8Array, part: Uint8Array, start = 0, end: number = bytes.length): number {
  const second = part[1]!;
  for (let at = start; at + part.length <= end; at++) {
    if (bytes[at + 1] !== second) continue;
    let i = 0;
    while (i < part.length && bytes[at + i] === part[i]) i++;
    if (i === part.length) return at;
  }
  throw new RocketdError(
    "malformed",
    `Cannot read an answer: ${new TextDecoder().decode(part)} is missing in its header`,
  );
}
