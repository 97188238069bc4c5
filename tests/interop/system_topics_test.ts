import { decodeTopicConfigTable } from "../../src/protocol/bodies/mod.ts";
import { GetAllTopicConfig } from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assertEquals } from "../../src/std.ts";
import { type ClientVersion, hasJava } from "../java.ts";
import type { Node, Settings } from "../launch.ts";
import { startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

/** Queues and permission of each topic that a fresh broker has. */
async function topicsOf(broker: Node): Promise<Record<string, [read: number, write: number, perm: number]>> {
  const client = new RemotingClient({});
  try {
    const { body } = await client.invoke(broker.address, GetAllTopicConfig, {}, undefined, 30_000);
    const { topicConfigTable } = decodeTopicConfigTable(body);
    return Object.fromEntries(
      [...topicConfigTable.values()].map((t) => [t.topicName, [t.readQueueNums, t.writeQueueNums, t.perm]]),
    );
  } finally {
    client.close();
  }
}

const COMMON: Awaited<ReturnType<typeof topicsOf>> = {
  SELF_TEST_TOPIC: [1, 1, 6],
  BenchmarkTest: [1024, 1024, 6],
  OFFSET_MOVED_EVENT: [1, 1, 6],
  SCHEDULE_TOPIC_XXXX: [18, 18, 6],
  Cluster1_REPLY_TOPIC: [1, 1, 6],
};

const CASES: readonly { name: string; settings: Settings; topics: typeof COMMON }[] = [
  {
    name: "a broker as it comes",
    settings: {},
    topics: { ...COMMON, TBW102: [8, 8, 7], Cluster1: [16, 16, 7], "broker-a": [1, 1, 7] },
  },
  {
    name: "a broker that makes no topics for clients, and traces messages",
    settings: {
      autoCreateTopicEnable: false,
      clusterTopicEnable: false,
      brokerTopicEnable: false,
      traceTopicEnable: true,
    },
    topics: { ...COMMON, Cluster1: [16, 16, 1], "broker-a": [1, 1, 1], RMQ_SYS_TRACE_TOPIC: [1, 1, 6] },
  },
];

/** Topics that RocketMQ keeps for itself. */
const CLOSED = [
  "SCHEDULE_TOPIC_XXXX",
  "RMQ_SYS_TRANS_HALF_TOPIC",
  "RMQ_SYS_TRANS_OP_HALF_TOPIC",
  "TRANS_CHECK_MAX_TIME_TOPIC",
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
];
const OPEN = ["BenchmarkTest", "Cluster1", "broker-a", "RMQ_SYS_TRACE_TOPIC", "Cluster1_REPLY_TOPIC"];

Deno.test({
  name: "the topics of the system",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nameserver = await startNameserver();
    const namesrvAddr = nameserver.address;
    for (const { name, settings, topics } of CASES) {
      const makesTopics = settings["autoCreateTopicEnable"] !== false;
      await using broker = await startBroker({ namesrvAddr, settings: { brokerClusterName: "Cluster1", ...settings } });
      await t.step(`${name} has the topics of RocketMQ`, async () => assertEquals(await topicsOf(broker), topics));
      const step = (what: string, version: ClientVersion, work: (java: JavaShell, mark: string) => Promise<void>) =>
        t.step(`${name} ${what} the Java client ${version}`, () =>
          withLogs([nameserver, broker], async () => {
            await using java = await JavaShell.start(`client-${version}`, "JSON", namesrvAddr);
            await work(java, version.replaceAll(".", "_"));
          }));
      for (const version of makesTopics ? ["4.9.7", "5.1.4"] as const : ["4.9.7"] as const) {
        await step("takes the traces of", version, async (java, mark) => {
          const topic = `Traced-${mark}`;
          await java.run("create-topic", broker.address, topic, 1);
          await java.run("trace", topic, `${topic}-${makesTopics}`, "usual");
          if (makesTopics) await java.run("trace", topic, `${topic}-own`, `${topic}-traces`);
        });
      }
      if (!makesTopics) continue;
      for (const version of ["4.9.7", "4.1.0-incubating"] as const) {
        await step("serves", version, async (java, mark) => {
          const [sent] = await java.run("send-to-system-topics", broker.address, ...OPEN, ...CLOSED);
          const codes = [...OPEN.map((topic) => [topic, 0]), ...CLOSED.map((topic) => [topic, 16])];
          assertEquals(sent?.["codes"], Object.fromEntries(codes));
          const group = `moved-${mark}`;
          await java.run("create-topic", broker.address, group, 1);
          await java.run("offset-moved", group, group);
        });
      }
    }
  },
});
