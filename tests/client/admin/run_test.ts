/**
 * What programs may and may not ask administrators' commands for.
 *
 * @module
 */
import { Admin, type AdminRunOptions } from "../../../src/client/mod.ts";
import { RocketdError } from "../../../src/errors.ts";
import { assertEquals, assertRejects, assertThrows } from "../../../src/std.ts";

const nameservers = "127.0.0.1:1";

const WRONG: [command: string, options: AdminRunOptions, message: string, field: string][] = [
  ["noSuchCommand", {}, "Cannot run noSuchCommand: there is no such command of administrators", "command"],
  ["toString", {}, "Cannot run toString: there is no such command of administrators", "command"],
  ["topicStatus", { topics: "T" }, "Cannot run topicStatus: it has no option topics, allowed is topic", "topics"],
  ["topicStatus", { toString: "T" }, "Cannot run topicStatus: it has no option toString, allowed is topic", "toString"],
  ["topicStatus", {}, "Cannot run topicStatus: --topic TOPIC is missing", "topic"],
  ["topicstatus", { topic: undefined }, "Cannot run topicStatus: --topic TOPIC is missing", "topic"],
  ["topicStatus", { topic: "" }, 'Cannot run topicStatus: --topic "": expected something that is not blank', "topic"],
];

Deno.test("a command or option that is not there, and a value that cannot be, are refused by their names", async () => {
  await using admin = new Admin({ nameservers });
  for (const [command, options, message, field] of WRONG) {
    const error = await assertRejects(() => admin.run(command, options), RocketdError);
    assertEquals([error.code, error.message, error.details.field], ["invalidArgument", message, field]);
  }
});

Deno.test("a time that cannot be waited is refused before anybody is asked", () => {
  for (const timeoutMs of [0, -1, NaN, Infinity, 2 ** 31]) {
    const error = assertThrows(() => new Admin({ nameservers, timeoutMs }), RocketdError, "timeoutMs");
    assertEquals([error.code, error.details.value], ["invalidArgument", timeoutMs]);
  }
});
