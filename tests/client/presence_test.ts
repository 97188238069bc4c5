/**
 * How brokers learn that a producer is there, and that it has gone.
 *
 * @module
 */
import { Producer } from "../../src/client/producer/producer.ts";
import { TransactionProducer } from "../../src/client/producer/transactions.ts";
import { RocketdError } from "../../src/errors.ts";
import { decodeHeartbeat } from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { HeartBeat, UnregisterClient } from "../../src/protocol/requests.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import type { Connection } from "../../src/remoting/connection.ts";
import { assertEquals, assertRejects } from "../../src/std.ts";
import { AnsweringCluster } from "./answering_cluster.ts";

/** Notes who comes and goes; `next` waits for the next event. */
class Visitors {
  readonly table = new HandlerTable();
  connection: Connection | undefined;
  readonly #events: string[] = [];
  #wake = () => {};

  constructor() {
    this.table.on(HeartBeat, ({ body, connection }) => {
      const { clientID, producerDataSet, consumerDataSet } = decodeHeartbeat(body);
      this.connection = connection;
      this.#add(`beat ${clientID} ${producerDataSet.map(({ groupName }) => groupName)} ${consumerDataSet.length}`);
      return { code: ResponseCode.SUCCESS };
    }).on(UnregisterClient, ({ header, oneWay }) => {
      this.#add(`leave ${header.clientID} ${header.producerGroup} ${oneWay}`);
      return undefined;
    });
  }

  #add(event: string): void {
    this.#events.push(event);
    this.#wake();
  }

  async next(): Promise<string> {
    while (this.#events.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
    return this.#events.shift()!;
  }
}

Deno.test("A producer tells its brokers again and again that it is there, and takes leave", async () => {
  const visitors = new Visitors();
  await using cluster = new AnsweringCluster({ a: ResponseCode.SUCCESS }, undefined, visitors.table);
  const options = { nameservers: cluster.nameservers, group: "g", clientId: "me@1", heartbeatBrokerIntervalMs: 20 };
  const producer = new Producer(options);
  await producer.send({ topic: "T", body: "x" });
  for (let i = 0; i < 3; i++) assertEquals(await visitors.next(), "beat me@1 g 0");
  await producer.close();
  let event = await visitors.next();
  while (event.startsWith("beat")) event = await visitors.next();
  assertEquals(event, "leave me@1 g true");
});

Deno.test("A broker that lost a producer is told soon after, without any send", async () => {
  const visitors = new Visitors();
  await using cluster = new AnsweringCluster({ a: ResponseCode.SUCCESS }, undefined, visitors.table);
  const common = { nameservers: cluster.nameservers, group: "g", clientId: "me@1" };
  await using producer = new Producer({ ...common, heartbeatBrokerIntervalMs: 3_600_000 });
  await producer.send({ topic: "T", body: "x" });
  await visitors.next();
  const before = visitors.connection!;
  before.close();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const never = new Promise((_, reject) => timer = setTimeout(() => reject(new Error("nobody came back")), 60_000));
  await Promise.race([visitors.next(), never]).finally(() => clearTimeout(timer));
  assertEquals(visitors.connection!.id !== before.id, true);
});

Deno.test("A producer of transactions does not start where every broker refuses it, and is told why", async () => {
  const { SUCCESS, NO_PERMISSION } = ResponseCode;
  const refusing = new HandlerTable().on(HeartBeat, () => ({ code: NO_PERMISSION, remark: "not you" }));
  await using cluster = new AnsweringCluster({ a: SUCCESS }, undefined, refusing);
  const options = { nameservers: cluster.nameservers, group: "g", checkLocalTransaction: () => "commit" as const };
  await using producer = new TransactionProducer(options);
  const refusal = await assertRejects(() => producer.start(["T"]), RocketdError, "not you");
  assertEquals([refusal.code, refusal.details.responseCode], ["refused", NO_PERMISSION]);
  assertEquals((await producer.send({ topic: "T", body: "x" })).status, "SEND_OK");
});
