/**
 * SYNC_MASTER: what a send is answered when a slave is there, hangs or is gone; and that a slave which takes over has
 * all that was acknowledged.
 *
 * @module
 */
import { ResponseCode } from "../../src/protocol/codes.ts";
import { SendBatchMessage, SendMessageV2 } from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { encodeBatch } from "../../src/client/message.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { readTopic } from "../faults/reading.ts";
import { type Node, startRocketd } from "../launch.ts";
import { freePort } from "../ports.ts";
import { Proxy } from "../proxy.ts";
import { sendHeader } from "../headers.ts";
import { Kinds, QUEUES } from "./kinds.ts";
import { caughtUp, essence, eventually, sameFiles, sameTables, SMALL_FILES } from "./replication.ts";

const TIMEOUT_MS = 20_000;
const TOPIC = "Sync";
const { SUCCESS, SLAVE_NOT_AVAILABLE, FLUSH_SLAVE_TIMEOUT } = ResponseCode;
const SETTINGS = { ...SMALL_FILES, brokerRole: "SYNC_MASTER", transactionCheckInterval: 600_000 };

/** Sends one message and gives the code of the answer. */
async function send(client: RemotingClient, node: Node, properties = "", topic = TOPIC): Promise<number> {
  const header = sendHeader({ topic, properties });
  return (await client.invoke(node.address, SendMessageV2, header, new Uint8Array(100), TIMEOUT_MS)).code;
}

/** Until a send is acknowledged with this code. */
async function answers(client: RemotingClient, node: Node, code: number): Promise<void> {
  await eventually(`sends are answered with ${code}`, async () => {
    const got = await send(client, node);
    return got === code ? undefined : `the answer is ${got}`;
  });
}

Deno.test("SYNC_MASTER answers sends as the slave is there, hangs or is gone", async (t) => {
  await using nodes = new AsyncDisposableStack();
  using client = new RemotingClient();
  const nameserver = nodes.use(await startRocketd({ role: "nameserver" }));
  const namesrvAddr = nameserver.address;
  // A slave that is there must always be in time.
  const settings = { ...SETTINGS, slaveTimeout: 2500 };
  const port = freePort();
  const proxy = nodes.use(Proxy.start(port + 1));
  const master = nodes.use(await startRocketd({ role: "master", namesrvAddr, port, settings }));
  await t.step("without a slave: SLAVE_NOT_AVAILABLE", async () => {
    assertEquals(await send(client, master), SLAVE_NOT_AVAILABLE);
    assertEquals(await send(client, master, "WAIT\x01false"), SUCCESS);
  });
  const more = { haMasterAddress: proxy.address, settings: SMALL_FILES };
  const slave = nodes.use(await startRocketd({ role: "slave", namesrvAddr, ...more }));
  await t.step("with one: SUCCESS, and it has the message", async () => {
    await answers(client, master, SUCCESS);
    for (let n = 0; n < 20; n++) {
      assertEquals(await send(client, master), SUCCESS);
      const mine = await readTopic(master.address, TOPIC, 1);
      assertEquals((await readTopic(slave.address, TOPIC, 1)).length, mine.length);
    }
  });
  await t.step("a batch waits for the slave too", async () => {
    const body = encodeBatch(
      ["a", "b", "c"].map((body) => ({ message: { topic: TOPIC, body }, properties: "WAIT\x01true\x02" })),
    );
    const header = sendHeader({ topic: TOPIC, properties: "WAIT\x01true\x02", batch: true });
    const batch = async () => (await client.invoke(master.address, SendBatchMessage, header, body, TIMEOUT_MS)).code;
    assertEquals(await batch(), SUCCESS);
    proxy.stall();
    assertEquals(await batch(), FLUSH_SLAVE_TIMEOUT);
    proxy.resume();
    await answers(client, master, SUCCESS);
  });
  await t.step("while the connection hangs: FLUSH_SLAVE_TIMEOUT, but for those who do not want to wait", async () => {
    proxy.stall();
    const codes = await Promise.all(Array.from({ length: 50 }, () => send(client, master)));
    assertEquals(codes, codes.map(() => FLUSH_SLAVE_TIMEOUT));
    assertEquals(await send(client, master, "WAIT\x01false"), SUCCESS);
    proxy.resume();
    await answers(client, master, SUCCESS);
  });
  await t.step("a slave that is slow within the time: SUCCESS", async () => {
    proxy.delayMs = 40;
    const codes = await Promise.all(Array.from({ length: 50 }, () => send(client, master)));
    assertEquals(codes, codes.map(() => SUCCESS));
    proxy.delayMs = 0;
  });
  await t.step("once it is gone: SLAVE_NOT_AVAILABLE; once it is back: SUCCESS", async () => {
    await slave.kill();
    await answers(client, master, SLAVE_NOT_AVAILABLE);
    await slave.start();
    await answers(client, master, SUCCESS);
    await caughtUp(master, slave);
    await sameFiles(master, slave);
  });
  await t.step("what was stored without the slave is stored", async () => {
    const records = await readTopic(slave.address, TOPIC, 1);
    assertEquals(records.length, (await readTopic(master.address, TOPIC, 1)).length);
  });
});

