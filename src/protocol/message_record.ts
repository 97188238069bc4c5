/**
 * The record of one message: the same bytes in the commit log, in pull and query answers and in replication. All
 * numbers are big-endian; h1 and h2 are 8 bytes, or 20 for IPv6 (sysFlag 0x10, 0x20):
 *
 *     0 totalSize 4 | 4 magic 4 | 8 bodyCRC 4 | 12 queueId 4 | 16 flag 4 | 20 queueOffset 8 | 28 physicalOffset 8 |
 *     36 sysFlag 4 | 40 bornTimestamp 8 | 48 bornHost h1 | storeTimestamp 8 | storeHost h2 | reconsumeTimes 4 |
 *     preparedTransactionOffset 8 | bodyLength 4, body | topicLength 1, topic | propertiesLength 2, properties
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { RocketdError } from "../errors.ts";
import { readInt64, writeInt64 } from "./byte_writer.ts";
import { SysFlag } from "./codes.ts";
import { textAt } from "./known_texts.ts";

/** Second word of every record. */
export const RECORD_MAGIC = 0xDAA320A7 | 0;
/** Second word of the filler at a log file's end. */
export const FILLER_MAGIC = 0xCBD43194 | 0;
/** The filler's two words: how many bytes are left in the file (these included), and its magic. */
export const FILLER_BYTES = 8;
/** A record with IPv4 hosts and neither body, topic nor properties. */
export const RECORD_BYTES_MIN = 91;

/** A record's fields. `body`, `bornHost` and `storeHost` of a decoded record are views of its bytes. */
export interface MessageRecord {
  totalSize: number;
  bodyCrc: number;
  queueId: number;
  flag: number;
  queueOffset: number;
  /** Where the record lies in the log. */
  physicalOffset: number;
  sysFlag: number;
  bornTimestamp: number;
  /** 4 or 16 bytes of address, then 4 bytes of port. */
  bornHost: Uint8Array;
  storeTimestamp: number;
  storeHost: Uint8Array;
  reconsumeTimes: number;
  preparedTransactionOffset: number;
  body: Uint8Array;
  topic: string;
  properties: string;
}

/** The CRC-32 of a body as RocketMQ keeps it: without the sign bit, 0 for no body. */
export function bodyCrcOf(body: Uint8Array): number {
  return body.length === 0 ? 0 : crc32(body) & 0x7FFFFFFF;
}

/** Bytes of a host field, by a sysFlag and the bit that means IPv6. */
export function hostBytes(sysFlag: number, v6Bit: number): number {
  return (sysFlag & v6Bit) === 0 ? 8 : 20;
}

/** What a host of these bytes adds to the sysFlag. */
export function withHostBits(sysFlag: number, bornHost: Uint8Array, storeHost: Uint8Array): number {
  return (sysFlag & ~(SysFlag.BORN_HOST_V6 | SysFlag.STORE_HOST_V6)) |
    (bornHost.length === 20 ? SysFlag.BORN_HOST_V6 : 0) | (storeHost.length === 20 ? SysFlag.STORE_HOST_V6 : 0);
}

/** Where a record says at which log offset it lies. */
export const PHYSICAL_OFFSET_AT = 28;

/** Where the store time lies in a record. */
export function storeTimestampAt(sysFlag: number): number {
  return 48 + hostBytes(sysFlag, SysFlag.BORN_HOST_V6);
}

/** The store time of the record that begins at `at`. */
export function storeTimestampOf(view: DataView, at: number): number {
  return readInt64(view, at + storeTimestampAt(view.getInt32(at + 36)));
}

/** What the writer of a record takes; hosts must have the lengths that `sysFlag` says. */
export type RecordHead = Omit<MessageRecord, "totalSize" | "bodyCrc" | "body" | "topic" | "properties">;

/**
 * Writes everything before the topic at `at` and returns the place of the topic's length byte. The first word, the
 * total size, is left to the caller, who knows it last.
 */
