/**
 * Gives messages back that could not be consumed: their broker sends them again after a while, or to the group's dead
 * letter topic when that was tried often enough (`sendMessageBack` of RocketMQ 4.9.7).
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { messageOf, RocketdError } from "../../errors.ts";
import { SysFlag } from "../../protocol/codes.ts";
import { retryTopic } from "../../protocol/names.ts";
import { formatProperties, PropertyName } from "../../protocol/properties.ts";
import { ConsumerSendMsgBack, SendMessageV2 } from "../../protocol/requests.ts";
import { succeed } from "../../remoting/client.ts";
import type { GroupMember } from "./group_member.ts";
import { FOLD_TYPE_MASK, type ReceivedMessage } from "../message.ts";
import { NEW_TOPIC_QUEUES, TEMPLATE_TOPIC } from "../routes.ts";

const log = getLogger(["rocketd", "client"]);

/** Time for an answer, ms: that of Java's consumers. */
const SEND_BACK_MS = 5_000;
/** Who sends what a broker did not take back: `CLIENT_INNER_PRODUCER_GROUP` of RocketMQ. */
const INNER_PRODUCER = "CLIENT_INNER_PRODUCER";
/** Delay level of a message's first retry; each further one has the next level. */
const FIRST_RETRY_LEVEL = 3;

/** Gives back messages of one group. */
export class SendBack {
  readonly #member: Pick<GroupMember, "client" | "routes" | "group">;
  readonly #maxReconsumeTimes: number;
  #turn = 0;

  /** `maxReconsumeTimes`: how often a message is tried again before it goes to the dead letter topic. */
  constructor(member: Pick<GroupMember, "client" | "routes" | "group">, maxReconsumeTimes: number) {
    this.#member = member;
    this.#maxReconsumeTimes = maxReconsumeTimes;
  }

  /** Gives a message back to its broker, or if that takes it not, to any other; whether one has it now. */
  async again(message: ReceivedMessage, delayLevel: number): Promise<boolean> {
    return await this.#tried(message, () => this.#toItsBroker(message, delayLevel)) ||
      await this.resend(message, message.reconsumeTimes + 1);
  }

  /** Sends a message to the group's retry topic, as tried so often; brokers see when that is too often. */
  async resend(message: ReceivedMessage, reconsumeTimes: number): Promise<boolean> {
    return await this.#tried(message, () => this.#toAnyBroker(message, reconsumeTimes));
  }

  async #tried(message: ReceivedMessage, send: () => Promise<void>): Promise<boolean> {
    try {
      await send();
      return true;
    } catch (error) {
      const { group } = this.#member;
      const id = message.offsetMessageId;
      log.warn("cannot give {id} back for group {group}: {reason}", { id, group, reason: messageOf(error) });
      return false;
    }
  }

  async #toItsBroker(message: ReceivedMessage, delayLevel: number): Promise<void> {
    const { client, routes, group } = this.#member;
    const { topic, physicalOffset } = message.record;
    const address = (await routes.find(topic)).master(message.brokerName);
    if (address === undefined) {
      throw new RocketdError("unavailable", `Cannot reach the master of ${message.brokerName}`);
    }
    const header = {
      offset: physicalOffset,
      group,
      delayLevel,
      originMsgId: message.uniqueKey ?? message.offsetMessageId,
      originTopic: message.topic,
      unitMode: false,
      maxReconsumeTimes: this.#maxReconsumeTimes,
    };
    succeed(await client.invoke(address, ConsumerSendMsgBack, header, undefined, SEND_BACK_MS), "giving it back");
  }

  async #toAnyBroker(message: ReceivedMessage, reconsumeTimes: number): Promise<void> {
    const { client, routes, group } = this.#member;
    const { record } = message;
    const topic = retryTopic(group);
    const route = await routes.find(topic);
    const queue = route.writable[this.#turn++ % route.writable.length];
    const address = queue && route.master(queue.brokerName);
    if (address === undefined) throw new RocketdError("unavailable", `Cannot send to ${topic}: no broker takes writes`);
    const properties = new Map(message.properties);
    properties.set(PropertyName.RETRY_TOPIC, message.topic);
    properties.set(PropertyName.DELAY, String(FIRST_RETRY_LEVEL + message.reconsumeTimes));
    if (!properties.has(PropertyName.ORIGIN_MESSAGE_ID)) {
      properties.set(PropertyName.ORIGIN_MESSAGE_ID, message.offsetMessageId);
    }
    properties.delete(PropertyName.TRAN_MSG);
    const header = {
      producerGroup: INNER_PRODUCER,
      topic,
      defaultTopic: TEMPLATE_TOPIC,
      defaultTopicQueueNums: NEW_TOPIC_QUEUES,
      queueId: queue!.queueId,
      sysFlag: record.sysFlag & (SysFlag.COMPRESSED | FOLD_TYPE_MASK),
      bornTimestamp: record.bornTimestamp,
      flag: record.flag,
      properties: formatProperties(properties),
      reconsumeTimes,
      unitMode: false,
      maxReconsumeTimes: this.#maxReconsumeTimes,
      batch: false,
    };
    succeed(await client.invoke(address, SendMessageV2, header, record.body, SEND_BACK_MS), `sending to ${topic}`);
  }
}
