/**
 * Requests that cost next to nothing to make: the frame of a send is encoded once for each queue, and only its opaque and
 * its messages' UNIQ_KEYs are written into each copy.
 *
 * @module
 */
import { ByteWriter } from "../../protocol/byte_writer.ts";
import { HeaderEncoding, OUR_VERSION, PullFlag } from "../../protocol/codes.ts";
import { encodeFrame } from "../../protocol/encode_frame.ts";
import { formatProperties, PropertyName } from "../../protocol/properties.ts";
import { PullMessage, SendBatchMessage, SendMessageV2 } from "../../protocol/requests.ts";
import { encodeBatch } from "../message.ts";
import { NEW_TOPIC_QUEUES, TEMPLATE_TOPIC } from "../routes.ts";
import { find } from "./answers.ts";
import type { LoadOptions } from "./options.ts";

/** Opaques have ten digits, so that each slot's fits into the same place. */
export const FIRST_OPAQUE = 1_000_000_000;
const OPAQUE_DIGITS = 10;
const KEY_DIGITS = 16;
const ASCII_0 = 48;
const HEX = Uint8Array.from("0123456789ABCDEF", (digit) => digit.charCodeAt(0));
const encoder = new TextEncoder();

/** A mark in a body: whose message it is (8 random bytes), its number and its time, as doubles. */
export const MARK_BYTES = 24;

/** What the body of a marked message says. */
export interface Mark {
  readonly number: number;
  /** Of `performance.now()`, ms. */
  readonly time: number;
}

/** All of a frame before the body, and where in it something changes. */
interface Head {
  readonly bytes: Uint8Array;
  readonly opaqueAt: number;
  /** Behind the UNIQ_KEY; -1 where it stays. */
  readonly keyEnd: number;
}

