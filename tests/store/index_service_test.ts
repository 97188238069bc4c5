/** The index by key: bytes on disk, and its behaviour against a plain list, through clean closes and crashes. @module */
import fc from "fast-check";
import { RocketdError } from "../../src/errors.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "../../src/std.ts";
import { IndexService } from "../../src/store/index_service.ts";
import { indexHash, javaHash } from "../../src/protocol/java_hash.ts";
import type { DispatchEntry } from "../../src/store/types.ts";
import { CountingDisk, hex, inFolder } from "./counting_disk.ts";
import { ALWAYS, entry, fileNames, lookup, ROOMY, SMALL, T0 } from "./index_kit.ts";

function viewOf(path: string): DataView {
  return new DataView(Deno.readFileSync(path).buffer);
}

Deno.test("IndexService writes RocketMQ's header, slots and entries", () =>
  inFolder((folder) => {
    const index = IndexService.open(folder, SMALL, denoDisk, false);
    index.put(entry(0x1_0000_0010, "k1"));
    index.put(entry(0x1_0000_0020, "k1", { storeTimestamp: T0 + 2500, keys: "k2" }));
    index.close();
    const [name] = fileNames(folder);
    assertMatch(name!, /^\d{17}$/);
    const bytes = Deno.readFileSync(`${folder}/${name}`);
    assertEquals(bytes.length, 40 + 4 * 7 + 20 * 20);
    const [h1, h2] = [javaHash("T#k1"), javaHash("T#k2")];
    assertEquals([h1 % 7 !== h2 % 7, h1 > 0, h2 > 0], [true, true, true]);
    const view = new DataView(bytes.buffer);
    assertEquals([view.getBigInt64(0), view.getBigInt64(8)], [BigInt(T0), BigInt(T0 + 2500)]);
    assertEquals(hex(bytes.subarray(16, 40)), "0000000100000010" + "0000000100000020" + "00000002" + "00000004");
    assertEquals([view.getInt32(40 + 4 * (h1 % 7)), view.getInt32(40 + 4 * (h2 % 7))], [2, 3]);
    const entries = [0, 1, 2, 3].map((n) => hex(bytes.subarray(68 + 20 * n, 88 + 20 * n)));
    const word = (n: number) => n.toString(16).padStart(8, "0");
    assertEquals(entries, [
      "00".repeat(20),
      word(h1) + "0000000100000010" + word(0) + word(0),
      word(h1) + "0000000100000020" + word(2) + word(1),
      word(h2) + "0000000100000020" + word(2) + word(0),
    ]);
  }));

Deno.test("IndexService indexes the unique key and each word of the keys, and nothing of rollback records", () =>
  inFolder((folder) => {
    const index = IndexService.open(folder, SMALL, denoDisk, false);
    index.put(entry(0, "u", { keys: " a  bc " }));
    index.put(entry(100, "", { keys: "a" }));
    index.put(entry(200, "u", { sysFlag: 12 }));
    index.put(entry(300, "u", { sysFlag: 4 }));
    index.put(entry(400, ""));
    assertEquals(lookup(index, "T", "u", 9, ...ALWAYS), [300, 0]);
    assertEquals(lookup(index, "T", "a", 9, ...ALWAYS), [100, 0]);
    assertEquals(lookup(index, "T", "bc", 9, ...ALWAYS), [0]);
    assertEquals(lookup(index, "T", "a  bc", 9, ...ALWAYS), []);
    assertEquals(lookup(index, "X", "a", 9, ...ALWAYS), []);
    assertEquals(lookup(index, "T", "a", 1, ...ALWAYS), [100]);
    assertEquals([index.endLogOffset, index.endTimestamp], [300, T0]);
    index.close();
  }));

Deno.test("IndexService gives both records when their keys' hashes collide", () =>
  inFolder((folder) => {
    const index = IndexService.open(folder, SMALL, denoDisk, false);
    index.put(entry(0, "Aa"));
    index.put(entry(100, "BB"));
    assertEquals(lookup(index, "T", "Aa", 9, ...ALWAYS), [100, 0]);
    index.close();
  }));

Deno.test("IndexService finds a key whose hash is the number without opposite", () =>
  inFolder((folder) => {
    const index = IndexService.open(folder, SMALL, denoDisk, false);
    // T#… with this hash, found by trying.
    const key = keyWithHash(-2147483648, "T#");
    index.put(entry(5, key));
    index.close();
    const again = IndexService.open(folder, SMALL, denoDisk, false);
    assertEquals(lookup(again, "T", key, 9, ...ALWAYS), [5]);
    again.close();
    assertEquals(viewOf(`${folder}/${fileNames(folder)[0]}`).getInt32(68 + 20), 0);
  }));

