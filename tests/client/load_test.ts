/**
 * The lean sender against a server in the same process that counts what comes.
 *
 * @module
 */
import { load } from "../../src/client/load.ts";
import { RocketdError } from "../../src/errors.ts";
import { HeaderEncoding, ResponseCode } from "../../src/protocol/codes.ts";
import { propertyOf } from "../../src/protocol/properties.ts";
import { SendMessageV2 } from "../../src/protocol/requests.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { RemotingServer } from "../../src/remoting/server.ts";
import { assert, assertEquals, assertRejects } from "../../src/std.ts";

function serve(handlers: HandlerTable): RemotingServer {
  return new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 100, idleMs: 60_000 });
}

for (const [name, encoding] of Object.entries(HeaderEncoding)) {
  Deno.test(`load() counts every answer, and every message has a key of its own (${name})`, async () => {
    const keys = new Set<string>();
    const queues = new Set<number>();
    let received = 0, refused = 0;
    const server = serve(
      new HandlerTable().on(SendMessageV2, ({ header, body, encoding: used }) => {
        received++;
        keys.add(propertyOf(header.properties ?? "", "UNIQ_KEY") ?? "");
        queues.add(header.queueId);
        assertEquals([header.topic, body.length, used], ["T", 100, encoding]);
        const code = received % 10 === 0 ? ResponseCode.SYSTEM_BUSY : ResponseCode.SUCCESS;
        if (code !== ResponseCode.SUCCESS) refused++;
        return { code, remark: "busy", header: { msgId: "0A", queueId: header.queueId, queueOffset: 1 } };
      }),
    );
    const options = { broker: `127.0.0.1:${server.port}`, topic: "T", connections: 2, inFlight: 8, bodyBytes: 100 };
    const result = await load({ ...options, encoding, seconds: 0.2 });
    assertEquals(result.answered, received);
    assertEquals(result.failed, { [ResponseCode.SYSTEM_BUSY]: refused });
    assertEquals([keys.size, queues.size], [received, 4]);
    assert(result.p50 <= result.p99 && result.p99 <= result.p999);
    assert(received >= 16 && result.perSecond > 0);
    await server.close();
  });
}

Deno.test("load() says so when nobody listens", async () => {
  const server = serve(new HandlerTable());
  const broker = `127.0.0.1:${server.port}`;
  await server.close();
  const options = { topic: "T", connections: 1, inFlight: 1, bodyBytes: 1, encoding: HeaderEncoding.JSON, seconds: 1 };
  const error = await assertRejects(() => load({ broker, ...options }), RocketdError);
  assertEquals(error.code, "unavailable");
});
