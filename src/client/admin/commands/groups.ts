/**
 * Consumer groups: how they are set up and how far they are.
 *
 * @module
 */
import { RocketdError } from "../../../errors.ts";
import { GetBrokerConsumeStats } from "../../../protocol/admin_requests.ts";
import {
  type ConsumeStats,
  decodeConsumeStatsList,
  decodeSubscriptionGroupTable,
  encodeSubscriptionGroup,
  type MessageQueue,
  type QueueProgress,
  subscriptionGroup,
  type SubscriptionGroupConfig,
} from "../../../protocol/bodies/mod.ts";
import { deadLetterTopic, retryTopic } from "../../../protocol/names.ts";
import {
  DeleteSubscriptionGroup,
  GetAllSubscriptionGroupConfig,
  UpdateAndCreateSubscriptionGroup,
} from "../../../protocol/requests.ts";
import { versionName } from "../../../protocol/version_name.ts";
import { compareQueues, queueKey } from "../../consumer/rebalance.ts";
import type { Admin, Peer } from "../admin.ts";
import { changes, reads } from "../command.ts";
import { doAt, doneResult } from "../doing.ts";
import { behind, brokersOf, GROUP, knownGroups, membersOf, progressOf } from "../groups.ts";
import { truth, whole } from "../options.ts";
import { column, onceEach, record, result, type Row, table } from "../result.ts";
import { BROKER_OR_CLUSTER, namedMasters, whereTo } from "../targets.ts";
import { runningAt } from "./clients.ts";
import { dropTopic } from "./topic_changes.ts";

const configTable = table("configs", {
  broker: column("BROKER", "text"),
  consumeEnable: column("CONSUME", "flag"),
  consumeBroadcastEnable: column("BROADCAST", "flag"),
  consumeFromMinEnable: column("FROM MIN", "flag"),
  retryQueueNums: column("RETRY QUEUES", "count"),
  retryMaxTimes: column("RETRIES", "count"),
  brokerId: column("BROKER ID", "count"),
  whichBrokerWhenConsumeSlowly: column("WHEN SLOW", "count"),
  notifyConsumerIdsChangedEnable: column("NOTIFY", "flag"),
});

async function configAt(admin: Admin, broker: Peer, group: string): Promise<SubscriptionGroupConfig | undefined> {
  const { body } = await admin.ask(broker, GetAllSubscriptionGroupConfig, {});
  return decodeSubscriptionGroupTable(body).subscriptionGroupTable.get(group);
}

const getConsumerConfig = reads({
  name: "getConsumerConfig",
  area: "groups",
  summary: "Show how a consumer group is set up on each master",
  options: { groupName: GROUP },
  run: async (admin, { groupName }) => {
    const { rows, failures } = await admin.each(await admin.masters({}), async (broker) => {
      const config = await configAt(admin, broker, groupName);
      return config === undefined ? [] : [{ broker: broker.name, ...config }];
    });
    return result(configTable(rows), failures);
  },
});

const updateSubGroup = changes({
  name: "updateSubGroup",
  area: "groups",
  summary: "Make a consumer group, or change the one that is there",
  options: {
    groupName: GROUP,
    ...BROKER_OR_CLUSTER,
    consumeEnable: truth({ short: "s", help: "its members get messages (true for a new group)" }),
    consumeFromMinEnable: truth({ short: "m", help: "begin with the first message (false for a new group)" }),
    consumeBroadcastEnable: truth({ short: "d", help: "may broadcast (false for a new group)" }),
    retryQueueNums: whole(0)({ short: "q", help: "queues of its retry topic (1 for a new group)" }),
    retryMaxTimes: whole(0)({ short: "r", help: "retries before the dead letter queue (16 for a new group)" }),
    brokerId: whole(0)({ short: "i", help: "id of the broker that it reads from (0, the master, for a new group)" }),
    whichBrokerWhenConsumeSlowly: whole(0)({
      short: "w",
      help: "id of the broker that it reads from when far behind (1)",
    }),
    notifyConsumerIdsChanged: truth({
      short: "a",
      help: "tell members when others come and go (true for a new group)",
    }),
  },
  notes: ["What is not given stays as it is (mqadmin sets it back to the default)."],
  run: async (admin, { groupName, brokerAddr, clusterName, notifyConsumerIdsChanged, ...given }) => {
    const fresh = subscriptionGroup(groupName, { consumeBroadcastEnable: false, consumeFromMinEnable: false });
    const wanted = Object.entries({ ...given, notifyConsumerIdsChangedEnable: notifyConsumerIdsChanged })
      .filter(([, value]) => value !== undefined);
    const done = await doAt(admin, await namedMasters(admin, { brokerAddr, clusterName }), async (broker) => {
      const before = await configAt(admin, broker, groupName);
      const group = { ...before ?? fresh, ...Object.fromEntries(wanted) };
      await admin.ask(broker, UpdateAndCreateSubscriptionGroup, {}, { body: encodeSubscriptionGroup(group) });
      return `${groupName} is ${before ? "changed" : "made"}`;
    });
    return doneResult(done);
  },
});

