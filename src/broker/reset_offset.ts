/**
 * Where consumers that are online shall go on: INVOKE_BROKER_TO_RESET_OFFSET 222 works out an offset for each queue, by
 * time or the end, and tells all members of the group (220). They drop what they hold of the topic, wait ten seconds and
 * commit the new offsets themselves; the broker's stay as they are until then, so that no commit of a consumer that still
 * works undoes the reset. Follows Broker2Client of RocketMQ 4.9.7, but no member is told unless all can be.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { LARGE_ANSWERS_MS_PER_TURN, RESET_BYTES_MAX, RESET_BYTES_PER_TURN } from "../limits.ts";
import { pause } from "../platform/clock.ts";
import { InvokeBrokerToResetOffset, ResetConsumerClientOffset } from "../protocol/admin_requests.ts";
import type { MessageQueue } from "../protocol/bodies/message_queue.ts";
import { encodeResetOffset, encodeResetOffsetForC } from "../protocol/bodies/reset_offset.ts";
import { MQVersion, ResponseCode } from "../protocol/codes.ts";
import type { RequestHeader } from "../protocol/request.ts";
import type { Answer, HandlerTable } from "../remoting/handlers.ts";
import type { BrokerContext } from "./context.ts";
import type { Member, MemberConnection } from "./memberships.ts";

const log = getLogger(["rocketd", "broker"]);

/** What a reset needs of the broker. */
export interface ResetContext extends Pick<BrokerContext, "clock"> {
  readonly settings: Pick<BrokerContext["settings"], "brokerName">;
  readonly topics: Pick<BrokerContext["topics"], "get">;
  readonly offsets: Pick<BrokerContext["offsets"], "get">;
  readonly consumers: Pick<BrokerContext["consumers"], "find">;
  readonly store: Pick<BrokerContext["store"], "maxOffset" | "offsetByTime">;
}

type Reset = RequestHeader<typeof InvokeBrokerToResetOffset>;
type Members = ReadonlyMap<MemberConnection, Member>;

/** The timestamp that means the end of a queue. */
const END = -1;

/** Adds the handler of resets. */
export function resetHandlers(table: HandlerTable, broker: ResetContext): void {
  table.on(InvokeBrokerToResetOffset, ({ header, language }) => reset(broker, header, language));
}

/** @param language the administrator's: mqadmin says CPP where its flag says that the group's clients are in C++ */
async function reset(broker: ResetContext, header: Reset, language: string): Promise<Answer> {
  const { topic, group, timestamp } = header;
  const offsets = await offsetsOf(broker, header);
  if (typeof offsets === "string") return refusal(offsets);
  const members = broker.consumers.find(group)?.members;
  if (members === undefined) {
    const remark = `Consumer not online, so can not reset offset, Group: ${group} Topic: ${topic} ` +
      `Timestamp: ${timestamp}`;
    return { code: ResponseCode.CONSUMER_NOT_ONLINE, remark };
  }
  const body = encodeResetOffset(offsets);
  const problem = problemOf(members, body.length);
  if (problem !== undefined) return refusal(problem);
  let bodyForC: Uint8Array | undefined;
  const bodyFor = (member: Member) => {
    const isC = member.language === "CPP" || (language === "CPP" && member.language !== "JAVA");
    return isC ? bodyForC ??= encodeResetOffsetForC(offsets) : body;
  };
  const deaf = await tell(broker, header, members, bodyFor);
  const remark = deaf === 0 ? undefined : `${deaf} consumers were not told: they do not read what they are sent`;
  return { code: ResponseCode.SUCCESS, remark, body };
}

/** The offset to go on from for each queue; a text says why there is none. Others get their turn in between. */
async function offsetsOf(
  { settings, topics, offsets, store, clock }: ResetContext,
  { topic, group, timestamp, isForce }: Reset,
): Promise<Map<MessageQueue, number> | string> {
  const config = topics.get(topic);
  if (config === undefined) return `[reset-offset] reset offset failed, no topic in this broker. topic=${topic}`;
  const found = new Map<MessageQueue, number>();
  let began = clock.now();
  for (let queueId = 0; queueId < config.writeQueueNums; queueId++) {
    const current = offsets.get(group, topic, queueId);
    if (current < 0) return `THe consumer group <${group}> not exist`;
    const wanted = timestamp === END
      ? store.maxOffset(topic, queueId)
      : Math.max(0, store.offsetByTime(topic, queueId, timestamp));
    const offset = isForce || wanted < current ? wanted : current;
    found.set({ brokerName: settings.brokerName, topic, queueId }, offset);
    if (clock.now() - began < LARGE_ANSWERS_MS_PER_TURN) continue;
    await pause(clock);
    began = clock.now();
  }
  return found;
}

/** Why these members cannot be told; undefined when they can. */
function problemOf(members: Members, bytes: number): string | undefined {
  for (const { version } of members.values()) {
    if (version < MQVersion.V3_0_7_SNAPSHOT) return `the client does not support this feature. version=${version}`;
  }
  if (members.size * bytes <= RESET_BYTES_MAX) return undefined;
  return `to tell ${members.size} consumers takes ${members.size * bytes} bytes, allowed are ${RESET_BYTES_MAX}`;
}

/** Tells all members, and gives the number of those that cannot be told. */
async function tell(
  { clock }: ResetContext,
  { topic, group, timestamp }: Reset,
  members: Members,
  bodyFor: (member: Member) => Uint8Array,
): Promise<number> {
  // RocketMQ's brokers say nothing else here, whatever they were asked.
  const header = { topic, group, timestamp, isForce: false };
  let bytes = 0, deaf = 0;
  for (const [connection, member] of [...members]) {
    const { clientId } = member;
    if (connection.congested) {
      deaf++;
      log.warn("The consumer {clientId} of {group} does not read, and is not told its offsets", { clientId, group });
      continue;
    }
    const body = bodyFor(member);
    connection.notify(ResetConsumerClientOffset, header, [body]);
    log.info("told the consumer {clientId} of {group} where to go on in {topic}", { clientId, group, topic });
    bytes += body.length;
    if (bytes < RESET_BYTES_PER_TURN) continue;
    await pause(clock);
    bytes = 0;
  }
  return deaf;
}

function refusal(remark: string): Answer {
  return { code: ResponseCode.SYSTEM_ERROR, remark };
}
