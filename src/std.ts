/**
 * The typed door to `@std`: the one place that says which of its functions we use and what their types are. The
 * packages come without types from npm; with `jsr:` specifiers in deno.json this file stays as it is.
 *
 * @module
 */
// @ts-types="./std.d.ts"
export { parseArgs } from "@std/cli/parse-args";
// @ts-types="./std.d.ts"
export { TextLineStream, toText } from "@std/streams";
// @ts-types="./std.d.ts"
export { parse as parseYaml, stringify as stringifyYaml } from "@std/yaml";
// @ts-types="./std.d.ts"
export { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
