import { HA_OVERLAP_BYTES, HA_RETRY_MS_MAX, HA_RETRY_MS_MIN } from "../../src/limits.ts";
import type { MasterLog } from "../../src/ha/slave.ts";
import { assert, assertEquals, assertMatch } from "../../src/std.ts";
import { turns, until } from "../broker/workshop.ts";
import {
  FILE_BYTES,
  firstRecord,
  frame,
  frames,
  logBytes,
  MemoryLog,
  Scene,
  settings,
  warningsOf,
} from "./slave_kit.ts";

Deno.test("a slave without a log asks for the master's oldest offset and copies from there", async () => {
  await using scene = new Scene();
  scene.oldest = 3 * FILE_BYTES;
  const [peer, first] = await scene.begin();
  assertEquals(first, 3 * FILE_BYTES);
  const bytes = logBytes(3 * FILE_BYTES, 3 * FILE_BYTES + 500);
  await peer.send(frames(3 * FILE_BYTES, bytes));
  await peer.reported(3 * FILE_BYTES + 500);
  assertEquals(scene.store.minLogOffset, 3 * FILE_BYTES);
  assertEquals(scene.store.bytes, bytes);
  assertEquals(scene.slave.status, {
    state: "copying",
    master: scene.master.address,
    offset: 3 * FILE_BYTES + 500,
    lastError: undefined,
  });
  peer.close();
});

Deno.test("a slave of a master with one file from 0 on reports 0", async () => {
  for (const oldest of [0, -1]) {
    await using scene = new Scene();
    scene.oldest = oldest;
    const [peer, first] = await scene.begin();
    assertEquals(first, 0);
    await peer.send(frame(0), frames(0, logBytes(0, 300)));
    await peer.reported(300);
    assertEquals(scene.store.bytes, logBytes(0, 300));
    peer.close();
  }
});

for (const [name, bodyBytes] of [["small", 10], ["one of 16 MiB", 16 * 1024 * 1024]] as const) {
  Deno.test(`the first byte of a log with several files is worked out from its first record, ${name}`, async () => {
    await using scene = new Scene();
    const record = firstRecord(bodyBytes);
    scene.store.options.mappedFileSizeCommitLog = 64 * 1024 * 1024;
    const last = 128 * 1024 * 1024;
    const [wrong] = await scene.begin();
    await wrong.send(frames(last, logBytes(last, last + 300)));
    await wrong.closed();
    const peer = await scene.master.accept();
    assertEquals(await peer.report(), 1);
    // The head comes in the pieces that a network might make of it.
    const head = record.subarray(0, 200);
    await peer.send(frames(1, head.subarray(1), 30));
    await peer.reported(head.length);
    assertEquals(scene.store.bytes, head);
    assertEquals(scene.store.bytes[0], bodyBytes >>> 24);
    peer.close();
  });
}

Deno.test("a log whose first bytes are no message is refused", async () => {
  await using scene = new Scene();
  const [wrong] = await scene.begin();
  await wrong.send(frame(FILE_BYTES, logBytes(0, 10)));
  await wrong.closed();
  const peer = await scene.master.accept();
  await peer.send(frame(1, logBytes(1, 200)));
  await peer.closed();
  assertMatch(await scene.trouble(), /does not begin with a message/);
  assertEquals(scene.store.maxLogOffset, 0);
});

Deno.test("a slave without a log does not begin before it knows where the master's log begins", async () => {
  await using scene = new Scene();
  scene.oldest = undefined;
  scene.slave.setMaster(scene.master.address);
  assertMatch(await scene.trouble(), /where its log begins/);
  scene.oldest = new Error("this is a master of broker-b");
  scene.clock.advance(HA_RETRY_MS_MAX);
  await until(() => scene.slave.status.lastError?.includes("a master of broker-b") === true, "the reason");
  scene.oldest = 100;
  await scene.trouble();
  scene.clock.advance(HA_RETRY_MS_MAX);
  await until(() => scene.slave.status.lastError?.includes("mappedFileSizeCommitLog") === true, "the reason");
});

