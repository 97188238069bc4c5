/**
 * What may be sent, alone and in a batch, before any broker is asked.
 *
 * @module
 */
import type { OutgoingMessage } from "../../../src/client/mod.ts";
import { batchOf, parcelOf } from "../../../src/client/producer/parcel.ts";
import { RocketdError } from "../../../src/errors.ts";
import { propertyOf } from "../../../src/protocol/properties.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "../../../src/std.ts";

const bounds = { foldAbove: 4096, maxMessageSize: 10_000 };
const one = { topic: "T", body: "x" };
let keys = 0;
const batch = (...messages: OutgoingMessage[]) => batchOf(messages, () => `K${keys++}`, bounds);

Deno.test("A delay level travels as the property DELAY, and 0 as none", () => {
  assertEquals(propertyOf(parcelOf({ ...one, delayLevel: 3 }, "K", bounds).properties, "DELAY"), "3");
  assertEquals(propertyOf(parcelOf({ ...one, delayLevel: 0 }, "K", bounds).properties, "DELAY"), undefined);
});

Deno.test("A message keeps the UNIQ_KEY and the WAIT that its properties give, alone and in a batch", () => {
  const again = { ...one, properties: { UNIQ_KEY: "FIRST", WAIT: "false" } };
  for (const parcel of [parcelOf(again, "K", bounds), batch(again, { ...one, waitStored: false })]) {
    assertEquals([parcel.uniqueKey, propertyOf(parcel.properties, "WAIT")], ["FIRST", "false"]);
  }
  assertEquals(propertyOf(parcelOf(again, "K", bounds).properties, "UNIQ_KEY"), "FIRST");
  const asked = parcelOf({ ...again, waitStored: true }, "K", bounds);
  assertEquals(propertyOf(asked.properties, "WAIT"), "true");
});

Deno.test("A half message says so in its flags", () => {
  assertEquals(parcelOf({ ...one, properties: { TRAN_MSG: "true" } }, "K", bounds).sysFlag, 4);
  assertEquals(parcelOf(one, "K", bounds).sysFlag, 0);
});

Deno.test("A body above the bound is folded, and knows its length", () => {
  const { body, sysFlag, bodyLength } = parcelOf({ topic: "T", body: "x".repeat(5000) }, "K", bounds);
  assertEquals([body.length < 100, sysFlag, bodyLength], [true, 1, 5000]);
});

Deno.test("A message that no broker takes is refused before it is sent", () => {
  const bad: [Partial<OutgoingMessage>, string][] = [
    [{ topic: "no topic!" }, "illegal characters"],
    [{ topic: "SCHEDULE_TOPIC_XXXX" }, "RocketMQ's own"],
    [{ body: "x".repeat(10_001) }, "10001 bytes"],
    [{ body: "" }, 'body is ""'],
    [{ flag: 1.5 }, "flag is 1.5"],
    [{ flag: NaN }, "flag is NaN"],
    [{ flag: 2 ** 31 }, "flag is 2147483648"],
    [{ properties: { empty: "" } }, 'properties is "empty"'],
    [{ delayLevel: 1.5 }, "delayLevel is 1.5"],
    [{ delayLevel: -1 }, "delayLevel is -1"],
    [{ tag: "a\u0002b" }, "tag is"],
    [{ keys: ["ok", "a\u0001b"] }, "keys is"],
    [{ properties: { "a\u0001b": "c" } }, "properties is"],
    [{ properties: { long: "x".repeat(33_000) } }, "allowed are 32767"],
  ];
  for (const [part, reason] of bad) {
    const error = assertThrows(() => parcelOf({ ...one, ...part }, "K", bounds), RocketdError);
    assertEquals(error.code, "invalidArgument");
    assertStringIncludes(error.message, reason);
  }
});

Deno.test("A batch is refused for what Java's producers refuse it", () => {
  const bad: [OutgoingMessage[], string][] = [
    [[], "it is empty"],
    [[one, { ...one, topic: "U" }], "for T and for U"],
    [[one, { ...one, waitStored: false }], "waitStored differs"],
    [[one, { ...one, delayLevel: 1 }], "delay level"],
    [[{ ...one, properties: { DELAY: "1" } }], "delay level"],
    [[{ ...one, properties: { TRAN_MSG: "true" } }], "transaction"],
    [[{ ...one, topic: "%RETRY%g" }], "retry topic"],
    [[one, { ...one, body: "" }], 'body is ""'],
    [[one, { ...one, properties: { WAIT: "false" } }], "waitStored differs"],
    [[{ ...one, body: "x".repeat(5000) }, { ...one, body: "x".repeat(5000) }], "allowed are up to 10000"],
  ];
  for (const [messages, reason] of bad) {
    const error = assertThrows(() => batch(...messages), RocketdError);
    assertEquals(error.code, "invalidArgument");
    assertStringIncludes(error.message, reason);
  }
});

Deno.test("A batch is known by the key of its first message", () => {
  keys = 0;
  const { uniqueKey, batch: isBatch, properties } = batch(one, one);
  assertEquals([uniqueKey, isBatch, properties, keys], ["K0", true, "WAIT\u0001true", 2]);
});
