/**
 * What a consumer wants of a topic: tag expressions as RocketMQ 4.9.7's `FilterAPI` reads them, or SQL92, which brokers
 * evaluate.
 *
 * @module
 */
import type { SubscriptionData } from "../../protocol/bodies/mod.ts";
import { javaHash } from "../../protocol/java_hash.ts";

/** All messages. */
export const EVERYTHING = "*";

/**
 * Which messages of a topic: `*`, tags joined by `||`, or an SQL92 expression over the messages' properties (brokers
 * need `enablePropertyFilter`).
 *
 * @example
 * ```ts
 * import { LitePullConsumer, Producer, type Selection, startLocalCluster } from "@rocketd/rocketd";
 * import { assertEquals } from "@std/assert";
 *
 * await using cluster = await startLocalCluster({ settings: { enablePropertyFilter: true } });
 * const { nameservers } = cluster;
 * await using producer = new Producer({ nameservers });
 * await producer.send({ topic: "orders", tag: "new", body: "small", properties: { amount: "5" } }, { by: "4711" });
 * await producer.send({ topic: "orders", tag: "new", body: "big", properties: { amount: "50" } }, { by: "4711" });
 *
 * const big: Selection = { sql: "amount > 10" }; // or by tags: "new || paid"
 * const subscriptions = { orders: big };
 * await using consumer = new LitePullConsumer({ nameservers, group: "office", subscriptions, from: "first" });
 * for await (const message of consumer) {
 *   assertEquals(message.text(), "big");
 *   break;
 * }
 * ```
 */
export type Selection = string | { readonly sql: string };

/** The subscription to a topic; `version` is its time, ms. */
export function subscriptionTo(
  topic: string,
  selection: Selection = EVERYTHING,
  version: number = Date.now(),
): SubscriptionData {
  const given = { topic, subVersion: version, classFilterMode: false };
  if (typeof selection !== "string") {
    return { ...given, subString: selection.sql, expressionType: "SQL92", tagsSet: [], codeSet: [] };
  }
  const tags = selection.split("||").map((tag) => tag.trim()).filter((tag) => tag !== "");
  const all = tags.length === 0 || selection.trim() === EVERYTHING;
  const tagsSet = all ? [] : [...new Set(tags)];
  const codeSet = tagsSet.map((tag) => javaHash(tag));
  return { ...given, subString: all ? EVERYTHING : selection, expressionType: "TAG", tagsSet, codeSet };
}

/** Whether a message with this tag is wanted: brokers compare hash codes only, which other tags may share. */
export function wants(subscription: SubscriptionData, tag: string | undefined): boolean {
  return subscription.tagsSet.length === 0 || (tag !== undefined && subscription.tagsSet.includes(tag));
}

/** Whether both choose the same messages. */
export function choosesTheSame(a: SubscriptionData, b: SubscriptionData): boolean {
  return a.subString === b.subString && a.expressionType === b.expressionType;
}
