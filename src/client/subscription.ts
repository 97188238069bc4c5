/**
 * What a consumer wants of a topic: tag expressions as RocketMQ 4.9.7's `FilterAPI` reads them.
 *
 * @module
 */
import type { SubscriptionData } from "../protocol/bodies/mod.ts";
import { javaHash } from "../protocol/java_hash.ts";

/** All messages. */
export const EVERYTHING = "*";

/** The subscription of `*`, or of tags joined by `||`; `version` is its time, ms. */
export function subscriptionTo(topic: string, expression = EVERYTHING, version: number = Date.now()): SubscriptionData {
  const tags = expression.split("||").map((tag) => tag.trim()).filter((tag) => tag !== "");
  const all = tags.length === 0 || expression.trim() === EVERYTHING;
  const tagsSet = all ? [] : [...new Set(tags)];
  return {
    topic,
    subString: all ? EVERYTHING : expression,
    tagsSet,
    codeSet: tagsSet.map((tag) => javaHash(tag)),
    subVersion: version,
    expressionType: "TAG",
    classFilterMode: false,
  };
}

/** Whether a message with this tag is wanted: brokers compare hash codes only, which other tags may share. */
export function wants(subscription: SubscriptionData, tag: string | undefined): boolean {
  return subscription.tagsSet.length === 0 || (tag !== undefined && subscription.tagsSet.includes(tag));
}
