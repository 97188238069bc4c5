/**
 * Metrics by topic and by consumer group. Names that begin with `rocketmq_` are rocketmq-exporter's, with its labels; the
 * figures are those that it asks brokers for (TOPIC_PUT_NUMS, GROUP_GET_NUMS, topic and consume statistics).
 *
 * @module
 */
import type { BrokerView } from "../../broker/mod.ts";
import { DLQ_PREFIX, isDeadLetterTopic, isRetryTopic } from "../../protocol/names.ts";
import type { Family, Sample } from "./family.ts";

type Counter = BrokerView["stats"]["put"];

const TOPIC_LABELS = ["cluster", "broker", "topic"];
const GROUP_LABELS = ["cluster", "broker", "topic", "group"];
/** What rocketmq-exporter counts as one of its kind: it has them apart, by the name of their topic. */
type TopicKind = "plain" | "retry" | "deadLetter";

function kindOf(topic: string): TopicKind {
  return isRetryTopic(topic) ? "retry" : isDeadLetterTopic(topic) ? "deadLetter" : "plain";
}

// ---- counted while it passes ----

function byTopic(
  name: string,
  type: Family<BrokerView>["type"],
  help: string,
  value: (counter: Counter) => number,
): Family<BrokerView> {
  return {
    name,
    type,
    help,
    labels: TOPIC_LABELS,
    *samples({ settings: { brokerClusterName, brokerName }, stats }) {
      for (const [topic, counter] of stats.topicsPut()) yield [[brokerClusterName, brokerName, topic], value(counter)];
    },
  };
}

function byGroup(
  name: string,
  type: Family<BrokerView>["type"],
  help: string,
  from: "groupsGot" | "sentBack",
  value: (counter: Counter) => number,
): Family<BrokerView> {
  return {
    name,
    type,
    help,
    labels: GROUP_LABELS,
    *samples({ settings: { brokerClusterName, brokerName }, stats }) {
      for (const { topic, group, counter } of stats[from]()) {
        yield [[brokerClusterName, brokerName, topic, group], value(counter)];
      }
    },
  };
}

// ---- how far things have come ----

/** All that was ever put into a topic, over its queues. */
function endOf({ store }: BrokerView, topic: string, queues: number): number {
  let sum = 0;
  for (let queueId = 0; queueId < queues; queueId++) sum += store.maxOffset(topic, queueId);
  return sum;
}

function topicOffset(name: string, help: string, kind: TopicKind, label = "topic"): Family<BrokerView> {
  return {
    name,
    type: "gauge",
    help,
    labels: ["cluster", "broker", label],
    *samples(broker) {
      const { brokerClusterName, brokerName } = broker.settings;
      for (const { topicName, writeQueueNums } of broker.topics.all()) {
        const about = label === "group" ? topicName.slice(DLQ_PREFIX.length) : topicName;
        yield kindOf(topicName) === kind
          ? [[brokerClusterName, brokerName, about], endOf(broker, topicName, writeQueueNums)]
          : undefined;
      }
    },
  };
}

/** Messages that a group has not consumed; a queue without an offset counts from 0, as in RocketMQ's statistics. */
function groupDiff(name: string, help: string, kind: TopicKind): Family<BrokerView> {
  return {
    name,
    type: "gauge",
    help,
    labels: ["group", "topic", "countOfOnlineConsumers", "msgModel"],
    *samples(broker) {
      for (const { group, topic, queues } of broker.offsets.pairs()) {
        const config = kindOf(topic) === kind ? broker.topics.get(topic) : undefined;
        const online = broker.consumers.find(group);
        if (config === undefined || online?.messageModel === "BROADCASTING") {
          yield undefined;
          continue;
        }
        let consumed = 0;
        for (const [queueId, offset] of queues) if (queueId < config.readQueueNums) consumed += offset;
        const diff = endOf(broker, topic, config.readQueueNums) - consumed;
        yield [[group, topic, String(online?.members.size ?? 0), CLUSTERING], diff];
      }
    },
  };
}

/**
 * Told by masters only: a slave has the same offsets under the same labels, and whoever adds up what all nodes tell would
 * count them twice. rocketmq-exporter asks one node of each broker name, too.
 */
