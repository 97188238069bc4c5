/**
 * Finding stored messages: QUERY_MESSAGE 12 by key through the index, VIEW_MESSAGE_BY_ID 33 by log offset, as
 * QueryMessageProcessor 4.9.7.
 *
 * @module
 */
import { shortened } from "../errors.ts";
import { PROPERTIES_BYTES_MAX, TOPIC_LENGTH_MAX } from "../limits.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { QueryMessage, ViewMessageById } from "../protocol/requests.ts";
import { ALL_PERMITTED, type PermitOf } from "../remoting/access/guard.ts";
import type { Answer, HandlerTable, Incoming } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import { LargeAnswers } from "./large_answers.ts";
import { recordRefusal } from "./record_permits.ts";

/** What finding needs of the broker. */
export interface FindingContext extends Pick<BrokerContext, "clock"> {
  readonly settings: Pick<BrokerContext["settings"], "defaultQueryMaxNum" | "maxMsgsNumBatch">;
  readonly store: Pick<BrokerContext["store"], "queryByKey" | "fetchRecord" | "logOffsetOf">;
}

/** Adds the handlers of queries. */
export function findingHandlers(table: HandlerTable, broker: FindingContext, permitOf = ALL_PERMITTED): void {
  const finding = new Finding(broker, permitOf);
  table.on(QueryMessage, (request) => finding.query(request));
  table.on(ViewMessageById, (request) => finding.view(request));
}

class Finding {
  readonly #broker: FindingContext;
  readonly #permitOf: PermitOf;
  readonly #answers: LargeAnswers;

  constructor(broker: FindingContext, permitOf: PermitOf) {
    this.#broker = broker;
    this.#permitOf = permitOf;
    this.#answers = new LargeAnswers("cannot read the store", broker.clock);
  }

  query(request: Incoming<typeof QueryMessage>): Answer<typeof QueryMessage> | undefined {
    const { settings, store } = this.#broker;
    const { topic, key, maxNum, beginTimestamp, endTimestamp, uniqueKeyQuery } = request.header;
    const remark = `can not find message, maybe time range not correct: key ${shortened(key)} of topic ` +
      shortened(topic);
    // No message has such a key.
    if (key.length > PROPERTIES_BYTES_MAX || topic.length > TOPIC_LENGTH_MAX) {
      return { code: ResponseCode.QUERY_NOT_FOUND, remark };
    }
    const most = Math.min(uniqueKeyQuery ? settings.defaultQueryMaxNum : maxNum, settings.maxMsgsNumBatch);
    this.#answers.give(request, async () => {
      const found = await store.queryByKey(topic, key, most, beginTimestamp, endTimestamp);
      const { records, indexLastUpdateTimestamp, indexLastUpdatePhyoffset } = found;
      const header = { indexLastUpdateTimestamp, indexLastUpdatePhyoffset };
      if (records.length === 0) return { code: ResponseCode.QUERY_NOT_FOUND, remark, header };
      return { code: ResponseCode.SUCCESS, header, body: records };
    });
    return undefined;
  }

  view(request: Incoming<typeof ViewMessageById>): undefined {
    const { offset } = request.header;
    const { store } = this.#broker;
    const permit = this.#permitOf(request as Incoming);
    const answerOf = (record: Uint8Array | undefined): Answer<typeof ViewMessageById> => {
      if (record !== undefined) {
        return recordRefusal(request, record, offset, permit, store) ?? { code: ResponseCode.SUCCESS, body: record };
      }
      return { code: ResponseCode.SYSTEM_ERROR, remark: `can not find message by the offset, ${offset}` };
    };
    this.#answers.give(request, () => {
      const found = store.fetchRecord(offset);
      return found instanceof Promise ? found.then(answerOf) : answerOf(found);
    });
  }
}
