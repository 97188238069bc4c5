/**
 * A master's store and a slave's, and what lies between them: pieces of the log.
 *
 * @module
 */
import { assertEquals } from "../../src/std.ts";
import type { MessageStore, StoreOptions } from "../../src/store/mod.ts";
import { Bench } from "./kit.ts";

export const SLAVE: Partial<StoreOptions> = { brokerRole: "SLAVE" };

/** The next piece of the log after `from`; undefined at its end. */
export async function piece(master: MessageStore, from: number, most: number): Promise<Uint8Array | undefined> {
  return (await master.readLog(from, most))?.slice();
}

/** Copies everything that the slave lacks, in pieces of at most `most` bytes. */
export async function copyAll(master: MessageStore, slave: MessageStore, most = 32 * 1024): Promise<void> {
  for (;;) {
    const from = slave.maxLogOffset;
    const bytes = await piece(master, from, most);
    if (bytes === undefined) return;
    slave.appendCopy(from, bytes);
  }
}

/** Name and bytes of every file in a folder and those below it. */
export function filesIn(bench: Bench, folder: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const path = bench.path(folder);
  for (const name of bench.disk.listSync(path)) {
    if (bench.disk.isDirectorySync(`${path}/${name}`)) {
      for (const [below, bytes] of filesIn(bench, `${folder}/${name}`)) files.set(below, bytes);
    } else files.set(`${folder}/${name}`, Deno.readFileSync(`${path}/${name}`));
  }
  return files;
}

/** Both stores, closed, have the same files in these folders, byte for byte. */
export function assertSameFiles(one: Bench, other: Bench, folders = ["commitlog", "consumequeue", "index"]): void {
  for (const folder of folders) {
    const ones = filesIn(one, folder);
    const others = filesIn(other, folder);
    assertEquals([...others.keys()], [...ones.keys()]);
    for (const [name, bytes] of ones) {
      const differs = bytes.findIndex((byte, i) => byte !== others.get(name)![i]);
      assertEquals(differs, -1, `${name} differs at byte ${differs}`);
      assertEquals(others.get(name)!.length, bytes.length, name);
    }
  }
}

/** Opens a master and an empty slave for a test, and removes both afterwards. */
export async function pair(
  test: (master: MessageStore, slave: MessageStore, benches: { master: Bench; slave: Bench }) => Promise<void> | void,
  given: Partial<StoreOptions> = {},
): Promise<void> {
  using master = new Bench();
  using slave = new Bench();
  const stores = [await master.open(given), await slave.open({ ...given, ...SLAVE })] as const;
  await test(...stores, { master, slave });
  for (const store of stores) await store.close();
}
