/**
 * From a broker's settings to its store's options.
 *
 * @module
 */
import type { BrokerSettings } from "../config/mod.ts";
import { RocketdError } from "../errors.ts";
import { encodeHost, parseIp } from "../protocol/host.ts";
import { type StoreOptions, storeOptions, workedOut } from "../store/mod.ts";

/** The bytes of `brokerIP1:listenPort`, which every record and message id carries. Throws `invalidSettings`. */
export function storeHostOf({ brokerIP1, listenPort }: BrokerSettings): Uint8Array {
  const address = parseIp(brokerIP1);
  if (address !== undefined) return encodeHost(address, listenPort);
  throw new RocketdError(
    "invalidSettings",
    `Cannot use brokerIP1=${brokerIP1}: allowed is an IPv4 or IPv6 address, since message ids carry it`,
    { field: "brokerIP1", value: brokerIP1, allowed: "an IPv4 or IPv6 address" },
  );
}

/** The store's options. Names are the same on both sides, but for what is worked out. */
export function storeOptionsOf(settings: BrokerSettings): StoreOptions {
  const { storePathRootDir: rootDir, storePathCommitLog: commitLogDir, ...same } = settings;
  return storeOptions({ ...same, ...workedOut(settings), rootDir, commitLogDir, storeHost: storeHostOf(settings) });
}
