/**
 * Messages are found by key, by id and by time as RocketMQ finds them, with official clients.
 *
 * @module
 */
import { type ClientVersion, hasJava } from "../java.ts";
import type { Node } from "../launch.ts";
import { startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

async function exercise(t: Deno.TestContext, version: ClientVersion, nameserver: Node, broker: Node): Promise<void> {
  await using java = await JavaShell.start(`client-${version}`, "ROCKETMQ", nameserver.address);
  const mark = `Find-${version.replaceAll(".", "_")}`;
  const step = (name: string, queues: number, command: string, ...args: string[]) =>
    t.step(name, () =>
      withLogs([nameserver, broker], async () => {
        const topic = `${mark}-${command}`;
        await java.run("create-topic", broker.address, topic, queues);
        await java.run(command, topic, ...args);
      }));
  await step("by key", 4, "find-by-keys");
  await step("by key within a time", 1, "find-by-key-and-time");
  await step("by id", 4, "find-by-id");
  await step("by key, after a delay", 4, "find-delayed");
  await step("by time", 1, "find-by-time", `${mark}-observer`);
}

Deno.test({
  name: "messages are found by key, id and time",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nameserver = await startNameserver();
    await using broker = await startBroker({ namesrvAddr: nameserver.address, brokerName: "broker-a" });
    for (const version of ["4.9.7", "4.1.0-incubating"] as const) {
      await t.step(`Java client ${version}`, (t) => exercise(t, version, nameserver, broker));
    }
  },
});
