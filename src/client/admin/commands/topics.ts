/**
 * What there is of topics: names, places, queues.
 *
 * @module
 */
import { decodeGroupList, decodeTopicList, decodeTopicStats } from "../../../protocol/bodies/mod.ts";
import { GetTopicStatsInfo } from "../../../protocol/admin_requests.ts";
import { isDeadLetterTopic, isRetryTopic } from "../../../protocol/names.ts";
import { GetAllTopicListFromNameserver, QueryTopicConsumeByWho } from "../../../protocol/requests.ts";
import { allocateAveragely, compareQueues } from "../../consumer/rebalance.ts";
import { Route } from "../../routes.ts";
import type { Admin, Gathered } from "../admin.ts";
import { reads } from "../command.ts";
import { flag, texts } from "../options.ts";
import { column, onceEach, result, table } from "../result.ts";
import { TOPIC } from "../targets.ts";

const names = table("topics", { topic: column("TOPIC", "text") });
const namesByCluster = table("topics", {
  cluster: column("CLUSTER", "text"),
  topic: column("TOPIC", "text"),
  groups: column("CONSUMER GROUPS", "texts"),
});

/** All topics that nameservers know, in order. */
export async function allTopics(admin: Admin): Promise<string[]> {
  return [...decodeTopicList((await admin.lookUp(GetAllTopicListFromNameserver, {})).body).topicList].sort();
}

/** The groups that read a topic: each broker tells of those that it knows. */
export async function groupsOf(admin: Admin, topic: string): Promise<Gathered<string>> {
  const { rows, failures } = await admin.each(await admin.readersOf(topic), async (broker) => {
    return decodeGroupList((await admin.ask(broker, QueryTopicConsumeByWho, { topic })).body);
  });
  return { rows: [...new Set(rows)].sort(), failures };
}

const topicList = reads({
  name: "topicList",
  area: "topics",
  summary: "List all topics",
  options: { clusterModel: flag({ short: "c", help: "with cluster and consumer groups, without retry topics" }) },
  run: async (admin, { clusterModel }) => {
    const topics = await allTopics(admin);
    if (!clusterModel) return result(names(topics.map((topic) => ({ topic }))));
    const shown = topics.filter((topic) => !isRetryTopic(topic) && !isDeadLetterTopic(topic));
    const peers = shown.map((name) => ({ name, address: "" }));
    const { rows, failures } = await admin.each(peers, async ({ name: topic }) => {
      const [{ brokerDatas }, groups] = await Promise.all([admin.route(topic), groupsOf(admin, topic)]);
      return [{ row: { cluster: brokerDatas[0]?.cluster ?? null, topic, groups: groups.rows }, ...groups }];
    });
    const missed = onceEach([...failures, ...rows.flatMap(({ failures }) => failures)]);
    return result(namesByCluster(rows.map(({ row }) => row)), missed);
  },
});

const queueTable = table("queues", {
  broker: column("BROKER", "text"),
  readQueues: column("READ QUEUES", "count"),
  writeQueues: column("WRITE QUEUES", "count"),
  perm: column("PERM", "perm"),
  sysFlag: column("SYSFLAG", "count"),
});
const brokerTable = table("brokers", {
  cluster: column("CLUSTER", "text"),
  broker: column("BROKER", "text"),
  id: column("ID", "count"),
  address: column("ADDRESS", "text"),
});
const orderTable = table("order", { orderConf: column("QUEUES OF AN ORDERED TOPIC", "text") });

const topicRoute = reads({
  name: "topicRoute",
  area: "topics",
  summary: "Show where a topic is: brokers, queues, permission",
  options: { topic: TOPIC, list: flag({ short: "l", help: "as mqadmin has it; the same here" }) },
  run: async (admin, { topic }) => {
    const { queueDatas, brokerDatas, orderTopicConf } = await admin.route(topic);
    const byName = (a: { brokerName: string }, b: { brokerName: string }) => a.brokerName < b.brokerName ? -1 : 1;
    const queues = [...queueDatas].sort(byName).map((
      { brokerName, readQueueNums, writeQueueNums, perm, topicSysFlag },
    ) => ({
      broker: brokerName,
      readQueues: readQueueNums,
      writeQueues: writeQueueNums,
      perm,
      sysFlag: topicSysFlag,
    }));
    const brokers = [...brokerDatas].sort(byName).flatMap(({ cluster, brokerName, brokerAddrs }) =>
      [...brokerAddrs].map(([id, address]) => ({ cluster, broker: brokerName, id, address }))
    );
    const order = orderTopicConf ? [orderTable([{ orderConf: orderTopicConf }])] : [];
    return result([queueTable(queues), brokerTable(brokers), ...order]);
  },
});

const statusTable = table("queues", {
  broker: column("BROKER", "text"),
  queueId: column("QUEUE", "count"),
  minOffset: column("MIN OFFSET", "count"),
  maxOffset: column("MAX OFFSET", "count"),
  messages: column("MESSAGES", "count"),
  lastStored: column("LAST STORED", "time"),
});

const topicStatus = reads({
  name: "topicStatus",
  area: "topics",
  summary: "Show each queue of a topic: offsets, messages, when the last one came",
  options: { topic: TOPIC },
  run: async (admin, { topic }) => {
    const { rows, failures } = await admin.each(await admin.readersOf(topic), async (broker) => {
      const offsets = decodeTopicStats((await admin.ask(broker, GetTopicStatsInfo, { topic })).body);
      return [...offsets].sort(([a], [b]) => compareQueues(a, b)).map(([queue, offset]) => ({
        broker: queue.brokerName,
        queueId: queue.queueId,
        minOffset: offset.minOffset,
        maxOffset: offset.maxOffset,
        messages: offset.maxOffset - offset.minOffset,
        lastStored: offset.lastUpdateTimestamp,
      }));
    });
    return result(statusTable(rows), failures);
  },
});

const clusterTable = table("clusters", { cluster: column("CLUSTER", "text") });

const topicClusterList = reads({
  name: "topicClusterList",
  area: "topics",
  summary: "List the clusters that a topic is in",
  options: { topic: TOPIC },
  run: async (admin, { topic }) => {
    const { brokerDatas } = await admin.route(topic);
    const clusters = new Set(brokerDatas.map(({ cluster }) => cluster));
    return result(clusterTable([...clusters].sort().map((cluster) => ({ cluster }))));
  },
});

const shares = table("shares", {
  member: column("MEMBER", "text"),
  broker: column("BROKER", "text"),
  queueId: column("QUEUE", "count"),
});

const allocateMQ = reads({
  name: "allocateMQ",
  area: "topics",
  summary: "Show which queues of a topic each of some members would get",
  options: {
    topic: TOPIC,
    ipList: texts({ short: "i", value: "A,B", help: "the members, such as client ids or addresses", required: true }),
  },
  run: async (admin, { topic, ipList }) => {
    const { readable } = new Route(topic, await admin.route(topic));
    return result(shares(ipList.flatMap((member) =>
      allocateAveragely(member, readable, ipList)
        .map(({ brokerName, queueId }) => ({ member, broker: brokerName, queueId }))
    )));
  },
});

/** Commands that read topics. */
export const TOPIC_COMMANDS = [topicList, topicRoute, topicStatus, topicClusterList, allocateMQ];
