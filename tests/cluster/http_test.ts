/**
 * Health, readiness and metrics of real nodes, as whatever watches over them sees them.
 *
 * @module
 */
import { SendMessageV2, UpdateConsumerOffset } from "../../src/protocol/requests.ts";
import { RemotingClient, succeed } from "../../src/remoting/client.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { get, raw } from "../http/client.ts";
import { type ReadFamily, readMetrics, valueOf } from "../http/metrics/prometheus.ts";
import { type Node, startRocketd } from "../launch.ts";
import { freePort } from "../ports.ts";
import { Proxy } from "../proxy.ts";
import { sendHeader } from "../headers.ts";
import { caughtUp, eventually, SMALL_FILES } from "./replication.ts";

/** Where a node answers HTTP unless it is told otherwise. */
const httpPort = ({ port }: Node) => port + 3;
const TOPIC = "Http";
const TIMEOUT_MS = 30_000;

interface Ready {
  readonly status: number;
  readonly conditions: ReadonlyMap<string, { readonly ok: boolean; readonly detail: string }>;
}

async function readyOf(node: Node): Promise<Ready> {
  const { status, body } = await get(httpPort(node), "/readyz");
  const { conditions } = JSON.parse(body) as { conditions: { name: string; ok: boolean; detail: string }[] };
  return { status, conditions: new Map(conditions.map(({ name, ...rest }) => [name, rest])) };
}

/** Waits until /readyz has this status, and exactly these conditions fail; gives what it said then. */
async function becomes(node: Node, status: number, ...failing: string[]): Promise<Ready> {
  let ready: Ready | undefined;
  await eventually(`${node.name} answers ${status} for want of [${failing}]`, async () => {
    ready = await readyOf(node);
    const fails = [...ready.conditions].filter(([, { ok }]) => !ok).map(([name]) => name);
    return ready.status === status && fails.join() === failing.join()
      ? undefined
      : JSON.stringify([...ready.conditions]);
  });
  return ready!;
}

async function send(node: Node, count: number, bytes: number, topic = TOPIC): Promise<number> {
  using client = new RemotingClient();
  let sent = 0;
  for (let i = 0; i < count; i++) {
    const answer = await client.invoke(
      node.address,
      SendMessageV2,
      sendHeader({ topic, properties: "" }),
      new Uint8Array(bytes),
      TIMEOUT_MS,
    );
    if (answer.code !== 0) return sent;
    succeed(answer);
    sent++;
  }
  return sent;
}

Deno.test("a node is ready while a nameserver knows it, and not before", async () => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  await using master = await startRocketd({ role: "master", namesrvAddr: nameserver.address });
  await becomes(nameserver, 200);
  const { conditions } = await becomes(master, 200);
  assertEquals([...conditions.keys()], ["masterServes", "registered", "storeWritable"]);
  await nameserver.kill();
  const lost = await becomes(master, 503, "registered");
  assertStringIncludes(lost.conditions.get("registered")!.detail, `not registered with ${nameserver.address}`);
  // A master that starts without a nameserver is healthy all the same.
  await master.stop();
  const starting = master.start();
  await becomes(master, 503, "registered");
  assertEquals((await get(httpPort(master), "/healthz")).status, 200);
  await nameserver.start();
  await starting;
  await becomes(master, 200);
});

