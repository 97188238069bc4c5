/**
 * What a store runs with: settings of the same name, and what is worked out from them. Without a broker's settings it has
 * their defaults.
 *
 * @module
 */
import { type BrokerSettings, constantDefaults, type StoreSettings, storeSettings } from "../config/mod.ts";
import { LOG_TAIL_CHUNK_BYTES, QUEUE_FILES_OPEN_MAX } from "../limits.ts";
import type { Clock } from "../platform/clock.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** Settings that the store takes as they are. */
const TAKEN = [
  "mappedFileSizeCommitLog",
  "mappedFileSizeConsumeQueue",
  "messageIndexEnable",
  "maxHashSlotNum",
  "maxIndexNum",
  "maxMessageSize",
  "flushDiskType",
  "flushIntervalCommitLog",
  "flushCommitLogLeastPages",
  "flushCommitLogThoroughInterval",
  "flushIntervalConsumeQueue",
  "syncFlushTimeout",
  "osPageCacheBusyTimeOutMills",
  "checkCRCOnRecover",
  "maxTransferBytesOnMessageInMemory",
  "maxTransferCountOnMessageInMemory",
  "maxTransferBytesOnMessageInDisk",
  "maxTransferCountOnMessageInDisk",
  "fileReservedTime",
  "diskMaxUsedSpaceRatio",
  "cleanFileForciblyEnable",
  "cleanResourceInterval",
  "damagedRecordPolicy",
  "slaveTimeout",
  "haSlaveFallbehindMax",
] as const satisfies readonly (keyof StoreSettings)[];

/** Not read-only, since some of them may change while the store runs. */
type Taken = { -readonly [K in typeof TAKEN[number]]: StoreSettings[K] };

/** See the settings for those of the same name. */
export interface StoreOptions extends Taken {
  /** SLAVE: a copy of a master's log, which takes no puts. SYNC_MASTER: puts wait for a slave. */
  readonly brokerRole: BrokerSettings["brokerRole"];
  readonly rootDir: string;
  readonly commitLogDir: string;
  /** A record whose distance to the log's end is beyond this counts as on disk, for the limits of a pull. */
  readonly inMemoryBytes: number;
  /** Local hours of the day. */
  readonly deleteWhen: readonly number[];
  /** Address and port bytes written into each record. */
  readonly storeHost: Uint8Array;
  /** The delay of level n is `delayLevels[n - 1]`. */
  readonly delayLevels: readonly number[];
  /** Consume queue files open at once. */
  readonly openFilesMax: number;
  /** Bytes of one of the four pieces of the log's end that are kept in memory. */
  readonly tailChunkBytes: number;
}

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

/** What a store runs with that has these settings; the others keep their defaults. */
export function storeOptions(given: Partial<StoreOptions> & { rootDir: string }): StoreOptions {
  return {
    ...constantDefaults(storeSettings, TAKEN),
    ...workedOut(constantDefaults(storeSettings, ["accessMessageInMemoryMaxRatio", "deleteWhen", "messageDelayLevel"])),
    brokerRole: "ASYNC_MASTER",
    commitLogDir: `${given.rootDir}/commitlog`,
    storeHost: new Uint8Array([127, 0, 0, 1, 0, 0, 0x2A, 0x9F]),
    openFilesMax: QUEUE_FILES_OPEN_MAX,
    tailChunkBytes: LOG_TAIL_CHUNK_BYTES,
    ...given,
  };
}

/** Options that settings are worked out to. */
export function workedOut(
  settings: Pick<StoreSettings, "accessMessageInMemoryMaxRatio" | "deleteWhen" | "messageDelayLevel">,
): Pick<StoreOptions, "inMemoryBytes" | "deleteWhen" | "delayLevels"> {
  return {
    inMemoryBytes: Math.floor(Deno.systemMemoryInfo().total * settings.accessMessageInMemoryMaxRatio / 100),
    deleteWhen: settings.deleteWhen.map(Number),
    delayLevels: parseDelayLevels(settings.messageDelayLevel) ?? [],
  };
}

/** What the index is made with: it is safe up to the checkpoint, which moves when an index file is full. */
export function indexOptions(options: StoreOptions, clock: Pick<Clock, "now">, checkpoint: Checkpoint) {
  return {
    maxHashSlotNum: options.maxHashSlotNum,
    maxIndexNum: options.maxIndexNum,
    now: () => clock.now(),
    safeUntil: checkpoint.indexMsgTimestamp,
    onFull: (endTimestamp: number) => {
      checkpoint.indexMsgTimestamp = endTimestamp;
    },
  };
}
