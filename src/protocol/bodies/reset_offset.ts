/**
 * Offsets of one group and topic by queue: where consumers shall go on (ResetOffsetBody, 220 and 222), where they are
 * (GetConsumerStatusBody, 221 and 223), and where a group may go on without overtaking others
 * (QueryCorrectionOffsetBody, 308).
 *
 * @module
 */
import { GROUP_CLIENTS_MAX, TOPIC_QUEUES_MAX } from "../../limits.ts";
import { fastJsonBytes } from "../fastjson.ts";
import { type MessageQueue, messageQueueShape, queueTable } from "./message_queue.ts";
import { queueEntryPieces } from "./topic_stats.ts";
import { decodeJson, list, long, maybe, numberTable, object, type Shape, table } from "./shape.ts";

/** Offsets by queue; a decoder gives each queue as a key of its own: iterate, do not look up. */
export type QueueOffsets = ReadonlyMap<MessageQueue, number>;

const queueOffsets = queueTable(long);
const offsetShape = object({ offset: long });
const offsetListShape = list(
  (value, field) => [messageQueueShape(value, field), offsetShape(value, field).offset] as const,
  TOPIC_QUEUES_MAX,
);

/** The table as an object with queues as keys, or as the list that C++ clients get. */
const offsetTableShape: Shape<QueueOffsets> = (value, field) =>
  Array.isArray(value) ? new Map(offsetListShape(value, field)) : queueOffsets(value, field);

const resetShape = object({ offsetTable: offsetTableShape });

/** Reads where consumers shall go on, in either form. */
export function decodeResetOffset(bytes: Uint8Array): QueueOffsets {
  return decodeJson(resetShape, bytes).offsetTable;
}

export function encodeResetOffset(offsetTable: QueueOffsets): Uint8Array<ArrayBuffer> {
  return fastJsonBytes({ offsetTable });
}

/** The same for clients in C++, whose JSON has no objects as keys (`ResetOffsetBodyForC`). */
export function encodeResetOffsetForC(offsetTable: QueueOffsets): Uint8Array<ArrayBuffer> {
  return fastJsonBytes({ offsetTable: [...offsetTable].map(([queue, offset]) => ({ ...queue, offset })) });
}

const statusShape = object({
  messageQueueTable: queueOffsets,
  consumerTable: maybe(table(queueOffsets, GROUP_CLIENTS_MAX), () => new Map()),
});

/** Reads what a client answered to GET_CONSUMER_STATUS_FROM_CLIENT: where it is. */
export function decodeClientStatus(bytes: Uint8Array): QueueOffsets {
  return decodeJson(statusShape, bytes).messageQueueTable;
}

export function encodeClientStatus(messageQueueTable: QueueOffsets): Uint8Array<ArrayBuffer> {
  return fastJsonBytes({ consumerTable: {}, messageQueueTable });
}

/** Reads the answer of INVOKE_BROKER_TO_GET_CONSUMER_STATUS: where each client is, by client id. */
export function decodeConsumerStatus(bytes: Uint8Array): ReadonlyMap<string, QueueOffsets> {
  return decodeJson(statusShape, bytes).consumerTable;
}

/** The text of the same, piece by piece. */
export function* consumerStatusPieces(clients: Iterable<readonly [string, QueueOffsets]>): Generator<string> {
  yield '{"consumerTable":{';
  let between = "";
  for (const [clientId, offsets] of clients) {
    yield `${between}${JSON.stringify(clientId)}:{`;
    yield* queueEntryPieces(offsets);
    yield "}";
    between = ",";
  }
  yield '},"messageQueueTable":{}}';
}

const correctionShape = object({
  correctionOffsets: maybe(numberTable(long, TOPIC_QUEUES_MAX), () => new Map()),
});

/** Reads the answer of QUERY_CORRECTION_OFFSET: offsets by queue id, 2^63 - 1 (as the nearest number) for "any". */
export function decodeCorrectionOffsets(bytes: Uint8Array): Map<number, number> {
  return decodeJson(correctionShape, bytes).correctionOffsets;
}

export function encodeCorrectionOffsets(correctionOffsets: ReadonlyMap<number, number>): Uint8Array<ArrayBuffer> {
  return fastJsonBytes({ correctionOffsets });
}
