/**
 * A master and its slave, one of them Java's: the same bytes on both sides, and Java's consumers go on with the slave
 * when the master is dead.
 *
 * @module
 */
import { assert, assertEquals } from "../../src/std.ts";
import { caughtUp, logOf, sameFiles, sameTables } from "../cluster/replication.ts";
import type { Node, Settings } from "../launch.ts";
import { type Kind, startBroker, startNameserver, startSlave, STORE_SETTINGS, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

const TOPIC = "Interop-slave";
/** 20 MB: more than one log file. */
const COUNT = 1000, BYTES = 20 << 10;
/** Check-backs would write into the log in their own time. */
const SETTINGS: Settings = { transactionCheckInterval: 600_000 };

/** The log offset at which the file begins that an offset lies in. */
function fileStart(offset: number): number {
  return offset - offset % STORE_SETTINGS.mappedFileSizeCommitLog;
}

/** Takes a master and its slave through load, restarts, a late slave, and the death of the master. */
export async function pair(t: Deno.TestContext, masterKind: Kind, slaveKind: Kind): Promise<void> {
  await using nodes = new AsyncDisposableStack();
  const nameserver = nodes.use(await startNameserver("rocketd"));
  const options = { namesrvAddr: nameserver.address, settings: SETTINGS };
  const [java, master] = await Promise.all([
    JavaShell.start("client-4.9.7", "ROCKETMQ", nameserver.address).then((shell) => nodes.use(shell)),
    startBroker(options, masterKind).then((node) => nodes.use(node)),
  ]);
  const slave = nodes.use(await startSlave(options, slaveKind));
  const all: Node[] = [nameserver, master, slave];
  const step = async (name: string, work: () => Promise<void>) => {
    assert(await t.step(name, () => withLogs(all, work)), name);
  };
  const same = async () => {
    await caughtUp(master, slave);
    await sameFiles(master, slave);
    await sameTables(master, slave);
  };

  // Again after a kill: a master loses the offsets that it had not saved, and its slave keeps them.
  const commit = async () => void await java.run("commit-offsets", master.address, TOPIC, 5);

  await step("files and tables are the same after messages of every kind", async () => {
    await java.run("create-topic", master.address, TOPIC, 4);
    await java.run("send", TOPIC, false);
    // A Java slave asks for the first time after five seconds, and then gets the last log file only.
    await caughtUp(master, slave);
    await java.run("fill", TOPIC, COUNT, BYTES);
    await commit();
    await same();
  });
  await step("and after the slave was killed and has caught up", async () => {
    await slave.kill();
    await java.run("fill", TOPIC, COUNT / 2, BYTES);
    await slave.start();
    await same();
  });
  await step("and after the master was killed and started again", async () => {
    await master.kill();
    await master.start();
    await java.run("fill", TOPIC, COUNT / 10, BYTES);
    await commit();
    await same();
  });
  const late = nodes.use(await startSlave({ ...options, brokerId: 2 }, slaveKind));
  all.push(late);
  await step("a fresh slave that joins late has what its kind asks for", async () => {
    await caughtUp(master, late);
    const from = slaveKind === "rocketd" ? 0 : fileStart((await logOf(master)).max);
    assert(fileStart((await logOf(master)).max) > 0, "the load fits into one log file");
    assertEquals((await logOf(late)).min, from);
    await sameFiles(master, late, from);
    await late.stop();
  });
  await step("the slave serves the same messages", async () => {
    assertEquals(await java.run("read-store", slave.address), await java.run("read-store", master.address));
  });
  await step("consumers get everything from the slave when the master is dead", async () => {
    await master.kill();
    await java.run("consume-without-master", TOPIC, "after-the-kill");
  });
  await step("and go on with the master when it is back", async () => {
    await master.start();
    await java.run("fill", TOPIC, COUNT / 10, BYTES);
    await java.run("consume-all", TOPIC, "after-the-return", false);
    await commit();
    await caughtUp(master, slave);
    await sameFiles(master, slave);
    // A Java slave keeps what groups committed to it besides.
    if (slaveKind === "rocketd") await sameTables(master, slave);
  });
  assertEquals(await slave.stop(), slaveKind === "rocketd" ? 0 : 143);
}
