/**
 * What consumer groups filter by: content of config/consumerFilter.json (ConsumerFilterManager of RocketMQ 4.1–4.9).
 *
 * @module
 */
import { CONSUMER_FILTERS_MAX, ROUTE_TEXT_LENGTH_MAX, SUBSCRIPTION_LENGTH_MAX } from "../../limits.ts";
import { stringifyFastJson } from "../fastjson.ts";
import { decodeJson, long, maybe, object, type ShapeOf, table, text, whole } from "./shape.ts";

const filterShape = object({
  topic: text(ROUTE_TEXT_LENGTH_MAX),
  consumerGroup: text(ROUTE_TEXT_LENGTH_MAX),
  expression: text(SUBSCRIPTION_LENGTH_MAX),
  expressionType: text(),
  bornTime: whole(),
  deadTime: maybe(whole(), () => 0),
  clientVersion: long,
});

/**
 * What a group wants of a topic. `bornTime`: when this expression came, ms; `deadTime`: when the group went, ms, 0 while
 * it is there; `clientVersion`: the subscription's version.
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
export function encodeConsumerFilters<F extends ConsumerFilter>(
  filters: Iterable<F>,
  bloomFilterData: (filter: F) => unknown,
): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode([...consumerFilterPieces(filters, bloomFilterData)].join(""));
}

/**
 * The same text filter by filter, of all that are there when the first piece is asked for: whoever cannot wait for all
 * goes on between two pieces.
 */
export function* consumerFilterPieces<F extends ConsumerFilter>(
  filters: Iterable<F>,
  bloomFilterData: (filter: F) => unknown,
): Generator<string> {
  const topics = Map.groupBy(filters, ({ topic }) => topic);
  yield `{\n\t"filterDataByTopic":{`;
  let topicsDone = 0;
  for (const [topic, ofTopic] of topics) {
    const name = JSON.stringify(topic);
    yield `${topicsDone++ > 0 ? "," : ""}\n\t\t${name}:{\n\t\t\t"groupFilterData":{`;
    let groupsDone = 0;
    for (const filter of ofTopic) {
      const dead = filter.deadTime >= filter.bornTime;
      const entry = { ...filter, bloomFilterData: bloomFilterData(filter), dead };
      // Texts have no line breaks of their own: JSON escapes them.
      const text = stringifyFastJson(entry, { pretty: true }).replaceAll("\n", "\n\t\t\t\t");
      yield `${groupsDone++ > 0 ? "," : ""}\n\t\t\t\t${JSON.stringify(filter.consumerGroup)}:${text}`;
    }
    yield `\n\t\t\t},\n\t\t\t"topic":${name}\n\t\t}`;
  }
  yield `${topicsDone > 0 ? "\n\t" : ""}}\n}`;
}
