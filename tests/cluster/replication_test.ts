/**
 * A slave holds what its master holds, byte for byte, whatever was sent and whoever was restarted; and it gives it to
 * consumers when the master is gone.
 *
 * @module
 */
import { LitePullConsumer } from "../../src/client/mod.ts";
import { PullFlag, ResponseCode } from "../../src/protocol/codes.ts";
import { EndTransaction, PullMessage, SendMessageV2, UpdateAndCreateTopic } from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { readTopic } from "../faults/reading.ts";
import { type Node, startRocketd } from "../launch.ts";
import { sendHeader } from "../headers.ts";
import { Kinds, QUEUES } from "./kinds.ts";
import { caughtUp, essence, logOf, sameFiles, sameTables, SMALL_FILES } from "./replication.ts";

const TIMEOUT_MS = 30_000;
const TOPIC = "Kinds";
/** Check-backs would write into the log in their own time. */
const SETTINGS = { ...SMALL_FILES, messageDelayLevel: "1s 2s", transactionCheckInterval: 600_000 };

async function allOf(node: Node): Promise<string[]> {
  return essence(await readTopic(node.address, TOPIC, QUEUES));
}

Deno.test("a slave has its master's log, queues and tables, whoever joins late or is killed", async (t) => {
  await using nodes = new AsyncDisposableStack();
  const nameserver = nodes.use(await startRocketd({ role: "nameserver" }));
  const options = { namesrvAddr: nameserver.address, settings: SETTINGS };
  const master = nodes.use(await startRocketd({ role: "master", ...options }));
  const slave = nodes.use(await startRocketd({ role: "slave", ...options }));
  const kinds = nodes.use(new Kinds(master, nameserver.address));
  const same = async (...slaves: Node[]) => {
    for (const one of slaves) {
      await caughtUp(master, one);
      await sameFiles(master, one);
      await sameTables(master, one);
    }
  };

  await t.step("messages of every kind arrive with a slave that was there", async () => {
    await kinds.send("one");
    await kinds.commitOffsets("readers", 7);
    assert((await logOf(master)).max > 2 * SMALL_FILES.mappedFileSizeCommitLog, "the load fits into too few log files");
    await same(slave);
    assertEquals(await allOf(slave), await allOf(master));
  });
  await t.step("a slave that was killed catches up", async () => {
    await slave.kill();
    await kinds.send("two");
    await slave.start();
    await same(slave);
  });
  await t.step("a slave that was killed under load catches up", async () => {
    const sending = kinds.send("three", 2000);
    await slave.kill();
    await slave.start();
    await sending;
    await same(slave);
  });
  let late: Node;
  await t.step("a fresh slave that joins late gets everything, and the first one goes on", async () => {
    late = nodes.use(await startRocketd({ role: "slave", brokerId: 2, ...options }));
    await kinds.send("four");
    await kinds.commitOffsets("readers", 11);
    assertEquals((await logOf(late)).min, 0);
    await same(slave, late);
    assertEquals(await allOf(late), await allOf(master));
  });
  await t.step("a slave refuses what only its master may do, and changes nothing", async () => {
    using client = new RemotingClient();
    const before = await logOf(slave);
    const send = sendHeader({ topic: TOPIC, properties: "" });
    const sent = await client.invoke(slave.address, SendMessageV2, send, new Uint8Array(5), TIMEOUT_MS);
    assertEquals(sent.code, ResponseCode.SERVICE_NOT_AVAILABLE, sent.remark);
    const end = { producerGroup: "p", tranStateTableOffset: 0, commitLogOffset: 0, commitOrRollback: 8 };
    const ended = await client.invoke(slave.address, EndTransaction, end, undefined, TIMEOUT_MS);
    assertEquals(ended.code, ResponseCode.SLAVE_NOT_AVAILABLE, ended.remark);
    const queues = { readQueueNums: 4, writeQueueNums: 4, perm: 6 };
    const topic = { topic: "Mine", defaultTopic: "TBW102", topicFilterType: "SINGLE_TAG", ...queues };
    const made = await client.invoke(slave.address, UpdateAndCreateTopic, topic, undefined, TIMEOUT_MS);
    assertEquals(made.code, ResponseCode.SYSTEM_ERROR, made.remark);
    assertEquals(await logOf(slave), before);
    await same(slave);
  });
  await t.step("a master that was killed goes on, and its slaves with it", async () => {
    await master.kill();
    await master.start();
    await kinds.send("five");
    await same(slave, late);
  });
  await t.step("all stop in order", async () => {
    assertEquals([await slave.stop(), await late.stop(), await master.stop()], [0, 0, 0]);
    await sameFiles(master, slave);
    await sameFiles(master, late);
  });
});

