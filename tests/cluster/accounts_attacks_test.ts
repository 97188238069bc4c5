/**
 * An account with permissions for a topic and a group of its own goes after the messages of another topic, by every
 * request that RocketMQ 4.9.7 leaves open to all accounts.
 *
 * @module
 */
import { ResponseCode, SysFlag } from "../../src/protocol/codes.ts";
import { GetProducerConnectionList, QueryConsumeQueue } from "../../src/protocol/admin_requests.ts";
import { decodeRecords, encodeRecord } from "../../src/protocol/message_record.ts";
import { parseMessageId } from "../../src/protocol/message_id.ts";
import type { RequestInput, RequestType } from "../../src/protocol/request.ts";
import {
  CheckTransactionState,
  ConsumerSendMsgBack,
  EndTransaction,
  GetMaxOffset,
  HeartBeat,
  LockBatchMq,
  QueryMessage,
  SendMessageV2,
  SendReplyMessageV2,
  UpdateAndCreateTopic,
  ViewMessageById,
} from "../../src/protocol/requests.ts";
import { signer } from "../../src/remoting/access/signature.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { sendHeader } from "../headers.ts";
import { startSecured } from "../interop/accounts.ts";
import { startNameserver } from "../interop/cluster.ts";
import { eventually } from "./replication.ts";

const TIMEOUT_MS = 30_000;
/** Between two rounds that ask producers about open transactions. */
const CHECKS_MS = 100;
const AS_PRODUCER = JSON.stringify({ clientID: "c", producerDataSet: [{ groupName: "P" }], consumerDataSet: [] });
/** The hashes of these two names are the same in Java, and so are those of a key in both. */
const SECRET = "SecretAa", OWN = "SecretBB";
const ACCOUNTS = `
accounts:
- {accessKey: the-admin, secretKey: secret-of-admin, admin: true}
- {accessKey: the-owner, secretKey: secret-of-owner, topicPerms: [${SECRET}=PUB|SUB], groupPerms: [owners=SUB]}
- {accessKey: the-thief, secretKey: secret-of-thief, topicPerms: [${OWN}=PUB|SUB], groupPerms: [thieves=SUB]}
`;

