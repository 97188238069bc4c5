/**
 * Offsets that brokers keep: what is told last counts, and what a broker may have lost is told again.
 *
 * @module
 */
import { BrokerOffsets } from "../../../src/client/consumer/offset_store.ts";
import { QueueQuestions } from "../../../src/client/queue_questions.ts";
import { RouteBook } from "../../../src/client/routes.ts";
import { encodeTopicRoute } from "../../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../../src/protocol/codes.ts";
import { GetRouteinfoByTopic, UpdateConsumerOffset } from "../../../src/protocol/requests.ts";
import { RemotingClient } from "../../../src/remoting/client.ts";
import { HandlerTable } from "../../../src/remoting/handlers.ts";
import { RemotingServer } from "../../../src/remoting/server.ts";
import { assertEquals } from "../../../src/std.ts";
import { until } from "../scene.ts";

const { SUCCESS } = ResponseCode;
const queue = (queueId: number) => ({ topic: "T", brokerName: "b", queueId });

/** A broker that is its own nameserver, and answers when it is let. */
class SlowBroker implements AsyncDisposable {
  readonly told: string[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #server: RemotingServer;
  readonly #client = new RemotingClient();
  readonly offsets: BrokerOffsets;
  readonly address: string;
  isSlow = true;

  constructor() {
    const handlers = new HandlerTable()
      .on(UpdateConsumerOffset, async ({ header: { queueId, commitOffset } }) => {
        this.told.push(`${queueId}=${commitOffset}`);
        if (this.isSlow) await new Promise<void>((resolve) => this.#waiting.push(resolve));
        return { code: SUCCESS };
      })
      .on(GetRouteinfoByTopic, () => ({
        code: SUCCESS,
        body: encodeTopicRoute({
          queueDatas: [{ brokerName: "b", readQueueNums: 4, writeQueueNums: 4, perm: 6, topicSysFlag: 0 }],
          brokerDatas: [{ brokerName: "b", cluster: "C", brokerAddrs: new Map([[0, this.address]]) }],
          filterServerTable: new Map(),
        }),
      }));
    this.#server = new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 9, idleMs: 60_000 });
    this.address = `127.0.0.1:${this.#server.port}`;
    this.offsets = new BrokerOffsets("g", new QueueQuestions(this.#client, new RouteBook(this.#client, this.address)));
  }

  /** Answers all that was asked so far. */
  answer(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.#server.close();
  }
}

Deno.test("the offset that is told last counts, and a table's first one goes alone, whoever tells them", async () => {
  await using broker = new SlowBroker();
  const first = broker.offsets.persist([[queue(0), 1], [queue(1), 1]]);
  await until(() => broker.told.length === 1);
  const later = [1, 2].map((offset) => broker.offsets.persist([[queue(1), 5 * offset], [queue(2), 7]]));
  broker.answer();
  await until(() => broker.told.length === 2);
  broker.isSlow = false;
  broker.answer();
  await Promise.all([first, ...later]);
  assertEquals(broker.told, ["0=1", "1=1", "1=10", "2=7"]);
});

Deno.test("an offset is told once, and once more after its broker was lost", async () => {
  await using broker = new SlowBroker();
  broker.isSlow = false;
  const again = () => broker.offsets.persist([[queue(0), 1]]);
  await again();
  await again();
  broker.offsets.forget("127.0.0.1:1");
  await again();
  assertEquals(broker.told, ["0=1"]);
  broker.offsets.forget(broker.address);
  await again();
  assertEquals(broker.told, ["0=1", "0=1"]);
});
