/**
 * How far log, queues and index are safe on disk: a mark of ours in the part of the `checkpoint` file that RocketMQ does
 * not use, so that a crash costs a walk through the log's newest part only, where RocketMQ walks whole files.
 *
 * | at | bytes | field |
 * | --- | --- | --- |
 * | 0 | 8 | `rocketd1` |
 * | 8 | 24 | the three times of the checkpoint it belongs to: a Java broker that goes on writes others |
 * | 32 | 8 | log offset of the last record that is safe |
 * | 40 | 8 | where that record ends |
 * | 48 | 8 | log offset of the last record in the index |
 * | 56 | 8 | bytes that the log's last file took beyond its pages with data |
 * | 64 | 4 | CRC-32 of all before |
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { readInt64, writeInt64 } from "../protocol/byte_writer.ts";

export const SAFE_POINT_BYTES = 68;
const MAGIC = new TextEncoder().encode("rocketd1");
const CRC_AT = 64;
type Numbers = [number, number, number, number];

/** In the lock file, where a Java broker (4.2 and later) writes `lock` at each start: so we see that one was here. */
export const LOCK_TEXT = "ours";

/** Every record before `end` survives a power loss, and its entries in queue and index do. */
export interface SafePoint {
  /** Where the last of them begins. */
  readonly lastRecord: number;
  readonly end: number;
  /** The index's `endLogOffset`; {@linkcode NO_INDEX} without an index. */
  readonly indexEnd: number;
  /** See `LogFile.overhead`. */
  readonly overhead: number;
}

/** A place that no index reaches. */
export const NO_INDEX = Number.MAX_SAFE_INTEGER;

/** The mark's bytes. `times`: the first 24 bytes of the checkpoint file. */
export function encodeSafePoint(point: SafePoint, times: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(SAFE_POINT_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes.set(times, 8);
  writeInt64(view, 32, point.lastRecord);
  writeInt64(view, 40, point.end);
  writeInt64(view, 48, point.indexEnd);
  writeInt64(view, 56, point.overhead);
  view.setUint32(CRC_AT, crc32(bytes.subarray(0, CRC_AT)));
  return bytes;
}

/** The mark, unless there is none, it is torn, or it belongs to other times. */
export function decodeSafePoint(bytes: Uint8Array, times: Uint8Array): SafePoint | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, SAFE_POINT_BYTES);
  const [lastRecord, end, indexEnd, overhead] = [32, 40, 48, 56].map((at) => readInt64(view, at)) as Numbers;
  const point = { lastRecord, end, indexEnd, overhead };
  const own = encodeSafePoint(point, times);
  return own.every((byte, i) => byte === bytes[i]) ? point : undefined;
}
