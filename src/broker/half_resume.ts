/**
 * RESUME_CHECK_HALF_MESSAGE 323: a half message that nobody ended in time is stored anew, so that its producer is asked
 * again. Follows AdminBrokerProcessor of RocketMQ 4.9.7, which takes any message, be it no half of a transaction or one
 * that is still asked about, which would then be committed twice.
 *
 * @module
 */
import { ResponseCode } from "../protocol/codes.ts";
import { parseMessageId } from "../protocol/message_id.ts";
import { decodeRecord, type MessageRecord } from "../protocol/message_record.ts";
import { SystemTopic } from "../protocol/names.ts";
import { PropertyName, propertyOf, withProperty } from "../protocol/properties.ts";
import type { Answer } from "../remoting/handlers.ts";
import type { NewMessage } from "../store/types.ts";
import { HALF_QUEUE } from "./half_messages.ts";
import { storedAgain, targetOf } from "./intake.ts";
import type { BrokerContext } from "./context.ts";
import { slaveRefusal } from "./slave_refusals.ts";
import type { TransactionChecks } from "./transaction_checks.ts";

/** What it needs of the broker. */
export interface ResumeContext extends Pick<BrokerContext, "intake"> {
  readonly settings: Pick<BrokerContext["settings"], "brokerRole">;
  readonly store: Pick<BrokerContext["store"], "fetchRecord" | "logOffsetOf">;
}

const { TRANS_HALF, TRANS_CHECK_MAX_TIME } = SystemTopic;
const { PGROUP, TRANSACTION_CHECK_TIMES } = PropertyName;

/** Stores the half message anew whose record the id names: in the half topic, or where those go that stayed open. */
export async function resumeHalf(
  { settings, store, intake }: ResumeContext,
  checks: Pick<TransactionChecks, "isOpen">,
  msgId: string | undefined,
): Promise<Answer> {
  const refused = slaveRefusal(settings);
  if (refused !== undefined) return refusal(refused);
  if (msgId === undefined) return refusal("the field msgId is missing: which message?");
  const { logOffset } = parseMessageId(msgId);
  const found = store.fetchRecord(logOffset);
  const bytes = found instanceof Promise ? await found : found;
  if (bytes === undefined) return refusal(`can not find message by the id ${msgId}`);
  const half = decodeRecord(bytes);
  const { topic, queueId, queueOffset } = half;
  // The queue decides: bytes that look like a half message may be part of some message's body.
  if (!isHalf(half) || store.logOffsetOf(topic, queueId, queueOffset) !== logOffset) {
    return refusal(`the message ${msgId} is no half message`);
  }
  if (topic === TRANS_HALF && checks.isOpen(queueOffset)) {
    return refusal(`the transaction of ${msgId} is still open: its producer is asked about it`);
  }
  const again: NewMessage = {
    ...storedAgain(half),
    topic: TRANS_HALF,
    queueId: HALF_QUEUE,
    properties: withProperty(half.properties, TRANSACTION_CHECK_TIMES, "0"),
    waitForSync: false,
  };
  return await new Promise((resolve) => {
    intake.deliver(again, ({ status, reason }) => {
      if (status === "PUT_OK") return resolve({ code: ResponseCode.SUCCESS });
      resolve(refusal(`Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed: ${reason ?? status}`));
    });
  });
}

function isHalf(record: MessageRecord): boolean {
  const { topic, properties } = record;
  return (topic === TRANS_HALF || topic === TRANS_CHECK_MAX_TIME) && targetOf(record) !== undefined &&
    propertyOf(properties, PGROUP) !== undefined;
}

function refusal(remark: string): Answer {
  return { code: ResponseCode.SYSTEM_ERROR, remark };
}