function byMasters(family: Family<BrokerView>): Family<BrokerView> {
  return { ...family, samples: (broker) => broker.settings.brokerRole === "SLAVE" ? [] : family.samples(broker) };
}

/** The number of `MessageModel.CLUSTERING` in RocketMQ. */
const CLUSTERING = "1";

function* consumerOffsets({ settings, offsets }: BrokerView): Generator<Sample> {
  const { brokerClusterName, brokerName } = settings;
  for (const { group, topic, queues } of offsets.pairs()) {
    let sum = 0;
    for (const offset of queues.values()) sum += offset;
    yield [[brokerClusterName, brokerName, topic, group], sum];
  }
}

function* producerCounts({ settings, producers }: BrokerView): Generator<Sample> {
  const { brokerClusterName, brokerName } = settings;
  for (const group of producers.names()) {
    yield [[brokerClusterName, brokerName, group], producers.find(group)?.size ?? 0];
  }
}

/** How far topics and groups have come. */
const OFFSETS: readonly Family<BrokerView>[] = [
  groupDiff("rocketmq_group_diff", "messages that a group has not consumed", "plain"),
  groupDiff("rocketmq_group_retrydiff", "messages to try again that a group has not consumed", "retry"),
  groupDiff("rocketmq_group_dlqdiff", "dead letters that a group has not consumed", "deadLetter"),
  {
    name: "rocketmq_consumer_offset",
    type: "gauge",
    help: "messages of a topic that a group has consumed, by its offsets",
    labels: GROUP_LABELS,
    samples: consumerOffsets,
  },
  topicOffset("rocketmq_producer_offset", "messages ever put into a topic, by its offsets", "plain"),
  topicOffset("rocketmq_topic_retry_offset", "messages ever put into a topic of retries", "retry"),
  topicOffset("rocketmq_topic_dlq_offset", "dead letters of a group", "deadLetter", "group"),
];

/** What is counted for its own sake first: where there is too much of all, the rest is left out. */
export const TOPIC_AND_GROUP_FAMILIES: readonly Family<BrokerView>[] = [
  byTopic("rocketmq_producer_tps", "gauge", "messages a second put into a topic over the last minute", (counter) => {
    return counter.in(0, "nums").tps;
  }),
  byTopic(
    "rocketmq_producer_message_size",
    "gauge",
    "bytes a second put into a topic over the last minute",
    (counter) => {
      return counter.in(0, "bytes").tps;
    },
  ),
  byGroup(
    "rocketmq_consumer_tps",
    "gauge",
    "messages a second that a group got over the last minute",
    "groupsGot",
    (one) => {
      return one.in(0, "nums").tps;
    },
  ),
  byGroup(
    "rocketmq_consumer_message_size",
    "gauge",
    "bytes a second that a group got over the last minute",
    "groupsGot",
    (one) => {
      return one.in(0, "bytes").tps;
    },
  ),
  byGroup(
    "rocketmq_send_back_nums",
    "gauge",
    "messages that a group gave back in the last minute",
    "sentBack",
    (one) => {
      return one.in(0, "nums").sum;
    },
  ),
  ...OFFSETS.map(byMasters),
  {
    name: "rocketmq_producer_count",
    type: "gauge",
    help: "producers of a group that are connected",
    labels: ["cluster", "broker", "group"],
    samples: producerCounts,
  },
  byTopic(
    "rocketd_topic_messages_in_total",
    "counter",
    "messages put into a topic; anew after a day without any",
    (one) => {
      return one.nums;
    },
  ),
  byTopic("rocketd_topic_message_bytes_in_total", "counter", "bytes of messages put into a topic; as above", (one) => {
    return one.bytes;
  }),
  byGroup(
    "rocketd_group_messages_out_total",
    "counter",
    "messages that a group got; anew after a day without any",
    "groupsGot",
    (one) => {
      return one.nums;
    },
  ),
  byGroup(
    "rocketd_group_message_bytes_out_total",
    "counter",
    "bytes of messages that a group got; as above",
    "groupsGot",
    (one) => {
      return one.bytes;
    },
  ),
];
