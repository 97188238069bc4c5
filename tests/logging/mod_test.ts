/**
 * The form of log lines.
 *
 * @module
 */
import type { LogRecord } from "@logtape/logtape";
import { LOG_LINE_LENGTH_MAX } from "../../src/limits.ts";
import { lineOf } from "../../src/logging/mod.ts";
import { assertEquals } from "../../src/std.ts";

const RECORD: LogRecord = {
  category: ["rocketd", "store"],
  level: "warning",
  timestamp: Date.UTC(2026, 10, 23, 10),
  message: ["opened ", "/data", ""],
  rawMessage: "opened {path}",
  properties: { path: "/data", files: 3, failure: { code: 5n } },
};

Deno.test("a log line has time, level, area, message, and the properties that the message does not tell", () => {
  assertEquals(
    lineOf(RECORD, false),
    '2026-11-23T10:00:00.000Z WARN store opened /data {files: 3, failure: {"code":"5"}}\n',
  );
});

Deno.test("a log line is one line, and cannot move the cursor, whatever came from outside", () => {
  const message = ["topic ", "a\nERROR forged\x1b[2J\u2028", ""];
  assertEquals(
    lineOf({ ...RECORD, message, rawMessage: "topic {name}", properties: {} }, false),
    "2026-11-23T10:00:00.000Z WARN store topic a\\nERROR forged\\u001b[2J\\u2028\n",
  );
});

Deno.test("a log line has an end, whatever came from outside", () => {
  const message = ["filter ", "x".repeat(1 << 20), ""];
  const line = lineOf({ ...RECORD, message, rawMessage: "filter {text}", properties: {} }, false);
  const expected = "2026-11-23T10:00:00.000Z WARN " + "store filter ".padEnd(LOG_LINE_LENGTH_MAX, "x") + "…\n";
  assertEquals(line, expected);
});

Deno.test("only the level has a colour, and only where it is asked for", () => {
  assertEquals(
    lineOf({ ...RECORD, properties: {} }, true),
    "2026-11-23T10:00:00.000Z \x1b[33mWARN\x1b[0m store opened /data\n",
  );
});
