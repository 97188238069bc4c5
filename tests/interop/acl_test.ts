/**
 * Access control as the official Java clients with the official ACL hook meet it, at our broker and at Java's.
 *
 * @module
 */
import { assert, assertEquals } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import { delay } from "../launch.ts";
import { startSecured } from "./accounts.ts";
import { clusterKind, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell, type Report } from "./java_shell.ts";

const ACCOUNTS = {
  admin: ["test-admin", "secret-of-admin"],
  publisher: ["test-publisher", "secret-of-publisher"],
  subscriber: ["test-subscriber", "secret-of-subscriber"],
  newcomer: ["test-newcomer", "secret-of-newcomer"],
  impostor: ["test-publisher", "secret-of-somebody"],
  stranger: ["test-stranger", "secret-of-stranger"],
} as const;
type Name = keyof typeof ACCOUNTS;

const FILE = `
globalWhiteRemoteAddresses:
- 10.250.*.*
accounts:
- accessKey: test-admin
  secretKey: secret-of-admin
  whiteRemoteAddress:
  admin: true
- accessKey: test-publisher
  secretKey: secret-of-publisher
  admin: false
  defaultTopicPerm: PUB
  defaultGroupPerm: DENY
- accessKey: test-subscriber
  secretKey: secret-of-subscriber
  admin: false
  defaultTopicPerm: DENY
  defaultGroupPerm: DENY
  topicPerms:
  - Acl=SUB
  groupPerms:
  - acl-group=SUB
`;

/** Files are read again after five seconds. */
const PATIENCE_MS = 60_000;

