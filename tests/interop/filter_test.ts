/**
 * Consumers that choose among messages, by tags and by SQL92 expressions.
 *
 * @module
 */
import { BloomFilter } from "../../src/broker/bloom_filter.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { type ClientVersion, hasJava } from "../java.ts";
import type { Node } from "../launch.ts";
import { freePort } from "../ports.ts";
import { clusterKind, type Kind, startBroker, startNameserver, withLogs } from "./cluster.ts";
import { JavaShell, type Report } from "./java_shell.ts";

/** The clients that are tried. */
const VERSIONS: readonly ClientVersion[] = ["4.1.0-incubating", "4.9.7", "5.1.4"];
const COUNT = 100;

/** What the message `n` of Filtering.java has. */
const region = (n: number) => (["east", "west", undefined] as const)[n % 3];
const even = (n: number) => n % 2 === 0;

/** Expressions, which messages they choose, and properties of one more message that they choose. */
const CHOICES: readonly (readonly [type: "SQL92" | "TAG", expression: string, chosen: (n: number) => boolean])[] = [
  ["SQL92", "n > 10 AND n <= 20", (n) => n > 10 && n <= 20],
  ["SQL92", "region IN ('east', 'it''s') or n between 90 and 95", (n) => region(n) === "east" || (n >= 90 && n <= 95)],
  ["SQL92", "region IS NULL AND NOT (even = TRUE)", (n) => region(n) === undefined && !even(n)],
  [
    "SQL92",
    "region <> 'east' -- those without a region neither\n AND price < 9.6",
    (n) => region(n) === "west" && n <= 9,
  ],
  ["SQL92", "(TAGS = 'Tag1' OR TAGS = 'Tag2') AND n >= 50", (n) => [1, 2].includes(n % 4) && n >= 50],
  ["SQL92", "n NOT IN ('1', '2') AND n < 5", (n) => [0, 3, 4].includes(n)],
  ["SQL92", "price = 'x' OR unknown > 5", () => false],
  // Their evaluation fails.
  ["SQL92", "price > 5", () => false],
  ["TAG", "Tag1 || Tag3", (n) => [1, 3].includes(n % 4)],
  ["TAG", "*", () => true],
];

/** Expressions that are refused, with the place of the mistake. */
const MISTAKES: readonly (readonly [expression: string, place: string])[] = [
  ["n >", "line 1, column 4"],
  ["n > 5 AND\nregion == 'east'", "line 2, column 9"],
  ["n > 'x'", "line 1, column 3"],
  ["n = 5 AND (region = 'east'", "line 1, column 27"],
];

const base64 = (text: string) => new TextEncoder().encode(text).toBase64();

function numbersOf(reports: Report[]): number[] {
  return JSON.parse(String(reports.at(-1)?.["numbers"]));
}

function chosenOf(chosen: (n: number) => boolean, from = 0, count = COUNT): number[] {
  return Array.from({ length: count }, (_, i) => from + i).filter(chosen);
}

/** A broker that takes SQL92 expressions, and one that does not. */
async function startBrokers(stack: AsyncDisposableStack): Promise<{ nameserver: Node; open: Node; closed: Node }> {
  const nameserver = stack.use(await startNameserver());
  const namesrvAddr = nameserver.address;
  const settings = { enablePropertyFilter: true };
  const open = stack.use(await startBroker({ namesrvAddr, brokerName: "broker-a", settings }));
  const closed = stack.use(await startBroker({ namesrvAddr, brokerName: "broker-b" }));
  return { nameserver, open, closed };
}

