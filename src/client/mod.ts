/**
 * The TypeScript SDK: producer, consumer and administration over the remoting protocol.
 *
 * @module
 */
export { HeaderEncoding } from "../protocol/codes.ts";
export { type Credentials, signer } from "../remoting/access/signature.ts";
export type { Sign } from "../remoting/owner.ts";
export type { ClientTlsOptions } from "../remoting/tls/client_tls.ts";
export type { PemFile } from "../remoting/tls/key_pair_files.ts";
export { Admin, type AdminOptions, type AdminRunOptions, type AdminRunResult } from "./admin/mod.ts";
export type { ConnectOptions } from "./connect_options.ts";
export type {
  ConsumeCall,
  ConsumeHook,
  ConsumeHookOptions,
  ConsumeOutcome,
  ConsumeReturnType,
} from "./consumer/consume_hooks.ts";
export type { MemberOptions } from "./consumer/group_member.ts";
export type { SendAttempt, SendHook, SendOutcome, TransactionEnd } from "./hooks.ts";
export { LitePullConsumer } from "./consumer/lite_pull_consumer.ts";
export type { LitePullConsumerOptions } from "./consumer/lite_pull_options.ts";
export type {
  ConcurrentListener,
  ConsumeConcurrentlyContext,
  ConsumeConcurrentlyStatus,
  ConsumeOrderlyContext,
  ConsumeOrderlyStatus,
  OrderlyListener,
} from "./consumer/listeners.ts";
export { type OutgoingMessage, ReceivedMessage } from "./message.ts";
export { Producer, type ProducerOptions, type SendResult } from "./producer/producer.ts";
export { PushConsumer } from "./consumer/push_consumer.ts";
export type { PushConsumerOptions } from "./consumer/push_options.ts";
export type { ConsumeFrom } from "./queue_questions.ts";
export type { MessageQueue } from "./consumer/rebalance.ts";
export type { Selection } from "./consumer/subscription.ts";
export type { QueueSelector, SendOptions } from "./producer/selecting.ts";
export {
  TransactionProducer,
  type TransactionProducerOptions,
  type TransactionSendResult,
  type TransactionState,
} from "./producer/transactions.ts";
