/**
 * What a cluster is made of as one JSON document, in the form of mqadmin's export files.
 *
 * @module
 */
import {
  type ClientConnection,
  decodeSubscriptionGroupTable,
  decodeTopicConfigTable,
  decodeTopicList,
  type SubscriptionGroupConfig,
  type TopicConfig,
} from "../../../protocol/bodies/mod.ts";
import { GetSystemTopicListFromBroker } from "../../../protocol/admin_requests.ts";
import { MASTER_ID, OUR_VERSION_NAME } from "../../../protocol/codes.ts";
import { isDeadLetterTopic, isRetryTopic, isSystemGroup, SystemTopic } from "../../../protocol/names.ts";
import { GetAllSubscriptionGroupConfig, GetAllTopicConfig, GetBrokerConfig } from "../../../protocol/requests.ts";
import { versionName } from "../../../protocol/version_name.ts";
import type { Admin, Peer } from "../admin.ts";
import { reads } from "../command.ts";
import { membersAt } from "../groups.ts";
import { flag, text } from "../options.ts";
import type { AdminResult, Failure } from "../result.ts";
import { settingRows } from "../settings.ts";
import { BROKER_OR_CLUSTER, namedMasters } from "../targets.ts";
import { runtimeOf } from "./brokers.ts";
import { daySum, statsAt } from "./stats.ts";

/** Tables of a great broker take their time. */
const PATIENCE = 2;

function documentResult(document: unknown, failures: readonly Failure[]): AdminResult {
  return { parts: [], failures, document };
}

async function topicsAt(admin: Admin, broker: Peer, specialTopic: boolean): Promise<TopicConfig[]> {
  const [all, system] = await Promise.all([
    admin.ask(broker, GetAllTopicConfig, {}, { patience: PATIENCE }),
    admin.ask(broker, GetSystemTopicListFromBroker, {}),
  ]);
  const own = new Set(decodeTopicList(system.body).topicList);
  return [...decodeTopicConfigTable(all.body).topicConfigTable.values()].filter(({ topicName }) =>
    !own.has(topicName) && (specialTopic || !(isRetryTopic(topicName) || isDeadLetterTopic(topicName)))
  );
}

async function groupsAt(admin: Admin, broker: Peer): Promise<SubscriptionGroupConfig[]> {
  const { body } = await admin.ask(broker, GetAllSubscriptionGroupConfig, {}, { patience: PATIENCE });
  return [...decodeSubscriptionGroupTable(body).subscriptionGroupTable.values()]
    .filter(({ groupName }) => !isSystemGroup(groupName));
}

/** One entry for each topic, with the queues of all brokers. */
function mergedTopics(topics: readonly TopicConfig[]): Record<string, TopicConfig> {
  const merged = new Map<string, TopicConfig>();
  for (const topic of topics) {
    const { readQueueNums = 0, writeQueueNums = 0 } = merged.get(topic.topicName) ?? {};
    merged.set(topic.topicName, {
      ...topic,
      readQueueNums: topic.readQueueNums + readQueueNums,
      writeQueueNums: topic.writeQueueNums + writeQueueNums,
    });
  }
  return Object.fromEntries(merged);
}

function mergedGroups(groups: readonly SubscriptionGroupConfig[]): Record<string, SubscriptionGroupConfig> {
  const merged = new Map<string, SubscriptionGroupConfig>();
  for (const group of groups) {
    const { retryQueueNums = 0 } = merged.get(group.groupName) ?? {};
    merged.set(group.groupName, { ...group, retryQueueNums: group.retryQueueNums + retryQueueNums });
  }
  return Object.fromEntries(merged);
}

const exportMetadata = reads({
  name: "exportMetadata",
  area: "export",
  summary: "Write topics and groups as JSON, with the queues of all brokers added up",
  exports: "metadata.json",
  options: {
    ...BROKER_OR_CLUSTER,
    topic: flag({ short: "t", help: "only topics" }),
    subscriptionGroup: flag({ short: "g", help: "only groups" }),
    specialTopic: flag({ short: "s", help: "retry and dead letter topics too" }),
  },
  run: async (admin, { topic, subscriptionGroup, specialTopic, ...target }) => {
    const { rows, failures } = await admin.each(await namedMasters(admin, target), async (broker) => [{
      topics: await topicsAt(admin, broker, specialTopic),
      groups: await groupsAt(admin, broker),
    }]);
    const topics = mergedTopics(rows.flatMap(({ topics }) => topics));
    const groups = mergedGroups(rows.flatMap(({ groups }) => groups));
    return documentResult({
      ...(!subscriptionGroup && { topicConfigTable: topics }),
      ...(!topic && { subscriptionGroupTable: groups }),
      exportTime: Date.now(),
    }, failures);
  },
});

/** The settings that say what a broker is, those that mqadmin exports. */
const EXPORTED_SETTINGS: ReadonlySet<string> = new Set([
  "brokerClusterName",
  "brokerId",
  "brokerName",
  "brokerRole",
  "fileReservedTime",
  "filterServerNums",
  "flushDiskType",
  "maxMessageSize",
  "messageDelayLevel",
  "msgTraceTopicName",
  "slaveReadEnable",
  "traceOn",
  "traceTopicEnable",
  "useTLS",
  "autoCreateTopicEnable",
  "autoCreateSubscriptionGroup",
]);
const CLUSTER = text({ short: "c", value: "CLUSTER", required: true, help: "the cluster" });

