/**
 * Signatures on the way from our client to our server, in both forms of headers.
 *
 * @module
 */
import { HeaderEncoding, ResponseCode } from "../../../src/protocol/codes.ts";
import { HeartBeat, SendMessageV2, UpdateAndCreateTopic } from "../../../src/protocol/requests.ts";
import { accountOf, readAclFile } from "../../../src/remoting/access/acl_file.ts";
import { guard } from "../../../src/remoting/access/guard.ts";
import { signer } from "../../../src/remoting/access/signature.ts";
import { RemotingClient } from "../../../src/remoting/client.ts";
import { HandlerTable } from "../../../src/remoting/handlers.ts";
import { RemotingServer } from "../../../src/remoting/server.ts";
import { assertEquals, assertStringIncludes } from "../../../src/std.ts";
import { sendHeader } from "../../headers.ts";

const { accounts } = readAclFile("accounts:\n- {accessKey: the-admin, secretKey: secret-admin, admin: true}\n");
const book = { byKey: new Map(accounts.map((entry) => [entry.accessKey, accountOf(entry)])), white: [] };
const send = sendHeader({ topic: "Tä", queueId: -1, properties: "KEYS\u0001a b\u0002", unitMode: false });
const topic = { topic: "T", readQueueNums: 1, writeQueueNums: 1, perm: 6, topicFilterType: "SINGLE_TAG" };

for (const [name, encoding] of Object.entries(HeaderEncoding)) {
  Deno.test(`what a client signs, a server accepts, bodies in parts and one-way requests too (${name})`, async () => {
    const seen: string[] = [];
    const obey = ({ type, body }: { type: { name: string }; body: Uint8Array }) => {
      seen.push(`${type.name} ${body.length}`);
      return { code: ResponseCode.SUCCESS };
    };
    const handlers = new HandlerTable().on(SendMessageV2, obey).on(UpdateAndCreateTopic, obey).on(HeartBeat, obey);
    guard(handlers, { accounts: { book }, adminRequestsFrom: [], concerns: () => true });
    const server = new RemotingServer({ hostname: "127.0.0.1", port: 0, handlers, connectionsMax: 9, idleMs: 60_000 });
    const address = `127.0.0.1:${server.port}`;
    {
      using client = new RemotingClient({
        encoding,
        sign: signer({ accessKey: "the-admin", secretKey: "secret-admin" }),
      });
      const parts = [new Uint8Array([1, 2]), new Uint8Array([3])];
      assertEquals((await client.invoke(address, SendMessageV2, send, parts, 30_000)).code, ResponseCode.SUCCESS);
      await client.notify(address, HeartBeat, {}, new TextEncoder().encode('{"clientID":"c"}'));
      assertEquals((await client.invoke(address, UpdateAndCreateTopic, topic, undefined, 30_000)).code, 0);
      assertEquals(seen.splice(0), ["SEND_MESSAGE_V2 3", "HEART_BEAT 16", "UPDATE_AND_CREATE_TOPIC 0"]);
    }
    {
      using client = new RemotingClient({
        encoding,
        sign: signer({ accessKey: "the-admin", secretKey: "secret-other" }),
      });
      const { code, remark } = await client.invoke(address, SendMessageV2, send, new Uint8Array(1), 30_000);
      assertEquals(code, ResponseCode.SYSTEM_ERROR);
      assertStringIncludes(remark ?? "", "Check signature failed for accessKey=the-admin");
      assertEquals(seen, []);
    }
    await server.close();
  });
}