Deno.test("SYNC_MASTER does not wait for a slave that is more than haSlaveFallbehindMax behind", async () => {
  await using nodes = new AsyncDisposableStack();
  using client = new RemotingClient();
  const nameserver = nodes.use(await startRocketd({ role: "nameserver" }));
  const namesrvAddr = nameserver.address;
  const port = freePort();
  const proxy = nodes.use(Proxy.start(port + 1));
  const settings = { ...SETTINGS, slaveTimeout: 300, haSlaveFallbehindMax: 5000 };
  const master = nodes.use(await startRocketd({ role: "master", namesrvAddr, port, settings }));
  const more = { haMasterAddress: proxy.address, settings: SMALL_FILES };
  nodes.use(await startRocketd({ role: "slave", namesrvAddr, ...more }));
  await answers(client, master, SUCCESS);
  proxy.stall();
  const codes: number[] = [];
  for (let n = 0; n < 40 && codes.at(-1) !== SLAVE_NOT_AVAILABLE; n++) codes.push(await send(client, master));
  assertEquals(codes.at(-1), SLAVE_NOT_AVAILABLE);
  assert(codes.length > 5 && codes.slice(0, -1).every((code) => code === FLUSH_SLAVE_TIMEOUT), String(codes));
  proxy.resume();
  await answers(client, master, SUCCESS);
});

Deno.test("a slave started as master on its store carries on, and the old master follows it", async (t) => {
  await using nodes = new AsyncDisposableStack();
  using client = new RemotingClient();
  const stores: string[] = [];
  for (let n = 0; n < 2; n++) {
    const store = await Deno.makeTempDir({ prefix: "rocketd-store-" });
    stores.push(store);
    nodes.defer(() => Deno.remove(store, { recursive: true }));
  }
  const [first, second] = stores;
  const nameserver = nodes.use(await startRocketd({ role: "nameserver" }));
  const settings = { ...SETTINGS, messageDelayLevel: "1s 2s" };
  const options = { namesrvAddr: nameserver.address, settings };
  const slaveOptions = { ...options, settings: { ...settings, brokerRole: "SLAVE" } };
  const master = nodes.use(await startRocketd({ role: "master", ...options, storeDir: first! }));
  const slave = nodes.use(await startRocketd({ role: "slave", ...slaveOptions, storeDir: second! }));
  await answers(client, master, SUCCESS);
  const kinds = nodes.use(new Kinds(master, nameserver.address, TOPIC));
  await kinds.send("before");
  await kinds.commitOffsets("readers", 5);
  await caughtUp(master, slave);
  await sameTables(master, slave);
  const had = await readTopic(master.address, TOPIC, QUEUES);
  await master.kill();
  await slave.stop();

  const heir = nodes.use(await startRocketd({ role: "master", ...options, storeDir: second! }));
  await t.step("it has all that the master had, and takes messages where the master stopped", async () => {
    const has = new Set(essence(await readTopic(heir.address, TOPIC, QUEUES)));
    assertEquals(essence(had).filter((one) => !has.has(one)), []);
    assertEquals(await send(client, heir), SLAVE_NOT_AVAILABLE);
  });
  await t.step("the old master, started as slave on its store, follows", async () => {
    const follower = nodes.use(await startRocketd({ role: "slave", ...slaveOptions, storeDir: first! }));
    await answers(client, heir, SUCCESS);
    const more = nodes.use(new Kinds(heir, nameserver.address, TOPIC));
    await more.send("after");
    await caughtUp(heir, follower);
    await sameFiles(heir, follower);
    await sameTables(heir, follower);
    const has = await readTopic(follower.address, TOPIC, QUEUES);
    assert(has.length > had.length);
    assertEquals([await follower.stop(), await heir.stop()], [0, 0]);
  });
});
