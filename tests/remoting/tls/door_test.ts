/**
 * TLS and plain connections on one port, over real sockets: what each peer gets that behaves, and each that does not.
 *
 * @module
 */
import { reset } from "@logtape/logtape";
import { UNSENT_BYTES_MAX } from "../../../src/limits.ts";
import { ResponseCode } from "../../../src/protocol/codes.ts";
import { GetMinOffset, HeartBeat } from "../../../src/protocol/requests.ts";
import { RemotingClient } from "../../../src/remoting/client.ts";
import { RemotingServer } from "../../../src/remoting/server.ts";
import { assert, assertEquals, assertStringIncludes } from "../../../src/std.ts";
import { turns } from "../../broker/workshop.ts";
import { frameBytes, RawPeer } from "../raw_peer.ts";
import { ask, type Changes, drain, gatherLines, handlers, maxOffset, tlsPeer, tlsTest, until } from "./stage.ts";

/** The first bytes of a client hello that promises 256 more. */
const HALF_A_HELLO = Uint8Array.of(0x16, 3, 1, 1, 4, 1, 0, 1, 0, 3, 3);
const ALERT = 0x15;

const BODY = new Uint8Array(64_000);
/** Answers given to HEART_BEAT, each with BODY. */
let obeyed = 0;

/** Resolves when the server has begun to answer, and stopped. */
async function settled(): Promise<void> {
  for (let before = 0; before === 0 || before !== obeyed;) {
    before = obeyed;
    await turns(100);
  }
}

const GREAT_ANSWERS: Changes = {
  server: {
    handlers: handlers().without(HeartBeat).on(HeartBeat, () => {
      obeyed++;
      return { code: ResponseCode.SUCCESS, body: BODY };
    }),
  },
};

tlsTest("TLS and plain connections work on one port at once", async ({ trust, address, server, tls }) => {
  using secure = new RemotingClient({ tls: trust });
  using plain = new RemotingClient();
  for (let i = 0; i < 3; i++) await Promise.all([ask(secure, address), ask(plain, address)]);
  assertEquals([server.connections.size, tls.counts.handshakes], [2, 1]);
});

tlsTest("the peer of a TLS connection is the client, not this process itself", async (stage) => {
  using peer = await tlsPeer(stage);
  const { port } = peer.conn.localAddr as Deno.NetAddr;
  assertEquals((await peer.ask({ code: HeartBeat.code })).header.remark, `127.0.0.1:${port}`);
  assertEquals([...stage.server.connections].map(({ isLocal }) => isLocal), [true]);
});

tlsTest("over IPv6 too", async ({ server, trust }) => {
  using secure = new RemotingClient({ tls: trust });
  await ask(secure, `[::1]:${server.port}`);
  assert([...server.connections][0]!.peer.startsWith("[::1]:"));
}, { server: { hostname: "::1" } });

tlsTest("a large body comes through in both directions", async ({ trust, address }) => {
  using secure = new RemotingClient({ tls: trust });
  await ask(secure, address, "x".repeat(10_000_000));
});

tlsTest("a hello may come byte by byte", async ({ server, authority }) => {
  // Between the client and the server: hands on each byte alone.
  using middle = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const caCerts = [await Deno.readTextFile(authority.cert)];
  const connecting = Deno.connectTls({ hostname: "127.0.0.1", port: (middle.addr as Deno.NetAddr).port, caCerts });
  using near = await middle.accept();
  using far = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  far.setNoDelay(true);
  const back = far.readable.pipeTo(near.writable).catch(() => {});
  const forth = (async () => {
    const chunk = new Uint8Array(4096);
    for (let count = await near.read(chunk); count !== null; count = await near.read(chunk)) {
      for (let at = 0; at < count; at++) await far.write(chunk.subarray(at, at + 1));
    }
  })().catch(() => {});
  using peer = new RawPeer(await connecting);
  assertEquals((await peer.ask(maxOffset(3))).header.opaque, 3);
  peer.conn.close();
  await Promise.all([back, forth]);
});

tlsTest("what enforcing turns away is what begins without TLS", async ({ trust, address, server, tls, lines }) => {
  using plain = await RawPeer.connect(server.port);
  await plain.write(frameBytes(maxOffset(1)));
  assertEquals(await plain.read(), undefined);
  using secure = new RemotingClient({ tls: trust });
  await ask(secure, address);
  assertEquals([tls.counts.plainRefused, server.connections.size], [1, 1]);
  const { port } = plain.conn.localAddr as Deno.NetAddr;
  assertEquals(lines, [`closing 127.0.0.1:${port}: it does not speak TLS, and tlsServerMode is enforcing`]);
}, { tls: { mode: "enforcing" } });

tlsTest("bytes that only begin like TLS get an alert, and close their connection only", async (stage) => {
  using healthy = await tlsPeer(stage);
  using bad = await Deno.connect({ hostname: "127.0.0.1", port: stage.server.port });
  await bad.write(Uint8Array.of(0x16, 3, 1, 0, 9, ...new Uint8Array(9)));
  assertEquals((await drain(bad))[0], ALERT);
  await until(() => stage.server.connections.size === 1);
  assertEquals((await healthy.ask(maxOffset(2))).header.opaque, 2);
  assertEquals([stage.tls.counts.failed, stage.lines.length], [1, 1]);
  assertStringIncludes(stage.lines[0]!, "TLS failed: ");
});

tlsTest("half a hello is waited for no longer than a handshake may take", async ({ server, tls, lines }) => {
  using slow = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await slow.write(HALF_A_HELLO);
  await drain(slow).catch(() => {});
  await until(() => server.connections.size === 0 && tls.lingering === 0);
  assertEquals(tls.counts.failed, 1);
  assertStringIncludes(lines[0]!, "TLS failed: it took longer than 30 ms");
}, { tls: { handshakeMs: 30 } });

