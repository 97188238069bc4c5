/**
 * How far consumer groups are: of one group (GET_CONSUME_STATS 208, ConsumeStats), of all groups of a broker
 * (GET_BROKER_CONSUME_STATS 317, ConsumeStatsList). Both are written queue by queue.
 *
 * @module
 */
import { GROUPS_MAX, TOPICS_MAX } from "../../limits.ts";
import { type MessageQueue, queueTable } from "./message_queue.ts";
import { decodeJson, list, long, maybe, object, real, type ShapeOf, table, text } from "./shape.ts";
import { queueEntryPieces } from "./topic_stats.ts";

const zero = () => 0;
const queueProgressShape = object({
  brokerOffset: maybe(long, zero),
  consumerOffset: maybe(long, zero),
  lastTimestamp: maybe(long, zero),
});

/** A queue's end, where the group goes on, and when the last message before that was stored, ms (0: not known). */
export type QueueProgress = ShapeOf<typeof queueProgressShape>;

const consumeStatsShape = object({ consumeTps: real, offsetTable: queueTable(queueProgressShape) });

/** A group's progress by queue; `consumeTps`: messages it gets in a second. */
export type ConsumeStats = ShapeOf<typeof consumeStatsShape>;

/** The same, with queues that are looked at while they are written. */
export interface ConsumeStatsSource {
  readonly consumeTps: number;
  offsetTable(): Iterable<readonly [MessageQueue, QueueProgress]>;
}

/** Reads the answer of GET_CONSUME_STATS. */
export function decodeConsumeStats(bytes: Uint8Array): ConsumeStats {
  return decodeJson(consumeStatsShape, bytes);
}

/** The text of the same, piece by piece. */
export function* consumeStatsPieces({ consumeTps, offsetTable }: ConsumeStatsSource): Generator<string> {
  yield `{"consumeTps":${consumeTps},"offsetTable":{`;
  yield* queueEntryPieces(offsetTable());
  yield "}}";
}

const consumeStatsListShape = object({
  brokerAddr: maybe(text()),
  totalDiff: maybe(long, zero),
  consumeStatsList: maybe(list(table(list(consumeStatsShape, TOPICS_MAX), GROUPS_MAX), GROUPS_MAX), () => []),
});

/** All groups of a broker, each with its progress by topic; `totalDiff`: messages that they have not got yet. */
export interface ConsumeStatsList {
  readonly brokerAddr: string | undefined;
  readonly totalDiff: number;
  readonly groups: ReadonlyMap<string, readonly ConsumeStats[]>;
}

/** Reads the answer of GET_BROKER_CONSUME_STATS. */
export function decodeConsumeStatsList(bytes: Uint8Array): ConsumeStatsList {
  const { brokerAddr, totalDiff, consumeStatsList } = decodeJson(consumeStatsListShape, bytes);
  return { brokerAddr, totalDiff, groups: new Map(consumeStatsList.flatMap((groups) => [...groups])) };
}

/** The text of the same, piece by piece: `totalDiff` is summed up while the queues are looked at. */
export function* consumeStatsListPieces(
  brokerAddr: string,
  groups: Iterable<readonly [group: string, Iterable<ConsumeStatsSource>]>,
): Generator<string> {
  let totalDiff = 0;
  function* counted(queues: ReturnType<ConsumeStatsSource["offsetTable"]>): typeof queues {
    for (const entry of queues) {
      totalDiff += entry[1].brokerOffset - entry[1].consumerOffset;
      yield entry;
    }
  }
  yield `{"brokerAddr":${JSON.stringify(brokerAddr)},"consumeStatsList":[`;
  let between = "";
  for (const [group, topics] of groups) {
    yield `${between}{${JSON.stringify(group)}:[`;
    between = "";
    for (const { consumeTps, offsetTable } of topics) {
      yield between;
      yield* consumeStatsPieces({ consumeTps, offsetTable: () => counted(offsetTable()) });
      between = ",";
    }
    yield "]}";
    between = ",";
  }
  yield `],"totalDiff":${totalDiff}}`;
}
