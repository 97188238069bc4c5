import { type ClientVersion, hasJava, SERVER_VERSION } from "../java.ts";
import { clusterKind, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

/** Short, so that a test can see it pass. Java's broker reads it from a property of its machine. */
const LOCK_MS = 3_000;
const SETTINGS = { lockMaxLiveTime: LOCK_MS };
const BROKER_JVM = ["-Xmx512m", "-XX:+UseSerialGC", `-Drocketmq.broker.rebalance.lockMaxLiveTime=${LOCK_MS}`];
/**
 * Members renew their locks well within that time, try again soon for a queue that another has, and stop in time where
 * they could not renew one, as those with the usual times do: 30 s, while the broker has 60.
 */
const CLIENT_JVM = [
  "-Drocketmq.client.rebalance.lockInterval=500",
  "-Drocketmq.client.rebalance.waitInterval=500",
  `-Drocketmq.client.rebalance.lockMaxLiveTime=${LOCK_MS / 2}`,
];

Deno.test({
  name: "Java clients consume in order",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nameserver = await startNameserver(clusterKind(), { orderMessageEnable: true });
    const namesrvAddr = nameserver.address;
    await using broker = await startBroker({ namesrvAddr, settings: SETTINGS, jvm: BROKER_JVM });
    const step = (t: Deno.TestContext, name: string, work: () => Promise<void>) =>
      t.step(name, () => withLogs([nameserver, broker], work));

    await step(t, "mqadmin's library makes an ordered topic, which brokers and producers learn of", async () => {
      await using java = await JavaShell.start(`server-${SERVER_VERSION}`, "JSON", namesrvAddr);
      await java.run("order-topic", broker.address, "broker-a", "OrderedByAdmin");
    });
    for (const version of ["4.9.7", "4.1.0-incubating"] satisfies ClientVersion[]) {
      await t.step(`Java client ${version}`, async (t) => {
        const start = () => JavaShell.start(`client-${version}`, "JSON", namesrvAddr, CLIENT_JVM);
        await using java = await start();
        const mark = version.replaceAll(".", "_");
        const topic = async (name: string, queues: number) => {
          await java.run("create-topic", broker.address, `${name}-${mark}`, queues);
          return `${name}-${mark}`;
        };
        await step(t, "has, renews, loses and gives up locks", async () => {
          await java.run("ordered-locks", broker.address, await topic("Locks", 4), `locks-${mark}`, LOCK_MS);
        });
        await step(t, "never has two members in one queue while one comes and leaves", async () => {
          await java.run("ordered-share", await topic("Share", 4), `share-${mark}`);
        });
        await step(t, "tries a message of a suspended queue again before the next", async () => {
          await java.run("ordered-suspend", await topic("Suspend", 2), `suspend-${mark}`);
        });
        await step(t, "goes on in the queues of a member that was killed, once its locks expire", async () => {
          const name = await topic("Killed", 4), group = `killed-${mark}`;
          await java.run("ordered-join", name, group, 4);
          {
            await using other = await start();
            await other.run("ordered-join", name, group, 2);
            await java.run("ordered-await-queues", name, 2);
            await java.run("ordered-post", name, 0, 50);
            await other.run("ordered-await", 20, 2);
          }
          await java.run("ordered-await-queues", name, 4);
          await java.run("ordered-post", name, 50, 70);
          await java.run("ordered-await", 69, 4);
          await java.run("ordered-leave");
        });
      });
    }
  },
});
