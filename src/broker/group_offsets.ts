/**
 * Offsets of one group beside another's: CLONE_GROUP_OFFSET 314 gives a group the offsets of another,
 * QUERY_CORRECTION_OFFSET 308 tells how far all groups of a topic are. Follows AdminBrokerProcessor and
 * ConsumerOffsetManager of RocketMQ 4.9.7; other than there, a clone without a topic clones all of them, and groups that a
 * query leaves out keep their offsets.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { CloneGroupOffset, QueryCorrectionOffset } from "../protocol/admin_requests.ts";
import { encodeCorrectionOffsets } from "../protocol/bodies/reset_offset.ts";
import { ResponseCode } from "../protocol/codes.ts";
import { isRetryTopic } from "../protocol/names.ts";
import type { RequestHeader } from "../protocol/request.ts";
import type { Answer, HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import { LargeAnswers } from "./large_answers.ts";
import { slaveProblem } from "./slave_refusals.ts";
import { inTurns } from "./slices.ts";

const log = getLogger(["rocketd", "broker"]);

/** What these handlers need of the broker. */
export interface GroupOffsetsContext extends Pick<BrokerContext, "clock"> {
  readonly settings: Pick<BrokerContext["settings"], "brokerRole">;
  readonly topics: Pick<BrokerContext["topics"], "get">;
  readonly consumers: Pick<BrokerContext["consumers"], "find">;
  readonly offsets: Pick<BrokerContext["offsets"], "clone" | "pairs" | "queuesOf" | "topicsOf">;
  readonly store: Pick<BrokerContext["store"], "minOffset">;
}

/** "Any offset", where the slowest group is further than the one that is compared. */
const LONG_MAX = 2 ** 63;

/** Adds the handlers of group offsets. */
export function groupOffsetHandlers(table: HandlerTable, broker: GroupOffsetsContext): void {
  table.on(CloneGroupOffset, ({ header }) => clone(broker, header));
  const answers = new LargeAnswers("cannot compare the offsets", broker.clock);
  table.on(QueryCorrectionOffset, (request) => {
    const { header } = request;
    answers.give(request, async () => {
      return { code: ResponseCode.SUCCESS, body: encodeCorrectionOffsets(await corrections(broker, header)) };
    });
    return undefined;
  });
}

/** Topics that the source does not subscribe to while it is online are left out, unless `offline` says so. */
function clone(broker: GroupOffsetsContext, header: RequestHeader<typeof CloneGroupOffset>): Answer {
  const { settings, topics, consumers, offsets } = broker;
  const { srcGroup, destGroup, topic, offline } = header;
  // A slave's offsets are its master's.
  const refused = slaveProblem(settings);
  if (refused !== undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: refused };
  const isOne = topic !== undefined && topic.trim() !== "";
  // Nobody but the source itself reads its retry topic.
  const wanted = isOne ? [topic] : offsets.topicsOf(srcGroup).filter((name) => !isRetryTopic(name));
  const { subscriptions } = consumers.find(srcGroup) ?? {};
  for (const name of wanted) {
    if (topics.get(name) === undefined) continue;
    if (!offline && subscriptions !== undefined && subscriptions.size > 0 && !subscriptions.has(name)) continue;
    const problem = offsets.clone(srcGroup, destGroup, name);
    if (problem !== undefined) {
      return { code: ResponseCode.SYSTEM_ERROR, remark: `CLONE_GROUP_OFFSET of ${name}: ${problem}` };
    }
    log.info("the group {destGroup} has the offsets of {srcGroup} in {topic}", { srcGroup, destGroup, topic: name });
  }
  return { code: ResponseCode.SUCCESS };
}

/** By queue: the least offset of all groups, but for those that are left out and those whose messages are gone. */
async function corrections(
  { offsets, store, clock }: GroupOffsetsContext,
  { topic, compareGroup, filterGroups }: RequestHeader<typeof QueryCorrectionOffset>,
): Promise<Map<number, number>> {
  const leftOut = new Set((filterGroups ?? "").split(","));
  const least = new Map<number, number>();
  // Whoever may read may ask this, and there may be millions.
  await inTurns(offsets.pairs(), clock, (pair) => {
    if (pair.topic !== topic || leftOut.has(pair.group)) return;
    for (const [queueId, offset] of pair.queues) {
      if (offset < store.minOffset(topic, queueId)) continue;
      least.set(queueId, Math.min(offset, least.get(queueId) ?? Infinity));
    }
  });
  for (const [queueId, offset] of offsets.queuesOf(compareGroup, topic) ?? []) {
    const others = least.get(queueId);
    if (others !== undefined && others > offset) least.set(queueId, LONG_MAX);
  }
  return least;
}
