/**
 * What the tests of transactions share: a broker of the handlers that they need, over a real store, whose time is moved
 * by hand, and producers that write down what they are asked.
 *
 * @module
 */
import type { BrokerContext } from "../../src/broker/context.ts";
import { Intake } from "../../src/broker/intake.ts";
import type { MemberConnection } from "../../src/broker/memberships.ts";
import { ConsumerOffsets } from "../../src/broker/offsets.ts";
import { ProducerGroups } from "../../src/broker/producers.ts";
import { sendingHandlers } from "../../src/broker/sending.ts";
import { TopicTable } from "../../src/broker/topics.ts";
import type { BrokerStats } from "../../src/broker/stats/mod.ts";
import { Transactions } from "../../src/broker/transactions.ts";
import { type BrokerSettings, checkSettings } from "../../src/config/mod.ts";
import { SysFlag } from "../../src/protocol/codes.ts";
import { formatMessageId, parseMessageId } from "../../src/protocol/message_id.ts";
import { decodeRecord, type MessageRecord } from "../../src/protocol/message_record.ts";
import { formatProperties } from "../../src/protocol/properties.ts";
import { ResumeCheckHalfMessage } from "../../src/protocol/admin_requests.ts";
import * as requests from "../../src/protocol/requests.ts";
import type { Permit } from "../../src/remoting/access/guard.ts";
import type { MessageStore } from "../../src/store/mod.ts";
import { sendHeader } from "../headers.ts";
import { Bench, HOST } from "../store/kit.ts";
import { type Ask, Desk, statsOf } from "./workshop.ts";

export const HALF = "RMQ_SYS_TRANS_HALF_TOPIC", OP = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
export const CHECKED_OUT = "TRANS_CHECK_MAX_TIME_TOPIC";
export const { TRANSACTION_COMMIT: COMMIT, TRANSACTION_ROLLBACK: ROLLBACK } = SysFlag;
export const GROUP = "PG";
type Given = Partial<BrokerSettings>;
const INTERVAL = 60_000;
export const TIMEOUT = 6_000;

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** The body of a record as text. */
export function textOf({ body }: MessageRecord): string {
  return decoder.decode(body);
}

/** Where a half message is: what its producer learns from the answer or from a check. */
export interface Half {
  tranStateTableOffset: number;
  commitLogOffset: number;
}

/** A question of the broker. */
export interface Check extends Half {
  readonly record: MessageRecord;
  readonly header: Record<string, unknown>;
}

/** A producer's connection that writes down what it is asked. */
export class FakeProducer implements MemberConnection {
  readonly checks: Check[] = [];
  congested = false;
  #onClose: () => void = () => {};

  constructor(readonly peer: string) {}

  notify: MemberConnection["notify"] = (type, header, body) => {
    if (type.name !== "CHECK_TRANSACTION_STATE") throw new Error(`told ${type.name}`);
    const fields = header as unknown as Half;
    this.checks.push({ ...fields, header: { ...fields }, record: decodeRecord(body![0]!.slice()) });
  };

  request: MemberConnection["request"] = () => Promise.reject(new Error("nobody asks these"));

  onClose(callback: () => void): void {
    this.#onClose = callback;
  }

  close(): void {
    this.#onClose();
  }

  /** The bodies of the messages that it was asked about, which it forgets. */
  asked(): string[] {
    return this.checks.splice(0).map(({ record }) => textOf(record));
  }
}

/** What a test may say of a message. */
export interface Sent {
  readonly topic?: string;
  readonly queueId?: number;
  readonly group?: string;
  readonly properties?: Record<string, string>;
  readonly sysFlag?: number;
  readonly flag?: number;
  readonly bornTimestamp?: number;
  readonly reconsumeTimes?: number;
  readonly batch?: boolean;
}

/** A broker that can be closed and opened again on the same folder. */
export class TransactionDesk {
  readonly bench = new Bench();
  store!: MessageStore;
  offsets!: ConsumerOffsets;
  producers!: ProducerGroups;
  stats!: BrokerStats;
  transactions!: Transactions;
  topics!: TopicTable;
  #desk!: Desk;
  #ask!: Ask;

  static async with(test: (desk: TransactionDesk) => Promise<void>, given: Given = {}): Promise<void> {
    const desk = new TransactionDesk();
    try {
      await desk.open(given);
      await test(desk);
      await desk.close();
    } finally {
      desk.bench[Symbol.dispose]();
    }
  }