Deno.test("a store that refuses writes makes its node not ready, which says why and goes on answering", async () => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  await using master = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings: SMALL_FILES });
  assertEquals(await send(master, 1, 1000), 1);
  await becomes(master, 200);
  // Where the next file of the log should be, there is something else.
  const next = `${master.storeDir}/commitlog/${String(SMALL_FILES.mappedFileSizeCommitLog).padStart(20, "0")}`;
  await Deno.mkdir(next);
  assert(await send(master, 40, 100_000) < 40, "all messages were stored");
  const unable = await becomes(master, 503, "storeWritable");
  assertStringIncludes(unable.conditions.get("storeWritable")!.detail, "a commit log file cannot be made");
  await Deno.remove(next);
  assertEquals(await send(master, 1, 1_000_000), 1);
  await becomes(master, 200);
  // Where the folder of a topic's queues should be, too.
  await Deno.mkdir(`${master.storeDir}/consumequeue`, { recursive: true });
  await Deno.writeTextFile(`${master.storeDir}/consumequeue/Blocked`, "");
  await send(master, 1, 1000, "Blocked");
  const failed = await becomes(master, 503, "storeWritable");
  assertStringIncludes(failed.conditions.get("storeWritable")!.detail, "the store takes no writes until a restart");
  assertEquals((await get(httpPort(master), "/healthz")).status, 200);
  const families = readMetrics((await get(httpPort(master), "/metrics")).body);
  assertEquals(valueOf(families, "rocketd_store_writable"), 0);
});

Deno.test("a slave that is behind, or has lost its master, is not ready", async () => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  const { address: namesrvAddr } = nameserver;
  await using master = await startRocketd({ role: "master", namesrvAddr });
  await using proxy = Proxy.start(master.port + 1);
  const settings = { readyLagMax: 0, haHousekeepingInterval: 600_000 };
  await using slave = await startRocketd({ role: "slave", namesrvAddr, haMasterAddress: proxy.address, settings });
  await send(master, 5, 1000);
  await caughtUp(master, slave);
  await becomes(slave, 200);
  proxy.stall();
  await send(master, 5, 1000);
  const behind = await becomes(slave, 503, "caughtUp");
  assert(/^[1-9]\d* bytes behind .*readyLagMax/.test(behind.conditions.get("caughtUp")!.detail));
  const families = readMetrics((await get(httpPort(master), "/metrics")).body);
  assert(valueOf(families, "rocketmq_broker_commitlog_diff")! > 0);
  proxy.resume();
  await becomes(slave, 200);
  await master.kill();
  const lost = await becomes(slave, 503, "caughtUp");
  assertStringIncludes(lost.conditions.get("caughtUp")!.detail, "not being copied");
});

/** Every value of every counter, by metric and labels. */
function counters(families: ReadonlyMap<string, ReadFamily>): Map<string, number> {
  const values = new Map<string, number>();
  for (const [name, { type, samples }] of families) {
    if (type !== "counter") continue;
    for (const { labels, value } of samples) values.set(`${name} ${JSON.stringify(labels)}`, value);
  }
  return values;
}

Deno.test("metrics of all roles are well formed, count what happens, and counters never go back", async () => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  const { address: namesrvAddr } = nameserver;
  await using master = await startRocketd({ role: "master", namesrvAddr });
  await using slave = await startRocketd({ role: "slave", namesrvAddr });
  const scrape = async (node: Node) => {
    const { status, headers, body } = await get(httpPort(node), "/metrics");
    assertEquals([status, headers["content-type"]], [200, "text/plain; version=0.0.4; charset=utf-8"]);
    return readMetrics(body);
  };
  let before = counters(await scrape(master));
  assert(before.size > 5);
  for (let round = 1; round <= 3; round++) {
    assertEquals(await send(master, 10, 1000), 10);
    const families = await scrape(master);
    const topic = { cluster: "DefaultCluster", broker: "broker-a", topic: TOPIC };
    assertEquals(valueOf(families, "rocketmq_producer_offset", topic), 10 * round);
    assertEquals(valueOf(families, "rocketd_topic_messages_in_total", topic), 10 * round);
    assertEquals(valueOf(families, "rocketd_broker_messages_in_total"), 10 * round);
    const after = counters(families);
    for (const [key, value] of before) {
      assert((after.get(key) ?? -1) >= value, `${key} went from ${value} to ${after.get(key)}`);
    }
    before = after;
  }
  using client = new RemotingClient();
  const offset = { consumerGroup: "group-a", topic: TOPIC, queueId: 0, commitOffset: 12 };
  succeed(await client.invoke(master.address, UpdateConsumerOffset, offset, undefined, TIMEOUT_MS));
  const consumed = await scrape(master);
  const pair = { group: "group-a", topic: TOPIC };
  assertEquals(valueOf(consumed, "rocketmq_consumer_offset", pair), 12);
  assertEquals(valueOf(consumed, "rocketmq_group_diff", { ...pair, countOfOnlineConsumers: "0", msgModel: "1" }), 18);
  await caughtUp(master, slave);
  const ofSlave = await scrape(slave);
  // What its master tells of topics and groups as a whole is told once.
  for (const name of ["rocketmq_producer_offset", "rocketmq_consumer_offset", "rocketmq_group_diff"]) {
    assertEquals([consumed.has(name), ofSlave.has(name)], [true, false], name);
  }
  assertEquals(valueOf(ofSlave, "rocketd_role_serves", { role: "slave" }), 1);
  const ofNameserver = await scrape(nameserver);
  assertEquals(valueOf(ofNameserver, "rocketd_nameserver_brokers"), 2);
  assertEquals(ofNameserver.has("rocketmq_broker_tps"), false);
});

