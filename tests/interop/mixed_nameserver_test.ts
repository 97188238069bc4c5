import { hasJava } from "../java.ts";
import { clusterKind, type Kind, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

/** Nodes of both kinds in one cluster. Under `CLUSTER=java` both are Java's, which proves the test itself. */
const MIXTURES: readonly [name: string, kind: Kind][] = clusterKind() === "java"
  ? [["a Java broker registers with a Java nameserver", "java"]]
  : [
    ["a Java broker registers with our nameserver", "rocketd-ns+java"],
    ["our master registers with a Java nameserver", "java-ns+rocketd"],
  ];

for (const [name, kind] of MIXTURES) {
  Deno.test({
    name: `${name}, and clients find their way`,
    ignore: !hasJava(),
    fn: async () => {
      await using nameserver = await startNameserver(kind);
      await using broker = await startBroker({ namesrvAddr: nameserver.address }, kind);
      await using java = await JavaShell.start("server-4.9.7", "ROCKETMQ", nameserver.address);
      await withLogs([nameserver, broker], async () => {
        await java.run("create-topic", broker.address, "Interop-mixed", 4);
        await java.run("auto-create-topic", "Interop-mixed-auto");
        await java.run("admin-tool", broker.address, "Interop-mixed-admin");
        await java.run("send", "Interop-mixed", false);
        await java.run("consume-all", "Interop-mixed", "mixed", false);
        // What the broker knew before must be known again after a restart of either side.
        await broker.stop();
        await broker.start();
        await java.run("consume-all", "Interop-mixed", "mixed-after-restart", false);
      });
    },
  });
}
