/**
 * Settings that an administrator changes while nodes run: each has its effect at once, and none outlives the process.
 *
 * @module
 */
import { decodeTopicRoute, encodeHeartbeat } from "../../src/protocol/bodies/mod.ts";
import { PullFlag, ResponseCode } from "../../src/protocol/codes.ts";
import { formatProperties } from "../../src/protocol/properties.ts";
import type { RequestType } from "../../src/protocol/request.ts";
import * as requests from "../../src/protocol/requests.ts";
import { GetNamesrvConfig, UpdateBrokerConfig, UpdateNamesrvConfig } from "../../src/protocol/admin_requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { sendHeader } from "../headers.ts";
import { delay, type Node, startRocketd } from "../launch.ts";

const TIMEOUT_MS = 30_000;
const HOUR_S = 3600;
const FILE_BYTES = 64 * 1024;
const PRODUCERS = "PG";
const { SUCCESS, NO_PERMISSION, TOPIC_NOT_EXIST, MESSAGE_ILLEGAL, SYSTEM_ERROR } = ResponseCode;

const bytes = (text: string) => new TextEncoder().encode(text);

/** Settings that let nothing happen by itself. */
const STILL = {
  autoCreateTopicEnable: false,
  transactionTimeOut: 600_000,
  transactionCheckInterval: 600_000,
  flushIntervalCommitLog: 600_000,
  cleanResourceInterval: 600_000,
  fileReservedTime: 72,
  logLevel: "info",
};

/** What a test asks of a nameserver and a master. */
class Admin {
  /** Half messages that the broker asked about, by key. */
  readonly asked: string[] = [];
  readonly #client: RemotingClient;

  constructor(readonly nameserver: Node, readonly broker: Node) {
    const handlers = new HandlerTable().on(requests.CheckTransactionState, ({ header }) => {
      this.asked.push(String(header.msgId));
      return undefined;
    });
    this.#client = new RemotingClient({ handlers });
  }

