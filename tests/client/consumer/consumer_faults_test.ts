/**
 * Consumers with brokers that send them elsewhere, answer garbage, or refuse: against servers in the same process.
 *
 * @module
 */
import { reset } from "@logtape/logtape";
import { type ConsumeOrderlyStatus, LitePullConsumer, PushConsumer } from "../../../src/client/mod.ts";
import { RocketdError } from "../../../src/errors.ts";
import {
  decodeLockBatch,
  encodeConsumerIds,
  encodeLocked,
  encodeTopicRoute,
} from "../../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../../src/protocol/codes.ts";
import { parseProperties } from "../../../src/protocol/properties.ts";
import {
  ConsumerSendMsgBack,
  GetConsumerListByGroup,
  GetRouteinfoByTopic,
  HeartBeat,
  LockBatchMq,
  PullMessage,
  QueryConsumerOffset,
  SendMessageV2,
  UnlockBatchMq,
  UnregisterClient,
  UpdateConsumerOffset,
} from "../../../src/protocol/requests.ts";
import { type Answer, HandlerTable, type Incoming } from "../../../src/remoting/handlers.ts";
import { RemotingServer } from "../../../src/remoting/server.ts";
import { assert, assertEquals, assertRejects } from "../../../src/std.ts";
import { gatherLines } from "../../remoting/tls/stage.ts";
import { recordBytes } from "../messages.ts";
import { until } from "../scene.ts";

const { SUCCESS, SYSTEM_ERROR, PULL_NOT_FOUND, PULL_OFFSET_MOVED, QUERY_NOT_FOUND, TOPIC_NOT_EXIST } = ResponseCode;
const MEMBER = "the-member";
/** A topic whose broker is gone. */
const ELSEWHERE = "Elsewhere";

type Pull = Incoming<typeof PullMessage>;
type PullAnswer = Answer<typeof PullMessage> | undefined;

function serve(handlers: HandlerTable): RemotingServer {
  return new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 100, idleMs: 60_000 });
}

/** One topic of one queue, at a master and a slave whose answers to pulls are scripted. */
class Faulty implements AsyncDisposable {
  /** Offsets that were asked for, each with who was asked. */
  readonly pulls: string[] = [];
  readonly committed: number[] = [];
  readonly resent: { topic: string; reconsumeTimes: number | undefined; properties: Map<string, string> }[] = [];
  /** How often a connection breaks when a member asks for the others, at either broker; whether it is refused then. */
  breaks = 0;
  refuses = false;
  /** Whether the master knows no members at all, or others than us. */
  members: string[] | undefined = [MEMBER];
  /** Whether locks are given, and the group's offset. */
  locks = true;
  /** How often the lock of T's queue was asked for. */
  lockings = 0;
  offset: number | undefined;
  /** A topic that is not there. */
  unknown = "Unknown";
  readonly #nodes: RemotingServer[];
  readonly nameservers: string;

