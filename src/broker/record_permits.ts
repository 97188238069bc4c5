/**
 * Access control over single messages that a request names by their place in the log (33, 36). RocketMQ 4.9.7 hands them
 * to every account, whatever their topic.
 *
 * @module
 */
import { ResponseCode } from "../protocol/codes.ts";
import { decodeRecord, type MessageRecord } from "../protocol/message_record.ts";
import { TOPICS_CLOSED_TO_CLIENTS } from "../protocol/names.ts";
import { accessRefusal, type Permit } from "../remoting/access/guard.ts";
import { Grant } from "../remoting/access/permissions.ts";
import type { Answer, Incoming } from "../remoting/handlers.ts";
import type { MessageStore } from "../store/mod.ts";
import { targetOf } from "./intake.ts";

/** Why the sender of a request must not see the record at a log offset; undefined when it may. */
export function recordRefusal(
  request: Pick<Incoming, "type" | "connection">,
  bytes: Uint8Array,
  logOffset: number,
  permit: Permit | undefined,
  store: Pick<MessageStore, "logOffsetOf">,
): Answer | undefined {
  if (permit === undefined) return undefined;
  const record = decodeRecord(bytes);
  // The queue decides: bytes that look like a record may be the end of somebody's own message and others after it.
  if (store.logOffsetOf(record.topic, record.queueId, record.queueOffset) !== logOffset) {
    return { code: ResponseCode.SYSTEM_ERROR, remark: `can not find message by the offset, ${logOffset}` };
  }
  const reason = permit([topicOf(record), Grant.SUB]);
  return reason === undefined ? undefined : accessRefusal(request, reason);
}

/** The topic that a message is for, also while it is put aside where only the broker itself stores. */
function topicOf(record: MessageRecord): string {
  return TOPICS_CLOSED_TO_CLIENTS.has(record.topic) ? targetOf(record)?.topic ?? record.topic : record.topic;
}
