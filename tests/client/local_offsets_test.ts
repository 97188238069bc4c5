/**
 * Offsets in a member's own file, which Java's clients can read and write too.
 *
 * @module
 */
import { LocalOffsets } from "../../src/client/local_offsets.ts";
import { assertEquals } from "../../src/std.ts";

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

Deno.test("a file that cannot be read counts as none, and is written anew", () =>
  withDir(async (dir) => {
    await Deno.mkdir(`${dir}/client/group`, { recursive: true });
    await Deno.writeTextFile(`${dir}/client/group/offsets.json`, "{broken");
    const offsets = new LocalOffsets(dir, "client", "group");
    assertEquals(await offsets.read(queue), undefined);
    await offsets.persist([[queue, 1]]);
    assertEquals(await new LocalOffsets(dir, "client", "group").read(queue), 1);
  }));
