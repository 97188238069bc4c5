import { assert, assertEquals } from "../../src/std.ts";
import { CLIENT_VERSIONS, type ClientVersion, hasJava } from "../java.ts";
import type { Node } from "../launch.ts";
import { startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell, type Report } from "./java_shell.ts";

/** Level 3 is what a first retry waits, level 4 what a second one does; level 2 is one that a consumer asks for. */
const DELAYS_S = [1, 3, 1, 2, 2];
const SETTINGS = {
  messageDelayLevel: DELAYS_S.map((seconds) => `${seconds}s`).join(" "),
  autoCreateSubscriptionGroup: false,
};

/** By message: the delay level before each attempt after the first. */
const LEVELS: Record<string, number[]> = {
  later: [3, 4],
  spent: [3, 4],
  level: [2],
  dead: [],
  api: [1],
  fallback: [3],
  pulled: [1],
  slow: [3],
};

/** The properties of a message before it came back. */
function sent(message: string) {
  return { KEYS: `key-${message}`, TAGS: "TagA", color: "green" };
}

/** A message that came back so many times. */
function back(message: string, times: number, topic: string, group: string) {
  const trail = { REAL_TOPIC: `%RETRY%${group}`, REAL_QID: "0", RETRY_TOPIC: topic };
  // What the client sends to the retry topic itself says how often in its properties, and leaves the origin out.
  const own = message === "fallback"
    ? { RECONSUME_TIME: String(times), MAX_RECONSUME_TIMES: "2" }
    : { ORIGIN_MESSAGE_ID: "first", WAIT: "false" };
  return { ...sent(message), ...trail, ...own };
}

async function retries(java: JavaShell, topic: string, group: string) {
  const reports = await java.run("retry", topic, group, "observers");
  const attempts = reports.filter(({ what }) => what === "attempt");
  for (const [message, levels] of Object.entries(LEVELS)) {
    const own = attempts.filter((attempt) => attempt["message"] === message);
    assertEquals(own.map(({ times }) => times), [0, ...levels.map((_, i) => i + 1)], message);
    // The client puts the topic that it subscribed to in the place of the retry topic.
    assertEquals(own.map((attempt) => attempt["topic"]), own.map(() => topic), message);
    assertEquals(own[0]!["properties"], sent(message));
    levels.forEach((level, i) => {
      const { waited, properties } = own[i + 1]!;
      assert(Number(waited) >= DELAYS_S[level - 1]! * 1000, `${message} came again after ${waited} ms, level ${level}`);
      assertEquals(properties, { ...back(message, i + 1, topic, group), DELAY: String(level) }, message);
    });
  }
  return reports.filter(({ what }) => what === "dead letter");
}

function assertDeadLetters(letters: Report[], topic: string, group: string) {
  const byMessage = new Map(letters.map((letter) => [letter["message"], letter]));
  assertEquals([...byMessage.keys()].sort(), ["api", "dead", "fallback", "spent"]);
  for (const [message, times] of [["spent", 3], ["api", 2], ["dead", 1], ["fallback", 2]] as const) {
    const letter = byMessage.get(message)!;
    assertEquals([letter["times"], letter["topic"]], [times, `%DLQ%${group}`], message);
    const { REAL_TOPIC, REAL_QID, ...always } = back(message, times, topic, group);
    // Where it was between the attempts shows as well.
    const trail = times > 1 ? { REAL_TOPIC, REAL_QID } : {};
    const properties = letter["properties"] as Record<string, string>;
    if (message === "fallback") {
      // Java delays a dead letter that the client sends itself; ours does not.
      for (const name of ["REAL_TOPIC", "REAL_QID", "DELAY"]) delete properties[name];
      assertEquals(properties, always, message);
    } else assertEquals(properties, { ...always, ...trail, DELAY: "0" }, message);
  }
}

async function exercise(t: Deno.TestContext, version: ClientVersion, nodes: [nameserver: Node, broker: Node]) {
  const [nameserver, broker] = nodes;
  await using java = await JavaShell.start(`client-${version}`, "ROCKETMQ", nameserver.address);
  const step = async (name: string, work: () => Promise<void>) => {
    await t.step(name, () => withLogs(nodes, work));
  };
  const mark = version.replaceAll(".", "_");
  const [topic, group] = [`Retry-${mark}`, `retry-${mark}`];
  for (const name of [group, "observers"]) await java.run("update-group", broker.address, name);
  await java.run("create-topic", broker.address, topic, 1);

  let letters: Report[] = [];
  await step("what a consumer cannot handle comes again, later each time", async () => {
    letters = await retries(java, topic, group);
  });
  await step("what came too often, or is given up at once, is in the dead letter queue with its origin", () => {
    assertDeadLetters(letters, topic, group);
    return Promise.resolve();
  });
  await step(
    "what an ordered consumer cannot handle is tried again in its place, and ends as a dead letter",
    async () => {
      const [ordered, orderedGroup] = [`${topic}-ordered`, `${group}-ordered`];
      await java.run("update-group", broker.address, orderedGroup);
      await java.run("create-topic", broker.address, ordered, 1);
      const reports = await java.run("retry-in-order", ordered, orderedGroup, "observers");
      const attempts = reports.filter(({ what }) => what === "attempt").map(({ message, times }) => [message, times]);
      assertEquals(attempts, [["stuck", 0], ["stuck", 1], ["stuck", 2], ["behind", 0]]);
      const letters = reports.filter(({ what }) => what === "dead letter");
      const found = letters.map((letter) => [letter["message"], letter["times"], letter["topic"]]);
      // The client counts: that of 5.x one more.
      assertEquals(found, [["stuck", version === "5.1.4" ? 3 : 2, `%DLQ%${orderedGroup}`]]);
      const { RETRY_TOPIC } = letters[0]!["properties"] as Record<string, string>;
      assertEquals(RETRY_TOPIC, ordered);
    },
  );
  await step("what is no message, and what nobody may retry, is refused", async () => {
    const codes = async (group: string) => {
      const reports = await java.run("send-back-refusals", broker.address, topic, group, "observers");
      return Object.fromEntries(reports.map(({ what, code }) => [what, code]));
    };
    const expected = {
      "no message there": 1,
      "beyond the log": 1,
      "before the log": 1,
      "unknown group": 26,
      "a message that is there": 0,
      "send to the retry topic of an unknown group": 26,
    };
    assertEquals(await codes(group), expected);
    await java.run("update-group", broker.address, `${group}-none`, "retryQueueNums=0");
    assertEquals(await codes(`${group}-none`), {
      ...expected,
      "no message there": 0,
      "beyond the log": 0,
      "before the log": 0,
    });
  });
}

Deno.test({
  name: "retries and dead letters",
  ignore: !hasJava(),
  fn: async (t) => {
    await using nameserver = await startNameserver();
    const options = { namesrvAddr: nameserver.address, brokerName: "broker-a", settings: SETTINGS };
    await using broker = await startBroker(options);
    for (const version of CLIENT_VERSIONS) {
      await t.step(`Java client ${version}`, (t) => exercise(t, version, [nameserver, broker]));
    }
  },
});