const ACCOUNTS = `accounts:
  - accessKey: operators
    secretKey: "12345678"
    admin: true
`;

Deno.test("the JSON API asks in the name of who asks it, and is no way around access control", async () => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  const aclFile = await Deno.makeTempFile({ suffix: ".yml" });
  await Deno.writeTextFile(aclFile, ACCOUNTS);
  const settings = { aclEnable: true, aclFile };
  await using master = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings });
  const ask = async (account?: string) => {
    const authorization = account === undefined ? "" : `Authorization: Basic ${btoa(account)}\r\n`;
    const request = `GET /api/v1/brokerStatus HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${authorization}\r\n`;
    const { status, body } = (await raw(httpPort(master), request))!;
    return { status, data: JSON.parse(body) as { runtime?: unknown[]; failures: { reason: string }[] } };
  };
  const { status, data } = await ask("operators:12345678");
  assertEquals([status, data.failures], [200, []]);
  assert(data.runtime!.length > 0);
  for (const account of [undefined, "operators:87654321", "strangers:12345678"]) {
    const { status, data } = await ask(account);
    assertEquals([status, data.runtime], [502, []]);
    assertStringIncludes(data.failures[0]!.reason, "AclException");
  }
  await Deno.remove(aclFile);
});

Deno.test("a node whose httpListen is taken does not start, and names the setting; 0 opens no port", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const program = Deno.env.get("ROCKETD_BIN") ?? new URL("../../scripts/rocketd", import.meta.url).pathname;
  const args = ["--role", "nameserver", "--set", "listenPort=0", "--set", `httpListen=${taken.addr.port}`];
  const { code, stderr } = await new Deno.Command(program, { args }).output();
  assertEquals(code, 1);
  const last = new TextDecoder().decode(stderr).trimEnd().split("\n").at(-1)!;
  assertStringIncludes(last, `rocketd: Cannot listen on 127.0.0.1:${taken.addr.port} (httpListen): `);
  await using off = await startRocketd({ role: "nameserver", settings: { httpListen: 0 } });
  Deno.listen({ hostname: "127.0.0.1", port: httpPort(off) }).close();
});

Deno.test("a node with connections that say nothing serves its clients, and answers HTTP when they are gone", async () => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  const port = freePort();
  const settings = { httpListen: port };
  await using master = await startRocketd({ role: "master", namesrvAddr: nameserver.address, settings });
  const conns = await Promise.all(Array.from({ length: 1000 }, () => Deno.connect({ hostname: "127.0.0.1", port })));
  assertEquals(await send(master, 3, 100), 3);
  for (const conn of conns) conn.close();
  await eventually("HTTP is answered", async () => {
    const { status } = await get(port, "/readyz");
    return status === 200 ? undefined : String(status);
  });
});
