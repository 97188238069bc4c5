/**
 * Bounds of the store: the log, queues, index.
 *
 * @module
 */
import { TOPIC_QUEUES_MAX } from "./messages.ts";
import { FRAME_BYTES_MAX } from "./remoting.ts";
import { KiB, MiB } from "./units.ts";

// ---- consume queues and index ----

/** First room for a queue's newest entries in memory, entries of 20 bytes. */
export const QUEUE_WINDOW_ENTRIES = 16;
/** Room that a busy queue's window grows to, entries. */
export const QUEUE_WINDOW_ENTRIES_MAX = 1024;
/** Memory for the newest entries of all queues; who waits longest to be written makes room for others. */
export const QUEUE_WINDOWS_BYTES_MAX = 32 * MiB;
/** Queues whose entries are written in one turn of the event loop; a queue's first write makes a file and its folder. */
export const QUEUES_WRITTEN_PER_TURN = 8;
/** Queues that are written with every `flushIntervalConsumeQueue`, and the most intervals until all had their turn. */
export const QUEUES_WRITTEN_PER_INTERVAL = 256;
export const QUEUE_ROUND_INTERVALS_MAX = 30;
/** Entries that one read of a queue brings at most. */
export const QUEUE_READ_ENTRIES_MAX = 1024;
/** Queues of which the entries stay in memory that one read brought. */
export const QUEUE_PAGES_MAX = 256;
/** Consume queue files open at the same time. */
export const QUEUE_FILES_OPEN_MAX = 512;
/** Syncs of the log that senders wait for, at the same time: a third one gains nothing, and costs. */
export const SYNCS_AT_ONCE = 2;
/** Queue files synced at the same time. */
export const QUEUE_SYNCS_AT_ONCE = 8;
/** Folders of deleted queues that are removed at once; further ones follow with every write of queue entries. */
export const QUEUE_FOLDERS_REMOVED_AT_ONCE = 32;
/** Name of a topic's folder, bytes: what Linux file systems take. */
export const TOPIC_FOLDER_BYTES_MAX = 255;
/** Index entries gathered in memory before they are written. */
export const INDEX_PENDING_ENTRIES = 4096;
/** Index entries that one read brings when a file is checked after a crash. */
export const INDEX_CHECK_ENTRIES = 64 * KiB;
/** Size of the checkpoint file, bytes (RocketMQ's StoreCheckpoint: one page). */
export const CHECKPOINT_BYTES = 4 * KiB;
/** Where our own mark lies in the checkpoint file; RocketMQ 5.x uses 40 bytes at its begin, 4.x 24. */
export const SAFE_POINT_AT = KiB;
/** Entries of one chain that a key lookup walks at most; RocketMQ walks all of them, on a thread of its own. */
export const INDEX_CHAIN_STEPS_MAX = 200_000;
/** Time from which on a key lookup lets others have their turn before it reads on, ms. */
export const INDEX_SEARCH_MS_PER_TURN = 5;

// ---- store ----

/** Bytes up to which a loop of our own beats the call that copies a part of an array. */
export const SHORT_COPY_BYTES = 48;
/** Bytes of one piece of the log's end in memory. */
export const LOG_TAIL_CHUNK_BYTES = 8 * MiB;
/** Pieces of the log's end that stay in memory. */
export const LOG_TAIL_CHUNKS = 4;
/** What a record may have beyond its body, so that a chunk holds the greatest one (`CommitLog`: 64 KiB). */
export const LOG_TAIL_CHUNK_SPARE = 64 * KiB;
/**
 * A record of the log, bytes: its message came in one frame, and properties were added. The setting `maxMessageSize` is no
 * bound for what is there already, since it may have been larger before.
 */
export const RECORD_BYTES_MAX = FRAME_BYTES_MAX + LOG_TAIL_CHUNK_SPARE;
/** Bytes of memory for the record that a slave has half of, which stay when a greater one was there. */
export const COPY_BYTES_KEPT = MiB;
/** Places of puts that no longer wait for a slave, from which on their list is made shorter. */
export const REPLICA_WAITS_GONE_MAX = 4 * KiB;
/** Bytes of one block read from old parts of the log. */
export const COLD_BLOCK_BYTES = 256 * KiB;
/** Blocks of old parts of the log kept in memory. */
export const COLD_BLOCKS_MAX = 64;
/** Blocks that one read of a queue may bring in; it answers with the messages found so far. */
export const COLD_BLOCKS_PER_READ = 32;
/** Blocks that are read ahead of who reads on and on, and those of all of them that nobody has read from yet. */
export const COLD_BLOCKS_AHEAD = 4;
export const COLD_BLOCKS_AHEAD_MAX = 32;
/** Reads of old parts of the log that run at once; others wait. */
export const COLD_READS_AT_ONCE = 4;
/** Longest time that one read of a queue looks into records for those that are wanted, ms; then it ends its batch. */
export const FILTER_MS_PER_TURN = 20;
/** Bytes read at once while walking through the log at start. */
export const RECOVERY_BLOCK_BYTES = 8 * MiB;
/** Bytes that are read at first of a message that is looked up; most have no more. */
export const LOOKUP_READ_BYTES = 4 * KiB;
/** Bytes of all messages in one answer to a query by key. */
export const QUERY_BYTES_MAX = 8 * MiB;
/** Bytes of queue entries that one pull may scan (`DefaultMessageStore.getMessage`). */
export const QUEUE_SCAN_BYTES_MIN = 16_000;
/** Disk use in per cent from which writes are refused, and from which files go before their time (RocketMQ 4.9.7). */
export const DISK_USED_REFUSE = 90;
export const DISK_USED_CLEAN_FORCIBLY = 85;
/** Log files that one round of cleaning removes at most. */
export const LOG_FILES_REMOVED_PER_ROUND = 10;
/** Bytes that are compared with zeros at once when the rest of a log file is looked at. */
export const ZERO_CHECK_BYTES = 1 * MiB;
/** A page of memory, which RocketMQ counts unflushed bytes in. */
export const PAGE_BYTES = 4 * KiB;
/** How often overdue SYNC_FLUSH waiters are looked for, ms. */
export const SYNC_WATCH_MS = 100;
/** Greatest queue id of a message that is put. */
export const QUEUE_ID_MAX = TOPIC_QUEUES_MAX - 1;
/** Greatest queue id that a store may have had from RocketMQ: an int of the record. */
export const QUEUE_ID_STORED_MAX = 0x7fff_ffff;
/** How often queues, index and checkpoint are made durable, ms. */
export const CHECKPOINT_INTERVAL_MS = 10_000;
/** Growth of the log from which on that happens sooner, bytes: walking through it after a crash takes half a second. */
export const CHECKPOINT_LOG_BYTES = 512 * MiB;
