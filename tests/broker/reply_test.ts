/**
 * Replies over real connections, into a real store.
 *
 * @module
 */
import { clientHandlers } from "../../src/broker/client_handlers.ts";
import type { BrokerContext } from "../../src/broker/context.ts";
import { Intake } from "../../src/broker/intake.ts";
import { ProducerGroups } from "../../src/broker/producers.ts";
import { replyHandlers } from "../../src/broker/reply.ts";
import { TopicTable } from "../../src/broker/topics.ts";
import { checkSettings } from "../../src/config/mod.ts";
import { encodeHeartbeat } from "../../src/protocol/bodies/heartbeat.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { decodeRecord, type MessageRecord } from "../../src/protocol/message_record.ts";
import { formatProperties, parseProperties } from "../../src/protocol/properties.ts";
import {
  HeartBeat,
  PushReplyMessageToClient,
  SendReplyMessage,
  SendReplyMessageV2,
} from "../../src/protocol/requests.ts";
import { type Answer, HandlerTable, type Incoming } from "../../src/remoting/handlers.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../src/std.ts";
import type { GetResult, MessageStore } from "../../src/store/mod.ts";
import { sendHeader } from "../headers.ts";
import { Bench, HOST } from "../store/kit.ts";
import { Desk, HandClock, RecordingConnection, START, statsOf, until } from "./workshop.ts";

const { SUCCESS, SYSTEM_ERROR, SYSTEM_BUSY, MESSAGE_ILLEGAL, NO_PERMISSION, TOPIC_NOT_EXIST } = ResponseCode;
const TOPIC = "DefaultCluster_REPLY_TOPIC";

type Push = Incoming<typeof PushReplyMessageToClient>;
type Reply = { topic?: string; properties?: string; sysFlag?: number; body?: string };

/** A broker that takes replies and heartbeats of producers. */
class Post {
  readonly producers = new ProducerGroups(new HandClock());
  readonly topics: TopicTable;
  readonly stats = statsOf(new HandClock());
  readonly #desk: Desk;
  readonly #ask;

  constructor(readonly bench: Bench, readonly store: MessageStore, sets: string[], timeoutMs: number | undefined) {
    const clock = new HandClock();
    const loaded = checkSettings("", { roles: ["master"], sets: [`storePathRootDir=${bench.dir}`, ...sets] });
    assert(loaded.ok && loaded.settings.broker !== undefined);
    const settings = loaded.settings.broker;
    const topics = this.topics = new TopicTable({ settings, disk: bench.disk, clock });
    const { producers } = this;
    const intake = new Intake(store);
    const address = "10.1.2.3:10911", stats = this.stats;
    const parts = { settings, clock, topics, producers, store, storeHost: HOST, address, intake, stats };
    const broker = parts as unknown as BrokerContext;
    this.#desk = new Desk((table) => {
      clientHandlers(table, broker);
      replyHandlers(table, broker, timeoutMs);
    });
    this.#ask = this.#desk.client().ask;
  }

  /** Lets a producer come that obeys pushes so. */
  async producer(clientId: string, obey: (push: Push) => Answer | undefined) {
    const client = this.#desk.client(new HandlerTable().on(PushReplyMessageToClient, obey));
    const heartbeat = { clientID: clientId, producerDataSet: [{ groupName: "PG" }], consumerDataSet: [] };
    assertEquals((await client.ask(HeartBeat, {}, encodeHeartbeat(heartbeat))).code, SUCCESS);
    return client;
  }

  reply({ body = "the reply", ...given }: Reply = {}, type: typeof SendReplyMessage = SendReplyMessage) {
    const header = sendHeader({
      topic: TOPIC,
      defaultTopic: "unknown template",
      queueId: -1,
      bornTimestamp: 1_600_000_000_000,
      flag: 7,
      properties: to("asker"),
      ...given,
    });
    return this.#ask(type, header, new TextEncoder().encode(body));
  }

  /** The newest reply that is stored. */
  stored(): MessageRecord {
    const { records } = this.store.get(TOPIC, 0, this.store.maxOffset(TOPIC, 0) - 1, 1) as GetResult;
    assert(records[0] !== undefined, "no reply is stored");
    return decodeRecord(records[0].slice());
  }

  async close(): Promise<void> {
    await this.#desk.close();
    await this.store.close();
  }
}