  async open(given: Given = {}): Promise<void> {
    const { bench } = this;
    const { disk, clock } = bench;
    const { flushDiskType } = given;
    this.store = await bench.open(flushDiskType === undefined ? {} : { flushDiskType });
    const loaded = checkSettings("", { roles: ["master"], sets: [`storePathRootDir=${bench.dir}`] });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const settings = { ...loaded.settings.broker!, ...given };
    const topics = this.topics = new TopicTable({ settings, disk, clock });
    const offsets = this.offsets = new ConsumerOffsets({ settings, topics, disk, clock });
    const producers = this.producers = new ProducerGroups(clock);
    const store = this.store;
    const intake = new Intake(store), stats = this.stats = statsOf(clock);
    const broker = { settings, store, topics, offsets, producers, clock, storeHost: HOST, intake, stats };
    this.transactions = new Transactions(broker);
    this.#desk = new Desk((table) => {
      sendingHandlers(table, broker as unknown as BrokerContext);
      this.transactions.handlers(table);
    });
    this.#ask = this.#desk.client().ask;
    this.transactions.start();
    await this.calm();
  }

  /** `save` is false for an end that nobody saw coming: what was not written is not there afterwards. */
  async close({ save = true } = {}): Promise<void> {
    await this.#desk.close();
    await this.transactions.close();
    if (save) this.offsets.close();
    await this.store.close();
  }

  /** A producer that is online, with the permissions of an account if it has one. */
  producer(group = GROUP, permit?: Permit): FakeProducer {
    const producer = new FakeProducer(group);
    this.producers.register(group, producer, { clientId: "c", language: "JAVA", version: 407, permit });
    return producer;
  }

  /** Sends a message, by default a half one, and gives the whole answer. */
  send(text: string, { group = GROUP, properties = {}, ...sent }: Sent = {}) {
    const header = sendHeader({
      producerGroup: group,
      queueId: 1,
      bornTimestamp: this.bench.clock.now(),
      properties: formatProperties(Object.entries({ UNIQ_KEY: text, TRAN_MSG: "true", PGROUP: group, ...properties })),
      ...sent,
    });
    return this.#ask(requests.SendMessageV2, header, encoder.encode(text));
  }

  /** Sends a half message; gives where it is. */
  async prepare(text: string, sent: Sent = {}): Promise<Half> {
    const { code, remark, header } = await this.send(text, sent);
    if (code !== 0) throw new Error(`${code} ${remark}`);
    return { tranStateTableOffset: header.queueOffset!, commitLogOffset: parseMessageId(header.msgId!).logOffset };
  }

  /** Ends a transaction; gives code and remark. */
  async end(half: Half, commitOrRollback: number, producerGroup = GROUP): Promise<[number, string | undefined]> {
    const { tranStateTableOffset, commitLogOffset } = half;
    const header = { tranStateTableOffset, commitLogOffset, commitOrRollback, producerGroup };
    const { code, remark } = await this.#ask(requests.EndTransaction, header);
    return [code, remark];
  }

  /** Has the half message at a log offset asked about again; gives code and remark. */
  async resume(logOffset: number): Promise<[number, string | undefined]> {
    const { code, remark } = await this.#ask(ResumeCheckHalfMessage, { msgId: formatMessageId(HOST, logOffset) });
    return [code, remark];
  }

  /** Lets time pass, and the rounds that fall into it come to their end. */
  async pass(ms = INTERVAL): Promise<void> {
    this.bench.clock.advance(ms);
    await this.calm();
  }

  /** A round that has more to do than one turn's work waits for the clock. */
  async calm(): Promise<void> {
    while (this.transactions.busy) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (this.transactions.busy) this.bench.clock.advance(1);
    }
  }

  /** All records of a queue from an offset on. */
  async records(topic: string, queueId = 0, from = 0): Promise<MessageRecord[]> {
    const found: MessageRecord[] = [];
    for (let at = from; at < this.store.maxOffset(topic, queueId);) {
      const { records, nextBeginOffset } = await this.store.get(topic, queueId, at, 32);
      for (const record of records) found.push(decodeRecord(record.slice()));
      at = nextBeginOffset;
    }
    return found;
  }

  async texts(topic: string, queueId = 0): Promise<string[]> {
    return (await this.records(topic, queueId)).map(textOf);
  }

  /** What consumers of T get. */
  delivered(): Promise<string[]> {
    return this.texts("T", 1);
  }

  /** How far half queue and op queue are done. */
  progress(): [half: number, op: number] {
    return [this.offsets.get("CID_RMQ_SYS_TRANS", HALF, 0), this.offsets.get("CID_RMQ_SYS_TRANS", OP, 0)];
  }
}
