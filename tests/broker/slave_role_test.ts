/**
 * A master and its slave in one process: what a slave refuses, what it serves, and how it takes over.
 *
 * @module
 */
import { configure, reset } from "@logtape/logtape";
import { startNode } from "../../src/cli/node.ts";
import { loadSettings, type Role } from "../../src/config/mod.ts";
import {
  CleanExpiredConsumequeue,
  CleanUnusedTopic,
  CloneGroupOffset,
  DeleteExpiredCommitlog,
  GetConsumerConnectionList,
  ResumeCheckHalfMessage,
} from "../../src/protocol/admin_requests.ts";
import {
  decodeConsumerOffsets,
  decodeSubscriptionGroupTable,
  decodeTopicConfigTable,
  encodeHeartbeat,
  encodeSubscriptionGroup,
  subscriptionGroup,
} from "../../src/protocol/bodies/mod.ts";
import { PullFlag, ResponseCode } from "../../src/protocol/codes.ts";
import { formatProperties, PropertyName } from "../../src/protocol/properties.ts";
import * as requests from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assertEquals, assertStringIncludes } from "../../src/std.ts";
import { sendHeader } from "../headers.ts";
import { freePort } from "../ports.ts";
import type { Ask } from "./workshop.ts";

/** A nameserver, a master and a slave, each of which can be stopped. */
class Cluster implements AsyncDisposable {
  readonly dir = Deno.makeTempDirSync({ prefix: "rocketd-slave-" });
  readonly ports = { nameserver: freePort(), master: freePort(), slave: freePort() };
  readonly client = new RemotingClient();
  readonly #nodes = new Map<string, AsyncDisposable & { close(): Promise<void> }>();

  /** Starts a role on the ports and the store of `as`. */
  async start(role: Role, as: Role = role, ...sets: string[]): Promise<void> {
    const isBroker = role !== "nameserver";
    const common = [`storePathRootDir=${this.dir}/${as}`, "bindAddress=127.0.0.1", `listenPort=${this.ports[as]}`];
    const broker = [
      `namesrvAddr=127.0.0.1:${this.ports.nameserver}`,
      "brokerName=broker-a",
      "brokerIP1=127.0.0.1",
      "mappedFileSizeCommitLog=1048576",
    ];
    const loaded = await loadSettings({ roles: [role], sets: [...common, ...(isBroker ? broker : []), ...sets] });
    if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
    this.#nodes.set(as, await startNode(loaded.settings));
  }

  async stop(as: Role): Promise<void> {
    await this.#nodes.get(as)?.close();
    this.#nodes.delete(as);
  }

  ask(as: Role): Ask {
    return (type, header, body) => this.client.invoke(`127.0.0.1:${this.ports[as]}`, type, header, body, 30_000);
  }

  /** Sends to queue 0 of T; gives the answer's code and remark. */
  async send(as: Role, body: string, properties = ""): Promise<[code: number, remark: string]> {
    const header = sendHeader({ defaultTopicQueueNums: 1, properties });
    const { code, remark } = await this.ask(as)(requests.SendMessage, header, new TextEncoder().encode(body));
    return [code, remark ?? ""];
  }

  async max(as: Role): Promise<number> {
    const { header } = await this.ask(as)(requests.GetMaxOffset, { topic: "T", queueId: 0 });
    return header.offset ?? -1;
  }

