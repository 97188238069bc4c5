/**
 * What a slave gets from its master, over real sockets.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { RocketdError } from "../../src/errors.ts";
import { HaMaster } from "../../src/ha/master.ts";
import { HA_BUFFER_BYTES } from "../../src/limits.ts";
import { assert, assertEquals, assertThrows } from "../../src/std.ts";
import { HandClock, until } from "../broker/workshop.ts";
import { MemoryLog, serving, SETTINGS } from "./master_kit.ts";

Deno.test("nothing is sent before the first report, which says where to begin", () =>
  serving(new MemoryLog(10_000, 4_000), async ({ log, clock, slave }) => {
    const early = await slave();
    // A second one tells that the first has been accepted, since they are in order.
    await slave(4_000);
    clock.go(SETTINGS.haSendHeartbeatInterval);
    log.write(500);
    await early.report(4_200);
    await early.until(() => early.data === 300);
    assertEquals(early.frames, [[4_200, 300]]);
  }));

Deno.test("a slave that reports 0 gets the log's last file", () =>
  serving(new MemoryLog(10_000, 23_456), async ({ slave }) => {
    const fresh = await slave(0);
    await fresh.until(() => fresh.data === 3_456);
    assertEquals(fresh.frames, [[20_000, 1_000], [21_000, 1_000], [22_000, 1_000], [23_000, 456]]);
  }));

Deno.test("an empty log is waited for", () =>
  serving(new MemoryLog(10_000), async ({ log, slave }) => {
    const fresh = await slave(0);
    log.write(5);
    await fresh.until(() => fresh.data === 5);
    assertEquals(fresh.frames, [[0, 5]]);
  }));

for (const cold of [false, true]) {
  Deno.test(`frames keep to haTransferBatchSize and end with their file, ${cold ? "from the disk" : "in memory"}`, () => {
    const log = new MemoryLog(3_333, 10_000, 3_333);
    log.cold = cold;
    return serving(log, async ({ slave }) => {
      const behind = await slave(4_000);
      await behind.until(() => behind.data === 6_000);
      assertEquals(behind.frames, [
        [4_000, 1_000],
        [5_000, 1_000],
        [6_000, 666],
        [6_666, 1_000],
        [7_666, 1_000],
        [8_666, 1_000],
        [9_666, 333],
        [9_999, 1],
      ]);
    });
  });
}

Deno.test("what is written is sent at once, without a timer's help", () =>
  serving(new MemoryLog(10_000), async ({ log, slave }) => {
    const slaves = [await slave(0), await slave(0)];
    for (let end = 1; end <= 50; end++) {
      log.write(1);
      for (const each of slaves) await each.until(() => each.data === end);
    }
  }));

Deno.test("a slave far behind gets all that is written meanwhile, whether in memory or on the disk", () =>
  serving(new MemoryLog(700_000, 3_000_000), async ({ log, slave }) => {
    log.cold = true;
    const behind = await slave(1);
    let asked = 0;
    const writes = async () => {
      for (; asked < 100; asked++) {
        log.cold = asked % 3 > 0;
        log.write(1_234);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all([writes(), behind.until(() => asked === 100 && behind.data === log.maxLogOffset - 1)]);
    for (const [at, [from, size]] of behind.frames.entries()) {
      assertEquals(from + size, behind.frames[at + 1]?.[0] ?? log.maxLogOffset);
    }
  }));

Deno.test("others have a turn between two writes to a slave that is behind", async () => {
  let turn = 0;
  const reads = new Map<number, number>();
  const log = new class extends MemoryLog {
    override readLog(from: number, most: number) {
      assert(most <= HA_BUFFER_BYTES);
      reads.set(turn, (reads.get(turn) ?? 0) + 1);
      return super.readLog(from, most);
    }
  }(100_000_000, 8_000_000);
  await serving(log, async ({ slave }) => {
    let done = false;
    const counting = (async () => {
      for (; !done; turn++) await new Promise((resolve) => setImmediate(resolve));
    })();
    const behind = await slave(1);
    await behind.until(() => behind.data === 7_999_999);
    done = true;
    await counting;
  }, { haTransferBatchSize: 32_768 });
  assert(reads.size > 10);
  assertEquals(Math.max(...reads.values()), 1);
});

Deno.test("a slave that nothing was sent to gets a heartbeat with the next offset", () =>
  serving(new MemoryLog(10_000, 5_000), async ({ log, clock, slave }) => {
    const idle = await slave(5_000);
    clock.go(SETTINGS.haSendHeartbeatInterval);
    await idle.until(() => idle.frames.length === 1);
    clock.go(SETTINGS.haSendHeartbeatInterval - 1);
    log.write(10);
    await idle.until(() => idle.frames.length === 2);
    clock.go(SETTINGS.haSendHeartbeatInterval - 1);
    log.write(10);
    await idle.until(() => idle.frames.length === 3);
    clock.go(SETTINGS.haSendHeartbeatInterval * 2);
    await idle.until(() => idle.frames.length === 4);
    assertEquals(idle.frames, [[5_000, 0], [5_000, 10], [5_010, 10], [5_020, 0]]);
  }));

Deno.test("the store hears the highest report, and counts those who reported", () =>
  serving(new MemoryLog(10_000, 5_000), async ({ log, master, slave }) => {
    await slave();
    assertEquals(log.replicas.connected(), 0);
    const one = await slave(3_000), two = await slave(4_000);
    assertEquals(log.replicas.connected(), 2);
    await one.report(3_500);
    await until(() => master.slaves()[0]?.reported === 3_500, "the report");
    assertEquals(log.acknowledgements, [3_000, 4_000]);
    assertEquals(master.slaves().map(({ lag }) => lag), [1_500, 1_000]);
    await one.report(5_000);
    await until(() => log.acknowledgements.length === 3, "an acknowledgement");
    one[Symbol.dispose]();
    await until(() => log.replicas.connected() === 1, "the leave");
    await two.report(4_500);
    await until(() => master.slaves()[0]?.reported === 4_500, "the report");
    assertEquals(log.acknowledgements, [3_000, 4_000, 5_000]);
  }));

Deno.test("a master that closes gives its slaves the rest of the log first", () => {
  const log = new MemoryLog(1_000_000, 700_000);
  log.cold = true;
  return serving(log, async ({ master, slave }) => {
    const behind = await slave(1), idle = await slave(700_000);
    const closing = master.close();
    await behind.until(() => behind.data === 699_999);
    await behind.report(700_000);
    await Promise.all([closing, behind.closed(), idle.closed()]);
    assertEquals(log.acknowledgements, [1, 700_000]);
  });
});

Deno.test("a port that is taken is named with its setting", () =>
  serving(new MemoryLog(10_000), async ({ master }) => {
    const options = { hostname: "127.0.0.1", port: master.port, store: new MemoryLog(1) };
    const error = assertThrows(
      () => new HaMaster({ ...options, settings: SETTINGS, clock: new HandClock() }),
      RocketdError,
    );
    assertEquals([error.code, error.details.field], ["inUse", "haListenPort"]);
    await Promise.resolve();
  }));
