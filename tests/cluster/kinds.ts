/**
 * Load with messages of every kind, so that whatever a broker can write is in its files.
 *
 * @module
 */
import { Producer } from "../../src/client/mod.ts";
import { encodeHeartbeat } from "../../src/protocol/bodies/mod.ts";
import { ResponseCode, SysFlag } from "../../src/protocol/codes.ts";
import { parseMessageId } from "../../src/protocol/message_id.ts";
import {
  EndTransaction,
  GetMaxOffset,
  HeartBeat,
  SendMessageV2,
  UpdateConsumerOffset,
} from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assertEquals } from "../../src/std.ts";
import { sendHeader } from "../headers.ts";
import type { Node } from "../launch.ts";
import { eventually } from "./replication.ts";

export const QUEUES = 4;
const TIMEOUT_MS = 20_000;
const GROUP = "kinds";
/** A body larger than one HA transfer, and one that takes most of a small log file. */
const LARGE_BYTES = 100_000, HUGE_BYTES = 900_000;

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

/** What is sent to one master: to a topic of four queues, which the first message makes. */
export class Kinds implements AsyncDisposable {
  readonly #client = new RemotingClient();
  readonly #producer: Producer;

  constructor(readonly master: Node, nameservers: string, readonly topic = "Kinds") {
    this.#producer = new Producer({ nameservers, timeoutMs: TIMEOUT_MS });
  }

  /** Plain, batches, delayed (`delayed` on level 1 and 2), transactions of every end, large ones; 6 MB. Ends when all are delivered. */
  async send(mark: string, plain = 300): Promise<void> {
    const { topic } = this;
    const before = await this.#stored();
    const one = (body: string | Uint8Array, more = {}) =>
      this.#producer.send({ topic, tag: "kind", keys: [mark], body, ...more });
    await one(`${mark} first`);
    await Promise.all(
      Array.from({ length: plain }, (_, n) => one(`${mark} plain ${n} ${"x".repeat((n * 37) % 1500)}`)),
    );
    for (let batch = 0; batch < 5; batch++) {
      await this.#producer.sendBatch(
        Array.from({ length: 20 }, (_, n) => ({ topic, body: `${mark} batch ${batch} ${n}` })),
      );
    }
    await Promise.all(Array.from({ length: 20 }, (_, n) => {
      return one(`${mark} delayed ${n}`, { properties: { DELAY: String(n % 2 + 1) } });
    }));
    for (let n = 0; n < 10; n++) await this.#transact(`${mark} transaction ${n}`, n % 3);
    const committed = 4;
    await Promise.all(Array.from({ length: 8 }, () => one(randomBytes(LARGE_BYTES))));
    for (let n = 0; n < 5; n++) await one(randomBytes(HUGE_BYTES));
    await one(`${mark} last`);
    const wanted = before + plain + 100 + 20 + committed + 8 + 5 + 2;
    await eventually("delayed messages are delivered", async () => {
      const stored = await this.#stored();
      return stored === wanted ? undefined : `${stored} messages are stored, not ${wanted}`;
    });
  }

  /** How many messages the topic's queues have. */
  async #stored(): Promise<number> {
    let sum = 0;
    for (let queueId = 0; queueId < QUEUES; queueId++) {
      const asked = { topic: this.topic, queueId };
      const { header } = await this.#client.invoke(this.master.address, GetMaxOffset, asked, undefined, TIMEOUT_MS);
      sum += header.offset ?? 0;
    }
    return sum;
  }

  /** Commits, rolls back or leaves open. */
  async #transact(body: string, end: number): Promise<void> {
    const { address } = this.master;
    const heartbeat = encodeHeartbeat({
      clientID: "kinds",
      producerDataSet: [{ groupName: GROUP }],
      consumerDataSet: [],
    });
    await this.#client.invoke(address, HeartBeat, {}, heartbeat, TIMEOUT_MS);
    const { code, header, remark } = await this.#client.invoke(
      address,
      SendMessageV2,
      sendHeader({
        producerGroup: GROUP,
        topic: this.topic,
        properties: `UNIQ_KEY\x01${body}\x02TRAN_MSG\x01true\x02PGROUP\x01${GROUP}`,
        sysFlag: SysFlag.TRANSACTION_PREPARED,
      }),
      new TextEncoder().encode(body),
      TIMEOUT_MS,
    );
    assertEquals(code, ResponseCode.SUCCESS, remark);
    if (end === 2) return;
    const place = {
      tranStateTableOffset: header.queueOffset!,
      commitLogOffset: parseMessageId(header.msgId!).logOffset,
    };
    const commitOrRollback = end === 0 ? SysFlag.TRANSACTION_COMMIT : SysFlag.TRANSACTION_ROLLBACK;
    const ended = await this.#client.invoke(
      address,
      EndTransaction,
      { ...place, producerGroup: GROUP, commitOrRollback },
      undefined,
      TIMEOUT_MS,
    );
    assertEquals(ended.code, ResponseCode.SUCCESS, ended.remark);
  }

  /** Tells the master how far a group has come in the topic's queues. */
  async commitOffsets(consumerGroup: string, offset: number): Promise<void> {
    for (let queueId = 0; queueId < QUEUES; queueId++) {
      const header = { consumerGroup, topic: this.topic, queueId, commitOffset: offset + queueId };
      const { code } = await this.#client.invoke(
        this.master.address,
        UpdateConsumerOffset,
        header,
        undefined,
        TIMEOUT_MS,
      );
      assertEquals(code, ResponseCode.SUCCESS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.#producer.close();
  }
}
