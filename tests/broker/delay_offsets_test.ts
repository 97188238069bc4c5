/**
 * The file of delay offsets.
 *
 * @module
 */
import { DelayOffsets } from "../../src/broker/delay_offsets.ts";
import { denoDisk as disk } from "../../src/platform/disk.ts";
import { assertEquals } from "../../src/std.ts";
import { inFolder, readConfig } from "./workshop.ts";

function offsetsIn(folder: string, sync: () => Promise<boolean> = () => Promise.resolve(true)) {
  return new DelayOffsets({ settings: { storePathRootDir: folder }, store: { sync }, disk });
}

Deno.test("Delay offsets that change while they are being saved are saved by the last save", () =>
  inFolder(async (folder) => {
    const held = Promise.withResolvers<boolean>();
    const offsets = offsetsIn(folder, () => held.promise);
    offsets.set(1, 18);
    void offsets.save();
    offsets.set(1, 20);
    const closed = offsets.close();
    held.resolve(true);
    await closed;
    assertEquals(offsetsIn(folder).get(1), 20);
  }));

Deno.test("Delay offsets that a slave takes from its master are in the file at once, and those of other levels stay", () =>
  inFolder((folder) => {
    const offsets = offsetsIn(folder);
    offsets.replace(new Map([[1, 5], [2, 7]]));
    offsets.replace(new Map([[1, 6]]));
    const known = offsetsIn(folder);
    assertEquals([known.get(1), known.get(2)], [6, 7]);
    const text = readConfig(folder, "delayOffset.json");
    assertEquals(text.replace(/\s/g, ""), '{"offsetTable":{1:6,2:7}}');
  }));
