/**
 * Consumer groups for operators and slaves: UPDATE_AND_CREATE_SUBSCRIPTIONGROUP 200, GET_ALL_SUBSCRIPTIONGROUP_CONFIG
 * 201. Follows AdminBrokerProcessor of RocketMQ 4.9.7.
 *
 * @module
 */
import { decodeSubscriptionGroup } from "../protocol/bodies/subscription_group.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { GetAllSubscriptionGroupConfig, UpdateAndCreateSubscriptionGroup } from "../protocol/requests.ts";
import type { HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import { slaveProblem } from "./slave_refusals.ts";

/** What these handlers need of the broker. */
export interface GroupHandlersContext extends Pick<BrokerContext, "groups"> {
  readonly settings: Pick<BrokerContext["settings"], "brokerRole">;
}

/** Adds the handlers of consumer groups. */
export function groupHandlers(table: HandlerTable, { groups, settings }: GroupHandlersContext): void {
  table.on(UpdateAndCreateSubscriptionGroup, ({ body }) => {
    const problem = slaveProblem(settings);
    if (problem !== undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: problem };
    groups.update(decodeSubscriptionGroup(body));
    return { code: ResponseCode.SUCCESS };
  });
  table.on(GetAllSubscriptionGroupConfig, () => ({ code: ResponseCode.SUCCESS, body: groups.toBody() }));
}
