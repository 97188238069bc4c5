/**
 * The server over real sockets.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";
import { UNSENT_BYTES_MAX } from "../../src/limits.ts";
import { Flag, HeaderEncoding, ResponseCode } from "../../src/protocol/codes.ts";
import {
  GetConsumerListByGroup,
  GetMaxOffset,
  GetMinOffset,
  HeartBeat,
  NotifyConsumerIdsChanged,
  UnregisterClient,
} from "../../src/protocol/requests.ts";
import type { Connection } from "../../src/remoting/connection.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { RemotingServer } from "../../src/remoting/server.ts";
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "../../src/std.ts";
import { frameBytes, RawPeer } from "./raw_peer.ts";
import { maxOffset, offsets, serving } from "./small_server.ts";

Deno.test("an unknown code is answered with 3", () =>
  serving(offsets(), async (server) => {
    using peer = await RawPeer.connect(server.port);
    for (const [code, name] of [[GetMinOffset.code, "GET_MIN_OFFSET"], [9999, "9999"]] as const) {
      const { header } = await peer.ask({ code, opaque: 7 });
      assertEquals([header.code, header.opaque, header.flag], [
        ResponseCode.REQUEST_CODE_NOT_SUPPORTED,
        7,
        Flag.ANSWER,
      ]);
      assertEquals(header.remark, ` request type ${name} not supported`);
    }
  }));

Deno.test("a missing or malformed field is answered with 1 and its name", () =>
  serving(offsets(), async (server) => {
    using peer = await RawPeer.connect(server.port);
    const missing = await peer.ask({ code: GetMaxOffset.code, extra: new Map([["topic", "T"]]) });
    assertEquals(missing.header.code, ResponseCode.SYSTEM_ERROR);
    assertEquals(missing.header.remark, "GET_MAX_OFFSET: the field queueId is missing, it is required");
    const malformed = await peer.ask({
      code: GetMaxOffset.code,
      extra: new Map([["topic", "T"], ["queueId", "seven"]]),
    });
    assertEquals(malformed.header.code, ResponseCode.SYSTEM_ERROR);
    assertStringIncludes(malformed.header.remark ?? "", 'the field queueId is "seven"');
    assertEquals((await peer.ask(maxOffset(1))).header.code, ResponseCode.SUCCESS);
  }));

Deno.test("a handler that throws or rejects is answered with 1 and the reason", () => {
  const handlers = new HandlerTable()
    .on(GetMaxOffset, () => {
      throw new RocketdError("notFound", "no such queue");
    })
    .on(GetMinOffset, () => Promise.reject(new RocketdError("disk", "cannot read")));
  return serving(handlers, async (server) => {
    using peer = await RawPeer.connect(server.port);
    const thrown = await peer.ask(maxOffset(1));
    assertEquals([thrown.header.code, thrown.header.remark], [1, "GET_MAX_OFFSET: no such queue"]);
    const rejected = await peer.ask({ ...maxOffset(2), code: GetMinOffset.code });
    assertEquals([rejected.header.code, rejected.header.remark], [1, "GET_MIN_OFFSET: cannot read"]);
  });
});

const NO_FRAMES: readonly [what: string, bytes: Uint8Array][] = [
  ["a length beyond the limit", new Uint8Array(new Int32Array([-1]).buffer)],
  ["a greater length than 16 MiB", Uint8Array.of(1, 0, 0, 1)],
  ["a length without room for the header word", Uint8Array.of(0, 0, 0, 3, 0, 0, 0)],
  ["HTTP", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")],
  ["an unknown encoding", Uint8Array.of(0, 0, 0, 4, 9, 0, 0, 0)],
  ["a header that is no JSON", Uint8Array.of(0, 0, 0, 5, 0, 0, 0, 1, 0x7b)],
  ["a binary header cut short", Uint8Array.of(0, 0, 0, 5, 1, 0, 0, 1, 0)],
];

Deno.test("bytes that are no frame close their connection only, and are counted", () =>
  serving(offsets(), async (server) => {
    using healthy = await RawPeer.connect(server.port);
    for (const [i, [what, bytes]] of NO_FRAMES.entries()) {
      using bad = await RawPeer.connect(server.port);
      await bad.write(bytes);
      assertEquals(await bad.read(), undefined, what);
      assertEquals(server.counts.malformed, i + 1, what);
      assertEquals((await healthy.ask(maxOffset(i))).header.opaque, i);
    }
    assertEquals(server.connections.size, 1);
  }));

Deno.test("what came before bytes that are no frame was obeyed", async () => {
  const seen: number[] = [];
  await serving(offsets(seen), async (server) => {
    using peer = await RawPeer.connect(server.port);
    await peer.write(Uint8Array.of(...frameBytes(maxOffset(1)), 0, 0, 0, 0));
    while (await peer.read() !== undefined);
  });
  assertEquals(seen, [1]);
});

Deno.test("a frame may arrive split at any byte", () =>
  serving(offsets(), async (server) => {
    using peer = await RawPeer.connect(server.port);
    for (const encoding of [HeaderEncoding.JSON, HeaderEncoding.ROCKETMQ]) {
      const bytes = frameBytes(maxOffset(5), "body", encoding);
      for (let split = 1; split < bytes.length; split++) {
        await peer.write(bytes.subarray(0, split));
        await new Promise((resolve) => setTimeout(resolve));
        await peer.write(bytes.subarray(split));
        const frame = await peer.read();
        assertEquals([frame?.encoding, new TextDecoder().decode(frame?.body)], [encoding, "body"]);
        assertEquals(frame?.header.fields.read(GetMaxOffset.answer), { offset: 5 });
      }
    }
  }));

Deno.test("a frame that comes byte by byte is obeyed once", async () => {
  const seen: number[] = [];
  await serving(offsets(seen), async (server) => {
    using peer = await RawPeer.connect(server.port);
    for (const byte of frameBytes(maxOffset(5))) await peer.write(Uint8Array.of(byte));
    assertEquals((await peer.read())?.header.opaque, 5);
  });
  assertEquals(seen, [5]);
});

Deno.test("many frames in one write are answered in order, large ones among them", () =>
  serving(offsets(), async (server) => {
    using peer = await RawPeer.connect(server.port);
    const count = 3000;
    const bodies = Array.from({ length: count }, (_, i) => i % 500 === 250 ? "x".repeat(300_000) : `b${i}`);
    const frames = bodies.map((body, i) => frameBytes(maxOffset(i), body));
    const all = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length, 0));
    let at = 0;
    for (const frame of frames) {
      all.set(frame, at);
      at += frame.length;
    }
    const writing = peer.write(all);
    for (let i = 0; i < count; i++) {
      const frame = await peer.read();
      assertEquals([frame?.header.opaque, new TextDecoder().decode(frame?.body)], [i, bodies[i]]);
    }
    await writing;
  }));

Deno.test("a one-way request is obeyed and gets no answer, whatever becomes of it", async () => {
  const seen: number[] = [];
  const handlers = offsets(seen).on(GetMinOffset, () => {
    throw new RocketdError("notFound", "no such queue");
  });
  await serving(handlers, async (server) => {
    using peer = await RawPeer.connect(server.port);
    const flag = Flag.ONE_WAY;
    await peer.write(frameBytes({ ...maxOffset(1), flag }));
    await peer.write(frameBytes({ ...maxOffset(2), code: GetMinOffset.code, flag }));
    await peer.write(frameBytes({ code: 9999, opaque: 3, flag }));
    await peer.write(frameBytes({ code: GetMaxOffset.code, opaque: 4, flag }));
    assertEquals((await peer.ask(maxOffset(5))).header.opaque, 5);
  });
  assertEquals(seen, [1, 5]);
});

Deno.test("an answer that takes its time overtakes nothing and is overtaken", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const handlers = offsets().on(GetMinOffset, async () => {
    await promise;
    return { code: ResponseCode.SUCCESS, header: { offset: 0 } };
  });
  await serving(handlers, async (server) => {
    using peer = await RawPeer.connect(server.port);
    await peer.write(frameBytes({ ...maxOffset(1), code: GetMinOffset.code }));
    assertEquals((await peer.ask(maxOffset(2))).header.opaque, 2);
    resolve();
    assertEquals((await peer.read())?.header.opaque, 1);
  });
});

Deno.test("a client that does not read is not read from, and loses nothing once it reads", async () => {
  const size = 64_000, count = 1500, body = new Uint8Array(size);
  let obeyed = 0;
  const handlers = offsets().on(HeartBeat, () => {
    obeyed++;
    return { code: ResponseCode.SUCCESS, body };
  });
  await serving(handlers, async (server) => {
    using slow = await RawPeer.connect(server.port);
    using other = await RawPeer.connect(server.port);
    for (let i = 0; i < count; i++) await slow.write(frameBytes({ code: HeartBeat.code, opaque: i }));
    // Until the server has stopped: nothing moves while another client is served.
    for (let before = -1; before !== obeyed;) {
      before = obeyed;
      for (let i = 0; i < 50; i++) assertEquals((await other.ask(maxOffset(i))).header.opaque, i);
    }
    assertEquals(obeyed * size < UNSENT_BYTES_MAX && obeyed < count, true, `${obeyed} were obeyed`);
    for (let i = 0; i < count; i++) {
      const frame = await slow.read();
      assertEquals([frame?.header.opaque, frame?.body.length], [i, size]);
    }
    assertEquals(obeyed, count);
  });
});

/** Keeps the connection of the last HEART_BEAT. */
function greeting(): { handlers: HandlerTable; connection: () => Connection } {
  let last: Connection | undefined;
  const handlers = new HandlerTable().on(HeartBeat, ({ connection }) => {
    last = connection;
    return { code: ResponseCode.SUCCESS };
  });
  return { handlers, connection: () => last! };
}