Deno.test({
  name: "Java's clients with the ACL hook may do what the accounts of a broker say, and nothing more",
  ignore: !hasJava(),
  async fn(t) {
    const kind = clusterKind();
    await using nodes = new AsyncDisposableStack();
    const nameserver = nodes.use(await startNameserver(kind));
    const [java, { node: broker, aclFile }] = await Promise.all([
      JavaShell.start("server-4.9.7", "ROCKETMQ", nameserver.address).then((shell) => nodes.use(shell)),
      startSecured({ namesrvAddr: nameserver.address }, kind, FILE).then((secured) => nodes.use(secured)),
    ]);
    for (const [name, [accessKey, secretKey]] of Object.entries(ACCOUNTS)) {
      await java.run("acl", name, "account", accessKey, secretKey);
    }
    const acl = (name: Name | "nobody", ...words: (string | number | boolean)[]) => java.run("acl", name, ...words);
    const done = (reports: Report[]) => assertEquals(reports.at(-1)?.what, "done", JSON.stringify(reports.at(-1)));
    const refused = (reports: Report[], reason: string) => {
      const last = reports.at(-1)!;
      assertEquals([last.what, last["code"]], ["refused", 1], JSON.stringify(last));
      assert(String(last["remark"]).includes(`AclException: ${reason}`), String(last["remark"]));
    };
    const step = async (name: string, work: () => Promise<void>) => {
      assert(await t.step(name, () => withLogs([broker], work)), name);
    };
    const until = async (what: string, holds: () => Promise<boolean>) => {
      const deadline = Date.now() + PATIENCE_MS;
      while (!await holds()) {
        assert(Date.now() < deadline, `waited in vain until ${what}`);
        await delay(100);
      }
    };
    const sends = async (name: Name | "nobody") => (await acl(name, "send", "Acl", 1, false)).at(-1)?.what === "done";

    await step("an admin makes a topic, others do not", async () => {
      const reason = "Need admin permission for request code=17, but accessKey=test-publisher is not";
      refused(await acl("publisher", "make-topic", broker.address, "Acl"), reason);
      done(await acl("admin", "make-topic", broker.address, "Acl"));
    });
    await step("who does not say or prove who he is, is refused, on the VIP port too", async () => {
      for (const vip of [false, true]) {
        refused(await acl("nobody", "send", "Acl", 1, vip), "No accessKey is configured");
        refused(await acl("impostor", "send", "Acl", 1, vip), "Check signature failed for accessKey=test-publisher");
        refused(await acl("stranger", "send", "Acl", 1, vip), "No acl config for test-stranger");
      }
    });
    await step("who may publish sends, in batches and transactions too, and reads nothing", async () => {
      done(await acl("publisher", "send", "Acl", 5, false));
      done(await acl("publisher", "send", "Acl", 5, true));
      done(await acl("publisher", "send-batch", "Acl"));
      done(await acl("publisher", "transact", "Acl"));
      refused(await acl("publisher", "pull", "acl-group", "Acl"), "No default permission for");
    });
    await step("who may subscribe receives all of it, and sends nothing", async () => {
      const received = await acl("subscriber", "receive", "acl-group", "Acl", 6);
      const texts = received.filter(({ what }) => what === "received").map(({ text }) => text);
      assertEquals(texts.sort(), [0, 1, 1000, 2, 3, 4].map((i) => `publisher ${i}`));
      refused(await acl("subscriber", "send", "Acl", 1, false), "No default permission for topic:Acl");
      refused(await acl("subscriber", "pull", "other-group", "Acl"), "No default permission for group:other-group");
      // A Java broker looks at no batch.
      if (kind === "rocketd") {
        refused(await acl("subscriber", "send-batch", "Acl"), "No default permission for topic:Acl");
      }
    });
    if (kind === "rocketd") {
      // Java's broker of 4.9.7 does not understand what its own client signs here.
      await step("a message is found by its unique key", async () => {
        const [sent] = await acl("publisher", "send", "Acl", 1, false);
        const [found] = await acl("admin", "find", "Acl", String(sent?.["msgId"]));
        assertEquals(found?.["text"], "publisher 0");
      });
    }
    const version = async () => Number((await acl("admin", "version", broker.address))[0]?.["counter"]);
    await step("an account that an admin adds counts at once, until he removes it", async () => {
      const before = await version();
      const [accessKey, secretKey] = ACCOUNTS.newcomer;
      const account = [broker.address, accessKey, secretKey, false, "Acl=PUB|SUB,Other=DENY", "-"] as const;
      // At a Java broker everybody with an account may make himself another one.
      if (kind === "rocketd") {
        const reason = "Need admin permission for request code=50, but accessKey=test-subscriber is not";
        refused(await acl("subscriber", "put-account", ...account), reason);
      }
      refused(await acl("newcomer", "send", "Acl", 1, false), "No acl config for test-newcomer");
      done(await acl("admin", "put-account", ...account));
      done(await acl("newcomer", "send", "Acl", 1, false));
      await until("the version counts on", async () => await version() === before + 1);
      done(await acl("admin", "remove-account", broker.address, accessKey));
      refused(await acl("newcomer", "send", "Acl", 1, false), "No acl config for test-newcomer");
      const text = await Deno.readTextFile(aclFile);
      assert(!text.includes(accessKey) && text.includes("test-subscriber"), text);
    });
    await step("addresses that an admin makes white need no account, until he takes them back", async () => {
      done(await acl("admin", "set-white", broker.address, "127.0.0.1"));
      await until("nobody may send", () => sends("nobody"));
      done(await acl("admin", "set-white", broker.address, "10.250.0.1"));
      await until("nobody is refused", async () => !await sends("nobody"));
    });
    await step("an account in a file that changes counts without a restart", async () => {
      const text = await Deno.readTextFile(aclFile);
      await Deno.writeTextFile(aclFile, text.replace("secret-of-publisher", "secret-of-somebody"));
      await until("the new secret counts", () => sends("impostor"));
      refused(await acl("publisher", "send", "Acl", 1, false), "Check signature failed for accessKey=test-publisher");
    });
    if (kind === "rocketd") {
      await step("a file that is damaged changes nothing, and the log says so", async () => {
        await Deno.writeTextFile(aclFile, "accounts: [");
        await until("the log tells", async () => (await broker.log()).includes("those read before stay in force"));
        done(await acl("impostor", "send", "Acl", 1, false));
        assert(!(await broker.log()).includes("secret-of"), "a secret is in the log");
      });
    }
  },
});