/** A text that continues `prefix` so that the whole has this hash. */
function keyWithHash(wanted: number, prefix: string): string {
  // Digits in base 31, each well inside the printable range, taken from the end.
  for (let lead = 0;; lead++) {
    const seed = javaHash(String(lead), 0, String(lead).length, javaHash(prefix));
    let rest = (wanted - Math.imul(seed, 31 ** 6)) >>> 0;
    const units: number[] = [];
    for (let i = 0; i < 6; i++) {
      const unit = 64 + (((rest - 64) % 31) + 31) % 31;
      units.unshift(unit);
      rest = (rest - unit) / 31;
    }
    if (rest === 0) return String(lead) + String.fromCharCode(...units);
    const text = String(lead) + String.fromCharCode(...units);
    if (javaHash(prefix + text) === wanted) return text;
  }
}

Deno.test("IndexService asks only for times between begin and end, with RocketMQ's whole seconds", () =>
  inFolder((folder) => {
    const index = IndexService.open(folder, SMALL, denoDisk, false);
    for (let i = 0; i < 5; i++) index.put(entry(i * 10, "k", { storeTimestamp: T0 + i * 1000 + (i > 0 ? 700 : 0) }));
    assertEquals(lookup(index, "T", "k", 9, T0 + 1000, T0 + 3000), [30, 20, 10]);
    assertEquals(lookup(index, "T", "k", 9, T0 + 1001, T0 + 2999), [20]);
    assertEquals(lookup(index, "T", "k", 9, 0, T0 - 1), []);
    assertEquals(lookup(index, "T", "k", 9, T0 + 5000, T0 + 9000), []);
    index.close();
  }));

Deno.test("IndexService begins a new file when a record's keys find no room, and says when the old one is safe", () =>
  inFolder(async (folder) => {
    const safe: number[] = [];
    const options = { ...SMALL, onFull: (end: number) => safe.push(end) };
    const index = IndexService.open(folder, options, denoDisk, false);
    for (let i = 0; i < 30; i++) {
      index.put(entry(i * 10, `u${i}`, { keys: "same other", storeTimestamp: T0 + i * 1000 }));
    }
    // 19 entries fit, so six records of three keys each.
    assertEquals(fileNames(folder).length, 5);
    assertEquals(safe, []);
    await index.sync();
    assertEquals(safe, [5, 11, 17, 23].map((i) => T0 + i * 1000));
    assertEquals(lookup(index, "T", "same", 100, ...ALWAYS), Array.from({ length: 30 }, (_, i) => (29 - i) * 10));
    assertEquals(lookup(index, "T", "u3", 9, ...ALWAYS), [30]);
    index.close();
    const second = viewOf(`${folder}/${fileNames(folder)[1]}`);
    // The first entry of a new file counts its seconds from the end of the file before.
    assertEquals([second.getInt32(68 + 20 + 12), second.getBigInt64(0)], [1, BigInt(T0 + 6000)]);
    const again = IndexService.open(folder, SMALL, denoDisk, false);
    assertEquals(lookup(again, "T", "other", 4, ...ALWAYS), [290, 280, 270, 260]);
    again.deleteBelow(180);
    assertEquals(fileNames(folder).length, 2);
    assertEquals(lookup(again, "T", "u3", 9, ...ALWAYS), []);
    again.deleteBelow(1e9);
    assertEquals(fileNames(folder).length, 1);
    again.close();
  }));

Deno.test("IndexService splits a record that has more keys than a file has room", () =>
  inFolder((folder) => {
    const index = IndexService.open(folder, SMALL, denoDisk, false);
    index.put(entry(10, "", { keys: Array.from({ length: 45 }, (_, i) => `k${i}`).join(" ") }));
    for (let i = 0; i < 45; i++) assertEquals(lookup(index, "T", `k${i}`, 9, ...ALWAYS), [10]);
    assertEquals(fileNames(folder).length, 3);
    index.close();
  }));

