/**
 * Messages that a consumer could not handle: CONSUMER_SEND_MSG_BACK 36 stores them anew, for the group's retry topic
 * after a delay that grows, and for its dead letter queue in the end. Follows SendMessageProcessor of RocketMQ 4.9.7; other
 * than there, SUCCESS waits for the disk and the slave where messages do (SYNC_FLUSH, SYNC_MASTER): the consumer goes
 * past the message then, and the one stored anew is all that is left of it. On any other status, FLUSH_DISK_TIMEOUT too,
 * it sends the message itself: better twice than lost.
 *
 * @module
 */
import type { SubscriptionGroupConfig } from "../protocol/bodies/subscription_group.ts";
import type { TopicConfig } from "../protocol/bodies/topic_config.ts";
import { Permission, ResponseCode } from "../protocol/codes.ts";
import { formatMessageId } from "../protocol/message_id.ts";
import { decodeRecord, type MessageRecord } from "../protocol/message_record.ts";
import { retryTopic } from "../protocol/names.ts";
import { PropertyName, propertyOf, withProperty } from "../protocol/properties.ts";
import { ConsumerSendMsgBack } from "../protocol/requests.ts";
import { ALL_PERMITTED, type Permit } from "../remoting/access/guard.ts";
import type { Answer, HandlerTable, Incoming } from "../remoting/handlers.ts";
import type { NewMessage } from "../store/types.ts";
import type { BrokerContext } from "./context.ts";
import { storedAgain } from "./intake.ts";
import { recordRefusal } from "./record_permits.ts";
import { deadLetterQueue, groupOfRetry, noTopic, retriesAllowed, type RetryRefusal } from "./retries.ts";
import { slaveRefusal } from "./slave_refusals.ts";

/** What the handler needs of the broker. */
export interface SendBackContext extends Pick<BrokerContext, "groups" | "topics"> {
  readonly settings: Pick<BrokerContext["settings"], "brokerPermission" | "brokerIP1" | "brokerRole">;
  readonly store: Pick<BrokerContext["store"], "fetchRecord" | "logOffsetOf" | "options">;
  readonly intake: Pick<BrokerContext["intake"], "put">;
  readonly stats: Pick<BrokerContext["stats"], "broughtBack">;
}

type SendBack = Incoming<typeof ConsumerSendMsgBack>;

/** The delay level of the first retry where the consumer leaves it to the broker: ten seconds by default. */
const FIRST_LEVEL = 3;
/** `reconsumeTimes` is an int of the record. */
const TIMES_MAX = 0x7fff_ffff;

/** Adds the handler of messages that come back. */
export function sendBackHandlers(table: HandlerTable, broker: SendBackContext, permitOf = ALL_PERMITTED): void {
  table.on(ConsumerSendMsgBack, (request) => sendBack(broker, request, permitOf(request as Incoming)));
}

function sendBack(
  broker: SendBackContext,
  request: SendBack,
  permit: Permit | undefined,
): Answer | undefined | Promise<Answer | undefined> {
  const { header } = request;
  const { settings: { brokerPermission, brokerIP1 } } = broker;
  const closed = slaveRefusal(broker.settings);
  // As on a broker that could not store it: the consumer keeps the message, and sends it to a master itself.
  if (closed !== undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: `SERVICE_NOT_AVAILABLE: ${closed}` };
  const group = groupOfRetry(broker, header.group);
  if ("code" in group) return group;
  if ((brokerPermission & Permission.WRITE) === 0) {
    return forbidden(
      `the broker[${brokerIP1}] sending message is forbidden: its brokerPermission is ${brokerPermission}`,
    );
  }
  // A group without queues for retries does without: the message is let go.
  if (group.retryQueueNums <= 0) return { code: ResponseCode.SUCCESS };
  const retry = broker.topics.createOnSendBack(
    retryTopic(header.group),
    group.retryQueueNums,
    header.unitMode ?? false,
  );
  if (retry === undefined) return noTopic(retryTopic(header.group));
  if ((retry.perm & Permission.WRITE) === 0) {
    return forbidden(`the topic[${retry.topicName}] sending message is forbidden: its perm is ${retry.perm}`);
  }
  const stored = broker.store.fetchRecord(header.offset);
  const again = (bytes: Uint8Array | undefined) =>
    (bytes && recordRefusal(request, bytes, header.offset, permit, broker.store)) ??
      putAgain(broker, request, bytes, group, retry);
  return stored instanceof Promise ? stored.then(again) : again(stored);
}

