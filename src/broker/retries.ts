/**
 * The rules of retries, which a message that a consumer gives back and one that a client sends to a retry topic itself
 * have in common: how often a group tries, and where its messages end. Follows SendMessageProcessor of RocketMQ 4.9.7.
 *
 * @module
 */
import type { SubscriptionGroupConfig } from "../protocol/bodies/subscription_group.ts";
import { MQVersion, ResponseCode } from "../protocol/codes.ts";
import { checkTopic, deadLetterTopic, retryTopic } from "../protocol/names.ts";
import type { BrokerContext } from "./context.ts";

/** Why a retry is not taken. */
export interface RetryRefusal {
  readonly code: number;
  readonly remark: string;
}

/** The group of a retry; or the refusal where there is none, or its name leaves no room for that of a retry topic. */
export function groupOfRetry(
  { groups }: Pick<BrokerContext, "groups">,
  name: string,
): SubscriptionGroupConfig | RetryRefusal {
  const group = groups.find(name);
  if (group === undefined) {
    return { code: ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, remark: `subscription group not exist, ${name}` };
  }
  const illegal = checkTopic(retryTopic(name));
  return illegal === undefined ? group : { code: ResponseCode.SYSTEM_ERROR, remark: illegal };
}

/** How often a message may be consumed again: what the client wants, if it is of 3.4.9 or newer, else its group. */
export function retriesAllowed(group: SubscriptionGroupConfig, wanted: number | undefined, version: number): number {
  return wanted !== undefined && version >= MQVersion.V3_4_9 ? wanted : group.retryMaxTimes;
}

/** The dead letter queue of a group, made where it is missing. */
export function deadLetterQueue(
  { topics }: Pick<BrokerContext, "topics">,
  group: string,
): { readonly topic: string; readonly queueId: number } | RetryRefusal {
  const topic = deadLetterTopic(group);
  return topics.createOnSendBack(topic, 1, false) === undefined ? noTopic(topic) : { topic, queueId: 0 };
}

/** The refusal where a topic is missing and cannot be made. */
export function noTopic(topic: string): RetryRefusal {
  return { code: ResponseCode.SYSTEM_ERROR, remark: `topic[${topic}] not exist` };
}
