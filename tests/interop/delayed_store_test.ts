import { assert, assertEquals } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import type { Node } from "../launch.ts";
import { freePort } from "../ports.ts";
import { clusterKind, type Kind, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

/** The first level is over while its broker runs, the second is not. */
const SECONDS = [1, 9];
const COUNT = 40;

/** A broker ends, in order or not, while messages wait in its store; the next one opens that and delivers them. */
interface HandOver {
  readonly from: Kind;
  readonly ending: "stop" | "kill";
  readonly to: Kind;
}

/** Every hand-over, in such an order that one store goes through all of them. */
const HAND_OVERS: readonly HandOver[] = [
  { from: "rocketd", ending: "stop", to: "java" },
  { from: "java", ending: "kill", to: "rocketd" },
  { from: "rocketd", ending: "kill", to: "java" },
  { from: "java", ending: "stop", to: "rocketd" },
];

/** Under `CLUSTER=java` all are Java's, which proves the test itself. */
function played(kind: Kind): Kind {
  return clusterKind() === "java" ? "java" : kind;
}

Deno.test({
  name: "a store with delayed messages goes to and fro between rocketd and Java",
  ignore: !hasJava(),
  fn: async (t) => {
    const storeDir = await Deno.makeTempDir({ prefix: "rocketd-store-" });
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => Deno.remove(storeDir, { recursive: true }));
    const nameserver = cleanup.use(await startNameserver("rocketd"));
    const settings = { messageDelayLevel: SECONDS.map((seconds) => `${seconds}s`).join(" ") };
    const options = { namesrvAddr: nameserver.address, brokerName: "broker-a", storeDir, port: freePort(), settings };
    const java = cleanup.use(await JavaShell.start("client-4.9.7", "ROCKETMQ", nameserver.address));
    const start = async (kind: Kind) => cleanup.use(await startBroker(options, played(kind)));

    let broker: Node = await start(HAND_OVERS[0]!.from);
    for (const [i, { from, ending, to }] of HAND_OVERS.entries()) {
      const name = `${played(to)} delivers what waits in the store of ${played(from)}, after ${ending}`;
      const worked = await t.step(name, async () => {
        const topic = `Interop-delayed-store-${i}`, over = `${topic}-over`;
        await withLogs([broker], async () => {
          for (const made of [topic, over]) await java.run("create-topic", broker.address, made, 4);
          await java.run("delay-send", over, COUNT, 1);
          await java.run("delay-receive", over, ...SECONDS);
          await java.run("delay-send", topic, COUNT, 2);
        });
        await broker[ending]();
        broker = await start(to);
        await withLogs([broker], async () => {
          const [report] = await java.run("delay-receive", topic, ...SECONDS);
          const { messages, received, earlyMs } = report!;
          const [before] = await java.run("delay-receive", over, ...SECONDS);
          assertEquals([messages, before!["messages"]], [COUNT, COUNT]);
          // How far a level is goes to disk every ten seconds: what came after that comes again, but for an orderly stop.
          if (ending === "stop") assertEquals([received, before!["received"]], [COUNT, COUNT]);
          // Java knows no levels yet when it recovers: queue entries that are lost it makes anew with a time long ago.
          if (ending === "stop" || played(to) === "rocketd") assertEquals(earlyMs, 0);
        });
      });
      assert(worked, name);
    }
  },
});
