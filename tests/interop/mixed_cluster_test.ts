/**
 * One cluster of everything: our nameserver and a Java one, our master with a Java slave, a Java master with our slave.
 *
 * @module
 */
import { assert } from "../../src/std.ts";
import { caughtUp, sameFiles, sameTables } from "../cluster/replication.ts";
import { hasJava } from "../java.ts";
import { clusterKind, type Kind, startBroker, startNameserver, startSlave, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

/** Under `CLUSTER=java` all of them are Java's, which proves the test itself. */
const OURS: Kind = clusterKind() === "java" ? "java" : "rocketd";

Deno.test({
  name: "nodes of both kinds make one cluster, and it outlives its masters",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nodes = new AsyncDisposableStack();
    const [one, other] = await Promise.all(
      ([OURS, "java"] as const).map((kind) => startNameserver(kind).then((node) => nodes.use(node))),
    );
    const namesrvAddr = `${one!.address};${other!.address}`;
    const [a, b] = await Promise.all([
      startBroker({ namesrvAddr, brokerName: "broker-a" }, OURS).then((node) => nodes.use(node)),
      startBroker({ namesrvAddr, brokerName: "broker-b" }, "java").then((node) => nodes.use(node)),
    ]);
    const [slaveOfA, slaveOfB] = await Promise.all([
      startSlave({ namesrvAddr, brokerName: "broker-a" }, "java").then((node) => nodes.use(node)),
      startSlave({ namesrvAddr, brokerName: "broker-b" }, OURS).then((node) => nodes.use(node)),
    ]);
    const all = [one!, other!, a, b, slaveOfA, slaveOfB];
    const clients = await Promise.all(
      [one!, other!].map(({ address }) => {
        return JavaShell.start("client-4.9.7", "ROCKETMQ", address).then((shell) => nodes.use(shell));
      }),
    );
    const step = async (name: string, work: () => Promise<void>) => {
      assert(await t.step(name, () => withLogs(all, work)), name);
    };
    const topic = (n: number) => `Interop-mixed-cluster-${n}`;

    for (const [n, java] of clients.entries()) {
      await step(`clients of nameserver ${n} send to both masters and consume from both`, async () => {
        await java.run("create-topic", a.address, topic(n), 4);
        await java.run("create-topic", b.address, topic(n), 4, 4);
        await java.run("send", topic(n), false);
        await java.run("consume-all", topic(n), `readers-${n}`, false);
      });
    }
    await step("the slaves have what their masters have", async () => {
      for (const [master, slave] of [[a, slaveOfA], [b, slaveOfB]] as const) {
        await caughtUp(master, slave);
        await sameFiles(master, slave);
        await sameTables(master, slave);
      }
    });
    await step("clients of both nameservers consume everything from the slaves when the masters are dead", async () => {
      await Promise.all([a.kill(), b.kill()]);
      for (const [n, java] of clients.entries()) {
        await java.run("consume-without-master", topic(n), `readers-of-slaves-${n}`);
      }
    });
    await step("and send to the masters when they are back", async () => {
      await Promise.all([a.start(), b.start()]);
      for (const [n, java] of clients.entries()) {
        await java.run("send", topic(n), true);
        await java.run("consume-all", topic(n), `readers-after-${n}`, false);
      }
    });
  },
});
