/**
 * @module
 */
import { lockHandlers, QueueLocks } from "../../src/broker/locks.ts";
import { LOCK_QUEUES_MAX, LOCKS_MAX } from "../../src/limits.ts";
import { decodeLocked, encodeLockBatch, type MessageQueue } from "../../src/protocol/bodies/message_queue.ts";
import { subscriptionGroup } from "../../src/protocol/bodies/subscription_group.ts";
import { topicConfig } from "../../src/protocol/bodies/topic_config.ts";
import { LockBatchMq, UnlockBatchMq } from "../../src/protocol/requests.ts";
import { assertEquals, assertStringIncludes } from "../../src/std.ts";
import { Desk, HandClock } from "./workshop.ts";

const LIFE_MS = 60_000;

function queue(queueId: number, topic = "Orders", brokerName = "broker-a"): MessageQueue {
  return { topic, brokerName, queueId };
}

/** Locks of a broker with the groups CG and CG2, and with the topic Orders of 4 queues. */
class Table {
  readonly clock = new HandClock();
  readonly locks = new QueueLocks({
    settings: { brokerName: "broker-a", lockMaxLiveTime: LIFE_MS },
    groups: { get: (name) => name.startsWith("CG") ? subscriptionGroup(name) : undefined },
    topics: {
      get: (name) => name.startsWith("Orders") ? topicConfig(name, { readQueueNums: 4, writeQueueNums: 8 }) : undefined,
    },
    clock: this.clock,
  });

  /** Ids of the queues that the client has then. */
  lock(clientId: string, ids: number[], consumerGroup = "CG"): number[] {
    const { locked } = this.locks.lock({ consumerGroup, clientId, mqSet: ids.map((id) => queue(id)) });
    return locked.map(({ queueId }) => queueId);
  }

  unlock(clientId: string, ids: number[], consumerGroup = "CG"): void {
    this.locks.unlock({ consumerGroup, clientId, mqSet: ids.map((id) => queue(id)) });
  }
}

Deno.test("a queue is locked for one client of a group, and for each group by itself", () => {
  const table = new Table();
  assertEquals(table.lock("a", [0, 1]), [0, 1]);
  assertEquals(table.lock("b", [1, 2]), [2]);
  assertEquals(table.lock("a", [0, 1, 2]), [0, 1]);
  assertEquals(table.lock("b", [0, 1], "CG2"), [0, 1]);
  assertEquals(table.locks.size, 5);
});

Deno.test("a lock lives as long as its owner renews it, and may then be taken by another", () => {
  const table = new Table();
  table.lock("a", [0, 1]);
  table.clock.go(LIFE_MS);
  assertEquals(table.lock("b", [0]), []);
  assertEquals(table.lock("a", [0]), [0]);
  table.clock.go(1);
  assertEquals(table.lock("b", [0, 1]), [1]);
  table.clock.go(LIFE_MS);
  assertEquals(table.lock("b", [0]), [0]);
  assertEquals(table.lock("a", [0, 1]), []);
});

Deno.test("an expired lock is its owner's again when nobody took it", () => {
  const table = new Table();
  table.lock("a", [0]);
  table.clock.go(LIFE_MS + 1);
  assertEquals(table.lock("a", [0]), [0]);
  assertEquals(table.lock("b", [0]), []);
});

Deno.test("a client gives up its own locks only", () => {
  const table = new Table();
  table.lock("a", [0, 1]);
  table.unlock("b", [0, 1]);
  table.unlock("a", [0, 1], "CG2");
  table.unlock("a", [3]);
  assertEquals(table.lock("b", [0, 1]), []);
  table.unlock("a", [0]);
  assertEquals(table.lock("b", [0, 1]), [0]);
  table.unlock("a", [1]);
  table.unlock("b", [0]);
  assertEquals(table.locks.size, 0);
});

Deno.test("expired locks are let go of while nobody asks for them", () => {
  const table = new Table();
  table.locks.start();
  table.lock("a", [0, 1]);
  table.clock.go(1);
  table.lock("a", [1]);
  table.lock("b", [2], "CG2");
  table.clock.go(LIFE_MS - 1);
  assertEquals(table.locks.size, 3);
  table.clock.go(LIFE_MS);
  assertEquals(table.locks.size, 0);
  table.locks.close();
  assertEquals(table.clock.timers, 0);
});

