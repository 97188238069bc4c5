/**
 * Long searches of the index by key, which rest now and then.
 *
 * @module
 */
import { INDEX_SEARCH_MS_PER_TURN } from "../../src/limits.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { assertEquals } from "../../src/std.ts";
import { IndexService } from "../../src/store/index_service.ts";
import { inFolder } from "./counting_disk.ts";
import { ALWAYS, entry, fileNames, ROOMY, T0 } from "./index_kit.ts";

/** An index whose clock goes on, whenever the disk is read, by as much as a search may take in one turn. */
function slowIndex(folder: string, maxIndexNum: number): IndexService {
  let time = T0;
  const { openSync } = denoDisk;
  const disk: typeof denoDisk = {
    ...denoDisk,
    openSync: (path, options) => {
      const file = openSync(path, options);
      const { readSync } = file;
      file.readSync = (into, at) => {
        time += INDEX_SEARCH_MS_PER_TURN;
        return readSync.call(file, into, at);
      };
      return file;
    },
  };
  return IndexService.open(folder, { ...ROOMY, maxIndexNum, now: () => time }, disk, false);
}

Deno.test("IndexService rests once its reads took long, and goes on where it was while more is put", () =>
  inFolder((folder) => {
    const index = slowIndex(folder, 400_000);
    for (let i = 0; i < 1000; i++) index.put(entry(i * 100, "hot"));
    index.flush();
    const search = index.search("T", "hot", 500, ...ALWAYS);
    let rests = 0;
    let step = search.next();
    for (; step.done !== true; step = search.next()) {
      rests++;
      index.put(entry((1000 + rests) * 100, "hot"));
      index.flush();
    }
    assertEquals(step.value, Array.from({ length: 500 }, (_, i) => (999 - i) * 100));
    assertEquals(rests, 2, "there are three pages to read");
    index.close();
  }));

Deno.test("IndexService finds what is left when old files are removed while a search rests", () =>
  inFolder((folder) => {
    // Three files of 499 entries each, and one of three entries.
    const all = Array.from({ length: 1500 }, (_, i) => (1499 - i) * 100);
    for (const [rests, count] of [[1, 502], [6, 502], [7, 706], [8, 910], [9, 1001]] as const) {
      const index = slowIndex(folder, 500);
      for (const logOffset of all.toReversed()) index.put(entry(logOffset, "hot"));
      index.flush();
      const search = index.search("T", "hot", 9999, ...ALWAYS);
      for (let i = 0; i < rests; i++) assertEquals(search.next(), { value: undefined, done: false });
      index.deleteBelow(100_000);
      let step = search.next();
      while (step.done !== true) step = search.next();
      assertEquals(step.value, all.slice(0, count), `removed after ${rests} rests`);
      index.close();
      for (const name of fileNames(folder)) Deno.removeSync(`${folder}/${name}`);
    }
  }));
