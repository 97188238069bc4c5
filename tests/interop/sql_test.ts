/**
 * SQL92 expressions are taken, refused and evaluated as RocketMQ's own filter does it: the table of the unit tests, and
 * random expressions over random properties.
 *
 * @module
 */
import fc from "fast-check";
import { assertEquals } from "../../src/std.ts";
import { ACCEPTED, answerOf, type Properties, REFUSED, textOf } from "../broker/sql/sql_cases.ts";
import { hasJava, SERVER_VERSION } from "../java.ts";
import { JavaShell } from "./java_shell.ts";

/** An expression and the messages that it is asked of. */
type Question = readonly [expression: string, messages: readonly Properties[]];

/** Expressions that are made up; each is asked of a few messages. */
const RANDOM_EXPRESSIONS = 20_000;

const NAMES = ["a", "b", "c"];
const VALUES = [
  ..."0 1 5 -0 -1 -5 +5 05 6 5.0 5.5 .5 5. 1e1 5e-1 5L 5f 5D 0x5 0x1p2 0x.8P1 -0x1p0 NaN -NaN Infinity -Infinity".split(
    " ",
  ),
  ..."2147483647 2147483648 -2147483648 -2147483649 9223372036854775807 9223372036854775808".split(" "),
  ..."-9223372036854775808 -9223372036854775809 1e400 0000000000000000000000005 true TRUE tRuE false x X y".split(" "),
  ..." 5|5 |\t5|it's|5,0|1_0|+|-|.|e|中文|- 5".split("|"),
];
const NUMBERS = [
  ..."0 1 5 6 5L 5l 10 0.5 5.0 5. .5 1e1 1E+1 5e-1 2147483647 2147483648 9223372036854775807 5000000000L".split(" "),
  ..."0.0 0L 007 007.5 9223372036854775808 1e400 1e-400 4.9e-324 2e308 9007199254740993 9007199254740992.0".split(" "),
];
const TEXTS = ["''", "'x'", "'X'", "'5'", "'5.0'", "'true'", "'it''s'", "'中文'", "' '", "'--'"];
const SIGNS = "= <> < <= > >= ( ) , + - != == ' . # /* */ -- ;".split(" ");
const WORDS = "AND OR NOT BETWEEN IN IS NULL TRUE FALSE and Or nOt in is null true LIKE CONTAINS".split(" ");

const name = fc.constantFrom(...NAMES);
const space = fc.constantFrom(" ", " ", " ", "\n", "\t", "/**/", " /* a ** b */ ", " -- c\n", "\r\n");
const value = fc.oneof(fc.constantFrom(...VALUES), fc.constantFrom("0", "1", "5", "6"));
const properties = fc.dictionary(name, value, { minKeys: 1, maxKeys: 3 });

/** Mostly right expressions: any value where a value may stand. */
const { condition } = fc.letrec<{ value: string; condition: string }>((tie) => {
  const value = tie("value"), condition = tie("condition");
  const join = (...parts: (string | fc.Arbitrary<string>)[]) =>
    fc.tuple(...parts.map((part) => typeof part === "string" ? fc.constant(part) : part)).map((all) => all.join(" "));
  const texts = fc.array(fc.constantFrom(...TEXTS), { minLength: 1, maxLength: 6 }).map((all) => `(${all.join(", ")})`);
  const sign = fc.constantFrom("=", "<>", "<", "<=", ">", ">=");
  const maybeNot = fc.constantFrom("", "NOT");
  return {
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 6, arbitrary: name },
      { weight: 6, arbitrary: fc.constantFrom(...NUMBERS) },
      { weight: 2, arbitrary: fc.constantFrom(...TEXTS, "TRUE", "FALSE", "NULL") },
      { weight: 2, arbitrary: join(fc.constantFrom("-", "+", "- -"), value) },
      { weight: 1, arbitrary: join("(", condition, ")") },
      { weight: 1, arbitrary: join("(", value, ")") },
    ),
    condition: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      { weight: 8, arbitrary: join(value, sign, value) },
      { weight: 2, arbitrary: join(value, maybeNot, "BETWEEN", value, "AND", value) },
      { weight: 2, arbitrary: join(name, maybeNot, "IN", texts) },
      { weight: 1, arbitrary: join(value, maybeNot, "IN", texts) },
      { weight: 2, arbitrary: join(value, "IS", maybeNot, "NULL") },
      { weight: 2, arbitrary: join("NOT", condition) },
      { weight: 3, arbitrary: join("(", condition, ")") },
      { weight: 6, arbitrary: join(condition, fc.constantFrom("AND", "OR", "and", "Or"), condition) },
      { weight: 1, arbitrary: join(value, sign, value, sign, value) },
      { weight: 1, arbitrary: value },
    ),
  };
});