Deno.test("the server asks and tells over the same connection", async () => {
  const { handlers, connection } = greeting();
  await serving(handlers, async (server) => {
    using peer = await RawPeer.connect(server.port);
    await peer.ask({ code: HeartBeat.code });
    connection().notify(NotifyConsumerIdsChanged, { consumerGroup: "G" });
    const told = await peer.read();
    assertEquals([told?.header.code, told?.header.flag], [NotifyConsumerIdsChanged.code, Flag.ONE_WAY]);
    assertEquals(told?.header.fields.read(NotifyConsumerIdsChanged.request), { consumerGroup: "G" });

    const answers = [1, 2].map((queueId) =>
      connection().request(GetMaxOffset, { topic: "T", queueId }, undefined, 60_000)
    );
    const asked = [await peer.read(), await peer.read()];
    // In the other order, and with an answer that nobody waits for in between.
    for (const frame of asked.reverse()) {
      const { queueId } = frame!.header.fields.read(GetMaxOffset.request);
      const values = { offset: queueId * 10 };
      const { opaque } = frame!.header;
      await peer.write(frameBytes({ opaque: 12345, flag: Flag.ANSWER }));
      await peer.write(frameBytes({ opaque, flag: Flag.ANSWER, table: GetMaxOffset.answer, values }, `b${queueId}`));
    }
    const received = await Promise.all(answers);
    assertEquals(received.map(({ header, body }) => [header.offset, new TextDecoder().decode(body)]), [
      [10, "b1"],
      [20, "b2"],
    ]);
  });
});

