/**
 * Our own tool for administrators signs its requests, and looks after the accounts of a broker of ours
 * and of one of Java's.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";
import { signer } from "../../src/remoting/access/signature.ts";
import { assertEquals, assertMatch, assertRejects } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import { startSecured } from "./accounts.ts";
import { AdminTool, KINDS, until } from "./admin_tool.ts";
import { type Kind, startNameserver, withLogs } from "./cluster.ts";

const ROOT = { accessKey: "tool-root", secretKey: "tool-root-secret" };
const ACCOUNTS = `accounts:
- accessKey: ${ROOT.accessKey}
  secretKey: ${ROOT.secretKey}
  admin: true
`;

const PROGRAM = Deno.env.get("ROCKETD_BIN") ?? new URL("../../scripts/rocketd", import.meta.url).pathname;

function command(env: Record<string, string>, args: readonly string[]): Promise<Deno.CommandOutput> {
  return new Deno.Command(PROGRAM, { args: ["admin", ...args], env, stdin: "null" }).output();
}

async function shell(env: Record<string, string>, ...args: string[]): Promise<number> {
  return (await command(env, args)).code;
}

async function shellError(env: Record<string, string>, ...args: string[]): Promise<string> {
  return new TextDecoder().decode((await command(env, args)).stderr);
}

async function lookAfterAccounts(t: Deno.TestContext, kind: Kind): Promise<void> {
  await using nameserver = await startNameserver(kind);
  await using broker = await startSecured({ namesrvAddr: nameserver.address }, kind, ACCOUNTS);
  const nameservers = nameserver.address;
  await using stranger = new AdminTool({ nameservers });
  await using tool = new AdminTool({ nameservers, sign: signer(ROOT) });
  const step = (name: string, work: () => Promise<void>) => t.step(name, () => withLogs([broker.node], work));
  const accounts = async () => {
    const rows = await tool.rows("accounts", "getAclConfig");
    return rows.map(({ broker: _, ...account }) => account);
  };

  await step("a request without a signature is refused, and the reason is told", async () => {
    const { failures } = await stranger.run("updateTopic -t T -b broker-a");
    assertEquals(failures.length, 1);
    assertMatch(String(failures[0]!["reason"]), /UPDATE_AND_CREATE_TOPIC.*No accessKey is configured/);
  });

  await step("an account is made, changed and deleted", async () => {
    const line = "updateAclConfig -b broker-a -a tool-client -s tool-client-secret -w 10.0.0.*";
    const perms = "-i DENY -u SUB -t A=PUB|SUB,B=DENY -g G=SUB -m false";
    assertEquals((await tool.run(`${line} ${perms}`)).failures, []);
    const [, made] = await until("the account", accounts, ({ length }) => length === 2);
    assertEquals(made, {
      accessKey: "tool-client",
      admin: false,
      whiteRemoteAddress: "10.0.0.*",
      defaultTopicPerm: "DENY",
      defaultGroupPerm: "SUB",
      topicPerms: ["A=PUB|SUB", "B=DENY"],
      groupPerms: ["G=SUB"],
    });
    assertEquals(
      (await tool.run("updateAclConfig -c DefaultCluster -a tool-client -s tool-client-secret -i PUB")).failures,
      [],
    );
    await until("the change", accounts, ([, account]) => account?.["defaultTopicPerm"] === "PUB");
    assertEquals((await tool.run("deleteAclConfig -b broker-a -a tool-client")).failures, []);
    assertEquals(
      (await until("the deletion", accounts, ({ length }) => length === 1))[0]!["accessKey"],
      ROOT.accessKey,
    );
  });

  await step("a shell signs by flags and environment, and shows no secret in its arguments", async () => {
    const dir = await Deno.makeTempDir({ prefix: "rocketd-secrets-" });
    try {
      await Deno.writeTextFile(`${dir}/root`, `${ROOT.secretKey}\n`);
      await Deno.writeTextFile(`${dir}/client`, "shell-client-secret\n");
      const account = ["-b", "broker-a", "-a", "shell-client", "-s", `@${dir}/client`, "-i", "SUB", "-m", "false"];
      const flags = ["--access-key", ROOT.accessKey, "--secret-key-file", `${dir}/root`];
      assertEquals(await shell({}, "updateAclConfig", "-n", nameservers, ...account, ...flags), 0);
      await until("the account", accounts, ({ length }) => length === 2);
      // Whoever knows the secret in the file is the account.
      const as = (secret: string) => ({ ROCKETD_ACCESS_KEY: "shell-client", ROCKETD_SECRET_KEY: secret });
      const ask = ["consumerConnection", "-n", nameservers, "-b", "broker-a", "-g", "nobody"];
      await using known = new AdminTool({
        nameservers,
        sign: signer({ accessKey: "shell-client", secretKey: "shell-client-secret" }),
      });
      await assertRejects(() => known.run("consumerConnection -b broker-a -g nobody"), RocketdError, "not online");
      assertMatch(await shellError(as("shell-client-secret"), ...ask), /not online/);
      assertMatch(await shellError(as("another-secret"), ...ask), /Check signature failed/);
      await tool.run("deleteAclConfig -b broker-a -a shell-client");
      await until("the deletion", accounts, ({ length }) => length === 1);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });

  await step("white addresses are set, and the version tells of the changes", async () => {
    assertEquals((await tool.run("updateGlobalWhiteAddr -b broker-a -g 10.1.0.*,10.2.0.1")).failures, []);
    const white = () => tool.cells("whiteAddresses", "broker globalWhiteAddrs", "getAclConfig");
    const told = await until("white addresses", white, ([row]) => (row?.[1] as string[]).length === 2);
    assertEquals(told, [["broker-a", ["10.1.0.*", "10.2.0.1"]]]);
    const versions = await tool.cells("versions", "cluster broker address version", "clusterAclConfigVersion");
    const [cluster, name, address, version] = versions[0]!;
    assertEquals([cluster, name, address], ["DefaultCluster", "broker-a", broker.node.address]);
    assertEquals(Number(version) > 0, true);
  });
}

for (const kind of KINDS) {
  Deno.test({
    name: `rocketd admin looks after accounts of ${kind}`,
    ignore: kind === "java" && !hasJava(),
    fn: (t) => lookAfterAccounts(t, kind),
  });
}
