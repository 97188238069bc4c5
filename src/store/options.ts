/**
 * The store's settings as plain values, with RocketMQ 4.9.7's defaults.
 *
 * @module
 */
import {
  BATCH_BYTES_IN_MEMORY,
  BATCH_BYTES_ON_DISK,
  LOG_FILE_BYTES,
  LOG_TAIL_CHUNK_BYTES,
  MESSAGE_BYTES_MAX,
} from "../limits.ts";

/** See `MessageStoreConfig` of RocketMQ for those of the same name; times in ms and sizes in bytes unless told. */
export interface StoreOptions {
  rootDir: string;
  commitLogDir: string;
  mappedFileSizeCommitLog: number;
  mappedFileSizeConsumeQueue: number;
  messageIndexEnable: boolean;
  maxHashSlotNum: number;
  maxIndexNum: number;
  maxMessageSize: number;
  flushDiskType: "ASYNC_FLUSH" | "SYNC_FLUSH";
  flushIntervalCommitLog: number;
  flushCommitLogLeastPages: number;
  flushCommitLogThoroughInterval: number;
  flushIntervalConsumeQueue: number;
  syncFlushTimeout: number;
  osPageCacheBusyTimeOutMills: number;
  checkCRCOnRecover: boolean;
  /** A record whose distance to the log's end is beyond this counts as on disk, for the limits below. */
  inMemoryBytes: number;
  maxTransferBytesOnMessageInMemory: number;
  maxTransferCountOnMessageInMemory: number;
  maxTransferBytesOnMessageInDisk: number;
  maxTransferCountOnMessageInDisk: number;
  /** Hours. */
  fileReservedTime: number;
  /** Local hours of the day. */
  deleteWhen: readonly number[];
  /** Per cent. */
  diskMaxUsedSpaceRatio: number;
  cleanFileForciblyEnable: boolean;
  cleanResourceInterval: number;
  /** What to do with a damaged record that valid ones follow. */
  damagedRecordPolicy: "refuse" | "truncate";
  /** Address and port bytes written into each record. */
  storeHost: Uint8Array;
  /** The delay of level n is `delayLevels[n - 1]`. */
  delayLevels: readonly number[];
  /** Consume queue files open at once. */
  openFilesMax: number;
  /** Bytes of one of the four pieces of the log's end that are kept in memory. */
  tailChunkBytes: number;
}

/** RocketMQ's default `messageDelayLevel`. */
export const DEFAULT_DELAY_LEVELS = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a `messageDelayLevel` text; undefined when a piece is no number with a unit of s, m, h or d. */
export function parseDelayLevels(text: string): number[] | undefined {
  const levels: number[] = [];
  for (const piece of text.trim().split(/\s+/)) {
    const match = /^(\d+)([smhd])$/.exec(piece);
    if (match === null) return undefined;
    levels.push(Number(match[1]) * UNIT_MS[match[2]!]!);
  }
  return levels;
}

/** Fills in the defaults. */
export function storeOptions(given: Partial<StoreOptions> & { rootDir: string }): StoreOptions {
  return {
    commitLogDir: `${given.rootDir}/commitlog`,
    mappedFileSizeCommitLog: LOG_FILE_BYTES,
    mappedFileSizeConsumeQueue: 300_000 * 20,
    messageIndexEnable: true,
    maxHashSlotNum: 5_000_000,
    maxIndexNum: 20_000_000,
    maxMessageSize: MESSAGE_BYTES_MAX,
    flushDiskType: "ASYNC_FLUSH",
    flushIntervalCommitLog: 500,
    flushCommitLogLeastPages: 4,
    flushCommitLogThoroughInterval: 10_000,
    flushIntervalConsumeQueue: 1000,
    syncFlushTimeout: 5000,
    osPageCacheBusyTimeOutMills: 1000,
    checkCRCOnRecover: true,
    inMemoryBytes: Math.floor(Deno.systemMemoryInfo().total * 0.4),
    maxTransferBytesOnMessageInMemory: BATCH_BYTES_IN_MEMORY,
    maxTransferCountOnMessageInMemory: 32,
    maxTransferBytesOnMessageInDisk: BATCH_BYTES_ON_DISK,
    maxTransferCountOnMessageInDisk: 8,
    fileReservedTime: 72,
    deleteWhen: [4],
    diskMaxUsedSpaceRatio: 75,
    cleanFileForciblyEnable: true,
    cleanResourceInterval: 10_000,
    damagedRecordPolicy: "refuse",
    storeHost: new Uint8Array([127, 0, 0, 1, 0, 0, 0x2A, 0x9F]),
    delayLevels: parseDelayLevels(DEFAULT_DELAY_LEVELS)!,
    openFilesMax: 512,
    tailChunkBytes: LOG_TAIL_CHUNK_BYTES,
    ...given,
  };
}
