/**
 * Which names are legal.
 *
 * @module
 */
import {
  checkGroup,
  checkTopic,
  deadLetterTopic,
  isDeadLetterTopic,
  isRetryTopic,
  isSystemGroup,
  isSystemTopic,
  replyTopic,
  retryTopic,
} from "../../src/protocol/names.ts";
import { assertEquals } from "../../src/std.ts";

Deno.test("checkTopic() and checkGroup() let legal names pass", () => {
  for (const name of ["T", "%RETRY%my-group", "a|b_c-9", "x".repeat(127)]) assertEquals(checkTopic(name), undefined);
  assertEquals(checkGroup("x".repeat(255)), undefined);
});

Deno.test("checkTopic() says in RocketMQ's words what is wrong, and with which value", () => {
  assertEquals(checkTopic(""), "The specified topic is blank.");
  assertEquals(checkTopic("  "), "The specified topic is blank.");
  assertEquals(
    checkTopic("a b"),
    'The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$: "a b"',
  );
  assertEquals(
    checkTopic("x".repeat(128)),
    `The specified topic is longer than topic max length 127: "${"x".repeat(127)}…"`,
  );
});

Deno.test("no legal name is a path", () => {
  for (const name of [".", "..", "../x", "a/b", "a\\b", "a.b", "a\0", "a\n", "ünï", "/etc"]) {
    assertEquals(typeof checkTopic(name), "string", name);
    assertEquals(typeof checkGroup(name), "string", name);
  }
  assertEquals(
    checkGroup("g/h"),
    'the specified group contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$: "g/h"',
  );
  assertEquals(
    checkGroup("x".repeat(256))?.startsWith("the specified group is longer than group max length 255"),
    true,
  );
});

Deno.test("derived and system names are RocketMQ's", () => {
  assertEquals(retryTopic("G"), "%RETRY%G");
  assertEquals(deadLetterTopic("G"), "%DLQ%G");
  assertEquals(replyTopic("DefaultCluster"), "DefaultCluster_REPLY_TOPIC");
  assertEquals([isRetryTopic("%RETRY%G"), isRetryTopic("G"), isDeadLetterTopic("%DLQ%G")], [true, false, true]);
  assertEquals(["TBW102", "rmq_sys_x", "T"].map(isSystemTopic), [true, true, false]);
  assertEquals(["CID_RMQ_SYS_x", "TOOLS_CONSUMER", "G"].map(isSystemGroup), [true, true, false]);
});
