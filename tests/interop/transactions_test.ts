import { assert, assertEquals } from "../../src/std.ts";
import { type ClientVersion, hasJava } from "../java.ts";
import { delay, type Node } from "../launch.ts";
import { freePort } from "../ports.ts";
import { clusterKind, type Kind, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell, type Report } from "./java_shell.ts";

const CHECK_MAX = 4;
/** Java's broker counts rounds in which a transaction was immune as checks, so the maximum must be above those. */
const IMMUNITY_S = 2;
const SETTINGS = { transactionTimeOut: 500, transactionCheckInterval: 1000, transactionCheckMax: CHECK_MAX };
const TOPIC = "Interop-transactions", GROUP = "interop-transactions", BROKER = "broker-a";
const EACH = 5;

/** The bodies of a plan's messages; Transactions.java says what a plan is. */
function bodies(...plans: string[]): string[] {
  return plans.flatMap((plan) => Array.from({ length: EACH }, (_, n) => `${plan}#${n}`));
}

/** Where messages are looked for, and which may be there besides: a slow machine is asked about more than is meant. */
interface Where {
  readonly topic?: readonly string[];
  readonly perhaps?: readonly string[];
}

/** Waits until a topic holds what it should, at least once; fails at once when it holds anything else. */
async function delivered(java: JavaShell, expected: string[], where: Where = {}): Promise<Report[]> {
  const { topic = [TOPIC], perhaps = [] } = where;
  const deadline = Date.now() + 60_000;
  while (true) {
    const reports = await java.run("read-topic", ...topic);
    const found = new Map(reports.map((report) => [String(report["body"]), report]));
    for (const body of found.keys()) {
      assert(expected.includes(body) || perhaps.includes(body), `${body} was delivered`);
    }
    if (expected.every((body) => found.has(body))) return [...found.values()];
    const missing = expected.filter((body) => !found.has(body));
    assert(Date.now() < deadline, `${missing.length} messages did not come, among them ${missing[0]}`);
    await delay(200);
  }
}

/** What the producers were asked since the last time, by body. */
async function checks(java: JavaShell): Promise<Map<string, Report>> {
  return new Map((await java.run("transaction-checks")).map((report) => [String(report["message"]), report]));
}

const ENDED = ["commit", "rollback"];
const ASKED = ["unknown-commit", "unknown-rollback", "unknown-unknown-commit", "unknown-commit.immune"];
const COMMITTED = bodies("commit", "unknown-commit", "unknown-unknown-commit", "unknown-commit.immune");

async function ends(java: JavaShell): Promise<void> {
  const plans = [...ENDED, ...ASKED].map((plan) => plan.endsWith("immune") ? `${plan}~${IMMUNITY_S}` : plan);
  await java.run("transactions", TOPIC, GROUP, EACH, ...plans);
  const messages = await delivered(java, COMMITTED);
  const isJava = clusterKind().endsWith("java");
  for (const { body, sysFlag, flag, properties, queue } of messages) {
    const { TRANSACTION_CHECK_TIMES, CHECK_IMMUNITY_TIME_IN_SECONDS, TRAN_PREPARED_QUEUE_OFFSET, ...rest } =
      properties as Record<string, string>;
    const isAsked = String(body).startsWith("unknown"), isImmune = String(body).includes("immune");
    // Java's broker loses the flag of a message that it asked about.
    assertEquals([sysFlag, flag], [8, isAsked && isJava ? 0 : 7], `${body}`);
    if (isAsked) assert(Number(TRANSACTION_CHECK_TIMES) >= 1, `${body} was asked about`);
    assertEquals(CHECK_IMMUNITY_TIME_IN_SECONDS, isImmune ? String(IMMUNITY_S) : undefined, `${body}`);
    assertEquals(TRAN_PREPARED_QUEUE_OFFSET !== undefined, isImmune, `${body}`);
    assertEquals(rest, {
      KEYS: `key-${body}`,
      TAGS: "TagA",
      color: "grün 🟢",
      TRAN_MSG: "true",
      PGROUP: GROUP,
      REAL_TOPIC: TOPIC,
      REAL_QID: String(queue),
      CLUSTER: "DefaultCluster",
      // Java's broker does so with those that it stores anew while they are immune.
      WAIT: isImmune && isJava ? "false" : "true",
    });
  }
  assertEquals(new Set(messages.map(({ prepared }) => prepared)).size, messages.length, "each names its half message");
}