/** Words in any order. */
const soup = fc.array(fc.constantFrom(...NAMES, ...NUMBERS, ...TEXTS, ...SIGNS, ...WORDS), { maxLength: 9 })
  .chain((words) =>
    fc.array(fc.oneof(space, fc.constant("")), { minLength: 10, maxLength: 10 })
      .map((spaces) => words.map((word, i) => spaces[i] + word).join(""))
  );

/** Right but for one word that was put in, taken out or put in place of another. */
const damaged = fc.tuple(
  condition,
  fc.nat(),
  fc.nat({ max: 1 }),
  fc.constantFrom("", ...NUMBERS, ...TEXTS, ...SIGNS, ...WORDS),
)
  .map(([text, at, removed, word]) => {
    const words = text.split(" ");
    return words.toSpliced(at % words.length, removed, word).join(" ");
  });

const question: fc.Arbitrary<Question> = fc.tuple(
  fc.oneof({ weight: 5, arbitrary: condition }, { weight: 2, arbitrary: soup }, { weight: 3, arbitrary: damaged }),
  fc.array(properties, { minLength: 4, maxLength: 4 }),
);

/** What RocketMQ says, in the letters of `answerOf`. */
async function answersOfJava(java: JavaShell, questions: readonly Question[]): Promise<string[]> {
  const dir = await Deno.makeTempDir({ prefix: "rocketd-sql-" });
  try {
    const base64 = (text: string) => new TextEncoder().encode(text).toBase64();
    const lines = questions.map(([sql, messages]) => [sql, ...messages.map(textOf)].map(base64).join(" "));
    await Deno.writeTextFile(`${dir}/questions`, lines.join("\n") + "\n");
    await java.run("sql-evaluate", `${dir}/questions`, `${dir}/answers`);
    return (await Deno.readTextFile(`${dir}/answers`)).trimEnd().split("\n");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test({
  name: "SQL92 expressions mean what they mean to RocketMQ",
  ignore: !hasJava(),
  fn: async (t) => {
    await using java = await JavaShell.start(`server-${SERVER_VERSION}`, "JSON", "127.0.0.1:9876");
    await t.step("the table of the unit tests", async () => {
      const table: [Question, string][] = [
        ...ACCEPTED.map((
          [sql, ...messages],
        ): [Question, string] => [
          [sql, messages.map(([properties]) => properties)],
          messages.map(([, letter]) => letter).join(""),
        ]),
        ...REFUSED.map(([sql]): [Question, string] => [[sql, []], "R"]),
      ];
      const answers = await answersOfJava(java, table.map(([question]) => question));
      const differing = table.flatMap(([[sql], expected], i) =>
        answers[i] === expected ? [] : [{ sql, expected, java: answers[i] }]
      );
      assertEquals(differing, []);
    });
    await t.step(`${RANDOM_EXPRESSIONS} random expressions`, async () => {
      const seed = Number(Deno.env.get("SEED") ?? Date.now() % 1_000_000_000);
      const questions = fc.sample(question, { numRuns: RANDOM_EXPRESSIONS, seed });
      const answers = await answersOfJava(java, questions);
      const differing = questions.flatMap(([sql, messages], i) => {
        const ours = answerOf(sql, messages);
        return ours === answers[i] ? [] : [{ sql, messages, ours, java: answers[i] }];
      });
      differing.sort((a, b) => a.sql.length - b.sql.length);
      assertEquals(differing.slice(0, 5), [], `${differing.length} differ with SEED=${seed}`);
      // All kinds of answers came up, so that the sample says something.
      const letters = new Set(answers.join(""));
      assertEquals([..."RTFNX"].filter((letter) => !letters.has(letter)), []);
    });
  },
});
