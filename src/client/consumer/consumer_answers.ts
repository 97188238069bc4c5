/**
 * What a consumer answers to brokers, and through them to administrators: where it is (GET_CONSUMER_STATUS_FROM_CLIENT
 * 221), how it does (GET_CONSUMER_RUNNING_INFO 307), consume this at once (CONSUME_MESSAGE_DIRECTLY 309), and go on from
 * there (RESET_CONSUMER_CLIENT_OFFSET 220). Follows ClientRemotingProcessor of RocketMQ 4.9.7.
 *
 * @module
 */
import {
  ConsumeMessageDirectly,
  GetConsumerRunningInfo,
  GetConsumerStatusFromClient,
  ResetConsumerClientOffset,
} from "../../protocol/admin_requests.ts";
import {
  type ConsumeDirectlyResult,
  type ConsumerRunningInfo,
  type ConsumeType,
  decodeResetOffset,
  encodeClientStatus,
  encodeConsumeDirectly,
  encodeRunningInfo,
  type ProcessQueueInfo,
} from "../../protocol/bodies/mod.ts";
import { OUR_VERSION, ResponseCode } from "../../protocol/codes.ts";
import { decodeRecord } from "../../protocol/message_record.ts";
import { versionName } from "../../protocol/version_name.ts";
import type { Answer, HandlerTable } from "../../remoting/handlers.ts";
import type { ConsumeFigures } from "./consume_figures.ts";
import type { GroupMember } from "./group_member.ts";
import { ReceivedMessage } from "../message.ts";
import type { QueueOffset } from "./offset_store.ts";
import type { QueueLocks } from "./queue_locks.ts";
import type { QueueReader } from "./queue_reader.ts";
import type { ReaderTable } from "./reader_table.ts";
import type { MessageQueue } from "./rebalance.ts";

/** The consumer that is asked. */
export interface Asked {
  readonly member: GroupMember;
  readonly table: ReaderTable;
  readonly figures: ConsumeFigures;
  readonly consumeType: ConsumeType;
  readonly isOrderly: boolean;
  /** Its settings, by RocketMQ's names. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly locks?: QueueLocks | undefined;
  /** Goes on from these offsets, and has them kept. */
  reset(offsets: readonly QueueOffset[]): Promise<void>;
  /** Undefined: this consumer has no listener. */
  readonly directly?: (message: ReceivedMessage, queue: MessageQueue) => Promise<ConsumeDirectlyResult>;
}

const { SUCCESS, SYSTEM_ERROR } = ResponseCode;
/** What there is to tell of the client's threads; Java's tools take nothing for a fault. */
const THREADS = "A client in Deno has one thread, whose stack cannot be told.";

/** Adds the answers to a table; `asked` is called for each question. */
export function answerQuestions(handlers: HandlerTable, asked: () => Asked): void {
  const startedAt = Date.now();
  /** The consumer, if it is of the group that the question is about. */
  const of = (group: string) => asked().member.group === group ? asked() : undefined;

  handlers.on(ResetConsumerClientOffset, async ({ header: { group, topic }, body }) => {
    const offsets = [...decodeResetOffset(body)].filter(([queue]) => queue.topic === topic);
    await of(group)?.reset(offsets);
    return undefined;
  });

  handlers.on(GetConsumerStatusFromClient, ({ header: { group, topic } }) => {
    const offsets = of(group)?.table.offsets().filter(([queue]) => topic.trim() === "" || queue.topic === topic) ?? [];
    return { code: SUCCESS, body: encodeClientStatus(new Map(offsets)) };
  });

  handlers.on(GetConsumerRunningInfo, ({ header: { consumerGroup, jstackEnable } }) => {
    const consumer = of(consumerGroup);
    if (consumer === undefined) return stranger(consumerGroup);
    const info = { ...runningInfo(consumer, startedAt), jstack: jstackEnable ? THREADS : undefined };
    return { code: SUCCESS, body: encodeRunningInfo(info) };
  });

  handlers.on(ConsumeMessageDirectly, async ({ header: { consumerGroup, brokerName = "" }, body }) => {
    const consumer = of(consumerGroup);
    if (consumer?.directly === undefined) return stranger(consumerGroup);
    // The bytes are somebody else's once we wait.
    const message = new ReceivedMessage(decodeRecord(body.slice()), brokerName);
    const { topic, queueId } = message;
    const result = await consumer.directly(message, { topic, brokerName, queueId });
    return { code: SUCCESS, body: encodeConsumeDirectly(result) };
  });
}

function stranger(group: string): Answer {
  return { code: SYSTEM_ERROR, remark: `The Consumer Group <${group}> not exist in this consumer` };
}

function runningInfo(
  { member, table, figures, locks, ...consumer }: Asked,
  startedAt: number,
): Omit<ConsumerRunningInfo, "jstack"> {
  const properties = {
    ...consumer.settings,
    consumerGroup: member.group,
    PROP_NAMESERVER_ADDR: member.routes.nameservers.map((address) => `${address};`).join(""),
    PROP_CONSUME_TYPE: consumer.consumeType,
    PROP_CONSUMEORDERLY: consumer.isOrderly,
    PROP_CLIENT_VERSION: versionName(OUR_VERSION),
    PROP_CONSUMER_START_TIMESTAMP: startedAt,
  };
  const subscriptions = [...member.subscriptions.values()];
  return {
    properties: new Map(Object.entries(properties).map(([name, value]) => [name, String(value)])),
    subscriptionSet: subscriptions,
    mqTable: new Map(table.all().map((reader) => [reader.queue, queueInfo(reader, locks)])),
    statusTable: new Map(subscriptions.map(({ topic }) => [topic, figures.status(topic)])),
  };
}

function queueInfo(reader: QueueReader, locks: QueueLocks | undefined): ProcessQueueInfo {
  const locked = locks?.holds(reader.queue) ?? false;
  return { ...reader.info(), locked, lastLockTimestamp: locks?.lockedAt(reader.queue) ?? 0 };
}