Deno.test("a request of the server's fails as timeout, malformed or unavailable, each with its reason", async () => {
  const { handlers, connection } = greeting();
  await serving(handlers, async (server) => {
    const peer = await RawPeer.connect(server.port);
    await peer.ask({ code: HeartBeat.code });
    const ask = (ms: number) => connection().request(GetMaxOffset, { topic: "T", queueId: 1 }, undefined, ms);
    const late = await assertRejects(() => ask(1), RocketdError, "did not answer GET_MAX_OFFSET within 1 ms");
    assertEquals([late.code, late.retriable], ["timeout", true]);
    await peer.read();

    const malformed = ask(60_000);
    const { opaque } = (await peer.read())!.header;
    await peer.write(frameBytes({ opaque, flag: Flag.ANSWER, extra: new Map([["offset", "x"]]) }));
    assertEquals((await assertRejects(() => malformed, RocketdError, 'offset is "x"')).code, "malformed");

    const cut = ask(60_000);
    peer[Symbol.dispose]();
    assertEquals((await assertRejects(() => cut, RocketdError, "closed the connection")).code, "unavailable");
    assertEquals((await assertRejects(() => ask(60_000), RocketdError, "it is closed")).code, "unavailable");
  });
});

Deno.test("a peer that does not read is let go when too much is unsent", async () => {
  const { handlers, connection } = greeting();
  await serving(handlers, async (server) => {
    using peer = await RawPeer.connect(server.port);
    await peer.ask({ code: HeartBeat.code });
    const body = new Uint8Array(1_000_000);
    let told = 0;
    for (; told * body.length <= UNSENT_BYTES_MAX && !connection().isClosed; told++) {
      connection().notify(NotifyConsumerIdsChanged, { consumerGroup: "G" }, [body]);
    }
    assertEquals([connection().isClosed, server.connections.size], [true, 0]);
    assertEquals(told > UNSENT_BYTES_MAX / body.length - 1, true, `closed after ${told}`);
  });
});

Deno.test("close() lets answers that were given go out, and ends the connections", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const body = new Uint8Array(2_000_000);
  const handlers = new HandlerTable().on(UnregisterClient, () => {
    resolve();
    return { code: ResponseCode.SUCCESS, body };
  });
  const server = new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 1, idleMs: 60_000 });
  using peer = await RawPeer.connect(server.port);
  const values = { clientID: "c" };
  await peer.write(frameBytes({ code: UnregisterClient.code, table: UnregisterClient.request, values }));
  await asked;
  const closing = server.close();
  assertEquals((await peer.read())?.body.length, body.length);
  assertEquals(await peer.read(), undefined);
  await closing;
});

Deno.test("a port that is taken is said to be in use, by the name of its setting", () =>
  serving(offsets(), (server) => {
    const options = { hostname: "127.0.0.1", handlers: offsets(), connectionsMax: 1, idleMs: 1000 };
    const error = assertThrows(
      () => new RemotingServer({ ...options, port: server.port }),
      RocketdError,
      `Cannot listen on 127.0.0.1:${server.port} (listenPort)`,
    );
    assertEquals(error.code, "inUse");
    return Promise.resolve();
  }));

Deno.test("a code has one handler", () => {
  const table = new HandlerTable().on(GetConsumerListByGroup, () => ({ code: 0 }));
  assertThrows(() => table.on(GetConsumerListByGroup, () => ({ code: 0 })), Error, "two handlers");
  assertEquals([table.without(GetConsumerListByGroup).get(38), table.get(38)?.type], [
    undefined,
    GetConsumerListByGroup,
  ]);
});