/** Makes the frames of sends. Signed ones share one UNIQ_KEY, as making a signature for each would take long. */
export class SendFrames {
  readonly #options: LoadOptions;
  readonly #heads = new Map<number, Head>();
  readonly #body: Uint8Array;
  /** Behind each UNIQ_KEY in a batch. */
  readonly #keyEnds: readonly number[];
  readonly #key: string;
  readonly #mark = crypto.getRandomValues(new Uint8Array(8));
  readonly #markView = new DataView(this.#mark.buffer);
  #keys = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const own = crypto.randomUUID().replaceAll("-", "").slice(0, 16).toUpperCase();
    this.#key = own + "0".repeat(KEY_DIGITS);
    const body = new Uint8Array(options.bodyBytes).fill(ASCII_0);
    if (options.kind === "batch") {
      const entry = { message: { topic: options.topic, body }, properties: this.#properties() };
      const first = encodeBatch([entry]);
      const one = first.slice();
      this.#body = new Uint8Array(one.length * options.batchSize);
      for (let at = 0; at < this.#body.length; at += one.length) this.#body.set(one, at);
      const keyEnd = this.#keyEndIn(one);
      this.#keyEnds = Array.from({ length: options.batchSize }, (_, i) => i * one.length + keyEnd);
    } else {
      this.#body = body;
      this.#keyEnds = [];
    }
  }

  /** Appends the next frame. A mark (e2e) goes into the body, and is signed with it. */
  append(out: ByteWriter, queueId: number, opaque: number, mark?: Mark): void {
    const { encoding, sign, kind } = this.#options;
    const start = out.length;
    if (sign !== undefined && mark !== undefined) {
      const body = this.#body.slice();
      this.#write(body, 0, mark);
      return this.#encode(out, queueId, opaque, body);
    }
    let head = this.#heads.get(queueId);
    if (head === undefined) this.#heads.set(queueId, head = this.#headOf(queueId));
    out.raw(head.bytes);
    const bodyAt = out.length;
    out.raw(this.#body);
    if (encoding === HeaderEncoding.ROCKETMQ) out.view.setInt32(start + head.opaqueAt, opaque);
    else writeDigits(out.bytes, start + head.opaqueAt, opaque);
    if (mark !== undefined) this.#write(out.bytes, bodyAt, mark);
    if (sign !== undefined) return;
    if (kind !== "batch") this.#number(out.bytes, start + head.keyEnd);
    else for (let i = 0; i < this.#keyEnds.length; i++) this.#number(out.bytes, bodyAt + this.#keyEnds[i]!);
  }

  /** The mark of a body, if it is one of ours. */
  markOf(view: DataView, bodyAt: number, length: number): Mark | undefined {
    const isOurs = length >= MARK_BYTES && view.getInt32(bodyAt) === this.#markView.getInt32(0) &&
      view.getInt32(bodyAt + 4) === this.#markView.getInt32(4);
    return isOurs ? { number: view.getFloat64(bodyAt + 8), time: view.getFloat64(bodyAt + 16) } : undefined;
  }

  #write(bytes: Uint8Array, at: number, { number, time }: Mark): void {
    bytes.set(this.#mark, at);
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, MARK_BYTES);
    view.setFloat64(8, number);
    view.setFloat64(16, time);
  }

  /** Gives a message a UNIQ_KEY of its own. */
  #number(bytes: Uint8Array, keyEnd: number): void {
    let rest = this.#keys++;
    for (let at = keyEnd - 1; rest > 0; at--) {
      bytes[at] = HEX[rest % 16]!;
      rest = Math.floor(rest / 16);
    }
  }

  #keyEndIn(bytes: Uint8Array): number {
    const key = encoder.encode(this.#key);
    return find(bytes, 0, bytes.length, key) + key.length;
  }

  #headOf(queueId: number): Head {
    const out = new ByteWriter();
    this.#encode(out, queueId, FIRST_OPAQUE, this.#body);
    const bytes = out.bytes.slice(0, out.length - this.#body.length);
    const isBinary = this.#options.encoding === HeaderEncoding.ROCKETMQ;
    const digits = encoder.encode(`:${FIRST_OPAQUE}`);
    const opaqueAt = isBinary ? 13 : find(bytes, 8, bytes.length, digits) + 1;
    return { bytes, opaqueAt, keyEnd: this.#options.kind === "batch" ? -1 : this.#keyEndIn(bytes) };
  }

  #encode(out: ByteWriter, queueId: number, opaque: number, body: Uint8Array): void {
    const { kind, group, topic, waitStored, queues, encoding, sign } = this.#options;
    const batch = kind === "batch";
    const values = {
      producerGroup: group,
      topic,
      defaultTopic: TEMPLATE_TOPIC,
      defaultTopicQueueNums: queues ?? NEW_TOPIC_QUEUES,
      queueId,
      sysFlag: 0,
      bornTimestamp: Date.now(),
      flag: 0,
      properties: batch ? formatProperties([[PropertyName.WAIT, String(waitStored)]]) : this.#properties(),
      reconsumeTimes: 0,
      unitMode: false,
      batch,
    };
    const { code, request: table } = batch ? SendBatchMessage : SendMessageV2;
    const extra = sign?.(new Map(Object.entries(table.texts(values))), [body]);
    encodeFrame(out, encoding, { code, version: OUR_VERSION, opaque, flag: 0, table, values, extra }, [body]);
  }

  #properties(): string {
    const { waitStored, delayLevel } = this.#options;
    return formatProperties([
      [PropertyName.UNIQ_KEY, this.#key],
      [PropertyName.WAIT, String(waitStored)],
      [PropertyName.DELAY, delayLevel === 0 ? "" : String(delayLevel)],
    ]);
  }
}

function writeDigits(bytes: Uint8Array, at: number, value: number): void {
  let rest = value;
  for (let i = at + OPAQUE_DIGITS - 1; i >= at; i--) {
    bytes[i] = ASCII_0 + rest % 10;
    rest = Math.floor(rest / 10);
  }
}

/** A pull, in which the broker sees nothing but an offset: tags do not matter. */
export interface Pull {
  readonly queueId: number;
  readonly offset: number;
  /** How long the broker may wait for a message, ms; 0: it answers at once. */
  readonly holdMs: number;
}

/** Appends the frame of a pull. */
export function appendPull(out: ByteWriter, options: LoadOptions, opaque: number, pull: Pull): void {
  const { group, topic, pullMax, encoding, sign } = options;
  const values = {
    consumerGroup: group,
    topic,
    queueId: pull.queueId,
    queueOffset: pull.offset,
    maxMsgNums: pullMax,
    sysFlag: PullFlag.SUBSCRIPTION | (pull.holdMs > 0 ? PullFlag.SUSPEND : 0),
    commitOffset: 0,
    suspendTimeoutMillis: pull.holdMs,
    subscription: "*",
    subVersion: 0,
  };
  const { code, request: table } = PullMessage;
  const extra = sign?.(new Map(Object.entries(table.texts(values))), []);
  encodeFrame(out, encoding, { code, version: OUR_VERSION, opaque, flag: 0, table, values, extra }, []);
}
