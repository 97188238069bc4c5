/**
 * One figure of a broker over the last minute, hour and day: the answer of VIEW_BROKER_STATS_DATA 315 (BrokerStatsData).
 *
 * @module
 */
import { fastJsonBytes } from "../fastjson.ts";
import { decodeJson, long, maybe, object, real, type ShapeOf } from "./shape.ts";

const snapshotShape = object({ sum: maybe(long, () => 0), tps: real, avgpt: real });
const nothing = () => ({ sum: 0, tps: 0, avgpt: 0 });
const brokerStatsShape = object({
  statsMinute: maybe(snapshotShape, nothing),
  statsHour: maybe(snapshotShape, nothing),
  statsDay: maybe(snapshotShape, nothing),
});

/** What was counted in a span of time: `sum`, `tps` in a second, `avgpt` on the average each time it was counted. */
export type StatsSnapshot = ShapeOf<typeof snapshotShape>;

/** A figure over three spans of time. */
export type BrokerStatsData = ShapeOf<typeof brokerStatsShape>;

export function decodeBrokerStats(bytes: Uint8Array): BrokerStatsData {
  return decodeJson(brokerStatsShape, bytes);
}

export function encodeBrokerStats(stats: BrokerStatsData): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(stats);
}
