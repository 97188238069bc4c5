/**
 * The version of rocketd, said once; a test holds deno.json to it.
 *
 * @module
 */

/**
 * The version of rocketd.
 *
 * @example
 * ```ts
 * import { VERSION } from "@rocketd/rocketd";
 * import { assertMatch } from "@std/assert";
 *
 * assertMatch(VERSION, /^\d+\.\d+\.\d+/);
 * ```
 */
export const VERSION = "0.1.0";
