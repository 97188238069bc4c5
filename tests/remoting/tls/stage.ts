/**
 * A server that speaks TLS with a certificate of the test's own, and those who connect to it.
 *
 * @module
 */
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { ResponseCode } from "../../../src/protocol/codes.ts";
import { GetMaxOffset, HeartBeat } from "../../../src/protocol/requests.ts";
import { type RemotingClient, succeed } from "../../../src/remoting/client.ts";
import { HandlerTable } from "../../../src/remoting/handlers.ts";
import { RemotingServer, type ServerOptions } from "../../../src/remoting/server.ts";
import type { ClientTlsOptions } from "../../../src/remoting/tls/client_tls.ts";
import type { PemFile } from "../../../src/remoting/tls/key_pair_files.ts";
import { ServerTls, type ServerTlsOptions } from "../../../src/remoting/tls/server_tls.ts";
import { assertEquals } from "../../../src/std.ts";
import { hasTools } from "../../cache.ts";
import { Authority, type Pair } from "../../certificates.ts";
import { RawPeer } from "../raw_peer.ts";

export { until } from "../../until.ts";

/** What a test plays with. */
export interface Stage {
  readonly server: RemotingServer;
  readonly tls: ServerTls;
  readonly authority: Authority;
  /** The server's certificate. */
  readonly pair: Pair;
  /** How a client connects that trusts the authority. */
  readonly trust: ClientTlsOptions;
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** What was logged at warn and above. */
  readonly lines: readonly string[];
}

/** What may be otherwise than usual. */
export interface Changes {
  readonly server?: Partial<ServerOptions>;
  readonly tls?: Partial<ServerTlsOptions>;
  /** False: a write that waits for a peer may outlive the test. */
  readonly sanitizeOps?: boolean;
}

const READY = hasTools("openssl");

export function pem(path: string, setting = "its setting"): PemFile {
  return { path, setting };
}

export function certFiles({ cert, key }: Pair): { cert: PemFile; key: PemFile } {
  return { cert: pem(cert, "tlsServerCertPath"), key: pem(key, "tlsServerKeyPath") };
}

/** Answers GET_MAX_OFFSET with the queue id and the body, HEART_BEAT with who asks. */
export function handlers(): HandlerTable {
  return new HandlerTable()
    .on(GetMaxOffset, ({ header, body }) => {
      return { code: ResponseCode.SUCCESS, header: { offset: header.queueId }, body: body.slice() };
    })
    .on(HeartBeat, ({ connection }) => ({ code: ResponseCode.SUCCESS, remark: connection.peer }));
}

/** A request that {@linkcode handlers} answer, for RawPeer. */
export function maxOffset(queueId: number) {
  const values = { topic: "T", queueId };
  return { code: GetMaxOffset.code, opaque: queueId, table: GetMaxOffset.request, values };
}

/** Defines a test that runs on a stage. */
export function tlsTest(name: string, work: (stage: Stage) => Promise<void>, changes: Changes = {}): void {
  const { sanitizeOps = true } = changes;
  Deno.test({ name, ignore: !READY, sanitizeOps, fn: () => onStage(work, changes) });
}

/** Gathers what is logged at warn and above, until `reset`. */
export async function gatherLines(): Promise<readonly string[]> {
  const lines: string[] = [];
  const sink = (record: LogRecord) => void lines.push(record.message.join(""));
  const loggers = ["rocketd", ["logtape", "meta"]].map((category) => ({
    category,
    sinks: ["sink"],
    lowestLevel: "warning" as const,
  }));
  await configure({ reset: true, sinks: { sink }, loggers });
  return lines;
}

async function onStage(work: (stage: Stage) => Promise<void>, changes: Changes): Promise<void> {
  const lines = await gatherLines();
  await using authority = await Authority.create();
  const pair = await authority.issue("server", "IP:127.0.0.1,IP:::1");
  const tls = await ServerTls.open({ mode: "permissive", lookMs: 5, ...certFiles(pair), ...changes.tls });
  const usual = { hostname: "127.0.0.1", port: 0, handlers: handlers(), connectionsMax: 2000, idleMs: 60_000 };
  const server = new RemotingServer({ ...usual, ...changes.server, tls });
  const trust: ClientTlsOptions = { verify: "everything", trust: pem(authority.cert) };
  try {
    await work({ server, tls, authority, pair, trust, address: `127.0.0.1:${server.port}`, lines });
  } finally {
    await server.close();
    await tls.close();
    await reset();
  }
}

/** Connects with TLS by hand. */
export async function tlsPeer({ server, authority }: Stage): Promise<RawPeer> {
  const caCerts = [await Deno.readTextFile(authority.cert)];
  const conn = await Deno.connectTls({ hostname: "127.0.0.1", port: server.port, caCerts });
  try {
    await conn.handshake();
  } catch (error) {
    conn.close();
    throw error;
  }
  return new RawPeer(conn);
}

/** Asks, and checks that the answer is the right one. */
export async function ask(client: RemotingClient, address: string, body = "b"): Promise<void> {
  const bytes = new TextEncoder().encode(body);
  const answer = succeed(await client.invoke(address, GetMaxOffset, { topic: "T", queueId: 7 }, bytes, 30_000));
  assertEquals([answer.header.offset, new TextDecoder().decode(answer.body)], [7, body]);
}

/** Puts other files in the place of those that a server looks at, each as a whole: it must not meet half a file. */
export async function replace(looked: Partial<Pair>, by: Partial<Pair>): Promise<void> {
  for (const part of ["key", "cert"] as const) {
    const [to, from] = [looked[part], by[part]];
    if (to === undefined || from === undefined) continue;
    await Deno.copyFile(from, `${to}.next`);
    await Deno.rename(`${to}.next`, to);
  }
}

/** Reads until the other end closes; what came. */
export async function drain(conn: Deno.Conn): Promise<Uint8Array> {
  const got: number[] = [];
  const chunk = new Uint8Array(4096);
  for (let count = await conn.read(chunk); count !== null; count = await conn.read(chunk)) {
    got.push(...chunk.subarray(0, count));
  }
  return Uint8Array.from(got);
}
