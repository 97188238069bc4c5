import { assert, assertEquals } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import { delay, type Node } from "../launch.ts";
import { freePort } from "../ports.ts";
import { clusterKind, type Kind, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

const TOPIC = "Interop-store";
/** 30 MiB in log files of 16: one roll-over before the change of hands, and one after. */
const COUNT = 1500;
const SIZE = 20 << 10;
/** So many messages are in the last log file, whichever round it is. */
const LATEST = 100;

/** Who wrote the store, and who opens it then. Under `CLUSTER=java` both are Java's, which proves the test itself. */
function pairs(): [writer: Kind, reader: Kind][] {
  return clusterKind() === "java" ? [["java", "java"]] : [["rocketd", "java"], ["java", "rocketd"]];
}

/** How the writer ends: in order, or without a chance to flush, write its checkpoint and remove its abort marker. */
const ENDINGS = ["stop", "kill"] as const;

async function exchange(t: Deno.TestContext, writer: Kind, reader: Kind, ending: typeof ENDINGS[number]) {
  const storeDir = await Deno.makeTempDir({ prefix: "rocketd-store-" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(storeDir, { recursive: true }));
  const nameserver = cleanup.use(await startNameserver(writer));
  const options = { namesrvAddr: nameserver.address, brokerName: "broker-a", storeDir, port: freePort() };
  const java = cleanup.use(await JavaShell.start("client-4.9.7", "ROCKETMQ", nameserver.address));

  const step = async (name: string, broker: Node, work: () => Promise<void>) => {
    assert(await t.step(name, () => withLogs([broker], work)), name);
  };
  // After a kill Java drops an index that is younger than its checkpoint, and makes anew what it recovers: of the last log
  // file at least.
  const findByKey = async (kind: Kind, count: number) => {
    const from = kind === "java" && ending === "kill" ? count - LATEST : 0;
    await java.run("find-by-key", TOPIC, from, count);
  };
  const contents = (broker: Node) => java.run("read-store", broker.address);
  let written: unknown;

  await using first = await startBroker(options, writer);
  await step(`${writer} writes a store`, first, async () => {
    await java.run("create-topic", first.address, TOPIC, 4);
    await java.run("fill", TOPIC, COUNT, SIZE);
    await java.run("commit-offsets", first.address, TOPIC, 5);
    // Committed offsets go to disk every five seconds, and on an orderly stop: a kill before that loses them by right.
    written = await contents(first);
    if (ending === "kill") await offsetsOnDisk(storeDir);
  });
  await first[ending]();

  await using second = await startBroker(options, reader);
  await step(`${reader} serves every message of it`, second, async () => {
    assertEquals(await contents(second), written);
    await findByKey(reader, COUNT);
  });
  await step(`${reader} goes on writing where ${writer} stopped`, second, async () => {
    await java.run("fill", TOPIC, COUNT, SIZE);
    written = await contents(second);
  });
  await second[ending]();

  await using third = await startBroker(options, writer);
  await step(`${writer} opens it again and serves what both wrote`, third, async () => {
    assertEquals(await contents(third), written);
    await findByKey(writer, 2 * COUNT);
  });
}

/** Waits until the committed offsets of all queues are in the file that a broker reads at its start. */
async function offsetsOnDisk(storeDir: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  const whole = new RegExp(
    `"${TOPIC}@interop-committed":\\{${[0, 1, 2, 3].map((id) => `"?${id}"?:${5 + id}`).join()}\\}`,
  );
  while (true) {
    const text = await Deno.readTextFile(`${storeDir}/config/consumerOffset.json`).catch(() => "");
    if (whole.test(text.replace(/\s/g, ""))) return;
    assert(Date.now() < deadline, `these consumer offsets were written: ${text}`);
    await delay(100);
  }
}

for (const [writer, reader] of pairs()) {
  for (const ending of ENDINGS) {
    const how = ending === "stop" ? "an orderly stop" : "SIGKILL";
    Deno.test({
      name: `a store written by ${writer} goes to ${reader} and back, after ${how}`,
      ignore: !hasJava(),
      fn: (t) => exchange(t, writer, reader, ending),
    });
  }
}
