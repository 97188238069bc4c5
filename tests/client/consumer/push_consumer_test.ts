/**
 * The push consumer against a node in this process.
 *
 * @module
 */
import { PushConsumer } from "../../../src/client/mod.ts";
import { RocketdError } from "../../../src/errors.ts";
import { assertThrows } from "../../../src/std.ts";
import { answerScenes } from "../answer_scenes.ts";
import { broadcastingScenes, concurrentScenes, orderlyScenes } from "./push_scenes.ts";
import { sceneHere } from "../scene.ts";

/** So that retries come soon. */
const DELAYS = `messageDelayLevel=${"1s ".repeat(6).trim()}`;

Deno.test("a concurrent push consumer with our own node", async (t) => {
  await using scene = await sceneHere(DELAYS);
  await concurrentScenes(scene, (name, work) => t.step(name, work));
});

Deno.test("an orderly push consumer with our own node", async (t) => {
  await using scene = await sceneHere(DELAYS);
  await orderlyScenes(scene, (name, work) => t.step(name, work));
});

Deno.test("a broadcasting push consumer with our own node", async (t) => {
  await using scene = await sceneHere();
  await broadcastingScenes(scene, (name, work) => t.step(name, work));
});

Deno.test("our consumers answer administrators through our own node", async (t) => {
  await using scene = await sceneHere();
  await answerScenes(scene, (name, work) => t.step(name, work));
});

Deno.test("a push consumer needs one listener, and has no use for two", () => {
  const needed = { nameservers: "127.0.0.1:1", group: "g", subscriptions: { T: "*" } };
  const nothing = () => {};
  assertThrows(() => new PushConsumer(needed), RocketdError, "one listener is needed");
  const both = { ...needed, consumeConcurrently: nothing, consumeOrderly: nothing };
  assertThrows(() => new PushConsumer(both), RocketdError, "one listener is needed");
});
