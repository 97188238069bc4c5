/**
 * Heartbeats, members and topics over real connections.
 *
 * @module
 */
import { clientHandlers } from "../../src/broker/client_handlers.ts";
import { ConsumerFilters } from "../../src/broker/consumer_filters.ts";
import { ConsumerGroups } from "../../src/broker/consumers.ts";
import { MessageFilters } from "../../src/broker/filters.ts";
import { groupHandlers } from "../../src/broker/group_handlers.ts";
import { SubscriptionGroupTable } from "../../src/broker/groups.ts";
import { ConsumerOffsets } from "../../src/broker/offsets.ts";
import { ProducerGroups } from "../../src/broker/producers.ts";
import { topicHandlers } from "../../src/broker/topic_handlers.ts";
import { TopicTable } from "../../src/broker/topics.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import {
  decodeConsumerIds,
  decodeSubscriptionGroupTable,
  decodeTopicConfigTable,
  encodeSubscriptionGroup,
  subscriptionGroup,
  topicConfig,
} from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import * as requests from "../../src/protocol/requests.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { assertEquals, assertStringIncludes } from "../../src/std.ts";
import { Desk, HandClock, inFolder, settingsIn, statsOf, until } from "./workshop.ts";

const { SUCCESS, SYSTEM_ERROR, REQUEST_CODE_NOT_SUPPORTED } = ResponseCode;
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

type Settings = ReturnType<typeof settingsIn>;

function setUp(folder: string, given: Partial<Settings> = {}) {
  const settings = { ...settingsIn(folder), ...given };
  const clock = new HandClock();
  const topics = new TopicTable({ settings, disk: denoDisk, clock });
  const groups = new SubscriptionGroupTable({ settings, disk: denoDisk, clock });
  const consumers = new ConsumerGroups({ settings, groups, clock });
  const filters = new MessageFilters(settings);
  const consumerFilters = new ConsumerFilters({ settings, consumers, sql: filters.sql, disk: denoDisk, clock });
  const producers = new ProducerGroups(clock);
  const offsets = new ConsumerOffsets({ settings, topics, disk: denoDisk, clock });
  const deleted: string[] = [];
  const store = { deleteTopic: (topic: string) => void deleted.push(topic) };
  const stats = statsOf(clock);
  const desk = new Desk((table) => {
    clientHandlers(table, { topics, groups, consumers, consumerFilters, filters, producers });
    topicHandlers(table, { settings, topics, store, offsets, stats });
    groupHandlers(table, { settings, groups, consumers, offsets, stats });
  });
  return { desk, topics, groups, offsets, consumers, consumerFilters, producers, stats, deleted };
}

/** Runs a test with a broker's tables behind a server. */
async function served(
  test: (broker: ReturnType<typeof setUp>) => Promise<void>,
  given: Partial<Settings> = {},
): Promise<void> {
  await inFolder(async (folder) => {
    const broker = setUp(folder, given);
    try {
      await test(broker);
    } finally {
      await broker.desk.close();
    }
  });
}

/** As a Java 4.9.7 client sends it. */
const JAVA_HEARTBEAT =
  `{"clientID":"10.0.0.1@1234","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",` +
  `"consumeType":"CONSUME_PASSIVELY","groupName":"CG","messageModel":"CLUSTERING","subscriptionDataSet":[` +
  `{"classFilterMode":false,"codeSet":[2598919,2598920],"expressionType":"TAG","subString":"TagA || TagB",` +
  `"subVersion":1700000000000,"tagsSet":["TagA","TagB"],"topic":"T"}],"unitMode":false}],` +
  `"producerDataSet":[{"groupName":"PG"}]}`;

function heartbeat(clientID: string, ...groups: string[]): Uint8Array {
  return bytes({
    clientID,
    consumerDataSet: groups.map((groupName) => ({ groupName, subscriptionDataSet: [{ topic: "T" }] })),
  });
}

