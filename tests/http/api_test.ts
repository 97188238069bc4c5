/**
 * The JSON API of a node in this process: what it answers, and what it is not to be used for.
 *
 * @module
 */
import { startNode } from "../../src/cli/node.ts";
import { loadSettings } from "../../src/config/mod.ts";
import { httpApp } from "../../src/http/app.ts";
import { hostNames } from "../../src/http/hosts.ts";
import type { NodeView } from "../../src/http/node_view.ts";
import { ADMIN_COMMANDS } from "../../src/client/admin/mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { freePort } from "../ports.ts";
import { raw } from "./client.ts";

/** A nameserver and a master, and where they answer HTTP. */
async function withNode(test: (port: number) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const sets = [
      `storePathRootDir=${dir}`,
      "bindAddress=127.0.0.1",
      "brokerIP1=127.0.0.1",
      "brokerName=broker-a",
      `nameserver.listenPort=${freePort()}`,
      `broker.listenPort=${freePort()}`,
      "httpListen=127.0.0.1:0",
    ];
    const loaded = await loadSettings({ roles: ["nameserver", "master"], sets });
    if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
    await using node = await startNode(loaded.settings);
    await test(Number(node.http!.split(":")[1]));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function ask(
  port: number,
  path: string,
  headers = "",
): Promise<{ status: number; data: Record<string, unknown> }> {
  const answer = await raw(
    port,
    `GET /api/v1${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`,
  );
  if (answer === undefined) throw new Error(`no answer to ${path}`);
  assertEquals(answer.headers["content-type"], "application/json");
  return { status: answer.status, data: JSON.parse(answer.body) };
}

Deno.test("the API answers what rocketd admin reads, and nothing that it should not", async (t) => {
  await withNode(async (port) => {
    await t.step("a list of all commands that read", async () => {
      const { status, data } = await ask(port, "");
      const names = (data["commands"] as { name: string }[]).map(({ name }) => name);
      assertEquals([status, names], [200, ADMIN_COMMANDS.filter(({ changes }) => !changes).map(({ name }) => name)]);
    });
    await t.step("tables as lists of objects", async () => {
      const { status, data } = await ask(port, "/topicList");
      const topics = (data["topics"] as { topic: string }[]).map(({ topic }) => topic);
      assertEquals([status, topics.includes("BenchmarkTest"), data["failures"]], [200, true, []]);
    });
    await t.step("options in the query, commands in capitals or not", async () => {
      const { status, data } = await ask(port, "/topicroute?topic=BenchmarkTest");
      assertEquals([status, (data["brokers"] as { broker: string }[])[0]?.broker], [200, "broker-a"]);
    });
    const refused: readonly (readonly [string, string, number, string])[] = [
      ["a command that changes", "/updateTopic?topic=T&clusterName=DefaultCluster", 403, "only reads"],
      ["an option that changes", "/queryMsgByUniqueKey?msgId=a&topic=T&consumerGroup=g", 403, "only reads"],
      ["an unknown command", "/rm", 404, "rm"],
      ["an unknown option", "/topicList?evil=1", 400, "evil"],
      ["an option given twice", "/topicRoute?topic=A&topic=B", 400, "topic"],
      ["a missing option", "/topicRoute", 400, "topic"],
      ["an unknown topic", "/topicRoute?topic=nowhere", 404, "nowhere"],
    ];
    for (const [what, path, wanted, word] of refused) {
      await t.step(`${what} is refused with ${wanted}`, async () => {
        const { status, data } = await ask(port, path);
        assertEquals(status, wanted);
        assertStringIncludes(String(data["error"]), word);
      });
    }
    await t.step("a page of another site in a browser is refused", async () => {
      for (
        const header of ["Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n", "Origin: http://a\r\n"]
      ) {
        assertEquals((await ask(port, "/topicList", header)).status, 403, header);
      }
      assertEquals((await ask(port, "/topicList", "Sec-Fetch-Site: same-origin\r\n")).status, 200);
    });
    await t.step("an Authorization header that is none of ours is refused", async () => {
      for (const value of ["Bearer x", "Basic !", `Basic ${btoa("nocolon")}`, `Basic ${btoa(":secret")}`]) {
        assertEquals((await ask(port, "/topicList", `Authorization: ${value}\r\n`)).status, 400, value);
      }
    });
    await t.step("no other address than those of the cluster is connected to", async () => {
      using trap = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port: trapPort } = trap.addr;
      let connected = 0;
      (async () => {
        for await (const conn of trap) {
          connected++;
          conn.close();
        }
      })().catch(() => {});
      const { status } = await ask(port, `/brokerStatus?brokerAddr=127.0.0.1:${trapPort}`);
      assertEquals(status, 502);
      // A message id names the address of its broker.
      const id = `7F000001${trapPort.toString(16).padStart(8, "0")}0000000000000000`.toUpperCase();
      await ask(port, `/queryMsgById?msgId=${id}`);
      assertEquals(connected, 0);
    });
  });
});

Deno.test("the API is for this machine and adminRequestsFrom, whoever else may reach the port", async () => {
  const node: NodeView = { roles: ["nameserver"], nameservers: [], apiFrom: ["10.1.*.*"] };
  const app = httpApp({ node, hosts: hostNames([]) });
  const from = async (ip: string, isLocal: boolean, path = "/api/v1") => {
    const peer = { ip, isLocal, port: 1, text: `${ip}:1` };
    return (await app.fetch(new Request(`http://localhost${path}`, { headers: { host: "localhost" } }), { peer }))
      .status;
  };
  assertEquals(await from("127.0.0.1", true), 200);
  assertEquals(await from("10.1.2.3", false), 200);
  assertEquals(await from("10.2.2.3", false), 403);
  assertEquals(await from("10.2.2.3", false, "/api/v1/topicList"), 403);
  assertEquals(await from("10.2.2.3", false, "/healthz"), 200);
});

Deno.test("a node that knows no nameserver says which setting that is about", async () => {
  const node: NodeView = { roles: ["master"], nameservers: [], apiFrom: [] };
  const app = httpApp({ node, hosts: hostNames([]) });
  const peer = { ip: "127.0.0.1", isLocal: true, port: 1, text: "127.0.0.1:1" };
  const response = await app.fetch(new Request("http://localhost/api/v1/topicList"), { peer });
  assertEquals(response.status, 503);
  assert((await response.text()).includes("namesrvAddr"));
});
