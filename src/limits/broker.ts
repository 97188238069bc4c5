/**
 * Bounds of a broker: what it keeps for its clients, and does in one turn.
 *
 * @module
 */
import { TOPIC_QUEUES_MAX } from "./messages.ts";
import { FRAME_BYTES_MAX } from "./remoting.ts";
import { KiB, MiB } from "./units.ts";

// ---- settings over the wire ----

/** Lines of settings that one request changes, bytes. */
export const SETTINGS_CHANGE_BYTES_MAX = 16 * KiB;
/** Settings whose refusal one answer explains. */
export const SETTING_REFUSALS_TOLD_MAX = 10;

// ---- what a broker keeps for its clients ----

/** Pulls that one broker holds open at once. */
export const HELD_PULLS_MAX = 200_000;
/** Held pulls that are answered in one turn because their time is over; many came together after a restart. */
export const HELD_PULLS_ENDED_PER_TURN = 500;
/** Longest time a pull is held, ms, whatever it asks for. */
export const HELD_PULL_MS_MAX = 300_000;
/** Messages that one pull may ask for; more is answered as this many. */
export const PULL_MESSAGES_MAX = 4096;
/** Bytes of the messages of one pull, whatever the settings say: a frame, less room for its header. */
export const PULL_BYTES_MAX = FRAME_BYTES_MAX - 64 * KiB;
/** Tag expressions whose filters are kept made. */
export const TAG_FILTERS_KEPT_MAX = 4096;
/** Longest tag expression whose filter is kept, characters; the filters of longer ones are made each time. */
export const TAG_FILTER_KEPT_LENGTH_MAX = KiB;
/** Queues of RocketMQ's built-in topic BenchmarkTest. */
export const BENCHMARK_TOPIC_QUEUES = 1024;
/** Consumer and producer groups in one heartbeat. */
export const HEARTBEAT_GROUPS_MAX = 4096;
/** Subscriptions of one group. */
export const SUBSCRIPTIONS_MAX = 4096;
/** Topics of one broker. */
export const TOPICS_MAX = 100_000;
/** Subscription groups of one broker. */
export const GROUPS_MAX = 100_000;

// ---- a broker's tables ----

/** Queues with an offset, over all groups and topics. */
export const OFFSETS_MAX = 4_000_000;
/** Characters of a great state file that are made and written in one turn: a millisecond or two. */
export const STATE_SLICE_CHARACTERS = 128 * KiB;
/** Bytes of one heartbeat: RocketMQ has no bound of its own below the frame. */
export const HEARTBEAT_BYTES_MAX = 4 * MiB;
/** Characters of all subscriptions of all groups that are online. */
export const SUBSCRIPTION_CHARACTERS_MAX = 64 * MiB;
/** Producer groups that are online. */
export const PRODUCER_GROUPS_MAX = 100_000;
/** Queues in one request for locks. */
export const LOCK_QUEUES_MAX = TOPIC_QUEUES_MAX;
/** Queues that are locked by ordered consumers, over all groups. */
export const LOCKS_MAX = 1_000_000;
/** Counters of one kind (by topic, by topic and group, …) that a broker keeps; each takes about 1 KiB. */
export const COUNTERS_MAX = 50_000;
/** How often the log says how many requests were refused as too many, ms. */
export const REFUSALS_LOGGED_EVERY_MS = 10_000;
/** Time from which on those who make large answers let others have their turn, ms. */
export const LARGE_ANSWERS_MS_PER_TURN = 5;
/** Bytes of a table that is made for an administrator: a frame, less room for its header. */
export const TABLE_ANSWER_BYTES_MAX = FRAME_BYTES_MAX - 64 * KiB;
/** Questions of administrators that wait for an answer of a client: over all clients, and of one. */
export const CLIENT_QUESTIONS_MAX = 10_000;
export const CLIENT_QUESTIONS_OF_ONE_MAX = 32;
/** Members of a group that one request asks at the same time. */
export const MEMBERS_ASKED_AT_ONCE = 32;
/** Bytes that one client, and all members of a group together, may answer to where they are. */
export const MEMBER_STATUS_BYTES_MAX = 4 * MiB;
export const GROUP_STATUS_BYTES_MAX = 12 * MiB;
/** Characters of all fields of a request that is passed on to a client. */
export const PASSED_ON_FIELDS_LENGTH_MAX = 64 * KiB;
/** Bytes of a message that is passed on to a client: a frame, less such fields, whose characters have six bytes at most. */
export const PASSED_ON_BYTES_MAX = FRAME_BYTES_MAX - 8 * PASSED_ON_FIELDS_LENGTH_MAX;
/** Bytes of new offsets that one reset tells all members of a group, and that it tells them in one turn. */
export const RESET_BYTES_MAX = 256 * MiB;
export const RESET_BYTES_PER_TURN = MiB;
/** Half messages of whose end one piece of memory tells, a bit each. */
export const HALVES_PER_ENDED_CHUNK = 32 * KiB;
/** Such pieces: beyond 134 million half messages between the oldest open one and the newest that ended. */
export const ENDED_CHUNKS_MAX = 4 * KiB;
/** Half messages that were stored anew for a check, whose new place is known; of older ones a late end may come twice. */
export const RENEWED_HALVES_MAX = 100_000;
/** Rounds of checks whose op messages progress tells apart; those of further rounds count as the last one's. */
export const OP_MARKS_MAX = 1_000;
/** What one turn of a round of checks does at most: half messages passed that have ended; op messages, half messages read. */
export const CHECK_STEPS_PER_TURN = 16 * KiB;
export const CHECK_READS_PER_TURN = 32;
/** Bytes of half messages that one turn of a round of checks stores anew. */
export const CHECK_BYTES_PER_TURN = MiB;
/** Delayed messages, and bytes of them, that one turn of the event loop delivers. */
export const DELAYED_MESSAGES_PER_TURN = 256;
export const DELAYED_BYTES_PER_TURN = MiB;
/** How long a delay level without due messages gathers those that become due, ms, so that they share a write. */
export const DELAY_GATHER_MS = 10;
/** Longest time after which heads of delay levels are compared with the clock, which may have been set, ms. */
export const DELAY_LOOK_MS_MAX = 1_000;
/** When a delay level goes on that could not be delivered, ms (`DELAY_FOR_A_WHILE` of ScheduleMessageService 4.9.7). */
export const DELAY_RETRY_MS = 100;
