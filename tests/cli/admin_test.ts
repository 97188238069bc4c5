/**
 * `rocketd admin` as a shell uses it: help, refusals, questions, exit codes, and a cluster of which a part is gone.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../src/std.ts";
import { startRocketd } from "../launch.ts";

const PROGRAM = Deno.env.get("ROCKETD_BIN") ?? new URL("../../scripts/rocketd", import.meta.url).pathname;
const decoder = new TextDecoder();

async function rocketd(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { NO_COLOR: "1", NAMESRV_ADDR: "127.0.0.1:1" };
  const { code, stdout, stderr } = await new Deno.Command(PROGRAM, { args, env, stdin: "null" }).output();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** How long a broker that says nothing is waited for: brokers that are well must always answer before. */
const PATIENCE_MS = "4000";

const admin = (...args: string[]) => rocketd("admin", ...args);

Deno.test("rocketd admin --help lists commands by what they are about", async () => {
  const { code, out } = await admin("--help");
  assertEquals(code, 0);
  for (const line of ["cluster:", "topics:", "groups:", "clients:", "messages:", "nameserver:", "access:", "export:"]) {
    assertStringIncludes(out, `\n${line}\n`);
  }
  assertMatch(out, /^ {2}topicList +List all topics$/m);
});

Deno.test("the help of a command names its flags, and --yes only where something is lost", async () => {
  const { code, out } = await admin("deleteTopic", "--help");
  assertEquals(code, 0);
  assertMatch(out, /^Usage: rocketd admin deleteTopic \[flags\]$/m);
  assertMatch(out, /^ {2}-c, --clusterName CLUSTER +the cluster that it is deleted from \(required\)$/m);
  assertMatch(out, /^ {2}-y, --yes /m);
  assert(!(await admin("topicList", "--help")).out.includes("--yes"));
});

const WRONG: [args: string[], told: RegExp][] = [
  [[], /expected a command/],
  [["topicLst"], /unknown command "topicLst": did you mean topicList\?/],
  [["topicRoute"], /--topic TOPIC is missing/],
  [["topicRoute", "-t", "T", "--jsn"], /unknown flag --jsn: did you mean --json\?/],
  [["updateTopic", "-t", "T", "-p", "7", "-b", "h:1"], /--perm "7": expected 2, 4, 6/],
  [["updateTopic", "-t", "T"], /where to is missing: expected -b BROKER or -c CLUSTER/],
  [["updateTopic", "-t", "T", "-b", "h:1", "-c", "C"], /-b and -c are both given/],
  [["resetOffsetByTime", "-g", "G", "-t", "T", "-s", "noon"], /--timestamp "noon": expected now, ms since 1970/],
  [["topicList", "--timeout", "0"], /--timeout "0"/],
  [["topicList", "-n", "nowhere"], /Cannot use the address "nowhere"/],
];

for (const [args, told] of WRONG) {
  Deno.test(`wrong usage ends with 2: rocketd admin ${args.join(" ")}`, async () => {
    const { code, out, err } = await admin(...args);
    assertEquals([code, out], [2, ""]);
    assertMatch(err, told);
  });
}

Deno.test("what loses something is refused without a terminal and without --yes", async () => {
  const { code, err } = await admin("deleteTopic", "-t", "Orders", "-c", "C1");
  assertEquals(code, 2);
  assertMatch(err, /Delete the topic Orders .* of the cluster C1\? Nobody can be asked here: expected --yes/);
});

