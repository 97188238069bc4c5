/**
 * Taking messages: SEND_MESSAGE 10, SEND_MESSAGE_V2 310, SEND_BATCH_MESSAGE 320. The checks and their order are those
 * of SendMessageProcessor 4.9.7; a topic without write permission is refused too (Java writes to it).
 *
 * @module
 */
import { messageOf, RocketdError } from "../errors.ts";
import { Permission, ResponseCode, SysFlag } from "../protocol/codes.ts";
import { checkTopic, isRetryTopic, RETRY_PREFIX, TOPICS_CLOSED_TO_CLIENTS } from "../protocol/names.ts";
import { measureBatch, type MeasuredBatch } from "../protocol/message_batch.ts";
import { RECORD_BYTES_MIN } from "../protocol/message_record.ts";
import { dropProperty, PropertyName, propertyOf, withProperty } from "../protocol/properties.ts";
import { SentProperties } from "../protocol/property_bytes.ts";
import { textAt } from "../protocol/known_texts.ts";
import { MessageIds } from "../protocol/message_id.ts";
import type { RequestHeader } from "../protocol/request.ts";
import { SendBatchMessage, SendMessage, SendMessageV2 } from "../protocol/requests.ts";
import type { Answer, HandlerTable, Incoming } from "../remoting/handlers.ts";
import type { NewMessage, PutResult, PutStatus } from "../store/types.ts";
import type { TopicConfig } from "../protocol/bodies/topic_config.ts";
import type { BrokerContext } from "./context.ts";
import { halfOf, isTransactional } from "./half_messages.ts";
import { delayProblem } from "./intake.ts";
import { deadLetterQueue, groupOfRetry, retriesAllowed } from "./retries.ts";
import { slaveRefusal } from "./slave_refusals.ts";

type Send = typeof SendMessage;
type SendHeader = RequestHeader<Send>;

/** What a put's status means to the sender; the last six are not stored. */
export const codeOfStatus: Readonly<Record<PutStatus, number>> = {
  PUT_OK: ResponseCode.SUCCESS,
  FLUSH_DISK_TIMEOUT: ResponseCode.FLUSH_DISK_TIMEOUT,
  FLUSH_SLAVE_TIMEOUT: ResponseCode.FLUSH_SLAVE_TIMEOUT,
  SLAVE_NOT_AVAILABLE: ResponseCode.SLAVE_NOT_AVAILABLE,
  SERVICE_NOT_AVAILABLE: ResponseCode.SERVICE_NOT_AVAILABLE,
  MESSAGE_ILLEGAL: ResponseCode.MESSAGE_ILLEGAL,
  PROPERTIES_SIZE_EXCEEDED: ResponseCode.MESSAGE_ILLEGAL,
  CREATE_MAPEDFILE_FAILED: ResponseCode.SYSTEM_ERROR,
  OS_PAGECACHE_BUSY: ResponseCode.SYSTEM_ERROR,
  UNKNOWN_ERROR: ResponseCode.SYSTEM_ERROR,
};

/** Adds the handlers of sends. */
export function sendingHandlers(table: HandlerTable, broker: BrokerContext): void {
  const sending = new Sending(broker);
  table.on(SendMessage, (request) => sending.send(request));
  table.on(SendMessageV2, (request) => sending.send(request));
  table.on(SendBatchMessage, (request) => sending.send(request));
}

const NO_BYTES = new Uint8Array(0);
const encoder = new TextEncoder();
// A byte order mark at the front is part of the text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What the properties of a batch, `text`, mean for its messages. */
interface SharedProperties {
  readonly text: string;
  /** What stands behind the properties of each. */
  readonly behind: Uint8Array;
  readonly wait: boolean;
  readonly delayed: boolean;
}

interface RegionFields {
  readonly MSG_REGION: string;
  readonly TRACE_ON: string;
}

/** What all requests that bring a message have in common, and how those are served that only store it. */
export class Sending {
  readonly #broker: BrokerContext;
  readonly #ids: MessageIds;
  readonly #traced: RegionFields;
  readonly #untraced: RegionFields;
  /** Of the send that is read now. */
  readonly #properties: SentProperties;
  #shared: SharedProperties | undefined;