  async #invoke(node: Node, type: RequestType, header: Record<string, unknown>, body?: Uint8Array) {
    return await this.#client.invoke(node.address, type, header as never, body, TIMEOUT_MS);
  }

  async change(text: string): Promise<number> {
    return (await this.#invoke(this.broker, UpdateBrokerConfig, {}, bytes(text))).code;
  }

  async changeNameserver(text: string): Promise<number> {
    return (await this.#invoke(this.nameserver, UpdateNamesrvConfig, {}, bytes(text))).code;
  }

  async settings(node: Node): Promise<string> {
    const type = node === this.broker ? requests.GetBrokerConfig : GetNamesrvConfig;
    return new TextDecoder().decode((await this.#invoke(node, type, {})).body);
  }

  async send(topic: string, body: Uint8Array, properties: Record<string, string> = {}) {
    const { code, remark = "", header } = await this.#client.invoke(
      this.broker.address,
      requests.SendMessageV2,
      sendHeader({
        producerGroup: PRODUCERS,
        topic,
        defaultTopicQueueNums: 1,
        properties: formatProperties(Object.entries(properties)),
      }),
      body,
      TIMEOUT_MS,
    );
    return { code, remark, traceOn: header.TRACE_ON };
  }

  async pull(topic: string, queueOffset: number) {
    const rest = {
      maxMsgNums: 32,
      sysFlag: PullFlag.SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subVersion: 0,
    };
    const header = { consumerGroup: "CG", topic, queueId: 0, queueOffset, subscription: "*", ...rest };
    return await this.#client.invoke(this.broker.address, requests.PullMessage, header, undefined, TIMEOUT_MS);
  }

  async makeTopic(topic: string): Promise<void> {
    const header = { topic, defaultTopic: "TBW102", perm: 6, topicFilterType: "SINGLE_TAG" };
    await this.#invoke(this.broker, requests.UpdateAndCreateTopic, { ...header, readQueueNums: 1, writeQueueNums: 1 });
  }

  /** The permission of a topic by its route; undefined without one. */
  async routePerm(topic: string): Promise<number | undefined> {
    const { code, body } = await this.#invoke(this.nameserver, requests.GetRouteinfoByTopic, { topic });
    return code === SUCCESS ? decodeTopicRoute(body).queueDatas[0]?.perm : undefined;
  }

  async beProducer(): Promise<void> {
    const heartbeat = { clientID: "c", producerDataSet: [{ groupName: PRODUCERS }], consumerDataSet: [] };
    await this.#invoke(this.broker, requests.HeartBeat, {}, encodeHeartbeat(heartbeat));
  }

  async minOffset(topic: string): Promise<unknown> {
    const { header } = await this.#invoke(this.broker, requests.GetMinOffset, { topic, queueId: 0 });
    return (header as { offset?: number }).offset;
  }

  close(): void {
    this.#client.close();
  }
}

/** Waits until something holds; the test's own time limit ends it if it never does. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 90_000; !await holds(); await delay(20)) {
    assert(Date.now() < end, `never came: ${holds}`);
  }
}

Deno.test("settings that may change apply at once to a running node, until its next start", async (t) => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  const settings = { ...STILL, mappedFileSizeCommitLog: FILE_BYTES, maxMessageSize: 32 * 1024 };
  await using broker = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings });
  const admin = new Admin(nameserver, broker);
  const body = new Uint8Array(100);
  try {
    await admin.makeTopic("T");

    await t.step("brokerPermission refuses pulls, and the nameserver knows when the answer comes", async () => {
      assertEquals([(await admin.send("T", body)).code, await admin.routePerm("T")], [SUCCESS, 6]);
      assertEquals(await admin.change("brokerPermission=2"), SUCCESS);
      assertEquals([(await admin.pull("T", 0)).code, await admin.routePerm("T")], [NO_PERMISSION, 2]);
      assertEquals(await admin.change("brokerPermission=6"), SUCCESS);
      assertEquals([(await admin.pull("T", 0)).code, await admin.routePerm("T")], [SUCCESS, 6]);
    });

    await t.step("autoCreateTopicEnable makes topics though it did not at the start, and stops it", async () => {
      assertEquals([(await admin.send("New1", body)).code, await admin.routePerm("TBW102")], [
        TOPIC_NOT_EXIST,
        undefined,
      ]);
      assertEquals(await admin.change("autoCreateTopicEnable=true"), SUCCESS);
      assertEquals([await admin.routePerm("TBW102"), (await admin.send("New1", body)).code], [7, SUCCESS]);
      assertEquals(await admin.change("autoCreateTopicEnable=false"), SUCCESS);
      assertEquals((await admin.send("New2", body)).code, TOPIC_NOT_EXIST);
    });

    await t.step("traceOn, maxMessageSize and rejectTransactionMessage are heeded by the next send", async () => {
      assertEquals((await admin.send("T", body)).traceOn, "true");
      assertEquals(await admin.change("traceOn=false\nmaxMessageSize=1024\nrejectTransactionMessage=true"), SUCCESS);
      assertEquals((await admin.send("T", body)).traceOn, "false");
      assertEquals((await admin.send("T", new Uint8Array(1025))).code, MESSAGE_ILLEGAL);
      assertEquals((await admin.send("T", body, { TRAN_MSG: "true", PGROUP: PRODUCERS })).code, NO_PERMISSION);
      assertEquals(await admin.change("maxMessageSize=40000\nrejectTransactionMessage=false"), SUCCESS);
      assertEquals((await admin.send("T", new Uint8Array(40_000))).code, SUCCESS, "more than at the start");
    });

    await t.step("startAcceptSendRequestTimeStamp closes the broker, and opens it", async () => {
      assertEquals(await admin.change(`startAcceptSendRequestTimeStamp=${Date.now() + 60_000}`), SUCCESS);
      assertEquals((await admin.send("T", body)).code, SYSTEM_ERROR);
      assertEquals(await admin.change("startAcceptSendRequestTimeStamp=0"), SUCCESS);
      assertEquals((await admin.send("T", body)).code, SUCCESS);
    });

    await t.step("maxTransferCountOnMessageInMemory bounds the next pull", async () => {
      const nextOf = async () => (await admin.pull("T", 0)).header;
      assert(Number((await nextOf() as { nextBeginOffset: number }).nextBeginOffset) > 1);
      assertEquals(await admin.change("maxTransferCountOnMessageInMemory=1"), SUCCESS);
      assertEquals(Number((await nextOf() as { nextBeginOffset: number }).nextBeginOffset), 1);
      assertEquals(await admin.change("maxTransferCountOnMessageInMemory=32"), SUCCESS);
    });

    await t.step("transactionTimeOut and transactionCheckInterval shorten the wait that goes on", async () => {
      await admin.beProducer();
      assertEquals(
        (await admin.send("T", body, { TRAN_MSG: "true", PGROUP: PRODUCERS, UNIQ_KEY: "half" })).code,
        SUCCESS,
      );
      assertEquals(await admin.change("transactionTimeOut=1\ntransactionCheckInterval=10"), SUCCESS);
      await until(() => admin.asked.includes("half"));
      assertEquals(await admin.change("transactionTimeOut=600000\ntransactionCheckInterval=600000"), SUCCESS);
    });

    await t.step("fileReservedTime, deleteWhen and cleanResourceInterval delete files now", async () => {
      for (let i = 0; i < 4; i++) assertEquals((await admin.send("T", new Uint8Array(30_000))).code, SUCCESS);
      const folder = `${broker.storeDir}/commitlog`;
      const files = [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`);
      const old = Date.now() / 1000 - 2 * HOUR_S;
      for (const file of files) Deno.utimeSync(file, old, old);
      const other = (new Date().getHours() + 12) % 24;
      assertEquals(await admin.change(`deleteWhen=${other}\nflushIntervalCommitLog=10\nflushCommitLogLeastPages=0`), 0);
      assertEquals(await admin.minOffset("T"), 0);
      const all = Array.from({ length: 24 }, (_, i) => i).join(";");
      assertEquals(
        await admin.change(`deleteWhen=${all}\nfileReservedTime=1\ncleanResourceInterval=100`),
        0,
      );
      await until(async () => Number(await admin.minOffset("T")) > 0);
      assert(!await Deno.stat(files.sort()[0]!).then(() => true, () => false), "the oldest file is gone");
    });

    await t.step("logLevel shows more in the log", async () => {
      assertEquals(await admin.change("logLevel=error"), SUCCESS);
      const lengthBefore = (await broker.log()).length;
      assertEquals(await admin.change("brokerFastFailureEnable=false"), SUCCESS);
      assertEquals((await broker.log()).slice(lengthBefore), "", "a change is logged as a warning");
      assertEquals(await admin.change("logLevel=info"), SUCCESS);
      assertEquals(await admin.change("brokerFastFailureEnable=true"), SUCCESS);
      assertStringIncludes(await broker.log(), "brokerFastFailureEnable from false to true");
    });

    await t.step("a nameserver's orderMessageEnable shows in the next route", async () => {
      const order = { namespace: "ORDER_TOPIC_CONFIG", key: "T", value: "broker-a:1" };
      const client = new RemotingClient();
      const { address } = nameserver;
      try {
        await client.invoke(address, requests.PutKvConfig, order, undefined, TIMEOUT_MS);
        const conf = async () => {
          const { body } = await client.invoke(
            address,
            requests.GetRouteinfoByTopic,
            { topic: "T" },
            undefined,
            TIMEOUT_MS,
          );
          return decodeTopicRoute(body).orderTopicConf;
        };
        assertEquals(await conf(), undefined);
        assertEquals(await admin.changeNameserver("orderMessageEnable=true"), SUCCESS);
        assertEquals(await conf(), "broker-a:1");
      } finally {
        client.close();
      }
    });

    await t.step("after the next start the settings are those of the operator again", async () => {
      assertStringIncludes(await admin.settings(broker), "\nfileReservedTime=1\n");
      assertStringIncludes(await admin.settings(nameserver), "\norderMessageEnable=true\n");
      await broker.stop();
      await broker.start();
      assertStringIncludes(await admin.settings(broker), "\nfileReservedTime=72\n");
    });
  } finally {
    admin.close();
  }
});
