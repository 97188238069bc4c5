/**
 * Access control: which request of which account is obeyed, in RocketMQ's words.
 *
 * @module
 */
import { HEARTBEAT_BYTES_MAX } from "../../../src/limits.ts";
import { encodeHeartbeat } from "../../../src/protocol/bodies/heartbeat.ts";
import type { Heartbeat } from "../../../src/protocol/bodies/mod.ts";
import * as admin from "../../../src/protocol/admin_requests.ts";
import { ResponseCode } from "../../../src/protocol/codes.ts";
import type { RequestInput, RequestType } from "../../../src/protocol/request.ts";
import * as requests from "../../../src/protocol/requests.ts";
import type { AccountBook } from "../../../src/remoting/access/accounts.ts";
import { accountOf, addresses, readAclFile } from "../../../src/remoting/access/acl_file.ts";
import { accessCheck, guard } from "../../../src/remoting/access/guard.ts";
import { type Credentials, signer } from "../../../src/remoting/access/signature.ts";
import { HandlerTable, type Incoming } from "../../../src/remoting/handlers.ts";
import { assert, assertEquals } from "../../../src/std.ts";
import { sendHeader } from "../../headers.ts";

function bookOf(yaml: string): AccountBook {
  const { accounts, globalWhiteRemoteAddresses } = readAclFile(yaml);
  return {
    byKey: new Map(accounts.map((entry) => [entry.accessKey, accountOf(entry)])),
    white: globalWhiteRemoteAddresses.map((text) => addresses(text, "")),
  };
}

const BOOK = bookOf(`
globalWhiteRemoteAddresses: [10.1.1.*]
accounts:
- {accessKey: administrator, secretKey: secret-admin, admin: true}
- {accessKey: limited-admin, secretKey: secret-admin, admin: true, topicPerms: [T=PUB], defaultTopicPerm: DENY}
- {accessKey: publisher, secretKey: secret-pub, defaultTopicPerm: PUB, defaultGroupPerm: DENY}
- {accessKey: subscriber, secretKey: secret-sub, defaultTopicPerm: SUB, groupPerms: [G=SUB], topicPerms: [Closed=DENY]}
- {accessKey: white-account, secretKey: secret-white, whiteRemoteAddress: 10.2.2.2}
`);

interface Asking {
  /** The account by its name; none: the request is not signed. */
  readonly as?: string;
  readonly from?: string;
  readonly body?: Uint8Array;
  readonly secretKey?: string;
}

/** The reason for which a request is refused; undefined: it is not. */
function asked<R extends RequestType>(
  type: R,
  header: RequestInput<R>,
  asking: Asking,
  book = BOOK,
): string | undefined {
  const { as, from = "10.9.9.9", body = new Uint8Array(0) } = asking;
  const fields = new Map(Object.entries(type.request.texts(header)));
  if (as !== undefined) {
    const secretKey = asking.secretKey ?? book.byKey.get(as)?.entry.secretKey ?? "unknown-secret";
    const credentials: Credentials = { accessKey: as, secretKey };
    for (const [name, value] of signer(credentials)(fields, [body])) fields.set(name, value);
  }
  const request = {
    type,
    header: { ...type.request.empty(), ...header },
    body,
    connection: { peerIp: from, peer: `${from}:1`, isLocal: from === "127.0.0.1" },
    extFields: () => fields,
  };
  const answer = accessCheck({ book })(request as unknown as Incoming);
  if (answer === undefined) return undefined;
  assertEquals(answer.code, ResponseCode.SYSTEM_ERROR);
  const words = "org.apache.rocketmq.acl.common.AclException: ";
  assert(answer.remark!.startsWith(words), answer.remark);
  return answer.remark!.slice(words.length);
}

const send = sendHeader();
const pull = {
  consumerGroup: "G",
  topic: "T",
  queueId: 0,
  queueOffset: 0,
  maxMsgNums: 1,
  sysFlag: 0,
  commitOffset: 0,
  suspendTimeoutMillis: 0,
  subVersion: 0,
};

Deno.test("who does not say or prove who he is, is refused, on this machine too", () => {
  const queue = { topic: "T", queueId: 0 };
  assertEquals(asked(requests.GetMaxOffset, queue, {}), "No accessKey is configured");
  assertEquals(asked(requests.GetMaxOffset, queue, { from: "127.0.0.1" }), "No accessKey is configured");
  assertEquals(asked(requests.GetMaxOffset, queue, { as: "somebody" }), "No acl config for somebody");
  assertEquals(asked(requests.GetMaxOffset, queue, { as: "__proto__" }), "No acl config for __proto__");
  assertEquals(
    asked(requests.GetMaxOffset, queue, { as: "publisher", secretKey: "secret-sub" }),
    "Check signature failed for accessKey=publisher",
  );
  assertEquals(asked(requests.GetMaxOffset, queue, { as: "publisher" }), undefined);
});