  constructor(broker: BrokerContext) {
    this.#broker = broker;
    this.#ids = new MessageIds(broker.storeHost);
    const { regionId, brokerClusterName } = broker.settings;
    this.#properties = new SentProperties(encoder.encode(withProperty("", PropertyName.CLUSTER, brokerClusterName)));
    this.#traced = { MSG_REGION: regionId, TRACE_ON: "true" };
    this.#untraced = { MSG_REGION: regionId, TRACE_ON: "false" };
  }

  /** Fields of every answer, refusals too. */
  get region(): RegionFields {
    return this.#broker.settings.traceOn ? this.#traced : this.#untraced;
  }

  send(request: Incoming<Send>): Answer<Send> | undefined {
    const { header } = request;
    const topic = this.#topicFor(header);
    if ("code" in topic) return topic;
    if (header.batch) return this.#putBatch(request, topic);
    const sent = this.#properties;
    const isPlain = sent.read(header.properties ?? NO_BYTES) && !isRetryTopic(topic.topicName);
    return isPlain ? this.#putPlain(request, topic, sent) : this.#put(request, topic);
  }

  /** The message that a request asks to store, its topic made if need be; or the answer that refuses it. */
  prepare(request: Incoming<Send>): NewMessage | Answer<Send> {
    const { header } = request;
    const topic = this.#topicFor(header);
    if ("code" in topic) return topic;
    return newMessage(request, topic, decoder.decode(header.properties));
  }

