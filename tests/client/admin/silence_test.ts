/**
 * What an administrator makes of peers that do not answer.
 *
 * @module
 */
import { Admin } from "../../../src/client/mod.ts";
import { RocketdError } from "../../../src/errors.ts";
import { ResponseCode } from "../../../src/protocol/codes.ts";
import { GetMaxOffset, GetMinOffset } from "../../../src/protocol/requests.ts";
import { HandlerTable } from "../../../src/remoting/handlers.ts";
import { RemotingServer } from "../../../src/remoting/server.ts";
import { assertEquals, assertRejects } from "../../../src/std.ts";
import { until } from "../../until.ts";

Deno.test("a broker that says nothing to one request is asked for others all the same", async () => {
  const handlers = new HandlerTable()
    .on(GetMaxOffset, () => undefined)
    .on(GetMinOffset, () => ({ code: ResponseCode.SUCCESS, header: { offset: 7 } }));
  const server = new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 10, idleMs: 60_000 });
  const address = `127.0.0.1:${server.port}`;
  try {
    await using admin = new Admin({ nameservers: address, timeoutMs: 100 });
    const header = { topic: "T", queueId: 0 };
    const error = await assertRejects(
      () => admin.ask({ address }, GetMaxOffset, header),
      RocketdError,
      "GET_MAX_OFFSET",
    );
    assertEquals(error.code, "timeout");
    assertEquals((await admin.ask({ address }, GetMinOffset, header, { patience: 300 })).header.offset, 7);
  } finally {
    await server.close();
  }
});

Deno.test("a broker that was silent is asked again, also when the clock was set back meanwhile", async () => {
  let asked = 0;
  const handlers = new HandlerTable().on(GetMaxOffset, () => void asked++);
  const server = new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 10, idleMs: 60_000 });
  const address = `127.0.0.1:${server.port}`;
  const { now } = Date;
  try {
    await using admin = new Admin({ nameservers: address, timeoutMs: 20 });
    const ask = () => admin.ask({ address }, GetMaxOffset, { topic: "T", queueId: 0 }).catch(() => {});
    await until(async () => (await ask(), asked > 0));
    const before = asked;
    Date.now = () => now() - 86_400_000;
    await until(async () => (await ask(), asked > before));
  } finally {
    Date.now = now;
    await server.close();
  }
});
