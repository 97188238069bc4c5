/**
 * Shares of queues, against tables worked out with RocketMQ 4.9.7's AllocateMessageQueueAveragely.
 *
 * @module
 */
import { allocateAveragely, compareQueues, type MessageQueue } from "../../../src/client/consumer/rebalance.ts";
import { assertEquals } from "../../../src/std.ts";

function queues(count: number): MessageQueue[] {
  return Array.from({ length: count }, (_, queueId) => ({ topic: "T", brokerName: "broker-a", queueId }));
}

function shares(queueCount: number, memberCount: number): number[][] {
  const members = Array.from({ length: memberCount }, (_, i) => `10.0.0.${i}@1`);
  return members.map((id) => allocateAveragely(id, queues(queueCount), members).map(({ queueId }) => queueId));
}

Deno.test("allocateAveragely() gives neighbours, and the first members one more", () => {
  assertEquals(shares(8, 3), [[0, 1, 2], [3, 4, 5], [6, 7]]);
  assertEquals(shares(4, 2), [[0, 1], [2, 3]]);
  assertEquals(shares(5, 4), [[0, 1], [2], [3], [4]]);
  assertEquals(shares(2, 4), [[0], [1], [], []]);
  assertEquals(shares(0, 2), [[], []]);
});

Deno.test("allocateAveragely() gives every queue to exactly one member, whatever their numbers", () => {
  for (let queueCount = 0; queueCount <= 17; queueCount++) {
    for (let memberCount = 1; memberCount <= 9; memberCount++) {
      assertEquals(shares(queueCount, memberCount).flat(), queues(queueCount).map(({ queueId }) => queueId));
    }
  }
});

Deno.test("allocateAveragely() sorts members and queues first, as every member must", () => {
  const members = ["10.0.0.9@1", "10.0.0.10@1", "a", "B"];
  const mixed = [...queues(4)].reverse();
  const ids = (member: string) => allocateAveragely(member, mixed, members).map(({ queueId }) => queueId);
  assertEquals(["10.0.0.10@1", "10.0.0.9@1", "B", "a"].map(ids), [[0], [1], [2], [3]]);
});

Deno.test("allocateAveragely() gives nothing to a client that is not a member", () => {
  assertEquals(allocateAveragely("x", queues(4), ["a", "b"]), []);
});

Deno.test("compareQueues() orders by topic, broker name, and queue id as a number", () => {
  const of = (topic: string, brokerName: string, queueId: number) => ({ topic, brokerName, queueId });
  const sorted = [of("A", "b", 9), of("T", "a", 2), of("T", "a", 10), of("T", "b", 0), of("a", "a", 0)];
  assertEquals([sorted[4]!, sorted[2]!, sorted[0]!, sorted[3]!, sorted[1]!].sort(compareQueues), sorted);
});
