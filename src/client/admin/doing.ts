/**
 * Commands that do the same at several peers, and tell for each of them that it is done.
 *
 * @module
 */
import type { Admin, Gathered, Peer } from "./admin.ts";
import { type AdminResult, column, result, type Row, table } from "./result.ts";

const columns = {
  name: column("WHERE", "text"),
  address: column("ADDRESS", "text"),
  result: column("RESULT", "text"),
};
const doneTable = table("done", columns);

/** What was done at each peer that did it. */
export type Done = Gathered<Row<typeof columns>>;

/** Does it at each peer; `work` gives what people read as the result. Others go on when one fails. */
export function doAt(admin: Admin, peers: readonly Peer[], work: (peer: Peer) => Promise<string>): Promise<Done> {
  return admin.each(peers, async (peer) => {
    return [{ name: peer.name, address: peer.address, result: await work(peer) }];
  });
}

/** One or more steps as a result. */
export function doneResult(...steps: readonly Done[]): AdminResult {
  return result(doneTable(steps.flatMap(({ rows }) => rows)), steps.flatMap(({ failures }) => failures));
}