export function writeRecordHead(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  head: RecordHead,
  body: Uint8Array,
): number {
  view.setInt32(at + 4, RECORD_MAGIC);
  view.setInt32(at + 8, bodyCrcOf(body));
  view.setInt32(at + 12, head.queueId);
  view.setInt32(at + 16, head.flag);
  writeInt64(view, at + 20, head.queueOffset);
  writeInt64(view, at + PHYSICAL_OFFSET_AT, head.physicalOffset);
  view.setInt32(at + 36, head.sysFlag);
  writeInt64(view, at + 40, head.bornTimestamp);
  bytes.set(head.bornHost, at + 48);
  let next = at + 48 + head.bornHost.length;
  writeInt64(view, next, head.storeTimestamp);
  bytes.set(head.storeHost, next + 8);
  next += 8 + head.storeHost.length;
  view.setInt32(next, head.reconsumeTimes);
  writeInt64(view, next + 4, head.preparedTransactionOffset);
  view.setInt32(next + 12, body.length);
  bytes.set(body, next + 16);
  return next + 16 + body.length;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The bytes of a record; CRC, size and the IPv6 bits are computed. The texts must fit their length fields. */
export function encodeRecord(record: Omit<MessageRecord, "totalSize" | "bodyCrc">): Uint8Array<ArrayBuffer> {
  const topic = encoder.encode(record.topic);
  const properties = encoder.encode(record.properties);
  const sysFlag = withHostBits(record.sysFlag, record.bornHost, record.storeHost);
  const hosts = record.bornHost.length + record.storeHost.length;
  const bytes = new Uint8Array(75 + hosts + record.body.length + topic.length + properties.length);
  const view = new DataView(bytes.buffer);
  let at = writeRecordHead(bytes, view, 0, { ...record, sysFlag }, record.body);
  view.setInt32(0, bytes.length);
  view.setInt8(at, topic.length);
  bytes.set(topic, at + 1);
  at += 1 + topic.length;
  view.setInt16(at, properties.length);
  bytes.set(properties, at + 2);
  return bytes;
}

/** What {@linkcode measureRecord} says of bytes that are not a record. */
export const NOT_A_RECORD = -1;

/**
 * The size of the record at `at` when it is whole: magic, lengths that add up to the total size, all within `end`, and
 * (with `checkCrc`) the body's CRC. Otherwise {@linkcode NOT_A_RECORD}.
 */
export function measureRecord(bytes: Uint8Array, view: DataView, at: number, end: number, checkCrc: boolean): number {
  if (end - at < RECORD_BYTES_MIN) return NOT_A_RECORD;
  const size = view.getInt32(at);
  if (size < RECORD_BYTES_MIN || size > end - at || view.getInt32(at + 4) !== RECORD_MAGIC) return NOT_A_RECORD;
  const stop = at + size;
  const sysFlag = view.getInt32(at + 36);
  const bodyAt = at + 72 + hostBytes(sysFlag, SysFlag.BORN_HOST_V6) + hostBytes(sysFlag, SysFlag.STORE_HOST_V6);
  if (bodyAt + 3 > stop) return NOT_A_RECORD;
  const bodyLength = view.getInt32(bodyAt - 4);
  const topicAt = bodyAt + bodyLength;
  if (bodyLength < 0 || topicAt + 3 > stop) return NOT_A_RECORD;
  const topicLength = view.getInt8(topicAt);
  const propertiesAt = topicAt + 1 + topicLength;
  if (topicLength < 0 || propertiesAt + 2 > stop) return NOT_A_RECORD;
  const propertiesLength = view.getInt16(propertiesAt);
  if (propertiesLength < 0 || propertiesAt + 2 + propertiesLength !== stop) return NOT_A_RECORD;
  if (checkCrc && bodyLength > 0) {
    if ((crc32(bytes.subarray(bodyAt, topicAt)) & 0x7FFFFFFF) !== view.getInt32(at + 8)) return NOT_A_RECORD;
  }
  return size;
}

/**
 * The record that begins at `at`. Throws `RocketdError` (`malformed`) when the bytes are not a whole record; a wrong CRC
 * is an error only with `checkCrc`.
 */
export function decodeRecord(bytes: Uint8Array, at = 0, checkCrc = false): MessageRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const totalSize = measureRecord(bytes, view, at, bytes.length, checkCrc);
  if (totalSize === NOT_A_RECORD) throw notARecord(bytes, at);
  const sysFlag = view.getInt32(at + 36);
  const storeTimestamp = at + storeTimestampAt(sysFlag);
  const afterHosts = storeTimestamp + 8 + hostBytes(sysFlag, SysFlag.STORE_HOST_V6);
  const bodyAt = afterHosts + 16;
  const topicAt = bodyAt + view.getInt32(bodyAt - 4);
  const propertiesAt = topicAt + 1 + view.getInt8(topicAt);
  return {
    totalSize,
    bodyCrc: view.getInt32(at + 8),
    queueId: view.getInt32(at + 12),
    flag: view.getInt32(at + 16),
    queueOffset: readInt64(view, at + 20),
    physicalOffset: readInt64(view, at + PHYSICAL_OFFSET_AT),
    sysFlag,
    bornTimestamp: readInt64(view, at + 40),
    bornHost: bytes.subarray(at + 48, storeTimestamp),
    storeTimestamp: readInt64(view, storeTimestamp),
    storeHost: bytes.subarray(storeTimestamp + 8, afterHosts),
    reconsumeTimes: view.getInt32(afterHosts),
    preparedTransactionOffset: readInt64(view, afterHosts + 4),
    body: bytes.subarray(bodyAt, topicAt),
    topic: decoder.decode(bytes.subarray(topicAt + 1, propertiesAt)),
    properties: decoder.decode(bytes.subarray(propertiesAt + 2, at + totalSize)),
  };
}

