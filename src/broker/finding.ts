/**
 * Finding stored messages: QUERY_MESSAGE 12 by key through the index, VIEW_MESSAGE_BY_ID 33 by log offset, as
 * QueryMessageProcessor 4.9.7.
 *
 * @module
 */
import { shortened } from "../errors.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { QueryMessage, ViewMessageById } from "../protocol/requests.ts";
import type { Answer, HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";

/** Adds the handlers of queries. */
export function findingHandlers(table: HandlerTable, { settings, store }: BrokerContext): void {
  table.on(QueryMessage, async ({ header }) => {
    const { topic, key, beginTimestamp, endTimestamp } = header;
    const wanted = header.uniqueKeyQuery ? settings.defaultQueryMaxNum : header.maxNum;
    const most = Math.min(wanted, settings.maxMsgsNumBatch);
    const found = await store.queryByKey(topic, key, most, beginTimestamp, endTimestamp);
    const { records, indexLastUpdateTimestamp, indexLastUpdatePhyoffset } = found;
    const progress = { indexLastUpdateTimestamp, indexLastUpdatePhyoffset };
    if (records.length === 0) {
      const remark = `can not find message, maybe time range not correct: key ${shortened(key)} of topic ` +
        shortened(topic);
      return { code: ResponseCode.QUERY_NOT_FOUND, remark, header: progress };
    }
    return { code: ResponseCode.SUCCESS, header: progress, body: records };
  });
  table.on(ViewMessageById, ({ header: { offset } }) => {
    const answer = (record: Uint8Array | undefined): Answer<typeof ViewMessageById> => {
      if (record !== undefined) return { code: ResponseCode.SUCCESS, body: record };
      return { code: ResponseCode.SYSTEM_ERROR, remark: `can not find message by the offset, ${offset}` };
    };
    const found = store.fetchRecord(offset);
    return found instanceof Promise ? found.then(answer) : answer(found);
  });
}
