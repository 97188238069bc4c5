/**
 * The TypeScript SDK: producer and consumer over the remoting protocol.
 *
 * @module
 */
export { Consumer, type ConsumerOptions } from "./consumer.ts";
export { type OutgoingMessage, ReceivedMessage } from "./message.ts";
export { Producer, type ProducerOptions, type SendResult } from "./producer.ts";
export type { MessageQueue } from "./rebalance.ts";
