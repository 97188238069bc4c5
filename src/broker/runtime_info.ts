/**
 * What a broker tells of itself: GET_BROKER_RUNTIME_INFO 28. The names are those of RocketMQ 4.9.7; of its figures those
 * are left out that nobody counts here.
 *
 * @module
 */
import { decodeKvTable, encodeKvTable } from "../protocol/bodies/lists.ts";
import { OUR_VERSION, OUR_VERSION_NAME, ResponseCode } from "../protocol/codes.ts";
import { GetBrokerRuntimeInfo } from "../protocol/requests.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";

/** What these handlers need of the broker. */
export interface RuntimeInfoContext extends Pick<BrokerContext, "settings" | "clock"> {
  readonly store: Pick<BrokerContext["store"], "minLogOffset" | "maxLogOffset">;
}

/** Adds the handlers; the broker starts now. */
export function runtimeInfoHandlers(table: HandlerTable, broker: RuntimeInfoContext): void {
  const bootTimestamp = broker.clock.now();
  table.on(GetBrokerRuntimeInfo, () => {
    return { code: ResponseCode.SUCCESS, body: encodeKvTable(new Map(runtimeInfo(broker, bootTimestamp))) };
  });
}

function* runtimeInfo({ settings, store, clock }: RuntimeInfoContext, boot: number): Generator<[string, string]> {
  yield ["bootTimestamp", String(boot)];
  yield ["runtime", spelt(clock.now() - boot)];
  yield ["commitLogMinOffset", String(store.minLogOffset)];
  yield ["commitLogMaxOffset", String(store.maxLogOffset)];
  yield ["brokerVersionDesc", OUR_VERSION_NAME];
  yield ["brokerVersion", String(OUR_VERSION)];
  yield ["startAcceptSendRequestTimeStamp", String(settings.startAcceptSendRequestTimeStamp)];
}

/** How far the log of a broker goes, ours or RocketMQ's, by its answer; undefined for what it does not tell. */
export function runtimeIn(
  body: Uint8Array,
): { readonly minLogOffset: number | undefined; readonly maxLogOffset: number | undefined } {
  const table = decodeKvTable(body);
  const offset = (name: string) => {
    const text = table.get(name) ?? "";
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    return Number.isSafeInteger(value) ? value : undefined;
  };
  // What RocketMQ says before its first message.
  const noFile = table.get("commitLogMinOffset") === "-1";
  return { minLogOffset: noFile ? 0 : offset("commitLogMinOffset"), maxLogOffset: offset("commitLogMaxOffset") };
}

/** A time span as RocketMQ writes it. */
function spelt(ms: number): string {
  const seconds = Math.floor(ms / 1000), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  return `[ ${Math.floor(hours / 24)} days, ${hours % 24} hours, ${minutes % 60} minutes, ${seconds % 60} seconds ]`;
}
