import type { CopyStore } from "../../src/ha/copy_store.ts";
import { startInLog } from "../../src/ha/start_point.ts";
import { HA_OVERLAP_BYTES } from "../../src/limits.ts";
import { assertEquals } from "../../src/std.ts";

Deno.test("what is compared begins with the last record, or with its file where that is not known", async () => {
  const bytes = new Uint8Array(10 * HA_OVERLAP_BYTES + 5).map((_, at) => at * 7);
  const end = bytes.length;
  const cases = [
    [end - 1, 0, end - HA_OVERLAP_BYTES],
    [3 * HA_OVERLAP_BYTES, 0, 3 * HA_OVERLAP_BYTES],
    [0, 0, 1],
    [0, 8 * HA_OVERLAP_BYTES, 8 * HA_OVERLAP_BYTES],
    [undefined, 0, 8 * HA_OVERLAP_BYTES],
  ] as const;
  for (const [lastRecordOffset, oldest, from] of cases) {
    const store: CopyStore = {
      options: { mappedFileSizeCommitLog: 8 * HA_OVERLAP_BYTES, flushDiskType: "ASYNC_FLUSH" },
      minLogOffset: 0,
      maxLogOffset: end,
      safeLogOffset: end,
      lastRecordOffset,
      readLog: (at, most) => bytes.subarray(at, at + Math.min(most, 10_000)),
      appendCopy: () => {},
      sync: () => Promise.resolve(true),
    };
    assertEquals(await startInLog(store, oldest), { from, own: bytes.subarray(from) });
  }
});
