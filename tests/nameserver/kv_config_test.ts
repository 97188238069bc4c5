/**
 * The key-value configuration and its file.
 *
 * @module
 */
import { RocketdError } from "../../src/errors.ts";
import { KV_CHARACTERS_MAX, KV_TEXT_LENGTH_MAX } from "../../src/limits.ts";
import { KvConfig } from "../../src/nameserver/kv_config.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { assertEquals, assertThrows } from "../../src/std.ts";

async function inFolder(work: (path: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "rocketd-kv-" });
  try {
    await work(`${folder}/namesrv/kvConfig.json`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("KvConfig keeps what was put, in Java's form, over a restart", () =>
  inFolder(async (path) => {
    const kv = KvConfig.open(denoDisk, path);
    kv.put("ORDER_TOPIC_CONFIG", "T", "broker-a:4");
    kv.put("ns", "k", "v");
    kv.put("ns", "k", "w");
    assertEquals(
      await Deno.readTextFile(path),
      '{"configTable":{"ORDER_TOPIC_CONFIG":{"T":"broker-a:4"},"ns":{"k":"w"}}}',
    );
    const again = KvConfig.open(denoDisk, path);
    assertEquals([again.get("ns", "k"), again.get("ns", "x"), again.get("x", "k")], ["w", undefined, undefined]);
    assertEquals(again.list("ORDER_TOPIC_CONFIG"), new Map([["T", "broker-a:4"]]));
    assertEquals(again.list("x"), undefined);
  }));

Deno.test("KvConfig forgets a deleted key, and keeps its emptied namespace", () =>
  inFolder((path) => {
    const kv = KvConfig.open(denoDisk, path);
    kv.put("ns", "k", "v");
    kv.delete("ns", "k");
    kv.delete("ns", "never there");
    kv.delete("never there", "k");
    for (const each of [kv, KvConfig.open(denoDisk, path)]) {
      assertEquals([each.get("ns", "k"), each.list("ns"), each.list("never there")], [
        undefined,
        new Map<string, string>(),
        undefined,
      ]);
    }
  }));

Deno.test("KvConfig reads the copy beside when the file is missing or damaged", () =>
  inFolder(async (path) => {
    const kv = KvConfig.open(denoDisk, path);
    kv.put("ns", "k", "old");
    kv.put("ns", "k", "new");
    await Deno.writeTextFile(path, '{"configTable":{"ns":');
    assertEquals(KvConfig.open(denoDisk, path).get("ns", "k"), "old");
    await Deno.remove(path);
    assertEquals(KvConfig.open(denoDisk, path).get("ns", "k"), "old");
  }));

Deno.test("KvConfig says which file is damaged when no copy can be read", () =>
  inFolder(async (path) => {
    denoDisk.mkdirSync(path.slice(0, path.lastIndexOf("/")));
    for (const damaged of ["", '{"configTable":[]}', '{"configTable":{"ns":{"k":1}}}']) {
      await Deno.writeTextFile(path, damaged);
      const error = assertThrows(() => KvConfig.open(denoDisk, path), RocketdError, `Cannot read ${path}`);
      assertEquals(error.code, "damagedStore");
    }
  }));

Deno.test("KvConfig shows no change that is not on disk", () =>
  inFolder((path) => {
    let full = false;
    const disk = Object.create(denoDisk, {
      writeStateFileSync: {
        value: (path: string, bytes: Uint8Array) => {
          if (full) throw new RocketdError("disk", "full");
          denoDisk.writeStateFileSync(path, bytes);
        },
      },
    });
    const kv = KvConfig.open(disk, path);
    kv.put("ns", "k", "v");
    full = true;
    assertThrows(() => kv.put("ns", "k", "w"), RocketdError, "full");
    assertThrows(() => kv.delete("ns", "k"), RocketdError, "full");
    assertEquals(kv.get("ns", "k"), "v");
  }));

Deno.test("KvConfig refuses texts that are too long", () =>
  inFolder((path) => {
    const kv = KvConfig.open(denoDisk, path);
    const error = assertThrows(() => kv.put("ns", "k", "x".repeat(KV_TEXT_LENGTH_MAX + 1)), RocketdError, "value has");
    assertEquals([error.code, kv.list("ns")], ["invalidArgument", undefined]);
  }));

Deno.test("KvConfig refuses what would make all its texts too long, and still takes shorter values", () =>
  inFolder(async (path) => {
    denoDisk.mkdirSync(path.slice(0, path.lastIndexOf("/")));
    const key = (i: number) => `${i}`.padStart(8, "0");
    const length = KV_TEXT_LENGTH_MAX - 8;
    const entries = Array.from(
      { length: KV_CHARACTERS_MAX / KV_TEXT_LENGTH_MAX },
      (_, i) => [key(i), "x".repeat(length)],
    );
    // With the namespace's two characters taken off the last value, not one more has room.
    entries[0] = [key(0), "x".repeat(length - 2)];
    await Deno.writeTextFile(path, JSON.stringify({ configTable: { ns: Object.fromEntries(entries) } }));
    const kv = KvConfig.open(denoDisk, path);
    const error = assertThrows(() => kv.put("ns", "k", ""), RocketdError, "no room for the key k");
    assertEquals([error.code, kv.get("ns", "k")], ["invalidArgument", undefined]);
    assertThrows(() => kv.put("ns", key(0), "x".repeat(length - 1)), RocketdError, "no room");
    kv.put("ns", key(0), "short");
    kv.put("ns", "k", "v");
    assertEquals([kv.get("ns", key(0)), kv.get("ns", "k")], ["short", "v"]);
  }));
