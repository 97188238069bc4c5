/**
 * Who has got a message: for each consumer group of its topic, as mqadmin's `messageTrackDetail` tells it.
 *
 * @module
 */
import { messageOf, RocketdError } from "../../errors.ts";
import { formatHost } from "../../protocol/host.ts";
import type { ReceivedMessage } from "../message.ts";
import type { Admin } from "./admin.ts";
import { brokersOf, membersOf, progressAt } from "./groups.ts";
import { column, type Row, table } from "./result.ts";

const columns = {
  message: column("MESSAGE", "text"),
  group: column("GROUP", "text"),
  state: column("STATE", "text"),
  detail: column("DETAIL", "text"),
} as const;

/** A row for each message and group. */
export const trackTable = table("tracks", columns);

/** What became of a message in each group. */
export async function tracksOf(
  admin: Admin,
  message: ReceivedMessage,
  groups: readonly string[],
): Promise<Row<typeof columns>[]> {
  const { rows } = await admin.each(groups.map((name) => ({ name, address: "" })), async ({ name: group }) => {
    const [state, detail = null] = await track(admin, message, group).catch((error) => {
      if (!(error instanceof RocketdError)) throw error;
      return ["UNKNOWN", messageOf(error)];
    });
    return [{ message: message.uniqueKey ?? message.offsetMessageId, group, state: state!, detail }];
  });
  return rows;
}

async function track(admin: Admin, message: ReceivedMessage, group: string): Promise<[state: string, detail?: string]> {
  const members = await membersOf(admin, group, await brokersOf(admin, group));
  if (members === undefined) return ["NOT_ONLINE"];
  if (members.consumeType === "CONSUME_ACTIVELY") return ["PULL"];
  const { topic, storeHost } = message.record;
  const broker = await admin.broker(formatHost(storeHost));
  const { offsetTable } = await progressAt(admin, broker, group, topic);
  const reached = [...offsetTable].some(([queue, { consumerOffset }]) =>
    queue.topic === topic && queue.queueId === message.queueId && consumerOffset > message.queueOffset
  );
  if (!reached) return ["NOT_CONSUME_YET"];
  const tags = members.subscriptionTable.get(topic)?.tagsSet ?? [];
  const wanted = tags.length === 0 || tags.includes("*") || (message.tag !== undefined && tags.includes(message.tag));
  return [wanted ? "CONSUMED" : "CONSUMED_BUT_FILTERED"];
}
