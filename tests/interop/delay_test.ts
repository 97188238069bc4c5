import { assert, assertEquals } from "../../src/std.ts";
import { hasJava } from "../java.ts";
import type { Node } from "../launch.ts";
import { clusterKind, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell, type Report } from "./java_shell.ts";

/** Eighteen levels of one to six seconds, so that one run sees them all. */
const SECONDS = Array.from({ length: 18 }, (_, i) => 1 + Math.floor(i / 3));
const LEVELS = SECONDS.map((_, i) => i + 1);
const EACH = 10;
/** Two above the highest level: these wait as long as that does. */
const ABOVE = [19, 999];

function assertAll(reports: Report[]) {
  const counts = reports.map(({ level, messages, received, earlyMs }) => ({ level, messages, received, earlyMs }));
  const expected = { messages: EACH, received: EACH, earlyMs: 0 };
  assertEquals(counts, [...LEVELS, ...ABOVE].map((level) => ({ level, ...expected })));
}

/** By level, what was delivered of it. */
function offsetTable(rounds: number): string {
  const offsets = LEVELS.map((level) => EACH * rounds * (level === LEVELS.length ? 1 + ABOVE.length : 1));
  return `{${LEVELS.map((level, i) => `${level}:${offsets[i]}`).join(",")}`;
}

Deno.test({
  name: "delayed messages with official Java clients",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nameserver = await startNameserver();
    const namesrvAddr = nameserver.address;
    const settings = { messageDelayLevel: SECONDS.map((seconds) => `${seconds}s`).join(" ") };
    await using broker = await startBroker({ namesrvAddr, brokerName: "broker-a", settings });
    await using usual = await startBroker({ namesrvAddr, brokerName: "broker-b" });
    const step = async (name: string, work: () => Promise<void>) => {
      assert(await t.step(name, () => withLogs([nameserver, broker, usual], work)), name);
    };
    const late: Record<string, number> = {};
    const note = (what: string, reports: Report[]) => late[what] = Math.max(...reports.map((r) => Number(r["lateMs"])));

    let rounds = 0;
    for (const version of ["4.9.7", "4.1.0-incubating"] as const) {
      await using java = await JavaShell.start(`client-${version}`, "ROCKETMQ", nameserver.address);
      const topic = `Interop-delay-${version.replaceAll(".", "_")}`;
      await java.run("create-topic", broker.address, topic, 4);
      await java.run("create-topic", usual.address, `${topic}-usual`, 1);

      await step(`${version}: each of the usual 18 levels has a queue, and higher ones share the last`, async () => {
        const levels = [-1, 0, ...LEVELS, 19, 100];
        const [report] = await java.run("delay-levels", usual.address, `${topic}-usual`, ...levels);
        assertEquals(report!["byLevel"], [...LEVELS.map((level) => level === 18 ? 3 : 1), 0, 0].join(" "));
      });
      await step(`${version}: messages of all levels come when they are due, in order and unchanged`, async () => {
        await java.run("delay-send", topic, EACH, ...LEVELS, ...ABOVE);
        rounds++;
        const reports = await java.run("delay-receive", topic, ...SECONDS);
        note(version, reports);
        assertAll(reports);
      });
      await step(`${version}: a consumer finds them by their tags`, async () => {
        await java.run("delay-filtered", topic, `delay-filtered-${version.replaceAll(".", "_")}`);
      });
    }

    await using java = await JavaShell.start("client-4.9.7", "JSON", nameserver.address);
    await step("a level that is no number is refused", async () => {
      const [report] = await java.run("delay-illegal", broker.address, "Interop-delay-4_9_7");
      // An exception in Java's broker; ours names the property.
      assertEquals(report!["code"], clusterKind().endsWith("java") ? 1 : 13);
    });
    await step("the broker tells how far each level is, and writes it when it stops", async () => {
      const [report] = await java.run("delay-offsets", broker.address);
      assertEquals(report!["body"], `{"offsetTable":${offsetTable(rounds)}}}`);
      await stop(broker);
      const file = await Deno.readTextFile(`${broker.storeDir}/config/delayOffset.json`);
      assertEquals(file, `{\n\t"offsetTable":${offsetTable(rounds)}\n\t}\n}`);
      await broker.start();
    });
    await step("a broker that was stopped meanwhile delivers each message once", async () => {
      await java.run("create-topic", broker.address, "Interop-delay-stop", 4);
      await java.run("delay-send", "Interop-delay-stop", EACH, ...LEVELS, ...ABOVE);
      await stop(broker);
      await broker.start();
      const reports = await java.run("delay-receive", "Interop-delay-stop", ...SECONDS);
      note("stop", reports);
      assertAll(reports);
    });
    await step("a broker that was killed meanwhile delivers each message at least once", async () => {
      await java.run("create-topic", broker.address, "Interop-delay-kill", 4);
      await java.run("delay-send", "Interop-delay-kill", EACH, ...LEVELS, ...ABOVE);
      await broker.kill();
      await broker.start();
      const reports = await java.run("delay-receive", "Interop-delay-kill", ...SECONDS);
      assertEquals(reports.map(({ messages }) => messages), [...LEVELS, ...ABOVE].map(() => EACH));
      // Java knows no levels yet when it recovers: queue entries that it lost it makes anew with a deliver time long ago.
      if (!clusterKind().endsWith("java")) assertEquals(reports.filter(({ earlyMs }) => earlyMs !== 0), []);
    });
    Deno.stderr.writeSync(new TextEncoder().encode(`most ms late: ${JSON.stringify(late)}\n`));
  },
});

async function stop(broker: Node): Promise<void> {
  const code = await broker.stop();
  // A JVM that was ended by a signal says so.
  assertEquals(code, clusterKind().endsWith("java") ? 143 : 0);
}
