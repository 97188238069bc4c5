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
/**
 * A frame's header, bytes. RocketMQ has no bound but the frame's, and reads a header of that size in threads; here the
 * whole node would wait for seconds. The greatest that mean something are those of `PASSED_ON_FIELDS_LENGTH_MAX`.
 */
export const HEADER_BYTES_MAX = 512 * KiB;
/** Fields of a header; RocketMQ's requests have up to 16, and those that sign or forward add a few. */
export const HEADER_FIELDS_MAX = 1024;
/** First size of a connection's read buffer, bytes; it doubles while reads fill it, and grows to hold one frame. */
export const READ_BUFFER_BYTES = 8 * KiB;
/** Size up to which a read buffer doubles to take more in one read, bytes. */
export const READ_BUFFER_BYTES_BUSY = 256 * KiB;
/** First size of a buffer for frames on their way out, bytes. */
export const WRITE_BUFFER_BYTES = 4 * KiB;
/** A write buffer up to this size is kept for the next frames, bytes; idle connections let it go. */
export const WRITE_BUFFER_BYTES_KEPT = 1 * MiB;
/** Requests of one turn go out together, and when they are this many bytes before its end; more than one write costs. */
export const REQUEST_BYTES_AT_ONCE = 16 * KiB;
/** A connection with more unsent bytes than this is not read from until half of them went out. */
export const UNSENT_BYTES_HIGH = 4 * MiB;
/** A connection with more unsent bytes than this is closed: its peer does not read. */
export const UNSENT_BYTES_MAX = 64 * MiB;
/** Requests that one connection may have in hand, unanswered, before it is not read from. Held pulls do not count. */
export const REQUESTS_IN_HAND_MAX = 10_000;
/** Requests of ours that one connection may owe an answer to. */
export const REQUESTS_PENDING_MAX = 65_536;
/** Remark of an answer, characters; what is beyond is cut off. Some repeat what a peer sent, which may fill its frame. */
export const REMARK_LENGTH_MAX = 4 * KiB;
/** Field names whose bytes are kept ready for the next binary header; more are encoded each time. */
export const FIELD_NAMES_KEPT_MAX = 1024;

// ---- TLS ----

/** What is copied at once from a peer's connection to one inside this process, or back, bytes: one TLS record. */
export const WIRE_COPY_BYTES = 16 * KiB;
/** A file with certificates or a key, bytes. */
export const PEM_BYTES_MAX = 1 * MiB;
/** Connections to the TLS end inside this process that may wait until it is known whose they are. */
export const TLS_CONNECTIONS_UNCLAIMED_MAX = 1024;

// ---- settings over the wire ----

/** Lines of settings that one request changes, bytes. */
export const SETTINGS_CHANGE_BYTES_MAX = 16 * KiB;
/** Settings whose refusal one answer explains. */
export const SETTING_REFUSALS_TOLD_MAX = 10;

// ---- names and messages (RocketMQ 4.9.7 Validators, CommitLog) ----

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

// ---- what a broker keeps for its clients ----

/** Pulls that one broker holds open at once. */
export const HELD_PULLS_MAX = 200_000;
/** Held pulls that are answered in one turn because their time is over; many came together after a restart. */
export const HELD_PULLS_ENDED_PER_TURN = 500;
/** Bytes that are compared with zeros at once when the rest of a log file is looked at. */
export const ZERO_CHECK_BYTES = 1 * MiB;
/** A page of memory, which RocketMQ counts unflushed bytes in. */
export const PAGE_BYTES = 4 * KiB;
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

// ---- access control (remoting/access) ----

/** Access keys and secrets have at least as many characters (RocketMQ 4.9.7 `AclConstants`: more than 6). */
export const ACCESS_KEY_LENGTH_MIN = 7;
/** And at most as many: they travel in headers. */
export const ACCESS_KEY_LENGTH_MAX = 255;
/** Size of one plain_acl.yml, bytes: some 20,000 accounts. */
export const ACL_FILE_BYTES_MAX = 4 * MiB;
/** Files of accounts, with those in the folder acl. */
export const ACL_FILES_MAX = 64;
/** Accounts that a broker may tell of. */
export const ACL_ACCOUNTS_MAX = 100_000;
/** Topics or groups with a permission of their own in one account. */
export const ACL_GRANTS_MAX = 100_000;
/** Text of one set of addresses, characters. */
export const ACL_ADDRESSES_LENGTH_MAX = 64 * KiB;

// ---- our own clients (client, broker as client) ----

/** Time for a connection to come about, ms: `connectTimeoutMillis` of RocketMQ's clients. */
export const CONNECT_TIMEOUT_MS = 3_000;
/** Bytes that the body of one received message may unfold to; RocketMQ's brokers take 4 MiB unless told otherwise. */
export const MESSAGE_BYTES_UNFOLDED_MAX = 256 * MiB;
/** Bytes of one message, or of all messages of a batch, that a producer sends: `maxMessageSize` of Java's producers. */
export const SEND_BYTES_MAX = 4 * MiB;
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

