/**
 * Bounds of names and messages (RocketMQ 4.9.7 Validators, CommitLog), and of what is shown of them.
 *
 * @module
 */
import { KiB } from "./units.ts";

/** Topic name, characters. */
export const TOPIC_LENGTH_MAX = 127;
/** Consumer or producer group name, characters (`Validators.CHARACTER_MAX_LENGTH`). */
export const GROUP_LENGTH_MAX = 255;
/** Properties text of a message, bytes: a short in the record. */
export const PROPERTIES_BYTES_MAX = 32_767;
/** Characters of a peer's text that a remark repeats. */
export const TEXT_LENGTH_SHOWN = 64;
/** What one line of the log says, characters; it may repeat a peer's text. */
export const LOG_LINE_LENGTH_MAX = 8 * KiB;
/** Client id in a heartbeat, characters. */
export const CLIENT_ID_LENGTH_MAX = 1024;
/** Queues of one topic; RocketMQ has no bound, its own BenchmarkTest has 1024. */
export const TOPIC_QUEUES_MAX = 65_536;
