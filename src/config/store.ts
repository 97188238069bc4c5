/**
 * The settings of the message store, by their names of broker.conf.
 *
 * @module
 */
import { ADDRESS } from "./forms.ts";
import { adjusted, bool, choice, int, list, path, type SettingsOf, string } from "./setting.ts";

const CONSUME_QUEUE_ENTRY_BYTES = 20;
const PAGE_BYTES = 4096;

export const storeSettings = {
  storePathRootDir: path({ default: ({ home }) => `${home}/store`, help: "folder of the store" }),
  storePathCommitLog: path({
    default: ({ chosen }) => `${chosen("storePathRootDir")}/commitlog`,
    help: "folder of the commit log",
  }),
  mappedFileSizeCommitLog: int({
    default: 1024 * 1024 * 1024,
    min: PAGE_BYTES,
    aliases: ["mapedFileSizeCommitLog"],
    help: "bytes of one commit log file",
  }),
  mappedFileSizeConsumeQueue: adjusted(
    int({
      default: 300000 * CONSUME_QUEUE_ENTRY_BYTES,
      min: CONSUME_QUEUE_ENTRY_BYTES,
      max: 1024 * 1024 * 1024,
      aliases: ["mapedFileSizeConsumeQueue"],
      help: `bytes of one consume queue file, rounded up to entries of ${CONSUME_QUEUE_ENTRY_BYTES}`,
    }),
    (bytes) => Math.ceil(bytes / CONSUME_QUEUE_ENTRY_BYTES) * CONSUME_QUEUE_ENTRY_BYTES,
  ),
  flushDiskType: choice(["ASYNC_FLUSH", "SYNC_FLUSH"], {
    default: "ASYNC_FLUSH",
    help: "SYNC_FLUSH acknowledges a message once it is on the disk itself, and so survives a power loss",
  }),
  syncFlushTimeout: int({ default: 5000, min: 1, hot: true, help: "ms that a send waits for SYNC_FLUSH" }),
  flushIntervalCommitLog: int({ default: 500, min: 1, hot: true, help: "ms between flushes of the commit log" }),
  flushCommitLogLeastPages: int({
    default: 4,
    hot: true,
    help: `pages of ${PAGE_BYTES} bytes below which a flush of the commit log waits for more`,
  }),
  flushCommitLogThoroughInterval: int({
    default: 10000,
    min: 1,
    hot: true,
    help: "ms after which the commit log is flushed however little there is",
  }),
  osPageCacheBusyTimeOutMills: int({
    default: 1000,
    min: 1,
    hot: true,
    help:
      "ms from which a write to the commit log counts as a disk that hangs: the sends that came meanwhile are refused",
  }),
  flushIntervalConsumeQueue: int({ default: 1000, min: 1, hot: true, help: "ms between flushes of consume queues" }),
  checkCRCOnRecover: bool({ default: true, help: "check every message body's checksum when the store is opened" }),
  damagedRecordPolicy: choice(["refuse", "truncate"], {
    default: "refuse",
    help: "a damaged record with good ones behind it, found at start: refuse to start, or cut the log off there",
  }),
  maxMessageSize: int({
    default: 4 * 1024 * 1024,
    min: 1024,
    max: 128 * 1024 * 1024,
    hot: true,
    help: "bytes of the largest message",
  }),
  messageIndexEnable: bool({ default: true, help: "index messages by key" }),
  maxHashSlotNum: int({ default: 5000000, min: 1, max: 50000000, help: "hash slots of one index file" }),
  maxIndexNum: int({ default: 5000000 * 4, min: 2, max: 100000000, help: "entries of one index file" }),
  maxMsgsNumBatch: int({ default: 64, min: 1, max: 10000, hot: true, help: "messages that one query by key gives" }),
  defaultQueryMaxNum: int({ default: 32, min: 1, max: 10000, hot: true, help: "messages of a query without a number" }),
  maxTransferBytesOnMessageInMemory: int({
    default: 256 * 1024,
    min: 1,
    hot: true,
    help: "bytes that one pull of recent messages gives",
  }),
  maxTransferCountOnMessageInMemory: int({
    default: 32,
    min: 1,
    hot: true,
    help: "messages that one pull of recent messages gives",
  }),
  maxTransferBytesOnMessageInDisk: int({
    default: 64 * 1024,
    min: 1,
    hot: true,
    help: "bytes that one pull of old messages gives",
  }),
  maxTransferCountOnMessageInDisk: int({
    default: 8,
    min: 1,
    hot: true,
    help: "messages that one pull of old messages gives",
  }),
  accessMessageInMemoryMaxRatio: int({
    default: 40,
    min: 0,
    max: 100,
    hot: true,
    help: "percent of the machine's memory: messages within that many bytes of the log's end count as recent",
  }),
  offsetCheckInSlave: bool({
    default: false,
    hot: true,
    help: "let a slave move consumers that are off the ends of a queue, as a master does",
  }),
  haMasterAddress: string({
    pattern: { test: (text) => text === "" || ADDRESS.pattern.test(text) },
    allowed: `${ADDRESS.allowed}, or nothing`,
  }, {
    default: "",
    help: "where a slave finds its master's port for slaves; without it the nameserver tells",
  }),
  haSendHeartbeatInterval: int({ default: 5000, min: 1, help: "ms between signs of life of master and slave" }),
  haHousekeepingInterval: int({
    default: 20000,
    min: 1,
    help: "ms without a sign of life after which master and slave give a connection up",
  }),
  haTransferBatchSize: int({
    default: 32 * 1024,
    min: 1,
    max: 2 * 1024 * 1024,
    help: "most bytes that a master sends its slaves in one piece",
  }),
  slaveTimeout: int({ default: 3000, min: 1, hot: true, help: "ms that a send waits for a slave with SYNC_MASTER" }),
  haSlaveFallbehindMax: int({
    default: 256 * 1024 * 1024,
    min: 1,
    hot: true,
    help: "bytes that all slaves are behind from which SYNC_MASTER waits for none",
  }),
  messageDelayLevel: string({
    pattern: /^[1-9]\d{0,8}[smhd]( +[1-9]\d{0,8}[smhd])*$/,
    allowed: "delays such as 1s 5m 2h 1d, with spaces between",
  }, {
    default: "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h",
    help: "delay of each delay level, from level 1",
  }),
  flushDelayOffsetInterval: int({
    default: 10000,
    min: 100,
    help: "ms between saves of how far delayed messages were delivered",
  }),
  fileReservedTime: int({ default: 72, min: 1, hot: true, help: "hours that messages are kept" }),
  deleteWhen: list({ pattern: /^([01]?\d|2[0-3])$/, allowed: "an hour of the day from 00 to 23" }, {
    default: ["04"],
    hot: true,
    help: "hours of the day in which expired files are deleted",
  }),
  diskMaxUsedSpaceRatio: int({
    default: 75,
    min: 10,
    max: 95,
    hot: true,
    help: "percent of the disk in use above which expired files are deleted at any hour",
  }),
  cleanFileForciblyEnable: bool({
    default: true,
    hot: true,
    help: "delete the oldest files before their time when the disk is nearly full",
  }),
  cleanResourceInterval: int({
    default: 10000,
    min: 100,
    hot: true,
    help: "ms between looks for files to delete",
  }),
};

/** What a store runs with. */
export type StoreSettings = SettingsOf<typeof storeSettings>;
