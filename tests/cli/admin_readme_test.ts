/**
 * README.md lists the commands that there are.
 *
 * @module
 */
import { assertEquals } from "../../src/std.ts";
import { blockIn, readmeBlock } from "./admin_readme.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const place = blockIn(readme);

Deno.test({
  name: "README.md lists administrators' commands as they are declared",
  ignore: place === undefined,
  fn: () => assertEquals(readme.slice(place!.from, place!.to), readmeBlock()),
});
