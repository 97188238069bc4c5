/** The checkpoint file. @module */
import { denoDisk } from "../../src/platform/disk.ts";
import { assertEquals } from "../../src/std.ts";
import { Checkpoint } from "../../src/store/checkpoint.ts";
import { hex, inFolder } from "./counting_disk.ts";

Deno.test("Checkpoint keeps three longs at the start of 4096 bytes", () =>
  inFolder(async (folder) => {
    const path = `${folder}/checkpoint`;
    const checkpoint = Checkpoint.open(path, denoDisk);
    checkpoint.physicMsgTimestamp = 0x19ac_1234_5678;
    checkpoint.logicsMsgTimestamp = 2;
    checkpoint.indexMsgTimestamp = 3;
    await checkpoint.flush();
    checkpoint.close();
    const bytes = Deno.readFileSync(path);
    assertEquals(bytes.length, 4096);
    assertEquals(hex(bytes.subarray(0, 25)), "000019ac1234567800000000000000020000000000000003" + "00");
    const again = Checkpoint.open(path, denoDisk);
    assertEquals([again.physicMsgTimestamp, again.logicsMsgTimestamp, again.indexMsgTimestamp], [
      0x19ac_1234_5678,
      2,
      3,
    ]);
    again.close();
  }));

Deno.test("Checkpoint lets recovery begin three seconds early, and never below zero", () =>
  inFolder((folder) => {
    const checkpoint = Checkpoint.open(`${folder}/checkpoint`, denoDisk);
    assertEquals(checkpoint.minTimestamp(), 0);
    checkpoint.physicMsgTimestamp = 20_000;
    checkpoint.logicsMsgTimestamp = 10_000;
    checkpoint.indexMsgTimestamp = 5_000;
    assertEquals(checkpoint.minTimestamp(), 7_000);
    assertEquals(checkpoint.minTimestamp(true), 5_000);
    checkpoint.logicsMsgTimestamp = 2_000;
    assertEquals(checkpoint.minTimestamp(), 0);
    checkpoint.close();
  }));

Deno.test("Checkpoint takes a file that a crash left empty for zeros", () =>
  inFolder((folder) => {
    Deno.writeFileSync(`${folder}/checkpoint`, new Uint8Array(0));
    const checkpoint = Checkpoint.open(`${folder}/checkpoint`, denoDisk);
    assertEquals(checkpoint.physicMsgTimestamp, 0);
    checkpoint.close();
    assertEquals(Deno.statSync(`${folder}/checkpoint`).size, 4096);
  }));
