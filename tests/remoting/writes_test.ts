/**
 * How many writes a connection makes of the requests of one turn.
 *
 * @module
 */
import { REQUEST_BYTES_AT_ONCE } from "../../src/limits.ts";
import { HeaderEncoding } from "../../src/protocol/codes.ts";
import { decodeFrame, frameLength } from "../../src/protocol/frame.ts";
import { UnregisterClient } from "../../src/protocol/requests.ts";
import { Connection } from "../../src/remoting/connection.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import type { Wire } from "../../src/remoting/listener.ts";
import { assert, assertEquals } from "../../src/std.ts";

const ADDRESS: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
const BODY = new Uint8Array(1000);

/** A socket that takes all it is given, and notes the sizes of the writes. */
class TakesAll implements Wire {
  readonly remoteAddr = ADDRESS;
  readonly localAddr = ADDRESS;
  readonly writes: Uint8Array[] = [];

  read(): Promise<number | null> {
    return Promise.resolve(null);
  }

  write(bytes: Uint8Array): Promise<number> {
    this.writes.push(bytes.slice());
    return Promise.resolve(bytes.length);
  }

  close(): void {}

  /** The client ids of the frames that were written, in their order. */
  get clients(): (string | undefined)[] {
    const bytes = Uint8Array.from(this.writes.flatMap((write) => [...write]));
    const view = new DataView(bytes.buffer);
    const clients = [];
    for (let at = 0; at < bytes.length; at += frameLength(view, at, bytes.length)!) {
      const { header } = decodeFrame(bytes, view, at, frameLength(view, at, bytes.length)!);
      clients.push(header.fields.readLoosely(UnregisterClient.request).clientID);
    }
    return clients;
  }
}

function tell(connection: Connection, numbers: readonly number[]): void {
  for (const number of numbers) connection.notify(UnregisterClient, { clientID: String(number) }, [BODY]);
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

function connected(): { wire: TakesAll; connection: Connection } {
  const wire = new TakesAll();
  return { wire, connection: new Connection(wire, { handlers: new HandlerTable(), closed() {} }, HeaderEncoding.JSON) };
}

Deno.test("few requests of one turn go out with one write, after it", async () => {
  const { wire, connection } = connected();
  tell(connection, numbers(5));
  assertEquals(wire.writes.length, 0);
  await connection.flushed();
  assertEquals([wire.writes.length, wire.clients], [1, numbers(5).map(String)]);
});

Deno.test("the first of many requests go out while the others are made, and all keep their order", async () => {
  const { wire, connection } = connected();
  const many = numbers(3 * Math.ceil(REQUEST_BYTES_AT_ONCE / BODY.length));
  tell(connection, many);
  assertEquals(wire.writes.length, 1);
  const [{ length }] = wire.writes as [Uint8Array];
  assert(length >= REQUEST_BYTES_AT_ONCE && length < REQUEST_BYTES_AT_ONCE + 2 * BODY.length, `${length} bytes`);
  await connection.flushed();
  assertEquals([wire.writes.length, wire.clients], [2, many.map(String)]);
});
