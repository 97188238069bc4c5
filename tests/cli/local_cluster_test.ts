/**
 * A cluster in the caller's own process.
 *
 * @module
 */
import { startLocalCluster } from "../../src/cli/local_cluster.ts";
import { Producer } from "../../src/client/mod.ts";
import { RocketdError } from "../../src/errors.ts";
import { assertEquals, assertRejects } from "../../src/std.ts";

Deno.test("clusters in one process know nothing of each other", async () => {
  const clusters = await Promise.all([startLocalCluster(), startLocalCluster(), startLocalCluster()]);
  const addresses = clusters.flatMap(({ nameservers, broker }) => [nameservers, broker]);
  assertEquals(new Set(addresses).size, 6);
  for (const { nameservers } of clusters) {
    await using producer = new Producer({ nameservers });
    assertEquals(
      (await producer.send({ topic: "T", body: "x" }, { to: { brokerName: "broker-a", queueId: 0 } })).queueOffset,
      0,
    );
  }
  await Promise.all(clusters.map((cluster) => cluster.close()));
});

Deno.test("a cluster with a setting that is wrong is refused with its name, and one whose port is taken with the port", async () => {
  const settings = { flushDiskType: "NEVER_FLUSH" };
  const wrong = await assertRejects(() => startLocalCluster({ settings }), RocketdError, "flushDiskType");
  assertEquals(wrong.code, "invalidSettings");
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const refused = () => startLocalCluster({ settings: { "nameserver.listenPort": port } });
  assertEquals((await assertRejects(refused, RocketdError, String(port))).code, "inUse");
});
