/**
 * Our own requests where they are many, the other side reads slowly or not at all, or one cannot be written.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";
import { UNSENT_BYTES_MAX } from "../../src/limits.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { GetMaxOffset } from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { OwnRequests } from "../../src/remoting/own_requests.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "../../src/std.ts";
import { until } from "../client/scene.ts";
import { offsets, serving } from "./small_server.ts";

const BODY = new Uint8Array(2 ** 20);
/** More than a connection may have unsent. */
const MANY = UNSENT_BYTES_MAX / BODY.length + 16;
const header = (queueId: number) => ({ topic: "T", queueId });
const numbers = Array.from({ length: MANY }, (_, i) => i);

Deno.test("requests that are more than a connection holds wait for room, and each is answered", async () => {
  const seen: number[] = [];
  await serving(offsets(seen), async (server) => {
    using client = new RemotingClient();
    const address = `127.0.0.1:${server.port}`;
    const answers = numbers.map((i) => client.invoke(address, GetMaxOffset, header(i), BODY, 60_000));
    assertEquals((await Promise.all(answers)).map((answer) => answer.header.offset), numbers);
    assertEquals([seen, server.counts.accepted], [numbers, 1]);
  });
});

Deno.test("what is told without an answer waits for room too, and none of it is lost", async () => {
  const seen: number[] = [];
  await serving(offsets(seen), async (server) => {
    using client = new RemotingClient();
    const address = `127.0.0.1:${server.port}`;
    await Promise.all(numbers.map((i) => client.notify(address, GetMaxOffset, header(i), BODY, 60_000)));
    await client.invoke(address, GetMaxOffset, header(MANY), undefined, 60_000);
    assertEquals([seen, server.counts.accepted], [[...numbers, MANY], 1]);
  });
});

Deno.test("a peer that reads nothing costs whoever waits for room their time, and no more", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  using client = new RemotingClient();
  const address = `127.0.0.1:${listener.addr.port}`;
  const stuck = numbers.map((i) => client.invoke(address, GetMaxOffset, header(i), BODY, 60_000));
  const ends = Promise.allSettled(stuck);
  const peer = await accepted;
  await peer.read(new Uint8Array(1));
  const late = await Promise.allSettled([
    client.invoke(address, GetMaxOffset, header(0), undefined, 50),
    client.notify(address, GetMaxOffset, header(0), undefined, 50),
  ]);
  for (const end of late) {
    const { code, message } = (end as PromiseRejectedResult).reason as RocketdError;
    assertEquals(code, "timeout");
    assertStringIncludes(message, "did not read what was sent before");
  }
  await client.flushed(10);
  peer.close();
  const codes = (await ends).map((end) => ((end as PromiseRejectedResult).reason as RocketdError).code);
  assertEquals(new Set(codes), new Set(["unavailable"]));
});

Deno.test("a connection on which nothing comes any more is left for a new one, and who waits on it goes on waiting", async () => {
  const gate = Promise.withResolvers<void>();
  const handlers = new HandlerTable().on(GetMaxOffset, async ({ header: { queueId } }) => {
    if (queueId < 2) await gate.promise;
    return { code: ResponseCode.SUCCESS, header: { offset: queueId } };
  });
  await serving(handlers, async (server) => {
    const lost: string[] = [];
    using client = new RemotingClient({ silentMs: 20, onClose: (address) => lost.push(address) });
    const address = `127.0.0.1:${server.port}`;
    const ask = async (queueId: number, timeoutMs = 60_000) =>
      (await client.invoke(address, GetMaxOffset, header(queueId), undefined, timeoutMs)).header.offset;
    assertEquals(await ask(5), 5);
    const patient = ask(1);
    await assertRejects(() => ask(0, 20), RocketdError, "did not answer");
    assertEquals([await ask(2), await ask(3), server.counts.accepted], [2, 3, 2]);
    gate.resolve();
    assertEquals(await patient, 1);
    await until(() => server.connections.size === 1);
    assertEquals([await ask(4), server.counts.accepted, lost], [4, 2, [address]]);
  });
});

