/**
 * Servers that close while their peers still owe them answers.
 *
 * @module
 */
import { Flag, ResponseCode } from "../../src/protocol/codes.ts";
import { GetMaxOffset, HeartBeat, UnregisterClient } from "../../src/protocol/requests.ts";
import type { Connection } from "../../src/remoting/connection.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { RemotingServer } from "../../src/remoting/server.ts";
import { assertEquals } from "../../src/std.ts";
import { frameBytes, RawPeer } from "./raw_peer.ts";

Deno.test("close() waits for what a peer was asked, and lets the answer go out that hangs on it", async () => {
  let asked: Connection | undefined;
  const handlers = new HandlerTable()
    .on(HeartBeat, ({ connection }) => {
      asked = connection;
      return { code: ResponseCode.SUCCESS };
    })
    // As a reply is handed on: the sender waits, and is not counted as in hand.
    .on(UnregisterClient, (request) => {
      asked!.request(GetMaxOffset, { topic: "T", queueId: 1 }, undefined, 60_000)
        .then(({ code }) => request.answer({ code }), () => {});
      request.hold();
      return undefined;
    });
  const server = new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 9, idleMs: 60_000 });
  using answering = await RawPeer.connect(server.port);
  await answering.ask({ code: HeartBeat.code });
  using waiting = await RawPeer.connect(server.port);
  const values = { clientID: "c" };
  await waiting.write(frameBytes({ code: UnregisterClient.code, table: UnregisterClient.request, values }));
  const { opaque } = (await answering.read())!.header;

  const closing = server.close();
  await answering.write(frameBytes({ code: ResponseCode.TOPIC_NOT_EXIST, opaque, flag: Flag.ANSWER }));
  assertEquals((await waiting.read())?.header.code, ResponseCode.TOPIC_NOT_EXIST);
  assertEquals(await waiting.read(), undefined);
  await closing;
});
