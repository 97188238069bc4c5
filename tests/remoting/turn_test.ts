/**
 * What a request waits for between the read of its bytes and its handler, and how a limit refuses it.
 *
 * @module
 */
import { Flag, ResponseCode } from "../../src/protocol/codes.ts";
import { GetMaxOffset, GetMinOffset } from "../../src/protocol/requests.ts";
import { type FlowLimit, HandlerTable } from "../../src/remoting/handlers.ts";
import { RemotingServer } from "../../src/remoting/server.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { frameBytes, RawPeer } from "./raw_peer.ts";

const BLOCKS_MS = 30;

/** Uses the event loop up, as slow handlers do. */
function block(ms: number): void {
  const end = Date.now() + ms;
  while (Date.now() < end);
}

/** Writes down what it is asked, and refuses what it is told to. */
class RecordingLimit implements FlowLimit {
  inHand = 0;
  readonly asked: { waitedMs: number; oneWay: boolean }[] = [];

  constructor(readonly remark?: string) {}

  refusal(waitedMs: number, oneWay: boolean): string | undefined {
    this.asked.push({ waitedMs, oneWay });
    return this.remark;
  }
}

function serverOf(handlers: HandlerTable): RemotingServer {
  return new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 10, idleMs: 60_000 });
}

const request = (opaque: number, code: number = GetMaxOffset.code, flag = 0) => {
  return frameBytes({ code, opaque, flag, table: GetMaxOffset.request, values: { topic: "T", queueId: 0 } });
};

Deno.test("a request waits as long as those take that were read with it, and begins anew in the next turn", async () => {
  const limit = new RecordingLimit();
  const handlers = new HandlerTable().on(GetMaxOffset, () => {
    block(BLOCKS_MS);
    return { code: ResponseCode.SUCCESS, header: { offset: 0 } };
  }).limit(limit, [GetMaxOffset]);
  const server = serverOf(handlers);
  using a = await RawPeer.connect(server.port);
  using b = await RawPeer.connect(server.port);
  using c = await RawPeer.connect(server.port);
  const peers = [a, b, c];
  for (const peer of peers) {
    await peer.write(request(1));
    await peer.read();
  }
  limit.asked.length = 0;
  const written = Promise.all(peers.map((peer) => peer.write(request(2))));
  // All of them are in the kernel before the server reads any.
  block(BLOCKS_MS);
  await written;
  for (const peer of peers) assertEquals((await peer.read())?.header.code, ResponseCode.SUCCESS);
  const waited = limit.asked.map(({ waitedMs }) => waitedMs);
  assertEquals(waited.length, peers.length);
  assertEquals(waited[0], 0);
  assert(waited[1]! >= BLOCKS_MS && waited[2]! >= 2 * BLOCKS_MS, `waited ${waited} ms`);
  await a.write(request(3));
  await a.read();
  assertEquals(limit.asked.at(-1)?.waitedMs, 0);
  await server.close();
});

Deno.test("a refused request is answered with SYSTEM_BUSY, its handler does not run, a one-way one gets no answer", async () => {
  const limit = new RecordingLimit("[TIMEOUT_CLEAN_QUEUE]broker busy");
  let obeyed = 0;
  const handlers = new HandlerTable()
    .on(GetMaxOffset, () => {
      obeyed++;
      return { code: ResponseCode.SUCCESS, header: { offset: 0 } };
    })
    .on(GetMinOffset, () => ({ code: ResponseCode.SUCCESS, header: { offset: 7 } }))
    .limit(limit, [GetMaxOffset]);
  const server = serverOf(handlers);
  using peer = await RawPeer.connect(server.port);
  await peer.write(request(1, GetMaxOffset.code, Flag.ONE_WAY));
  await peer.write(request(2));
  const { header } = (await peer.read())!;
  assertEquals([header.opaque, header.code, header.remark], [2, ResponseCode.SYSTEM_BUSY, limit.remark]);
  // Requests of other kinds go on.
  await peer.write(request(3, GetMinOffset.code));
  assertEquals((await peer.read())!.header.code, ResponseCode.SUCCESS);
  assertEquals(limit.asked.map(({ oneWay }) => oneWay), [true, false]);
  assertEquals([obeyed, limit.inHand], [0, 0]);
  await server.close();
});

Deno.test("a limit counts what is in hand until it is answered, held or has failed", async () => {
  const limit = new RecordingLimit();
  const seen: number[] = [];
  let later = () => {};
  const handlers = new HandlerTable().on(GetMaxOffset, (asked) => {
    seen.push(limit.inHand);
    if (asked.header.queueId === 0) {
      later = () => asked.answer({ code: ResponseCode.SUCCESS, header: { offset: 0 } });
      return undefined;
    }
    throw new Error("no such queue");
  }).limit(limit, [GetMaxOffset]);
  const server = serverOf(handlers);
  using peer = await RawPeer.connect(server.port);
  await peer.write(request(1));
  const values = { topic: "T", queueId: 1 };
  await peer.write(frameBytes({ code: GetMaxOffset.code, opaque: 2, table: GetMaxOffset.request, values }));
  assertEquals((await peer.read())?.header.opaque, 2);
  assertEquals([seen, limit.inHand], [[1, 2], 1]);
  later();
  later();
  assertEquals(limit.inHand, 0);
  assertEquals((await peer.read())?.header.opaque, 1);
  await server.close();
});
