/**
 * The pulling consumer against a node in this process.
 *
 * @module
 */
import { litePullScenes } from "./lite_pull_scenes.ts";
import { sceneHere } from "../scene.ts";

Deno.test("a pulling consumer with our own node", async (t) => {
  await using scene = await sceneHere("enablePropertyFilter=true");
  await litePullScenes(scene, (name, work) => t.step(name, work));
});
