/**
 * Shows rocketd at work with real processes, on free ports, in a temporary directory: 10,000 messages are sent to a
 * master that has a slave, and consumed by a group; while more are being sent the master is killed (SIGKILL), and the
 * group reads on from the slave, and a new one everything from there; the master is started again and takes the rest;
 * then everything is read once more and compared with what was acknowledged. Exit code 0 only when nothing is missing.
 *
 * @module
 */
import { LitePullConsumer, Producer } from "../src/client/mod.ts";
import { messageOf } from "../src/errors.ts";
import { RequestCode } from "../src/protocol/request_codes.ts";
import { delay, type Node, startRocketd } from "../tests/launch.ts";
import { ask } from "../tests/probe.ts";

const TOPIC = "Demo";
const MESSAGES = 10_000;
/** Sent while the master is killed and comes back. */
const MESSAGES_MORE = 4_000;
const KILL_AFTER = 1_000;
const IN_FLIGHT = 200;
/** A reader gives up when nothing came for this long, ms. */
const SILENCE_MS = 5_000;
const RETRY_MS = 50;
const DEMO_MS = 60_000;

const encoder = new TextEncoder();
const say = (text: string) => void Deno.stdout.writeSync(encoder.encode(text + "\n"));

/** What happened so far: bodies by the ids under which they were acknowledged. */
class Ledger {
  readonly acknowledged = new Map<string, string>();
  failures = 0;
  /** Acknowledged by the master alone, since its slave was not there. */
  alone = 0;

  /** How many acknowledged ids are not among those that were read. */
  missing(read: ReadonlyMap<string, string>): number {
    let count = 0;
    for (const [id, body] of this.acknowledged) if (read.get(id) !== body) count++;
    return count;
  }
}

interface Line {
  readonly what: string;
  readonly messages: number;
  readonly ms: number;
}

/** Sends numbered messages, many at once, each until it is acknowledged. */
async function sendAll(producer: Producer, ledger: Ledger, from: number, to: number): Promise<void> {
  let next = from;
  const sendOne = async (body: string) => {
    while (true) {
      try {
        const { uniqueKey, status } = await producer.send({ topic: TOPIC, tag: "demo", keys: [body], body });
        if (status !== "SEND_OK") ledger.alone++;
        return void ledger.acknowledged.set(uniqueKey, body);
      } catch {
        ledger.failures++;
        await delay(RETRY_MS);
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (next < to) await sendOne(`message ${next++}`);
  }));
}

/** Reads until every acknowledged message was there, or nothing comes any more. */
async function readAll(consumer: LitePullConsumer, ledger: Ledger, read: Map<string, string>): Promise<void> {
  let lastAt = Date.now();
  const watch = setInterval(() => Date.now() - lastAt > SILENCE_MS && void consumer.close(), RETRY_MS);
  try {
    for await (const message of consumer) {
      lastAt = Date.now();
      read.set(message.uniqueKey ?? message.offsetMessageId, message.text());
      if (read.size >= ledger.acknowledged.size && ledger.missing(read) === 0) break;
    }
    consumer.acknowledge();
  } finally {
    clearInterval(watch);
  }
}

async function timed(what: string, messages: number, work: () => Promise<void>): Promise<Line> {
  const started = performance.now();
  await work();
  const line = { what, messages, ms: performance.now() - started };
  say(`  ${what} (${Math.round(line.ms)} ms)`);
  return line;
}

/** Makes the topic, and waits until the slave has heard of it and acknowledges its messages too. */
async function joined(nameservers: string, slave: Node): Promise<void> {
  await using producer = new Producer({ nameservers });
  const knows = async () => (await ask(slave.port, RequestCode.GET_ALL_TOPIC_CONFIG)).body.includes(`"${TOPIC}"`);
  do await delay(RETRY_MS); while (
    (await producer.send({ topic: TOPIC, tag: "not for the demo", body: "?" })).status !== "SEND_OK" || !await knows()
  );
}

/** Kills the master once enough is acknowledged. */
async function crash(master: Node, ledger: Ledger): Promise<void> {
  const before = ledger.acknowledged.size;
  while (ledger.acknowledged.size < before + KILL_AFTER) await delay(1);
  await master.kill();
  say("  the master is killed (SIGKILL)");
}

