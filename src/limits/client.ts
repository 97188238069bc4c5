/**
 * Bounds of our own clients: the SDK, the tool for administrators, the bench; a broker as a client too.
 *
 * @module
 */
import { KiB, MiB } from "./units.ts";

/** Time for a connection to come about, ms: `connectTimeoutMillis` of RocketMQ's clients. */
export const CONNECT_TIMEOUT_MS = 3_000;
/** Bytes that the body of one received message may unfold to; RocketMQ's brokers take 4 MiB unless told otherwise. */
export const MESSAGE_BYTES_UNFOLDED_MAX = 256 * MiB;
/** Bytes of one message, or of all messages of a batch, that a producer sends: `maxMessageSize` of Java's producers. */
export const SEND_BYTES_MAX = 4 * MiB;
/** Sends of one producer that are waited for: `com.rocketmq.remoting.clientAsyncSemaphoreValue` of Java's. */
export const SENDS_UNDER_WAY_MAX = 65_535;
/** Questions about transactions that a producer answers at once (`checkRequestHoldMax`), and its requests without reply. */
export const TRANSACTION_CHECKS_MAX = 2_000;
export const REPLIES_AWAITED_MAX = 65_536;
/** Traces that wait (`AsyncTraceDispatcher`), those in a message, and characters of them and its keys: properties too. */
export const TRACES_HELD_MAX = 1_024;
export const TRACES_AT_ONCE = 100;
export const TRACE_BYTES_MAX = 24 * KiB;
/** Topics whose routes a client keeps; the oldest are asked for again when they are used again. */
export const ROUTES_KEPT_MAX = 10_000;
/** Bodies above this are folded: `compressMsgBodyOverHowmuch` of Java's producers, bytes. */
export const FOLD_ABOVE_BYTES = 4 * KiB;
/** Messages of one queue that a consumer holds before it stops pulling (`pullThresholdForQueue` of Java's). */
export const QUEUE_MESSAGES_HELD_MAX = 1_000;
/** How far apart they may be, in offsets (`consumeConcurrentlyMaxSpan` and `consumeMaxSpan` of Java's). */
export const QUEUE_SPAN_HELD_MAX = 2_000;
/** Messages of all queues that a pulling consumer holds (`pullThresholdForAll` of Java's). */
export const MESSAGES_HELD_MAX = 10_000;
/** MiB of one queue's messages that a consumer holds (`pullThresholdSizeForQueue` of Java's), and what a MiB is. */
export const QUEUE_MIB_HELD_MAX = 100;
export const HELD_UNIT_BYTES = MiB;
/** Body of a message that `rocketd bench` sends, bytes: unless told otherwise, and at most. */
export const BENCH_BODY_BYTES = KiB;
export const BENCH_BODY_BYTES_MAX = 4 * MiB;
/** Connections and requests in flight on each that `rocketd bench` may use; connections that it makes at the same time. */
export const BENCH_CONNECTIONS_MAX = 10_000;
export const BENCH_IN_FLIGHT_MAX = 10_000;
export const BENCH_CONNECTS_AT_ONCE = 100;
/** Refusals after which `rocketd bench` ends when nothing else came, and kinds of trouble that it tells in words. */
export const BENCH_REFUSALS_MAX = 1_000;
export const BENCH_PROBLEMS_TOLD_MAX = 10;
/** Messages on their way whose arrival `rocketd bench` keeps in one piece of memory, a byte each. */
export const BENCH_ARRIVALS_PER_PIECE = 64 * KiB;
/** Messages that a command of `rocketd admin` shows at most, and bytes of theirs that it keeps. */
export const ADMIN_MESSAGES_MAX = 10_000;
export const ADMIN_MESSAGE_BYTES_MAX = 64 * MiB;
/** Messages that one pull of `rocketd admin` asks for. */
export const PULL_MESSAGES_AT_ONCE = 32;
/** Brokers that `rocketd admin` asks at the same time. */
export const ADMIN_BROKERS_AT_ONCE = 16;
/** How many time-outs long `rocketd admin` does not ask a broker again that was silent for one. */
export const ADMIN_SILENCES = 2;
