import { assert, assertEquals, assertRejects, assertThrows } from "../../src/std.ts";
import { denoDisk } from "../../src/platform/disk.ts";
import { FaultyDisk } from "../../src/platform/faulty_disk.ts";
import { ManualClock } from "../../src/platform/manual_clock.ts";

class Folder {
  readonly path = Deno.makeTempDirSync({ prefix: "rocketd-disk-" });
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

function textAt(path: string): string {
  return new TextDecoder().decode(denoDisk.readFileSync(path));
}

Deno.test("A disk file writes and reads at positions in any order", async () => {
  using folder = new Folder();
  const file = denoDisk.openSync(`${folder.path}/f`, { create: true });
  file.writeSync(bytes("world"), 5);
  file.writeSync(bytes("hello"), 0);
  const into = new Uint8Array(20);
  assertEquals(file.readSync(into, 3), 7);
  assertEquals(new TextDecoder().decode(into.subarray(0, 7)), "loworld");
  file.writeSync(bytes("!"), 10);
  const [a, b] = await Promise.all([file.read(new Uint8Array(4), 8), file.read(new Uint8Array(4), 0)]);
  assertEquals([a, b], [3, 4]);
  file.truncateSync(4096);
  assertEquals(file.sizeSync(), 4096);
  assertEquals(file.readSync(into, 5000), 0);
  await file.syncData();
  await Promise.all([file.syncData(), file.syncData(), file.syncData()]);
  const late = [file.syncData(), file.syncData()];
  file.close();
  file.close();
  await Promise.allSettled(late);
  await assertRejects(() => file.syncData(), Error, "the file is closed");
});

Deno.test("A lock keeps others out until it is released, and an old one cannot release a new one", async () => {
  using folder = new Folder();
  const path = `${folder.path}/lock`;
  const first = await denoDisk.lock(path);
  assert(first !== undefined);
  assertEquals(textAt(path), "lock");
  assertEquals(await denoDisk.lock(path), undefined);
  first.release();
  const second = await denoDisk.lock(path);
  assert(second !== undefined);
  first.release();
  assertEquals(await denoDisk.lock(path), undefined);
  second.release();
});

Deno.test("A lock that another process holds is noticed", async () => {
  using folder = new Folder();
  const path = `${folder.path}/lock`;
  const holder = Deno.openSync(path, { create: true, write: true, read: true });
  holder.lockSync(true);
  assertEquals(await denoDisk.lock(path), undefined);
  holder.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const mine = await denoDisk.lock(path);
  assert(mine !== undefined);
  mine.release();
});

Deno.test("A state file is replaced in one step, and the old one kept", () => {
  using folder = new Folder();
  const path = `${folder.path}/state.json`;
  denoDisk.writeStateFileSync(path, bytes("one, long"));
  denoDisk.writeStateFileSync(path, bytes("two"));
  assertEquals([textAt(path), textAt(`${path}.bak`)], ["two", "one, long"]);
  assertEquals(denoDisk.listSync(folder.path), ["state.json", "state.json.bak"]);
});

Deno.test("Names that are not there are empty, false or nothing to remove", () => {
  using folder = new Folder();
  const none = `${folder.path}/none`;
  assertEquals(denoDisk.listSync(none), []);
  assertEquals([denoDisk.existsSync(none), denoDisk.isDirectorySync(none)], [false, false]);
  denoDisk.removeSync(none);
  assertThrows(() => denoDisk.openSync(none), Deno.errors.NotFound);
});

Deno.test("A faulty disk forgets at a power loss what was not synced, and only that", () => {
  using folder = new Folder();
  const disk = new FaultyDisk(denoDisk);
  const path = `${folder.path}/f`;
  const file = disk.openSync(path, { create: true });
  disk.syncDirSync(folder.path);
  file.writeSync(bytes("aaaa"), 0);
  file.syncDataSync();
  file.writeSync(bytes("bb"), 1);
  file.writeSync(bytes("cccc"), 2);
  disk.openSync(`${folder.path}/g`, { create: true });
  disk.powerLoss();
  assertEquals(textAt(path), "aaaa");
  assertEquals(denoDisk.listSync(folder.path), ["f"]);
  assertThrows(() => file.writeSync(bytes("x"), 0), Error, "the power is gone");
});

Deno.test("A faulty disk fails, tears and runs full when told to", () => {
  using folder = new Folder();
  const disk = new FaultyDisk(denoDisk);
  const file = disk.openSync(`${folder.path}/f`, { create: true });
  disk.failWriteIn = 2;
  disk.tornBytes = 2;
  file.writeSync(bytes("aaaa"), 0);
  assertThrows(() => file.writeSync(bytes("bbbb"), 4), Error, "injected");
  assertEquals(textAt(file.path), "aaaabb");
  disk.bytesLeft = 3;
  assertThrows(() => file.writeSync(bytes("cccc"), 0), Error, "No space left");
  disk.failSyncIn = 1;
  assertThrows(() => file.syncDataSync(), Error, "injected");
  file.close();
});

Deno.test("A manual clock runs timers in order, and not after they are cancelled", () => {
  const clock = new ManualClock(0);
  const ran: string[] = [];
  const tick = clock.every(100, () => ran.push(`tick ${clock.now()}`));
  clock.after(150, () => ran.push(`once ${clock.now()}`));
  clock.advance(220);
  tick.cancel();
  clock.advance(500);
  assertEquals(ran, ["tick 100", "once 150", "tick 200"]);
  assertEquals(clock.timers, 0);
});
