/**
 * The remoting client against our own server in the same process.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";
import { HeaderEncoding, ResponseCode } from "../../src/protocol/codes.ts";
import { GetMaxOffset, NotifyConsumerIdsChanged, UnregisterClient } from "../../src/protocol/requests.ts";
import { parseAddress, RemotingClient, succeed } from "../../src/remoting/client.ts";
import type { Connection } from "../../src/remoting/connection.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { RemotingServer } from "../../src/remoting/server.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "../../src/std.ts";
import { freePort } from "../ports.ts";

const question = { topic: "T", queueId: 7 };

function serve(handlers: HandlerTable, port = 0): RemotingServer {
  return new RemotingServer({ hostname: "127.0.0.1", port, handlers, connectionsMax: 100, idleMs: 60_000 });
}

/** Answers each question with its own queue id. */
function echoing(): HandlerTable {
  return new HandlerTable().on(GetMaxOffset, ({ header }) => ({
    code: ResponseCode.SUCCESS,
    header: { offset: header.queueId },
  }));
}

async function failure(promise: Promise<unknown>): Promise<RocketdError> {
  return await assertRejects(() => promise, RocketdError);
}

for (const [name, encoding] of Object.entries(HeaderEncoding)) {
  Deno.test(`RemotingClient gives each caller its own answer over one connection (${name})`, async () => {
    const server = serve(echoing());
    using client = new RemotingClient({ encoding });
    const address = `127.0.0.1:${server.port}`;
    const answers = await Promise.all(
      Array.from(
        { length: 200 },
        (_, queueId) => client.invoke(address, GetMaxOffset, { topic: "T", queueId }, undefined, 30_000),
      ),
    );
    assertEquals(answers.map(({ header }) => header.offset), Array.from({ length: 200 }, (_, i) => i));
    assertEquals(server.counts.accepted, 1);
    client.close();
    await server.close();
  });
}

Deno.test("RemotingClient connects again on the next use after the connection was lost", async () => {
  const seen: Connection[] = [];
  const lost = Promise.withResolvers<string>();
  const server = serve(
    new HandlerTable().on(GetMaxOffset, ({ connection }) => {
      seen.push(connection);
      return { code: ResponseCode.SUCCESS, header: { offset: seen.length } };
    }),
  );
  using client = new RemotingClient({ onClose: (address) => lost.resolve(address) });
  const address = `127.0.0.1:${server.port}`;
  await client.invoke(address, GetMaxOffset, question, undefined, 30_000);
  seen[0]!.close();
  assertEquals(await lost.promise, address);
  assertEquals((await client.invoke(address, GetMaxOffset, question, undefined, 30_000)).header.offset, 2);
  assert(seen[0] !== seen[1]);
  client.close();
  await server.close();
});

Deno.test("RemotingClient tells a caller whose answer was lost with the connection", async () => {
  const server = serve(
    new HandlerTable().on(GetMaxOffset, ({ connection }) => {
      connection.close();
      return undefined;
    }),
  );
  using client = new RemotingClient();
  const error = await failure(client.invoke(`127.0.0.1:${server.port}`, GetMaxOffset, question, undefined, 30_000));
  assertEquals(error.code, "unavailable");
  client.close();
  await server.close();
});

Deno.test("RemotingClient ends the wait for an answer that does not come", async () => {
  const server = serve(new HandlerTable().on(GetMaxOffset, (request) => (request.hold(), undefined)));
  using client = new RemotingClient();
  const error = await failure(client.invoke(`127.0.0.1:${server.port}`, GetMaxOffset, question, undefined, 30));
  assertEquals(error.code, "timeout");
  assertStringIncludes(error.message, "GET_MAX_OFFSET");
  client.close();
  await server.close();
});

Deno.test("RemotingClient finds a server that was not there at the first try", async () => {
  const port = freePort();
  using client = new RemotingClient();
  const address = `127.0.0.1:${port}`;
  const error = await failure(client.invoke(address, GetMaxOffset, question, undefined, 30_000));
  assertEquals([error.code, error.retriable], ["unavailable", true]);
  const second = serve(echoing(), port);
  assertEquals((await client.invoke(address, GetMaxOffset, question, undefined, 30_000)).header.offset, 7);
  client.close();
  await second.close();
});

Deno.test("RemotingClient obeys what a server asks of it", async () => {
  const noticed = Promise.withResolvers<string>();
  const server = serve(
    new HandlerTable().on(UnregisterClient, ({ connection }) => {
      connection.notify(NotifyConsumerIdsChanged, { consumerGroup: "G" });
      return { code: ResponseCode.SUCCESS };
    }),
  );
  const handlers = new HandlerTable().on(NotifyConsumerIdsChanged, ({ header }) => {
    noticed.resolve(header.consumerGroup);
    return undefined;
  });
  using client = new RemotingClient({ handlers });
  await client.invoke(`127.0.0.1:${server.port}`, UnregisterClient, { clientID: "c" }, undefined, 30_000);
  assertEquals(await noticed.promise, "G");
  client.close();
  await server.close();
});

Deno.test("RemotingClient sends one-way requests in order before a later question", async () => {
  const seen: number[] = [];
  const server = serve(
    echoing().on(UnregisterClient, ({ header, oneWay, body }) => {
      assert(oneWay);
      seen.push(Number(header.clientID) + body.length);
      return undefined;
    }),
  );
  using client = new RemotingClient();
  const address = `127.0.0.1:${server.port}`;
  const body = [new Uint8Array(3), new Uint8Array(4)];
  for (let i = 0; i < 5; i++) await client.notify(address, UnregisterClient, { clientID: String(i) }, body);
  await client.invoke(address, GetMaxOffset, question, undefined, 30_000);
  assertEquals(seen, [7, 8, 9, 10, 11]);
  client.close();
  await server.close();
});

Deno.test("RemotingClient refuses calls after close", async () => {
  const client = new RemotingClient();
  client.close();
  assertEquals(
    (await failure(client.invoke("127.0.0.1:1", GetMaxOffset, question, undefined, 50))).code,
    "unavailable",
  );
});

Deno.test("succeed() throws RocketMQ's code and remark for any answer but SUCCESS", () => {
  const refusal = { code: ResponseCode.TOPIC_NOT_EXIST, remark: "topic[T] not exist" };
  const error = assertThrows(() => succeed(refusal, "sending to T"), RocketdError, "TOPIC_NOT_EXIST (17) topic[T]");
  assertEquals([error.code, error.details.responseCode], ["refused", 17]);
  const success = { code: ResponseCode.SUCCESS, remark: undefined };
  assertEquals(succeed(success), success);
});

Deno.test("parseAddress() takes v4, names and bracketed v6, and names what it cannot use", () => {
  assertEquals(parseAddress("127.0.0.1:9876"), { hostname: "127.0.0.1", port: 9876 });
  assertEquals(parseAddress("localhost:1"), { hostname: "localhost", port: 1 });
  assertEquals(parseAddress("[::1]:10911"), { hostname: "::1", port: 10911 });
  for (const bad of ["", "host", "host:", "host:0", "host:65536", "::1:9876", "[::1]", "a b:1", "http://h:1"]) {
    const error = assertThrows(() => parseAddress(bad), RocketdError, `"${bad}"`);
    assertEquals(error.code, "invalidArgument");
  }
});