  constructor(answer: (who: "master" | "slave", offset: number, times: number) => PullAnswer) {
    const broker = (who: "master" | "slave") =>
      serve(
        new HandlerTable()
          .on(HeartBeat, () => ({ code: SUCCESS }))
          .on(UnregisterClient, () => ({ code: SUCCESS }))
          .on(GetConsumerListByGroup, ({ connection }) => {
            if (this.breaks-- > 0) connection.close();
            const members = who === "master" ? this.members : [MEMBER];
            return this.refuses || members === undefined
              ? { code: SYSTEM_ERROR, remark: "not you" }
              : { code: SUCCESS, body: encodeConsumerIds(members) };
          })
          .on(QueryConsumerOffset, () => {
            if (this.offset === undefined) return { code: QUERY_NOT_FOUND };
            return { code: SUCCESS, header: { offset: this.offset } };
          })
          .on(LockBatchMq, ({ body }) => {
            if (decodeLockBatch(body).mqSet.some(({ topic }) => topic === "T")) this.lockings++;
            return { code: SUCCESS, body: encodeLocked(this.locks ? decodeLockBatch(body).mqSet : []) };
          })
          .on(UnlockBatchMq, () => ({ code: SUCCESS }))
          .on(ConsumerSendMsgBack, () => ({ code: SYSTEM_ERROR, remark: "not now" }))
          .on(UpdateConsumerOffset, ({ header }) => {
            if (header.topic === "T") this.committed.push(header.commitOffset);
            return { code: SUCCESS };
          })
          .on(SendMessageV2, ({ header: { topic, reconsumeTimes, properties } }) => {
            const text = new TextDecoder().decode(properties);
            this.resent.push({ topic, reconsumeTimes, properties: parseProperties(text) });
            return { code: SUCCESS, header: { msgId: "ID", queueId: 0, queueOffset: 0 } };
          })
          .on(PullMessage, (request: Pull) => {
            const { topic, queueOffset } = request.header;
            if (topic !== "T") return undefined;
            this.pulls.push(`${who} ${queueOffset}`);
            return answer(who, queueOffset, this.pulls.length);
          }),
      );
    const [master, slave] = this.#nodes = [broker("master"), broker("slave")];
    const body = encodeTopicRoute({
      queueDatas: [{ brokerName: "b", readQueueNums: 1, writeQueueNums: 1, perm: 6, topicSysFlag: 0 }],
      brokerDatas: [{
        brokerName: "b",
        cluster: "C",
        brokerAddrs: new Map([[0, `127.0.0.1:${master!.port}`], [1, `127.0.0.1:${slave!.port}`]]),
      }],
      filterServerTable: new Map(),
    });
    const nameserver = serve(
      new HandlerTable().on(GetRouteinfoByTopic, ({ header: { topic } }) => {
        if (topic === this.unknown) return { code: TOPIC_NOT_EXIST };
        return { code: SUCCESS, body: topic === ELSEWHERE ? deadRoute : body };
      }),
    );
    // Nobody listens there.
    const deadRoute = encodeTopicRoute({
      queueDatas: [{ brokerName: "dead", readQueueNums: 1, writeQueueNums: 1, perm: 6, topicSysFlag: 0 }],
      brokerDatas: [{ brokerName: "dead", cluster: "C", brokerAddrs: new Map([[0, "127.0.0.1:1"]]) }],
      filterServerTable: new Map(),
    });
    this.#nodes.unshift(nameserver);
    this.nameservers = `127.0.0.1:${nameserver.port}`;
  }

  get options() {
    const subscriptions = { T: "*" };
    return { nameservers: this.nameservers, group: "g", clientId: MEMBER, subscriptions, from: "first" } as const;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node.close();
  }
}

const found = (queueOffset: number, suggestWhichBrokerId = 0): PullAnswer => ({
  code: SUCCESS,
  header: { suggestWhichBrokerId, nextBeginOffset: queueOffset + 1, minOffset: 0, maxOffset: queueOffset + 1 },
  body: recordBytes({ queueOffset, body: new TextEncoder().encode(`m${queueOffset}`) }),
});

async function texts(consumer: LitePullConsumer, count: number): Promise<string[]> {
  const all: string[] = [];
  await until(async () => all.push(...(await consumer.poll()).map((message) => message.text())) >= count);
  return all;
}

Deno.test("a consumer that is sent to a slave reads there, and from the master again when the slave refuses", async () => {
  await using cluster = new Faulty((who, offset) => {
    if (who === "slave") return offset < 2 ? found(offset, 1) : { code: SYSTEM_ERROR, remark: "broken" };
    // Without an answer the pull is held.
    return offset === 0 ? found(0, 1) : offset === 2 ? found(2) : undefined;
  });
  await using consumer = new LitePullConsumer(cluster.options);
  assertEquals(await texts(consumer, 3), ["m0", "m1", "m2"]);
  assertEquals(cluster.pulls.slice(0, 4), ["master 0", "slave 1", "slave 2", "master 2"]);
});

Deno.test("an answer that cannot be read is asked for again, and an offset that is not there is corrected", async () => {
  await using cluster = new Faulty((_, offset, times) => {
    if (times === 1) return { code: SUCCESS, header: { nextBeginOffset: 5 }, body: new Uint8Array(200).fill(7) };
    if (offset === 0) return { code: PULL_OFFSET_MOVED, header: { nextBeginOffset: 10 } };
    return offset === 10 ? found(10) : undefined;
  });
  await using consumer = new LitePullConsumer(cluster.options);
  assertEquals(await texts(consumer, 1), ["m10"]);
  assertEquals(cluster.pulls.slice(0, 3), ["master 0", "master 0", "master 10"]);
});