Deno.test("A Java client's heartbeat makes its group, its retry topic and its subscriptions known", async () => {
  await served(async ({ desk, topics, groups, consumers, producers }) => {
    const { ask } = desk.client();
    const answer = await ask(requests.HeartBeat, {}, bytes(JAVA_HEARTBEAT));
    assertEquals([answer.code, answer.body.length], [SUCCESS, 0]);
    assertEquals(groups.get("CG"), subscriptionGroup("CG"));
    assertEquals(topics.get("%RETRY%CG"), topicConfig("%RETRY%CG", { readQueueNums: 1, writeQueueNums: 1 }));
    assertEquals(consumers.find("CG")?.subscriptions.get("T")?.codeSet, [2598919, 2598920]);
    const [member] = producers.find("PG")!.values();
    assertEquals([member?.clientId, member?.language, member?.version], ["10.0.0.1@1234", "JAVA", answer.version]);
    const list = await ask(requests.GetConsumerListByGroup, { consumerGroup: "CG" });
    assertEquals(decodeConsumerIds(list.body), ["10.0.0.1@1234"]);
  });
});

Deno.test("A retry topic has the queues that its group says, and is a unit's for a client in unit mode", async () => {
  await served(async ({ desk, topics, groups }) => {
    groups.update(subscriptionGroup("CG", { retryQueueNums: 3 }));
    groups.update(subscriptionGroup("None", { retryQueueNums: 0 }));
    const consumer = (groupName: string, unitMode = false) => ({ groupName, unitMode, subscriptionDataSet: [] });
    const consumerDataSet = [consumer("CG", true), consumer("None")];
    assertEquals((await desk.client().ask(requests.HeartBeat, {}, bytes({ clientID: "c", consumerDataSet }))).code, 0);
    const topic = (name: string, queues: number, topicSysFlag: number) =>
      topicConfig(name, { readQueueNums: queues, writeQueueNums: queues, topicSysFlag });
    assertEquals(topics.get("%RETRY%CG"), topic("%RETRY%CG", 3, 2));
    assertEquals(topics.get("%RETRY%None"), topic("%RETRY%None", 0, 0));
  });
});

Deno.test("The notice of a change comes before the answer to the heartbeat", async () => {
  await served(async ({ desk }) => {
    const order: string[] = [];
    const told = new HandlerTable().on(requests.NotifyConsumerIdsChanged, ({ header, oneWay }) => {
      order.push(`notice ${header.consumerGroup} ${oneWay}`);
      return undefined;
    });
    const { ask } = desk.client(told);
    const other = desk.client(told);
    await ask(requests.HeartBeat, {}, heartbeat("c1", "CG")).then(() => order.push("answer"));
    assertEquals(order.splice(0), ["notice CG true", "answer"]);
    await ask(requests.HeartBeat, {}, heartbeat("c1", "CG")).then(() => order.push("answer"));
    assertEquals(order.splice(0), ["answer"]);
    await other.ask(requests.HeartBeat, {}, heartbeat("c2", "CG"));
    await until(() => order.length === 2, "the notice to both");
    other.close();
    await until(() => order.length === 3, "the notice that the other has gone");
  });
});

Deno.test("UNREGISTER_CLIENT takes a client out of the groups it names", async () => {
  await served(async ({ desk, consumers, producers }) => {
    const { ask } = desk.client();
    await ask(requests.HeartBeat, {}, bytes(JAVA_HEARTBEAT));
    const clientID = "10.0.0.1@1234";
    assertEquals((await ask(requests.UnregisterClient, { clientID, producerGroup: "PG" })).code, SUCCESS);
    assertEquals([producers.names(), consumers.names()], [[], ["CG"]]);
    assertEquals((await ask(requests.UnregisterClient, { clientID, consumerGroup: "CG" })).code, SUCCESS);
    assertEquals(consumers.names(), []);
    const list = await ask(requests.GetConsumerListByGroup, { consumerGroup: "CG" });
    assertEquals([list.code, list.remark], [SYSTEM_ERROR, "no consumer for this group, CG"]);
  });
});

Deno.test("A group that may not be made is online all the same, without a retry topic", async () => {
  await served(async ({ desk, topics, groups, consumers }) => {
    assertEquals((await desk.client().ask(requests.HeartBeat, {}, bytes(JAVA_HEARTBEAT))).code, SUCCESS);
    assertEquals([groups.get("CG"), topics.get("%RETRY%CG")], [undefined, undefined]);
    assertEquals(consumers.names(), ["CG"]);
  }, { autoCreateSubscriptionGroup: false });
});

