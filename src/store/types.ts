/**
 * What goes into the store and what comes out: the types its callers and its own parts share.
 *
 * @module
 */
import type { MeasuredBatch } from "../protocol/message_batch.ts";
import type { PropertyBytes } from "../protocol/property_bytes.ts";

/** What messages that are stored together have in common. The store adds queue offset, log offset, store time and host. */
export interface PutCommon {
  topic: string;
  queueId: number;
  /** wire.md calls it sysFlag: compression, transaction type; the IPv6 bits are set by the store from the hosts. */
  sysFlag: number;
  bornTimestamp: number;
  /** 4 or 16 bytes of address, then 4 bytes of port. */
  bornHost: Uint8Array;
  reconsumeTimes: number;
  preparedTransactionOffset: number;
  /** Whether the sender waits for disk and slave (the property WAIT, which 4.9.7 does not store); by default it does. */
  waitForSync?: boolean | undefined;
}

/** A message to be stored. */
export interface NewMessage extends PutCommon {
  flag: number;
  /** Borrowed: copied before `put` returns. */
  body: Uint8Array;
  /** Property text: name 0x01 value 0x02 … */
  properties: string;
}

/** A message as a client sends it, whose properties never become a text. */
export interface RawMessage extends Omit<NewMessage, "properties"> {
  readonly properties: PropertyBytes;
}

/** A message to be stored, in either form. */
export type AnyMessage = NewMessage | RawMessage;

/** Messages of one queue that a client sends as one batch. */
export interface NewBatch extends PutCommon {
  /** Borrowed: copied before `putBatch` returns. */
  readonly batch: MeasuredBatch;
  /** Properties that stand behind those of each message. */
  readonly behind: Uint8Array;
}

/** How a put ended, by RocketMQ's PutMessageStatus names. */
export type PutStatus =
  | "PUT_OK"
  | "FLUSH_DISK_TIMEOUT"
  | "FLUSH_SLAVE_TIMEOUT"
  | "SLAVE_NOT_AVAILABLE"
  | "SERVICE_NOT_AVAILABLE"
  | "CREATE_MAPEDFILE_FAILED"
  | "MESSAGE_ILLEGAL"
  | "PROPERTIES_SIZE_EXCEEDED"
  | "OS_PAGECACHE_BUSY"
  | "UNKNOWN_ERROR";

/** What became of a put, for a batch: of its first message. Offsets are -1 when nothing was stored. */
export interface PutResult {
  status: PutStatus;
  /** For the remark: what was wrong, in words an operator can act on. */
  reason?: string;
  logOffset: number;
  /** Bytes in the log; for a batch, of all its messages. */
  size: number;
  /** Where each message of a batch was put. */
  logOffsets?: readonly number[];
  /** Where it was put: a delayed message in the schedule topic. "" and -1 when nothing was stored. */
  topic: string;
  queueId: number;
  queueOffset: number;
  storeTimestamp: number;
}

/** Told once what became of a put. */
export type Done = (result: PutResult) => void;

/** What a queue read found, by RocketMQ's GetMessageStatus names; 4.9.7 never gives its NO_MATCHED_LOGIC_QUEUE. */
export type GetStatus =
  | "FOUND"
  | "NO_MATCHED_MESSAGE"
  | "MESSAGE_WAS_REMOVING"
  | "OFFSET_FOUND_NULL"
  | "OFFSET_OVERFLOW_BADLY"
  | "OFFSET_OVERFLOW_ONE"
  | "OFFSET_TOO_SMALL"
  | "NO_MESSAGE_IN_QUEUE";

/** What a read of a queue found, without the records. */
export interface Found {
  status: GetStatus;
  nextBeginOffset: number;
  minOffset: number;
  maxOffset: number;
  /** The log offset of the last queue entry looked at; -1 for none. Lag = maxLogOffset - this. */
  lastLogOffset: number;
}

export interface GetResult extends Found {
  /** Records as on disk. An immediate answer holds views, valid until the current turn ends; a promise's are copies. */
  records: Uint8Array[];
}

/** The same for who passes the records on as they are. */
export interface ReadResult extends Found {
  /** The records one after the other, in as few pieces as they lie in memory; views, valid until the taker returns. */
  readonly pieces: readonly Uint8Array[];
  /** How many records these are, and their bytes. */
  readonly count: number;
  readonly bytes: number;
}

/** Decides which messages of a queue a consumer wants. */
export interface MessageFilter {
  /** Asked of the tags code in a queue entry: false when the record behind it cannot be wanted. */
  readonly entry?: (tagsCode: number) => boolean;
  /** Asked of the records that are left; it must not keep the bytes. */
  readonly record?: (record: Uint8Array) => boolean;
}

/** A found set of records for a key, with the index's own progress. */
export interface QueryResult {
  records: Uint8Array[];
  indexLastUpdateTimestamp: number;
  indexLastUpdatePhyoffset: number;
}

/** What the log tells consume queues and index about a stored record. */
export interface DispatchEntry {
  topic: string;
  queueId: number;
  queueOffset: number;
  logOffset: number;
  size: number;
  /** A 64-bit value on disk: a sign-extended 32-bit hash, or a deliver time in ms for delayed messages. */
  tagsCode: number;
  storeTimestamp: number;
  sysFlag: number;
  /** What the index finds UNIQ_KEY by, -1 for none; and each word of KEYS. See `indexKey`. */
  uniqKey: number;
  keys: readonly number[];
}

/** Called once per queue and commit, after its new entries are readable. */
export type ArrivalListener = (topic: string, queueId: number, maxOffset: number) => void;
