/**
 * Reading a command's arguments by its table of flags.
 *
 * @module
 */
import { admin } from "../../src/cli/admin.ts";
import { bench } from "../../src/cli/bench/mod.ts";
import { checkConfig } from "../../src/cli/check_config.ts";
import { type Command, readArgs, UsageError } from "../../src/cli/command.ts";
import { consume } from "../../src/cli/consume.ts";
import { commandHelp, groupHelp, mainHelp } from "../../src/cli/help.ts";
import { produce } from "../../src/cli/produce.ts";
import { rolesOf } from "../../src/cli/role_flags.ts";
import { runCommand } from "../../src/cli/run.ts";
import { settingsCommand } from "../../src/cli/settings.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "../../src/std.ts";

const COMMAND: Command = {
  name: "try",
  summary: "Tries it",
  operands: "FILE",
  flags: [
    { name: "topic", short: "t", value: "TOPIC", help: "the topic", required: true },
    { name: "set", value: "KEY=VALUE", help: "a setting", repeats: true },
    { name: "count", value: "N", help: "how many" },
    { name: "quiet", help: "say nothing" },
  ],
  run: () => 0,
};

Deno.test("flags are read with their values after a space or an equals sign, or by their letter", () => {
  const args = readArgs(COMMAND, ["-t", "a", "--set=x=1", "--set", "y=2", "--quiet", "file", "--", "--not-a-flag"]);
  assertEquals([args.text("topic"), args.all("set")], ["a", ["x=1", "y=2"]]);
  assertEquals([args.has("quiet"), args.has("count"), args.text("count")], [true, false, undefined]);
  assertEquals(args.operands, ["file", "--not-a-flag"]);
});

Deno.test("a value may start with a dash", () => {
  assertEquals(readArgs(COMMAND, ["--topic", "-a", "--count", "-1"]).text("topic"), "-a");
});

for (
  const [args, message] of [
    [["--topc", "a"], "unknown flag --topc: did you mean --topic?"],
    [["--zzzzzzz"], "expected one of --topic, --set, --count, --quiet"],
    [["--topic"], "--topic needs a value: --topic TOPIC"],
    [["--topic", "a", "--topic", "b"], "--topic is given twice"],
    [["--topic", "a", "--quiet=yes"], "--quiet takes no value"],
    [[], "--topic TOPIC is missing"],
  ] as const
) {
  Deno.test(`wrong arguments are refused: ${message}`, () => {
    assertThrows(() => readArgs(COMMAND, args), UsageError, message);
  });
}

Deno.test("a command without operands refuses them", () => {
  assertThrows(() => readArgs({ flags: [] }, ["x"]), UsageError, 'unexpected argument "x"');
});

Deno.test("a number is whole and within its bounds", () => {
  const count = (text: string) => readArgs(COMMAND, ["-t", "a", "--count", text]).int("count", { min: 1, max: 9 });
  assertEquals([count("1"), count("9")], [1, 9]);
  for (const text of ["0", "10", "1.5", "x", ""]) {
    assertThrows(() => count(text), UsageError, `--count "${text}": expected a whole number from 1 to 9`);
  }
});

Deno.test("help shows every flag with its letter and value", () => {
  const help = commandHelp(COMMAND);
  assertStringIncludes(help, "Usage: rocketd try FILE [flags]");
  assertStringIncludes(help, "-t, --topic TOPIC");
  for (const { name, help: line } of COMMAND.flags) {
    assertStringIncludes(help, `--${name}`) ?? assertStringIncludes(help, line);
  }
});

Deno.test("roles are known, named once, and not master and slave at the same time", () => {
  assertEquals(rolesOf("nameserver,master"), ["nameserver", "master"]);
  for (const text of ["", "broker", "master,master", "master,slave", "master,"]) {
    assertThrows(() => rolesOf(text), UsageError, `--role ${JSON.stringify(text)}: expected`);
  }
});

Deno.test("every help fits a terminal of 80 columns, and says all there is to say", () => {
  const commands = [produce, consume, settingsCommand, checkConfig], groups = [bench, admin];
  const each = [...commands, ...groups.flatMap(({ sections }) => sections.flatMap(({ commands }) => commands))];
  const overviews = [mainHelp(runCommand, [...commands, ...groups]), ...groups.map(groupHelp)];
  const helps = [...overviews, ...each.map(commandHelp)];
  assertEquals(helps.flatMap((help) => help.split("\n")).filter((line) => line.length > 80), []);
  const flat = helps.map((help) => help.replace(/\s+/g, " "));
  each.forEach(({ flags, notes = [] }, i) => {
    for (const text of [...flags.map(({ help }) => help), ...notes]) {
      assertStringIncludes(flat[i + overviews.length]!, text.replace(/\s+/g, " "));
    }
  });
});