Deno.test("addresses that are white for all may do everything without a signature", () => {
  assertEquals(asked(admin.UpdateBrokerConfig, {}, { from: "10.1.1.7" }), undefined);
  assertEquals(asked(admin.UpdateBrokerConfig, {}, { from: "10.1.2.7" }), "No accessKey is configured");
});

Deno.test("an account's white address spares the signature and permissions, and makes no admin", () => {
  const white = { as: "white-account", secretKey: "wrong-secret", from: "10.2.2.2" };
  assertEquals(asked(requests.SendMessageV2, send, white), undefined);
  assertEquals(
    asked(requests.SendMessageV2, send, { ...white, from: "10.2.2.3" }),
    "Check signature failed for accessKey=white-account",
  );
  assertEquals(
    asked(admin.CleanUnusedTopic, {}, white),
    "Need admin permission for request code=316, but accessKey=white-account is not",
  );
});

Deno.test("a send of any kind needs PUB on its topic", () => {
  for (const type of [requests.SendMessage, requests.SendMessageV2, requests.SendBatchMessage]) {
    assertEquals(asked(type, send, { as: "publisher" }), undefined, type.name);
    assertEquals(asked(type, send, { as: "subscriber" }), "No default permission for topic:T", type.name);
  }
});

Deno.test("a send to a retry topic needs SUB on its group, whatever group the sender names", () => {
  for (const type of [requests.SendMessage, requests.SendMessageV2, requests.SendBatchMessage]) {
    const retry = { ...send, topic: "%RETRY%G", producerGroup: "P" };
    assertEquals(asked(type, retry, { as: "publisher" }), "No default permission for group:G", type.name);
    assertEquals(asked(type, retry, { as: "subscriber" }), undefined, type.name);
    const others = { ...send, topic: "%RETRY%Other", producerGroup: "G" };
    assertEquals(asked(type, others, { as: "subscriber" }), "No default permission for group:Other", type.name);
  }
});

Deno.test("a pull needs SUB on its topic and its group", () => {
  for (const type of [requests.PullMessage, requests.LitePullMessage]) {
    assertEquals(asked(type, pull, { as: "subscriber" }), undefined);
    assertEquals(
      asked(type, { ...pull, topic: "Closed" }, { as: "subscriber" }),
      "No default permission for topic:Closed",
    );
    assertEquals(
      asked(type, { ...pull, consumerGroup: "Other" }, { as: "subscriber" }),
      "No default permission for group:Other",
    );
    assertEquals(asked(type, pull, { as: "publisher" }), "No default permission for topic:T");
  }
});

Deno.test("a heartbeat needs SUB on each group and topic that it names, and none for producers", () => {
  const subscription = {
    subString: "*",
    tagsSet: [],
    codeSet: [],
    subVersion: 0,
    expressionType: "TAG",
    classFilterMode: false,
  };
  const heartbeat = (group: string, ...topics: string[]): Heartbeat => ({
    clientID: "c",
    producerDataSet: [{ groupName: "P" }],
    consumerDataSet: [{
      groupName: group,
      consumeType: "CONSUME_PASSIVELY",
      messageModel: "CLUSTERING",
      consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
      subscriptionDataSet: topics.map((topic) => ({ ...subscription, topic })),
      unitMode: false,
    }],
  });
  const beat = (body: Heartbeat) => asked(requests.HeartBeat, {}, { as: "subscriber", body: encodeHeartbeat(body) });
  assertEquals(beat(heartbeat("G", "T", "%RETRY%G")), undefined);
  assertEquals(beat(heartbeat("G", "T", "Closed")), "No default permission for topic:Closed");
  assertEquals(beat(heartbeat("Other", "T")), "No default permission for group:Other");
  // Nobody spends time on one that its handler refuses for its length.
  const tooLong = new Uint8Array(HEARTBEAT_BYTES_MAX + 1);
  assertEquals(asked(requests.HeartBeat, {}, { as: "subscriber", body: tooLong }), undefined);
  const producing = encodeHeartbeat({ ...heartbeat("G"), consumerDataSet: [] });
  assertEquals(asked(requests.HeartBeat, {}, { as: "publisher", body: producing }), undefined);
});

