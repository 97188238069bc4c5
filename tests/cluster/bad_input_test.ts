/**
 * What no client should send: each gets RocketMQ's response code and a remark that names what is wrong, and nothing
 * appears on the disk outside of the store.
 *
 * @module
 */
import { ResponseCode } from "../../src/protocol/codes.ts";
import type { RequestInput } from "../../src/protocol/request.ts";
import {
  PullMessage,
  QueryConsumerOffset,
  SendMessageV2,
  UpdateAndCreateTopic,
  UpdateConsumerOffset,
} from "../../src/protocol/requests.ts";
import type { Received } from "../../src/remoting/connection.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assertEquals, assertStringIncludes } from "../../src/std.ts";
import { sendHeader } from "../headers.ts";
import { startRocketd } from "../launch.ts";

const TIMEOUT_MS = 30_000;
const MESSAGE_BYTES_MAX = 65_536;
const body = new Uint8Array(10);

function send(
  topic: string,
  more: Partial<RequestInput<typeof SendMessageV2>> = {},
): RequestInput<typeof SendMessageV2> {
  return sendHeader({ topic, ...more });
}

function pull(consumerGroup: string, topic: string, queueId: number): RequestInput<typeof PullMessage> {
  const rest = { queueOffset: 0, maxMsgNums: 32, sysFlag: 4, commitOffset: 0, suspendTimeoutMillis: 0, subVersion: 0 };
  return { consumerGroup, topic, queueId, subscription: "*", ...rest };
}

function topicOf(topic: string, perm = 6, queues = 4): RequestInput<typeof UpdateAndCreateTopic> {
  const nums = { readQueueNums: queues, writeQueueNums: queues };
  return { topic, defaultTopic: "TBW102", perm, topicFilterType: "SINGLE_TAG", ...nums };
}

/** Every path below a folder, but for what lies in the store itself. */
function pathsOutside(dir: string, store: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).filter((name) => `${dir}/${name}` !== store).sort();
}

Deno.test("a master answers bad input with RocketMQ's codes and names what is wrong", async (t) => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  const settings = { maxMessageSize: MESSAGE_BYTES_MAX, autoCreateTopicEnable: false };
  await using broker = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings });
  const client = new RemotingClient();
  const address = broker.address;
  const outside = pathsOutside(broker.dir, broker.storeDir);
  await client.invoke(address, UpdateAndCreateTopic, topicOf("Good"), undefined, TIMEOUT_MS);
  await client.invoke(address, UpdateAndCreateTopic, topicOf("ReadOnly", 4), undefined, TIMEOUT_MS);
  await client.invoke(address, UpdateAndCreateTopic, topicOf("WriteOnly", 2), undefined, TIMEOUT_MS);

  const refused = async (name: string, asked: Promise<Received>, code: number, ...words: string[]) => {
    await t.step(name, async () => {
      const { code: got, remark } = await asked;
      assertEquals(got, code, remark);
      for (const word of words) assertStringIncludes(remark ?? "", word);
    });
  };
  const sending = (header: RequestInput<typeof SendMessageV2>, bytes = body) =>
    client.invoke(address, SendMessageV2, header, bytes, TIMEOUT_MS);
  const { SYSTEM_ERROR, MESSAGE_ILLEGAL, NO_PERMISSION, TOPIC_NOT_EXIST } = ResponseCode;

  const paths = ["../../escape", "a/b", "..", "/etc/x", "a\0b", "C:\\x"];
  for (const path of paths) {
    await refused(`a send to the topic ${JSON.stringify(path)}`, sending(send(path)), SYSTEM_ERROR, "illegal");
    const made = client.invoke(address, UpdateAndCreateTopic, topicOf(path), undefined, TIMEOUT_MS);
    await refused(`a new topic ${JSON.stringify(path)}`, made, SYSTEM_ERROR, "illegal");
    const committed = client.invoke(
      address,
      UpdateConsumerOffset,
      {
        consumerGroup: path,
        topic: "Good",
        queueId: 0,
        commitOffset: 1,
      },
      undefined,
      TIMEOUT_MS,
    );
    await refused(`an offset of the group ${JSON.stringify(path)}`, committed, SYSTEM_ERROR);
  }
  await refused("a topic of 128 characters", sending(send("t".repeat(128))), SYSTEM_ERROR, "length");
  await refused("a topic that is not there", sending(send("Unknown")), TOPIC_NOT_EXIST, "Unknown");
  await refused(
    "a queue beyond the topic's",
    sending(send("Good", { queueId: 4 })),
    SYSTEM_ERROR,
    "queueId[4]",
    "Good",
  );
  await refused("a topic without write permission", sending(send("ReadOnly")), NO_PERMISSION, "ReadOnly");
  const large = new Uint8Array(MESSAGE_BYTES_MAX + 1);
  await refused("a body over maxMessageSize", sending(send("Good"), large), MESSAGE_ILLEGAL, "maxMessageSize", "65537");
  const long = send("Good", { properties: `k\x01${"v".repeat(40_000)}` });
  await refused("properties over 32,767 bytes", sending(long), MESSAGE_ILLEGAL, "properties");
  await refused("a batch that is none", sending(send("Good", { batch: true })), MESSAGE_ILLEGAL, "batch");
  const pulling = (group: string, topic: string, queueId: number) =>
    client.invoke(address, PullMessage, pull(group, topic, queueId), undefined, TIMEOUT_MS);
  await refused("a pull beyond the topic's queues", pulling("g", "Good", 4), SYSTEM_ERROR, "queueId[4]");
  await refused("a pull without read permission", pulling("g", "WriteOnly", 0), NO_PERMISSION, "WriteOnly");
  await refused("a pull of a negative queue", pulling("g", "Good", -1), SYSTEM_ERROR, "queueId[-1]");
  const asked = client.invoke(
    address,
    QueryConsumerOffset,
    {
      consumerGroup: "../x",
      topic: "../y",
      queueId: 9,
    },
    undefined,
    TIMEOUT_MS,
  );
  await t.step("an offset asked for names with path parts makes nothing", async () => {
    await asked;
    assertEquals(pathsOutside(broker.dir, broker.storeDir), outside);
  });
  await t.step("and the master still takes and stores a good message", async () => {
    assertEquals((await sending(send("Good"))).code, ResponseCode.SUCCESS);
  });
  client.close();
});
