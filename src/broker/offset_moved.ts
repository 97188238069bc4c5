/**
 * The messages in OFFSET_MOVED_EVENT: one for each pull that is sent to another offset than it asked for, as
 * PullMessageProcessor.generateOffsetMovedEvent of RocketMQ 4.9.7 writes them.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { BrokerSettings } from "../config/mod.ts";
import { encodeOffsetMoved, type OffsetMovedEvent } from "../protocol/bodies/message_queue.ts";
import { SystemTopic } from "../protocol/names.ts";
import { formatProperties, PropertyName } from "../protocol/properties.ts";
import type { BrokerContext } from "./context.ts";

const log = getLogger(["rocketd", "broker"]);

/** What the events need of the broker. */
export interface OffsetMovedContext extends Pick<BrokerContext, "intake" | "clock" | "storeHost"> {
  readonly settings: Pick<BrokerSettings, "brokerName">;
}

/** Stores the event that a pull of `queueOffset` was answered with `offsetNew`; tag and key are the group. */
export function offsetMoved(
  { intake, clock, storeHost, settings: { brokerName } }: OffsetMovedContext,
  pull: { readonly consumerGroup: string; readonly topic: string; readonly queueId: number; queueOffset: number },
  offsetNew: number,
): void {
  const { consumerGroup, topic, queueId, queueOffset } = pull;
  const event: OffsetMovedEvent = {
    consumerGroup,
    messageQueue: { topic, brokerName, queueId },
    offsetRequest: queueOffset,
    offsetNew,
  };
  const message = {
    topic: SystemTopic.OFFSET_MOVED_EVENT,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: clock.now(),
    bornHost: storeHost,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: encodeOffsetMoved(event),
    properties: formatProperties([[PropertyName.KEYS, consumerGroup], [PropertyName.TAGS, consumerGroup]]),
  };
  intake.put(message, ({ status, reason = status, logOffset }) => {
    if (logOffset < 0) log.debug("cannot store the event that an offset was moved: {reason}", { reason, event });
  });
}
