/**
 * The HTTP listener against clients of all manners.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";
import { HttpServer, type HttpServerOptions } from "../../src/http/server.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../src/std.ts";
import { get, parseAnswer, raw, readAll } from "./client.ts";

async function withServer(
  options: Partial<HttpServerOptions>,
  test: (port: number, server: HttpServer) => Promise<void>,
): Promise<void> {
  const fetch = (request: Request) => new Response(`${request.method} ${new URL(request.url).pathname}`);
  const server = new HttpServer({ hostname: "127.0.0.1", port: 0, fetch, ...options });
  try {
    await test(server.port, server);
  } finally {
    await server.close();
  }
}

const encoder = new TextEncoder();

/** Waits, as long as the test runner lets it. */
async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!what()) {
    if (Date.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("a connection brings as many requests as it likes, and ends when its peer asks for that", () =>
  withServer({}, async (port, server) => {
    const answers = await raw(
      port,
      "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\nGET /d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    assertEquals([answers?.status, answers?.headers["content-length"]], [200, "6"]);
    assertStringIncludes(answers!.body, "GET /aHTTP/1.1 200 OK");
    assert(answers!.body.endsWith("\r\n\r\nGET /d"));
    await until(() => server.connections === 0);
  }));

Deno.test("HEAD is answered as GET is, without the body", () =>
  withServer({}, async (port) => {
    const answer = await raw(port, "HEAD /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assertEquals([answer?.status, answer?.headers["content-length"], answer?.body], [200, "7", ""]);
  }));

Deno.test("a head that comes byte by byte is read", () =>
  withServer({}, async (port) => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    for (const byte of encoder.encode("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) {
      await conn.write(new Uint8Array([byte]));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assertEquals(parseAnswer(await readAll(conn))?.status, 200);
  }));

/** Settings, and the headers of one request. */
const HTTP2_GET = "\0\0\0\x04\0\0\0\0\0" + "\0\0\x11\x01\x05\0\0\0\x01" + "\x02\x03GET\x06\x04http\x04\x01/\x01\x01a";

const REFUSED: readonly (readonly [string, string])[] = [
  ["what is not HTTP", "hello\r\n\r\n"],
  ["a frame", "\0\0\0\x10\0\0\0\x0c{}"],
  ["HTTP/2", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${HTTP2_GET}`],
  ["a TLS hello", "\x16\x03\x01\0\xa5\x01\0\0\xa1"],
  ["a space too many", "GET / x HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["a header line without a name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"],
  ["a header with a control character", "GET / HTTP/1.1\r\nHost: a\r\nX: b\0\r\n\r\n"],
  ["a huge path", `GET /${"a".repeat(1 << 20)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["a huge header", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(1 << 20)}\r\n\r\n`],
  ["many headers", `GET / HTTP/1.1\r\nHost: a\r\n${"X: b\r\n".repeat(10_000)}\r\n`],
];
for (const [what, text] of REFUSED) {
  Deno.test(`no handler sees a request with ${what}, and the server goes on`, async () => {
    const seen = new Set<string>();
    const fetch = (request: Request) => {
      seen.add(new URL(request.url).pathname);
      return new Response("good");
    };
    await withServer(
      { fetch, times: { requestMs: 200, answerMs: 200 } },
      async (port) => {
        const answer = await raw(port, text);
        assert(answer === undefined || answer.status >= 400, `status ${answer?.status}`);
        // On a machine that is busy, a good request may take longer than this server has patience.
        const good = () => get(port, "/good").catch(() => undefined);
        let next = await good();
        for (let i = 0; next === undefined && i < 100; i++) next = await good();
        assertEquals([next?.body, [...seen]], ["good", ["/good"]]);
      },
    );
  });
}

Deno.test("a handler that fails costs one request, and tells nothing of the failure", () =>
  withServer({ fetch: () => Promise.reject(new Error("a secret")) }, async (port) => {
    for (let i = 0; i < 2; i++) {
      const { status, body } = await get(port, "/");
      assertEquals([status, body.includes("secret")], [500, false]);
    }
  }));

Deno.test("a peer that does not send its request is let go", () =>
  withServer({ times: { requestMs: 50, answerMs: 60_000 } }, async (port, server) => {
    const conns = await Promise.all(Array.from({ length: 20 }, () => Deno.connect({ hostname: "127.0.0.1", port })));
    for (const conn of conns) await conn.write(encoder.encode("GET / HTTP/1.1\r\n"));
    for (const conn of conns) assertEquals(await readAll(conn), "");
    await until(() => server.connections === 0);
    for (const conn of conns) conn.close();
  }));

Deno.test("a peer that does not take its answer is let go", async () => {
  let asked = 0;
  await withServer({
    times: { requestMs: 60_000, answerMs: 50 },
    fetch: () => {
      asked++;
      return new Response(new Uint8Array(32 << 20));
    },
  }, async (port, server) => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(encoder.encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    await until(() => asked === 1);
    // A timer of the same process that was set later and is longer: the server's has run.
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert((await readAll(conn)).length < 32 << 20);
    await until(() => server.connections === 0);
    assertEquals(server.unsentBytes, 0);
  });
});

Deno.test("answers that wait for their peers are bounded together, and room is made when they go", () =>
  withServer({
    times: { requestMs: 60_000, answerMs: 60_000 },
    fetch: () => new Response(new Uint8Array(30 << 20)),
  }, async (port, server) => {
    const ask = async () => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port });
      await conn.write(encoder.encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
      const first = new Uint8Array(12);
      await conn.read(first);
      return { conn, status: new TextDecoder().decode(first).slice(9, 12) };
    };
    const conns = [];
    for (const wanted of ["200", "200", "503"]) {
      const { conn, status } = await ask();
      conns.push(conn);
      assertEquals(status, wanted);
    }
    for (const conn of conns) conn.close();
    await until(() => server.connections === 0);
    const { conn, status } = await ask();
    conn.close();
    assertEquals(status, "200");
  }));

Deno.test("connections are bounded, and those beyond are closed at once", () =>
  withServer({ connectionsMax: 100 }, async (port, server) => {
    const conns = await Promise.all(Array.from({ length: 1000 }, () => Deno.connect({ hostname: "127.0.0.1", port })));
    const ends: Promise<string>[] = conns.map(readAll);
    let ended = 0;
    for (const end of ends) end.then(() => ended++);
    await until(() => ended === 900);
    assertEquals(server.connections, 100);
    for (const conn of conns) conn.close();
    await Promise.all(ends);
    await until(() => server.connections === 0);
    assertEquals((await get(port, "/")).status, 200);
  }));

Deno.test("a port that is taken ends the start with a line that names the setting", () =>
  withServer({}, (port) => {
    const again = () => new HttpServer({ hostname: "127.0.0.1", port, fetch: () => new Response() });
    const { message, code } = assertThrows(again, RocketdError) as RocketdError;
    assertStringIncludes(message, `127.0.0.1:${port} (httpListen)`);
    assertEquals(code, "inUse");
    return Promise.resolve();
  }));

Deno.test("a server that is closed ends the connections that are open", async () => {
  let conn: Deno.Conn | undefined;
  await withServer({}, async (port, server) => {
    conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await until(() => server.connections === 1);
  });
  assertEquals(await readAll(conn!), "");
  conn!.close();
});

Deno.test("the port behind the listener gives nobody an answer who comes there himself", async () => {
  const { serve } = Deno;
  let behind = 0;
  Deno.serve = ((...options: Parameters<typeof serve>) => {
    const server = serve(...options);
    behind = (server.addr as Deno.NetAddr).port;
    return server;
  }) as typeof serve;
  try {
    let seen = 0;
    await withServer({ fetch: () => new Response(String(++seen)) }, async (port) => {
      assertEquals((await get(behind, "/")).status, 403);
      assertEquals((await get(port, "/")).body, "1");
    });
  } finally {
    Object.assign(Deno, { serve });
  }
});