Deno.test("a slave with a log has its end sent again, and appends what follows", async () => {
  const end = HA_OVERLAP_BYTES + 5000;
  await using scene = new Scene(new MemoryLog(0, logBytes(0, end)));
  const [peer, first] = await scene.begin();
  assertEquals(first, 5000);
  await peer.send(frames(5000, logBytes(5000, end + 777), 1));
  await peer.reported(end + 777);
  assertEquals(scene.store.bytes, logBytes(0, end + 777));
  peer.close();
});

Deno.test("a slave never acknowledges what it has seen the master have not", async () => {
  await using scene = new Scene(new MemoryLog(0, logBytes(0, 500)));
  const [peer, first] = await scene.begin();
  assertEquals(first, 1);
  // A master that was slow to answer begins with a heartbeat, which does not mean that it has nothing.
  await peer.send(frame(1));
  await turns();
  await peer.send(frame(1, logBytes(1, 201)));
  await turns();
  scene.clock.advance(settings.haSendHeartbeatInterval);
  assertEquals(await peer.report(), 201);
  assertEquals(scene.slave.status.state, "connecting");
  await peer.send(frame(201, logBytes(201, 500)));
  await until(() => scene.slave.status.state === "copying", "the rest of its own bytes");
  scene.clock.advance(settings.haSendHeartbeatInterval);
  assertEquals(await peer.report(), 500);
  peer.close();
});

Deno.test("a slave that comes back tells what it holds as soon as it has seen that the master has it", async () => {
  await using scene = new Scene(new MemoryLog(0, logBytes(0, 500)));
  const [peer] = await scene.begin();
  await peer.send(frame(1, logBytes(1, 500)));
  await peer.reported(500);
  peer.close();
});

Deno.test("another log is refused, whatever its offsets, and nothing is overwritten", async () => {
  await using scene = new Scene(new MemoryLog(0, logBytes(0, 500)));
  const [peer] = await scene.begin();
  const theirs = logBytes(1, 900);
  theirs[399]! ^= 1;
  await peer.send(frames(1, theirs));
  await peer.closed();
  assertMatch(await scene.trouble(), /from offset 400 on it has another log.*ends at 500.*store away/);
  assertEquals(scene.store.bytes, logBytes(0, 500));
});