Deno.test("an account gets at no message of topics that it has no permission for", async (t) => {
  await using nameserver = await startNameserver("rocketd");
  // However many rounds there are: none may end a transaction before the test does.
  const settings = { transactionTimeOut: 0, transactionCheckInterval: CHECKS_MS, transactionCheckMax: 100_000 };
  await using secured = await startSecured({ namesrvAddr: nameserver.address, settings }, "rocketd", ACCOUNTS);
  const { address } = secured.node;
  using admin = clientOf("the-admin", "secret-of-admin");
  /** The bodies of the half messages that they were asked about. */
  const shown: Record<"owner" | "thief", string[]> = { owner: [], thief: [] };
  using owner = clientOf("the-owner", "secret-of-owner", shown.owner);
  using thief = clientOf("the-thief", "secret-of-thief", shown.thief);
  const ask = <R extends RequestType>(client: RemotingClient, type: R, header: RequestInput<R>, body = "") =>
    client.invoke(address, type, header, Uint8Array.from(body, (letter) => letter.charCodeAt(0)), TIMEOUT_MS);
  const send = (client: RemotingClient, topic: string, properties: string, body: string, type = SendMessageV2) => {
    return ask(client, type, sendHeader({ topic, defaultTopicQueueNums: 1, properties }), body);
  };
  const countOf = async (topic: string) => (await ask(admin, GetMaxOffset, { topic, queueId: 0 })).header.offset;
  for (const topic of [SECRET, OWN]) {
    const config = { topic, defaultTopic: "TBW102", readQueueNums: 1, writeQueueNums: 1, perm: 6 };
    const all = { ...config, topicFilterType: "SINGLE_TAG", topicSysFlag: 0, order: false };
    assertEquals((await ask(admin, UpdateAndCreateTopic, all)).code, ResponseCode.SUCCESS);
  }
  const sent = await send(owner, SECRET, "KEYS\x01k", "the secret");
  assertEquals(sent.code, ResponseCode.SUCCESS, sent.remark);
  const offset = parseMessageId(sent.header.msgId!).logOffset;
  const refusedFor = (what: string, { code, remark }: { code: number; remark: string | undefined }) => {
    assertEquals([code, remark], [
      ResponseCode.SYSTEM_ERROR,
      `org.apache.rocketmq.acl.common.AclException: No default permission for ${what}`,
    ]);
  };

  await t.step("by its place in the log", async () => {
    refusedFor(`topic:${SECRET}`, await ask(thief, ViewMessageById, { offset }));
    for (const client of [owner, admin]) {
      const { code, body } = await ask(client, ViewMessageById, { offset });
      assertEquals(code, ResponseCode.SUCCESS);
      assertEquals(new TextDecoder().decode(decodeRecords(body)[0]!.body), "the secret");
    }
  });
  await t.step("by a copy of it for a group of its own", async () => {
    const back = { offset, delayLevel: 1 };
    refusedFor(`topic:${SECRET}`, await ask(thief, ConsumerSendMsgBack, { ...back, group: "thieves" }));
    assertEquals((await ask(owner, ConsumerSendMsgBack, { ...back, group: "owners" })).code, ResponseCode.SUCCESS);
  });
  await t.step("by the same copy while the broker keeps it for later", async () => {
    const later = await send(owner, SECRET, "DELAY\x0118", "a later secret");
    const { logOffset } = parseMessageId(later.header.msgId!);
    refusedFor(`topic:${SECRET}`, await ask(thief, ViewMessageById, { offset: logOffset }));
    assertEquals((await ask(owner, ViewMessageById, { offset: logOffset })).code, ResponseCode.SUCCESS);
  });
  await t.step("by a message of its own that looks like one that goes on into the next", async () => {
    const placeOf = async (client: RemotingClient, topic: string, body: string) =>
      parseMessageId((await send(client, topic, "", body)).header.msgId!).logOffset;
    const first = await placeOf(thief, OWN, "x"), second = await placeOf(thief, OWN, "x");
    // Both topics have names of the same length: so much more than its body has each of these messages.
    const more = second - first - 1;
    const bodyAt = second + more + 1 + HEAD_BYTES;
    const toEnd = more - HEAD_BYTES + more + "the next secret".length;
    await placeOf(thief, OWN, new TextDecoder("latin1").decode(headOf(bodyAt, toEnd)));
    await placeOf(owner, SECRET, "the next secret");
    const { code, body: found } = await ask(thief, ViewMessageById, { offset: bodyAt });
    assert(!new TextDecoder().decode(found).includes("the next secret"), "the thief has read the next message");
    assertEquals(code, ResponseCode.SYSTEM_ERROR);
    // The attack is a real one: who may see all gets it all.
    const all = await ask(admin, ViewMessageById, { offset: bodyAt });
    assertStringIncludes(new TextDecoder().decode(all.body), "the next secret");
  });
  await t.step("by a key with the same hash", async () => {
    const query = { key: "k", maxNum: 32, beginTimestamp: 0, endTimestamp: 2 ** 52 };
    await eventually("the key is in the index", async () => {
      const { code, remark } = await ask(owner, QueryMessage, { ...query, topic: SECRET });
      return code === ResponseCode.SUCCESS ? undefined : remark ?? "";
    });
    assertEquals((await ask(thief, QueryMessage, { ...query, topic: OWN })).code, ResponseCode.QUERY_NOT_FOUND);
    refusedFor(`topic:${SECRET}`, await ask(thief, QueryMessage, { ...query, topic: SECRET }));
  });
  await t.step("nor sees what its queue holds", async () => {
    const queue = { topic: SECRET, queueId: 0, index: 0, count: 1 };
    refusedFor(`topic:${SECRET}`, await ask(thief, QueryConsumeQueue, queue));
  });
  await t.step("nor stores one there as a reply", async () => {
    const count = await countOf(SECRET);
    refusedFor(`topic:${SECRET}`, await send(thief, SECRET, "", "a fake", SendReplyMessageV2));
    assertEquals(await countOf(SECRET), count);
    // Repliers need no permission for the topic of replies; nobody waits for this one.
    const reply = await send(thief, "DefaultCluster_REPLY_TOPIC", "", "a reply", SendReplyMessageV2);
    assertStringIncludes(reply.remark ?? "", "REPLY_TO_CLIENT");
  });
  await t.step("nor ends a transaction of its owner", async () => {
    const count = await countOf(SECRET);
    const half = await send(owner, SECRET, "TRAN_MSG\x01true\x02PGROUP\x01P", "half a secret");
    assertEquals(half.code, ResponseCode.SUCCESS, half.remark);
    const { logOffset } = parseMessageId(half.header.msgId!);
    const end = { producerGroup: "P", tranStateTableOffset: half.header.queueOffset!, commitLogOffset: logOffset };
    for (const commitOrRollback of [SysFlag.TRANSACTION_COMMIT, SysFlag.TRANSACTION_ROLLBACK]) {
      refusedFor(`topic:${SECRET}`, await ask(thief, EndTransaction, { ...end, commitOrRollback }));
    }
    refusedFor(`topic:${SECRET}`, await ask(thief, ViewMessageById, { offset: logOffset }));
    const commit = { ...end, commitOrRollback: SysFlag.TRANSACTION_COMMIT };
    assertEquals((await ask(owner, EndTransaction, commit)).code, ResponseCode.SUCCESS);
    assertEquals(await countOf(SECRET), count! + 1);
  });
  await t.step("nor is shown one by saying that it is its producer", async () => {
    const half = await send(owner, SECRET, "TRAN_MSG\x01true\x02PGROUP\x01P", "another half");
    assertEquals(half.code, ResponseCode.SUCCESS, half.remark);
    await ask(thief, HeartBeat, {}, AS_PRODUCER);
    assertEquals((await ask(thief, GetProducerConnectionList, { producerGroup: "P" })).code, ResponseCode.SUCCESS);
    await new Promise((resolve) => setTimeout(resolve, 3 * CHECKS_MS));
    await ask(owner, HeartBeat, {}, AS_PRODUCER);
    const isAsked = () => Promise.resolve(shown.owner.length > 2 ? undefined : "the owner was not asked");
    await eventually("the owner is asked", isAsked);
    assertEquals([shown.thief, new Set(shown.owner)], [[], new Set(["another half"])]);
  });
  await t.step("nor stops its consumers by their locks", async () => {
    const wish = {
      consumerGroup: "owners",
      clientId: "c",
      mqSet: [{ topic: SECRET, brokerName: "broker-a", queueId: 0 }],
    };
    refusedFor("group:owners", await ask(thief, LockBatchMq, {}, JSON.stringify(wish)));
    assertEquals((await ask(owner, LockBatchMq, {}, JSON.stringify(wish))).code, ResponseCode.SUCCESS);
  });
});

function clientOf(accessKey: string, secretKey: string, shown: string[] = []): RemotingClient {
  const handlers = new HandlerTable().on(CheckTransactionState, ({ body }) => {
    shown.push(new TextDecoder().decode(decodeRecords(body.slice())[0]!.body));
    return undefined;
  });
  return new RemotingClient({ handlers, sign: signer({ accessKey, secretKey }) });
}

/** Bytes of a record before its body. */
const HEAD_BYTES = 88;

/** The beginning of a record of the thief's topic that seems to have properties up to some way behind it. */
function headOf(physicalOffset: number, propertiesBytes: number): Uint8Array {
  const host = Uint8Array.of(127, 0, 0, 1, 0, 0, 0, 1);
  const whole = encodeRecord({
    topic: OWN,
    queueId: 0,
    queueOffset: 0,
    physicalOffset,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: host,
    storeTimestamp: 1,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new Uint8Array(0),
    properties: "p".repeat(propertiesBytes),
  });
  return whole.subarray(0, whole.length - propertiesBytes);
}
