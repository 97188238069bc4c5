/**
 * Bounds of bodies, and of what a nameserver or a broker keeps of what they say.
 *
 * @module
 */
import { FRAME_BYTES_MAX } from "./remoting.ts";
import { KiB, MiB } from "./units.ts";

/** Depth of nesting in a JSON body that only the lenient parser can read. */
export const JSON_DEPTH_MAX = 64;
/** Names and addresses of brokers, clusters and topics in bodies, characters; a retry topic is longer than its group. */
export const ROUTE_TEXT_LENGTH_MAX = 512;
/** Bytes that a compressed register body may unfold to. */
export const REGISTER_BYTES_MAX = 32 * MiB;
/** Brokers that one nameserver knows, by address. */
export const BROKERS_MAX = 10_000;
/** Broker names, and names of clusters, that one nameserver knows. */
export const BROKER_NAMES_MAX = 10_000;
export const CLUSTERS_MAX = 10_000;
/** Entries (topic and broker name) that one nameserver routes. */
export const ROUTE_ENTRIES_MAX = 2_000_000;
/** Filter servers of one broker. */
export const FILTER_SERVERS_MAX = 1000;
/** Tags of one subscription. */
export const SUBSCRIPTION_TAGS_MAX = 10_000;
/** Subscription text, characters: an SQL expression or a list of tags. */
export const SUBSCRIPTION_LENGTH_MAX = 64 * KiB;
/** Levels of parentheses and signs in an SQL expression; RocketMQ's bound is the depth of Java's stack. */
export const SQL_DEPTH_MAX = 200;
/** Values and operators of an SQL expression; each may go one level deeper when it is evaluated. */
export const SQL_PARTS_MAX = 2000;
/** SQL expressions that are kept read, and the characters of all of them. */
export const SQL_KEPT_MAX = 4096;
export const SQL_KEPT_CHARACTERS_MAX = MiB;
/** Filters of consumer groups that are kept, those of groups that are gone among them, and characters of all of them. */
export const CONSUMER_FILTERS_MAX = 100_000;
export const CONSUMER_FILTERS_CHARACTERS_MAX = 16 * MiB;
/** Pairs of topic and group with a consumer offset. */
export const OFFSET_ENTRIES_MAX = 1_000_000;
/** Queues in a table of offsets in an answer: all topics of a group, on all brokers of one name. */
export const QUEUE_TABLE_ENTRIES_MAX = 1_000_000;
/** Entries of a queue in the answer of a Java broker, which gives as many as it is asked for. */
export const QUEUE_ENTRIES_TOLD_MAX = FRAME_BYTES_MAX / 64;
/** Clients of one group. */
export const GROUP_CLIENTS_MAX = 100_000;
/** Members of all groups together, of consumer and of producer groups each: a client counts in every group it is in. */
export const GROUPS_CLIENTS_MAX = 1_000_000;
/** Entries of a nameserver's key-value configuration, over all namespaces. */
export const KV_ENTRIES_MAX = 100_000;
/** Namespace, key or value of the key-value configuration, characters. */
export const KV_TEXT_LENGTH_MAX = 64 * KiB;
/** Characters of all namespaces, keys and values of the key-value configuration. */
export const KV_CHARACTERS_MAX = 16 * MiB;
