/**
 * A program for another network namespace: sends the requests that it is given, and prints the answers.
 * Arguments: address, then JSON `[[name, header, body?], ...]`, then `tls` to speak that; the answers come as JSON in
 * the same order.
 *
 * @module
 */
import * as admin from "../../src/protocol/admin_requests.ts";
import type { RequestType } from "../../src/protocol/request.ts";
import * as requests from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";

const TIMEOUT_MS = 5_000;
const types: Record<string, unknown> = { ...requests, ...admin };
const [address = "", asked = "[]", tls] = Deno.args;
const client = new RemotingClient(tls === "tls" ? { tls: { verify: "nothing" } } : {});
const answers: unknown[] = [];
for (const [name, header, body] of JSON.parse(asked) as [string, Record<string, never>, string?][]) {
  const bytes = body === undefined ? undefined : new TextEncoder().encode(body);
  const { code, remark } = await client.invoke(address, types[name] as RequestType, header, bytes, TIMEOUT_MS);
  answers.push({ code, remark });
}
client.close();
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(answers)));
