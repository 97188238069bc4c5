/**
 * Bodies of requests and answers: their types, encoders and validating decoders. A decoder throws `malformed` with the
 * field's path, and nothing else.
 *
 * @module
 */
export * from "./acl.ts";
export * from "./broker_stats.ts";
export * from "./connections.ts";
export * from "./consume_stats.ts";
export * from "./consumer_offsets.ts";
export * from "./data_version.ts";
export * from "./delay_offsets.ts";
export * from "./heartbeat.ts";
export * from "./lists.ts";
export * from "./message_queue.ts";
export * from "./queue_entries.ts";
export * from "./register_broker.ts";
export * from "./reset_offset.ts";
export * from "./route.ts";
export * from "./running_info.ts";
export * from "./subscription_group.ts";
export * from "./topic_config.ts";
export * from "./topic_stats.ts";