Deno.test("IndexService behaves like a list through puts, flushes, cuts, clean closes and crashes", () =>
  inFolder((folder) => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ op: fc.constant("put" as const), n: fc.integer({ min: 1, max: 30 }) }) },
      fc.record({ op: fc.constantFrom("flush" as const, "close" as const, "crash" as const), n: fc.constant(0) }),
      fc.record({ op: fc.constant("cut" as const), n: fc.integer({ min: 0, max: 100 }) }),
    );
    let run = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const home = `${folder}/${run++}`;
        const options = { ...SMALL, maxIndexNum: 64 };
        let process = new CountingDisk();
        let index = IndexService.open(home, options, process.disk, false);
        let log: { readonly record: DispatchEntry; readonly words: readonly string[] }[] = [];
        for (const { op, n } of steps) {
          if (op === "put") {
            for (let i = 0; i < n; i++) {
              const at = log.length;
              const keys = at % 3 === 0 ? `k${at % 5}` : at % 3 === 1 ? `k${at % 4} k4` : "";
              const uniqKey = `u${at % 11}`;
              const record = entry(at * 100, uniqKey, { keys, storeTimestamp: T0 + at * 300 });
              log.push({ record, words: [uniqKey, ...keys.split(" ")] });
              index.put(record);
            }
          } else if (op === "flush") {
            index.flush();
          } else if (op === "cut") {
            const keep = Math.floor(log.length * n / 100);
            index.truncateFrom(keep * 100);
            assert(index.endLogOffset < keep * 100);
            log = log.slice(0, keep);
          } else {
            if (op === "close") index.close();
            process.kill();
            process = new CountingDisk();
            index = IndexService.open(home, options, process.disk, op === "crash");
            const end = index.endLogOffset;
            if (op === "close") assertEquals(end, log.at(-1)?.record.logOffset ?? -1);
            // The log is walked again from its begin; what is there is passed over.
            for (const { record } of log) index.put(record);
          }
          for (const key of ["u0", "u7", "k0", "k2", "k4", "none"]) {
            const expected = log.filter(({ words }) => words.includes(key)).map(({ record }) => record.logOffset)
              .reverse();
            assertEquals(lookup(index, "T", key, 1e6, ...ALWAYS), expected, `${key} after ${op}`);
            assertEquals(lookup(index, "T", key, 2, ...ALWAYS), expected.slice(0, 2));
          }
        }
        index.close();
        assertEquals(process.openNow, 0);
      }),
      { numRuns: 80 },
    );
  }));

Deno.test("IndexService's header on disk never counts an entry that is not there", () =>
  inFolder((folder) => {
    const index = IndexService.open(folder, ROOMY, denoDisk, false);
    let at = 0;
    for (let round = 0; round < 4; round++) {
      // More than what is gathered in memory, so that entries go out between two flushes.
      for (let i = 0; i < 5000; i++, at++) index.put(entry(at * 100, `u${at}`));
      if (round % 2 === 1) index.flush();
      const view = viewOf(`${folder}/${fileNames(folder)[0]}`);
      const next = Math.max(1, view.getInt32(36));
      assertEquals(next, round === 0 ? 1 : round === 3 ? 20_001 : 10_001);
      for (const n of [1, next - 1]) {
        if (n < next && n > 0) {
          assertEquals(view.getInt32(40 + 4 * 100_000 + 20 * n), indexHash(javaHash(`T#u${n - 1}`)));
        }
      }
    }
    index.close();
  }));

Deno.test("IndexService cuts at the first entry that a power loss left unwritten, and the whole record with it", () =>
  inFolder((folder) => {
    const index = IndexService.open(folder, ROOMY, denoDisk, false);
    for (let i = 0; i < 1000; i++) index.put(entry(i * 100, `u${i}`, { keys: "even" }));
    index.close();
    const path = `${folder}/${fileNames(folder)[0]}`;
    const bytes = Deno.readFileSync(path);
    // Entry 1002 is the second one of record 500.
    bytes.fill(0, 40 + 400_000 + 20 * 1002, 40 + 400_000 + 20 * 1300);
    Deno.writeFileSync(path, bytes);
    const again = IndexService.open(folder, ROOMY, denoDisk, true);
    assertEquals(again.endLogOffset, 499 * 100);
    assert(again.endTimestamp >= T0);
    for (let i = 0; i < 1000; i++) again.put(entry(i * 100, `u${i}`, { keys: "even" }));
    for (const i of [0, 499, 500, 501, 999]) assertEquals(lookup(again, "T", `u${i}`, 9, ...ALWAYS), [i * 100]);
    assertEquals(lookup(again, "T", "even", 2000, ...ALWAYS).length, 1000);
    again.close();
  }));

