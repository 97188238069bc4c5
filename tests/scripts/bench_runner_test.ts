/**
 * How `scripts/bench` makes its rounds, with rows that measure nothing.
 *
 * @module
 */
import type { Chapter, Row, RowResult, Side } from "../../scripts/lib/bench/model.ts";
import { CHAPTERS, chosen, ROWS } from "../../scripts/lib/bench/rows.ts";
import { measureAll } from "../../scripts/lib/bench/runner.ts";
import { assert, assertEquals, assertThrows } from "../../src/std.ts";
import { until } from "../until.ts";

interface Run {
  /** What was done, in its order. */
  readonly steps: string[];
  readonly results: Record<string, RowResult>;
}

type Step = (side: Side, round: number) => number;

/** Runs a chapter with rows whose rounds give `value(side, round)`; round 0 is the one that warms. */
async function runWith(
  rows: Record<string, Step>,
  more: Partial<Row<Side>> = {},
  chapter: Partial<Chapter<Side>> = {},
  sides: readonly Side[] = ["java", "rocketd", "limit"],
): Promise<Run> {
  const steps: string[] = [], results: Record<string, RowResult> = {};
  const list = Object.entries(rows).map(([name, value]): Row<Side> => {
    const round: Partial<Record<Side, number>> = {};
    return {
      name,
      title: name,
      shows: ["rate"],
      measure: (side) => {
        const number = round[side] = (round[side] ?? (more.warms === false ? 0 : -1)) + 1;
        steps.push(`${name} ${side} ${number}`);
        return Promise.resolve({ rate: value(side, number) });
      },
      ...more,
    };
  });
  const open: Chapter<Side>["open"] = ({ side, stack }) => {
    stack.defer(() => void steps.push(`close ${side}`));
    steps.push(`open ${side}`);
    return Promise.resolve(side);
  };
  await measureAll([{ name: "chapter", open, rows: list, ...chapter }], {
    options: { rounds: 2, seconds: 1, warm: 0, scale: 1 },
    sides,
    say: () => {},
    calm: () => {
      steps.push("calm");
      return Promise.resolve();
    },
    finished: (name, result) => {
      results[name] = result;
      return Promise.resolve();
    },
  });
  return { steps, results };
}

Deno.test("sides take turns in calm rounds that alternate, after one that does not count, on nodes started once", async () => {
  const { steps, results } = await runWith({ a: (side, round) => side === "java" ? round : 10 * round, b: () => 1 });
  assertEquals(steps.slice(0, 14), [
    "open java",
    "open rocketd",
    "calm",
    "a java 0",
    "calm",
    "a rocketd 0",
    "calm",
    "a java 1",
    "calm",
    "a rocketd 1",
    "calm",
    "a rocketd 2",
    "calm",
    "a java 2",
  ]);
  assertEquals(steps.slice(-2), ["close rocketd", "close java"]);
  assertEquals(steps.filter((step) => step.startsWith("open")).length, 2);
  assertEquals(results["a"]?.samples, { java: [{ rate: 1 }, { rate: 2 }], rocketd: [{ rate: 10 }, { rate: 20 }] });
  assertEquals(results["b"]?.failures, {});
});

Deno.test("a side that fails has its reason in the row; the other side and the other rows go on", async () => {
  const { results } = await runWith({
    a: (side, round) => {
      if (side === "java" && round === 2) throw new Error("Java cannot do it");
      return 1;
    },
    b: () => 2,
  });
  assertEquals(results["a"]?.samples, { java: [{ rate: 1 }], rocketd: [{ rate: 1 }, { rate: 1 }] });
  assertEquals(results["a"]?.failures, { java: "Java cannot do it" });
  assertEquals(results["b"]?.samples.java?.length, 2);
});