const hasTerminal = await new Deno.Command("script", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

for (const [answer, told] of [["n", /Nothing was done\./], ["y", /Cannot reach 127\.0\.0\.1:1/]] as const) {
  Deno.test({ name: `on a terminal a question is asked, and "${answer}" obeyed`, ignore: !hasTerminal }, async () => {
    const line = `exec ${PROGRAM} admin deleteTopic -t Orders -c C1 -n 127.0.0.1:1`;
    const child = new Deno.Command("script", {
      args: ["-qec", line, "/dev/null"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    let out = "";
    const readUntil = async (end: string) => {
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        out += decoder.decode(read.value);
        if (out.includes(end)) return;
      }
    };
    await readUntil("[y/N]");
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(`${answer}\n`));
    await readUntil("\0");
    await writer.close();
    assertMatch(out, told);
    assertEquals((await child.status).code, 1);
  });
}

Deno.test("mqadmin's way to ask for help works too", async () => {
  assertEquals((await admin("help", "topicList")).out, (await admin("topicList", "--help")).out);
  assertEquals((await admin("help")).out, (await admin("--help")).out);
});

Deno.test("a nameserver that is not there ends with 1", async () => {
  const { code, err } = await admin("topicList");
  assertEquals(code, 1);
  assertMatch(err, /^rocketd admin topicList: Cannot reach 127\.0\.0\.1:1: /);
});

Deno.test("A cluster of two masters", async (t) => {
  await using nameserver = await startRocketd({ role: "nameserver" });
  const namesrvAddr = nameserver.address;
  await using a = await startRocketd({ role: "master", namesrvAddr, brokerName: "broker-a" });
  await using b = await startRocketd({ role: "master", namesrvAddr, brokerName: "broker-b" });
  const here = (...args: string[]) => admin(...args, "-n", namesrvAddr);
  const json = async (...args: string[]) => JSON.parse((await here(...args, "--json")).out);

  await t.step("a cluster-wide command goes to all masters and names each", async () => {
    const { code, out } = await here("updateTopic", "-t", "Wide", "-c", "DefaultCluster", "-r", "2", "-w", "2");
    assertEquals(code, 0);
    assertMatch(out, /^broker-a .*read queues 2, write queues 2, perm 6$/m);
    assertMatch(out, /^broker-b .*read queues 2, write queues 2, perm 6$/m);
  });

  await t.step("mqadmin's long names are taken too", async () => {
    const { code, out } = await admin("topicRoute", "--namesrvAddr", namesrvAddr, "--topic", "Wide");
    assertEquals(code, 0);
    assertMatch(out, /^broker-b +2 +2 +RW /m);
  });

  await t.step("a document goes to standard output, or into a folder", async () => {
    const dir = await Deno.makeTempDir({ prefix: "rocketd-export-" });
    try {
      const { out } = await here("exportMetadata", "-c", "DefaultCluster");
      assertEquals(JSON.parse(out).topicConfigTable.Wide.readQueueNums, 4);
      assertEquals((await here("exportMetadata", "-c", "DefaultCluster", "-f", `${dir}/new`)).code, 0);
      const written = JSON.parse(await Deno.readTextFile(`${dir}/new/metadata.json`));
      assertEquals(written.topicConfigTable, JSON.parse(out).topicConfigTable);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });

  await t.step("a slip in a group's name does not look like a group that is well", async () => {
    const { code, out, err } = await here("consumerProgress", "-g", "slip");
    assertEquals([code, out], [1, ""]);
    assertMatch(err, /Cannot find an offset of the group slip: /);
  });

  // It is still registered, and its machine still takes connections.
  Deno.kill(b.pid, "SIGSTOP");

  await t.step("a broker that does not answer is named, and hides nothing of the others", async () => {
    const [{ code, out, err }, { brokers, failures }] = await Promise.all([
      here("topicStatus", "-t", "Wide", "--timeout", PATIENCE_MS),
      json("clusterList", "--timeout", PATIENCE_MS),
    ]);
    assertEquals(code, 1);
    assertMatch(out, /^broker-a +1 +0 +0 /m);
    assertMatch(err, new RegExp(`^rocketd admin: broker-b ${b.address}: .*within \\d+ ms`, "m"));
    assertEquals(brokers.map(({ broker, version }: Record<string, string>) => [broker, version]), [
      ["broker-a", "V4_9_7"],
      ["broker-b", null],
    ]);
    assertEquals(failures.map(({ name, address }: Record<string, string>) => [name, address]), [[
      "broker-b",
      b.address,
    ]]);
  });

  await t.step("a broker that does not answer hides no messages of the others, and is waited for once", async () => {
    assertEquals((await here("sendMessage", "-t", "Wide", "-b", "broker-a", "-p", "one")).code, 0);
    const asked = ["printMsg", "consumeMessage"].map((name) => json(name, "-t", "Wide", "--timeout", PATIENCE_MS));
    for (const { messages, failures } of await Promise.all(asked)) {
      assertEquals(messages.map(({ body }: Record<string, string>) => body), ["one"]);
      assertEquals(failures.length, 1);
      assertMatch(failures[0].reason, /did not answer GET_(MIN|MAX)_OFFSET/);
      assertEquals([failures[0].name, failures[0].address], ["broker-b", b.address]);
    }
  });

  await t.step("what is watched ends when its reader goes, as head does", async () => {
    const line = `${PROGRAM} admin brokerStatus -b ${a.address} -i 1 -n ${namesrvAddr} | head -n 1`;
    const { code, stdout } = await new Deno.Command("timeout", { args: ["120", "sh", "-c", line] }).output();
    assertEquals([code, decoder.decode(stdout).split("\n").length], [0, 2]);
  });

  await t.step("of several nameservers one that is gone is named, and the others do what is asked", async () => {
    const both = `127.0.0.1:1;${namesrvAddr}`;
    const { code, out, err } = await admin("updateKvConfig", "-n", both, "-s", "ns", "-k", "k", "-v", "v");
    assertEquals(code, 1);
    assertMatch(out, new RegExp(`^nameserver +${namesrvAddr} +k is set$`, "m"));
    assertMatch(err, /^rocketd admin: nameserver 127\.0\.0\.1:1: Cannot reach /m);
    assertEquals((await admin("topicList", "-n", both)).code, 0);
  });
});