Deno.test("consumers go on with the slave while the master is dead, and with the master when it is back", async (t) => {
  await using nodes = new AsyncDisposableStack();
  const nameserver = nodes.use(await startRocketd({ role: "nameserver" }));
  const options = { namesrvAddr: nameserver.address, settings: SETTINGS };
  const master = nodes.use(await startRocketd({ role: "master", ...options }));
  const slave = nodes.use(await startRocketd({ role: "slave", ...options }));
  const kinds = nodes.use(new Kinds(master, nameserver.address));
  await kinds.send("before", 1000);
  await caughtUp(master, slave);
  await sameTables(master, slave);
  const expected = new Set(await allOf(master));
  const got = new Set<string>();

  const member = () =>
    nodes.use(
      new LitePullConsumer({
        nameservers: nameserver.address,
        group: "readers",
        subscriptions: { [TOPIC]: "*" },
        from: "first",
      }),
    );
  const consumer = member();
  const readUntil = async (enough: () => boolean) => {
    for await (const { record } of consumer) {
      for (const one of essence([record])) got.add(one);
      if (enough()) break;
    }
  };
  await t.step("half of it from the master, the rest from the slave", async () => {
    await readUntil(() => got.size >= expected.size / 2);
    await consumer.commit();
    await master.kill();
    await readUntil(() => [...expected].every((one) => got.has(one)));
    assertEquals(got.size, expected.size);
  });
  await t.step("a group that is new reads from the slave alone", async () => {
    assertEquals(new Set(await allOf(slave)), expected);
  });
  await t.step("what is sent once the master is back comes to the same consumer", async () => {
    await master.start();
    await kinds.send("after", 50);
    const more = await allOf(master);
    await readUntil(() => more.every((one) => got.has(one)));
    await caughtUp(master, slave);
    await consumer.close();
    await sameTables(master, slave);
  });
});

Deno.test("a master sends consumers that lag to its slave, if slaveReadEnable says so", async () => {
  await using nodes = new AsyncDisposableStack();
  const nameserver = nodes.use(await startRocketd({ role: "nameserver" }));
  const namesrvAddr = nameserver.address;
  using client = new RemotingClient();
  const suggestion = async (node: Node, queueOffset: number) => {
    const rest = { maxMsgNums: 1, sysFlag: PullFlag.SUBSCRIPTION, commitOffset: 0, suspendTimeoutMillis: 0 };
    const asked = {
      consumerGroup: "g",
      topic: "T",
      queueId: 0,
      queueOffset,
      subscription: "*",
      subVersion: 0,
      ...rest,
    };
    const { code, header, remark } = await client.invoke(node.address, PullMessage, asked, undefined, TIMEOUT_MS);
    assertEquals(code, ResponseCode.SUCCESS, remark);
    return header.suggestWhichBrokerId;
  };
  /** Percent of the machine's memory by which one may be behind: with 0, whoever is behind by a byte lags too far. */
  for (const [slaveReadEnable, ratio, suggested] of [[true, 0, 1], [true, 40, 0], [false, 0, 0]] as const) {
    const brokerName = `broker-${slaveReadEnable}-${ratio}`;
    const settings = { ...SETTINGS, slaveReadEnable, accessMessageInMemoryMaxRatio: ratio };
    const options = { namesrvAddr, brokerName, settings };
    const master = nodes.use(await startRocketd({ role: "master", ...options }));
    const slave = nodes.use(await startRocketd({ role: "slave", ...options }));
    for (let n = 0; n < 3; n++) {
      const sent = await client.invoke(
        master.address,
        SendMessageV2,
        sendHeader({ properties: "" }),
        new Uint8Array(99),
        TIMEOUT_MS,
      );
      assertEquals(sent.code, ResponseCode.SUCCESS);
    }
    await caughtUp(master, slave);
    await sameTables(master, slave);
    for (const node of [master, slave]) assertEquals(await suggestion(node, 0), suggested, node.name);
  }
});

Deno.test("a slave without a master says so, serves what it has, and ends in order", async () => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  await using slave = await startRocketd({ role: "slave", namesrvAddr: nameserver.address });
  assertEquals(await logOf(slave), { min: 0, max: 0 });
  assertEquals(await slave.stop(), 0);
  assertStringIncludes(await slave.log(), "master");
});
