/**
 * How much goes in and out, by topic and group.
 *
 * @module
 */
import { ViewBrokerStatsData } from "../../../protocol/admin_requests.ts";
import { type BrokerStatsData, decodeBrokerStats } from "../../../protocol/bodies/mod.ts";
import { ResponseCode } from "../../../protocol/codes.ts";
import { isDeadLetterTopic, isRetryTopic } from "../../../protocol/names.ts";
import type { Admin, Gathered, Peer } from "../admin.ts";
import { reads } from "../command.ts";
import { behind, brokersOf, progressOf } from "../groups.ts";
import { flag, text } from "../options.ts";
import { column, onceEach, result, type Row, table } from "../result.ts";
import { allTopics, groupsOf } from "./topics.ts";

const columns = {
  topic: column("TOPIC", "text"),
  group: column("GROUP", "text"),
  behind: column("BEHIND", "count"),
  inTps: column("IN", "rate"),
  outTps: column("OUT", "rate"),
  in24h: column("IN 24 H", "count"),
  out24h: column("OUT 24 H", "count"),
} as const;
const statsTable = table("stats", columns);

/** A figure of a broker; undefined while it has counted nothing of the kind. */
export async function statsAt(
  admin: Admin,
  broker: Peer,
  statsName: string,
  statsKey: string,
): Promise<BrokerStatsData | undefined> {
  const answer = await admin.try(broker, ViewBrokerStatsData, { statsName, statsKey });
  return answer.code === ResponseCode.SUCCESS ? decodeBrokerStats(answer.body) : undefined;
}

/** Of the last day, as far as it has been counted: what mqadmin takes for 24 hours. */
export function daySum({ statsDay, statsHour, statsMinute }: BrokerStatsData): number {
  return statsDay.sum || statsHour.sum || statsMinute.sum;
}

async function figures(admin: Admin, brokers: readonly Peer[], statsName: string, statsKey: string) {
  const { rows, failures } = await admin.each(brokers, async (broker) => {
    const stats = await statsAt(admin, broker, statsName, statsKey);
    return stats === undefined ? [] : [stats];
  });
  return {
    tps: rows.reduce((sum, { statsMinute }) => sum + statsMinute.tps, 0),
    sum: rows.reduce((sum, stats) => sum + daySum(stats), 0),
    failures,
  };
}

async function statsOf(admin: Admin, topic: string): Promise<Gathered<Row<typeof columns>>> {
  const brokers = await admin.readersOf(topic);
  const [incoming, groups] = await Promise.all([
    figures(admin, brokers, "TOPIC_PUT_NUMS", topic),
    groupsOf(admin, topic),
  ]);
  const base = { topic, inTps: incoming.tps, in24h: incoming.sum };
  const failures = [...incoming.failures, ...groups.failures];
  const rows = await Promise.all(groups.rows.map(async (group) => {
    const [outgoing, progress] = await Promise.all([
      figures(admin, brokers, "GROUP_GET_NUMS", `${topic}@${group}`),
      progressOf(admin, group, await brokersOf(admin, group), topic),
    ]);
    failures.push(...outgoing.failures, ...progress.failures);
    const left = Math.max(0, behind(progress.rows));
    return { ...base, group, behind: left, outTps: outgoing.tps, out24h: outgoing.sum };
  }));
  return {
    rows: rows.length > 0 ? rows : [{ ...base, group: null, behind: null, outTps: null, out24h: null }],
    failures,
  };
}

const statsAll = reads({
  name: "statsAll",
  area: "topics",
  summary: "Show how many messages go in and out, for each topic and its groups",
  options: {
    activeTopic: flag({ short: "a", help: "only where messages came or went" }),
    topic: text({ short: "t", value: "TOPIC", help: "only this topic" }),
  },
  watched: true,
  run: async (admin, { activeTopic, topic }) => {
    const topics = topic === undefined
      ? (await allTopics(admin)).filter((name) => !isRetryTopic(name) && !isDeadLetterTopic(name))
      : [topic];
    const peers = topics.map((name) => ({ name, address: "" }));
    const { rows, failures } = await admin.each(peers, async ({ name }) => [await statsOf(admin, name)]);
    const missed = onceEach([...failures, ...rows.flatMap(({ failures }) => failures)]);
    const active = rows.flatMap(({ rows }) => rows).filter(({ in24h, out24h }) =>
      !activeTopic || (in24h ?? 0) > 0 || (out24h ?? 0) > 0
    );
    return result(statsTable(active), missed);
  },
});

/** Commands that show figures. */
export const STATS_COMMANDS = [statsAll];
