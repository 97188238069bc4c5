/**
 * Consumer offsets of a broker: body of GET_ALL_CONSUMER_OFFSET, content of config/consumerOffset.json.
 *
 * @module
 */
import { OFFSET_ENTRIES_MAX, TOPIC_QUEUES_MAX } from "../../limits.ts";
import { fastJsonBytes, type FastJsonOptions } from "../fastjson.ts";
import { decodeJson, maybe, numberTable, object, table, whole } from "./shape.ts";

/** `topic@group` to queue id to offset. */
export type ConsumerOffsetTable = Map<string, Map<number, number>>;

const offsetsShape = object({
  offsetTable: maybe(table(numberTable(whole(), TOPIC_QUEUES_MAX), OFFSET_ENTRIES_MAX), () => new Map()),
});

export function decodeConsumerOffsets(bytes: Uint8Array): ConsumerOffsetTable {
  return decodeJson(offsetsShape, bytes).offsetTable;
}

/** Queue ids stand bare as in Java's file. */
export function encodeConsumerOffsets(
  offsetTable: ReadonlyMap<string, ReadonlyMap<number, number>>,
  options: FastJsonOptions = {},
): Uint8Array<ArrayBuffer> {
  return fastJsonBytes({ offsetTable }, options);
}
