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
export { Consumer, type ConsumerOptions } from "./consumer.ts";
export { type OutgoingMessage, ReceivedMessage } from "./message.ts";
export { Producer, type ProducerOptions, type SendResult } from "./producer.ts";
export type { MessageQueue } from "./rebalance.ts";
export type { QueueSelector, SendOptions } from "./selecting.ts";
