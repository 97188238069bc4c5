/**
 * What consumer groups filter by: content of config/consumerFilter.json (ConsumerFilterManager of RocketMQ 4.1–4.9).
 *
 * @module
 */
import { CONSUMER_FILTERS_MAX, ROUTE_TEXT_LENGTH_MAX, SUBSCRIPTION_LENGTH_MAX } from "../../limits.ts";
import { fastJsonBytes } from "../fastjson.ts";
import { decodeJson, maybe, object, type ShapeOf, table, text, whole } from "./shape.ts";

const filterShape = object({
  topic: text(ROUTE_TEXT_LENGTH_MAX),
  consumerGroup: text(ROUTE_TEXT_LENGTH_MAX),
  expression: text(SUBSCRIPTION_LENGTH_MAX),
  expressionType: text(),
  bornTime: whole(),
  deadTime: maybe(whole(), () => 0),
  clientVersion: whole(),
});

/**
 * What a group wants of a topic. `bornTime`: when this expression came, ms; `deadTime`: when the group went, ms, 0 while
 * it is there; `clientVersion`: the subscription's version, ms.
 */
export type ConsumerFilter = ShapeOf<typeof filterShape>;

const topicShape = object({ groupFilterData: maybe(table(filterShape, CONSUMER_FILTERS_MAX), () => new Map()) });
const tableShape = object({ filterDataByTopic: maybe(table(topicShape, CONSUMER_FILTERS_MAX), () => new Map()) });

/** All filters of a file. The places in bit maps that it holds are not read: they follow from the names. */
export function decodeConsumerFilters(bytes: Uint8Array): ConsumerFilter[] {
  const topics = decodeJson(tableShape, bytes).filterDataByTopic.values();
  return [...topics].flatMap(({ groupFilterData }) => [...groupFilterData.values()]);
}

/** The file's content; `bloomFilterData` gives what stands there of a filter's places in bit maps. */
export function encodeConsumerFilters(
  filters: Iterable<ConsumerFilter>,
  bloomFilterData: (filter: ConsumerFilter) => unknown,
): Uint8Array<ArrayBuffer> {
  const filterDataByTopic = new Map<string, { groupFilterData: Map<string, unknown>; topic: string }>();
  for (const filter of filters) {
    const { topic, consumerGroup, bornTime, deadTime } = filter;
    let ofTopic = filterDataByTopic.get(topic);
    if (ofTopic === undefined) filterDataByTopic.set(topic, ofTopic = { groupFilterData: new Map(), topic });
    const dead = deadTime >= bornTime;
    ofTopic.groupFilterData.set(consumerGroup, { ...filter, bloomFilterData: bloomFilterData(filter), dead });
  }
  return fastJsonBytes({ filterDataByTopic }, { pretty: true });
}
