/**
 * Bounds of HTTP for machines.
 *
 * @module
 */
import { KiB, MiB } from "./units.ts";

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
