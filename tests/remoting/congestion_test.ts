/**
 * @module
 */
import { UNSENT_BYTES_HIGH } from "../../src/limits.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { ViewMessageById } from "../../src/protocol/requests.ts";
import { ByteWriter } from "../../src/protocol/byte_writer.ts";
import { encodeFrame } from "../../src/protocol/encode_frame.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { HandlerTable, type Incoming } from "../../src/remoting/handlers.ts";
import { RemotingServer } from "../../src/remoting/server.ts";
import { assert, assertEquals } from "../../src/std.ts";

const ANSWER_BYTES = UNSENT_BYTES_HIGH / 4;
const REQUESTS = 40;

function serverOf(handlers: HandlerTable, onClose = () => {}): RemotingServer {
  return new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 10, idleMs: 60_000, onClose });
}

function requests(count: number): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  for (let opaque = 1; opaque <= count; opaque++) {
    const { code, request: table } = ViewMessageById;
    encodeFrame(out, 1, { code, version: 407, opaque, flag: 0, table, values: { offset: opaque } }, []);
  }
  return out.written();
}

Deno.test("a peer that is gone while answers wait for it to read leaves nothing waiting", async () => {
  const body = new Uint8Array(ANSWER_BYTES);
  let answered = 0;
  const filled = Promise.withResolvers<void>(), closed = Promise.withResolvers<void>();
  const serve = (request: Incoming<typeof ViewMessageById>): undefined => {
    if (request.connection.congested) {
      filled.resolve();
      request.connection.whenDrained(() => serve(request));
    } else {
      answered++;
      request.answer({ code: ResponseCode.SUCCESS, body });
    }
  };
  // Asked again after the first answers, as pulls that were held are.
  const asked: Incoming<typeof ViewMessageById>[] = [];
  const handlers = new HandlerTable().on(ViewMessageById, (request) => {
    request.hold();
    asked.push(request);
    if (asked.length === REQUESTS) { for (const one of asked) serve(one); }
    return undefined;
  });
  const server = serverOf(handlers, () => closed.resolve());
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await conn.write(requests(REQUESTS));
  await filled.promise;
  const before = answered;
  assert(before < REQUESTS, "the answers did not wait");
  conn.close();
  await closed.promise;
  assertEquals(server.connections.size, 0);
  await server.close();
});

Deno.test("a server that stops sends the answers in hand first, and refuses what comes then", async () => {
  const asked = Promise.withResolvers<void>(), go = Promise.withResolvers<void>();
  const handlers = new HandlerTable().on(ViewMessageById, async () => {
    asked.resolve();
    await go.promise;
    return { code: ResponseCode.SUCCESS, remark: "in time" };
  });
  const server = serverOf(handlers);
  const client = new RemotingClient();
  const ask = () => client.invoke(`127.0.0.1:${server.port}`, ViewMessageById, { offset: 1 }, undefined, 30_000);
  const answer = ask();
  await asked.promise;
  const stopped = server.close();
  assertEquals((await ask()).code, ResponseCode.SERVICE_NOT_AVAILABLE);
  go.resolve();
  assertEquals((await answer).remark, "in time");
  await stopped;
  client.close();
});