async function served(
  test: (post: Post) => Promise<void>,
  { sets = [] as string[], timeoutMs = undefined as number | undefined } = {},
): Promise<void> {
  using bench = new Bench();
  const post = new Post(bench, await bench.open(), sets, timeoutMs);
  try {
    await test(post);
  } finally {
    await post.close();
  }
}

function to(clientId: string): string {
  return formatProperties([["REPLY_TO_CLIENT", clientId], ["CORRELATION_ID", "c-1"], ["WAIT", "true"]]);
}

const took = () => ({ code: SUCCESS });

Deno.test("a reply is handed to the producer that waits for it, and stored", async () => {
  await served(async (post) => {
    const pushes: { header: Push["header"]; body: string }[] = [];
    await post.producer("asker", ({ header, body }) => {
      pushes.push({ header, body: new TextDecoder().decode(body) });
      return took();
    });
    let strayed = 0;
    await post.producer("another", () => {
      strayed++;
      return took();
    });
    const counted = () => [...post.stats.topicsPut()].map(([topic, { nums }]) => [topic, nums]);
    for (const [n, type] of [SendReplyMessage, SendReplyMessageV2].entries()) {
      const { code, remark, header } = await post.reply({ sysFlag: 1 }, type as typeof SendReplyMessage);
      assertEquals([code, remark, header.queueId, header.queueOffset], [SUCCESS, undefined, 0, n]);
      assertEquals(counted(), [[TOPIC, n + 1]]);
      assertEquals([header.MSG_REGION, header.TRACE_ON], ["DefaultRegion", "true"]);
      assertMatch(header.msgId ?? "", /^0A01020300002A9F[0-9A-F]{16}$/);

      const { header: pushed, body } = pushes[n]!;
      assertEquals([body, pushed.topic, pushed.queueId, pushed.flag], ["the reply", TOPIC, -1, 7]);
      assertEquals([pushed.sysFlag, pushed.bornTimestamp, pushed.storeTimestamp], [1, 1_600_000_000_000, START]);
      assertEquals(pushed.storeHost, "10.1.2.3:10911");
      assertMatch(pushed.bornHost, /^127\.0\.0\.1:\d+$/);
      const properties = parseProperties(pushed.properties ?? "");
      assertEquals(properties.get("CORRELATION_ID"), "c-1");
      assertEquals(properties.get("PUSH_REPLY_TIME"), String(START));
    }
    const record = post.stored();
    assertEquals([new TextDecoder().decode(record.body), record.sysFlag, record.flag], ["the reply", 1, 7]);
    assertEquals(record.properties, to("asker"));
    assertEquals(strayed, 0);
  });
});

Deno.test("without storeReplyMessageEnable a reply is handed on only", async () => {
  await served(async (post) => {
    await post.producer("asker", took);
    const { code, header } = await post.reply();
    assertEquals([code, header.msgId, header.queueId, header.queueOffset], [SUCCESS, "0", 0, 0]);
    const { code: failed, header: nothing } = await post.reply({ properties: to("nobody") });
    assertEquals([failed, nothing.msgId, nothing.MSG_REGION], [SYSTEM_ERROR, undefined, "DefaultRegion"]);
    assertEquals(post.store.maxOffset(TOPIC, 0), 0);
  }, { sets: ["storeReplyMessageEnable=false"] });
});

Deno.test("a reply that reaches nobody is stored, and refused with RocketMQ's reason", async () => {
  await served(async (post) => {
    (await post.producer("gone", took)).close();
    await post.producer("unwilling", () => ({ code: SYSTEM_ERROR, remark: "not today" }));
    const full = new RecordingConnection("full");
    full.congested = true;
    post.producers.register("PG", full, { clientId: "full", language: "JAVA", version: 407 });
    const cases: [properties: string, remark: string][] = [
      ["", "reply message properties[REPLY_TO_CLIENT] is null"],
      [to("nobody"), "push reply message fail, channel of <nobody> not found."],
      [to("unwilling"), "push reply message to unwilling fail. it answered 1 not today"],
      [to("full"), "push reply message to full fail. full does not read"],
    ];
    for (const [n, [properties, reason]] of cases.entries()) {
      const { code, remark, header } = await post.reply({ properties });
      assertEquals([code, header.queueOffset], [SYSTEM_ERROR, n]);
      assertStringIncludes(remark ?? "", reason);
    }
    await until(() => post.producers.connectionOf("gone") === undefined, "the end of a producer");
    assertStringIncludes((await post.reply({ properties: to("gone") })).remark ?? "", "channel of <gone> not found.");
  });
});

