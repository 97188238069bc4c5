/**
 * What the tests of measuring have in common: options, and servers of all kinds to measure.
 *
 * @module
 */
import type { LoadOptions } from "../../../src/client/load/mod.ts";
import { HeaderEncoding } from "../../../src/protocol/codes.ts";
import { HandlerTable } from "../../../src/remoting/handlers.ts";
import { RemotingServer } from "../../../src/remoting/server.ts";
import { OwnCluster } from "../own_cluster.ts";

/** A short run with few in flight; what is given goes before. */
export function loadOptions(some: Partial<LoadOptions> & Pick<LoadOptions, "kind" | "target">): LoadOptions {
  return {
    topic: "T",
    group: "rocketd_bench",
    connections: 2,
    inFlight: 8,
    encoding: HeaderEncoding.ROCKETMQ,
    rate: 0,
    bodyBytes: 100,
    batchSize: 8,
    waitStored: true,
    delayLevel: 0,
    from: "first",
    pullMax: 32,
    drainSeconds: 30,
    timeoutMs: 30_000,
    ...some,
  };
}

/** A cluster that does not look overloaded on a slow machine. `sets`: settings as `--set` takes them. */
export async function patientCluster(...sets: string[]): Promise<OwnCluster> {
  return await OwnCluster.start("waitTimeMillsInSendQueue=60000", "osPageCacheBusyTimeOutMills=60000", ...sets);
}

/** A server in this process that knows these requests. */
export function serve(handlers: HandlerTable = new HandlerTable()): RemotingServer {
  return new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 100, idleMs: 60_000 });
}

/**
 * A peer that says that it does not have the topic, so that it is sent to nevertheless, and then does with each
 * connection what `behave` does. It closes them all at the end.
 */
export class RawBroker implements AsyncDisposable {
  readonly address: string;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns: Deno.Conn[] = [];
  readonly #accepting: Promise<void>;

  constructor(behave: (conn: Deno.Conn) => Promise<void>) {
    this.address = `127.0.0.1:${this.#listener.addr.port}`;
    this.#accepting = this.#accept(behave);
  }

  async #accept(behave: (conn: Deno.Conn) => Promise<void>): Promise<void> {
    const busy: Promise<void>[] = [];
    for await (const conn of this.#listener) {
      busy.push((this.#conns.length === 0 ? knowNoTopic : behave)(conn).catch(() => {}));
      this.#conns.push(conn);
    }
    await Promise.all(busy);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) {
      try {
        conn.close();
      } catch {
        // It was closed already.
      }
    }
    await this.#accepting;
  }
}

/** Answers the one question that comes before the sends. */
async function knowNoTopic(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(1000);
  const count = await conn.read(bytes) ?? 0;
  const opaque = /"opaque":(\d+)/.exec(new TextDecoder().decode(bytes.subarray(0, count)))?.[1];
  const header = new TextEncoder().encode(`{"code":17,"flag":1,"language":"JAVA","opaque":${opaque},"version":407}`);
  const answer = new Uint8Array(8 + header.length);
  new DataView(answer.buffer).setInt32(0, 4 + header.length);
  new DataView(answer.buffer).setInt32(4, header.length);
  answer.set(header, 8);
  await conn.write(answer);
}
