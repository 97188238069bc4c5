/**
 * The version of rocketd, said once; a test holds deno.json to it.
 *
 * @module
 */
export const VERSION = "0.1.0";
