/**
 * A server that tests of its ways ask.
 *
 * @module
 */
import { ResponseCode } from "../../src/protocol/codes.ts";
import { GetMaxOffset } from "../../src/protocol/requests.ts";
import { HandlerTable } from "../../src/remoting/handlers.ts";
import { RemotingServer, type ServerOptions } from "../../src/remoting/server.ts";

/** Answers with the queue id it was asked for, and counts. */
export function offsets(seen: number[] = []): HandlerTable {
  return new HandlerTable().on(GetMaxOffset, ({ header, body }) => {
    seen.push(header.queueId);
    return { code: ResponseCode.SUCCESS, header: { offset: header.queueId }, body: body.slice() };
  });
}

/** Runs a server for as long as the work takes. */
export async function serving(
  handlers: HandlerTable,
  work: (server: RemotingServer) => Promise<void>,
  options: Partial<ServerOptions> = {},
): Promise<void> {
  const server = new RemotingServer({
    hostname: "127.0.0.1",
    port: 0,
    handlers,
    connectionsMax: 100,
    idleMs: 60_000,
    ...options,
  });
  try {
    await work(server);
  } finally {
    await server.close();
  }
}

/** A GET_MAX_OFFSET for a queue, which is its opaque too. */
export const maxOffset = (queueId: number) => ({
  code: GetMaxOffset.code,
  opaque: queueId,
  table: GetMaxOffset.request,
  values: { topic: "T", queueId },
});