Deno.test("a queue that begins anew is read from there, though messages of before are in hand", async () => {
  await using cluster = new Faulty((_, offset) => {
    if (offset === 8) return { code: PULL_OFFSET_MOVED, header: { nextBeginOffset: 0 } };
    return offset === 7 || offset === 0 ? found(offset) : undefined;
  });
  cluster.offset = 7;
  const seen: string[] = [];
  {
    await using consumer = new PushConsumer({
      ...cluster.options,
      consumeConcurrently: async ([message]) => {
        seen.push(message!.text());
        if (message!.text() === "m7") await until(() => seen.includes("m0"));
      },
    });
    await consumer.start();
    await until(() => seen.includes("m0"));
  }
  assertEquals([seen, cluster.committed.at(-1)], [["m7", "m0"], 1]);
});

Deno.test("a broker that answers at once with nothing is not asked without end", async () => {
  await using cluster = new Faulty(() => ({ code: PULL_NOT_FOUND }));
  await using consumer = new LitePullConsumer(cluster.options);
  await consumer.start();
  await until(() => cluster.pulls.length >= 3);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert(cluster.pulls.length < 20, `${cluster.pulls.length} pulls`);
});

Deno.test("a message that its broker does not take back is sent to the retry topic, and counts as consumed", async () => {
  await using cluster = new Faulty((_, offset) => offset === 0 ? found(0) : undefined);
  {
    await using consumer = new PushConsumer({ ...cluster.options, consumeConcurrently: () => "RECONSUME_LATER" });
    await consumer.start();
    await until(() => cluster.resent.length === 1);
  }
  const [{ topic, reconsumeTimes, properties } = { properties: new Map<string, string>() }] = cluster.resent;
  assertEquals([topic, reconsumeTimes], ["%RETRY%g", 1]);
  assertEquals([properties.get("RETRY_TOPIC"), properties.get("DELAY")], ["T", "3"]);
  assertEquals(cluster.committed.at(-1), 1);
});

Deno.test("a consumer closes while nothing answers any more, and a second close waits for the first", async () => {
  const cluster = new Faulty((_, offset) => offset === 0 ? found(0) : { code: PULL_NOT_FOUND });
  const consumer = new LitePullConsumer(cluster.options);
  assertEquals(await texts(consumer, 1), ["m0"]);
  await cluster[Symbol.asyncDispose]();
  await Promise.all([consumer.close(), consumer.close()]);
  assertEquals(await consumer.poll(), []);
});

Deno.test("a consumer starts although a broker is gone at that moment, but not when it is refused", async () => {
  await using cluster = new Faulty((_, offset) => offset === 0 ? found(0) : undefined);
  cluster.breaks = 2;
  await using consumer = new LitePullConsumer(cluster.options);
  assertEquals(await texts(consumer, 1), ["m0"]);
  cluster.refuses = true;
  await using refused = new LitePullConsumer(cluster.options);
  await assertRejects(() => refused.start(), RocketdError, "not you");
  cluster.refuses = false;
  assertEquals(await texts(refused, 1), ["m0"]);
});

Deno.test("a member takes its queues although one broker knows nobody, or others only", async () => {
  await using cluster = new Faulty((_, offset) => offset === 0 ? found(0) : undefined);
  for (const members of [undefined, ["another"]]) {
    cluster.members = members;
    await using consumer = new PushConsumer({ ...cluster.options, consumeConcurrently: () => {} });
    await consumer.start();
    assertEquals(consumer.assignment().map(({ topic }) => topic).toSorted(), ["%RETRY%g", "T"]);
  }
});

Deno.test("a topic whose broker is gone keeps no other topic from being read", async () => {
  await using cluster = new Faulty((_, offset) => offset === 0 ? found(0) : undefined);
  const subscriptions = { [ELSEWHERE]: "*", T: "*" };
  const seen: string[] = [];
  await using consumer = new PushConsumer({
    ...cluster.options,
    subscriptions,
    consumeConcurrently: ([message]) => void seen.push(message!.text()),
  });
  await consumer.start();
  await until(() => seen.length === 1);
});