// ---- consume queues and index ----

/** First room for a queue's newest entries in memory, entries of 20 bytes. */
export const QUEUE_WINDOW_ENTRIES = 64;
/** Room that a busy queue's window grows to, entries. */
export const QUEUE_WINDOW_ENTRIES_MAX = 1024;
/** Entries that one read of a queue brings at most. */
export const QUEUE_READ_ENTRIES_MAX = 1024;
/** Consume queue files open at the same time. */
export const QUEUE_FILES_OPEN_MAX = 512;
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
/** Entries of one chain that a key lookup walks at most; RocketMQ walks all of them, on a thread of its own. */
export const INDEX_CHAIN_STEPS_MAX = 200_000;
/** Time from which on a key lookup lets others have their turn before it reads on, ms. */
export const INDEX_SEARCH_MS_PER_TURN = 5;
/** Topics whose hash the index remembers. */
export const INDEX_TOPIC_HASHES_MAX = 4096;

// ---- store ----

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
export const COLD_BLOCK_BYTES = MiB;
/** Blocks of old parts of the log kept in memory. */
export const COLD_BLOCKS_MAX = 16;
/** Blocks that one read of a queue may bring in; it answers with the messages found so far. */
export const COLD_BLOCKS_PER_READ = 8;
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

// ---- the copy of the log for slaves (ha) ----

/** Bytes of the log in one frame: a Java slave's buffer of 4 MiB (`HAService.HAClient`) holds a whole frame, or hangs. */
export const HA_FRAME_DATA_BYTES_MAX = 4 * MiB - 12;
/** Frames for one slave gather in so many bytes, for one write: more copies no faster, and holds sends up for longer. */
export const HA_BUFFER_BYTES = 128 * KiB;
/** Bytes of slaves' reports that one read takes. */
export const HA_REPORTS_READ_BYTES = 4 * KiB;
/** Connections on the port for slaves. */
export const HA_CONNECTIONS_MAX = 64;
/** How long a master that stops waits for its slaves to hold all of its log, ms. */
export const HA_DRAIN_MS = 1_000;
/** Buffer that one read of a slave fills, bytes; what one turn of the event loop writes to its log. */
export const HA_READ_BYTES = 256 * KiB;
/** Bytes at the end of a slave's log that its master sends again, so that the slave sees that both have the same log. */
export const HA_OVERLAP_BYTES = 64 * KiB;
/** The same, where the last record begins further back: it, and the unused rest of its file. */
export const HA_OVERLAP_BYTES_MAX = 2 * RECORD_BYTES_MAX;
/** Pauses between a slave's attempts to reach its master, ms: doubled from the first to the last (Java's is 5 s). */
export const HA_RETRY_MS_MIN = 500;
export const HA_RETRY_MS_MAX = 5_000;
/** How often a slave says again why it cannot copy its master's log, ms. */
export const HA_TROUBLE_LOGGED_EVERY_MS = 60_000;

// ---- bodies and the nameserver's tables ----

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
/** How often overdue SYNC_FLUSH waiters are looked for, ms. */
export const SYNC_WATCH_MS = 100;
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
/** Greatest queue id of a message that is put. */
export const QUEUE_ID_MAX = TOPIC_QUEUES_MAX - 1;
/** Greatest queue id that a store may have had from RocketMQ: an int of the record. */
export const QUEUE_ID_STORED_MAX = 0x7fff_ffff;
/** How often queues, index and checkpoint are made durable, ms. */
export const CHECKPOINT_INTERVAL_MS = 10_000;

// ---- HTTP for machines ----

/** Open connections of the HTTP listener; one more is closed at once. */
export const HTTP_CONNECTIONS_MAX = 128;
/** How long a peer may take to send its first request, and (longer than a scrape interval) for each one more, ms. */
export const HTTP_REQUEST_MS = 10_000;
export const HTTP_ANSWER_MS = 90_000;
/** Bytes of an answer that are handed over, and compressed, at once. */
export const HTTP_PIECE_BYTES = 64 * KiB;
/** Time from which on those who make great answers for HTTP let others have their turn, ms. */
export const HTTP_MS_PER_TURN = 4;
/** Characters of all metrics: some 200,000 values. */
export const METRICS_CHARACTERS_MAX = 32 * MiB;
/** Commands of the JSON API that run at once, and the longest that one may take, ms. */
export const API_REQUESTS_MAX = 8;
export const API_MS_MAX = 30_000;
/** Characters of one answer of the JSON API. */
export const API_CHARACTERS_MAX = 16 * MiB;
/** Bytes of all answers that their peers have not taken yet; one more answer is refused. */
export const HTTP_UNSENT_BYTES_MAX = 64 * MiB;
