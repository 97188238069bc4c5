/**
 * How many connections a server takes, and how they end.
 *
 * @module
 */
import { ResponseCode } from "../../src/protocol/codes.ts";
import { GetMinOffset } from "../../src/protocol/requests.ts";
import type { Wire } from "../../src/remoting/listener.ts";
import type { ServerTls } from "../../src/remoting/tls/server_tls.ts";
import { assertEquals } from "../../src/std.ts";
import { until } from "../until.ts";
import { frameBytes, RawPeer } from "./raw_peer.ts";
import { maxOffset, offsets, serving } from "./small_server.ts";

Deno.test("an idle connection is closed, and counted", () =>
  serving(offsets(), async (server) => {
    using peer = await RawPeer.connect(server.port);
    assertEquals(await peer.read(), undefined);
    assertEquals([server.counts.idle, server.connections.size], [1, 0]);
  }, { idleMs: 20 }));

Deno.test("a listener that throws when a connection closes keeps neither the other listeners nor the server in the dark", async () => {
  const told: string[] = [];
  const gone = Promise.withResolvers<void>();
  const handlers = offsets();
  handlers.on(GetMinOffset, ({ connection }) => {
    connection.onClose(() => {
      throw new Error("a mistake");
    });
    connection.onClose(() => told.push("listener"));
    return { code: ResponseCode.SUCCESS, header: { offset: 0 } };
  });
  const onClose = () => {
    told.push("server");
    gone.resolve();
  };
  await serving(handlers, async (server) => {
    const peer = await RawPeer.connect(server.port);
    await peer.ask({ ...maxOffset(0), code: GetMinOffset.code });
    peer.conn.close();
    await gone.promise;
    assertEquals([told, server.connections.size], [["listener", "server"], 0]);
  }, { onClose });
});

Deno.test("a connection beyond the limit is closed, until another has gone", async () => {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  await serving(offsets(), async (server) => {
    const first = await RawPeer.connect(server.port);
    assertEquals((await first.ask(maxOffset(1))).header.opaque, 1);
    using second = await RawPeer.connect(server.port);
    assertEquals([await second.read(), server.counts.refused], [undefined, 1]);
    assertEquals((await first.ask(maxOffset(2))).header.opaque, 2);
    first[Symbol.dispose]();
    await gone;
    using third = await RawPeer.connect(server.port);
    assertEquals((await third.ask(maxOffset(3))).header.opaque, 3);
    assertEquals(server.counts.accepted, 2);
  }, { connectionsMax: 1, onClose: () => resolve() });
});

Deno.test("a connection whose last write does not end counts until it does, for it keeps its socket and its bytes", async () => {
  // As sockets of Deno 2.6 behave: closing them does not end a write that their peer does not take.
  const { promise: taken, resolve: take } = Promise.withResolvers<void>();
  const { promise: writing, resolve: writes } = Promise.withResolvers<void>();
  const guard = (conn: Deno.TcpConn): Wire => ({
    remoteAddr: conn.remoteAddr,
    localAddr: conn.localAddr,
    read: (into) => conn.read(into),
    write: (bytes) => {
      writes();
      return taken.then(() => conn.write(bytes));
    },
    close: () => conn.close(),
  });
  const tls = { lingering: 0, guard } as unknown as ServerTls;
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  await serving(offsets(), async (server) => {
    const first = await RawPeer.connect(server.port);
    await first.write(frameBytes(maxOffset(1)));
    await writing;
    first[Symbol.dispose]();
    await gone;
    using second = await RawPeer.connect(server.port);
    await until(() => server.counts.accepted + server.counts.refused >= 2);
    assertEquals([server.counts.refused, await second.read()], [1, undefined]);
    take();
    await taken;
    using third = await RawPeer.connect(server.port);
    assertEquals((await third.ask(maxOffset(3))).header.opaque, 3);
  }, { connectionsMax: 1, tls, onClose: () => resolve() });
});
