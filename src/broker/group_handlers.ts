/**
 * Consumer groups for operators and slaves: UPDATE_AND_CREATE_SUBSCRIPTIONGROUP 200, GET_ALL_SUBSCRIPTIONGROUP_CONFIG
 * 201, DELETE_SUBSCRIPTIONGROUP 207, QUERY_TOPIC_CONSUME_BY_WHO 300. Follows AdminBrokerProcessor of RocketMQ 4.9.7.
 *
 * @module
 */
import { encodeGroupList } from "../protocol/bodies/lists.ts";
import { decodeSubscriptionGroup } from "../protocol/bodies/subscription_group.ts";
import { ResponseCode } from "../protocol/codes.ts";
import {
  DeleteSubscriptionGroup,
  GetAllSubscriptionGroupConfig,
  QueryTopicConsumeByWho,
  UpdateAndCreateSubscriptionGroup,
} from "../protocol/requests.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import { slaveProblem } from "./slave_refusals.ts";

/** What these handlers need of the broker. */
export interface GroupHandlersContext extends Pick<BrokerContext, "groups"> {
  readonly settings: Pick<BrokerContext["settings"], "brokerRole">;
  readonly consumers: Pick<BrokerContext["consumers"], "groupsOf">;
  readonly offsets: Pick<BrokerContext["offsets"], "deleteGroup" | "groupsOf">;
  readonly stats: Pick<BrokerContext["stats"], "groupDeleted">;
}

/** Adds the handlers of consumer groups. */
export function groupHandlers(table: HandlerTable, broker: GroupHandlersContext): void {
  const { groups, settings, consumers, offsets, stats } = broker;
  table.on(UpdateAndCreateSubscriptionGroup, ({ body }) => {
    const problem = slaveProblem(settings);
    if (problem !== undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: problem };
    groups.update(decodeSubscriptionGroup(body));
    return { code: ResponseCode.SUCCESS };
  });
  // No such group is no problem: offsets may be left of it. One that is online is made again by its next request.
  table.on(DeleteSubscriptionGroup, ({ header: { groupName, removeOffset } }) => {
    const problem = slaveProblem(settings);
    if (problem !== undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: problem };
    groups.delete(groupName);
    if (removeOffset) offsets.deleteGroup(groupName);
    stats.groupDeleted(groupName);
    return { code: ResponseCode.SUCCESS };
  });
  table.on(GetAllSubscriptionGroupConfig, () => ({ code: ResponseCode.SUCCESS, body: groups.toBody() }));
  table.on(QueryTopicConsumeByWho, ({ header: { topic } }) => {
    const names = new Set([...consumers.groupsOf(topic), ...offsets.groupsOf(topic)]);
    return { code: ResponseCode.SUCCESS, body: encodeGroupList([...names]) };
  });
}