Deno.test("a client that is told to closes such a connection at once, and who waits on it is told", async () => {
  const handlers = new HandlerTable().on(GetMaxOffset, ({ header: { queueId } }) => {
    return queueId < 2 ? undefined : { code: ResponseCode.SUCCESS, header: { offset: queueId } };
  });
  await serving(handlers, async (server) => {
    const lost: string[] = [];
    using client = new RemotingClient({ silentMs: 20, closesSilent: true, onClose: (address) => lost.push(address) });
    const address = `127.0.0.1:${server.port}`;
    const ask = (queueId: number, timeoutMs = 60_000) =>
      client.invoke(address, GetMaxOffset, header(queueId), undefined, timeoutMs);
    await ask(5);
    const patient = assertRejects(() => ask(1), RocketdError, "closed the connection");
    await assertRejects(() => ask(0, 20), RocketdError, "did not answer");
    await patient;
    assertEquals(lost, [address]);
    assertEquals([(await ask(2)).header.offset, server.counts.accepted, lost.length], [2, 2, 1]);
  });
});

Deno.test("a connection on which others were answered meanwhile is kept", async () => {
  const asked: number[] = [];
  const line = {
    ...{ peer: "there", isClosed: false, congested: false, lastRead: Infinity, write: () => {}, close: () => {} },
    silent: (waitedMs: number) => asked.push(waitedMs) > 0,
  };
  const requests = new OwnRequests(line);
  const ask = () => requests.ask(GetMaxOffset, header(0), undefined, 5);
  await assertRejects(ask, RocketdError, "did not answer");
  assertEquals(asked, []);
  line.lastRead = 0;
  await assertRejects(ask, RocketdError, "did not answer");
  assertEquals(asked, [5]);
});

Deno.test("what waits for room on a connection that is left is told at once that it was not sent", async () => {
  const closed = Promise.withResolvers<void>();
  const line = {
    ...{ peer: "there", isClosed: false, congested: false, lastRead: 0, write: () => {}, close: closed.resolve },
    silent: () => true,
  };
  const requests = new OwnRequests(line);
  const ask = (timeoutMs: number) => requests.ask(GetMaxOffset, header(0), undefined, timeoutMs);
  const sent = ask(5);
  line.congested = true;
  const unsent = [ask(600_000), requests.tell(GetMaxOffset, header(0), undefined, 600_000)];
  const ends = await Promise.allSettled([sent, ...unsent]);
  const codes = ends.map((end) => ((end as PromiseRejectedResult).reason as RocketdError).code);
  assertEquals(codes, ["timeout", "unavailable", "unavailable"]);
  await closed.promise;
});

Deno.test("a request that cannot be written harms none beside it", async () => {
  await serving(offsets(), async (server) => {
    using client = new RemotingClient();
    const address = `127.0.0.1:${server.port}`;
    const ends = await Promise.allSettled(
      [1, NaN, 2].map((queueId) => client.invoke(address, GetMaxOffset, header(queueId), undefined, 60_000)),
    );
    assertEquals(ends.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
    assertEquals(server.counts.accepted, 1);
  });
});

Deno.test("what is told and cannot be written when there is room is rejected, and harms none behind it", async () => {
  const written: number[] = [];
  const line = {
    ...{ peer: "there", isClosed: false, congested: true, lastRead: 0, silent: () => false, close: () => {} },
    write: (_type: unknown, { queueId }: Partial<ReturnType<typeof header>>) => {
      if (queueId === 1) throw new RocketdError("invalidArgument", "Cannot sign this");
      written.push(queueId!);
    },
  };
  const requests = new OwnRequests(line);
  const told = [0, 1, 2].map((queueId) => requests.tell(GetMaxOffset, header(queueId), undefined, 600_000));
  line.congested = false;
  requests.letIn();
  const ends = await Promise.allSettled(told);
  assertEquals(ends.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assertEquals([written, requests.size], [[0, 2], 0]);
  requests.close();
});

Deno.test("what is told on a connection that has closed is rejected", async () => {
  const line = { peer: "there", isClosed: true, congested: false, lastRead: 0, write: () => {}, close: () => {} };
  const requests = new OwnRequests({ ...line, silent: () => false });
  const told = () => requests.tell(GetMaxOffset, header(0), undefined, 600_000);
  assertEquals((await assertRejects(told, RocketdError, "it is closed")).code, "unavailable");
});