async function settingsAt(admin: Admin, broker: Peer): Promise<Map<string, string>> {
  return new Map(
    settingRows((await admin.ask(broker, GetBrokerConfig, {})).body).map(({ key, value }) => [key, value]),
  );
}

const exportConfigs = reads({
  name: "exportConfigs",
  area: "export",
  summary: "Write the settings of a cluster's masters as JSON",
  exports: "configs.json",
  options: { clusterName: CLUSTER },
  run: async (admin, { clusterName }) => {
    const brokers = await admin.brokers(clusterName);
    const masters = brokers.filter(({ id }) => id === MASTER_ID);
    const { rows, failures } = await admin.each(masters, async (broker) => {
      const shown = [...await settingsAt(admin, broker)].filter(([key]) => EXPORTED_SETTINGS.has(key));
      return [[broker.name, Object.fromEntries(shown)] as const];
    });
    return documentResult({
      brokerConfigs: Object.fromEntries(rows),
      clusterScale: {
        namesrvSize: admin.nameservers.length,
        masterBrokerSize: masters.length,
        slaveBrokerSize: brokers.length - masters.length,
      },
    }, failures);
  },
});

async function reportOf(admin: Admin, broker: Peer) {
  const [runtime, settings, groups, topics, half, delayed] = await Promise.all([
    runtimeOf(admin, broker),
    settingsAt(admin, broker),
    groupsAt(admin, broker),
    topicsAt(admin, broker, false),
    statsAt(admin, broker, "TOPIC_PUT_NUMS", SystemTopic.TRANS_HALF),
    statsAt(admin, broker, "TOPIC_PUT_NUMS", SystemTopic.SCHEDULE),
  ]);
  const first = (key: string) => Number.parseFloat(runtime.get(key) ?? "") || 0;
  const yesterday = (kind: string) => first(`msg${kind}TotalTodayMorning`) - first(`msg${kind}TotalYesterdayMorning`);
  const tps = {
    normalInTps: first("putTps"),
    normalOutTps: first("getTransferedTps"),
    transInTps: half?.statsMinute.tps ?? 0,
    scheduleInTps: delayed?.statsMinute.tps ?? 0,
  };
  const oneDayNum = {
    normalOneDayInNum: yesterday("Put"),
    normalOneDayOutNum: yesterday("Get"),
    transOneDayInNum: half ? daySum(half) : 0,
    scheduleOneDayInNum: delayed ? daySum(delayed) : 0,
  };
  const members = await admin.each(groups.map(({ groupName }) => ({ ...broker, name: groupName })), async (group) => {
    return (await membersAt(admin, broker, group.name))?.connectionSet ?? [];
  });
  return {
    tps,
    oneDayNum,
    report: {
      runtimeEnv: {
        cpuNum: settings.get("clientCallbackExecutorThreads"),
        totalMemKBytes: runtime.get("totalMemKBytes"),
      },
      runtimeQuota: {
        diskRatio: {
          commitLogDiskRatio: runtime.get("commitLogDiskRatio"),
          consumeQueueDiskRatio: runtime.get("consumeQueueDiskRatio"),
        },
        tps,
        oneDayNum,
        messageAverageSize: runtime.get("putMessageAverageSize"),
        topicSize: topics.length,
        groupSize: groups.length,
      },
      runtimeVersion: {
        rocketmqVersion: runtime.get("brokerVersionDesc") ?? OUR_VERSION_NAME,
        clientInfo: clientKinds(members.rows),
      },
    },
  };
}

function clientKinds(members: readonly ClientConnection[]): string[] {
  return [...new Set(members.map(({ language, version }) => `${language}%${versionName(version)}`))].sort();
}

/** The sum of each figure over all brokers, under the names that mqadmin gives it. */
function totals<K extends string>(all: readonly Readonly<Record<K, number>>[], rename = (name: string) => name) {
  const sums = new Map<string, number>();
  for (const one of all) {
    for (const [name, value] of Object.entries<number>(one)) {
      sums.set(rename(name), (sums.get(rename(name)) ?? 0) + value);
    }
  }
  return Object.fromEntries(sums);
}

const exportMetrics = reads({
  name: "exportMetrics",
  area: "export",
  summary: "Write the figures of a cluster's masters as JSON",
  exports: "metrics.json",
  options: { clusterName: CLUSTER },
  run: async (admin, { clusterName }) => {
    const masters = await admin.masters({ clusterName });
    const { rows, failures } = await admin.each(masters, async (broker) => [{
      name: broker.name,
      ...await reportOf(admin, broker),
    }]);
    return documentResult({
      evaluateReport: Object.fromEntries(rows.map(({ name, report }) => [name, report])),
      totalData: {
        totalTps: totals(rows.map(({ tps }) => tps), (name) => `total${name[0]!.toUpperCase()}${name.slice(1)}`),
        totalOneDayNum: totals(rows.map(({ oneDayNum }) => oneDayNum)),
      },
    }, failures);
  },
});

/** Commands that export. */
export const EXPORT_COMMANDS = [exportMetadata, exportConfigs, exportMetrics];
