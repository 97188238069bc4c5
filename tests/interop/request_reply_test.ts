import { type ClientVersion, hasJava } from "../java.ts";
import { startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell, type Serialization } from "./java_shell.ts";

/** Clients before 4.6 know no requests. */
const CLIENTS: readonly { version: ClientVersion; serialization: Serialization }[] = [
  { version: "4.9.7", serialization: "JSON" },
  { version: "4.9.7", serialization: "ROCKETMQ" },
  { version: "5.1.4", serialization: "JSON" },
];

Deno.test({
  name: "Java clients ask and reply",
  ignore: !hasJava(),
  fn: async (t) => {
    for (const storeReplyMessageEnable of [true, false]) {
      await using nameserver = await startNameserver();
      const namesrvAddr = nameserver.address;
      await using broker = await startBroker({ namesrvAddr, settings: { storeReplyMessageEnable } });
      const clients = storeReplyMessageEnable ? CLIENTS : CLIENTS.slice(0, 1);
      for (const { version, serialization } of clients) {
        const name =
          `Java client ${version}, ${serialization} headers, storeReplyMessageEnable ${storeReplyMessageEnable}`;
        await t.step(name, () =>
          withLogs([nameserver, broker], async () => {
            await using java = await JavaShell.start(`client-${version}`, serialization, namesrvAddr);
            const topic = `Requests-${version.replaceAll(".", "_")}-${serialization}`;
            await java.run("create-topic", broker.address, topic, 4);
            await java.run("request-reply", topic, topic, storeReplyMessageEnable);
          }));
      }
    }
  },
});
