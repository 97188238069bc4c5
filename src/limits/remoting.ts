/**
 * Bounds of connections: frames, what is in hand, TLS, access control.
 *
 * @module
 */
import { KiB, MiB } from "./units.ts";

// ---- frames ----

/** Greatest value of a frame's length word, bytes: `com.rocketmq.remoting.frameMaxLength` of RocketMQ 4.x. */
export const FRAME_BYTES_MAX = 16 * MiB;
/**
 * A frame's header, bytes. RocketMQ has no bound but the frame's, and reads a header of that size in threads; here the
 * whole node would wait for seconds. The greatest that mean something are those of `PASSED_ON_FIELDS_LENGTH_MAX`.
 */
export const HEADER_BYTES_MAX = 512 * KiB;
/** Fields of a header; RocketMQ's requests have up to 16, and those that sign or forward add a few. */
export const HEADER_FIELDS_MAX = 1024;
/** Short texts of headers that are kept, as names of topics and groups, and the bytes that one may have. */
export const KNOWN_TEXTS_MAX = 512;
export const KNOWN_TEXT_BYTES_MAX = 48;
/** The longest text in a JSON header that is read without a string in between, bytes: properties with all that is escaped. */
export const HEADER_TEXT_BYTES_KEPT = 64 * KiB;
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

// ---- access control ----

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
