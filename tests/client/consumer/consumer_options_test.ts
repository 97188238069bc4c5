/**
 * What consumers' options may be.
 *
 * @module
 */
import { given } from "../../../src/client/consumer/consumer_options.ts";
import { LitePullConsumer, PushConsumer } from "../../../src/client/mod.ts";
import { RocketdError } from "../../../src/errors.ts";
import { assertEquals, assertMatch, assertThrows } from "../../../src/std.ts";

Deno.test("an option that cannot be is told with what it may be, and one that is undefined counts as not given", () => {
  const needed = { nameservers: "127.0.0.1:1", group: "g", subscriptions: { T: "*" }, consumeOrderly: () => {} };
  const wrong = {
    concurrency: 0,
    consumeMessageBatchMaxSize: 1.5,
    pullThresholdForQueue: NaN,
    consumeTimeoutMs: 1e10,
    heartbeatBrokerIntervalMs: 0,
    from: new Date(NaN),
  };
  for (const [field, value] of Object.entries(wrong)) {
    assertThrows(() => new PushConsumer({ ...needed, [field]: value }), RocketdError, `${field} ${value}: allowed is`);
  }
  assertThrows(() => new LitePullConsumer({ ...needed, pullBatchSize: 0 }), RocketdError, "from 1 to 1024");
  for (const group of ["", "a/b", "DEFAULT_CONSUMER"]) {
    assertThrows(() => new PushConsumer({ ...needed, group }), RocketdError, "Cannot consume: ");
  }
  const ids = [undefined, "me"].map((clientId) => {
    const consumer = new PushConsumer({ ...needed, messageModel: "BROADCASTING", ...{ clientId } as object });
    return consumer.clientId;
  });
  // By this name a member finds the file with its offsets again.
  assertMatch(ids[0]!, /@DEFAULT$/);
  assertEquals(ids[1], "me");
  assertEquals(given({ concurrency: undefined, group: "g" }), { group: "g" } as object);
});