Deno.test("a side that cannot be opened fails in every row, and what it had started is closed", async () => {
  const steps: string[] = [];
  const open: Chapter<Side>["open"] = ({ side, stack }) => {
    stack.defer(() => void steps.push(`close ${side}`));
    return side === "java" ? Promise.reject(new Error("no such program")) : Promise.resolve(side);
  };
  const { results } = await runWith({ a: () => 1, b: () => 1 }, {}, { open });
  for (const name of ["a", "b"]) {
    assertEquals(results[name]?.failures, { java: "no such program" });
    assertEquals(results[name]?.samples, { rocketd: [{ rate: 1 }, { rate: 1 }] });
  }
  assertEquals(steps, ["close rocketd", "close java"]);
});

Deno.test("a probe follows the rounds, and a row may want fewer rounds and none that warms", async () => {
  const probe = () => Promise.resolve({ calls: 5 });
  const { steps, results } = await runWith({ a: () => 1 }, { probe, warms: false, rounds: 1 });
  assertEquals(steps.filter((step) => step.startsWith("a")), ["a java 1", "a rocketd 1"]);
  assertEquals(results["a"]?.samples, { java: [{ rate: 1 }, { calls: 5 }], rocketd: [{ rate: 1 }, { calls: 5 }] });
  assertEquals(results["a"]?.options.rounds, 1);
});

Deno.test("while a side has its turn, the processes of the others stand still", async () => {
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  const state = () => /^State:\s+(\w)/m.exec(Deno.readTextFileSync(`/proc/${child.pid}/status`))![1];
  const stands = () => until(() => state() === "T", "the process of the other side goes on");
  const goesOn = () => until(() => state() !== "T", "the process stands still");
  const seen: string[] = [];
  const open: Chapter<Side>["open"] = ({ side, processes }) => {
    // One that has ended is no hindrance.
    if (side === "java") processes.push(child, { pid: 2 ** 22 + 1 });
    return Promise.resolve(side);
  };
  const measure = async (side: Side) => {
    await (side === "java" ? goesOn() : stands());
    seen.push(side);
    return { rate: 1 };
  };
  try {
    await runWith({ a: () => 1 }, { measure, probe: measure, rounds: 1 }, { open });
    assertEquals(seen, ["java", "rocketd", "java", "rocketd", "java", "rocketd"]);
    await goesOn();
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});

Deno.test("only sides that are wanted are measured, and chapters of their own sides those alone", async () => {
  assertEquals((await runWith({ a: () => 1 }, {}, {}, ["rocketd"])).steps.slice(0, 3), [
    "open rocketd",
    "calm",
    "a rocketd 0",
  ]);
  assertEquals((await runWith({ a: () => 1 }, {}, { sides: ["limit"] })).steps[0], "open limit");
  assertEquals((await runWith({ a: () => 1 }, {}, { sides: ["limit"] }, ["java", "rocketd"])).steps, []);
});

Deno.test("rows are chosen by name, by chapter, and by how their names begin", () => {
  const names = (...words: string[]) => chosen(words).flatMap(({ rows }) => rows.map(({ name }) => name));
  assertEquals(names("send-1x1"), ["send-1x1"]);
  assertEquals(names("send"), ["send-4x16", "send-4x64", "send-1x1", "send-64x1"]);
  assertEquals(names("starts", "sync-flush"), ["sync-flush", "start-clean", "start-killed"]);
  assert(names("forms").includes("batch"));
  assert(!names().includes("producer-json-async-on-java") && names().includes("limit-4x16"));
  assert(names("producers-on-java").includes("producer-json-async-on-java"));
  assertThrows(() => chosen(["sned"]), Error, "there is no row sned");
});

Deno.test("rows have names of their own, and goals and limits name rows that there are", () => {
  const names = ROWS.map(({ name }) => name);
  assertEquals(names.length, new Set(names).size);
  assertEquals(CHAPTERS.length, new Set(CHAPTERS.map(({ name }) => name)).size);
  for (const { name, shows, goals = [], limit } of ROWS) {
    assert(shows.length > 0, name);
    for (const { against, atLeast, atMost } of goals) {
      assert((atLeast === undefined) !== (atMost === undefined), name);
      assert(against === undefined || names.includes(against), name);
    }
    assert(limit === undefined || names.includes(limit), name);
  }
});