Deno.test("a topic that is not there is told once when it is subscribed to, and read as soon as it is there", async () => {
  await using cluster = new Faulty(() => undefined);
  const lines = await gatherLines();
  try {
    await using consumer = new PushConsumer({
      ...cluster.options,
      rebalanceIntervalMs: 20,
      consumeConcurrently: () => {},
    });
    await consumer.start();
    const { unknown } = cluster;
    const told = () => lines.filter((line) => line.includes(unknown));
    await consumer.subscribe(unknown);
    await until(() => told().length > 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assertEquals(told(), [`group g waits for the topic ${unknown}: no broker has it`]);
    cluster.unknown = "another";
    await until(() => consumer.assignment().some(({ topic }) => topic === unknown));
  } finally {
    await reset();
  }
});

Deno.test("a broker that was lost is told again how far the group has come", async () => {
  await using cluster = new Faulty((_, offset) => offset === 0 ? found(0) : undefined);
  await using consumer = new PushConsumer({
    ...cluster.options,
    rebalanceIntervalMs: 20,
    persistConsumerOffsetIntervalMs: 20,
    consumeConcurrently: () => {},
  });
  await consumer.start();
  // It may have told where it began before.
  await until(() => cluster.committed.at(-1) === 1);
  const told = cluster.committed.length;
  cluster.breaks = 1;
  await until(() => cluster.committed.length > told);
  assertEquals(cluster.committed.at(-1), 1);
});

Deno.test("a queue that is given up stays locked until the call of the listener has ended", async () => {
  await using cluster = new Faulty((_, offset) => offset === 0 ? found(0) : undefined);
  const called = Promise.withResolvers<void>(), gate = Promise.withResolvers<void>();
  await using consumer = new PushConsumer({
    ...cluster.options,
    lockIntervalMs: 20,
    consumeOrderly: () => {
      called.resolve();
      return gate.promise;
    },
  });
  await consumer.start();
  await called.promise;
  await consumer.unsubscribe("T");
  const { lockings } = cluster;
  await until(() => cluster.lockings > lockings + 3);
  gate.resolve();
});

Deno.test("a listener that says what means nothing gets its messages again", async () => {
  await using cluster = new Faulty((_, offset) => offset === 0 ? found(0) : undefined);
  const statuses: (ConsumeOrderlyStatus | "CONSUME_SUCCESS")[] = ["CONSUME_SUCCESS", "SUCCESS"];
  await using orderly = new PushConsumer({
    ...cluster.options,
    suspendCurrentQueueTimeMs: 10,
    consumeOrderly: () => statuses.shift() as ConsumeOrderlyStatus,
  });
  await orderly.start();
  await until(() => statuses.length === 0);
  await orderly.close();
  const acks = [NaN, 0];
  await using concurrent = new PushConsumer({
    ...cluster.options,
    consumeConcurrently: (_, context) => void (context.ackIndex = acks.shift()!),
  });
  await concurrent.start();
  await until(() => cluster.resent.length === 1);
});

Deno.test("an orderly listener that leaves the commit to us again commits what it kept open before", async () => {
  await using cluster = new Faulty((_, offset) => offset < 2 ? found(offset) : undefined);
  await using consumer = new PushConsumer({
    ...cluster.options,
    persistConsumerOffsetIntervalMs: 20,
    consumeOrderly: ([message], context) => {
      context.autoCommit = message!.text() === "m1";
    },
  });
  await consumer.start();
  await until(() => cluster.committed.at(-1) === 2);
});

Deno.test("a member that loses its lock gives the queue up without a commit, and goes on where the next one came to", async () => {
  await using cluster = new Faulty((_, offset) => offset === 0 || offset === 5 ? found(offset) : undefined);
  const seen: string[] = [];
  await using consumer = new PushConsumer({
    ...cluster.options,
    lockIntervalMs: 20,
    consumeOrderly: ([message]) => void seen.push(message!.text()),
  });
  await consumer.start();
  await until(() => seen.length === 1);
  cluster.locks = false;
  await until(() => consumer.assignment().length === 0);
  assertEquals(cluster.committed, []);
  cluster.offset = 5;
  cluster.locks = true;
  await until(() => seen.length === 2);
  assertEquals(seen, ["m0", "m5"]);
});