const manySubscriptions = Array.from({ length: 100_000 }, (_, i) => ({ topic: `T${i}` }));
const BAD_HEARTBEATS: [string, unknown, string][] = [
  ["nothing", "", "HEART_BEAT"],
  ["no JSON", "{]", "HEART_BEAT"],
  ["no client id", { consumerDataSet: [] }, "clientID"],
  ["a group name with path parts", { clientID: "c", consumerDataSet: [{ groupName: "../CG" }] }, "../CG"],
  ["an empty group name", { clientID: "c", consumerDataSet: [{ groupName: "" }] }, "blank"],
  [
    "100,000 subscriptions",
    { clientID: "c", consumerDataSet: [{ groupName: "CG", subscriptionDataSet: manySubscriptions }] },
    "consumerDataSet[0].subscriptionDataSet",
  ],
  ["more bytes than allowed", { clientID: "c", junk: "x".repeat(5_000_000) }, "allowed are 4194304"],
  [
    "one good group and a bad one",
    { clientID: "c", consumerDataSet: [{ groupName: "Good" }, { groupName: "b@d" }] },
    "b@d",
  ],
];

for (const [what, body, remark] of BAD_HEARTBEATS) {
  Deno.test(`A heartbeat with ${what} is refused and changes nothing`, async () => {
    await served(async ({ desk, consumers, groups, topics }) => {
      const before = [groups.size, topics.size];
      const answer = await desk.client().ask(requests.HeartBeat, {}, bytes(body));
      assertEquals(answer.code, SYSTEM_ERROR);
      assertStringIncludes(answer.remark ?? "", remark);
      assertEquals([consumers.names(), groups.size, topics.size], [[], ...before]);
    });
  });
}

Deno.test("CHECK_CLIENT_CONFIG tells the mistakes in SQL92 expressions where the broker takes them", async () => {
  await served(async ({ desk }) => {
    const { ask } = desk.client();
    const check = (subString: string, expressionType: string) => {
      const subscriptionData = { topic: "T", subString, expressionType };
      return ask(requests.CheckClientConfig, {}, bytes({ clientId: "c", group: "CG", subscriptionData }));
    };
    for (const [subString, type] of [["a > 1", "SQL92"], ["a >", "TAG"], ["a >", ""]] as const) {
      assertEquals((await check(subString, type)).code, SUCCESS);
    }
    const { code, remark } = await check("a > 1 AND\n b >", "SQL92");
    assertEquals(code, ResponseCode.SUBSCRIPTION_PARSE_FAILED);
    assertStringIncludes(remark ?? "", "line 2, column 5");
  }, { enablePropertyFilter: true });
});

Deno.test("A heartbeat tells what its groups filter by", async () => {
  await served(async ({ desk, consumerFilters }) => {
    const subscriptionData = { topic: "T", subString: "a > 1", expressionType: "SQL92", subVersion: 7 };
    const consumerDataSet = [{ groupName: "CG", subscriptionDataSet: [subscriptionData] }];
    const { code } = await desk.client().ask(requests.HeartBeat, {}, bytes({ clientID: "c", consumerDataSet }));
    assertEquals(code, SUCCESS);
    assertEquals(consumerFilters.get("T", "CG")?.expression, "a > 1");
  });
});

Deno.test("CHECK_CLIENT_CONFIG takes tags and refuses SQL92", async () => {
  await served(async ({ desk }) => {
    const { ask } = desk.client();
    const check = (expressionType: string) => {
      const subscriptionData = { topic: "T", subString: "a > 1", expressionType };
      return ask(requests.CheckClientConfig, {}, bytes({ clientId: "c", group: "CG", subscriptionData }));
    };
    assertEquals((await check("TAG")).code, SUCCESS);
    const { code, remark } = await check("SQL92");
    assertEquals(code, SYSTEM_ERROR);
    assertStringIncludes(remark ?? "", "does not support consumer to filter message by SQL92");
  });
});

const topicHeader = { topic: "T", readQueueNums: 4, writeQueueNums: 2, perm: 6, topicFilterType: "MULTI_TAG" };

Deno.test("UPDATE_AND_CREATE_TOPIC makes and changes topics, and answers after the nameservers know", async () => {
  await served(async ({ desk, topics, deleted }) => {
    const { ask } = desk.client();
    let announced = false;
    topics.onChange(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      announced = true;
    });
    const order = true;
    assertEquals((await ask(requests.UpdateAndCreateTopic, { ...topicHeader, order, topicSysFlag: 1 })).code, SUCCESS);
    assertEquals(announced, true);
    assertEquals(
      topics.get("T"),
      topicConfig("T", { readQueueNums: 4, writeQueueNums: 2, topicFilterType: "MULTI_TAG", topicSysFlag: 1 }),
    );
    const { body } = await ask(requests.GetAllTopicConfig, {});
    assertEquals(decodeTopicConfigTable(body).topicConfigTable.get("T"), topics.get("T"));
    assertEquals((await ask(requests.DeleteTopicInBroker, { topic: "T" })).code, SUCCESS);
    assertEquals([topics.get("T"), deleted], [undefined, ["T"]]);
    await topics.announced();
  });
});

