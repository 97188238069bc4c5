/**
 * What a consumer tells of itself (ConsumerRunningInfo, the answer of 307), and what came of a message that it was handed
 * directly (ConsumeMessageDirectlyResult, 309). A broker passes both on as they are.
 *
 * @module
 */
import { FRAME_BYTES_MAX, KV_ENTRIES_MAX, KV_TEXT_LENGTH_MAX, SUBSCRIPTIONS_MAX } from "../../limits.ts";
import { fastJsonBytes } from "../fastjson.ts";
import { subscriptionShape } from "./heartbeat.ts";
import { queueTable } from "./message_queue.ts";
import { decodeJson, flag, list, long, maybe, object, oneOf, real, type ShapeOf, table, text } from "./shape.ts";

const zero = maybe(long, () => 0);
const no = maybe(flag, () => false);

const processQueueShape = object({
  commitOffset: zero,
  cachedMsgMinOffset: zero,
  cachedMsgMaxOffset: zero,
  cachedMsgCount: zero,
  cachedMsgSizeInMiB: zero,
  transactionMsgMinOffset: zero,
  transactionMsgMaxOffset: zero,
  transactionMsgCount: zero,
  locked: no,
  tryUnlockTimes: zero,
  lastLockTimestamp: zero,
  droped: no,
  lastPullTimestamp: zero,
  lastConsumeTimestamp: zero,
});

/** What a consumer holds of one queue; times in ms. `droped`: as Java spells it. */
export type ProcessQueueInfo = ShapeOf<typeof processQueueShape>;

const consumeStatusShape = object({
  pullRT: real,
  pullTPS: real,
  consumeRT: real,
  consumeOKTPS: real,
  consumeFailedTPS: real,
  consumeFailedMsgs: zero,
});

/** How fast a consumer is with one topic: RT in ms, TPS in messages a second. */
export type ConsumeStatus = ShapeOf<typeof consumeStatusShape>;

const runningInfoShape = object({
  properties: maybe(table(text(KV_TEXT_LENGTH_MAX), KV_ENTRIES_MAX), () => new Map()),
  subscriptionSet: maybe(list(subscriptionShape, SUBSCRIPTIONS_MAX), () => []),
  mqTable: queueTable(processQueueShape),
  statusTable: maybe(table(consumeStatusShape, SUBSCRIPTIONS_MAX), () => new Map()),
  jstack: maybe(text(FRAME_BYTES_MAX)),
});

/** A consumer's own account: its settings, subscriptions, queues, figures by topic and, if asked for, its threads. */
export type ConsumerRunningInfo = ShapeOf<typeof runningInfoShape>;

export function decodeRunningInfo(bytes: Uint8Array): ConsumerRunningInfo {
  return decodeJson(runningInfoShape, bytes);
}

export function encodeRunningInfo(info: ConsumerRunningInfo): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(info);
}

/** What a listener may make of a message (`CMResult`). */
export const CONSUME_RESULTS = [
  "CR_SUCCESS",
  "CR_LATER",
  "CR_ROLLBACK",
  "CR_COMMIT",
  "CR_THROW_EXCEPTION",
  "CR_RETURN_NULL",
] as const;

const directResultShape = object({
  order: no,
  autoCommit: maybe(flag, () => true),
  consumeResult: maybe(oneOf(...CONSUME_RESULTS)),
  remark: maybe(text(FRAME_BYTES_MAX)),
  spentTimeMills: zero,
});

/** What came of one message; `remark` is a listener's exception. */
export type ConsumeDirectlyResult = ShapeOf<typeof directResultShape>;

export function decodeConsumeDirectly(bytes: Uint8Array): ConsumeDirectlyResult {
  return decodeJson(directResultShape, bytes);
}

export function encodeConsumeDirectly(result: ConsumeDirectlyResult): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(result);
}