  #refuse(code: number, remark: string): Answer<Send> {
    return { code, remark, header: this.region };
  }

  /** The topic to write to, made if that is allowed; or the answer that refuses the send. */
  #topicFor(header: SendHeader): TopicConfig | Answer<Send> {
    const { settings, topics, clock } = this.#broker;
    const closed = slaveRefusal(settings);
    if (closed !== undefined) return this.#refuse(ResponseCode.SERVICE_NOT_AVAILABLE, closed);
    const from = settings.startAcceptSendRequestTimeStamp;
    if (from > 0 && clock.now() < from) {
      const until = new Date(from).toISOString();
      return this.#refuse(ResponseCode.SYSTEM_ERROR, `broker unable to service, until ${until}`);
    }
    let topic = topics.get(header.topic);
    if (topic === undefined) {
      const illegal = checkTopic(header.topic);
      if (illegal !== undefined) return this.#refuse(ResponseCode.SYSTEM_ERROR, illegal);
    }
    if (TOPICS_CLOSED_TO_CLIENTS.has(header.topic)) {
      return this.#refuse(ResponseCode.NO_PERMISSION, `Sending message to topic[${header.topic}] is forbidden.`);
    }
    topic ??= topics.createOnSend(
      header.topic,
      header.defaultTopic,
      header.defaultTopicQueueNums,
      header.unitMode ?? false,
    );
    if (topic === undefined && isRetryTopic(header.topic)) {
      topic = topics.createOnSendBack(header.topic, 1, header.unitMode ?? false);
    }
    if (topic === undefined) {
      return this.#refuse(
        ResponseCode.TOPIC_NOT_EXIST,
        `topic[${header.topic}] not exist, apply first please! (it cannot be made from defaultTopic ${header.defaultTopic})`,
      );
    }
    if ((topic.perm & Permission.WRITE) === 0) {
      return this.#refuse(
        ResponseCode.NO_PERMISSION,
        `the topic[${topic.topicName}] sending message is forbidden: its perm is ${topic.perm}, writing needs ${Permission.WRITE}`,
      );
    }
    if ((settings.brokerPermission & Permission.WRITE) === 0 && topic.order) {
      const { brokerIP1, brokerPermission } = settings;
      return this.#refuse(
        ResponseCode.NO_PERMISSION,
        `the broker[${brokerIP1}] sending message is forbidden: its brokerPermission is ${brokerPermission}`,
      );
    }
    const queues = Math.max(topic.writeQueueNums, topic.readQueueNums);
    if (header.queueId >= queues) {
      return this.#refuse(
        ResponseCode.SYSTEM_ERROR,
        `request queueId[${header.queueId}] is illegal, topic[${topic.topicName}] has queues 0 to ${queues - 1}`,
      );
    }
    return topic;
  }

  /** Stores what nearly all messages are: one that asks for nothing else. */
  #putPlain(request: Incoming<Send>, topic: TopicConfig, properties: SentProperties): undefined {
    const message = newMessage(request, topic, properties, properties.wait);
    this.#broker.store.put(message, (result) => request.answer(this.#answer(result, message.queueId)));
  }

  #put(request: Incoming<Send>, topic: TopicConfig): Answer<Send> | undefined {
    const properties = decoder.decode(request.header.properties);
    const waits = propertyOf(properties, PropertyName.WAIT) !== "false";
    const message: NewMessage = newMessage(request, topic, properties, waits);
    const { queueId } = message;
    const refused = isRetryTopic(message.topic) ? this.#buryIfSpent(request, message) : undefined;
    if (refused !== undefined) return refused;
    const done = (result: PutResult) => request.answer(this.#answer(result, queueId));
    if (isTransactional(message)) return this.#prepare(message, done);
    message.properties = this.#ownProperties(message.properties);
    this.#broker.intake.put(message, done);
    return undefined;
  }

  /** Keeps a message back until END_TRANSACTION says what becomes of it; its properties stay whole, WAIT too. */
  #prepare(message: NewMessage, done: (result: PutResult) => void): Answer<Send> | undefined {
    const { settings, intake } = this.#broker;
    if (settings.rejectTransactionMessage) {
      return this.#refuse(
        ResponseCode.NO_PERMISSION,
        `the broker[${settings.brokerIP1}] sending transaction message is forbidden: rejectTransactionMessage is true`,
      );
    }
    // Its delay begins when the transaction is committed, which must not fail then.
    const illegal = delayProblem(message);
    if (illegal !== undefined) return this.#refuse(ResponseCode.MESSAGE_ILLEGAL, illegal);
    message.properties = withProperty(message.properties, PropertyName.CLUSTER, settings.brokerClusterName);
    intake.deliver(halfOf(message), done);
    return undefined;
  }

  /**
   * A client sends to a retry topic when the broker did not take the message back (CONSUMER_SEND_MSG_BACK): one that has
   * been tried often enough becomes a dead letter, at once.
   */
  #buryIfSpent({ header, version }: Incoming<Send>, message: NewMessage): Answer<Send> | undefined {
    const name = message.topic.slice(RETRY_PREFIX.length);
    const group = groupOfRetry(this.#broker, name);
    if ("code" in group) return this.#refuse(group.code, group.remark);
    if (message.reconsumeTimes < retriesAllowed(group, header.maxReconsumeTimes, version)) return undefined;
    const target = deadLetterQueue(this.#broker, name);
    if ("code" in target) return this.#refuse(target.code, target.remark);
    Object.assign(message, target, { properties: dropProperty(message.properties, PropertyName.DELAY) });
    return undefined;
  }

  #putBatch(request: Incoming<Send>, topic: TopicConfig): Answer<Send> | undefined {
    const { header, connection, body } = request;
    const { settings, store } = this.#broker;
    if (body.length > settings.maxMessageSize) {
      return this.#refuse(
        ResponseCode.MESSAGE_ILLEGAL,
        `message body length ${body.length} of the batch is over maxMessageSize ${settings.maxMessageSize}`,
      );
    }
    const sysFlag = sysFlagOf(header, topic);
    const shared = this.#sharedBy(header);
    if ((sysFlag & SysFlag.TRANSACTION_MASK) !== 0 || shared.delayed) {
      return this.#refuse(ResponseCode.MESSAGE_ILLEGAL, "a batch can be neither transactional nor delayed");
    }
    const { behind } = shared;
    let batch: MeasuredBatch;
    try {
      const recordBytes = RECORD_BYTES_MIN + topic.topicName.length + behind.length;
      batch = measureBatch(body, recordBytes, store.putBytesMax);
    } catch (error) {
      if (!(error instanceof RocketdError)) throw error;
      return this.#refuse(ResponseCode.MESSAGE_ILLEGAL, `the batch is illegal: ${messageOf(error)}`);
    }
    const queueId = queueOf(header, topic);
    // Not through the intake: a delay level that an entry has is ignored, as in RocketMQ.
    store.putBatch({
      topic: topic.topicName,
      queueId,
      sysFlag,
      bornTimestamp: header.bornTimestamp,
      bornHost: connection.peerHost,
      reconsumeTimes: header.reconsumeTimes ?? 0,
      preparedTransactionOffset: 0,
      batch,
      behind,
      waitForSync: shared.wait,
    }, (result) => request.answer(this.#answer(result, queueId)));
    return undefined;
  }

  /** What the properties of a batch mean for its messages; nearly all batches have the same. */
  #sharedBy({ properties: bytes }: SendHeader): SharedProperties {
    const text = bytes === undefined ? "" : textAt(bytes, 0, bytes.length);
    if (this.#shared?.text === text) return this.#shared;
    const all = withProperty(text, PropertyName.CLUSTER, this.#broker.settings.brokerClusterName);
    return this.#shared = {
      text,
      behind: encoder.encode(all),
      wait: propertyOf(text, PropertyName.WAIT) !== "false",
      delayed: propertyOf(text, PropertyName.DELAY) !== undefined,
    };
  }

  /** What 4.9.7 stores of a plain message's properties: CLUSTER is ours, WAIT is not kept. */
  #ownProperties(properties: string): string {
    const kept = dropProperty(properties, PropertyName.WAIT);
    return withProperty(kept, PropertyName.CLUSTER, this.#broker.settings.brokerClusterName);
  }

  #answer(result: PutResult, queueId: number): Answer<Send> {
    const code = codeOfStatus[result.status];
    if (result.logOffset < 0) {
      const reason = result.reason ?? result.status;
      return this.#refuse(
        code,
        code === ResponseCode.SERVICE_NOT_AVAILABLE ? `service not available now. ${reason}` : reason,
      );
    }
    const { MSG_REGION, TRACE_ON } = this.region;
    const { logOffsets } = result;
    this.#broker.stats.sent(result.topic, result.queueId, logOffsets?.length ?? 1, result.size);
    return {
      code,
      remark: code === ResponseCode.SUCCESS ? undefined : result.reason ?? result.status,
      header: {
        msgId: logOffsets === undefined ? this.#ids.of(result.logOffset) : this.#ids.list(logOffsets),
        queueId,
        queueOffset: result.queueOffset,
        MSG_REGION,
        TRACE_ON,
      },
    };
  }
}

/** The message of a request. */
function newMessage<Properties>(
  { header, connection, body }: Incoming<Send>,
  topic: TopicConfig,
  properties: Properties,
  waitForSync?: boolean,
): Omit<NewMessage, "properties"> & { properties: Properties } {
  return {
    topic: topic.topicName,
    queueId: queueOf(header, topic),
    flag: header.flag,
    sysFlag: sysFlagOf(header, topic),
    bornTimestamp: header.bornTimestamp,
    bornHost: connection.peerHost,
    reconsumeTimes: header.reconsumeTimes ?? 0,
    preparedTransactionOffset: 0,
    body,
    properties,
    waitForSync,
  };
}

/** The queue that a send asks for, or any. */
function queueOf({ queueId }: SendHeader, topic: TopicConfig): number {
  return queueId < 0 ? Math.floor(Math.random() * topic.writeQueueNums) : queueId;
}

function sysFlagOf({ sysFlag }: SendHeader, topic: TopicConfig): number {
  return topic.topicFilterType === "MULTI_TAG" ? sysFlag | SysFlag.MULTI_TAGS : sysFlag;
}