Deno.test("a reply to a producer that does not answer in time is stored, and refused", async () => {
  await served(async (post) => {
    await post.producer("silent", () => undefined);
    const { code, remark, header } = await post.reply({ properties: to("silent") });
    assertEquals([code, header.queueOffset], [SYSTEM_ERROR, 0]);
    assertMatch(
      remark ?? "",
      /^push reply message to silent fail\. .* did not answer PUSH_REPLY_MESSAGE_TO_CLIENT within/,
    );
  }, { timeoutMs: 1 });
});

Deno.test("a producer that goes while it is asked fails the reply", async () => {
  await served(async (post) => {
    const asker = await post.producer("asker", () => {
      asker.close();
      return undefined;
    });
    const { code, remark } = await post.reply();
    assertEquals(code, SYSTEM_ERROR);
    assertStringIncludes(remark ?? "", "closed the connection");
  });
});

Deno.test("a reply that cannot be stored has still reached its producer", async () => {
  await served(async (post) => {
    await post.producer("asker", took);
    const { code, header } = await post.reply({ body: "x".repeat(17 * 1024) });
    assertEquals([code, header.msgId], [SUCCESS, "0"]);
  });
});

Deno.test("the topic of a reply is checked like that of any message", async () => {
  await served(async (post) => {
    let handedOn = 0;
    await post.producer("asker", () => {
      handedOn++;
      return took();
    });
    assertEquals((await post.reply({ topic: "Unknown" })).code, TOPIC_NOT_EXIST);
    assertStringIncludes((await post.reply({ topic: "SELF_TEST_TOPIC" })).remark ?? "", "is forbidden");
    assertStringIncludes((await post.reply({ topic: "../x" })).remark ?? "", "illegal characters");
    assertEquals(handedOn, 0);
  });
});

Deno.test("an ordered topic takes nothing while its broker may not be written to", async () => {
  await served(async (post) => {
    assertStringIncludes((await post.reply()).remark ?? "", "channel of <asker> not found");
    post.topics.setOrder(new Set([TOPIC]));
    const { code, remark } = await post.reply();
    assertEquals(code, NO_PERMISSION);
    assertStringIncludes(remark ?? "", "its brokerPermission is 4");
  }, { sets: ["brokerPermission=4"] });
});

Deno.test("a reply is never stored as a half message, whatever its sysFlag says", async () => {
  await served(async (post) => {
    await post.reply({ sysFlag: 0x4 });
    assertEquals(post.stored().sysFlag, 0);
  });
});

Deno.test("a reply whose properties no record can have is refused before its producer is asked", async () => {
  await served(async (post) => {
    let handedOn = 0;
    await post.producer("asker", () => {
      handedOn++;
      return took();
    });
    const longest = `${to("asker")}\u0002p\u0001`.padEnd(32_767, "x");
    assertEquals((await post.reply({ properties: longest })).code, SUCCESS);
    const { code, remark, header } = await post.reply({ properties: `${longest}x` });
    assertEquals([code, header.MSG_REGION], [MESSAGE_ILLEGAL, "DefaultRegion"]);
    assertEquals(remark, "properties have 32768 bytes, allowed are 32767");
    assertEquals([handedOn, post.store.maxOffset(TOPIC, 0)], [1, 1]);
  }, { sets: ["replyThreadPoolQueueCapacity=1"] });
});

Deno.test("only so many replies wait for their producers at once", async () => {
  await served(async (post) => {
    const held: Push[] = [];
    await post.producer("asker", (push) => {
      held.push(push);
      return undefined;
    });
    const first = post.reply();
    await until(() => held.length === 1, "the first push");
    const { code, remark, header } = await post.reply();
    assertEquals([code, header.MSG_REGION], [SYSTEM_BUSY, "DefaultRegion"]);
    assertStringIncludes(remark ?? "", "[OVERLOAD]system busy");
    held[0]!.answer(took());
    assertEquals((await first).code, SUCCESS);
    const second = post.reply();
    await until(() => held.length === 2, "the second push");
    held[1]!.answer(took());
    assertEquals((await second).code, SUCCESS);
  }, { sets: ["replyThreadPoolQueueCapacity=1"] });
});
