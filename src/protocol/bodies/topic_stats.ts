/**
 * Figures of a topic's queues: how far they go (GET_TOPIC_STATS_INFO 202, TopicStatsTable), and from when to when a group
 * has read them (QUERY_CONSUME_TIME_SPAN 303). Both are written queue by queue, since a topic may have very many.
 *
 * @module
 */
import { TOPIC_QUEUES_MAX } from "../../limits.ts";
import { stringifyFastJson } from "../fastjson.ts";
import { type MessageQueue, messageQueueShape, queueKeyText, queueTable } from "./message_queue.ts";
import { decodeJson, list, long, maybe, object, type ShapeOf } from "./shape.ts";

const zero = () => 0;
const topicOffsetShape = object({
  minOffset: maybe(long, zero),
  maxOffset: maybe(long, zero),
  lastUpdateTimestamp: maybe(long, zero),
});

/** `minOffset` to before `maxOffset` can be read; when the last message was stored, ms (0 for none, -1 for one gone). */
export type TopicOffset = ShapeOf<typeof topicOffsetShape>;

const topicStatsShape = object({ offsetTable: queueTable(topicOffsetShape) });

/** Reads the answer of GET_TOPIC_STATS_INFO. */
export function decodeTopicStats(bytes: Uint8Array): Map<MessageQueue, TopicOffset> {
  return decodeJson(topicStatsShape, bytes).offsetTable;
}

/** The text of the same, piece by piece. */
export function* topicStatsPieces(queues: Iterable<readonly [MessageQueue, TopicOffset]>): Generator<string> {
  yield '{"offsetTable":{';
  yield* queueEntryPieces(queues);
  yield "}}";
}

/** The entries of a table with queues as keys, a piece each, with the commas between them. */
export function* queueEntryPieces(entries: Iterable<readonly [MessageQueue, unknown]>): Generator<string> {
  let between = "";
  for (const [queue, value] of entries) {
    yield `${between}${queueKeyText(queue)}:${stringifyFastJson(value)}`;
    between = ",";
  }
}

const timeSpanShape = object({
  messageQueue: messageQueueShape,
  minTimeStamp: maybe(long, zero),
  maxTimeStamp: maybe(long, zero),
  consumeTimeStamp: maybe(long, zero),
  delayTime: maybe(long, zero),
});

/**
 * When a queue's first and last message, and the last one that a group has read, were stored, ms (-1 where there is none);
 * how long the next one has waited, ms.
 */
export type QueueTimeSpan = ShapeOf<typeof timeSpanShape>;

const timeSpansShape = object({
  consumeTimeSpanSet: maybe(list(timeSpanShape, TOPIC_QUEUES_MAX), () => []),
});

/** Reads the answer of QUERY_CONSUME_TIME_SPAN. */
export function decodeTimeSpans(bytes: Uint8Array): QueueTimeSpan[] {
  return decodeJson(timeSpansShape, bytes).consumeTimeSpanSet;
}

/** The text of the same, piece by piece; as in Java's, each time is there for people too, in local time. */
export function* timeSpanPieces(spans: Iterable<QueueTimeSpan>): Generator<string> {
  yield '{"consumeTimeSpanSet":[';
  let between = "";
  for (const span of spans) {
    yield between + stringifyFastJson({
      ...span,
      minTimeStampStr: spelt(span.minTimeStamp),
      maxTimeStampStr: spelt(span.maxTimeStamp),
      consumeTimeStampStr: spelt(span.consumeTimeStamp),
    });
    between = ",";
  }
  yield "]}";
}

/** `2026-11-23#16:08:06:001`, as UtilAll.YYYY_MM_DD_HH_MM_SS_SSS. */
function spelt(ms: number): string {
  const time = new Date(ms);
  const digits = (value: number, count: number) => String(value).padStart(count, "0");
  const day = [digits(time.getFullYear(), 4), digits(time.getMonth() + 1, 2), digits(time.getDate(), 2)].join("-");
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => digits(part, 2)).join(":");
  return `${day}#${clock}:${digits(time.getMilliseconds(), 3)}`;
}
