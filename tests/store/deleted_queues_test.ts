/** Consume queues that are removed: in one step, and bit by bit. @module */
import { QUEUE_FOLDERS_REMOVED_AT_ONCE } from "../../src/limits.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { assertEquals, assertThrows } from "../../src/std.ts";
import { ConsumeQueues } from "../../src/store/consume_queues.ts";
import type { DispatchEntry } from "../../src/store/types.ts";
import { inFolder } from "./counting_disk.ts";

/** Ten entries a file. */
const SMALL = { fileSize: 200, openFilesMax: 4 };

function entry(queueOffset: number, { topic = "T", queueId = 0 } = {}): DispatchEntry {
  const logOffset = 1000 + queueOffset * 100;
  const found = { topic, queueId, queueOffset, logOffset, size: 100, tagsCode: 0, storeTimestamp: 1, sysFlag: 0 };
  return { ...found, uniqKey: -1, keys: [] };
}

Deno.test("ConsumeQueues take a topic away in one step: what a crash leaves of it goes at the next start", () =>
  inFolder((folder) => {
    const left: string[] = [];
    const disk = { ...denoDisk };
    const queues = ConsumeQueues.open(folder, SMALL, disk);
    const fill = (topic: string) => {
      for (let i = 0; i < 25; i++) queues.dispatch(entry(i, { topic }));
      queues.flush();
    };
    fill("T");
    disk.renameSync = () => {
      throw new Error("EIO");
    };
    assertThrows(() => queues.deleteTopic("T"), Error, "EIO");
    assertEquals(queues.get("T", 0)?.maxOffset, 25);
    disk.renameSync = denoDisk.renameSync;
    disk.removeSync = (path) => void left.push(path);
    queues.deleteTopic("T");
    assertEquals([queues.topics(), left[0]], [[], `${folder}/.going/queues-2/0`]);
    fill("T");
    queues.deleteTopic("T", 0);
    fill("U");
    queues.close();
    assertEquals(denoDisk.listSync(folder), [".going", "U"]);
    assertEquals(denoDisk.listSync(`${folder}/.going`), ["queues-2", "queues-3"]);
    const again = ConsumeQueues.open(folder, SMALL, denoDisk);
    assertEquals([again.topics(), denoDisk.listSync(folder)], [["U"], ["U"]]);
    again.close();
  }));

Deno.test("ConsumeQueues remove a topic of many queues bit by bit, and it may come again meanwhile", () =>
  inFolder((folder) => {
    const disk = { ...denoDisk };
    let removed = 0;
    disk.removeSync = (...given) => {
      removed++;
      denoDisk.removeSync(...given);
    };
    const queues = ConsumeQueues.open(folder, SMALL, disk);
    const fill = () => {
      for (let queueId = 0; queueId < 200; queueId++) queues.dispatch(entry(0, { queueId }));
      queues.flush();
    };
    fill();
    removed = 0;
    queues.deleteTopic("T");
    assertEquals([queues.topics(), removed], [[], QUEUE_FOLDERS_REMOVED_AT_ONCE]);
    fill();
    for (let n = 0; n < 7; n++) queues.removeSome();
    assertEquals([denoDisk.listSync(folder), denoDisk.listSync(`${folder}/T`).length], [["T"], 200]);
    queues.close();
  }));
