/**
 * TLS and plain connections on one port, over real sockets.
 *
 * @module
 */
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { UNSENT_BYTES_MAX } from "../../src/limits.ts";
import { RocketdError } from "../../src/errors.ts";
import { ResponseCode } from "../../src/protocol/codes.ts";
import { GetMaxOffset, GetMinOffset, HeartBeat } from "../../src/protocol/requests.ts";
import { RemotingClient, succeed } from "../../src/remoting/client.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { RemotingServer, type ServerOptions } from "../../src/remoting/server.ts";
import type { ClientTlsOptions } from "../../src/remoting/tls/client_tls.ts";
import { ServerTls, type ServerTlsOptions } from "../../src/remoting/tls/server_tls.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../../src/std.ts";
import { hasTools } from "../cache.ts";
import { Authority, type Pair } from "../certificates.ts";
import { frameBytes, RawPeer } from "./raw_peer.ts";

const READY = hasTools("openssl");

/** What a test plays with: a server with TLS, the files of its certificate, and who trusts it. */
interface Stage {
  readonly server: RemotingServer;
  readonly tls: ServerTls;
  readonly authority: Authority;
  readonly pair: Pair;
  readonly trust: ClientTlsOptions;
}

const pem = (path: string, setting: string) => ({ path, setting });

function trusting(authority: Authority): ClientTlsOptions {
  return { trust: pem(authority.cert, "tlsClientTrustCertPath"), verify: "everything" };
}

/** Answers GET_MAX_OFFSET with the queue id and the body, HEART_BEAT with who asks. */
function handlers(): HandlerTable {
  return new HandlerTable()
    .on(GetMaxOffset, ({ header, body }) => {
      return { code: ResponseCode.SUCCESS, header: { offset: header.queueId }, body: body.slice() };
    })
    .on(HeartBeat, ({ connection }) => ({ code: ResponseCode.SUCCESS, remark: connection.peer }));
}

function tlsTest(
  name: string,
  work: (stage: Stage) => Promise<void>,
  server: Partial<ServerOptions> = {},
  tls: Partial<ServerTlsOptions> = {},
): void {
  Deno.test({ name, ignore: !READY, fn: () => serving(work, server, tls) });
}

async function serving(
  work: (stage: Stage) => Promise<void>,
  options: Partial<ServerOptions> = {},
  tlsOptions: Partial<ServerTlsOptions> = {},
): Promise<void> {
  await using authority = await Authority.create();
  const pair = await authority.issue("server", "IP:127.0.0.1,IP:::1");
  const files = { cert: pem(pair.cert, "tlsServerCertPath"), key: pem(pair.key, "tlsServerKeyPath") };
  const tls = await ServerTls.open({ mode: "permissive", lookMs: 10, ...files, ...tlsOptions });
  const standard = { hostname: "127.0.0.1", port: 0, handlers: handlers(), connectionsMax: 2000, idleMs: 60_000 };
  const server = new RemotingServer({ ...standard, ...options, tls });
  try {
    await work({ server, tls, authority, pair, trust: trusting(authority) });
  } finally {
    await server.close();
    await tls.close();
  }
}

const maxOffset = (queueId: number) => ({
  code: GetMaxOffset.code,
  opaque: queueId,
  table: GetMaxOffset.request,
  values: { topic: "T", queueId },
});

async function ask(
  client: RemotingClient,
  { server: { port } }: Pick<Stage, "server">,
  body = "b",
  host = "127.0.0.1",
) {
  const bytes = new TextEncoder().encode(body);
  const answer = await client.invoke(`${host}:${port}`, GetMaxOffset, { topic: "T", queueId: 7 }, bytes, 10_000);
  assertEquals([succeed(answer).header.offset, new TextDecoder().decode(answer.body)], [7, body]);
}

/** Resolves when a condition holds; the test's own time limit is the last resort. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

tlsTest("TLS and plain connections work on one port at once", async (stage) => {
  using secure = client(stage.trust);
  using plain = new RemotingClient();
  for (let i = 0; i < 3; i++) await Promise.all([ask(secure, stage), ask(plain, stage)]);
  assertEquals([stage.server.connections.size, stage.tls.counts.handshakes], [2, 1]);
});

function client(tls: ClientTlsOptions): RemotingClient {
  return new RemotingClient({ tls });
}

tlsTest("the peer of a TLS connection is the client, not this process itself", async ({ server, trust }) => {
  using secure = client(trust);
  const address = `127.0.0.1:${server.port}`;
  const { remark } = await secure.invoke(address, HeartBeat, {}, undefined, 10_000);
  const [connection] = server.connections;
  assertEquals([connection?.peer, connection?.isLocal], [remark, true]);
  await assertRejects(() => Deno.connect({ port: connection!.peerPort }).then((conn) => conn.close()));
});

tlsTest("a large body comes through in both directions", async (stage) => {
  using secure = client(stage.trust);
  await ask(secure, stage, "x".repeat(5_000_000));
});
