/**
 * A broker that has more to do than it may keep waiting refuses sends with SYSTEM_BUSY, as RocketMQ does, and loses none.
 *
 * @module
 */
import { assert, assertEquals } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import { startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

/** What a broker is told, and the word that its refusals then begin with. `sendMessageThreadPoolNums` is for Java. */
const CASES = [
  {
    name: "hurried",
    settings: { waitTimeMillsInSendQueue: 1, sendMessageThreadPoolNums: 1 },
    reason: "TIMEOUT_CLEAN_QUEUE",
  },
  {
    name: "narrow",
    settings: {
      brokerFastFailureEnable: false,
      sendThreadPoolQueueCapacity: 10,
      sendMessageThreadPoolNums: 1,
      flushDiskType: "SYNC_FLUSH",
    },
    reason: "OVERLOAD",
  },
] as const;

Deno.test({
  name: "each send of a flood is acknowledged and stored, or refused with SYSTEM_BUSY",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nameserver = await startNameserver();
    for (const { name, settings, reason } of CASES) {
      await using broker = await startBroker({ namesrvAddr: nameserver.address, brokerName: name, settings });
      for (const version of ["4.9.7", "4.1.0-incubating"] as const) {
        await t.step(`${reason}, Java client ${version}`, () =>
          withLogs([nameserver, broker], async () => {
            await using java = await JavaShell.start(`client-${version}`, "ROCKETMQ", nameserver.address);
            const topic = `Flood-${name}-${version.replaceAll(".", "_")}`;
            await java.run("create-topic", broker.address, topic, 4);
            const [flooded] = await java.run("flood", topic, `${topic}-observer`);
            assertEquals(flooded!["reasons"], `[${reason}]`);
            assert(Number(flooded!["acknowledged"]) > 0 && Number(flooded!["refused"]) > 0, JSON.stringify(flooded));
          }));
      }
    }
  },
});
