/**
 * Traces as clients of several versions write them.
 *
 * @module
 */
import { traceRows } from "../../../src/client/admin/commands/tracing.ts";
import { assertEquals } from "../../../src/std.ts";

const line = (...fields: (string | number | boolean)[]) => fields.join("\u0001");
const trace = (...lines: string[]) => ({
  bornHost: "10.0.0.1:5",
  text: () => lines.map((one) => `${one}\u0002`).join(""),
});
const rows = (...lines: string[]) =>
  traceRows("ID", trace(...lines)).map(({ type, group, time, ms, status }) => [type, group, time, ms, status]);

Deno.test("a sent message is told with its status, wherever a version puts it", () => {
  const sent = ["Pub", 100, "region", "PG", "Topic", "ID", "tag", "keys", "h:1", 5, 7, 0];
  assertEquals(rows(line(...sent, true)), [["Pub", "PG", 100, 7, "success"]]);
  assertEquals(rows(line(...sent, "OFFSETID", false)), [["Pub", "PG", 100, 7, "failed"]]);
  assertEquals(rows(line(...sent, "OFFSETID", true, "client")), [["Pub", "PG", 100, 7, "success"]]);
});

Deno.test("consumption is told by its end, with time and group where the client tells them", () => {
  const before = line("SubBefore", 100, "region", "CG", "req", "ID", 0, "keys");
  const after = ["SubAfter", "req", "ID", 9, true, "keys", 0];
  assertEquals(rows(before, line(...after, 200, "CG")), [["Sub", "CG", 200, 9, "success"]]);
  assertEquals(rows(line(...after)), [["Sub", null, null, 9, "success"]]);
});

Deno.test("traces of other messages, and what is no trace, are passed over", () => {
  assertEquals(rows(line("SubAfter", "req", "OTHER", 9, true, "keys", 0), "", "nonsense", line("Pub")), []);
});
