/**
 * `rocketd bench` against Java's nodes and ours: all kinds, by nameserver and by broker, and an end before its time. What
 * it says is compared with what the broker has.
 *
 * @module
 */
import { GetTopicStatsInfo } from "../../src/protocol/admin_requests.ts";
import { decodeTopicStats } from "../../src/protocol/bodies/topic_stats.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { until } from "../client/scene.ts";
import { hasJava } from "../java.ts";
import type { Node } from "../launch.ts";
import { type Kind, onJavaAndOurs, startBroker, startNameserver, withLogs } from "./cluster.ts";

const program = Deno.env.get("ROCKETD_BIN") ?? new URL("../../scripts/rocketd", import.meta.url).pathname;

/** A measurement under way. */
function start(kind: string, ...flags: string[]): Deno.ChildProcess {
  const args = ["bench", kind, "--json", "--topic", "Measured", ...flags];
  return new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
}

/** Its result, and its exit code. */
async function ended(child: Deno.ChildProcess): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert(out!.startsWith("{"), `${code}: ${out}${err}`);
  return { code, ...JSON.parse(out!) };
}

/** How many messages of the topic were ever stored. */
async function storedAt(broker: Node): Promise<number> {
  using client = new RemotingClient();
  const answer = await client.invoke(broker.address, GetTopicStatsInfo, { topic: "Measured" }, undefined, 10_000);
  if (answer.code === ResponseCode.TOPIC_NOT_EXIST) return 0;
  return [...decodeTopicStats(answer.body).values()].reduce((sum, { maxOffset }) => sum + maxOffset, 0);
}

async function measure(kind: Kind): Promise<void> {
  await using nameserver = await startNameserver(kind);
  await using broker = await startBroker({ namesrvAddr: nameserver.address }, kind);
  const byName = ["-n", nameserver.address], direct = ["-b", broker.address];
  await withLogs([nameserver, broker], async () => {
    // How much comes in a time is not what this is about: a loaded machine may refuse some.
    const flags = ["--connections", "3", "--in-flight", "4", "--timeout", "30000"];
    let stored = 0;
    const check = async (result: Record<string, unknown>, what: string) => {
      assertEquals([result.unanswered, result.connectionsLost], [0, 0], what);
      stored += Number(result.messages);
      // Java's broker counts a message a moment after it is acknowledged.
      await until(async () => await storedAt(broker) >= stored, what);
      assertEquals(await storedAt(broker), stored, what);
    };
    for (const encoding of ["json", "binary"]) {
      const common = [...flags, "--encoding", encoding, "--messages", "600"];
      await check(await ended(start("send", ...byName, ...common)), "send");
      await check(await ended(start("batch", ...direct, ...common, "--batch-size", "20")), "batch");
      const way = await ended(start("e2e", ...byName, ...common, "--rate", "3000", "--drain", "30"));
      assertEquals([way.lost, way.doubled], [0, 0]);
      await check(way, "e2e");
      const pull = await ended(start("pull", ...direct, ...flags, "--encoding", encoding));
      assertEquals([pull.code, pull.messages, pull.failed], [0, stored, {}]);
    }
    const endless = start("send", ...direct, ...flags, "--seconds", "1000");
    await until(async () => await storedAt(broker) > stored);
    endless.kill("SIGINT");
    await check(await ended(endless), "ended by a signal");
  });
}

Deno.test({
  name: "Java's brokers and ours are measured alike, and have what the measurement says",
  ignore: !hasJava(),
  fn: async () => {
    await onJavaAndOurs(measure);
  },
});
