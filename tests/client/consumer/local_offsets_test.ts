/**
 * Offsets in a member's own file, which Java's clients can read and write too.
 *
 * @module
 */
import { LocalOffsets } from "../../../src/client/consumer/local_offsets.ts";
import { RocketdError } from "../../../src/errors.ts";
import { assertEquals, assertRejects } from "../../../src/std.ts";

const queue = { topic: "T", brokerName: "broker-a", queueId: 0 };
const other = { ...queue, queueId: 1 };

async function withDir(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("offsets are there again, and a queue that is not told of keeps its own", () =>
  withDir(async (dir) => {
    const first = new LocalOffsets(dir, "client", "group");
    assertEquals(await first.read(queue), undefined);
    await first.persist([[queue, 5], [other, 7]]);
    await first.persist([[queue, 6]]);
    const second = new LocalOffsets(dir, "client", "group");
    assertEquals([await second.read(queue), await second.read(other)], [6, 7]);
    assertEquals(second.path, `${dir}/client/group/offsets.json`);
    assertEquals(await new LocalOffsets(dir, "client", "stranger").read(queue), undefined);
  }));

Deno.test("a file that a Java client wrote is read", () =>
  withDir(async (dir) => {
    await Deno.mkdir(`${dir}/client/group`, { recursive: true });
    const text =
      '{\n\t"offsetTable":{{\n\t\t\t"brokerName":"broker-a",\n\t\t\t"queueId":0,\n\t\t\t"topic":"T"\n\t\t}:42\n\t}\n}';
    await Deno.writeTextFile(`${dir}/client/group/offsets.json`, text);
    assertEquals(await new LocalOffsets(dir, "client", "group").read(queue), 42);
  }));

Deno.test("a file that cannot be read is told of and left alone, but for the copy that Java's clients keep", () =>
  withDir(async (dir) => {
    const path = `${dir}/client/group/offsets.json`;
    await Deno.mkdir(`${dir}/client/group`, { recursive: true });
    for (const broken of ["{broken", ""]) {
      await Deno.writeTextFile(path, broken);
      await assertRejects(() => new LocalOffsets(dir, "client", "group").load(), RocketdError, path);
      await assertRejects(() => new LocalOffsets(dir, "client", "group").read(queue), RocketdError, path);
      assertEquals(await Deno.readTextFile(path), broken);
    }
    const mended = new LocalOffsets(dir, "client", "group");
    await assertRejects(() => mended.load(), RocketdError, path);
    await Deno.remove(path);
    await mended.load();
    const copy = new LocalOffsets(dir, "client", "copied");
    await copy.persist([[queue, 9]]);
    await Deno.rename(copy.path, `${path}.bak`);
    assertEquals(await new LocalOffsets(dir, "client", "group").read(queue), 9);
  }));

Deno.test("what could not be written is written the next time, though nothing is new then", () =>
  withDir(async (dir) => {
    const offsets = new LocalOffsets(dir, "client", "group");
    await offsets.load();
    await Deno.writeTextFile(`${dir}/client`, "in the way");
    await offsets.persist([[queue, 3]]);
    await Deno.remove(`${dir}/client`);
    await offsets.persist([[queue, 3]]);
    assertEquals(await new LocalOffsets(dir, "client", "group").read(queue), 3);
    assertEquals((await Array.fromAsync(Deno.readDir(`${dir}/client/group`))).map(({ name }) => name), [
      "offsets.json",
    ]);
  }));
