/**
 * Names of topics and groups: which are legal, which are RocketMQ's own, and how retry and dead letter topics are named.
 * Follows TopicValidator, Validators and MixAll of RocketMQ 4.9.7.
 *
 * @module
 */
import { GROUP_LENGTH_MAX, TOPIC_LENGTH_MAX } from "../limits.ts";

/** Topics that RocketMQ uses itself. */
export const SystemTopic = {
  /** Template for topics that are made by the first message. */
  AUTO_CREATE: "TBW102",
  SCHEDULE: "SCHEDULE_TOPIC_XXXX",
  BENCHMARK: "BenchmarkTest",
  TRANS_HALF: "RMQ_SYS_TRANS_HALF_TOPIC",
  TRANS_OP_HALF: "RMQ_SYS_TRANS_OP_HALF_TOPIC",
  TRANS_CHECK_MAX_TIME: "TRANS_CHECK_MAX_TIME_TOPIC",
  TRACE: "RMQ_SYS_TRACE_TOPIC",
  SELF_TEST: "SELF_TEST_TOPIC",
  OFFSET_MOVED_EVENT: "OFFSET_MOVED_EVENT",
} as const;

/** All names of {@linkcode SystemTopic}. */
export const SYSTEM_TOPICS: ReadonlySet<string> = new Set(Object.values(SystemTopic));
const SYSTEM_TOPIC_PREFIX = "rmq_sys_";

/** Topics that clients cannot send to. */
export const TOPICS_CLOSED_TO_CLIENTS: ReadonlySet<string> = new Set([
  SystemTopic.SCHEDULE,
  SystemTopic.TRANS_HALF,
  SystemTopic.TRANS_OP_HALF,
  SystemTopic.TRANS_CHECK_MAX_TIME,
  SystemTopic.SELF_TEST,
  SystemTopic.OFFSET_MOVED_EVENT,
]);

/** Groups that are there from the start. */
export const SYSTEM_GROUPS: readonly string[] = [
  "TOOLS_CONSUMER",
  "FILTERSRV_CONSUMER",
  "SELF_TEST_C_GROUP",
  "CID_ONS-HTTP-PROXY",
  "CID_ONSAPI_PULL",
  "CID_ONSAPI_PERMISSION",
  "CID_ONSAPI_OWNER",
];
const SYSTEM_GROUP_PREFIX = "CID_RMQ_SYS_";

export const RETRY_PREFIX = "%RETRY%";
export const DLQ_PREFIX = "%DLQ%";
const REPLY_POSTFIX = "REPLY_TOPIC";

/** Key-value namespace of the nameserver with the order configuration of topics. */
export const ORDER_TOPIC_NAMESPACE = "ORDER_TOPIC_CONFIG";

/** The topic from which a group takes its messages again. */
export function retryTopic(group: string): string {
  return RETRY_PREFIX + group;
}

/** The topic where a group's messages end that failed too often. */
export function deadLetterTopic(group: string): string {
  return DLQ_PREFIX + group;
}

/** The topic that carries the answers of request-reply in a cluster. */
export function replyTopic(clusterName: string): string {
  return `${clusterName}_${REPLY_POSTFIX}`;
}

/** Whether a topic carries the answers of request-reply, in whatever cluster. */
export function isReplyTopic(topic: string): boolean {
  return topic.endsWith(`_${REPLY_POSTFIX}`);
}

export function isRetryTopic(topic: string): boolean {
  return topic.startsWith(RETRY_PREFIX);
}

export function isDeadLetterTopic(topic: string): boolean {
  return topic.startsWith(DLQ_PREFIX);
}

export function isSystemTopic(topic: string): boolean {
  return SYSTEM_TOPICS.has(topic) || topic.startsWith(SYSTEM_TOPIC_PREFIX);
}

/** Whether a group is made on first use even where `autoCreateSubscriptionGroup` is off. */
export function isSystemGroup(group: string): boolean {
  return SYSTEM_GROUPS.includes(group) || group.startsWith(SYSTEM_GROUP_PREFIX);
}

const FORM = "^[%|a-zA-Z0-9_-]+$";
const LEGAL = new RegExp(FORM);

/** Why a name is no topic, in RocketMQ's words; undefined when it is one. A legal name has no path parts. */
export function checkTopic(topic: string): string | undefined {
  return check("The specified topic", "topic", topic, TOPIC_LENGTH_MAX);
}

/** Why a name is no group, in RocketMQ's words; undefined when it is one. A legal name has no path parts. */
export function checkGroup(group: string): string | undefined {
  return check("the specified group", "group", group, GROUP_LENGTH_MAX);
}

function check(subject: string, kind: string, name: string, lengthMax: number): string | undefined {
  if (name.trim() === "") return `${subject} is blank.`;
  if (name.length > lengthMax) {
    return `${subject} is longer than ${kind} max length ${lengthMax}: "${name.slice(0, lengthMax)}…"`;
  }
  if (!LEGAL.test(name)) return `${subject} contains illegal characters, allowing only ${FORM}: "${name}"`;
  return undefined;
}
