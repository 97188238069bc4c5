/**
 * Questions about a queue: SEARCH_OFFSET_BY_TIMESTAMP 29, GET_MAX_OFFSET 30, GET_MIN_OFFSET 31,
 * GET_EARLIEST_MSG_STORETIME 32. As in RocketMQ 4.9.7, a queue that has no messages yet has offsets 0.
 *
 * @module
 */
import { ResponseCode } from "../protocol/codes.ts";
import { GetEarliestMsgStoretime, GetMaxOffset, GetMinOffset, SearchOffsetByTimestamp } from "../protocol/requests.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";

/** What these handlers need of the broker. */
export interface QueueHandlersContext {
  readonly store: Pick<BrokerContext["store"], "minOffset" | "maxOffset" | "offsetByTime" | "earliestStoreTime">;
}

/** Adds the handlers of queues. */
export function queueHandlers(table: HandlerTable, { store }: QueueHandlersContext): void {
  const code = ResponseCode.SUCCESS;
  table
    .on(SearchOffsetByTimestamp, ({ header: { topic, queueId, timestamp } }) => {
      return { code, header: { offset: store.offsetByTime(topic, queueId, timestamp) } };
    })
    .on(GetMaxOffset, ({ header: { topic, queueId } }) => {
      return { code, header: { offset: store.maxOffset(topic, queueId) } };
    })
    .on(GetMinOffset, ({ header: { topic, queueId } }) => {
      return { code, header: { offset: store.minOffset(topic, queueId) } };
    })
    .on(GetEarliestMsgStoretime, ({ header: { topic, queueId } }) => {
      return { code, header: { timestamp: store.earliestStoreTime(topic, queueId) } };
    });
}
