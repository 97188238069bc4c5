/**
 * Registration with our own nameserver in the same process.
 *
 * @module
 */
import { Registration } from "../../src/broker/registration.ts";
import { TopicTable } from "../../src/broker/topics.ts";
import { type Nameserver, startNameserver } from "../../src/nameserver/mod.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { topicConfig } from "../../src/protocol/bodies/mod.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { ORDER_TOPIC_NAMESPACE } from "../../src/protocol/names.ts";
import { QueryDataVersion, RegisterBroker } from "../../src/protocol/requests.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { RemotingServer } from "../../src/remoting/server.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { freePort } from "../ports.ts";
import { HandClock, inFolder, settingsIn, until } from "./workshop.ts";

const PERIOD = 30_000;
const ADDRESS = "10.0.0.1:10911";

function nameserver(folder: string, listenPort = 0): Promise<Nameserver> {
  return startNameserver({
    bindAddress: "127.0.0.1",
    listenPort,
    kvConfigPath: `${folder}/kvConfig.json`,
    orderMessageEnable: true,
    adminRequestsFrom: [],
    aclEnable: false,
    aclFile: "",
    maxConnections: 100,
    serverChannelMaxIdleTimeSeconds: 120,
    tlsServerMode: "disabled",
    tlsServerCertPath: "",
    tlsServerKeyPath: "",
  });
}

function setUp(folder: string, ports: number[], given: { [name: string]: unknown } = {}) {
  const settings = {
    ...settingsIn(`${folder}/store`),
    namesrvAddr: ports.map((port) => `127.0.0.1:${port}`),
    brokerId: 0,
    brokerIP2: "10.0.0.2",
    haListenPort: 10912,
    brokerPermission: 6,
    compressedRegister: false,
    forceRegister: true,
    registerBrokerTimeoutMills: 5000,
    registerNameServerPeriod: PERIOD,
    ...given,
  };
  const clock = new HandClock();
  const topics = new TopicTable({ settings, disk: denoDisk, clock });
  const registration = new Registration({ settings, address: ADDRESS, topics, clock });
  return { registration, topics, clock };
}

const queuesOf = (server: Nameserver, topic: string) => server.routes.route(topic)?.queueDatas[0];

Deno.test("Registration makes topics known to every nameserver, and unregisters when it closes", async () => {
  await inFolder(async (folder) => {
    const servers = [await nameserver(folder), await nameserver(folder)];
    const { registration, topics, clock } = setUp(folder, servers.map(({ port }) => port));
    await registration.start();
    for (const server of servers) {
      const route = server.routes.route("BenchmarkTest");
      assertEquals(route?.brokerDatas.map(({ brokerName }) => brokerName), ["broker-a"]);
      assertEquals(route?.brokerDatas[0]?.brokerAddrs.get(0), ADDRESS);
    }
    topics.update(topicConfig("T", { readQueueNums: 3, writeQueueNums: 2 }));
    await topics.announced();
    for (const server of servers) {
      const { readQueueNums, writeQueueNums, perm } = queuesOf(server, "T")!;
      assertEquals([readQueueNums, writeQueueNums, perm], [3, 2, 6]);
    }
    await registration.close();
    for (const server of servers) assertEquals(server.routes.route("T"), undefined);
    assertEquals(clock.timers, 0);
    for (const server of servers) await server.close();
  });
});

Deno.test("Registration tells which nameservers know the broker, and that a lost one does not", async () => {
  await inFolder(async (folder) => {
    const servers = [await nameserver(folder), await nameserver(folder)];
    const { registration } = setUp(folder, servers.map(({ port }) => port));
    const known = () => registration.standing().map(({ registered }) => registered);
    assertEquals(known(), [false, false]);
    await registration.start();
    assertEquals(known(), [true, true]);
    await servers[1]!.close();
    await until(() => known()[1] === false, "the nameserver that is gone");
    assertEquals(known(), [true, false]);
    await registration.close();
    await servers[0]!.close();
  });
});

Deno.test("Registration in the compressed form says the same", async () => {
  await inFolder(async (folder) => {
    const server = await nameserver(folder);
    const { registration, topics } = setUp(folder, [server.port], { compressedRegister: true });
    topics.update(topicConfig("T", { readQueueNums: 3, writeQueueNums: 2, perm: 4 }));
    await registration.start();
    const { readQueueNums, writeQueueNums, perm } = queuesOf(server, "T")!;
    assertEquals([readQueueNums, writeQueueNums, perm], [3, 2, 4]);
    await registration.close();
    await server.close();
  });
});

Deno.test("Registration of a broker that takes no messages says so of every topic", async () => {
  await inFolder(async (folder) => {
    const server = await nameserver(folder);
    const { registration, topics } = setUp(folder, [server.port], { brokerPermission: 4 });
    await registration.start();
    assertEquals(queuesOf(server, "BenchmarkTest")?.perm, 4);
    assertEquals(topics.get("BenchmarkTest")?.perm, 6);
    await registration.close();
    await server.close();
  });
});