Deno.test("locks need SUB on their group, a look into a queue on its topic, and a reply PUB but for topics of replies", () => {
  const as = (name: string, body = new Uint8Array(0)) => ({ as: name, body });
  const wish = new TextEncoder().encode(JSON.stringify({ consumerGroup: "G", clientId: "c", mqSet: [] }));
  for (const type of [requests.LockBatchMq, requests.UnlockBatchMq]) {
    assertEquals(asked(type, {}, as("subscriber", wish)), undefined, type.name);
    assertEquals(asked(type, {}, as("publisher", wish)), "No default permission for group:G", type.name);
  }
  const queue = { topic: "T", queueId: 0, index: 0, count: 1 };
  assertEquals(asked(admin.QueryConsumeQueue, queue, as("subscriber")), undefined);
  assertEquals(asked(admin.QueryConsumeQueue, queue, as("publisher")), "No default permission for topic:T");
  for (const type of [requests.SendReplyMessage, requests.SendReplyMessageV2]) {
    const reply = { ...send, topic: "DefaultCluster_REPLY_TOPIC" };
    for (const name of ["subscriber", "publisher"]) assertEquals(asked(type, reply, as(name)), undefined, type.name);
    assertEquals(asked(type, send, as("publisher")), undefined, type.name);
    assertEquals(asked(type, send, as("subscriber")), "No default permission for topic:T", type.name);
  }
});

Deno.test("what else concerns groups needs SUB on them", () => {
  const as = (name: string) => ({ as: name });
  const back = { offset: 0, group: "G", delayLevel: 0 };
  const commit = { consumerGroup: "G", topic: "T", queueId: 0, commitOffset: 1 };
  const query = { topic: "T", key: "k", maxNum: 1, beginTimestamp: 0, endTimestamp: 1 };
  assertEquals(asked(requests.ConsumerSendMsgBack, back, as("subscriber")), undefined);
  assertEquals(asked(requests.ConsumerSendMsgBack, back, as("publisher")), "No default permission for group:G");
  assertEquals(asked(requests.UpdateConsumerOffset, commit, as("subscriber")), undefined);
  assertEquals(
    asked(requests.UpdateConsumerOffset, { ...commit, topic: "Closed" }, as("subscriber")),
    "No default permission for topic:Closed",
  );
  assertEquals(asked(requests.GetConsumerListByGroup, { consumerGroup: "G" }, as("subscriber")), undefined);
  assertEquals(
    asked(requests.GetConsumerListByGroup, { consumerGroup: "G" }, as("publisher")),
    "No default permission for group:G",
  );
  assertEquals(asked(requests.UnregisterClient, { clientID: "c", producerGroup: "P" }, as("publisher")), undefined);
  assertEquals(asked(requests.QueryMessage, query, as("publisher")), "No default permission for topic:T");
});

Deno.test("every account may send message traces", () => {
  const trace = { ...send, topic: "RMQ_SYS_TRACE_TOPIC" };
  assertEquals(asked(requests.SendMessageV2, trace, { as: "subscriber" }), undefined);
  assertEquals(
    asked(requests.PullMessage, { ...pull, topic: "RMQ_SYS_TRACE_TOPIC" }, { as: "publisher" }),
    "No default permission for topic:RMQ_SYS_TRACE_TOPIC",
  );
});

Deno.test("what changes things, and the list of accounts, needs an admin", () => {
  for (const type of [admin.UpdateBrokerConfig, admin.CleanUnusedTopic, admin.GetBrokerClusterAclConfig]) {
    const reason = `Need admin permission for request code=${type.code}, but accessKey=publisher is not`;
    assertEquals(asked(type, {}, { as: "publisher" }), reason);
    assertEquals(asked(type, {}, { as: "administrator" }), undefined);
  }
});

Deno.test("an admin needs no permissions, unless he was given some", () => {
  assertEquals(asked(requests.SendMessageV2, { ...send, topic: "Any" }, { as: "administrator" }), undefined);
  assertEquals(asked(requests.SendMessageV2, send, { as: "limited-admin" }), undefined);
  assertEquals(
    asked(requests.SendMessageV2, { ...send, topic: "Any" }, { as: "limited-admin" }),
    "No default permission for topic:Any",
  );
});

Deno.test("an account without defaults has nothing", () => {
  const book = bookOf("accounts:\n- {accessKey: account-1, secretKey: secret-1}\n");
  assertEquals(asked(requests.SendMessageV2, send, { as: "account-1" }, book), "No default permission for topic:T");
  assertEquals(asked(requests.PullMessage, pull, { as: "account-1" }, book), "No default permission for topic:T");
});

Deno.test("a node without accounts asks for no signature, one with accounts for one of each request", () => {
  const handlers = () =>
    new HandlerTable().on(requests.SendMessage, () => undefined).on(admin.CleanUnusedTopic, () => undefined);
  const open = handlers();
  guard(open, { accounts: undefined, adminRequestsFrom: [], concerns: () => true });
  assertEquals([requests.SendMessage, admin.CleanUnusedTopic].map(({ code }) => open.get(code)?.check !== undefined), [
    false,
    true,
  ]);
  const closed = handlers();
  guard(closed, { accounts: { book: BOOK }, adminRequestsFrom: ["*"], concerns: () => true });
  assertEquals(
    [requests.SendMessage, admin.CleanUnusedTopic].map(({ code }) => closed.get(code)?.check !== undefined),
    [
      true,
      true,
    ],
  );
});
