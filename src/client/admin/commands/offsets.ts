/**
 * Moving the offsets of consumer groups: to a time, to the end, to where another group is.
 *
 * @module
 */
import { CloneGroupOffset, GetTopicStatsInfo, InvokeBrokerToResetOffset } from "../../../protocol/admin_requests.ts";
import {
  type ConsumeStats,
  decodeResetOffset,
  decodeTopicStats,
  type MessageQueue,
} from "../../../protocol/bodies/mod.ts";
import { ResponseCode } from "../../../protocol/codes.ts";
import { GetMaxOffset, SearchOffsetByTimestamp, UpdateConsumerOffset } from "../../../protocol/requests.ts";
import { succeed } from "../../../remoting/client.ts";
import { compareQueues, queueKey } from "../../consumer/rebalance.ts";
import type { Admin, Peer } from "../admin.ts";
import { changes } from "../command.ts";
import { doAt, doneResult } from "../doing.ts";
import { brokersOf, GROUP, progressAt } from "../groups.ts";
import { NOW, text, time, truth } from "../options.ts";
import { type AdminResult, column, isoTime, result, type Row, table } from "../result.ts";
import { TOPIC } from "../targets.ts";

const moveColumns = {
  broker: column("BROKER", "text"),
  queueId: column("QUEUE", "count"),
  before: column("BEFORE", "count"),
  offset: column("NOW", "count"),
  end: column("END", "count"),
  how: column("HOW", "text"),
} as const;
const moveTable = table("queues", moveColumns);

/** What is to be done at one broker. */
interface Move {
  readonly topic: string;
  readonly group: string;
  /** Ms, or {@linkcode NOW} for the end. */
  readonly timestamp: number;
  /** Also forward. */
  readonly isForce: boolean;
}

/** Where a group is in the queues of one topic; nothing if the broker cannot tell. */
async function before(admin: Admin, broker: Peer, { group, topic }: Move): Promise<ConsumeStats["offsetTable"]> {
  const { offsetTable } = await progressAt(admin, broker, group, topic);
  return new Map([...offsetTable].filter(([queue]) => queue.topic === topic));
}

/** While members are online their broker tells them where to go on; otherwise the offsets are written one by one. */
async function moveAt(admin: Admin, broker: Peer, move: Move): Promise<Row<typeof moveColumns>[]> {
  const known = await before(admin, broker, move).catch((): ConsumeStats["offsetTable"] => new Map());
  const answer = await admin.try(broker, InvokeBrokerToResetOffset, { ...move });
  if (answer.code === ResponseCode.CONSUMER_NOT_ONLINE) return await moveOffline(admin, broker, move, known);
  const { body } = succeed(answer, `moving ${move.group}`);
  const places = new Map([...known].map(([queue, progress]) => [queueKey(queue), progress]));
  return [...decodeResetOffset(body)].sort(([a], [b]) => compareQueues(a, b)).map(([queue, offset]) => {
    const place = places.get(queueKey(queue));
    return {
      broker: queue.brokerName,
      queueId: queue.queueId,
      before: place?.consumerOffset ?? null,
      offset,
      end: place?.brokerOffset ?? null,
      how: "members told",
    };
  });
}

async function moveOffline(
  admin: Admin,
  broker: Peer,
  { topic, group, timestamp, isForce }: Move,
  known: ConsumeStats["offsetTable"],
): Promise<Row<typeof moveColumns>[]> {
  const queues = known.size > 0 ? [...known] : await untouched(admin, broker, topic);
  const rows: Row<typeof moveColumns>[] = [];
  for (const [queue, { brokerOffset, consumerOffset }] of queues.sort(([a], [b]) => compareQueues(a, b))) {
    const { queueId } = queue;
    const found = timestamp === NOW
      ? await admin.ask(broker, GetMaxOffset, { topic, queueId })
      : await admin.ask(broker, SearchOffsetByTimestamp, { topic, queueId, timestamp });
    const commitOffset = found.header.offset ?? consumerOffset;
    const moves = isForce || commitOffset <= consumerOffset;
    if (moves) await admin.ask(broker, UpdateConsumerOffset, { consumerGroup: group, topic, queueId, commitOffset });
    rows.push({
      broker: queue.brokerName,
      queueId,
      before: consumerOffset,
      offset: moves ? commitOffset : consumerOffset,
      end: brokerOffset,
      how: moves ? "nobody online" : "not moved forward",
    });
  }
  return rows;
}

/** The queues of a topic that the group has not read yet: it would begin with their first message. */
async function untouched(
  admin: Admin,
  broker: Peer,
  topic: string,
): Promise<[MessageQueue, { brokerOffset: number; consumerOffset: number }][]> {
  const { body } = await admin.ask(broker, GetTopicStatsInfo, { topic });
  return [...decodeTopicStats(body)].map((
    [queue, { minOffset, maxOffset }],
  ) => [queue, { brokerOffset: maxOffset, consumerOffset: minOffset }]);
}

async function moveEverywhere(admin: Admin, move: Move): Promise<AdminResult> {
  const { rows, failures } = await admin.each(
    await admin.readersOf(move.topic),
    (broker) => moveAt(admin, broker, move),
  );
  return result(moveTable(rows), failures);
}

const FORCE = truth({ short: "f", otherwise: true, help: "also forward, not only back (true)" });

const resetOffsetByTime = changes({
  name: "resetOffsetByTime",
  area: "groups",
  summary: "Let a group go on with the messages stored since a time",
  options: {
    group: GROUP,
    topic: TOPIC,
    timestamp: time({ short: "s", required: true, help: "now, ms since 1970, ISO 8601, or 2026-01-31#12:00:00:000" }),
    force: FORCE,
  },
  asks: ({ group, topic, timestamp }) =>
    `Move the group ${group} in ${topic} to ${timestamp === NOW ? "the end" : isoTime(timestamp) ?? "the begin"}?`,
  run: (admin, { group, topic, timestamp, force }) =>
    moveEverywhere(admin, { group, topic, timestamp, isForce: force }),
});

const skipAccumulatedMessage = changes({
  name: "skipAccumulatedMessage",
  area: "groups",
  summary: "Let a group go on with the messages to come, and skip all that are there",
  options: { group: GROUP, topic: TOPIC, force: FORCE },
  asks: ({ group, topic }) => `Skip all messages of ${topic} that the group ${group} has not got yet?`,
  run: (admin, { group, topic, force }) => moveEverywhere(admin, { group, topic, timestamp: NOW, isForce: force }),
});

const cloneGroupOffset = changes({
  name: "cloneGroupOffset",
  area: "groups",
  summary: "Put a group where another one is",
  options: {
    srcGroup: text({ short: "s", value: "GROUP", required: true, help: "the group that is copied" }),
    destGroup: text({ short: "d", value: "GROUP", required: true, help: "the group that is moved" }),
    topic: TOPIC,
    offline: truth({ short: "o", otherwise: false, help: "even if nobody of the copied group is online (false)" }),
  },
  asks: ({ srcGroup, destGroup, topic }) => `Move the group ${destGroup} in ${topic} to where ${srcGroup} is?`,
  run: async (admin, header) =>
    doneResult(
      await doAt(admin, await brokersOf(admin, header.srcGroup), async (broker) => {
        await admin.ask(broker, CloneGroupOffset, header);
        return `${header.destGroup} is where ${header.srcGroup} is`;
      }),
    ),
});

/** Commands that move offsets. */
export const OFFSET_COMMANDS = [resetOffsetByTime, skipAccumulatedMessage, cloneGroupOffset];
