/**
 * What Java's broker and nameserver say their settings are is a file of settings that rocketd takes.
 *
 * @module
 */
import { checkSettings, problemLine, type Role } from "../../src/config/mod.ts";
import { GetNamesrvConfig } from "../../src/protocol/admin_requests.ts";
import { GetBrokerConfig } from "../../src/protocol/requests.ts";
import { RemotingClient } from "../../src/remoting/client.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import { startJavaBroker, startJavaNameserver } from "../launch.ts";

const TIMEOUT_MS = 30_000;

/** Every mistake that rocketd finds in a file, and how many settings it knows of it. */
function judged(text: string, role: Role, file: string): { problems: string[]; known: number } {
  const loaded = checkSettings(text, { roles: [role], file, env: { HOME: "/home/me" } });
  if (!loaded.ok) return { problems: loaded.problems.map((problem) => problemLine(problem, file)), known: 0 };
  const ignored = loaded.warnings.join().split(",").length;
  return { problems: [], known: text.trimEnd().split("\n").length - ignored };
}

const name = "the settings of a Java broker and of a Java nameserver are taken as they are";

Deno.test({ name, ignore: !hasJava() }, async () => {
  await using nameserver = await startJavaNameserver();
  await using broker = await startJavaBroker({ namesrvAddr: nameserver.address });
  const client = new RemotingClient();
  try {
    const told = await client.invoke(broker.address, GetBrokerConfig, {}, undefined, TIMEOUT_MS);
    const ofBroker = judged(new TextDecoder().decode(told.body), "master", "broker.conf");
    assertEquals(ofBroker.problems, []);
    assert(ofBroker.known > 60, `${ofBroker.known} settings`);
    const also = await client.invoke(nameserver.address, GetNamesrvConfig, {}, undefined, TIMEOUT_MS);
    const ofNameserver = judged(new TextDecoder().decode(also.body), "nameserver", "namesrv.properties");
    assertEquals(ofNameserver.problems, []);
    assert(ofNameserver.known > 3, `${ofNameserver.known} settings`);
  } finally {
    client.close();
  }
});