const deleteSubGroup = changes({
  name: "deleteSubGroup",
  area: "groups",
  summary: "Delete a consumer group; from a cluster with its retry and dead letter topics",
  options: {
    groupName: GROUP,
    ...BROKER_OR_CLUSTER,
    removeOffset: truth({ short: "r", otherwise: false, help: "its offsets too (false)" }),
  },
  asks: ({ groupName, ...target }) => `Delete the group ${groupName} from ${whereTo(target)}?`,
  run: async (admin, { groupName, removeOffset, ...target }) => {
    const done = await doAt(admin, await namedMasters(admin, target), async (broker) => {
      await admin.ask(broker, DeleteSubscriptionGroup, { groupName, removeOffset });
      return `${groupName} is deleted`;
    });
    const { clusterName } = target;
    if (clusterName === undefined) return doneResult(done);
    const retries = await dropTopic(admin, clusterName, retryTopic(groupName));
    return doneResult(done, ...retries, ...await dropTopic(admin, clusterName, deadLetterTopic(groupName)));
  },
});

const queueColumns = {
  topic: column("TOPIC", "text"),
  broker: column("BROKER", "text"),
  queueId: column("QUEUE", "count"),
  brokerOffset: column("BROKER OFFSET", "count"),
  consumerOffset: column("GROUP OFFSET", "count"),
  behind: column("BEHIND", "count"),
  lastTime: column("CONSUMED TO", "time"),
} as const;
const progressTable = table("queues", queueColumns);
const membersTable = table("queues", { ...queueColumns, client: column("CLIENT", "text") });
const totalsRecord = record("total", {
  behind: column("Behind", "count"),
  consumeTps: column("Consumes", "rate"),
});

function queueRow([queue, progress]: readonly [MessageQueue, QueueProgress]): Row<typeof queueColumns> {
  return {
    topic: queue.topic,
    broker: queue.brokerName,
    queueId: queue.queueId,
    brokerOffset: progress.brokerOffset,
    consumerOffset: progress.consumerOffset,
    behind: progress.brokerOffset - progress.consumerOffset,
    lastTime: progress.lastTimestamp,
  };
}

const queuesOf = (stats: readonly ConsumeStats[]) =>
  stats.flatMap(({ offsetTable }) => [...offsetTable]).sort(([a], [b]) => compareQueues(a, b));

const tpsOf = (stats: readonly ConsumeStats[]) => stats.reduce((sum, { consumeTps }) => sum + consumeTps, 0);

async function progressOfGroup(admin: Admin, group: string, showClientIP: boolean) {
  const brokers = await brokersOf(admin, group);
  const { rows: stats, failures } = await progressOf(admin, group, brokers);
  const queues = queuesOf(stats);
  // Nothing, and so nothing behind, would make a slip in the name look like a group that is well.
  if (queues.length === 0 && failures.length === 0) throw noOffsetOf(group);
  const total = totalsRecord({ behind: behind(stats), consumeTps: tpsOf(stats) });
  if (!showClientIP) return result([progressTable(queues.map(queueRow)), total], failures);
  const clients = await clientsByQueue(admin, group, brokers);
  const rows = queues.map((entry) => ({ ...queueRow(entry), client: clients.get(queueKey(entry[0])) ?? null }));
  return result([membersTable(rows), total], failures);
}

function noOffsetOf(group: string): RocketdError {
  const message = `Cannot find an offset of the group ${group}: it has not read from any broker`;
  return new RocketdError("notFound", message, { field: "groupName", value: group });
}

