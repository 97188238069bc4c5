/**
 * Our own tool for administrators against a cluster of ours and one of Java's: what it tells is compared with what is
 * known to be true, and what it changes is looked at.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import type { Node } from "../launch.ts";
import { AdminTool, KINDS, type Rows, until } from "./admin_tool.ts";
import { type Kind, startBroker, startNameserver, startSlave, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

const CLUSTER = "DefaultCluster", TOPIC = "Tooled", GROUP = "tool-group", JAVA_PRODUCERS = "interop-producer-main";

interface Scene {
  readonly tool: AdminTool;
  readonly java: JavaShell;
  readonly nameserver: Node;
  readonly a: Node;
  readonly b: Node;
  readonly slave: Node;
}

const STEPS: Record<string, (scene: Scene) => Promise<void>> = {
  async "all brokers are listed, masters and slaves"({ tool, a, b, slave }) {
    // A broker of Java's has no figures in its first second, and then tells nothing of itself.
    await until("figures", () => tool.run("clusterList"), ({ failures }) => failures.length === 0);
    assertEquals(await tool.cells("brokers", "cluster broker id address version", "clusterList"), [
      [CLUSTER, "broker-a", 0, a.address, "V4_9_7"],
      [CLUSTER, "broker-a", 1, slave.address, "V4_9_7"],
      [CLUSTER, "broker-b", 0, b.address, "V4_9_7"],
    ]);
    assertEquals((await tool.rows("brokers", "clusterList -m")).length, 3);
    const status = await tool.cells("runtime", "broker value", "brokerStatus");
    assertEquals(status.filter(([, value]) => value === "V4_9_7").map(([broker]) => broker), ["broker-a", "broker-b"]);
  },

  async "topics are made on every master of a cluster, and changed on one"({ tool, a }) {
    assertEquals(await tool.cells("done", "name", `updateTopic -t ${TOPIC} -c ${CLUSTER} -r 4 -w 4 -o true`), [
      ["broker-a"],
      ["broker-b"],
      ["nameserver"],
    ]);
    assertEquals(await tool.run(`updateOrderConf -t ${TOPIC} -m get`), {
      order: { topic: TOPIC, orderConf: "broker-a:4;broker-b:4" },
      failures: [],
    });
    await tool.run(`updateTopic -t ${TOPIC} -b ${a.address} -r 2`);
    // What is not given stays.
    await tool.run(`updateTopic -t ${TOPIC} -b ${a.address} -w 2`);
    await tool.run(`updateTopicPerm -t ${TOPIC} -b broker-b -p 4`);
    const queues = await tool.cells("queues", "broker readQueues writeQueues perm", `topicRoute -t ${TOPIC}`);
    assertEquals(queues, [["broker-a", 2, 2, 6], ["broker-b", 4, 4, 4]]);
    assertEquals(await tool.rows("clusters", `topicClusterList -t ${TOPIC}`), [{ cluster: CLUSTER }]);
    assert((await tool.rows("topics", "topicList")).some(({ topic }) => topic === TOPIC));
    const shares = await tool.cells("shares", "member broker queueId", `allocateMQ -t ${TOPIC} -i x,y,z`);
    assertEquals(shares.slice(0, 3), [["x", "broker-a", 0], ["x", "broker-a", 1], ["y", "broker-b", 0]]);
  },

  async "messages that were sent to a queue are found by id, key and place"({ tool, a }) {
    const line = `sendMessage -t ${TOPIC} -b broker-a -i 1 -c red -k k1,k2 -p`;
    const sent = (await tool.run(line, "one message"))["sent"] as Rows[number];
    assertEquals([sent["status"], sent["broker"], sent["queueId"], sent["offset"]], ["SEND_OK", "broker-a", 1, 0]);
    await tool.run(`sendMessage -t ${TOPIC} -b broker-a -i 1 -c blue -k k2 -p two`);
    const expected = {
      id: sent["id"],
      offsetMessageId: sent["offsetMessageId"],
      topic: TOPIC,
      broker: "broker-a",
      queueId: 1,
      offset: 0,
      storeHost: a.address,
      tag: "red",
      keys: ["k1", "k2"],
      body: "one message",
      bytes: 11,
    };
    const ways = [
      `queryMsgById -i ${sent["offsetMessageId"]}`,
      `queryMsgByUniqueKey -t ${TOPIC} -i ${sent["id"]}`,
      `queryMsgByOffset -t ${TOPIC} -b broker-a -i 1 -o 0`,
      `queryMsgByKey -t ${TOPIC} -k k1`,
      `printMsg -t ${TOPIC} -s red`,
      `consumeMessage -t ${TOPIC} -b broker-a -i 1 -c 1`,
    ];
    for (const way of ways) {
      const found = await until(way, () => tool.rows("messages", way), ({ length }) => length > 0);
      assertEquals(found.length, 1, way);
      for (const [name, value] of Object.entries(expected)) assertEquals(found[0]![name], value, `${way}: ${name}`);
    }
    const both = await until(
      "both",
      () => tool.rows("messages", `queryMsgByKey -t ${TOPIC} -k k2`),
      (rows) => rows.length > 1,
    );
    assertEquals(both.map(({ body }) => body).sort(), ["one message", "two"]);
    const tags = await tool.rows("tags", `printMsgByQueue -t ${TOPIC} -a broker-a -i 1 -f true -p false`);
    assertEquals(tags, [{ tag: "red", count: 1 }, { tag: "blue", count: 1 }]);
    const entries = await tool.cells("entries", "index physicOffset", `queryCq -t ${TOPIC} -q 1 -i 0 -c 9 -b broker-a`);
    const place = Number.parseInt(String(sent["offsetMessageId"]).slice(-16), 16);
    assertEquals([entries.length, entries[0]], [2, [0, place]]);
    const status = await tool.cells("queues", "broker queueId minOffset maxOffset", `topicStatus -t ${TOPIC}`);
    assertEquals(status.slice(0, 2).concat(status.slice(-1)), [["broker-a", 0, 0, 0], ["broker-a", 1, 0, 2], [
      "broker-b",
      3,
      0,
      0,
    ]]);
    await assertRejects(() => tool.run(`queryMsgByOffset -t ${TOPIC} -b broker-a -i 1 -o 2`), RocketdError);
  },

  async "messages are read from a time on, and no more than are wanted"({ tool }) {
    const all = await tool.rows("messages", `printMsgByQueue -t ${TOPIC} -a broker-a -i 1`);
    assertEquals(all.map(({ body }) => body), ["one message", "two"]);
    const [first, second] = all.map(({ storeTime }) => String(storeTime));
    const until = await tool.cells("messages", "body", `printMsg -t ${TOPIC} -b 2020-01-01T00:00:00Z -e ${first}`);
    assertEquals(until[0], ["one message"]);
    const since = await tool.cells("messages", "body", `printMsg -t ${TOPIC} -b ${second}`);
    assertEquals(since.at(-1), ["two"]);
    assertEquals((await tool.rows("messages", `printMsg -t ${TOPIC} --limit 1`)).length, 1);
  },

  async "a live Java consumer is seen: members, queues, offsets, what it got"({ tool, java, a }) {
    await java.run("join", "live", GROUP, TOPIC);
    await java.run("await-queues", "live", TOPIC, 6);
    await java.run("post", TOPIC, "mark", 4);
    await java.run("got", "mark", 4, "live");
    const progress = `consumerProgress -g ${GROUP} -s true`;
    // What a consumer persists, the brokers learn one after the other, and without an answer.
    const queues = await until("all consumed", async () => {
      await java.run("persist", "live");
      const { queues, total } = await tool.run(progress);
      assertEquals((total as Rows[number])["behind"], 0);
      return (queues as Rows).filter(({ topic }) => topic === TOPIC);
    }, (queues) => queues.reduce((sum, { consumerOffset }) => sum + Number(consumerOffset), 0) === 6);
    const [{ client } = {}] = queues;
    assertEquals(queues.map(({ client }) => client), Array(6).fill(client));

    const members = await tool.run(`consumerConnection -g ${GROUP}`);
    const versions = (members["clients"] as Rows).map((
      { clientId, language, version },
    ) => [clientId, language, version]);
    assertEquals(versions, [[client, "JAVA", "V4_9_7"]]);
    const topics = (members["subscriptions"] as Rows).map(({ topic, expression }) => [topic, expression]).sort();
    assertEquals(topics, [[`%RETRY%${GROUP}`, "*"], [TOPIC, "*"]]);
    assertEquals(members["group"], {
      consumeType: "CONSUME_PASSIVELY",
      messageModel: "CLUSTERING",
      consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET",
    });
    const status = await tool.run(`consumerStatus -g ${GROUP} -i ${client} -s`);
    assertEquals((status["queues"] as Rows).filter(({ topic }) => topic === TOPIC).length, 6);
    assertMatch((status["threads"] as { jstack: string }).jstack, /ConsumeMessageThread/);
    const offsets = await tool.cells("queues", "offset", `getConsumerStatus -g ${GROUP} -t ${TOPIC}`);
    assertEquals(offsets.reduce((sum, [offset]) => sum + Number(offset), 0), 6);
    const groups = await tool.cells("groups", "group members type model behind", "consumerProgress");
    assertEquals(groups.filter(([group]) => group === GROUP), [[GROUP, 1, "PUSH", "CLUSTERING", 0]]);
    const lists = await tool.cells("topics", "cluster topic groups", "topicList -c");
    assertEquals(lists.filter(([, topic]) => topic === TOPIC), [[CLUSTER, TOPIC, [GROUP]]]);
    const tracks = await tool.cells("tracks", "group state", `queryMsgByOffset -t ${TOPIC} -b broker-a -i 1 -o 0`);
    assertEquals(tracks, [[GROUP, "CONSUMED"]]);
    const broker = await tool.cells("queues", "group topic behind", `brokerConsumeStats -b ${a.address}`);
    assertEquals(broker.filter(([group, topic]) => group === GROUP && topic === TOPIC), [[GROUP, TOPIC, 0], [
      GROUP,
      TOPIC,
      0,
    ]]);

    const ids = await tool.cells("messages", "offsetMessageId", `queryMsgByKey -t ${TOPIC} -k k1`);
    const [result] = await tool.rows("results", `queryMsgById -i ${ids[0]} -g ${GROUP} -d ${client}`);
    assertEquals([result!["result"], result!["order"]], ["CR_SUCCESS", false]);
    // A producer tells of itself a second after it has begun.
    const line = `producerConnection -g ${JAVA_PRODUCERS} -t ${TOPIC}`;
    await until("the producer", () => tool.run(line), ({ failures }) => failures.length === 0);
    const producers = await tool.cells("clients", "language version", line);
    assertEquals(producers, [["JAVA", "V4_9_7"]]);
    const everyone = await tool.cells("producers", "broker group", "producer -b broker-a");
    assert(everyone.some(([broker, group]) => broker === "broker-a" && group === JAVA_PRODUCERS));
  },

  async "figures of a topic and its group are told"({ tool }) {
    const columns = "group behind in24h out24h";
    const stats = await until("figures", () => tool.cells("stats", columns, `statsAll -t ${TOPIC}`), ([row]) => {
      return row?.[2] === 6 && row[3] === 6;
    });
    assertEquals(stats, [[GROUP, 0, 6, 6]]);
    assert((await tool.rows("stats", "statsAll -a")).some(({ topic }) => topic === TOPIC));
  },

  async "offsets move when nobody is online"({ tool, java }) {
    await java.run("leave", "live");
    await until(
      "nobody online",
      () => tool.run(`consumerConnection -g ${GROUP}`).catch((error) => error.code),
      (code) => code === "notFound",
    );
    const moved = await tool.cells(
      "queues",
      "broker queueId offset how",
      `skipAccumulatedMessage -g ${GROUP} -t ${TOPIC}`,
    );
    assertEquals(moved[1], ["broker-a", 1, 4, "nobody online"]);
    assertEquals(moved.length, 6);
    const reset = `resetOffsetByTime -g ${GROUP} -t ${TOPIC} -s 2020-01-01T00:00:00Z`;
    const back = await tool.cells("queues", "before offset", reset);
    assertEquals(back[1], [4, 0]);
    await tool.run(`skipAccumulatedMessage -g ${GROUP} -t ${TOPIC}`);
    const forward = `resetOffsetByTime -g ${GROUP} -t ${TOPIC} -s now -f false`;
    assertEquals((await tool.cells("queues", "before offset", forward))[1], [4, 4]);
    await tool.run(`cloneGroupOffset -s ${GROUP} -d tool-clone -t ${TOPIC} -o true`);
    const clone = await tool.cells("queues", "topic consumerOffset", "consumerProgress -g tool-clone");
    assertEquals(clone.reduce((sum, [, offset]) => sum + Number(offset), 0), 6);
  },

  async "the way of a message is told by clients that trace"({ tool, java }) {
    await java.run("trace", "Traced", "tool-traced", "usual");
    const [{ id } = {}] = await tool.rows("messages", "printMsg -t Traced");
    const ways = await tool.cells("traces", "type group status", `queryMsgTraceById -i ${id}`);
    assertEquals(ways, [["Pub", "tool-traced-producer", "success"], ["Sub", "tool-traced", "success"]]);
  },

  async "consumer groups are made, changed and deleted"({ tool }) {
    const config = "broker consumeEnable consumeBroadcastEnable retryQueueNums retryMaxTimes";
    await tool.run(`updateSubGroup -g tool-made -c ${CLUSTER} -q 2 -r 5`);
    await tool.run("updateSubGroup -g tool-made -b broker-b -s false");
    assertEquals(await tool.cells("configs", config, "getConsumerConfig -g tool-made"), [
      ["broker-a", true, false, 2, 5],
      ["broker-b", false, false, 2, 5],
    ]);
    await tool.run("deleteSubGroup -g tool-made -b broker-a");
    assertEquals(await tool.cells("configs", "broker", "getConsumerConfig -g tool-made"), [["broker-b"]]);
    assertEquals((await tool.run(`deleteSubGroup -g tool-made -c ${CLUSTER} -r true`)).failures, []);
    assertEquals(await tool.rows("configs", "getConsumerConfig -g tool-made"), []);
  },

  async "settings of brokers and nameservers are read and changed"({ tool, nameserver }) {
    const setting = async (key: string) => {
      const rows = await tool.rows("settings", `getBrokerConfig -c ${CLUSTER}`);
      return rows.filter((row) => row["key"] === key).map(({ broker, value }) => [broker, value]);
    };
    assertEquals(await setting("brokerName"), [["broker-a", "broker-a"], ["broker-b", "broker-b"]]);
    assertEquals(
      (await tool.run("updateBrokerConfig -b broker-b -k traceOn -v false")).failures,
      [],
    );
    assertEquals(await setting("traceOn"), [["broker-a", "true"], ["broker-b", "false"]]);
    await tool.run("updateNamesrvConfig -k orderMessageEnable -v true");
    const own = await tool.cells("settings", "nameserver key value", "getNamesrvConfig");
    assertEquals(own.filter(([, key]) => key === "orderMessageEnable"), [[
      nameserver.address,
      "orderMessageEnable",
      "true",
    ]]);
    const [order] = await tool.rows("order", `topicRoute -t ${TOPIC}`);
    assertEquals(order, { orderConf: "broker-a:4;broker-b:4" });
    await tool.run("updateKvConfig -s tool -k key -v value");
    assertEquals((await tool.run("deleteKvConfig -s tool -k key")).failures, []);
  },

  async "a broker is taken away from producers, and given back"({ tool }) {
    const perms = async () => {
      const rows = await tool.cells("queues", "broker perm", `topicRoute -t ${TOPIC}`);
      return rows.find(([broker]) => broker === "broker-a")?.[1];
    };
    const [[told] = []] = await tool.cells("done", "result", "wipeWritePerm -b broker-a");
    assertMatch(String(told), /^\d+ topics of broker-a cannot be written$/);
    assertEquals(await perms(), 4);
    await tool.run("addWritePerm -b broker-a");
    assertEquals(await perms(), 6);
  },

  async "masters clean up"({ tool }) {
    for (const name of ["cleanExpiredCQ", "cleanUnusedTopic", "deleteExpiredCommitLog"]) {
      assertEquals(await tool.cells("done", "name result", name), [["broker-a", "done"], ["broker-b", "done"]]);
    }
  },

  async "sends are timed"({ tool }) {
    const sends = await tool.cells("sends", "broker queueId result", `checkMsgSendRT -t ${TOPIC} -a 3 -s 10`);
    assertEquals(sends, [["broker-a", 0, "SEND_OK"], ["broker-a", 1, "SEND_OK"], ["broker-a", 0, "SEND_OK"]]);
    assertEquals(await tool.cells("brokers", "broker sent failed", "clusterRT -a 2"), [["broker-a", 2, 0], [
      "broker-b",
      2,
      0,
    ]]);
    const { summary } = await tool.run("sendMsgStatus -b broker-b -c 2 -s 10");
    assertEquals([(summary as Rows[number])["sent"], (summary as Rows[number])["failed"]], [2, 0]);
  },

  async "what there is can be exported"({ tool }) {
    const { document: metadata } = await tool.run(`exportMetadata -c ${CLUSTER}`);
    const { topicConfigTable, subscriptionGroupTable } = metadata as Record<string, Record<string, Rows[number]>>;
    assertEquals(topicConfigTable![TOPIC]!["readQueueNums"], 6);
    assertEquals(subscriptionGroupTable![GROUP]!["groupName"], GROUP);
    const { document: configs } = await tool.run(`exportConfigs -c ${CLUSTER}`);
    const { brokerConfigs, clusterScale } = configs as Record<string, Record<string, Rows[number]>>;
    assertEquals(brokerConfigs!["broker-a"]!["brokerName"], "broker-a");
    assertEquals(clusterScale as unknown, { namesrvSize: 1, masterBrokerSize: 2, slaveBrokerSize: 1 });
    const { document: metrics } = await tool.run(`exportMetrics -c ${CLUSTER}`);
    const { evaluateReport } = metrics as Record<string, Record<string, Record<string, Rows[number]>>>;
    assertEquals(evaluateReport!["broker-b"]!["runtimeVersion"]!["rocketmqVersion"], "V4_9_7");
  },

  async "members that are online are told to go on somewhere else"({ tool, java }) {
    await java.run("join", "again", GROUP, TOPIC);
    await java.run("await-queues", "again", TOPIC, 6);
    const back = `resetOffsetByTime -g ${GROUP} -t ${TOPIC} -s 2020-01-01T00:00:00Z`;
    const told = await tool.cells("queues", "offset how before", back);
    assertEquals(told.map(([offset, how]) => [offset, how]), Array(6).fill([0, "members told"]));
    assert(told.some(([, , before]) => Number(before) > 0));
  },

  async "what does not go is told broker by broker"({ tool }) {
    const { failures } = await tool.run(`updateTopic -t bad|na!me -c ${CLUSTER}`);
    assertEquals(failures.map(({ name }) => name), ["broker-a", "broker-b"]);
    assertMatch(String(failures[0]!["reason"]), /illegal characters/);
    await assertRejects(() => tool.run("topicRoute -t Nowhere"), RocketdError, "Cannot find the topic Nowhere");
    await assertRejects(() => tool.run("brokerStatus -b nobody"), RocketdError, "known are broker-a, broker-b");
    await assertRejects(() => tool.run("brokerStatus -c Nowhere"), RocketdError, "known are DefaultCluster");
    await assertRejects(() => tool.run("consumerConnection -g nobody"), RocketdError, "not online");
  },

  async "a topic is deleted everywhere"({ tool }) {
    await tool.run(`updateOrderConf -t ${TOPIC} -m delete`);
    const done = await tool.cells("done", "name result", `deleteTopic -t ${TOPIC} -c ${CLUSTER}`);
    assertEquals(done, ["broker-a", "broker-b", "nameserver"].map((name) => [name, `${TOPIC} is deleted`]));
    await assertRejects(() => tool.run(`topicRoute -t ${TOPIC}`), RocketdError, "no broker has it");
  },
};

async function lookAfter(t: Deno.TestContext, kind: Kind): Promise<void> {
  await using nameserver = await startNameserver(kind);
  const namesrvAddr = nameserver.address;
  await using a = await startBroker(
    { namesrvAddr, brokerName: "broker-a", settings: { traceTopicEnable: true } },
    kind,
  );
  await using b = await startBroker({ namesrvAddr, brokerName: "broker-b" }, kind);
  await using slave = await startSlave({ namesrvAddr, brokerName: "broker-a" }, kind);
  await using java = await JavaShell.start("client-4.9.7", "JSON", namesrvAddr);
  await using tool = new AdminTool({ nameservers: namesrvAddr });
  const scene: Scene = { tool, java, nameserver, a, b, slave };
  for (const [name, step] of Object.entries(STEPS)) {
    await t.step(name, () => withLogs([nameserver, a, b], () => step(scene)));
  }
}

for (const kind of KINDS) {
  Deno.test({
    name: `rocketd admin looks after a cluster of ${kind}`,
    ignore: !hasJava(),
    fn: (t) => lookAfter(t, kind),
  });
}
