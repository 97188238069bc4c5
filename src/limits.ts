/**
 * Every bound of rocketd with its source, in one place. Bounds that an operator may move are settings (src/config).
 *
 * @module
 */

const KiB = 1024;
const MiB = 1024 * KiB;

// ---- frames (remoting) ----

/** Greatest value of a frame's length word, bytes: `com.rocketmq.remoting.frameMaxLength` of RocketMQ 4.x. */
export const FRAME_BYTES_MAX = 16 * MiB;
/** First size of a connection's read buffer, bytes; it doubles while reads fill it, and grows to hold one frame. */
export const READ_BUFFER_BYTES = 8 * KiB;
/** Size up to which a read buffer doubles to take more in one read, bytes. */
export const READ_BUFFER_BYTES_BUSY = 256 * KiB;
/** First size of a buffer for frames on their way out, bytes. */
export const WRITE_BUFFER_BYTES = 4 * KiB;
/** A write buffer up to this size is kept for the next frames, bytes; idle connections let it go. */
export const WRITE_BUFFER_BYTES_KEPT = 1 * MiB;
/** A connection with more unsent bytes than this is not read from until half of them went out. */
export const UNSENT_BYTES_HIGH = 4 * MiB;
/** A connection with more unsent bytes than this is closed: its peer does not read. */
export const UNSENT_BYTES_MAX = 64 * MiB;
/** Requests that one connection may have in hand, unanswered, before it is not read from. Held pulls do not count. */
export const REQUESTS_IN_HAND_MAX = 10_000;
/** Requests of ours that one connection may owe an answer to. */
export const REQUESTS_PENDING_MAX = 65_536;

// ---- names and messages (RocketMQ 4.9.7 Validators, CommitLog) ----

/** Topic name, characters. */
export const TOPIC_LENGTH_MAX = 127;
/** Consumer or producer group name, characters (`Validators.CHARACTER_MAX_LENGTH`). */
export const GROUP_LENGTH_MAX = 255;
/** Properties text of a message, bytes: a short in the record. */
export const PROPERTIES_BYTES_MAX = 32_767;
/** Client id in a heartbeat, characters. */
export const CLIENT_ID_LENGTH_MAX = 1024;
/** Queues of one topic; RocketMQ has no bound, its own BenchmarkTest has 1024. */
export const TOPIC_QUEUES_MAX = 65_536;

// ---- what a broker keeps for its clients ----

/** Pulls that one broker holds open at once. */
export const HELD_PULLS_MAX = 200_000;
/** Longest time a pull is held, ms, whatever it asks for. */
export const HELD_PULL_MS_MAX = 300_000;
/** Messages that one pull may ask for; more is answered as this many. */
export const PULL_MESSAGES_MAX = 4096;
/** Consumer and producer groups in one heartbeat. */
export const HEARTBEAT_GROUPS_MAX = 4096;
/** Subscriptions of one group. */
export const SUBSCRIPTIONS_MAX = 4096;
/** Topics of one broker. */
export const TOPICS_MAX = 100_000;
/** Subscription groups of one broker. */
export const GROUPS_MAX = 100_000;

// ---- our own clients (client, broker as client) ----

/** Time for a connection to come about, ms: `connectTimeoutMillis` of RocketMQ's clients. */
export const CONNECT_TIMEOUT_MS = 3_000;
