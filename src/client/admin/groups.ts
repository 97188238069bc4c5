/**
 * What several commands ask about consumer groups: which brokers serve one, how far it is, who its members are.
 *
 * @module
 */
import { RocketdError } from "../../errors.ts";
import { GetConsumerConnectionList, GetConsumeStats } from "../../protocol/admin_requests.ts";
import {
  type ConsumerConnection,
  type ConsumeStats,
  decodeConsumerConnection,
  decodeConsumeStats,
  decodeTopicList,
} from "../../protocol/bodies/mod.ts";
import { ResponseCode } from "../../protocol/codes.ts";
import { isRetryTopic, RETRY_PREFIX, retryTopic } from "../../protocol/names.ts";
import { GetAllTopicListFromNameserver } from "../../protocol/requests.ts";
import { succeed } from "../../remoting/client.ts";
import type { Admin, Gathered, Peer } from "./admin.ts";
import { text } from "./options.ts";

/** `-g` of commands about one consumer group. */
export const GROUP = text({
  short: "g",
  aliases: ["groupName", "consumerGroup", "group"],
  value: "GROUP",
  help: "the consumer group",
  required: true,
});

/** How much longer than other answers those may take that look at all queues of a group (mqadmin's is the same). */
const LONG_PATIENCE = 3;

/** All groups that ever had to try a message again: those that have a retry topic. */
export async function knownGroups(admin: Admin): Promise<string[]> {
  const { topicList } = decodeTopicList((await admin.lookUp(GetAllTopicListFromNameserver, {})).body);
  return topicList.filter(isRetryTopic).map((topic) => topic.slice(RETRY_PREFIX.length)).sort();
}

/** The brokers that have a group's retry topic; all masters for a group without one, as pull consumers are. */
export async function brokersOf(admin: Admin, group: string): Promise<Peer[]> {
  try {
    return await admin.readersOf(retryTopic(group));
  } catch (error) {
    if (!(error instanceof RocketdError) || error.code !== "notFound") throw error;
    return await admin.masters({});
  }
}

/** How far a group is on one broker, in all topics or in one. */
export async function progressAt(admin: Admin, broker: Peer, group: string, topic?: string): Promise<ConsumeStats> {
  const header = { consumerGroup: group, ...(topic === undefined ? {} : { topic }) };
  return decodeConsumeStats((await admin.ask(broker, GetConsumeStats, header, { patience: LONG_PATIENCE })).body);
}

/** How far a group is on each of its brokers. */
export function progressOf(
  admin: Admin,
  group: string,
  brokers: readonly Peer[],
  topic?: string,
): Promise<Gathered<ConsumeStats>> {
  return admin.each(brokers, async (broker) => [await progressAt(admin, broker, group, topic)]);
}

/** A group's members as one broker knows them; undefined when it knows none. */
export async function membersAt(admin: Admin, broker: Peer, group: string): Promise<ConsumerConnection | undefined> {
  const answer = await admin.try(broker, GetConsumerConnectionList, { consumerGroup: group });
  if (answer.code === ResponseCode.CONSUMER_NOT_ONLINE) return undefined;
  return decodeConsumerConnection(succeed(answer, GetConsumerConnectionList.name).body);
}

/**
 * A group's members: push consumers are known to every broker, so the first one that knows any is enough. Undefined when
 * nobody is there; throws what the last broker said when none of them answered.
 */
export async function membersOf(
  admin: Admin,
  group: string,
  brokers: readonly Peer[],
): Promise<ConsumerConnection | undefined> {
  let failure: unknown;
  let answered = false;
  for (const broker of brokers) {
    try {
      const members = await membersAt(admin, broker, group);
      if (members && members.connectionSet.length > 0) return members;
      answered = true;
    } catch (error) {
      if (!(error instanceof RocketdError)) throw error;
      failure = error;
    }
  }
  if (!answered && failure !== undefined) throw failure;
  return undefined;
}

/** Messages that a group has not got yet. */
export function behind(stats: readonly ConsumeStats[]): number {
  return stats.flatMap(({ offsetTable }) => [...offsetTable.values()])
    .reduce((sum, { brokerOffset, consumerOffset }) => sum + brokerOffset - consumerOffset, 0);
}

/** The error for a group of which nobody knows anything. */
export function nobodyIn(group: string): RocketdError {
  return new RocketdError("notFound", `Cannot find a member of the group ${group}: it is not online`, {
    field: "group",
    value: group,
  });
}
