/**
 * Health, readiness and who may ask, over real HTTP.
 *
 * @module
 */
import { startHttp } from "../../src/http/mod.ts";
import type { NodeView } from "../../src/http/node_view.ts";
import { assertEquals } from "../../src/std.ts";
import { get, raw } from "./client.ts";

async function withHttp(node: NodeView, test: (port: number) => Promise<void>, hosts: string[] = []): Promise<void> {
  const server = startHttp({ address: { hostname: "127.0.0.1", port: 0 }, hosts, node });
  try {
    await test(server.port);
  } finally {
    await server.close();
  }
}

const STARTING: NodeView = { roles: ["nameserver"], nameservers: [], apiFrom: [] };

Deno.test("a node that starts is healthy and not ready, and ready once its role serves", async () => {
  const node: NodeView = { ...STARTING };
  await withHttp(node, async (port) => {
    assertEquals((await get(port, "/healthz")).status, 200);
    const before = await get(port, "/readyz");
    assertEquals([before.status, JSON.parse(before.body)], [503, {
      ready: false,
      roles: ["nameserver"],
      conditions: [{ name: "nameserverServes", ok: false, detail: "the nameserver is starting or stopping" }],
    }]);
    node.nameserver = {} as NonNullable<NodeView["nameserver"]>;
    const after = await get(port, "/readyz");
    assertEquals([after.status, JSON.parse(after.body).ready], [200, true]);
  });
});

Deno.test("a broker's conditions are told, and one that fails makes the node not ready", async () => {
  const conditions = [
    { name: "registered" as const, ok: true, detail: "registered with a:1" },
    { name: "storeWritable" as const, ok: false, detail: "the disk is full" },
  ];
  const view = { conditions: () => Promise.resolve(conditions) };
  const node = { roles: ["master"], broker: { view } } as unknown as NodeView;
  await withHttp(node, async (port) => {
    const { status, body } = await get(port, "/readyz");
    assertEquals([status, JSON.parse(body).conditions.slice(1)], [503, conditions]);
  });
});

Deno.test("what is not there is 404, as JSON", () =>
  withHttp(STARTING, async (port) => {
    const { status, body } = await get(port, "/etc/passwd");
    assertEquals([status, JSON.parse(body)], [404, { error: "there is no /etc/passwd" }]);
  }));

Deno.test("only GET and HEAD are obeyed", () =>
  withHttp(STARTING, async (port) => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "BREW"]) {
      const answer = await raw(
        port,
        `${method} /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      );
      assertEquals([answer?.status, answer?.headers["allow"]], [405, "GET, HEAD"]);
    }
    const head = await raw(port, "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assertEquals([head?.status, head?.body], [200, ""]);
  }));

Deno.test("every answer says that no other site may use it", () =>
  withHttp(STARTING, async (port) => {
    for (const [path, host] of [["/healthz", "localhost"], ["/nothing", "localhost"], ["/healthz", "evil.example"]]) {
      const { headers } = await get(port, path!, host);
      assertEquals(headers["x-content-type-options"], "nosniff");
      assertEquals(headers["cache-control"], "no-store");
      assertEquals(headers["access-control-allow-origin"], undefined);
    }
  }));

Deno.test("only names of ours may stand in the Host header", () =>
  withHttp(STARTING, async (port) => {
    const ours = [
      "localhost",
      "LOCALHOST:80",
      "127.0.0.1:1",
      "10.1.2.3",
      "[::1]:8080",
      "broker-1.internal:9",
      "Host-A.",
    ];
    for (const host of ours) assertEquals((await get(port, "/healthz", host)).status, 200, host);
    const foreign = [
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "evil:localhost",
      "a@localhost",
      "",
    ];
    for (const host of foreign) assertEquals((await get(port, "/healthz", host)).status, 421, host);
  }, ["broker-1.internal", "host-a"]));
