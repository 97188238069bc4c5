/**
 * Which messages a pull wants: from what it says itself, or from what its group told with a heartbeat, to a filter for
 * the store. The checks follow PullMessageProcessor and ClientManageProcessor of RocketMQ 4.9.7.
 *
 * @module
 */
import type { BrokerSettings } from "../config/mod.ts";
import { shortened } from "../errors.ts";
import { SUBSCRIPTION_LENGTH_MAX } from "../limits.ts";
import type { SubscriptionData } from "../protocol/bodies/heartbeat.ts";
import { PullFlag, ResponseCode } from "../protocol/codes.ts";
import { recordProperties } from "../protocol/message_record.ts";
import { isRetryTopic, RETRY_PREFIX } from "../protocol/names.ts";
import { PropertyName, propertyOf } from "../protocol/properties.ts";
import type { RequestHeader } from "../protocol/request.ts";
import type { PullMessage } from "../protocol/requests.ts";
import type { MessageFilter } from "../store/types.ts";
import type { ConsumerFilters } from "./consumer_filters.ts";
import type { ConsumerGroups } from "./consumers.ts";
import { SqlMistake } from "./sql/sql.ts";
import { SqlFilters } from "./sql_filters.ts";
import { TagFilters, tagsProblem } from "./tag_filters.ts";

/** The type of SQL92 expressions. */
export const SQL92 = "SQL92";

/** Tags are what an expression is made of where nothing else is said. */
export function isTagType(expressionType: string): boolean {
  return expressionType === "TAG" || expressionType === "";
}

/** A filter, where undefined wants everything, or why there is none. */
export type Filtered = { readonly filter: MessageFilter | undefined } | Refusal;
/** A response code and its remark. */
export interface Refusal {
  readonly code: number;
  readonly remark: string;
}

/** Filters of expressions. */
export class MessageFilters {
  readonly #settings: Pick<BrokerSettings, "enablePropertyFilter">;
  readonly #tags = new TagFilters();
  readonly sql = new SqlFilters();

  constructor(settings: Pick<BrokerSettings, "enablePropertyFilter">) {
    this.#settings = settings;
  }

  /** The filter of an expression, unless its type is not served or there is a mistake in it. */
  of(expressionType: string, expression: string): Filtered {
    if (isTagType(expressionType)) {
      const problem = expression.length > SUBSCRIPTION_LENGTH_MAX
        ? `the subscription has ${expression.length} characters, allowed are ${SUBSCRIPTION_LENGTH_MAX}`
        : tagsProblem(expression);
      return problem === undefined ? { filter: this.#tags.of(expression) } : parseFailed(problem);
    }
    if (!this.#settings.enablePropertyFilter) {
      const remark = `The broker does not support consumer to filter message by ${shortened(expressionType)}`;
      return { code: ResponseCode.SYSTEM_ERROR, remark };
    }
    if (expressionType !== SQL92) {
      return parseFailed(`the expressionType is ${shortened(expressionType)}, allowed are TAG and ${SQL92}`);
    }
    try {
      return { filter: this.sql.of(expression).filter };
    } catch (error) {
      if (error instanceof SqlMistake) return parseFailed(`Invalid MessageSelector: ${error.message}`);
      throw error;
    }
  }
}

function parseFailed(remark: string): Refusal {
  return { code: ResponseCode.SUBSCRIPTION_PARSE_FAILED, remark };
}

/** What finding the filter of a pull needs of the broker. */
export interface PullFilterContext {
  readonly settings: Pick<BrokerSettings, "filterSupportRetry">;
  readonly consumers: Pick<ConsumerGroups, "find">;
  readonly consumerFilters: Pick<ConsumerFilters, "get">;
  readonly filters: MessageFilters;
}

type PullHeader = Pick<
  RequestHeader<typeof PullMessage>,
  "consumerGroup" | "topic" | "sysFlag" | "subscription" | "expressionType" | "subVersion"
>;

/** The filter of a pull, or the answer that refuses it. `broadcastAllowed`: the group's consumeBroadcastEnable. */
export function pullFilter(broker: PullFilterContext, header: PullHeader, broadcastAllowed: boolean): Filtered {
  const { sysFlag, topic } = header;
  if ((sysFlag & PullFlag.CLASS_FILTER) !== 0) {
    return { code: ResponseCode.SYSTEM_ERROR, remark: "class filters are not supported (sysFlag bit 3)" };
  }
  const found = (sysFlag & PullFlag.SUBSCRIPTION) !== 0
    ? broker.filters.of(header.expressionType ?? "TAG", header.subscription ?? "*")
    : subscribed(broker, header, broadcastAllowed);
  if ("code" in found || !broker.settings.filterSupportRetry || !isRetryTopic(topic)) return found;
  return { filter: retryFilter(broker, topic, found.filter) };
}

function subscribed(broker: PullFilterContext, header: PullHeader, broadcastAllowed: boolean): Filtered {
  const { consumerGroup, topic, subVersion } = header;
  const members = broker.consumers.find(consumerGroup);
  if (members === undefined) {
    return {
      code: ResponseCode.SUBSCRIPTION_NOT_EXIST,
      remark: `the consumer's group info not exist: ${consumerGroup}`,
    };
  }
  if (!broadcastAllowed && members.messageModel === "BROADCASTING") {
    const remark = `the consumer group[${consumerGroup}] can not consume by broadcast way`;
    return { code: ResponseCode.NO_PERMISSION, remark };
  }
  const subscription: SubscriptionData | undefined = members.subscriptions.get(topic);
  if (subscription === undefined) {
    return {
      code: ResponseCode.SUBSCRIPTION_NOT_EXIST,
      remark: `the consumer's subscription not exist: ${topic} of ${consumerGroup}`,
    };
  }
  if (subscription.subVersion < subVersion) {
    return { code: ResponseCode.SUBSCRIPTION_NOT_LATEST, remark: "the consumer's subscription not latest" };
  }
  const { expressionType, subString } = subscription;
  if (isTagType(expressionType)) return broker.filters.of(expressionType, subString);
  const data = broker.consumerFilters.get(topic, consumerGroup);
  if (data === undefined) {
    const made = broker.filters.of(expressionType, subString);
    const reason = "code" in made ? `: ${made.remark}` : "";
    const remark = `The broker's consumer filter data is not exist!Your expression may be wrong!${reason}`;
    return { code: ResponseCode.FILTER_DATA_NOT_EXIST, remark };
  }
  if (data.clientVersion < subVersion) {
    return { code: ResponseCode.FILTER_DATA_NOT_LATEST, remark: "the consumer's consumer filter data not latest" };
  }
  return broker.filters.of(data.expressionType, data.expression);
}

/**
 * Messages of a retry topic that the group's filter of their real topic lets through: the expression may have changed
 * since they failed (ExpressionForRetryMessageFilter).
 */
function retryFilter(broker: PullFilterContext, topic: string, filter: MessageFilter | undefined): MessageFilter {
  const group = topic.slice(RETRY_PREFIX.length);
  const record = (bytes: Uint8Array): boolean => {
    const properties = recordProperties(bytes);
    const data = broker.consumerFilters.get(propertyOf(properties, PropertyName.RETRY_TOPIC) ?? "", group);
    return data === undefined || broker.filters.sql.of(data.expression).expression.evaluate(properties) === true;
  };
  return filter?.entry === undefined ? { record } : { entry: filter.entry, record };
}
