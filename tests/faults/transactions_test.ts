/**
 * Transactions through SIGKILL: what was acknowledged as committed is there, what was rolled back never comes, and what
 * was left open is asked about until it ends.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";
import { encodeHeartbeat } from "../../src/protocol/bodies/mod.ts";
import { HeaderEncoding, ResponseCode, SysFlag } from "../../src/protocol/codes.ts";
import { parseMessageId } from "../../src/protocol/message_id.ts";
import { decodeRecord } from "../../src/protocol/message_record.ts";
import * as requests from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { sendHeader } from "../headers.ts";
import { delay, type Node, startRocketd } from "../launch.ts";
import { readTopic } from "./reading.ts";

const ROUNDS = 8, SENDERS = 24;
const TOPIC = "Transactions", QUEUES = 4, GROUP = "PG";
const encoder = new TextEncoder(), decoder = new TextDecoder();

/** How transactions go, by number: ended at once, or left open until the broker asks. */
const PLANS = ["commit", "rollback", "open-commit", "open-rollback", "commit"] as const;
type Plan = typeof PLANS[number];

function endOf(plan: string): number {
  return plan.endsWith("commit") ? SysFlag.TRANSACTION_COMMIT : SysFlag.TRANSACTION_ROLLBACK;
}

/** A producer whose message bodies begin with their plan. */
class Producer {
  /** Bodies of half messages that were acknowledged, and of those whose end was. */
  readonly prepared = new Map<string, Plan>();
  readonly ended = new Set<string>();
  /** Bodies that the broker asked about. */
  readonly asked = new Set<string>();
  readonly #client: RemotingClient;

  constructor(readonly broker: Node) {
    const handlers = new HandlerTable().on(requests.CheckTransactionState, ({ header, body }) => {
      const text = decoder.decode(decodeRecord(body.slice()).body);
      this.asked.add(text);
      this.#end(text, { ...header, fromTransactionCheck: true }).catch(() => {});
      return undefined;
    });
    this.#client = new RemotingClient({ encoding: HeaderEncoding.ROCKETMQ, handlers });
  }

  async heartbeat(): Promise<void> {
    const body = encodeHeartbeat({ clientID: "c", producerDataSet: [{ groupName: GROUP }], consumerDataSet: [] });
    await this.#client.invoke(this.broker.address, requests.HeartBeat, {}, body, 30_000);
  }

  async #end(
    text: string,
    place: { tranStateTableOffset: number; commitLogOffset: number; fromTransactionCheck?: boolean },
  ): Promise<void> {
    const { tranStateTableOffset, commitLogOffset, fromTransactionCheck = false } = place;
    const header = { tranStateTableOffset, commitLogOffset, fromTransactionCheck, producerGroup: GROUP };
    const { code, remark } = await this.#client.invoke(
      this.broker.address,
      requests.EndTransaction,
      { ...header, commitOrRollback: endOf(text.split(" ")[0]!) },
      undefined,
      30_000,
    );
    assertEquals(code, ResponseCode.SUCCESS, remark);
    this.ended.add(text);
  }

  async #run(round: number, id: number): Promise<void> {
    for (let n = 0;; n++) {
      const plan = PLANS[n % PLANS.length]!;
      const text = `${plan} ${round}-${id}-${n} ${"x".repeat((n * 37) % 900)}`;
      const { code, remark, header } = await this.#client.invoke(
        this.broker.address,
        requests.SendMessageV2,
        sendHeader({
          producerGroup: GROUP,
          topic: TOPIC,
          queueId: n % QUEUES,
          sysFlag: SysFlag.TRANSACTION_PREPARED,
          properties: `UNIQ_KEY\x01${round}-${id}-${n}\x02TRAN_MSG\x01true\x02PGROUP\x01${GROUP}`,
        }),
        encoder.encode(text),
        30_000,
      );
      assertEquals(code, ResponseCode.SUCCESS, remark);
      this.prepared.set(text, plan);
      if (plan.startsWith("open")) continue;
      const { logOffset } = parseMessageId(header.msgId!);
      await this.#end(text, { tranStateTableOffset: header.queueOffset!, commitLogOffset: logOffset });
    }
  }

  /** Works until the broker dies. */
  async work(round: number): Promise<void> {
    await this.heartbeat();
    await Promise.all(Array.from({ length: SENDERS }, async (_, id) => {
      try {
        await this.#run(round, id);
      } catch (error) {
        if (!(error instanceof RocketdError) || !error.retriable) throw error;
      }
    }));
  }

  /** Half messages that the broker has yet to look at. */
  async open(): Promise<number> {
    const queue = { topic: "RMQ_SYS_TRANS_HALF_TOPIC", queueId: 0 }, consumerGroup = "CID_RMQ_SYS_TRANS";
    const { address } = this.broker;
    const max = await this.#client.invoke(address, requests.GetMaxOffset, queue, undefined, 30_000);
    const query = { ...queue, consumerGroup };
    const done = await this.#client.invoke(address, requests.QueryConsumerOffset, query, undefined, 30_000);
    return max.header.offset! - (done.header.offset ?? 0);
  }

  close(): void {
    this.#client.close();
  }
}

for (const flushDiskType of ["ASYNC_FLUSH", "SYNC_FLUSH"]) {
  Deno.test(`transactions end as they should through ${ROUNDS} rounds of SIGKILL under load, ${flushDiskType}`, async () => {
    await using nameserver = await startRocketd({ role: "nameserver" });
    const settings = {
      flushDiskType,
      transactionTimeOut: 300,
      transactionCheckInterval: 100,
      transactionCheckMax: 100_000,
      mappedFileSizeCommitLog: 4 * 2 ** 20,
      mappedFileSizeConsumeQueue: 20_000,
      maxMessageSize: 65536,
    };
    await using broker = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings });
    const producer = new Producer(broker);
    for (let round = 0; round < ROUNDS; round++) {
      const before = producer.ended.size;
      const working = producer.work(round);
      const deadline = Date.now() + 60_000;
      while (producer.ended.size === before && Date.now() < deadline) await delay(10);
      await delay(200 + (round * 53) % 400);
      await broker.kill();
      await working;
      assert(producer.ended.size > before, "the round ended no transaction, so it proves nothing");
      await broker.start();
    }
    const { prepared, asked } = producer;
    await producer.heartbeat();
    for (const deadline = Date.now() + 60_000; await producer.open() > 0; await delay(100)) {
      assert(Date.now() < deadline, `${await producer.open()} half messages are not done with`);
    }

    const found = (await readTopic(broker.address, TOPIC, QUEUES)).map(({ body }) => decoder.decode(body));
    const delivered = new Set(found);
    const count = (texts: Iterable<string>, holds: (text: string) => boolean) => [...texts].filter(holds).length;
    const committed = [...prepared.keys()].filter((text) => endOf(prepared.get(text)!) === SysFlag.TRANSACTION_COMMIT);
    const missing = count(committed, (text) => !delivered.has(text));
    assertEquals(missing, 0, `${missing} of ${committed.length} committed messages are missing`);
    assertEquals(count(delivered, (text) => !/^(open-)?commit /.test(text)), 0, "messages came that were rolled back");
    assert(count(asked, (text) => text.startsWith("open-commit")) > 0, "the broker asked about nothing");
    producer.close();
    assertEquals(await broker.stop(), 0);
  });
}