/** A slow machine may be asked about transactions that ended by themselves too. */
async function questions(java: JavaShell): Promise<void> {
  const asked = await checks(java);
  for (const body of bodies(...ASKED)) {
    const check = asked.get(body);
    assert(check !== undefined, `nobody was asked about ${body}`);
    const { topic, key, color, times, waited } = check;
    assertEquals([topic, key, color], [TOPIC, `key-${body}`, "grün 🟢"]);
    const words = body.split(/[.#]/)[0]!.split("-");
    assert(Number(times) >= words.length - 1, `${body} was asked about ${times} times`);
    const least = body.includes("immune") ? IMMUNITY_S * 1000 : SETTINGS.transactionTimeOut;
    assert(Number(waited) >= least, `${body} was asked about after ${waited} ms, allowed are ${least}`);
  }
}

async function exercise(t: Deno.TestContext, version: ClientVersion): Promise<void> {
  await using nameserver = await startNameserver();
  const options = { namesrvAddr: nameserver.address, brokerName: BROKER, settings: SETTINGS };
  await using broker = await startBroker(options);
  await using java = await JavaShell.start(`client-${version}`, "ROCKETMQ", nameserver.address);
  const step = async (name: string, work: () => Promise<void>) => {
    assert(await t.step(name, () => withLogs([nameserver, broker], work)), name);
  };
  const expected = [...COMMITTED];
  const send = (...plans: string[]) => java.run("transactions", TOPIC, GROUP, EACH, ...plans);
  await step("a commit delivers, a rollback does not, and who does not know is asked until it does", async () => {
    await java.run("create-topic", broker.address, TOPIC, 4);
    await java.run("start-transactions", GROUP);
    await ends(java);
    await questions(java);
  });
  await step("a transaction that nobody ends is put aside after transactionCheckMax questions", async () => {
    await send("unknown");
    await delivered(java, bodies("unknown"), { topic: ["TRANS_CHECK_MAX_TIME_TOPIC", BROKER] });
    const asked = await checks(java);
    for (const body of bodies("unknown")) assertEquals(asked.get(body)?.["times"], CHECK_MAX, body);
    await delivered(java, expected);
  });
  await step("another producer of the group is asked when the first has gone", async () => {
    await send("unknown-commit.heir");
    await java.run("stop-transactions", GROUP);
    await java.run("start-transactions", GROUP);
    expected.push(...bodies("unknown-commit.heir"));
    await delivered(java, expected);
  });
  for (const ending of ["stop", "kill"] as const) {
    const plans = [`unknown-commit.${ending}`, `commit.${ending}`, `rollback.${ending}`] as const;
    await step(`transactions survive the broker's ${ending === "stop" ? "restart" : "SIGKILL"}`, async () => {
      await send(...plans);
      // The ends go out one-way: the next answer on the same connection says that they are there.
      expected.push(...bodies(plans[1]));
      await delivered(java, expected, { perhaps: bodies(plans[0]) });
      await java.run("stop-transactions", GROUP);
      await broker[ending]();
      await broker.start();
      await java.run("start-transactions", GROUP);
      expected.push(...bodies(plans[0]));
      await delivered(java, expected);
    });
  }
}

for (const version of ["4.9.7", "4.1.0-incubating"] as const) {
  Deno.test({
    name: `the ${version} client's transactions end as it says, whoever fails on the way`,
    ignore: !hasJava(),
    fn: (t) => exercise(t, version),
  });
}

/**
 * Who began the transactions, how it ended, and who carries them on. Under `CLUSTER=java` both are Java's: the test tests
 * itself.
 */
function pairs(): [writer: Kind, ending: "stop" | "kill", reader: Kind][] {
  return clusterKind() === "java"
    ? [["java", "kill", "java"]]
    : [["rocketd", "kill", "java"], ["java", "stop", "rocketd"]];
}

async function exchange(writer: Kind, ending: "stop" | "kill", reader: Kind): Promise<void> {
  const storeDir = await Deno.makeTempDir({ prefix: "rocketd-transactions-" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(storeDir, { recursive: true }));
  const nameserver = cleanup.use(await startNameserver(writer));
  // What waits for its producer must not be put aside meanwhile.
  const settings = { ...SETTINGS, transactionCheckMax: 100 };
  const options = { namesrvAddr: nameserver.address, brokerName: BROKER, storeDir, port: freePort(), settings };
  const java = cleanup.use(await JavaShell.start("client-4.9.7", "ROCKETMQ", nameserver.address));
  const send = (...plans: string[]) => java.run("transactions", TOPIC, GROUP, EACH, ...plans);
  const served = async (kind: Kind, work: (broker: Node) => Promise<void>) => {
    await using broker = await startBroker(options, kind);
    await withLogs([broker], () => work(broker));
    await broker[ending]();
  };

  await served(writer, async (broker) => {
    await java.run("create-topic", broker.address, TOPIC, 4);
    await java.run("start-transactions", GROUP);
    await send("unknown-unknown-commit.old", "commit", "rollback", "unknown-unknown-rollback.old");
    await delivered(java, bodies("commit"), { perhaps: bodies("unknown-unknown-commit.old") });
    // Rounds have come by, so that some half messages were stored anew.
    for (const deadline = Date.now() + 60_000; (await checks(java)).size === 0; await delay(100)) {
      assert(Date.now() < deadline, "nobody was asked about any transaction");
    }
    await send("unknown-commit.new", "unknown-rollback.new");
    await java.run("stop-transactions", GROUP);
  });
  await checks(java);
  const all = bodies("commit", "unknown-unknown-commit.old", "unknown-commit.new");
  await served(reader, async () => {
    await java.run("start-transactions", GROUP);
    await delivered(java, all);
    const asked = [...(await checks(java)).keys()];
    assertEquals(asked.filter((body) => /^(commit|rollback)/.test(body)), [], "these had ended");
    await send("commit.again", "unknown-commit.again");
    await delivered(java, [...all, ...bodies("commit.again", "unknown-commit.again")]);
    await java.run("stop-transactions", GROUP);
  });
}

for (const [writer, ending, reader] of pairs()) {
  Deno.test({
    name: `transactions that ${writer} began are carried on by ${reader}, after its ${ending}`,
    ignore: !hasJava(),
    fn: () => exchange(writer, ending, reader),
  });
}
