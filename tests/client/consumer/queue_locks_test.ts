/**
 * Locks on queues: what a member holds, and how it gives it back.
 *
 * @module
 */
import { QueueLocks } from "../../../src/client/consumer/queue_locks.ts";
import { RouteBook } from "../../../src/client/routes.ts";
import { decodeLockBatch, encodeLocked, encodeTopicRoute } from "../../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../../src/protocol/codes.ts";
import { GetRouteinfoByTopic, LockBatchMq, UnlockBatchMq } from "../../../src/protocol/requests.ts";
import { RemotingClient } from "../../../src/remoting/client.ts";
import { HandlerTable } from "../../../src/remoting/handlers.ts";
import { RemotingServer } from "../../../src/remoting/server.ts";
import { assertEquals } from "../../../src/std.ts";

const { SUCCESS } = ResponseCode;

Deno.test("locks that are given back together go in one request, and are held no longer", async () => {
  const unlocked: number[][] = [];
  const handlers = new HandlerTable()
    .on(LockBatchMq, ({ body }) => ({ code: SUCCESS, body: encodeLocked(decodeLockBatch(body).mqSet) }))
    .on(UnlockBatchMq, ({ body }) => {
      unlocked.push(decodeLockBatch(body).mqSet.map(({ queueId }) => queueId).toSorted());
      return { code: SUCCESS };
    })
    .on(GetRouteinfoByTopic, () => ({
      code: SUCCESS,
      body: encodeTopicRoute({
        queueDatas: [{ brokerName: "b", readQueueNums: 4, writeQueueNums: 4, perm: 6, topicSysFlag: 0 }],
        brokerDatas: [{ brokerName: "b", cluster: "C", brokerAddrs: new Map([[0, address]]) }],
        filterServerTable: new Map(),
      }),
    }));
  const server = new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 9, idleMs: 60_000 });
  const address: string = `127.0.0.1:${server.port}`;
  const client = new RemotingClient();
  try {
    const locks = new QueueLocks({ client, routes: new RouteBook(client, address), group: "g", clientId: "c" });
    const queues = [0, 1, 2, 3].map((queueId) => ({ topic: "T", brokerName: "b", queueId }));
    assertEquals((await locks.lock(queues)).size, 4);
    await Promise.all(queues.slice(0, 3).map((queue) => locks.unlock(queue)));
    assertEquals(unlocked, [[0, 1, 2]]);
    assertEquals(queues.map((queue) => locks.holds(queue)), [false, false, false, true]);
    await locks.unlock(queues[0]!);
    assertEquals(unlocked.length, 1);
  } finally {
    client.close();
    await server.close();
  }
});