/** What queues and index know of a record. */
export interface RecordEntry
  extends
    Pick<MessageRecord, "totalSize" | "queueId" | "queueOffset" | "physicalOffset" | "sysFlag" | "storeTimestamp"> {
  readonly topic: string;
  /** Where its properties begin; they end with it. */
  readonly propertiesAt: number;
}

/** As {@linkcode decodeRecord}, of a record from its first byte on, but only what queues and index know. */
export function decodeEntry(bytes: Uint8Array): RecordEntry {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const totalSize = measureRecord(bytes, view, 0, bytes.length, false);
  if (totalSize === NOT_A_RECORD) throw notARecord(bytes, 0);
  const sysFlag = view.getInt32(36);
  const topicAt = topicPlace(view, sysFlag);
  const topicEnd = topicAt + 1 + bytes[topicAt]!;
  return {
    totalSize,
    queueId: view.getInt32(12),
    queueOffset: readInt64(view, 20),
    physicalOffset: readInt64(view, PHYSICAL_OFFSET_AT),
    sysFlag,
    storeTimestamp: readInt64(view, storeTimestampAt(sysFlag)),
    topic: textAt(bytes, topicAt + 1, topicEnd),
    propertiesAt: topicEnd + 2,
  };
}

function notARecord(bytes: Uint8Array, at: number): RocketdError {
  const reason = `the ${bytes.length - at} bytes at ${at} are not a whole message record`;
  return new RocketdError("malformed", `Cannot read a message: ${reason}`, { field: "record", value: at });
}

/** The properties of a whole record, without decoding the rest of it. */
export function recordProperties(record: Uint8Array): string {
  return decoder.decode(record.subarray(propertiesAtOf(record)));
}

/** Where the properties of a whole record begin. */
export function propertiesAtOf(record: Uint8Array): number {
  const at = topicAtOf(record);
  return at + 3 + record[at]!;
}

/** The topic of a whole record, without decoding the rest of it. */
export function recordTopic(record: Uint8Array): string {
  const at = topicAtOf(record);
  return decoder.decode(record.subarray(at + 1, at + 1 + record[at]!));
}

/** Where the length of a record's topic lies. */
function topicAtOf(record: Uint8Array): number {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  return topicPlace(view, view.getInt32(36));
}

function topicPlace(view: DataView, sysFlag: number): number {
  const bodyAt = 72 + hostBytes(sysFlag, SysFlag.BORN_HOST_V6) + hostBytes(sysFlag, SysFlag.STORE_HOST_V6);
  return bodyAt + view.getInt32(bodyAt - 4);
}

/** The records that follow each other in the body of a pull or query answer. Throws as {@linkcode decodeRecord}. */
export function decodeRecords(bytes: Uint8Array): MessageRecord[] {
  const records: MessageRecord[] = [];
  for (let at = 0; at < bytes.length;) {
    const record = decodeRecord(bytes, at);
    records.push(record);
    at += record.totalSize;
  }
  return records;
}