Deno.test({
  name: "Consumers receive what they choose by tags and SQL92 expressions",
  ignore: !hasJava(),
  fn: async (t) => {
    await using stack = new AsyncDisposableStack();
    const { nameserver, open, closed } = await startBrokers(stack);
    for (const version of VERSIONS) {
      const java = stack.use(await JavaShell.start(`client-${version}`, "JSON", nameserver.address));
      const mark = version.replaceAll(".", "_");
      const topic = `Filter-${mark}`;
      const step = async (name: string, work: () => Promise<void>) => {
        assert(await t.step(`${version}: ${name}`, () => withLogs([open, closed], work)), name);
      };
      const run = (...words: (string | number)[]) => java.run("filtering", ...words);
      const start = (name: string, type: string, expression: string, of = topic) =>
        run("start", name, `group-${name}-${mark}`, of, type, base64(expression));

      await step("pulls what an expression chooses, over all queues", async () => {
        await java.run("create-topic", open.address, topic, 4);
        await run("send", topic, 0, COUNT);
        for (const [type, expression, chosen] of CHOICES) {
          const reports = await run("pull", open.address, topic, `pull-${mark}`, type, base64(expression));
          assertEquals(numbersOf(reports), chosenOf(chosen), expression);
        }
      });
      await step(
        "pushes what an expression chooses, to a consumer that comes later and to one that waits",
        async () => {
          const [type, expression, chosen] = CHOICES[1]!;
          await start("sql", type, expression);
          assertEquals(numbersOf(await run("received", "sql", "region=east")), chosenOf(chosen));
          await run("send", topic, COUNT, 30);
          assertEquals(numbersOf(await run("received", "sql", "region=east")), chosenOf(chosen, COUNT, 30));
          await start("tags", "TAG", "Tag1 || Tag3");
          const tagged = chosenOf((n) => [1, 3].includes(n % 4), 0, COUNT + 30);
          assertEquals(numbersOf(await run("received", "tags", "n=1")), tagged);
          await run("stop", "tags");
        },
      );
      await step("pushes what another expression chooses once the group has changed to it", async () => {
        await run("change", "sql", "SQL92", base64("region = 'west' AND last IS NULL"));
        await run("send", topic, 200, 30);
        const received = numbersOf(await run("received", "sql", "region=west"));
        assertEquals(received, chosenOf((n) => region(n) === "west", 200, 30));
      });
      await step("pushes what the expression chose while the consumer was away", async () => {
        await run("stop", "sql");
        await run("send", topic, 300, 30);
        await start("sql", "SQL92", "region = 'west'");
        assertEquals(
          numbersOf(await run("received", "sql", "region=west")),
          chosenOf((n) => region(n) === "west", 300, 30),
        );
        await run("stop", "sql");
      });
      if (version === "4.9.7") {
        await step("gives the pull consumers what an expression chooses", async () => {
          await start("ends", "SQL92", "last = 'yes'");
          await run("received", "ends", "last=yes");
          await run("stop", "ends");
          const expression = base64("n BETWEEN 5 AND 9 OR last = 'yes'");
          const reports = await java.run("filter-by-pull", topic, `by-pull-${mark}`, "SQL92", expression);
          assertEquals(reports.map((report) => [report.what, numbersOf([report])]), [
            ["pulled", [5, 6, 7, 8, 9]],
            ["polled", [5, 6, 7, 8, 9]],
          ]);
        });
      }
      await step("is told at its start of a mistake in the expression", async () => {
        for (const [expression, place] of MISTAKES) {
          const [refused] = await start("bad", "SQL92", expression);
          assertEquals([refused?.what, refused?.["code"]], ["refused", 23], expression);
          const [checked] = await run("check", open.address, topic, "SQL92", base64(expression));
          assertEquals(checked?.["code"], 23, expression);
          if (clusterKind() === "java") continue; // It tells only some of the places.
          assertStringIncludes(String(checked?.["remark"]), place, expression);
          const [pulled] = await run("pull", open.address, topic, `pull-${mark}`, "SQL92", base64(expression));
          // RocketMQ serves such a pull as if it had no filter.
          assertEquals([pulled?.what, pulled?.["code"]], ["refused", 23]);
          assertStringIncludes(String(pulled?.["remark"]), place, expression);
        }
        const [good] = await run("check", open.address, topic, "SQL92", base64("n > 5"));
        assertEquals(good?.["code"], 0);
      });
      await step("is told of a broker that takes no SQL92", async () => {
        const elsewhere = `Filter-closed-${mark}`;
        const remark = "The broker does not support consumer to filter message by SQL92";
        await java.run("create-topic", closed.address, elsewhere, 1);
        const [refused] = await start("closed", "SQL92", "n > 5", elsewhere);
        assertEquals([refused?.what, refused?.["code"]], ["refused", 1]);
        assertStringIncludes(String(refused?.["remark"]), remark);
        const [pulled] = await run("pull", closed.address, elsewhere, `pull-${mark}`, "SQL92", base64("n > 5"));
        assertEquals([pulled?.["code"], pulled?.["remark"]], [1, remark]);
        const [checked] = await run("check", closed.address, elsewhere, "SQL92", base64("n >"));
        assertEquals([checked?.["code"], checked?.["remark"]], [1, remark]);
        assertEquals((await run("check", closed.address, elsewhere, "TAG", base64("a || b")))[0]?.["code"], 0);
      });
    }
  },
});

/** What a broker's file says of a group. */
interface Saved {
  readonly expression: string;
  readonly expressionType: string;
  readonly bornTime: number;
  readonly deadTime: number;
  readonly clientVersion: number;
  readonly bloomFilterData: unknown;
}