Deno.test("DELETE_TOPIC_IN_BROKER removes queues also without their topic, offsets, and retry topics of long names", async () => {
  await served(async ({ desk, topics, offsets, deleted }) => {
    const { ask } = desk.client();
    const retry = `%RETRY%${"g".repeat(255)}`;
    for (const topic of ["T", "U", retry]) {
      topics.update(topicConfig(topic));
      assertEquals(offsets.commit("CG", topic, 0, 7), undefined);
    }
    for (const topic of ["T", "T", retry]) {
      assertEquals((await ask(requests.DeleteTopicInBroker, { topic })).code, SUCCESS);
    }
    assertEquals(deleted, ["T", "T", retry]);
    assertEquals([offsets.topicsOf("CG"), offsets.get("CG", "U", 0)], [["U"], 7]);
  });
});

Deno.test("what was counted of a topic or a group goes with it", async () => {
  await served(async ({ desk, topics, stats }) => {
    const { ask } = desk.client();
    topics.update(topicConfig("T"));
    stats.sent("T", 0, 1, 100);
    stats.pulled("CG", "U", 0, 1, 100, 0);
    await ask(requests.DeleteTopicInBroker, { topic: "T" });
    assertEquals([stats.view("TOPIC_PUT_NUMS", "T"), [...stats.groupsGot()].length], [undefined, 1]);
    await ask(requests.DeleteSubscriptionGroup, { groupName: "CG" });
    assertEquals([...stats.groupsGot()], []);
  });
});

const BAD_TOPICS: [string, Partial<typeof topicHeader>, string][] = [
  ["path parts in its name", { topic: "../T" }, `"../T"`],
  ["no name", { topic: " " }, "blank"],
  ["a name that is too long", { topic: "t".repeat(128) }, "longer than topic max length 127"],
  ["a name of the system's", { topic: "TBW102" }, "The topic[TBW102] is conflict with system topic."],
  ["the broker's name", { topic: "broker-a" }, "The topic[broker-a] is conflict"],
  ["too many queues", { readQueueNums: 65_537 }, "readQueueNums is 65537, allowed is 0 to 65536"],
  ["a negative number of queues", { writeQueueNums: -1 }, "writeQueueNums is -1"],
  ["a permission that is none", { perm: 8 }, "perm is 8, allowed is 0 to 7"],
  ["an unknown filter type", { topicFilterType: "X" }, `topicFilterType is "X", allowed is SINGLE_TAG or MULTI_TAG`],
];

for (const [what, given, remark] of BAD_TOPICS) {
  Deno.test(`UPDATE_AND_CREATE_TOPIC refuses ${what}`, async () => {
    await served(async ({ desk, topics }) => {
      const before = topics.version();
      const answer = await desk.client().ask(requests.UpdateAndCreateTopic, { ...topicHeader, ...given });
      assertEquals(answer.code, SYSTEM_ERROR);
      assertStringIncludes(answer.remark ?? "", remark);
      assertEquals(topics.version(), before);
    });
  });
}

Deno.test("DELETE_TOPIC_IN_BROKER refuses names with path parts and the system's topics", async () => {
  await served(async ({ desk, deleted, topics }) => {
    const { ask } = desk.client();
    for (const topic of ["../T", "TBW102", ""]) {
      assertEquals((await ask(requests.DeleteTopicInBroker, { topic })).code, SYSTEM_ERROR);
    }
    assertEquals([deleted, topics.get("TBW102")?.perm], [[], 7]);
  });
});