Deno.test("Registration starts while a nameserver is down, and finds it when it is back", async () => {
  await inFolder(async (folder) => {
    const port = freePort();
    const up = await nameserver(folder);
    const { registration, topics, clock } = setUp(folder, [port, up.port]);
    await registration.start();
    assert(up.routes.route("BenchmarkTest"));
    topics.update(topicConfig("T"));
    await topics.announced();
    assert(up.routes.route("T"));
    const back = await nameserver(folder, port);
    clock.go(2000);
    await until(() => back.routes.route("T") !== undefined, "the topic at the nameserver that is back");
    await registration.close();
    await up.close();
    await back.close();
  });
});

Deno.test("Registration comes again soon after a nameserver was lost, without waiting for the period", async () => {
  await inFolder(async (folder) => {
    const port = freePort();
    const first = await nameserver(folder, port);
    const { registration, clock } = setUp(folder, [port]);
    await registration.start();
    const timers = clock.timers;
    await first.close();
    await until(() => clock.timers > timers, "a timer for the next try");
    const second = await nameserver(folder, port);
    clock.go(2000);
    await until(() => second.routes.route("BenchmarkTest") !== undefined, "the topic at the new nameserver");
    await registration.close();
    await second.close();
  });
});

Deno.test("Registration takes over which topics are ordered", async () => {
  await inFolder(async (folder) => {
    const server = await nameserver(folder);
    server.kv.put(ORDER_TOPIC_NAMESPACE, "T", "broker-a:4");
    const { registration, topics } = setUp(folder, [server.port]);
    topics.update(topicConfig("T"));
    await registration.start();
    assertEquals([topics.get("T")?.order, topics.get("BenchmarkTest")?.order], [true, false]);
    await registration.close();
    await server.close();
  });
});

Deno.test("Registration asks for the version first where forceRegister is off, and sends topics only if it differs", async () => {
  await inFolder(async (folder) => {
    const seen: string[] = [];
    let known: Uint8Array | undefined;
    const handlers = new HandlerTable()
      .on(RegisterBroker, () => {
        seen.push("register");
        return { code: ResponseCode.SUCCESS };
      })
      .on(QueryDataVersion, ({ body }) => {
        seen.push("query");
        known ??= body.slice();
        const changed = new TextDecoder().decode(known) !== new TextDecoder().decode(body);
        return { code: ResponseCode.SUCCESS, header: { changed }, body: known };
      });
    const options = { hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 10, idleMs: 60_000 };
    const server = new RemotingServer(options);
    const { registration, topics, clock } = setUp(folder, [server.port], { forceRegister: false });
    await registration.start();
    assertEquals(seen.splice(0), ["register"]);
    // A period that ends while a question is still under way passes without one of its own.
    const periodsUntil = (holds: () => boolean, what: string) =>
      until(() => {
        if (!holds()) clock.go(PERIOD);
        return holds();
      }, what);
    await periodsUntil(() => seen.length >= 2, "the second question");
    assertEquals(new Set(seen.splice(0)), new Set(["query"]));
    topics.setOrder(new Set(["BenchmarkTest"]));
    await periodsUntil(() => seen.includes("register"), "the registration");
    assertEquals(seen[0], "query");
    await registration.close();
    await server.close();
  });
});

Deno.test("Registration sends no topics because a period ends while the question of the one before is under way", async () => {
  await inFolder(async (folder) => {
    const seen: string[] = [];
    const questions: (() => void)[] = [];
    const handlers = new HandlerTable()
      .on(RegisterBroker, () => {
        seen.push("register");
        return { code: ResponseCode.SUCCESS };
      })
      .on(QueryDataVersion, async ({ body }) => {
        seen.push("query");
        const known = body.slice();
        await new Promise<void>((resolve) => questions.push(resolve));
        return { code: ResponseCode.SUCCESS, header: { changed: false }, body: known };
      });
    const options = { hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 10, idleMs: 60_000 };
    const server = new RemotingServer(options);
    const { registration, clock } = setUp(folder, [server.port], { forceRegister: false });
    await registration.start();
    assertEquals(seen.splice(0), ["register"]);
    for (let asked = 1; asked <= 3; asked++) {
      await until(() => {
        if (questions.length < asked) clock.go(PERIOD);
        return questions.length === asked;
      }, "a question");
      clock.go(PERIOD);
      questions[asked - 1]!();
    }
    assertEquals(seen, ["query", "query", "query"]);
    await registration.close();
    await server.close();
  });
});

Deno.test("Registration tells the changes of one turn together, and those that come meanwhile once more", async () => {
  await inFolder(async (folder) => {
    let count = 0;
    const waiting: (() => void)[] = [];
    const handlers = new HandlerTable().on(RegisterBroker, async () => {
      count++;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return { code: ResponseCode.SUCCESS };
    });
    const options = { hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 10, idleMs: 60_000 };
    const server = new RemotingServer(options);
    const { registration, topics } = setUp(folder, [server.port]);
    for (let i = 0; i < 20; i++) topics.createOnSend(`T${i}`, "TBW102", 1, false);
    await until(() => waiting.length === 1, "the first registration");
    for (let i = 20; i < 40; i++) {
      topics.createOnSend(`T${i}`, "TBW102", 1, false);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    waiting[0]!();
    await until(() => waiting.length === 2, "the second registration");
    waiting[1]!();
    await topics.announced();
    assertEquals(count, 2);
    await registration.close();
    await server.close();
  });
});