function putAgain(
  broker: SendBackContext,
  request: SendBack,
  stored: Uint8Array | undefined,
  group: SubscriptionGroupConfig,
  retry: TopicConfig,
): Answer | undefined {
  if (stored === undefined) {
    const remark = `look message by offset failed, ${request.header.offset}`;
    return { code: ResponseCode.SYSTEM_ERROR, remark };
  }
  const message = anew(broker, request, decodeRecord(stored), group, retry);
  if ("code" in message) return message;
  const from = propertyOf(message.properties, PropertyName.RETRY_TOPIC)!;
  broker.intake.put(message, (result) => {
    const { status, reason } = result;
    // Without slaves the consumer's own message would fare no better, and be one more with each try.
    if (status === "PUT_OK" || status === "SLAVE_NOT_AVAILABLE") {
      broker.stats.broughtBack(request.header.group, from, result);
      return request.answer({ code: ResponseCode.SUCCESS });
    }
    request.answer({
      code: ResponseCode.SYSTEM_ERROR,
      remark: reason === undefined ? status : `${status}: ${reason}`,
    });
  });
  return undefined;
}

function forbidden(remark: string): Answer {
  return { code: ResponseCode.NO_PERMISSION, remark };
}

/** The message as it is stored for its next try, or as a dead letter. */
function anew(
  broker: SendBackContext,
  { header, version }: SendBack,
  record: MessageRecord,
  group: SubscriptionGroupConfig,
  retry: TopicConfig,
): NewMessage | RetryRefusal {
  const { delayLevel } = header;
  const isSpent = record.reconsumeTimes >= retriesAllowed(group, header.maxReconsumeTimes, version);
  let target: ReturnType<typeof deadLetterQueue>;
  let level = 0;
  if (isSpent || delayLevel < 0) target = deadLetterQueue(broker, header.group);
  else {
    target = { topic: retry.topicName, queueId: someQueue(group, retry) };
    level = delayLevel === 0 ? FIRST_LEVEL + record.reconsumeTimes : delayLevel;
    level = Math.min(level, broker.store.options.delayLevels.length);
  }
  if ("code" in target) return target;
  return {
    ...storedAgain(record),
    ...target,
    reconsumeTimes: Math.min(record.reconsumeTimes + 1, TIMES_MAX),
    properties: propertiesOf(record, level),
    waitForSync: true,
  };
}

/** Any queue that consumers know: a topic that was made for fewer queues does not get more with its group. */
function someQueue({ retryQueueNums }: SubscriptionGroupConfig, { writeQueueNums }: TopicConfig): number {
  return Math.floor(Math.random() * Math.min(retryQueueNums, writeQueueNums));
}

/** What the record has, and where the message came from first. */
function propertiesOf({ properties, topic, storeHost, physicalOffset }: MessageRecord, level: number): string {
  const { RETRY_TOPIC, ORIGIN_MESSAGE_ID, DELAY, WAIT } = PropertyName;
  let text = properties;
  if (propertyOf(text, RETRY_TOPIC) === undefined) text = withProperty(text, RETRY_TOPIC, topic);
  const origin = propertyOf(text, ORIGIN_MESSAGE_ID) ?? "";
  if (origin.trim() === "") text = withProperty(text, ORIGIN_MESSAGE_ID, formatMessageId(storeHost, physicalOffset));
  return withProperty(withProperty(text, DELAY, String(level)), WAIT, "false");
}