  /** Waits until the slave has so many messages in queue 0 of T, and its tables as of now. */
  async hasCopied(count: number): Promise<void> {
    const end = Date.now() + 60_000;
    while (await this.max("slave") < count || (await this.pull("slave", "CG"))[0] !== ResponseCode.SUCCESS) {
      if (Date.now() > end) throw new Error(`the slave never got message ${count}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The whole answer to a pull of queue 0 of T, as text. */
  async pull(as: Role, consumerGroup: string): Promise<[code: number, text: string]> {
    const { code, body } = await this.ask(as)(requests.PullMessage, {
      consumerGroup,
      topic: "T",
      queueId: 0,
      queueOffset: 0,
      maxMsgNums: 32,
      sysFlag: PullFlag.SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subscription: "*",
      subVersion: 0,
    });
    return [code, new TextDecoder().decode(body)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    for (const as of ["slave", "master", "nameserver"] as const) await this.stop(as);
    Deno.removeSync(this.dir, { recursive: true });
  }
}

/** A cluster whose slave has one message of T. */
async function startCluster(): Promise<Cluster> {
  const cluster = new Cluster();
  try {
    await cluster.start("nameserver");
    await cluster.start("master");
    await cluster.start("slave");
    assertEquals(await cluster.send("master", "first"), [ResponseCode.SUCCESS, ""]);
    await cluster.hasCopied(1);
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

const { SUCCESS, SYSTEM_ERROR, SERVICE_NOT_AVAILABLE, SLAVE_NOT_AVAILABLE, CONSUMER_NOT_ONLINE } = ResponseCode;

Deno.test("a slave refuses what is its master's, serves what it has, and takes over with its store", async (t) => {
  await using cluster = await startCluster();
  const ask = cluster.ask("slave");
  const codeAndRemark = async (...asked: Parameters<Ask>): Promise<[number, string]> => {
    const { code, remark } = await ask(...asked);
    return [code, remark ?? ""];
  };
  const versions = async () => {
    const topics = decodeTopicConfigTable((await ask(requests.GetAllTopicConfig, {})).body);
    const groups = decodeSubscriptionGroupTable((await ask(requests.GetAllSubscriptionGroupConfig, {})).body);
    return [topics.dataVersion, groups.dataVersion, groups.subscriptionGroupTable.has("CG")];
  };
  const before = await versions();

  await t.step("a send is SERVICE_NOT_AVAILABLE, and makes no topic", async () => {
    assertEquals(await cluster.send("slave", "x"), [
      SERVICE_NOT_AVAILABLE,
      "a slave takes no messages, its master does",
    ]);
  });

  await t.step("a message that comes back stays with its consumer", async () => {
    const back = { offset: 0, group: "CG", delayLevel: 0 };
    const [code, remark] = await codeAndRemark(requests.ConsumerSendMsgBack, back);
    assertEquals(code, SYSTEM_ERROR);
    assertStringIncludes(remark, "SERVICE_NOT_AVAILABLE: a slave takes no messages");
  });

  await t.step("transactions end at the master", async () => {
    const half = { producerGroup: "PG", tranStateTableOffset: 0, commitLogOffset: 0, commitOrRollback: 8 };
    assertEquals((await codeAndRemark(requests.EndTransaction, half))[0], SLAVE_NOT_AVAILABLE);
  });

  await t.step("topics and groups are changed at the master", async () => {
    const topic = { topic: "U", readQueueNums: 1, writeQueueNums: 1, perm: 6, topicFilterType: "SINGLE_TAG" };
    const group = encodeSubscriptionGroup(subscriptionGroup("DG"));
    for (
      const asked of [
        [requests.UpdateAndCreateTopic, topic],
        [requests.DeleteTopicInBroker, { topic: "T" }],
        [requests.UpdateAndCreateSubscriptionGroup, {}, group],
        [CloneGroupOffset, { srcGroup: "CG", destGroup: "DG" }],
      ] as Parameters<Ask>[]
    ) {
      assertEquals(await codeAndRemark(...asked), [
        SYSTEM_ERROR,
        "Can't modify topic or subscription group from slave broker, please execute it from master broker.",
      ]);
    }
  });

  await t.step("it is cleaned like its master, and says who is connected to it", async () => {
    for (const type of [CleanUnusedTopic, CleanExpiredConsumequeue, DeleteExpiredCommitlog]) {
      assertEquals((await ask(type, {})).code, SUCCESS);
    }
    assertEquals(await cluster.max("slave"), 1);
    assertEquals((await ask(GetConsumerConnectionList, { consumerGroup: "CG" })).code, CONSUMER_NOT_ONLINE);
    assertEquals((await codeAndRemark(ResumeCheckHalfMessage, {}))[1], "a slave takes no messages, its master does");
  });

  await t.step("consumers read and commit, and their new groups leave the tables as the master's", async () => {
    const heartbeat = encodeHeartbeat({
      clientID: "c1",
      producerDataSet: [],
      consumerDataSet: [{
        groupName: "CG",
        consumeType: "CONSUME_PASSIVELY",
        messageModel: "CLUSTERING",
        consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET",
        subscriptionDataSet: [],
        unitMode: false,
      }],
    });
    assertEquals((await ask(requests.HeartBeat, {}, heartbeat)).code, SUCCESS);
    const [code, text] = await cluster.pull("slave", "CG");
    assertEquals(code, SUCCESS);
    assertStringIncludes(text, "first");
    const queue = { consumerGroup: "CG", topic: "T", queueId: 0 };
    assertEquals((await ask(requests.UpdateConsumerOffset, { ...queue, commitOffset: 1 })).code, SUCCESS);
    assertEquals((await ask(requests.QueryConsumerOffset, queue)).header.offset, 1);
    assertEquals(await versions(), [...before.slice(0, 2), false]);
  });

  await t.step("it goes on while the master is gone, and tells it of the commit when that is back", async () => {
    await cluster.stop("master");
    assertEquals((await cluster.pull("slave", "CG"))[0], SUCCESS);
    await cluster.start("master");
    const end = Date.now() + 60_000;
    const known = async () =>
      decodeConsumerOffsets((await cluster.ask("master")(requests.GetAllConsumerOffset, {})).body).get("T@CG")?.get(0);
    while (await known() !== 1) {
      if (Date.now() > end) throw new Error("the master never heard of the offset");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  await t.step("with the role of a master it carries on: messages, delays, offsets", async () => {
    // Due after the master has gone: level 2 is five seconds.
    const delayed = formatProperties([[PropertyName.DELAY, "2"]]);
    assertEquals((await cluster.send("master", "delayed", delayed))[0], SUCCESS);
    assertEquals((await cluster.send("master", "second"))[0], SUCCESS);
    await cluster.hasCopied(2);
    await cluster.stop("master");
    await cluster.stop("slave");
    await cluster.start("master", "slave");
    assertEquals((await cluster.send("slave", "third"))[0], SUCCESS);
    const end = Date.now() + 60_000;
    while (await cluster.max("slave") < 4) {
      if (Date.now() > end) throw new Error("the delayed message was never delivered");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const [, text] = await cluster.pull("slave", "CG");
    for (const body of ["first", "second", "third", "delayed"]) assertStringIncludes(text, body);
    const queue = { consumerGroup: "CG", topic: "T", queueId: 0 };
    assertEquals((await ask(requests.QueryConsumerOffset, queue)).header.offset, 1);
  });
});

Deno.test("a slave whose master comes back with an empty disk keeps its topics, its queues and its messages", async () => {
  await using cluster = await startCluster();
  await cluster.stop("slave");
  await cluster.stop("master");
  Deno.removeSync(`${cluster.dir}/master`, { recursive: true });
  await cluster.start("master");
  // So many changes that its table is the newer one.
  for (let i = 0; i < 8; i++) {
    const topic = { topic: `U${i}`, readQueueNums: 1, writeQueueNums: 1, perm: 6, topicFilterType: "SINGLE_TAG" };
    assertEquals((await cluster.ask("master")(requests.UpdateAndCreateTopic, topic)).code, SUCCESS);
  }
  const { promise: refused, resolve } = Promise.withResolvers<string>();
  await configure({
    reset: true,
    sinks: { told: ({ message }) => resolve(message.join("")) },
    loggers: [
      { category: ["rocketd", "ha"], sinks: ["told"], lowestLevel: "warning" },
      { category: ["logtape", "meta"], lowestLevel: "warning" },
    ],
  });
  try {
    await cluster.start("slave");
    assertStringIncludes(await refused, "Cannot copy the log of");
  } finally {
    await reset();
  }
  assertStringIncludes((await cluster.pull("slave", "CG"))[1], "first");
  await cluster.stop("master");
  await cluster.stop("slave");
  await cluster.start("master", "slave");
  const [code, text] = await cluster.pull("slave", "CG");
  assertEquals(code, SUCCESS);
  assertStringIncludes(text, "first");
});