Deno.test("IndexService checks full files that were not known to be safe, and drops what follows a loss", () =>
  inFolder((folder) => {
    const index = IndexService.open(folder, SMALL, denoDisk, false);
    for (let i = 0; i < 60; i++) index.put(entry(i * 100, `u${i}`, { storeTimestamp: T0 + i * 1000 }));
    index.close();
    const names = fileNames(folder);
    assertEquals(names.length, 4);
    const bytes = Deno.readFileSync(`${folder}/${names[1]}`);
    bytes.fill(0, 68 + 20 * 5, 68 + 20 * 9);
    Deno.writeFileSync(`${folder}/${names[1]}`, bytes);
    const again = IndexService.open(folder, { ...SMALL, safeUntil: T0 + 18_000 }, denoDisk, true);
    assertEquals(fileNames(folder), names.slice(0, 2));
    // Entry 4 is record 22's; whether that had more cannot be told, so it goes too.
    assertEquals(again.endLogOffset, 2100);
    for (let i = 0; i < 60; i++) again.put(entry(i * 100, `u${i}`, { storeTimestamp: T0 + i * 1000 }));
    for (let i = 0; i < 60; i++) assertEquals(lookup(again, "T", `u${i}`, 9, ...ALWAYS), [i * 100]);
    again.close();
  }));

Deno.test("IndexService does not follow a chain in a circle", () =>
  inFolder((folder) => {
    const index = IndexService.open(folder, SMALL, denoDisk, false);
    for (let i = 0; i < 4; i++) index.put(entry(i * 100, "k"));
    index.close();
    const path = `${folder}/${fileNames(folder)[0]}`;
    const view = viewOf(path);
    view.setInt32(68 + 20 * 2 + 16, 4);
    Deno.writeFileSync(path, new Uint8Array(view.buffer));
    const again = IndexService.open(folder, SMALL, denoDisk, false);
    assertEquals(lookup(again, "T", "k", 9, ...ALWAYS), [300, 200, 100]);
    again.close();
  }));

Deno.test("IndexService names files by local time and keeps their order when the clock is set back", () =>
  inFolder((folder) => {
    let now = new Date(2026, 10, 23, 4, 5, 6, 78).getTime();
    const index = IndexService.open(folder, { ...SMALL, now: () => now }, denoDisk, false);
    for (let i = 0; i < 60; i++, now -= 1000) index.put(entry(i * 100, `u${i}`));
    assertEquals(fileNames(folder), [
      "20261123040506078",
      "20261123040506079",
      "20261123040506080",
      "20261123040506081",
    ]);
    assertEquals(lookup(index, "T", "u59", 9, ...ALWAYS), [5900]);
    index.close();
  }));

Deno.test("IndexService refuses to load a file of another size, names it, and passes over other files", () =>
  inFolder((folder) => {
    const index = IndexService.open(folder, SMALL, denoDisk, false);
    index.put(entry(0, "k"));
    index.close();
    Deno.writeTextFileSync(`${folder}/notes.txt`, "not an index");
    IndexService.open(folder, SMALL, denoDisk, false).close();
    const error = assertThrows(
      () => IndexService.open(folder, { ...SMALL, maxIndexNum: 21 }, denoDisk, false),
      RocketdError,
    );
    assertStringIncludes((error as Error).message, `${folder}/${fileNames(folder)[0]}`);
  }));

Deno.test("IndexService loads a folder in which a crash left a new file empty", () =>
  inFolder((folder) => {
    Deno.writeFileSync(`${folder}/20260101000000000`, new Uint8Array(0));
    const index = IndexService.open(folder, SMALL, denoDisk, true);
    assertEquals([index.endLogOffset, index.endTimestamp], [-1, 0]);
    index.put(entry(0, "k"));
    assertEquals(lookup(index, "T", "k", 9, ...ALWAYS), [0]);
    index.close();
  }));

Deno.test("IndexService gathers entries, reads the slot table only when it must, and walks a chain in few reads", () =>
  inFolder((folder) => {
    const counting = new CountingDisk();
    const index = IndexService.open(folder, ROOMY, counting.disk, false);
    for (let i = 0; i < 20_000; i++) index.put(entry(i * 100, `u${i}`, { keys: "hot" }));
    assert(counting.writes <= 10, `${counting.writes} writes`);
    index.close();
    assertEquals(counting.openNow, 0);
    counting.bytesRead = 0;
    const again = IndexService.open(folder, ROOMY, counting.disk, false);
    assertEquals(counting.bytesRead, 40);
    counting.reads = 0;
    assertEquals(lookup(again, "T", "hot", 1000, ...ALWAYS).length, 1000);
    assert(counting.reads <= 12, `${counting.reads} reads`);
    again.close();
    assertEquals(counting.openNow, 0);
  }));
