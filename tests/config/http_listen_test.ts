/**
 * Where a node answers HTTP.
 *
 * @module
 */
import { checkSettings, httpAddressOf, type LoadOptions } from "../../src/config/mod.ts";
import { assertEquals, assertStringIncludes } from "../../src/std.ts";

/** The setting as a process with these roles reads it, or its first mistake. */
function httpListen(roles: LoadOptions["roles"], ...sets: string[]): string {
  const loaded = checkSettings("", { roles, sets });
  if (!loaded.ok) return loaded.problems[0]!.message;
  return (loaded.settings.broker ?? loaded.settings.nameserver)!.httpListen;
}

Deno.test("HTTP is answered on this machine only, three above the role's port", () => {
  assertEquals(httpListen(["nameserver"]), "127.0.0.1:9879");
  assertEquals(httpListen(["master"]), "127.0.0.1:10914");
  assertEquals(httpListen(["slave"], "listenPort=20911"), "127.0.0.1:20914");
  assertEquals(httpListen(["nameserver"], "listenPort=0"), "127.0.0.1:0");
  assertEquals(httpListen(["nameserver"], "listenPort=65535"), "0");
});

Deno.test("httpListen takes an address, a port, or 0 for nowhere", () => {
  assertEquals(httpListen(["master"], "httpListen=8080"), "127.0.0.1:8080");
  assertEquals(httpListen(["master"], "httpListen=0"), "0");
  for (const good of ["0.0.0.0:8080", "[::1]:8080", "node-1.internal:80", "127.0.0.1:0", "[::]:0"]) {
    assertEquals(httpListen(["master"], `httpListen=${good}`), good);
  }
  for (const bad of ["", "a", ":80", "65536", "a:65536", "-1", "http://a:80", "a:80/metrics", "00", "a b:0"]) {
    assertStringIncludes(httpListen(["master"], `httpListen=${bad}`), "httpListen", bad);
    assertStringIncludes(httpListen(["master"], `httpListen=${bad}`), "expected host:port", bad);
  }
});

Deno.test("httpListen is read as where to listen", () => {
  assertEquals(httpAddressOf("0"), undefined);
  assertEquals(httpAddressOf("127.0.0.1:8080"), { hostname: "127.0.0.1", port: 8080 });
  assertEquals(httpAddressOf("[::1]:0"), { hostname: "::1", port: 0 });
});

Deno.test("the roles of one process share one place, the broker's", () => {
  const both = ["nameserver", "master"] as const;
  assertEquals(httpListen(both), "127.0.0.1:10914");
  assertEquals(httpListen(both, "httpListen=8080"), "127.0.0.1:8080");
  assertEquals(httpListen(both, "broker.httpListen=8080"), "127.0.0.1:8080");
  assertStringIncludes(httpListen(both, "nameserver.httpListen=8080"), "the roles of a process share one");
});
