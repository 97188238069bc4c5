/**
 * What a read of the store makes of a pull: code, next offset and the broker to pull from next, as
 * PullMessageProcessor of RocketMQ 4.9.7 has them on masters and on slaves.
 *
 * @module
 */
import type { BrokerSettings } from "../config/mod.ts";
import type { SubscriptionGroupConfig } from "../protocol/bodies/subscription_group.ts";
import { MASTER_ID, ResponseCode } from "../protocol/codes.ts";
import type { PullMessage } from "../protocol/requests.ts";
import type { Answer } from "../remoting/handlers.ts";
import type { GetStatus, ReadResult } from "../store/types.ts";

/** What the answer depends on beside the read. */
export interface PullAnswerContext {
  readonly settings: Pick<BrokerSettings, "brokerRole" | "slaveReadEnable" | "offsetCheckInSlave">;
  readonly store: { isFarBack(logOffset: number): boolean };
}

const codeOfStatus: Readonly<Record<GetStatus, number>> = {
  FOUND: ResponseCode.SUCCESS,
  OFFSET_OVERFLOW_ONE: ResponseCode.PULL_NOT_FOUND,
  OFFSET_FOUND_NULL: ResponseCode.PULL_NOT_FOUND,
  NO_MESSAGE_IN_QUEUE: ResponseCode.PULL_NOT_FOUND,
  NO_MATCHED_MESSAGE: ResponseCode.PULL_RETRY_IMMEDIATELY,
  MESSAGE_WAS_REMOVING: ResponseCode.PULL_RETRY_IMMEDIATELY,
  OFFSET_TOO_SMALL: ResponseCode.PULL_OFFSET_MOVED,
  OFFSET_OVERFLOW_BADLY: ResponseCode.PULL_OFFSET_MOVED,
};

/**
 * The answer to a pull from `queueOffset`. A slave may lag behind its master, so without `offsetCheckInSlave` it moves
 * no offset: the consumer is sent to the group's usual broker with the offset that it had.
 */
export function pullAnswer(
  queueOffset: number,
  result: ReadResult,
  group: Pick<SubscriptionGroupConfig, "brokerId" | "whichBrokerWhenConsumeSlowly">,
  { settings, store }: PullAnswerContext,
): Answer<typeof PullMessage> {
  const { status, lastLogOffset, minOffset, maxOffset } = result;
  let { nextBeginOffset } = result;
  let code = codeOfStatus[status];
  if (status === "NO_MESSAGE_IN_QUEUE" && queueOffset !== 0) code = ResponseCode.PULL_OFFSET_MOVED;
  const isSlow = lastLogOffset >= 0 && store.isFarBack(lastLogOffset);
  let suggestWhichBrokerId: number = MASTER_ID;
  if (settings.slaveReadEnable) {
    suggestWhichBrokerId = isSlow ? group.whichBrokerWhenConsumeSlowly : group.brokerId;
  }
  if (settings.brokerRole === "SLAVE" && !settings.offsetCheckInSlave) {
    // Nothing was scanned: the next offset would be a correction.
    if (lastLogOffset < 0) nextBeginOffset = queueOffset;
    if (code === ResponseCode.PULL_OFFSET_MOVED) {
      code = ResponseCode.PULL_RETRY_IMMEDIATELY;
      suggestWhichBrokerId = group.brokerId;
    }
  }
  return {
    code,
    remark: status,
    header: { suggestWhichBrokerId, nextBeginOffset, minOffset, maxOffset },
    ...(status === "FOUND" ? { body: result.pieces } : {}),
  };
}
