/**
 * @module
 */
import { ProducerGroups } from "../../src/broker/producers.ts";
import { assertEquals } from "../../src/std.ts";
import { HandClock, RecordingConnection } from "./workshop.ts";

function setUp() {
  const groups = new ProducerGroups(new HandClock());
  const connections = ["a", "b"].map((peer) => new RecordingConnection(peer));
  return {
    groups,
    a: connections[0]!,
    b: connections[1]!,
    beat: (group: string, connection: RecordingConnection, clientId: string) =>
      groups.register(group, connection, { clientId, language: "JAVA", version: 407 }),
    found: (clientId: string) => groups.connectionOf(clientId)?.peer,
  };
}

Deno.test("a producer is found by its client id while it is in any group", () => {
  const { groups, a, b, beat, found } = setUp();
  beat("PG", a, "one");
  beat("PG2", a, "one");
  beat("PG", b, "two");
  assertEquals([found("one"), found("two"), found("three")], ["a", "b", undefined]);
  groups.unregister("PG", a);
  assertEquals(found("one"), "a");
  groups.unregister("PG2", a);
  assertEquals(found("one"), undefined);
  b.close();
  assertEquals(found("two"), undefined);
});

Deno.test("a connection is found under the newest id it gave, and no other", () => {
  const { a, beat, found } = setUp();
  for (let n = 0; n < 10; n++) beat(`PG${n % 2}`, a, `id ${n}`);
  assertEquals(Array.from({ length: 10 }, (_, n) => found(`id ${n}`)), [...Array(9).fill(undefined), "a"]);
});

Deno.test("of connections with the same client id the newest is found, and after it the other once it says so again", () => {
  const { a, b, beat, found } = setUp();
  beat("PG", a, "one");
  beat("PG", b, "one");
  beat("PG", a, "one");
  assertEquals(found("one"), "b");
  b.close();
  beat("PG", a, "one");
  assertEquals(found("one"), "a");
});

Deno.test("an older connection that leaves does not take the newer one of its client with it", () => {
  const { a, b, beat, found } = setUp();
  beat("PG", a, "one");
  beat("PG", b, "one");
  a.close();
  assertEquals(found("one"), "b");
});

Deno.test("a connection that had closed before is not found", () => {
  const { a, beat, found } = setUp();
  a.close();
  beat("PG", a, "one");
  assertEquals(found("one"), undefined);
});