/** Which member has a queue, as the members themselves tell. */
async function clientsByQueue(admin: Admin, group: string, brokers: readonly Peer[]): Promise<Map<string, string>> {
  const members = (await membersOf(admin, group, brokers))?.connectionSet ?? [];
  const peers = members.map(({ clientId, clientAddr }) => ({ name: clientId, address: clientAddr }));
  const { rows } = await admin.each(peers, async ({ name }) => {
    const { mqTable } = await runningAt(admin, brokers, group, name, false);
    return [...mqTable.keys()].map((queue): [string, string] => [queueKey(queue), name]);
  });
  return new Map(rows);
}

const groupsTable = table("groups", {
  group: column("GROUP", "text"),
  members: column("MEMBERS", "count"),
  version: column("VERSION", "text"),
  type: column("TYPE", "text"),
  model: column("MODEL", "text"),
  consumeTps: column("CONSUMES", "rate"),
  behind: column("BEHIND", "count"),
});

async function progressOfAll(admin: Admin) {
  const groups = (await knownGroups(admin)).map((name) => ({ name, address: "" }));
  const { rows, failures } = await admin.each(groups, async ({ name: group }) => {
    const brokers = await brokersOf(admin, group);
    const [{ rows: stats, failures }, members] = await Promise.all([
      progressOf(admin, group, brokers),
      membersOf(admin, group, brokers),
    ]);
    const versions = members?.connectionSet.map(({ version }) => version) ?? [];
    const row = {
      group,
      members: versions.length,
      version: versions.length === 0 ? null : versionName(Math.min(...versions)),
      type: members ? members.consumeType === "CONSUME_ACTIVELY" ? "PULL" : "PUSH" : null,
      model: members?.messageModel ?? null,
      consumeTps: tpsOf(stats),
      behind: behind(stats),
    };
    return [{ row, failures }];
  });
  const missed = onceEach([...failures, ...rows.flatMap(({ failures }) => failures)]);
  return result(groupsTable(rows.map(({ row }) => row)), missed);
}

const consumerProgress = reads({
  name: "consumerProgress",
  area: "groups",
  summary: "Show how far consumer groups are behind: all of them, or the queues of one",
  options: {
    groupName: { ...GROUP, required: false, otherwise: () => "" },
    showClientIP: truth({ short: "s", otherwise: false, help: "which client has each queue, with -g" }),
  },
  watched: true,
  run: (admin, { groupName, showClientIP }) =>
    groupName === "" ? progressOfAll(admin) : progressOfGroup(admin, groupName, showClientIP),
});

const allQueuesTable = table("queues", { group: column("GROUP", "text"), ...queueColumns });
const allTotals = table("totals", { broker: column("BROKER", "text"), behind: column("BEHIND", "count") });
/** Time for brokers to look at all queues of all groups, ms. */
const BROKER_STATS_MS = 50_000;
const TIMEOUT_MS_MAX = 3_600_000;

const brokerConsumeStats = reads({
  name: "brokerConsumeStats",
  area: "groups",
  summary: "Show how far all groups of a broker are, queue by queue",
  options: {
    ...BROKER_OR_CLUSTER,
    timeoutMillis: whole(1, TIMEOUT_MS_MAX)({
      short: "t",
      value: "MS",
      otherwise: BROKER_STATS_MS,
      help: `time for an answer (${BROKER_STATS_MS})`,
    }),
    level: whole(0)({
      short: "l",
      otherwise: 0,
      help: "only queues where a group is at least so many messages behind",
    }),
    order: truth({ short: "o", otherwise: false, help: "ordered topics only" }),
  },
  run: async (admin, { timeoutMillis, level, order, ...target }) => {
    const patience = timeoutMillis / admin.timeoutMs;
    const { rows, failures } = await admin.each(await admin.masters(target), async (broker) => {
      const { body } = await admin.ask(broker, GetBrokerConsumeStats, { isOrder: order }, { patience });
      const { groups, totalDiff } = decodeConsumeStatsList(body);
      const queues = [...groups].flatMap(([group, stats]) =>
        queuesOf(stats).filter(([, at]) => at.brokerOffset - at.consumerOffset >= level)
          .map((entry) => ({ group, ...queueRow(entry) }))
      );
      return [{ broker: broker.name, behind: totalDiff, queues }];
    });
    return result([allQueuesTable(rows.flatMap(({ queues }) => queues)), allTotals(rows)], failures);
  },
});

/** Commands about consumer groups. */
export const GROUP_COMMANDS = [
  consumerProgress,
  brokerConsumeStats,
  getConsumerConfig,
  updateSubGroup,
  deleteSubGroup,
];
