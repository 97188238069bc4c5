/**
 * The table of administrators' commands: complete, without clashes, and usable for help, completion and HTTP.
 *
 * @module
 */
import { ADMIN_COMMANDS, findAdminCommand } from "../../../src/client/admin/mod.ts";
import { admin } from "../../../src/cli/admin.ts";
import { assert, assertEquals } from "../../../src/std.ts";
import { MQADMIN, WITHOUT_COMMAND, WITHOUT_LETTER } from "./mqadmin.ts";

const cliFlags = (name: string) => admin.find(name)?.flags ?? [];

Deno.test("rocketd admin has every command of mqadmin, but for those that are listed with a reason", () => {
  const missing = Object.keys(MQADMIN).filter((name) => findAdminCommand(name)?.name !== name);
  assertEquals(missing, Object.keys(WITHOUT_COMMAND));
});

Deno.test("a command has every letter of mqadmin's, but for those that are listed with a reason", () => {
  const missing = Object.entries(MQADMIN).filter(([name]) => !(name in WITHOUT_COMMAND)).flatMap(([name, letters]) => {
    const own = cliFlags(name).map(({ short }) => short);
    return [...letters].filter((letter) => !own.includes(letter)).map((letter) => `${name} ${letter}`);
  });
  assertEquals(missing.sort(), Object.keys(WITHOUT_LETTER).sort());
});

Deno.test("no two flags of a command are spelt alike", () => {
  for (const { name } of ADMIN_COMMANDS) {
    const spellings = cliFlags(name).flatMap(({ name, short, aliases = [] }) => [name, ...aliases, ...(short ?? "")]);
    assertEquals(spellings.filter((one, i) => spellings.indexOf(one) !== i), [], name);
    assert(!spellings.includes("h") && !spellings.includes("help"), name);
  }
});

Deno.test("no two commands have the same name", () => {
  const names = ADMIN_COMMANDS.flatMap(({ name, aliases = [] }) => [name, ...aliases]).map((name) =>
    name.toLowerCase()
  );
  assertEquals(names.filter((name, i) => names.indexOf(name) !== i), []);
});

Deno.test("a command is found by its name in any case and by mqadmin's other names", () => {
  assertEquals(findAdminCommand("TOPICLIST")?.name, "topicList");
  assertEquals(findAdminCommand("getAccessConfigSubCommand")?.name, "getAclConfig");
  assertEquals(findAdminCommand("constructor"), undefined);
});

Deno.test("what loses something asks, and what only reads neither asks nor changes", () => {
  const asking = ADMIN_COMMANDS.filter(({ asks }) => asks !== undefined).map(({ name }) => name).sort();
  assertEquals(asking, [
    "cleanExpiredCQ",
    "cleanUnusedTopic",
    "cloneGroupOffset",
    "deleteAclConfig",
    "deleteExpiredCommitLog",
    "deleteKvConfig",
    "deleteSubGroup",
    "deleteTopic",
    "resetOffsetByTime",
    "skipAccumulatedMessage",
    "updateOrderConf",
    "wipeWritePerm",
  ]);
  for (const { name, asks, changes } of ADMIN_COMMANDS) assert(!asks || changes, name);
});

Deno.test("summaries are one line without a full stop", () => {
  for (const { name, summary, options } of ADMIN_COMMANDS) {
    assert(summary.length <= 90 && !/[\n.]$/.test(summary) && /^[A-Z]/.test(summary), `${name}: ${summary}`);
    for (const [option, { help }] of Object.entries(options)) assert(!/\.$/.test(help), `${name} --${option}: ${help}`);
  }
});
