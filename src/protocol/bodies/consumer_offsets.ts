/**
 * Consumer offsets of a broker: body of GET_ALL_CONSUMER_OFFSET, content of config/consumerOffset.json.
 *
 * @module
 */
import { OFFSET_ENTRIES_MAX, TOPIC_QUEUES_MAX } from "../../limits.ts";
import type { FastJsonOptions } from "../fastjson.ts";
import { decodeJson, long, maybe, numberTable, object, table } from "./shape.ts";

/** `topic@group` to queue id to offset. */
export type ConsumerOffsetTable = Map<string, Map<number, number>>;

const offsetsShape = object({
  offsetTable: maybe(table(numberTable(long, TOPIC_QUEUES_MAX), OFFSET_ENTRIES_MAX), () => new Map()),
});

export function decodeConsumerOffsets(bytes: Uint8Array): ConsumerOffsetTable {
  return decodeJson(offsetsShape, bytes).offsetTable;
}

/** One `topic@group` with its offsets by queue id. */
export type ConsumerOffsetEntry = readonly [key: string, queues: ReadonlyMap<number, number>];

/** Queue ids stand bare as in Java's file. */
export function encodeConsumerOffsets(
  table: Iterable<ConsumerOffsetEntry>,
  options: FastJsonOptions = {},
): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode([...consumerOffsetPieces(table, options)].join(""));
}

/**
 * The same text entry by entry. There may be hundreds of thousands of them: whoever cannot wait for all goes on between
 * two pieces, while the table may change.
 */
export function* consumerOffsetPieces(
  table: Iterable<ConsumerOffsetEntry>,
  { pretty = false }: FastJsonOptions = {},
): Generator<string> {
  const [top, entry, end] = pretty ? ["\n\t", "\n\t\t", "\n"] : ["", "", ""];
  yield `{${top}"offsetTable":{`;
  let count = 0;
  for (const [key, queues] of table) {
    let text = `${count++ > 0 ? "," : ""}${entry}${JSON.stringify(key)}:{`;
    let first = true;
    for (const [queueId, offset] of queues) {
      text += `${first ? "" : ","}${queueId}:${offset}`;
      first = false;
    }
    yield `${text}${entry}}`;
  }
  yield `${count > 0 ? top : ""}}${end}}`;
}