function table(lines: readonly Line[]): void {
  say(`\n${"".padEnd(44)} ${"messages".padStart(9)} ${"ms".padStart(7)} ${"a second".padStart(9)}`);
  for (const { what, messages, ms } of lines) {
    const [count, time, rate] = [messages, Math.round(ms), Math.round(messages / ms * 1000)];
    say(
      `${what.padEnd(44)} ${String(count).padStart(9)} ${String(time).padStart(7)} ${
        String(messages > 0 ? rate : "").padStart(9)
      }`,
    );
  }
}

async function demo(): Promise<boolean> {
  say("starting a nameserver, a master and its slave");
  await using nameserver = await startRocketd({ role: "nameserver" });
  const nameservers = nameserver.address;
  const settings = { brokerRole: "SYNC_MASTER" };
  await using master = await startRocketd({ role: "master", namesrvAddr: nameservers, settings });
  await using slave = await startRocketd({ role: "slave", namesrvAddr: nameservers });
  await joined(nameservers, slave);
  const ledger = new Ledger();
  const lines: Line[] = [];
  await using producer = new Producer({ nameservers });
  lines.push(await timed("sent, master and slave have it", MESSAGES, () => sendAll(producer, ledger, 0, MESSAGES)));

  const subscriptions = { [TOPIC]: "demo" };
  await using member = new LitePullConsumer({ nameservers, group: "demo_group", subscriptions, from: "first" });
  const byGroup = new Map<string, string>();
  lines.push(await timed("consumed by a group", MESSAGES, () => readAll(member, ledger, byGroup)));

  const total = MESSAGES + MESSAGES_MORE;
  const sending = timed("sent before and after the master's death", MESSAGES_MORE, () => {
    return sendAll(producer, ledger, MESSAGES, total);
  });
  await crash(master, ledger);
  const acknowledged = ledger.acknowledged.size - MESSAGES;
  lines.push(await timed("read on by the group", acknowledged, () => readAll(member, ledger, byGroup)));
  await using newcomer = new LitePullConsumer({ nameservers, group: "demo_slave", subscriptions, from: "first" });
  const bySlave = new Map<string, string>();
  lines.push(
    await timed("all of it, from the slave alone", ledger.acknowledged.size, () => {
      return readAll(newcomer, ledger, bySlave);
    }),
  );
  const missedBySlave = ledger.missing(bySlave);
  lines.push(await timed("the master is started again", 0, async () => void await master.start()));
  lines.push(await sending);
  const rest = ledger.acknowledged.size - MESSAGES - acknowledged;
  lines.push(await timed("consumed by the same group", rest, () => readAll(member, ledger, byGroup)));

  await using auditor = new LitePullConsumer({ nameservers, group: "demo_audit", subscriptions, from: "first" });
  const everything = new Map<string, string>();
  lines.push(await timed("read again from the beginning", total, () => readAll(auditor, ledger, everything)));

  await Promise.all([member.close(), newcomer.close(), auditor.close(), producer.close()]);
  const codes = [await slave.stop(), await master.stop(), await nameserver.stop()];
  table(lines);
  const lost = ledger.missing(everything), unseen = ledger.missing(byGroup);
  say(
    `\nacknowledged ${ledger.acknowledged.size}, lost ${lost}; the slave lacked ${missedBySlave}, the group missed ${unseen}`,
  );
  say(
    `${ledger.failures} sends failed while the master was dead and were sent again; ${ledger.alone} came before its ` +
      `slave was back; exit codes on SIGTERM: ${codes.join(", ")}`,
  );
  const complete = ledger.acknowledged.size === total && codes.every((code) => code === 0);
  return complete && lost === 0 && unseen === 0 && missedBySlave === 0;
}

const timer = setTimeout(() => {
  say(`the demo did not end within ${DEMO_MS / 1000} s`);
  Deno.exit(1);
}, DEMO_MS);
const ok = await demo().catch((error) => {
  say(`the demo failed: ${messageOf(error)}`);
  return false;
});
clearTimeout(timer);
say(ok ? "\nnothing that was acknowledged is lost" : "\nFAILED");
Deno.exit(ok ? 0 : 1);
