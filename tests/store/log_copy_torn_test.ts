/** Records of a copy that look as if their properties had not been written whole. @module */
import { assertEquals } from "../../src/std.ts";
import { copyAll, SLAVE } from "./copy_kit.ts";
import { Bench, FILE_BYTES, names, put, putMany, readAll } from "./kit.ts";

for (const [where, count] of [["behind another record", 3], ["at a file's begin", 30]] as const) {
  Deno.test(`A sender's properties may end in NUL: their record ${where} outlives a slave's crashes`, async () => {
    using masterBench = new Bench();
    const master = await masterBench.open();
    await putMany(master, count, "m", 2000);
    const body = new TextEncoder().encode("last".padEnd(6000, "."));
    const { logOffset } = await put(master, { body, properties: "K\u0001v\0" });
    assertEquals(logOffset === FILE_BYTES, count === 30);
    for (const crashes of [1, 2, 3]) {
      using bench = new Bench();
      const slave = await bench.open(SLAVE);
      await copyAll(master, slave);
      for (let i = 1; i < crashes; i++) {
        bench.disk.killed();
        const opened = await bench.open(SLAVE);
        // It may have been torn, so the master has to send it again.
        assertEquals(opened.maxLogOffset, logOffset);
        if (i === 2) await copyAll(master, opened);
      }
      bench.disk.killed();
      const promoted = await bench.open();
      assertEquals(await readAll(promoted), [...names(count), "last"]);
      await promoted.close();
    }
    await master.close();
  });
}