async function savedFilter(storeDir: string, topic: string, group: string): Promise<Saved | undefined> {
  const text = await Deno.readTextFile(`${storeDir}/config/consumerFilter.json`);
  return JSON.parse(text).filterDataByTopic[topic]?.groupFilterData[group];
}

Deno.test({
  name: "Messages are found by tags and SQL92 in a store with the consumequeue_ext of a Java broker",
  ignore: !hasJava(),
  fn: async () => {
    const storeDir = await Deno.makeTempDir({ prefix: "rocketd-ext-" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(storeDir, { recursive: true }));
    const nameserver = stack.use(await startNameserver());
    const settings = { enablePropertyFilter: true, enableConsumeQueueExt: true, enableCalcFilterBitMap: true };
    const options = { namesrvAddr: nameserver.address, brokerName: "broker-a", storeDir, port: freePort(), settings };
    const java = stack.use(await JavaShell.start("client-4.9.7", "JSON", nameserver.address));
    const run = (...words: (string | number)[]) => java.run("filtering", ...words);
    for (const [i, owner] of (["java", clusterKind()] as const).entries()) {
      await using broker = await startBroker(options, owner);
      await withLogs([broker], async () => {
        if (i === 0) await java.run("create-topic", broker.address, "T", 2);
        await run("send", "T", 20 * i, 20);
        for (const [type, expression] of [["TAG", "Tag1"], ["SQL92", "TAGS = 'Tag1'"]] as const) {
          const group = `${type}-${i}`;
          await run("start", group, group, "T", type, base64(expression));
          const received = numbersOf(await run("received", group, "x=y"));
          assertEquals(received, chosenOf((n) => n % 4 === 1, 0, 20 * (i + 1)), `${expression} with ${owner}`);
          await run("stop", group);
        }
      });
      await broker.stop();
      assert((await Deno.stat(`${storeDir}/consumequeue_ext/T/0`)).isDirectory);
    }
  },
});

/** Who has the store, one after the other. */
const OWNERS: readonly Kind[] = clusterKind() === "java" ? ["java", "java"] : ["rocketd", "java", "rocketd"];

Deno.test({
  name: `What groups filter by goes from ${OWNERS.join(" to ")} in consumerFilter.json`,
  ignore: !hasJava(),
  fn: async () => {
    const storeDir = await Deno.makeTempDir({ prefix: "rocketd-filters-" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(storeDir, { recursive: true }));
    const nameserver = stack.use(await startNameserver(OWNERS[0]));
    const settings = { enablePropertyFilter: true };
    const options = { namesrvAddr: nameserver.address, brokerName: "broker-a", storeDir, port: freePort(), settings };
    const java = stack.use(await JavaShell.start("client-4.9.7", "JSON", nameserver.address));
    const run = (...words: (string | number)[]) => java.run("filtering", ...words);
    const expressionOf = (group: string) => `n >= 5 AND region = 'east' -- ${group}\n`;
    const use = async (group: string) => {
      await run("start", group, group, "T", "SQL92", base64(expressionOf(group)));
      await run("received", group, "n=5,region=east");
    };

    const written = new Map<string, Saved>();
    for (const [i, owner] of OWNERS.entries()) {
      await using broker = await startBroker(options, owner);
      await withLogs([broker], async () => {
        if (i === 0) await java.run("create-topic", broker.address, "T", 1);
        await use("comes-back");
        await use(`goes-${i}`);
        await run("stop", `goes-${i}`);
        await run("send", "T", 20 * i, 20);
        const chosen = chosenOf((n) => n >= 5 && region(n) === "east", 20 * i, 20);
        assertEquals(numbersOf(await run("received", "comes-back", "n=6,region=east")), chosen);
        // A client that waits for the answer of a pull when its broker stops may wait for 30 s.
        await run("stop", "comes-back");
      });
      await broker.stop();
      for (const group of ["comes-back", ...OWNERS.slice(0, i + 1).map((_, before) => `goes-${before}`)]) {
        const filter = await savedFilter(storeDir, "T", group);
        assert(filter !== undefined, `${owner} has written the filter of ${group}`);
        assertEquals([filter.expressionType, filter.expression], ["SQL92", expressionOf(group)]);
        assertEquals(filter.bloomFilterData, new BloomFilter(20, 32).bitsOf(`${group}#T`));
        assert(filter.clientVersion > 0 && filter.bornTime >= filter.clientVersion - 60_000);
        assert(filter.deadTime >= filter.bornTime, `${group} is gone, and its filter is kept`);
        // Another owner does not take it for a new one.
        assertEquals(filter.bornTime, (written.get(group) ?? filter).bornTime, group);
        written.set(group, filter);
      }
    }
  },
});
