/**
 * Topics of a broker and the table of all of them: body of GET_ALL_TOPIC_CONFIG, content of config/topics.json.
 *
 * @module
 */
import { TOPIC_QUEUES_MAX, TOPICS_MAX } from "../../limits.ts";
import { fastJsonBytes, type FastJsonOptions } from "../fastjson.ts";
import { type DataVersion, dataVersionShape, NO_VERSION } from "./data_version.ts";
import { decodeJson, flag, int32, maybe, object, oneOf, type Shape, table, text, whole } from "./shape.ts";

export const TOPIC_FILTER_TYPES = ["SINGLE_TAG", "MULTI_TAG"] as const;
export type TopicFilterType = typeof TOPIC_FILTER_TYPES[number];

/** One topic; `perm` is of `Permission`, `topicSysFlag` of {@linkcode TopicSysFlag}. */
export interface TopicConfig {
  readonly topicName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  readonly perm: number;
  readonly topicFilterType: TopicFilterType;
  readonly topicSysFlag: number;
  readonly order: boolean;
}

/** Bits of `topicSysFlag`. */
export const TopicSysFlag = { UNIT: 1, UNIT_SUB: 2 } as const;

/** `TopicConfigSerializeWrapper`. */
export interface TopicConfigTable {
  readonly dataVersion: DataVersion;
  readonly topicConfigTable: Map<string, TopicConfig>;
}

/** A topic with what the Java class has by default where `given` says nothing. */
export function topicConfig(topicName: string, given: Partial<TopicConfig> = {}): TopicConfig {
  return {
    readQueueNums: 16,
    writeQueueNums: 16,
    perm: 6,
    topicFilterType: "SINGLE_TAG",
    topicSysFlag: 0,
    order: false,
    ...given,
    topicName,
  };
}

/** Queues of a topic, for reading or for writing. */
export const queueCount: Shape<number> = whole(0, TOPIC_QUEUES_MAX);

const defaults = topicConfig("");
const topicShape = object({
  topicName: maybe(text()),
  readQueueNums: maybe(queueCount, () => defaults.readQueueNums),
  writeQueueNums: maybe(queueCount, () => defaults.writeQueueNums),
  perm: maybe(int32, () => defaults.perm),
  topicFilterType: maybe(oneOf(...TOPIC_FILTER_TYPES), () => defaults.topicFilterType),
  topicSysFlag: maybe(int32, () => 0),
  order: maybe(flag, () => false),
});
const topicsShape = table(topicShape, TOPICS_MAX);

export const topicConfigTableShape: Shape<TopicConfigTable> = (value, field) => {
  const { dataVersion, topicConfigTable } = wrapperShape(value, field);
  const named = [...topicConfigTable].map(([key, topic]) => ({ ...topic, topicName: topic.topicName ?? key }));
  return { dataVersion, topicConfigTable: new Map(named.map((topic) => [topic.topicName, topic])) };
};
const wrapperShape = object({
  dataVersion: maybe(dataVersionShape, () => NO_VERSION),
  topicConfigTable: maybe(topicsShape, () => new Map()),
});

export function decodeTopicConfigTable(bytes: Uint8Array): TopicConfigTable {
  return decodeJson(topicConfigTableShape, bytes);
}

export function encodeTopicConfigTable(
  value: TopicConfigTable,
  options: FastJsonOptions = {},
): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(value, options);
}
