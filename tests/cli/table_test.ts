/**
 * Tables for people: alignment, units, times, and nothing that moves the cursor.
 *
 * @module
 */
import { bytesText, durationText, resultText } from "../../src/cli/table.ts";
import { column, record, records, result, resultData, table, wide } from "../../src/client/admin/result.ts";
import { assertEquals } from "../../src/std.ts";

const things = table("things", {
  name: column("NAME", "text"),
  count: column("COUNT", "count"),
  secretSauce: wide("count"),
  size: column("SIZE", "bytes"),
  rate: column("IN", "rate"),
  perm: column("PERM", "perm"),
  at: column("AT", "time"),
  ok: column("OK", "flag"),
  tags: column("TAGS", "texts"),
});
const full = {
  name: "a",
  count: 12345,
  secretSauce: 7,
  size: 1536,
  rate: 2,
  perm: 6,
  at: Date.UTC(2026, 0, 31, 12, 0, 0, 5),
  ok: true,
  tags: ["x", "y"],
};
const empty = {
  name: null,
  count: null,
  secretSauce: null,
  size: null,
  rate: null,
  perm: 0,
  at: 0,
  ok: null,
  tags: [],
};

Deno.test("columns are aligned, numbers to the right, with units and ISO times", () => {
  const text = resultText(result(things([full, { ...empty, name: "longer", count: 1 }])));
  assertEquals(
    text,
    [
      "NAME    COUNT     SIZE      IN  PERM  AT                        OK   TAGS",
      "a       12345  1.5 KiB  2.00/s  RW    2026-01-31T12:00:00.005Z  yes  x, y",
      "longer      1        -       -  -     -                         -    -",
      "",
    ].join("\n"),
  );
});

Deno.test("a table may have very many rows", () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => ({ a: i }));
  const text = resultText(result(table("many", { a: column("A", "count") })(rows)));
  assertEquals(text.slice(0, 21), "     A\n     0\n     1\n");
});

Deno.test("a table without rows says so, and a record stands from top to bottom", () => {
  const one = record("one", { a: column("First", "text"), bb: column("The second", "ms") });
  const many = records("many", { a: column("A", "text") });
  const text = resultText(result([things([]), one({ a: "x\ny", bb: 90_000 }), many([{ a: "1" }, { a: "2" }])]));
  const lines = text.split("\n");
  assertEquals(lines.slice(1), [
    "none",
    "",
    "First       x",
    "            y",
    "The second  1 min 30 s",
    "",
    "A  1",
    "",
    "A  2",
    "",
  ]);
});

Deno.test("what a peer says cannot move the cursor, and long cells of tables are cut", () => {
  const named = table("named", { name: column("NAME", "text") });
  const text = resultText(result(named([{ name: "\x1b[2Jgone\r\n\x9b1m" }, { name: "x".repeat(500) }])));
  const [, first, second] = text.split("\n");
  assertEquals(first, "\\x1b[2Jgone\\x0d\\x0a\\x9b1m");
  assertEquals([second!.length, second!.at(-1)], [120, "…"]);
});

Deno.test("scripts get raw numbers, ISO times, wide columns and failures", () => {
  const failures = [{ name: "b", address: "h:1", reason: "gone" }];
  assertEquals(resultData(result(things([full, empty]), failures)), {
    things: [{ ...full, at: "2026-01-31T12:00:00.005Z" }, { ...empty, at: null }],
    failures,
  });
});

Deno.test("sizes and durations are told in the unit that suits", () => {
  assertEquals([0, 999, 1000, 1536, 5 * 2 ** 30].map(bytesText), ["0 B", "999 B", "1.0 KiB", "1.5 KiB", "5.0 GiB"]);
  const durations = [-1, 0, 1.234, 999, 1500, 60_000, 200_000, 7_500_000, 90_000_000].map(durationText);
  assertEquals(durations, [
    "-",
    "0 ms",
    "1.23 ms",
    "999 ms",
    "1.5 s",
    "1 min 0 s",
    "3 min 20 s",
    "2 h 5 min",
    "1 d 1 h",
  ]);
});
