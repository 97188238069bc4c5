/**
 * What connections on the port for slaves can do to the master, and what it says of it.
 *
 * @module
 */
import { HA_BUFFER_BYTES } from "../../src/limits.ts";
import { assert, assertEquals, assertStringIncludes } from "../../src/std.ts";
import { turns, until } from "../broker/workshop.ts";
import { HandSlave, MemoryLog, serving, SETTINGS } from "./master_kit.ts";

const GARBAGE = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");

const BAD_FIRST: readonly [what: string, bytes: number | Uint8Array, line: string][] = [
  ["a negative report", -1, "it reports a log up to -1, which is no log offset"],
  ["a report beyond the log", 5_001, "it reports a log up to 5001, but the master's ends at 5000"],
  ["an absurd report", 2 ** 62, "it reports a log up to 4611686018427388000, but the master's ends at 5000"],
  ["garbage", GARBAGE, "but the master's ends at 5000"],
  ["a report of what was removed", 1_999, "it needs the log from 1999 on, which now begins at 2000: empty the slave's"],
];

for (const [what, bytes, line] of BAD_FIRST) {
  Deno.test(`${what} ends that connection alone, with a line that says why`, () =>
    serving(new MemoryLog(1_000, 5_000, 2_000), async ({ log, lines, master, slave }) => {
      const good = await slave(5_000);
      const bad = await slave();
      await (typeof bytes === "number" ? bad.report(bytes) : bad.send(bytes));
      await bad.closed();
      assertEquals([bad.frames, log.acknowledgements, master.slaves().length], [[], [5_000], 1]);
      const warnings = lines.filter((text) => text.startsWith("WARN"));
      assertEquals(warnings.length, 1);
      assertStringIncludes(warnings[0]!, "closing slave 127.0.0.1:");
      assertStringIncludes(warnings[0]!, line);
      log.write(10);
      await good.until(() => good.data === 10);
    }));
}

Deno.test("a later report beyond the log, or a negative one, ends the connection and acknowledges nothing", () =>
  serving(new MemoryLog(1_000, 5_000), async ({ log, slave }) => {
    for (const bad of [5_001, -5]) {
      const each = await slave(5_000);
      await each.report(bad);
      await each.closed();
    }
    assertEquals([log.acknowledgements, log.replicas.connected()], [[5_000], 0]);
  }));

Deno.test("a slave whose next bytes are removed is told to begin anew", () =>
  serving(new MemoryLog(1_000, 5_000), async ({ log, lines, slave }) => {
    const slow = await slave(5_000);
    log.maxLogOffset = log.minLogOffset = 8_000;
    log.write(10);
    await slow.closed();
    assertEquals(slow.frames, []);
    assertStringIncludes(lines.join("\n"), "it needs the log from 5000 on, which now begins at 8000");
  }));

Deno.test("a disk that cannot be read ends the connections that needed it", () =>
  serving(new MemoryLog(10_000, 5_000), async ({ log, lines, slave }) => {
    const idle = await slave(5_000);
    log.failure = new Error("input/output error");
    const behind = await slave();
    await behind.report(1);
    await behind.closed();
    assertStringIncludes(lines.join("\n"), "it cannot be sent the log from 1 on: input/output error");
    log.failure = undefined;
    log.write(1);
    await idle.until(() => idle.data === 1);
  }));

Deno.test("one who reports nothing is let go after haHousekeepingInterval", () =>
  serving(new MemoryLog(10_000, 5_000), async ({ clock, lines, master, slave }) => {
    const silent = await slave(), once = await slave(1_000), steady = await slave(2_000);
    for (let ms = 0; ms < SETTINGS.haHousekeepingInterval; ms += 5_000) {
      clock.go(5_000);
      await steady.report(3_000 + ms / 10);
      await until(() => master.slaves().some(({ reported }) => reported === 3_000 + ms / 10), "the report");
    }
    assertEquals(master.slaves().length, 2);
    clock.go(1_000);
    await Promise.all([silent.closed(), once.closed()]);
    assertEquals(master.slaves().map(({ reported }) => reported), [4_500]);
    const gone = lines.filter((line) => line.endsWith("it reported nothing for 21000 ms (haHousekeepingInterval)"));
    assertEquals(gone.length, 2);
  }));

Deno.test("one who never reads costs one buffer and is let go, though it reports", () =>
  serving(new MemoryLog(100_000_000, 90_000_000), async ({ log, clock, lines, master, slave }) => {
    log.cold = true;
    const deaf = await slave(1);
    let before = -1;
    // What the sockets of both ends hold, until nothing goes any more.
    while (before !== log.read) {
      before = log.read;
      await turns(100);
    }
    assert(log.read < 20_000_000, `${log.read} bytes were read`);
    for (let written = 0; written < 1_000; written++) log.write(1_000);
    assertEquals(log.read, before);
    for (let ms = 0; ms <= SETTINGS.haHousekeepingInterval; ms += 5_000) {
      clock.go(5_000);
      await deaf.report(2 + ms);
      await until(() => master.slaves().every(({ reported }) => reported === 2 + ms), "the report");
    }
    await until(() => log.replicas.connected() === 0, "the end");
    assertStringIncludes(lines.join("\n"), `it took no bytes for ${SETTINGS.haHousekeepingInterval + 1_000} ms`);
    assert(log.read <= before + HA_BUFFER_BYTES);
  }, { haTransferBatchSize: 32_768 }));

Deno.test("a slave that goes away while it is sent much is nothing to warn of", () =>
  serving(new MemoryLog(100_000_000, 90_000_000), async ({ log, lines, slave }) => {
    for (const cold of [false, true]) {
      log.cold = cold;
      const behind = await slave(1);
      await behind.until(() => behind.data > 1_000_000);
      behind[Symbol.dispose]();
      await until(() => log.replicas.connected() === 0, "the leave");
    }
    assertEquals(lines.filter((line) => line.startsWith("INFO ha slave")).length, 4);
    assertEquals(lines.length, 4);
  }));

Deno.test("of 1,000 connections as many are served as are allowed, and few lines tell of the others", () =>
  serving(new MemoryLog(10_000, 5_000), async ({ log, clock, lines, master, slave }) => {
    const crowd = await Promise.all(Array.from({ length: 1_000 }, () => HandSlave.connect(master.port)));
    let gone = 0;
    for (const each of crowd) each.closed().then(() => gone++);
    await until(() => gone === 1_000 - SETTINGS.haConnectionsMax, "the refusals");
    const told = () => lines.filter((line) => line.startsWith("WARN ha refusing slaves")).length;
    assertEquals(told(), 1);
    clock.go(SETTINGS.haHousekeepingInterval + 1_000);
    await until(() => gone === 1_000, "the ends");
    const good = await slave(5_000);
    log.write(7);
    await good.until(() => good.data === 7);
    assertEquals(told(), 1);
    for (const each of crowd) each[Symbol.dispose]();
  }));

Deno.test("many bad slaves, one after the other, do not fill the log", () =>
  serving(new MemoryLog(10_000, 5_000), async ({ clock, lines, slave, master }) => {
    for (let i = 0; i < 50; i++) {
      using bad = await HandSlave.connect(master.port, -1);
      await bad.closed();
    }
    assertEquals(lines.length, 20);
    clock.go(10_000);
    await (await slave()).report(-1);
    await until(() => lines.length === 21, "a line");
    assertStringIncludes(lines[20]!, "; 30 more such lines were left out since the last one");
  }));