tlsTest("a peer that leaves in the middle of its hello leaves nothing behind", async ({ server, tls }) => {
  const peer = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await peer.write(HALF_A_HELLO);
  await until(() => tls.counts.handshakes === 1);
  peer.close();
  await until(() => server.connections.size === 0 && tls.lingering === 0);
});

tlsTest("half a hello is not waited for once its connection is closed", async ({ server, tls }) => {
  using slow = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await slow.write(HALF_A_HELLO);
  await until(() => tls.counts.handshakes === 1);
  // Whatever the inner connection has come to.
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (const connection of server.connections) connection.close();
  assertEquals([server.connections.size, tls.lingering], [0, 0]);
  await drain(slow).catch(() => {});
});

tlsTest("a thousand peers that say nothing, or half a hello, end as idle", async ({ server, tls }) => {
  const peers = await Promise.all(
    Array.from({ length: 1000 }, () => Deno.connect({ hostname: "127.0.0.1", port: server.port })),
  );
  for (const peer of peers.slice(0, 50)) await peer.write(HALF_A_HELLO);
  await until(() => server.counts.accepted === 1000);
  await Promise.all(peers.map((peer) => drain(peer).catch(() => {})));
  await until(() => server.connections.size === 0 && tls.lingering === 0);
  assertEquals(server.counts.idle, 1000);
  for (const peer of peers) peer.close();
}, { server: { idleMs: 300 } });

tlsTest("peers that have not said what they speak count as connections", async (stage) => {
  using _silent = await Deno.connect({ hostname: "127.0.0.1", port: stage.server.port });
  await until(() => stage.server.connections.size === 1);
  using other = await Deno.connect({ hostname: "127.0.0.1", port: stage.server.port });
  assertEquals(await drain(other), new Uint8Array(0));
  assertEquals(stage.server.counts.refused, 1);
}, { server: { connectionsMax: 1 } });

tlsTest("a client that closes is gone from the server, and its requests with it", async (stage) => {
  const peer = await tlsPeer(stage);
  await peer.ask(maxOffset(1));
  peer.conn.close();
  await until(() => stage.server.connections.size === 0 && stage.tls.lingering === 0);
});

tlsTest("a server that closes says so, once every answer is out", async (stage) => {
  const count = 50;
  obeyed = 0;
  using peer = await tlsPeer(stage);
  for (let i = 0; i < count; i++) await peer.write(frameBytes({ code: HeartBeat.code, opaque: i }));
  await until(() => obeyed === count);
  const closing = stage.server.close();
  for (let i = 0; i < count; i++) assertEquals((await peer.read())?.body.length, BODY.length);
  // No error: the end was announced, nothing was cut off.
  assertEquals(await peer.conn.read(new Uint8Array(1)), null);
  await closing;
  await stage.tls.close();
}, GREAT_ANSWERS);

tlsTest("an answer that is given while the server closes goes out", async (stage) => {
  using peer = await tlsPeer(stage);
  await peer.write(frameBytes({ ...maxOffset(5), code: GetMinOffset.code }));
  await until(() => given !== undefined);
  const closing = stage.server.close();
  given!();
  assertEquals((await peer.read())?.header.opaque, 5);
  await closing;
}, {
  server: {
    handlers: handlers().on(GetMinOffset, async () => {
      await new Promise<void>((resolve) => given = resolve);
      return { code: ResponseCode.SUCCESS, header: { offset: 0 } };
    }),
  },
});
let given: (() => void) | undefined;

tlsTest("a TLS client that does not read is not read from, and loses nothing once it reads", async (stage) => {
  const count = 400;
  obeyed = 0;
  using slow = await tlsPeer(stage);
  using other = await tlsPeer(stage);
  for (let i = 0; i < count; i++) await slow.write(frameBytes({ code: HeartBeat.code, opaque: i }));
  await settled();
  assertEquals((await other.ask(maxOffset(9))).header.opaque, 9);
  assert(obeyed * BODY.length < UNSENT_BYTES_MAX && obeyed < count, `${obeyed} were obeyed`);
  for (let i = 0; i < count; i++) {
    const frame = await slow.read();
    assertEquals([frame?.header.opaque, frame?.body.length], [i, BODY.length]);
  }
  assertEquals(obeyed, count);
}, GREAT_ANSWERS);

tlsTest("a client that reads nothing of what was left is let go some seconds after the close", async (stage) => {
  obeyed = 0;
  using peer = await tlsPeer(stage);
  for (let i = 0; i < 1500; i++) await peer.write(frameBytes({ code: HeartBeat.code, opaque: i }));
  await settled();
  for (const connection of stage.server.connections) connection.close();
  assertEquals([stage.server.connections.size, stage.tls.lingering], [0, 1]);
  await stage.tls.close();
  assertEquals(stage.tls.lingering, 0);
}, { ...GREAT_ANSWERS, sanitizeOps: false });

Deno.test("without a certificate, who begins with TLS is closed, and the log tells why", async () => {
  const lines = await gatherLines();
  const server = new RemotingServer({
    hostname: "127.0.0.1",
    port: 0,
    handlers: handlers(),
    connectionsMax: 9,
    idleMs: 60_000,
  });
  using peer = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await peer.write(HALF_A_HELLO);
  assertEquals((await drain(peer)).length, 0);
  await server.close();
  await reset();
  const name = `127.0.0.1:${(peer.localAddr as Deno.NetAddr).port}`;
  const why = "it speaks TLS, which is off here (tlsServerMode, tlsServerCertPath)";
  assertEquals([server.counts.malformed, lines], [1, [`closing ${name}: ${why}`]]);
});