Deno.test("a master whose log ends before the slave's is not followed", async () => {
  await using scene = new Scene(new MemoryLog(0, logBytes(0, 500)));
  const [peer] = await scene.begin();
  await peer.send(frames(1, logBytes(1, 300)), frame(300), frame(300));
  await peer.closed();
  assertMatch(await scene.trouble(), /its log ends at offset 300, and this slave's ends at 500/);
});

Deno.test("a master that says that its log ends before the slave's hears nothing from it", async () => {
  await using scene = new Scene(new MemoryLog(0, logBytes(0, 500)));
  scene.end = 499;
  scene.slave.setMaster(scene.master.address);
  const reason =
    /^its log ends at offset 499, and this slave's ends at 500.*start it empty, or make this one the master$/;
  assertMatch(await scene.trouble(), reason);
  // Once it has as much, the bytes decide.
  scene.end = 500;
  scene.clock.advance(HA_RETRY_MS_MAX);
  const peer = await scene.master.accept();
  assertEquals(await peer.report(), 1);
  peer.close();
});

Deno.test("a reason is not said again because logs have grown", async () => {
  const lines = await warningsOf(async () => {
    await using scene = new Scene(new MemoryLog(0, logBytes(0, 500)));
    for (scene.end = 100; scene.end < 105; scene.end++) {
      scene.slave.setMaster(scene.master.address);
      await until(
        () => scene.slave.status.lastError?.includes(`offset ${scene.end},`) === true,
        "the end of an attempt",
      );
      await scene.trouble();
      scene.clock.advance(HA_RETRY_MS_MAX);
    }
  });
  assertEquals(lines.length, 1, lines.join("\n"));
});

Deno.test("a slave that was away for longer than the master keeps its log says so", async () => {
  await using scene = new Scene(new MemoryLog(0, logBytes(0, 500)));
  scene.oldest = FILE_BYTES;
  const [peer, first] = await scene.begin();
  assertEquals(first, 1);
  await peer.send(frame(1), frame(1));
  await peer.closed();
  assertMatch(await scene.trouble(), /its log begins at offset 4096 by now, and this slave's ends at 500.*gap/);
});

Deno.test("what the slave has is not asked for again when the master has removed it", async () => {
  for (const sends of [[frame(1), frame(1)], []]) {
    await using scene = new Scene(new MemoryLog(0, logBytes(0, FILE_BYTES)));
    scene.oldest = FILE_BYTES;
    const [stuck] = await scene.begin();
    await stuck.send(...sends);
    if (sends.length === 0) stuck.close();
    else await stuck.closed();
    const peer = await scene.master.accept();
    assertEquals(await peer.report(), FILE_BYTES);
    await peer.send(frame(FILE_BYTES, logBytes(FILE_BYTES, FILE_BYTES + 50)));
    await peer.reported(FILE_BYTES + 50);
    peer.close();
  }
});

Deno.test("a gap, a step back and a frame beyond a file's end are refused", async () => {
  const cases = [
    [frame(300, logBytes(300, 310)), /begins at offset 300.*needs offset 250/],
    [frame(200, logBytes(200, 310)), /begins at offset 200.*needs offset 250/],
    [frame(251), /begins at offset 251.*needs offset 250/],
    [frame(250, new Uint8Array(10), FILE_BYTES), /beyond a log file's end: mappedFileSizeCommitLog, here 4096/],
    [frame(250, new Uint8Array(10), -1), /size -1/],
    [frame(250, new Uint8Array(10), 0x7FFF_FFFF), /size 2147483647/],
    [frame(-1, new Uint8Array(10)), /offset -1/],
  ] as const;
  for (const [bad, reason] of cases) {
    await using scene = new Scene();
    const [peer] = await scene.begin();
    await peer.send(frame(0, logBytes(0, 250)), bad);
    await peer.closed();
    assertMatch(await scene.trouble(), reason);
    assertEquals(scene.store.bytes, logBytes(0, 250));
  }
});

Deno.test("a port that is not a master's for slaves is named as such", async () => {
  const web = new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  const remoting = new Uint8Array([0, 0, 0, 90, 0, 0, 0, 86, ...new TextEncoder().encode('{"code":1}')]);
  for (const bytes of [web, remoting, new Uint8Array(100).fill(255), new Uint8Array(0)]) {
    await using scene = new Scene();
    const [peer] = await scene.begin();
    await peer.send(bytes);
    if (bytes.length === 0) peer.close();
    else await peer.closed();
    assertMatch(await scene.trouble(), /not a master's port for slaves \(haListenPort/);
    assertEquals(scene.store.maxLogOffset, 0);
  }
});

Deno.test("a master that falls silent is left, one that never spoke is suspected of being none", async () => {
  for (
    const [speaks, reason] of [[true, /nothing came for 20000 ms/], [false, /nothing came.*not a master's/]] as const
  ) {
    await using scene = new Scene();
    const [peer] = await scene.begin();
    if (speaks) {
      await peer.send(frame(0, logBytes(0, 10)));
      await peer.reported(10);
    }
    scene.clock.advance(settings.haHousekeepingInterval);
    await peer.closed();
    assertMatch(await scene.trouble(), reason);
  }
});

Deno.test("heartbeats keep the connection, and the slave reports in their rhythm", async () => {
  await using scene = new Scene();
  const [peer] = await scene.begin();
  await peer.send(frame(0, logBytes(0, 10)));
  await peer.reported(10);
  for (let i = 0; i < 10; i++) {
    scene.clock.advance(settings.haSendHeartbeatInterval);
    assertEquals(await peer.report(), 10);
    await peer.send(frame(10));
    await turns(5);
  }
  assertEquals(scene.slave.status.state, "copying");
  peer.close();
});

Deno.test("with SYNC_FLUSH what came is reported when it is synced", async () => {
  const store = new MemoryLog();
  store.options.flushDiskType = "SYNC_FLUSH";
  let synced: (ok: boolean) => void = () => {};
  await using scene = new Scene(store);
  const [peer, first] = await scene.begin();
  assertEquals(first, 0);
  store.synced = () => new Promise((resolve) => synced = resolve);
  let reported = false;
  const report = peer.reported(10).then(() => reported = true);
  await peer.send(frame(0, logBytes(0, 10)));
  await until(() => store.maxLogOffset === 10, "the data");
  await turns();
  assert(!reported);
  synced(true);
  await report;
  await peer.send(frame(10, logBytes(10, 20)));
  await until(() => store.maxLogOffset === 20, "the data");
  synced(false);
  await peer.closed();
  assertMatch(await scene.trouble(), /cannot sync/);
});

Deno.test("attempts come more and more rarely, and at once again after a good one", async () => {
  await using scene = new Scene();
  const pauses: number[] = [];
  let [peer] = await scene.begin();
  for (let i = 0; i < 6; i++) {
    peer.close();
    await scene.trouble();
    let pause = 0;
    for (; scene.slave.status.state === "waiting"; pause += 250) {
      scene.clock.advance(250);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    pauses.push(pause);
    peer = await scene.master.accept();
    await peer.report();
  }
  assertEquals(pauses, [HA_RETRY_MS_MIN, 1000, 2000, 4000, HA_RETRY_MS_MAX, HA_RETRY_MS_MAX]);
  await peer.send(frame(0, logBytes(0, 10)));
  await peer.reported(10);
  peer.close();
  await scene.trouble();
  scene.clock.advance(HA_RETRY_MS_MIN);
  (await scene.master.accept()).close();
});

Deno.test("a slave follows the master it is told, and none when none is known", async () => {
  await using scene = new Scene();
  await using other = new Scene();
  const [peer] = await scene.begin();
  await peer.send(frame(0, logBytes(0, 10)));
  await peer.reported(10);
  scene.slave.setMaster(other.master.address);
  await peer.closed();
  const next = await other.master.accept();
  assertEquals(await next.report(), 1);
  await next.send(frame(1, logBytes(1, 20)));
  await next.reported(20);
  scene.slave.setMaster(undefined);
  await next.closed();
  await until(() => scene.slave.status.state === "idle", "the end");
  assertEquals(scene.slave.status.master, undefined);
  scene.slave.setMaster("nonsense");
  assertMatch(await scene.trouble(), /Cannot use the address "nonsense"/);
  await scene.slave.close();
  assertEquals(scene.slave.status.state, "closed");
  assertEquals(scene.clock.timers, 0);
});

Deno.test("a slave follows a master that is named at any moment after none was known", async () => {
  for (let count = 0; count < 20; count++) {
    await using scene = new Scene();
    const [first] = await scene.begin();
    scene.slave.setMaster(undefined);
    for (let turn = 0; turn < count; turn++) await Promise.resolve();
    const [second, report] = await scene.begin();
    assertEquals(report, 0);
    first.close();
    second.close();
  }
});

Deno.test("a slave stops while its master is slow to tell where the log begins", async () => {
  let answer: (log: MasterLog) => void = () => {};
  await using scene = new Scene(new MemoryLog(), { masterLog: () => new Promise((resolve) => answer = resolve) });
  scene.slave.setMaster(scene.master.address);
  await scene.slave.close();
  answer({ oldest: 0, end: 0 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(scene.slave.status.state, "closed");
  assertEquals(scene.clock.timers, 0);
});

Deno.test("a slave that is pointed at itself says so", async () => {
  const store = new MemoryLog();
  await using outer = new Scene();
  await using scene = new Scene(store, { ownPort: outer.master.port });
  scene.slave.setMaster(outer.master.address);
  (await outer.master.accept()).close();
  assertMatch(await scene.trouble(), /own port/);
});

Deno.test("a port where nobody listens is said to be one", async () => {
  await using scene = new Scene();
  scene.master.close();
  scene.slave.setMaster(scene.master.address);
  assertMatch(await scene.trouble(), /no connection: .*refused/i);
  scene.master.close = () => {};
});