Deno.test("UPDATE_AND_CREATE_SUBSCRIPTIONGROUP replaces a group, and refuses illegal ones", async () => {
  await served(async ({ desk, groups }) => {
    const { ask } = desk.client();
    const group = subscriptionGroup("CG", { retryMaxTimes: 3 });
    const update = (body: Uint8Array) => ask(requests.UpdateAndCreateSubscriptionGroup, {}, body);
    assertEquals((await update(encodeSubscriptionGroup(group))).code, SUCCESS);
    assertEquals(groups.get("CG"), group);
    const { body } = await ask(requests.GetAllSubscriptionGroupConfig, {});
    assertEquals(decodeSubscriptionGroupTable(body).subscriptionGroupTable.get("CG"), group);
    for (const [bad, remark] of [[subscriptionGroup("a/b"), "a/b"], ["{", "SUBSCRIPTIONGROUP"], [{}, "groupName"]]) {
      const answer = await update(bytes(bad));
      assertEquals(answer.code, SYSTEM_ERROR);
      assertStringIncludes(answer.remark ?? "", remark as string);
    }
  });
});

Deno.test("DELETE_SUBSCRIPTIONGROUP forgets a group, and its offsets where that is asked", async () => {
  await served(async ({ desk, topics, groups, offsets }) => {
    const { ask } = desk.client();
    topics.update(topicConfig("T"));
    for (const group of ["CG", "Other"]) {
      groups.update(subscriptionGroup(group));
      assertEquals(offsets.commit(group, "T", 0, 7), undefined);
    }
    const version = groups.version().counter;
    const remove = async (groupName: string, removeOffset?: boolean) =>
      (await ask(requests.DeleteSubscriptionGroup, { groupName, removeOffset })).code;
    assertEquals(await remove("CG"), SUCCESS);
    assertEquals([groups.get("CG"), groups.version().counter, offsets.get("CG", "T", 0)], [undefined, version + 1, 7]);
    assertEquals([await remove("CG", false), offsets.get("CG", "T", 0)], [SUCCESS, 7]);
    assertEquals([await remove("CG", true), offsets.get("CG", "T", 0)], [SUCCESS, -1]);
    assertEquals([groups.get("Other")?.groupName, offsets.get("Other", "T", 0)], ["Other", 7]);
  });
});

Deno.test("QUERY_TOPIC_CONSUME_BY_WHO names the groups that are online and those that have offsets, each once", async () => {
  await served(async ({ desk, topics, offsets }) => {
    const { ask } = desk.client();
    topics.update(topicConfig("T"));
    const who = async (topic: string) => {
      const { code, body } = await ask(requests.QueryTopicConsumeByWho, { topic });
      assertEquals(code, SUCCESS);
      return JSON.parse(new TextDecoder().decode(body));
    };
    assertEquals(await who("T"), { groupList: [] });
    await ask(requests.HeartBeat, {}, heartbeat("c", "Online", "Both"));
    for (const group of ["Both", "Offline"]) assertEquals(offsets.commit(group, "T", 0, 1), undefined);
    assertEquals(await who("T"), { groupList: ["Online", "Both", "Offline"] });
    assertEquals(await who("none"), { groupList: [] });
  });
});

Deno.test("A slave changes neither topics nor groups", async () => {
  await served(async ({ desk, topics, groups }) => {
    const { ask } = desk.client();
    const answers = [
      await ask(requests.UpdateAndCreateTopic, topicHeader),
      await ask(requests.DeleteTopicInBroker, { topic: "T" }),
      await ask(requests.UpdateAndCreateSubscriptionGroup, {}, encodeSubscriptionGroup(subscriptionGroup("CG"))),
      await ask(requests.DeleteSubscriptionGroup, { groupName: "TOOLS_CONSUMER" }),
    ];
    for (const { code, remark } of answers) {
      assertEquals(code, SYSTEM_ERROR);
      assertStringIncludes(remark ?? "", "from slave broker");
    }
    assertEquals([topics.get("T"), groups.get("CG")], [undefined, undefined]);
    assertEquals(groups.get("TOOLS_CONSUMER")?.groupName, "TOOLS_CONSUMER");
  }, { brokerRole: "SLAVE" });
});

Deno.test("GET_TOPIC_CONFIG_LIST and GET_TOPIC_NAME_LIST are unknown, as to RocketMQ's broker", async () => {
  await served(async ({ desk }) => {
    const { ask } = desk.client();
    assertEquals((await ask(requests.GetTopicConfigList, {})).code, REQUEST_CODE_NOT_SUPPORTED);
    assertEquals((await ask(requests.GetTopicNameList, {})).code, REQUEST_CODE_NOT_SUPPORTED);
  });
});
