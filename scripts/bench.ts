/**
 * Measures rocketd beside a warm Java 4.9.7 broker (or another binary of ours) on this machine: see `USAGE`. Rows are in
 * lib/bench/rows.ts.
 *
 * @module
 */
import { parseArgs } from "../src/std.ts";
import { hasJava } from "../tests/java.ts";
import { baseOf, shownGoal } from "./lib/bench/arithmetic.ts";
import { machine, touchMemory } from "./lib/bench/meters.ts";
import { METRICS, type Options, type Report, type RowResult, type Side } from "./lib/bench/model.ts";
import { enterFolder, print, run, say } from "./lib/bench/processes.ts";
import { KEPT, keptReport, renewReadme, reportText } from "./lib/bench/readme.ts";
import { CHAPTERS, chosen, ROWS } from "./lib/bench/rows.ts";
import { measureAll } from "./lib/bench/runner.ts";
import { figuresTable, goalsTable } from "./lib/bench/tables.ts";

const USAGE = `scripts/bench [ROW…] [flags]   measures these rows (a row, a chapter, or how names begin), else all
scripts/bench list            tells which rows there are
scripts/bench show [FILE]     prints the tables of figures that were kept, or of a file
scripts/bench chart           renews README.md's part and its chart from the figures that are kept

  --rounds N      rounds of each row (5)
  --seconds S     of each round (4)
  --warm S        how long Java's nodes are loaded before they count (25)
  --scale X       of the stores that rows fill: 0.1 for a quick try (1)
  --only SIDE     java, rocketd or limit alone
  --beside FILE   another binary of rocketd takes the place of Java's nodes
  --json FILE     where all rounds go (dist/bench.json)
  --keep          these rows' figures replace those that README.md shows: run scripts/bench chart after it

Ours is ROCKETD_BIN, or is compiled. Stores are below TMPDIR, of which all rows need 20 GB.`;

/** So much memory for each byte of messages: small ones are thrice as large on disk, and there may be a slave. */
const TOUCHED_PER_BYTE = 3.5, TOUCHED_MIB_PER_SECOND_MAX = 768;

/** Flags that nobody knows. */
const strange: string[] = [];
const flags = parseArgs(Deno.args, {
  string: ["rounds", "seconds", "warm", "scale", "only", "beside", "json"],
  boolean: ["keep", "help"],
  alias: { h: "help" },
  unknown: (name) => {
    if (name.startsWith("-")) strange.push(name);
    return true;
  },
});

function text(name: "only" | "beside" | "json"): string | undefined {
  const value = flags[name];
  return value === undefined ? undefined : String(value);
}

function number(name: "rounds" | "seconds" | "warm" | "scale", usual: number, min: number): number {
  const given = flags[name];
  const value = given === undefined ? usual : Number(given);
  if (!Number.isFinite(value) || value < min || (name !== "scale" && !Number.isInteger(value))) {
    throw new Error(`--${name} ${given}: expected a ${name === "scale" ? "" : "whole "}number from ${min} on`);
  }
  return value;
}

function list(): void {
  for (const { name, extra, rows } of CHAPTERS) {
    print(`${name}${extra ? " (only when named)" : ""}`);
    for (const row of rows) {
      const goals = (row.goals ?? []).map((goal) => `${METRICS[goal.metric].title} ${shownGoal(goal)}`).join("; ");
      print(`  ${row.name.padEnd(28)} ${row.title}${goals === "" ? "" : ` [${goals}]`}`);
    }
  }
}

/** The sides to measure, by what is wanted and what is there. */
function sides(options: Options): Side[] {
  const only = text("only");
  const usual: Side[] = options.beside === undefined ? ["java", "rocketd", "limit"] : ["other", "rocketd", "limit"];
  const wanted = only === undefined ? usual : usual.filter((side) => side === only);
  if (wanted.length === 0) throw new Error(`--only ${only}: expected ${usual.join(", ")}`);
  if (wanted.includes("java") && !hasJava()) return wanted.filter((side) => side !== "java");
  return wanted;
}

function tables(report: Report): void {
  const rows = ROWS.filter(({ name }) => name in report.rows);
  figuresTable(rows, report.rows).forEach(print);
  // What is to be reached is to be reached beside Java.
  const isWithJava = rows.every(({ name }) => baseOf(report.rows[name]!) === "java");
  if (isWithJava) ["", ...goalsTable(rows, report.rows)].forEach(print);
}

async function measure(words: readonly string[]): Promise<boolean> {
  const beside = text("beside"), { keep } = flags;
  const options: Options = {
    rounds: number("rounds", 5, 1),
    seconds: number("seconds", 4, 1),
    warm: number("warm", 25, 0),
    scale: number("scale", 1, 0),
    beside: beside === undefined ? undefined : await Deno.realPath(beside),
  };
  const wanted = sides(options);
  if (keep && (text("only") !== undefined || options.scale !== 1 || !wanted.includes("java"))) {
    throw new Error("--keep is for whole comparisons with Java: without --beside, --only and --scale, and with Java");
  }
  const chapters = chosen(words);
  const rows: Record<string, RowResult> = {};
  const path = text("json") ?? new URL("../dist/bench.json", import.meta.url);
  await Deno.mkdir(new URL("../dist", import.meta.url), { recursive: true });
  enterFolder();
  const report: Report = { machine: await machine(Deno.env.get("ROCKETD_BIN")!), rows };
  await measureAll(chapters, {
    options,
    sides: wanted,
    say,
    calm: async (last) => {
      // What was written goes to disk before the next side's turn.
      await run("sync");
      const mib = Math.min((last?.mib ?? 0) * TOUCHED_PER_BYTE, TOUCHED_MIB_PER_SECOND_MAX) * options.seconds;
      touchMemory(mib * 2 ** 20);
    },
    finished: async (name, result) => {
      rows[name] = result;
      await Deno.writeTextFile(path, reportText(report));
    },
  });
  if (keep) {
    const kept = await keptReport();
    await Deno.writeTextFile(KEPT, reportText({ ...report, rows: { ...kept?.rows, ...rows } }));
  }
  tables(report);
  return Object.values(rows).every(({ failures }) => Object.keys(failures).length === 0);
}

async function main(): Promise<boolean> {
  if (strange.length > 0) throw new Error(`there is no flag ${strange[0]}: see scripts/bench --help`);
  const [word, file] = flags._.map(String);
  if (flags.help) print(USAGE);
  else if (word === "list") list();
  else if (word === "chart") {
    if (!await renewReadme()) say("README.md has no markers for its part: only the chart was renewed");
  } else if (word === "show") {
    const report = await keptReport(file ?? KEPT);
    if (report === undefined) throw new Error("there are no figures");
    tables(report);
  } else return await measure(flags._.map(String));
  return true;
}

let code = 1;
try {
  code = await main() ? 0 : 1;
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
}
Deno.exit(code);
