/**
 * Consumer offsets: QUERY_CONSUMER_OFFSET 14, UPDATE_CONSUMER_OFFSET 15, GET_ALL_CONSUMER_OFFSET 43. Follows
 * ConsumerManageProcessor of RocketMQ 4.9.7.
 *
 * @module
 */
import { ResponseCode } from "../protocol/codes.ts";
import { GetAllConsumerOffset, QueryConsumerOffset, UpdateConsumerOffset } from "../protocol/requests.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import { LargeAnswers } from "./large_answers.ts";

/** What these handlers need of the broker. */
export interface OffsetHandlersContext extends Pick<BrokerContext, "offsets" | "clock"> {
  readonly store: Pick<BrokerContext["store"], "minOffset" | "logOffsetOf" | "isFarBack">;
}

/** Adds the handlers of consumer offsets. */
export function offsetHandlers(table: HandlerTable, broker: OffsetHandlersContext): void {
  const { offsets, store } = broker;
  table.on(QueryConsumerOffset, ({ header }) => {
    const { consumerGroup, topic, queueId } = header;
    const offset = offsets.get(consumerGroup, topic, queueId);
    if (offset >= 0) return { code: ResponseCode.SUCCESS, header: { offset } };
    if (isYoung(store, topic, queueId)) return { code: ResponseCode.SUCCESS, header: { offset: 0 } };
    const remark = "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first";
    return { code: ResponseCode.QUERY_NOT_FOUND, remark };
  });
  table.on(UpdateConsumerOffset, ({ header }) => {
    const { consumerGroup, topic, queueId, commitOffset } = header;
    const problem = offsets.commit(consumerGroup, topic, queueId, commitOffset);
    if (problem === undefined) return { code: ResponseCode.SUCCESS };
    return { code: ResponseCode.SYSTEM_ERROR, remark: `UPDATE_CONSUMER_OFFSET: ${problem}` };
  });
  const answers = new LargeAnswers("cannot tell the offsets", broker.clock);
  table.on(GetAllConsumerOffset, (request) => {
    answers.give(request, async () => ({ code: ResponseCode.SUCCESS, body: await offsets.toBody() }));
    return undefined;
  });
}

/**
 * Whether a queue still has its first message, and that one is so near to the log's end that RocketMQ takes it to be in
 * memory: a new group then starts at 0 instead of where its `consumeFromWhere` says.
 */
function isYoung(store: OffsetHandlersContext["store"], topic: string, queueId: number): boolean {
  if (store.minOffset(topic, queueId) > 0) return false;
  const first = store.logOffsetOf(topic, queueId, 0);
  return first === undefined || !store.isFarBack(first);
}
