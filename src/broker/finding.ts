/**
 * Finding stored messages: QUERY_MESSAGE 12 by key through the index, VIEW_MESSAGE_BY_ID 33 by log offset, as
 * QueryMessageProcessor 4.9.7.
 *
 * @module
 */
import { ResponseCode } from "../protocol/codes.ts";
import { QueryMessage, ViewMessageById } from "../protocol/requests.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";

/** Adds the handlers of queries. */
export function findingHandlers(table: HandlerTable, { settings, store }: BrokerContext): void {
  table.on(QueryMessage, ({ header }) => {
    const wanted = header.uniqueKeyQuery ? settings.defaultQueryMaxNum : header.maxNum;
    const most = Math.min(wanted, settings.maxMsgsNumBatch);
    const found = store.queryByKey(header.topic, header.key, most, header.beginTimestamp, header.endTimestamp);
    const { records, indexLastUpdateTimestamp, indexLastUpdatePhyoffset } = found;
    const progress = { indexLastUpdateTimestamp, indexLastUpdatePhyoffset };
    if (records.length === 0) {
      const remark = `can not find message, maybe time range not correct: key ${header.key} of topic ${header.topic}`;
      return { code: ResponseCode.QUERY_NOT_FOUND, remark, header: progress };
    }
    return { code: ResponseCode.SUCCESS, header: progress, body: records };
  });
  table.on(ViewMessageById, ({ header }) => {
    const record = store.recordAt(header.offset);
    if (record !== undefined) return { code: ResponseCode.SUCCESS, body: record };
    return { code: ResponseCode.SYSTEM_ERROR, remark: `can not find message by the offset, ${header.offset}` };
  });
}
