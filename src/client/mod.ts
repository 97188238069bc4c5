/**
 * The TypeScript SDK: producer, consumer and administration over the remoting protocol.
 *
 * @module
 */
export {
  Admin,
  ADMIN_COMMANDS,
  type AdminCommand,
  type AdminOptions,
  type AdminResult,
  findAdminCommand,
  readValues,
  resultData,
} from "./admin/mod.ts";
export type { MemberOptions } from "./group_member.ts";
export type { SendAttempt, SendHook, SendOutcome, TransactionEnd } from "./hooks.ts";
export { LitePullConsumer, type LitePullConsumerOptions } from "./lite_pull_consumer.ts";
export type {
  ConcurrentListener,
  ConsumeConcurrentlyContext,
  ConsumeConcurrentlyStatus,
  ConsumeOrderlyContext,
  ConsumeOrderlyStatus,
  OrderlyListener,
} from "./listeners.ts";
export { type OutgoingMessage, ReceivedMessage } from "./message.ts";
export { Producer, type ProducerOptions, type SendResult } from "./producer.ts";
export { PushConsumer, type PushConsumerOptions } from "./push_consumer.ts";
export type { ConsumeFrom } from "./queue_questions.ts";
export type { MessageQueue } from "./rebalance.ts";
export type { Selection } from "./subscription.ts";
export type { QueueSelector, SendOptions } from "./selecting.ts";
export {
  TransactionProducer,
  type TransactionProducerOptions,
  type TransactionSendResult,
  type TransactionState,
} from "./transactions.ts";
