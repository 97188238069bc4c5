/**
 * The version of a table that travels between brokers and nameservers: equal versions mean equal tables.
 *
 * @module
 */
import { fastJsonBytes } from "../fastjson.ts";
import { decodeJson, maybe, object, whole } from "./shape.ts";

/** `timestamp`: ms of the last change; `counter`: changes so far. */
export interface DataVersion {
  readonly counter: number;
  readonly timestamp: number;
}

export const dataVersionShape = object({
  counter: maybe(whole(), () => 0),
  timestamp: maybe(whole(), () => 0),
});

/** The version of a table that was never changed. */
export const NO_VERSION: DataVersion = { counter: 0, timestamp: 0 };

/** The version after one more change. */
export function nextDataVersion(version: DataVersion, now: number): DataVersion {
  return { counter: version.counter + 1, timestamp: now };
}

export function sameDataVersion(a: DataVersion, b: DataVersion): boolean {
  return a.counter === b.counter && a.timestamp === b.timestamp;
}

export function decodeDataVersion(bytes: Uint8Array): DataVersion {
  return decodeJson(dataVersionShape, bytes);
}

export function encodeDataVersion(version: DataVersion): Uint8Array<ArrayBuffer> {
  return fastJsonBytes(version);
}
