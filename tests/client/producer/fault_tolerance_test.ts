/**
 * Which broker is next, after others failed or were slow.
 *
 * @module
 */
import { QueueTurns } from "../../../src/client/producer/fault_tolerance.ts";
import { assertEquals } from "../../../src/std.ts";

const queuesOf = (...brokers: string[]) =>
  brokers.flatMap((brokerName) => [0, 1].map((queueId) => ({ topic: "T", brokerName, queueId })));

function turns(avoidsSlow: boolean, ...brokers: string[]) {
  const clock = { now: 1_000_000 };
  const chosen = new QueueTurns(avoidsSlow, () => clock.now, 0);
  const names = (count: number) =>
    new Set(Array.from({ length: count }, () => chosen.next(queuesOf(...brokers))?.brokerName));
  return { clock, chosen, names };
}

Deno.test("Queues come in turn, on another broker than the one that failed", () => {
  const { chosen } = turns(false, "a");
  const queues = queuesOf("a", "b");
  const next = (failed?: string) => {
    const { brokerName, queueId } = chosen.next(queues, failed)!;
    return `${brokerName}/${queueId}`;
  };
  assertEquals([next(), next(), next(), next(), next()], ["a/0", "a/1", "b/0", "b/1", "a/0"]);
  assertEquals([next("a"), next("b")], ["b/0", "a/0"]);
});

Deno.test("The only broker is tried again, and no queue is chosen of none", () => {
  const { chosen } = turns(false);
  assertEquals(chosen.next(queuesOf("a"), "a")?.brokerName, "a");
  assertEquals(chosen.next([]), undefined);
});

Deno.test("A slow broker is avoided for as long as Java's table says", () => {
  for (const [latency, avoided] of [[549, 0], [550, 30_000], [1_000, 60_000], [2_999, 120_000], [99_999, 600_000]]) {
    const { clock, chosen, names } = turns(true, "a", "b");
    chosen.took("a", latency!);
    if (avoided! > 0) {
      clock.now += avoided! - 1;
      assertEquals(names(4), new Set(["b"]), `${latency}`);
      clock.now++;
    }
    assertEquals(names(4), new Set(["a", "b"]), `${latency}`);
  }
});

Deno.test("A failed broker is avoided for ten minutes, unless a send to it works before", () => {
  const { chosen, names } = turns(true, "a", "b");
  chosen.failed("a");
  assertEquals(names(4), new Set(["b"]));
  chosen.took("a", 3);
  assertEquals(names(4), new Set(["a", "b"]));
});

Deno.test("When all brokers are slow, the better half of them is used", () => {
  const { chosen, names } = turns(true, "a", "b", "c", "d");
  chosen.failed("a");
  chosen.took("b", 600);
  chosen.failed("c");
  chosen.took("d", 700);
  assertEquals(names(8), new Set(["b", "d"]));
});

Deno.test("Slow brokers are not avoided unless that is asked for", () => {
  const { chosen, names } = turns(false, "a", "b");
  chosen.failed("a");
  assertEquals(names(4), new Set(["a", "b"]));
});
