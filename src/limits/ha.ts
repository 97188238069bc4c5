/**
 * Bounds of the copy of the log for slaves.
 *
 * @module
 */
import { RECORD_BYTES_MAX } from "./store.ts";
import { KiB, MiB } from "./units.ts";

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
