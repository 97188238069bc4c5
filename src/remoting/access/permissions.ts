/**
 * What accounts may do with topics and groups, and what each request needs. Groups are resources under the names of their
 * retry topics. Follows Permission and PlainAccessValidator of RocketMQ 4.9.7.
 *
 * @module
 */
import { HEARTBEAT_BYTES_MAX } from "../../limits.ts";
import { decodeHeartbeat } from "../../protocol/bodies/heartbeat.ts";
import { decodeLockBatch } from "../../protocol/bodies/message_queue.ts";
import { isReplyTopic, isRetryTopic, retryTopic } from "../../protocol/names.ts";
import { QueryConsumeQueue } from "../../protocol/admin_requests.ts";
import type { RequestType } from "../../protocol/request.ts";
import * as requests from "../../protocol/requests.ts";
import type { Incoming } from "../handlers.ts";

/** Bits of a permission; DENY never comes with another. */
export const Grant = { DENY: 1, PUB: 4, SUB: 8 } as const;

const WORDS: Readonly<Record<string, number>> = {
  PUB: Grant.PUB,
  SUB: Grant.SUB,
  "PUB|SUB": Grant.PUB | Grant.SUB,
  "SUB|PUB": Grant.PUB | Grant.SUB,
  DENY: Grant.DENY,
};
/** The words in which permissions are given. */
export const GRANT_WORDS = "PUB, SUB, PUB|SUB or DENY";

/** A permission's bits; undefined for what is none of {@linkcode GRANT_WORDS}. */
export function parseGrant(word: string): number | undefined {
  return Object.hasOwn(WORDS, word.trim()) ? WORDS[word.trim()] : undefined;
}

/** A topic, or the retry topic that stands for a group, with the bit that is needed. */
export type Need = readonly [resource: string, needed: number];

const NEEDS = new Map<number, (request: Incoming) => readonly Need[]>();

function declare<R extends RequestType>(type: R, needs: (request: Incoming<R>) => readonly Need[]): void {
  NEEDS.set(type.code, needs as unknown as (request: Incoming) => readonly Need[]);
}

const publish = (topic: string): Need => isRetryTopic(topic) ? [topic, Grant.SUB] : [topic, Grant.PUB];
const subscribe = (topic: string): Need => [topic, Grant.SUB];
const member = (group: string | undefined): Need[] => group === undefined ? [] : [[retryTopic(group), Grant.SUB]];

// A message to a retry topic comes from a consumer of its group, which could not handle it. RocketMQ looks at the
// sender's group there, which anybody can claim, and lets batches pass unseen.
declare(requests.SendMessage, ({ header }) => [publish(header.topic)]);
declare(requests.SendMessageV2, ({ header }) => [publish(header.topic)]);
declare(requests.SendBatchMessage, ({ header }) => [publish(header.topic)]);
// A reply is stored in the topic that it names. All who take requests may reply, so only other topics need a permission.
const reply = ({ topic }: { readonly topic: string }) => isReplyTopic(topic) ? [] : [publish(topic)];
declare(requests.SendReplyMessage, ({ header }) => reply(header));
declare(requests.SendReplyMessageV2, ({ header }) => reply(header));
declare(requests.ConsumerSendMsgBack, ({ header }) => member(header.group));
declare(requests.PullMessage, ({ header }) => [subscribe(header.topic), ...member(header.consumerGroup)]);
declare(requests.LitePullMessage, ({ header }) => [subscribe(header.topic), ...member(header.consumerGroup)]);
declare(requests.QueryMessage, ({ header }) => [subscribe(header.topic)]);
declare(requests.HeartBeat, ({ body }) => {
  // Its handler refuses it unread.
  if (body.length > HEARTBEAT_BYTES_MAX) return [];
  return decodeHeartbeat(body).consumerDataSet.flatMap(({ groupName, subscriptionDataSet }) => [
    ...member(groupName),
    ...subscriptionDataSet.map(({ topic }) => subscribe(topic)),
  ]);
});
declare(requests.UnregisterClient, ({ header }) => member(header.consumerGroup));
declare(requests.GetConsumerListByGroup, ({ header }) => member(header.consumerGroup));
declare(
  requests.UpdateConsumerOffset,
  ({ header }) => [...member(header.consumerGroup), subscribe(header.topic)],
);

// RocketMQ lets every account stop a group by taking the locks of its queues, and see what any queue holds.
declare(requests.LockBatchMq, ({ body }) => member(decodeLockBatch(body).consumerGroup));
declare(requests.UnlockBatchMq, ({ body }) => member(decodeLockBatch(body).consumerGroup));
declare(QueryConsumeQueue, ({ header }) => [subscribe(header.topic)]);

/** What a request needs; nothing for those that an account's signature is enough for. Throws `malformed` for a bad body. */
export function needsOf(request: Incoming): readonly Need[] {
  return NEEDS.get(request.type.code)?.(request) ?? [];
}
