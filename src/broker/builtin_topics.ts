/**
 * The topics that a broker has from its start, as TopicConfigManager of RocketMQ 4.9.7.
 *
 * @module
 */
import type { BrokerSettings } from "../config/mod.ts";
import { BENCHMARK_TOPIC_QUEUES } from "../limits.ts";
import { type TopicConfig, topicConfig } from "../protocol/bodies/topic_config.ts";
import { Permission } from "../protocol/codes.ts";
import { replyTopic, SystemTopic } from "../protocol/names.ts";

const READ_WRITE = Permission.READ | Permission.WRITE;

/** What decides on the built-in topics. */
export type BuiltinSettings = Pick<
  BrokerSettings,
  | "autoCreateTopicEnable"
  | "defaultTopicQueueNums"
  | "brokerClusterName"
  | "brokerName"
  | "clusterTopicEnable"
  | "brokerTopicEnable"
  | "traceTopicEnable"
  | "msgTraceTopicName"
>;

/** Queues of the topics that need them by convention: one for each delay level; as many as Java makes. */
const SCHEDULE_QUEUES = 18, CLUSTER_QUEUES = 16;

/** The topics, in RocketMQ's order. */
export function builtinTopics(settings: BuiltinSettings): TopicConfig[] {
  const { brokerClusterName, brokerName } = settings;
  return [
    topic(SystemTopic.SELF_TEST, 1),
    ...(settings.autoCreateTopicEnable
      ? [topic(SystemTopic.AUTO_CREATE, settings.defaultTopicQueueNums, READ_WRITE | Permission.INHERIT)]
      : []),
    topic(SystemTopic.BENCHMARK, BENCHMARK_TOPIC_QUEUES),
    topic(brokerClusterName, CLUSTER_QUEUES, templatePerm(settings.clusterTopicEnable)),
    topic(brokerName, 1, templatePerm(settings.brokerTopicEnable)),
    topic(SystemTopic.OFFSET_MOVED_EVENT, 1),
    topic(SystemTopic.SCHEDULE, SCHEDULE_QUEUES),
    ...(settings.traceTopicEnable ? [topic(settings.msgTraceTopicName, 1)] : []),
    topic(replyTopic(brokerClusterName), 1),
  ];
}

function topic(name: string, queues: number, perm: number = READ_WRITE): TopicConfig {
  return topicConfig(name, { readQueueNums: queues, writeQueueNums: queues, perm });
}

function templatePerm(enabled: boolean): number {
  return enabled ? READ_WRITE | Permission.INHERIT : Permission.INHERIT;
}
