/**
 * TLS between official clients and nodes, Java's and ours: both kinds of connection on one port, nothing but TLS, and our
 * broker at a Java nameserver.
 *
 * @module
 */
import { GetAllTopicConfig } from "../../src/protocol/requests.ts";
import { RemotingClient, succeed } from "../../src/remoting/client.ts";
import { assert, assertMatch, assertRejects } from "../../src/std.ts";
import { hasTools } from "../cache.ts";
import { Authority, type Pair } from "../certificates.ts";
import { hasJava } from "../java.ts";
import {
  delay,
  type Node,
  type Settings,
  startJavaBroker,
  startJavaNameserver,
  startRocketd,
  WITH_TLS,
} from "../launch.ts";
import { ask } from "../probe.ts";
import { clusterKind, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell } from "./java_shell.ts";

const CLIENT = "client-4.9.7";
const JVM = ["-Xmx512m", "-XX:MaxDirectMemorySize=512m", "-XX:+UseSerialGC"];
const READY = hasTools("openssl") && hasJava();
/** Any request: all are turned away. */
const GET_NAMESRV_CONFIG = 319;

/** As `-Dtls.…` of a Java client that asks for a certificate from the authority. */
function verifying({ cert }: Authority): string[] {
  return [
    "-Dtls.enable=true",
    "-Dtls.test.mode.enable=false",
    "-Dtls.client.authServer=true",
    `-Dtls.client.trustCertPath=${cert}`,
  ];
}

/** Settings of our nodes under RocketMQ's names. */
const certificate = ({ cert, key }: Pair) => ({ "tls.server.certPath": cert, "tls.server.keyPath": key });

Deno.test({
  name: "a Java client with TLS and one without work at the same time on the same ports",
  ignore: !READY,
  fn: async (t) => {
    await using authority = await Authority.create();
    const kind = clusterKind();
    // Java's nodes have a certificate of their own making.
    const settings = kind === "rocketd" ? certificate(await authority.issue("node", "IP:127.0.0.1")) : {};
    await using nameserver = await startNameserver(kind, settings, [WITH_TLS]);
    const jvm = [...JVM, WITH_TLS];
    await using broker = await startBroker({ namesrvAddr: nameserver.address, settings, jvm }, kind);
    await using secure = await JavaShell.start(CLIENT, "JSON", nameserver.address, ["-Dtls.enable=true"]);
    await using plain = await JavaShell.start(CLIENT, "ROCKETMQ", nameserver.address);
    await withLogs([nameserver, broker], async () => {
      for (const [name, shell] of [["secure", secure], ["plain", plain]] as const) {
        await shell.run("create-topic", broker.address, `Tls-${name}`, 4);
      }
      await t.step("sends, on the main port and the VIP port", async () => {
        await Promise.all([secure.run("send", "Tls-secure", false), plain.run("send", "Tls-plain", false)]);
        await secure.run("send", "Tls-secure", true);
      });
      await t.step("consumption", async () => {
        await Promise.all([
          secure.run("consume-all", "Tls-secure", "secure-readers", false),
          plain.run("consume-all", "Tls-plain", "plain-readers", false),
        ]);
      });
    });
  },
});

Deno.test({
  name: "our nodes take nothing but TLS when tls.server.mode is enforcing, from each other too",
  ignore: !READY,
  fn: async (t) => {
    await using authority = await Authority.create();
    const trust = await Deno.readTextFile(authority.cert);
    const server = {
      "tls.server.mode": "enforcing",
      ...certificate(await authority.issue("node", "IP:127.0.0.1")),
    };
    const settings = { ...server, "tls.client.trustCertPath": authority.cert };
    await using nameserver = await startRocketd({ role: "nameserver", settings: server, trust });
    const namesrvAddr = nameserver.address;
    await using master = await startRocketd({ role: "master", namesrvAddr, settings, trust });
    await using slave = await startRocketd({ role: "slave", namesrvAddr, settings, trust });
    await withLogs([nameserver, master, slave], async () => {
      await using java = await JavaShell.start(CLIENT, "JSON", namesrvAddr, verifying(authority));
      await t.step("a Java client that verifies them", async () => {
        await java.run("create-topic-by-client", "Only", 4);
        await java.run("send", "Only", true);
        // The other ways to consume look at offsets through a client of the test's own, which is plain.
        await java.run("consume-without-master", "Only", "readers");
      });
      await t.step("the slave copies what its master knows", async () => {
        using client = new RemotingClient({
          tls: { verify: "everything", trust: { path: authority.cert, setting: "trust" } },
        });
        const has = async () => {
          const answer = succeed(await client.invoke(slave.address, GetAllTopicConfig, {}, undefined, 30_000));
          return new TextDecoder().decode(answer.body).includes('"Only"');
        };
        for (let i = 0; !await has(); i++) {
          assert(i < 400, "the slave does not know the topic");
          await delay(200);
        }
      });
      await t.step("and what is plain is turned away", async () => {
        for (const { port } of [nameserver, master, slave]) {
          const { message } = await assertRejects(() => ask(port, GET_NAMESRV_CONFIG), Error);
          assertMatch(message, /closed|reset|broken pipe/i);
        }
        assert((await master.log()).includes("it does not speak TLS, and tlsServerMode is enforcing"));
      });
    });
  },
});

Deno.test({
  name: "our broker registers with a Java nameserver over TLS",
  ignore: !READY,
  fn: async (t) => {
    await using authority = await Authority.create();
    await t.step("that takes nothing but TLS, and whose certificate is verified", async () => {
      const pair = await authority.issue("node", "IP:127.0.0.1");
      const trust = await Deno.readTextFile(authority.cert);
      const files = Object.entries(certificate(pair)).map(([name, path]) => `-D${name}=${path}`);
      const jvm = ["-Dtls.server.mode=enforcing", "-Dtls.test.mode.enable=false", ...files];
      await using nameserver = await startJavaNameserver({}, { jvm, trust });
      const client = { "tls.enable": true, "tls.client.trustCertPath": authority.cert };
      await registers(nameserver, { ...client, ...certificate(pair) }, trust);
    });
    await t.step("that has a certificate of its own making, if the broker does not care", async () => {
      await using nameserver = await startJavaNameserver({}, { jvm: [WITH_TLS] });
      await registers(nameserver, { "tls.enable": true, "tls.client.authServer": false });
    });
  },
});

Deno.test({
  name: "a Java broker registers with our nameserver, which takes nothing but TLS",
  ignore: !READY,
  fn: async () => {
    await using authority = await Authority.create();
    const trust = await Deno.readTextFile(authority.cert);
    const files = certificate(await authority.issue("node", "IP:127.0.0.1"));
    const settings = { "tls.server.mode": "enforcing", ...files };
    await using nameserver = await startRocketd({ role: "nameserver", settings, trust });
    const jvm = [...JVM, WITH_TLS, ...verifying(authority)];
    for (const [name, path] of Object.entries(files)) jvm.push(`-D${name}=${path}`);
    await using broker = await startJavaBroker({ namesrvAddr: nameserver.address, jvm, trust });
    assert(broker.pid > 0);
  },
});

/** Starts a broker; it is up once the nameserver knows it. */
async function registers({ address }: Node, settings: Settings, trust?: string): Promise<void> {
  const probing = trust === undefined ? {} : { trust };
  await using broker = await startRocketd({ role: "master", namesrvAddr: address, settings, ...probing });
  assert((await broker.log()).includes("serves on"));
}
