/**
 * How far a broker has delivered each delay level: body of GET_ALL_DELAY_OFFSET, content of config/delayOffset.json
 * (DelayOffsetSerializeWrapper of RocketMQ 4.1–4.9).
 *
 * @module
 */
import { TOPIC_QUEUES_MAX } from "../../limits.ts";
import { fastJsonBytes, type FastJsonOptions } from "../fastjson.ts";
import { decodeJson, maybe, numberTable, object, whole } from "./shape.ts";

/** Delay level, from 1, to the offset of the next entry in queue level - 1 of the schedule topic. */
export type DelayOffsetTable = ReadonlyMap<number, number>;

const offsetsShape = object({
  offsetTable: maybe(numberTable(whole(0), TOPIC_QUEUES_MAX), () => new Map()),
});

export function decodeDelayOffsets(bytes: Uint8Array): DelayOffsetTable {
  return decodeJson(offsetsShape, bytes).offsetTable;
}

/** Levels stand bare and in their order, as in Java's file. */
export function encodeDelayOffsets(offsets: DelayOffsetTable, options: FastJsonOptions = {}): Uint8Array<ArrayBuffer> {
  return fastJsonBytes({ offsetTable: new Map([...offsets].sort(([a], [b]) => a - b)) }, options);
}