Deno.test("nothing is locked, nor remembered, of a group, topic, broker or queue that is not there", () => {
  const { locks } = new Table();
  const ask = (consumerGroup: string, ...mqSet: MessageQueue[]) => locks.lock({ consumerGroup, clientId: "a", mqSet });
  const cases: [result: ReturnType<typeof ask>, remark: string][] = [
    [ask("Unknown", queue(0)), "subscription group [Unknown] does not exist"],
    [ask("CG", queue(0, "Unknown")), "topic[Unknown] not exist"],
    [ask("CG", queue(0, "Orders", "broker-b")), "not the broker broker-b but broker-a"],
    [ask("CG", queue(4)), "queueId[4] is illegal, topic[Orders] has queues 0 to 3"],
    [ask("CG", queue(-1)), "queueId[-1] is illegal"],
  ];
  for (const [{ locked, problem }, remark] of cases) {
    assertEquals(locked, []);
    assertStringIncludes(problem ?? "", remark);
  }
  assertEquals(locks.size, 0);
  assertEquals(ask("CG", queue(9), queue(3)).locked, [queue(3)]);
});

Deno.test("there are at most so many locks; those there are can be renewed and given up", () => {
  const { locks } = new Table();
  const all = [0, 1, 2, 3];
  for (let n = 0; n < LOCKS_MAX / all.length; n++) {
    locks.lock({ consumerGroup: `CG${n}`, clientId: "a", mqSet: all.map((id) => queue(id)) });
  }
  assertEquals(locks.size, LOCKS_MAX);
  const late = () => locks.lock({ consumerGroup: "CG", clientId: "a", mqSet: [queue(0)] });
  assertEquals(late(), { locked: [], problem: `${LOCKS_MAX} queues are locked, no more are allowed` });
  assertEquals(locks.lock({ consumerGroup: "CG0", clientId: "a", mqSet: [queue(0)] }).locked, [queue(0)]);
  locks.unlock({ consumerGroup: "CG0", clientId: "a", mqSet: [queue(0)] });
  assertEquals(late().locked, [queue(0)]);
});

Deno.test("LOCK_BATCH_MQ and UNLOCK_BATCH_MQ take and answer Java's bodies, and refuse what is none", async () => {
  const { locks } = new Table();
  const desk = new Desk((table) => lockHandlers(table, locks));
  const { ask } = desk.client();
  const text = (body: string) => new TextEncoder().encode(body);
  const java = text(
    `{"clientId":"10.0.0.1@7","consumerGroup":"CG","mqSet":[{"brokerName":"broker-a","queueId":0,"topic":"Orders"}]}`,
  );
  try {
    const locked = await ask(LockBatchMq, {}, java);
    const answer = `{"lockOKMQSet":[{"brokerName":"broker-a","queueId":0,"topic":"Orders"}]}`;
    assertEquals([locked.code, new TextDecoder().decode(locked.body)], [0, answer]);
    const other = encodeLockBatch({ consumerGroup: "CG", clientId: "b", mqSet: [queue(0)] });
    assertEquals(decodeLocked((await ask(LockBatchMq, {}, other)).body), []);
    assertEquals((await ask(UnlockBatchMq, {}, java)).code, 0);
    assertEquals(decodeLocked((await ask(LockBatchMq, {}, other)).body), [queue(0)]);

    const unknown = encodeLockBatch({ consumerGroup: "Unknown", clientId: "b", mqSet: [queue(0)] });
    const { code, remark, body } = await ask(LockBatchMq, {}, unknown);
    assertEquals([code, remark, decodeLocked(body)], [0, "subscription group [Unknown] does not exist", []]);

    const many = Array.from({ length: LOCK_QUEUES_MAX + 1 }, (_, id) => queue(id));
    for (
      const [body, field] of [
        [text(""), "JSON"],
        [text(`{"consumerGroup":"CG"}`), "clientId"],
        [text(`{"consumerGroup":"CG","clientId":"a","mqSet":[{"topic":"Orders"}]}`), "mqSet[0].brokerName"],
        [encodeLockBatch({ consumerGroup: "CG", clientId: "x".repeat(1025), mqSet: [] }), "clientId"],
        [encodeLockBatch({ consumerGroup: "CG", clientId: "a", mqSet: many }), "mqSet"],
      ] as const
    ) {
      for (const type of [LockBatchMq, UnlockBatchMq]) {
        const refused = await ask(type, {}, body);
        assertEquals(refused.code, 1);
        assertStringIncludes(refused.remark ?? "", field);
      }
    }
    assertEquals(locks.size, 1);
  } finally {
    await desk.close();
  }
});
