import { assertEquals } from "../../src/std.ts";
import { CLIENT_VERSIONS, type ClientVersion, hasJava, SERVER_VERSION } from "../java.ts";
import { type Cluster, clusterKind, startCluster, withLogs } from "./cluster.ts";
import { JavaShell, type Serialization } from "./java_shell.ts";

const SERIALIZATIONS: readonly Serialization[] = ["JSON", "ROCKETMQ"];

/** While looking for a fault: `CLIENT="4.9.7 JSON"` leaves the others out. */
const ONLY = Deno.env.get("CLIENT") ?? "";

/** The response codes of RocketMQ 4.9.7's broker and nameserver. */
const REFUSALS: Record<string, number> = {
  "client sends more than 4 MiB": 13,
  "client sends to a queue beyond": 1,
  "consumer list of an unknown group": 1,
  "create topic ''": 1,
  "create topic '../../etc/x'": 1,
  "create topic 'bad topic'": 1,
  "create topic 'bad/topic'": 1,
  "create topic 'bäd'": 1,
  "create topic of 128 characters": 1,
  "offset of an unknown topic": 0,
  "pull a queue beyond": 1,
  "pull an unknown topic": 17,
  "pull without a subscription, offline": 24,
  "pull without read permission": 16,
  "route of an unknown topic": 17,
  "send more than 4 MiB": 13,
  "send to a queue beyond": 1,
  "send to a system topic": 16,
  "send to an unknown topic": 17,
  "send to an unknown topic, short names": 17,
  "send to queue 'x'": 1,
  "send to topic ''": 1,
  "send to topic '../../etc/x'": 1,
  "send to topic 'bad topic'": 1,
  "send to topic 'bad/topic'": 1,
  "send to topic 'bäd'": 1,
  "send to topic of 128 characters": 1,
  "send with an unknown template": 17,
  "send without write permission": 16,
  "unknown request code": 3,
};

/** Java's broker leaves the topic's write permission to its clients; ours refuses. */
const JAVA_ACCEPTS = { "send without write permission": 0 };

/** Every feature that official clients need, in the order in which one builds on the other. */
async function exercise(t: Deno.TestContext, cluster: Cluster, version: ClientVersion, serialization: Serialization) {
  const { nameserver, open, closed } = cluster;
  await using java = await JavaShell.start(`client-${version}`, serialization, nameserver.address);
  const step = async (name: string, work: () => Promise<void>) => {
    await t.step(name, () => withLogs([nameserver, open, closed], work));
  };
  const mark = `${version.replaceAll(".", "_")}-${serialization}`;
  const topic = `Interop-${mark}`;

  await step("makes a topic, and finds its route", async () => {
    await java.run("create-topic", open.address, topic, 4);
    await java.run("create-topic", closed.address, `${topic}-closed`, 2);
    await java.run("create-topic-by-client", `${topic}-by-client`, 6);
  });
  await step("sends the first message of a topic, which makes it", async () => {
    const reports = await java.run("auto-create-topic", `${topic}-auto`);
    assertEquals(reports, [{ what: "auto-created", brokerName: "broker-a" }]);
  });
  await step("sends synchronously, asynchronously, one way, in batches, small and large", async () => {
    await java.run("send", topic, false);
  });
  await step("sends all that through the VIP port", async () => {
    await java.run("send", topic, true);
  });
  await step("receives every message once and unchanged", async () => {
    await java.run("consume-all", topic, `all-${mark}`, false);
    await java.run("consume-all", topic, `all-vip-${mark}`, true);
  });
  await step("receives what its tag filter lets through, and nothing else", async () => {
    await java.run("consume-filtered", topic, `filtered-${mark}`, false);
  });
  await step("pulls from every offset, at and off the ends, by time, with long polling", async () => {
    await java.run("create-topic", open.address, `${topic}-pull`, 1);
    await java.run("pull", `${topic}-pull`, `pull-${mark}`);
  });
  // 4.1.0 has none, and that of 5.x sends LITE_PULL_MESSAGE (361), which 4.x brokers refuse as unknown.
  if (version === "4.9.7") {
    await step("pulls with the lite pull consumer, in a group and by hand", async () => {
      await java.run("lite-pull", topic, `lite-${mark}`);
    });
  }
  await step("resumes from the committed offset", async () => {
    await java.run("create-topic", open.address, `${topic}-resume`, 4);
    await java.run("resume", `${topic}-resume`, `resume-${mark}`);
  });
  await step("shares the queues with a second member, which comes and goes", async () => {
    await java.run("create-topic", open.address, `${topic}-share`, 4);
    await java.run("share", `${topic}-share`, `share-${mark}`);
  });
  await step("is refused with RocketMQ's response codes", async () => {
    const reports = await java.run("errors", open.address, closed.address, topic);
    const codes = Object.fromEntries(reports.filter((r) => "code" in r).map((r) => [r.what, r["code"]]));
    assertEquals(codes, {
      ...REFUSALS,
      ...(clusterKind().endsWith("java") ? JAVA_ACCEPTS : {}),
      // The nameserver says 17; older clients make a code of their own of it.
      "client sends to an unknown topic": version === "5.1.4" ? 17 : 10005,
    });
  });
}

Deno.test({
  name: "official Java clients",
  ignore: !hasJava(),
  fn: async (t) => {
    await using cluster = await startCluster();
    for (const version of CLIENT_VERSIONS) {
      for (const serialization of SERIALIZATIONS) {
        if (!`${version} ${serialization}`.includes(ONLY)) continue;
        await t.step(`Java client ${version} with ${serialization} headers`, async (t) => {
          await exercise(t, cluster, version, serialization);
        });
      }
    }
    await t.step(`mqadmin's library ${SERVER_VERSION} makes a topic, and finds it everywhere`, async () => {
      const { nameserver, open } = cluster;
      await using java = await JavaShell.start(`server-${SERVER_VERSION}`, "JSON", nameserver.address);
      await java.run("admin-tool", open.address, "Interop-by-admin");
    });
  },
});
