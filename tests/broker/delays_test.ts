/**
 * @module
 */
import { DELAYED_MESSAGES_PER_TURN } from "../../src/limits.ts";
import { SystemTopic } from "../../src/protocol/names.ts";
import { PropertyName, propertyOf } from "../../src/protocol/properties.ts";
import { GetAllDelayOffset } from "../../src/protocol/requests.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { put } from "../store/kit.ts";
import { DelayBench, LEVELS, span, TOPIC } from "./delay_bench.ts";
import { Desk, until } from "./workshop.ts";

Deno.test("Delays delivers a message when it is due, not before, as it was sent", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  const bornHost = new Uint8Array([9, 8, 7, 6, 0, 0, 1, 2]);
  await bench.send(2, "m", { flag: 7, sysFlag: 3, bornHost, bornTimestamp: 12345, reconsumeTimes: 4 });
  const due = bench.place.clock.now() + 5000;
  await bench.go(4999, 4999);
  assertEquals(await bench.bodies(), []);
  await bench.go(1);
  const [record] = await bench.delivered();
  assert(record !== undefined);
  const { flag, sysFlag, bornTimestamp, reconsumeTimes, storeTimestamp, queueId, preparedTransactionOffset } = record;
  assertEquals(
    { flag, sysFlag, bornTimestamp, reconsumeTimes, queueId, preparedTransactionOffset },
    { flag: 7, sysFlag: 3, bornTimestamp: 12345, reconsumeTimes: 4, queueId: 1, preparedTransactionOffset: 0 },
  );
  assertEquals(record.bornHost, bornHost);
  assertEquals(storeTimestamp, due);
  // RocketMQ leaves the properties of the detour there.
  assertEquals(
    record.properties,
    `UNIQ_KEY\x01m\x02DELAY\x012\x02TAGS\x01t\x02REAL_TOPIC\x01${TOPIC}\x02REAL_QID\x011`,
  );
  assertEquals(bench.store.queues.get(TOPIC, 1)!.read(0, 1).tagsCode(0), "t".charCodeAt(0));
  await bench.close();
});

Deno.test("Delays does not deliver a message a millisecond early along with another", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  await bench.send(1, "m0");
  await bench.go(1);
  await bench.send(1, "m1");
  await bench.go(999, 999);
  assertEquals(await bench.bodies(), ["m0"]);
  await bench.go(10);
  assertEquals(await bench.bodies(), ["m0", "m1"]);
  await bench.close();
});

Deno.test("Delays keeps the order of each level, whatever the others do", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  for (let i = 0; i < 30; i++) {
    await bench.send(i % 2 + 1, `${i % 2 + 1}-${i}`);
    await bench.go(300, 50);
  }
  await bench.go(5000, 50);
  const bodies = await bench.bodies();
  assertEquals(bodies.length, 30);
  for (const level of ["1-", "2-"]) {
    const own = bodies.filter((body) => body.startsWith(level)).map((body) => Number(body.slice(2)));
    assertEquals(own, [...own].sort((a, b) => a - b));
  }
  assertEquals(bodies.slice(0, 3), ["1-0", "1-2", "1-4"]);
  await bench.close();
});

Deno.test("Delays sets one timer for all that waits, and none when nothing does", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  const { clock } = bench.place;
  const idle = clock.timers;
  for (let i = 0; i < 100; i++) await bench.send(i % 3 + 1, `m${i}`);
  assertEquals(clock.timers, idle + 1);
  await bench.go(61_000, 1000);
  assertEquals((await bench.bodies()).length, 100);
  await bench.go(1000);
  assertEquals(clock.timers, idle);
  await bench.close();
});

Deno.test("Delays delivers many messages that are due at once in turns of a bounded number", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  await Promise.all(span(0, 1000).map((name, i) => bench.send(i < 900 ? 1 : 2, name)));
  await bench.go(990);
  await bench.go(20, 1);
  assertEquals(await bench.bodies(), span(0, 900));
  assertEquals(bench.putsMost, DELAYED_MESSAGES_PER_TURN);
  await bench.close();
});

Deno.test("Delays gives a level its turn while another one has more than a turn's worth", async () => {
  using bench = new DelayBench();
  await bench.open([1000, 1000], { mappedFileSizeCommitLog: 4_000_000, tailChunkBytes: 4_000_000 });
  await Promise.all(span(0, 2000).map((name) => bench.send(1, name)));
  await bench.send(2, "late");
  await bench.go(1000, 1000);
  await bench.goUntil(2001);
  const bodies = await bench.bodies();
  assert(bodies.indexOf("late") < 3 * DELAYED_MESSAGES_PER_TURN, `it was number ${bodies.indexOf("late")}`);
  await bench.close();
});

Deno.test("Delays goes on after a restart where it stopped, and delivers at once what became due meanwhile", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  for (const name of span(0, 20)) {
    await bench.send(1, name);
    await bench.go(100);
  }
  const before = await bench.bodies();
  assertEquals(before, span(0, 11));
  await bench.close();
  assertEquals(bench.file(), `{\n\t"offsetTable":{1:11\n\t}\n}`);
  bench.place.clock.time += 500;
  await bench.open(LEVELS);
  await bench.goUntil(16);
  assertEquals(await bench.bodies(), span(0, 16));
  await bench.go(500);
  assertEquals(await bench.bodies(), span(0, 20));
  await bench.close();
});

Deno.test("Delays delivers after SIGKILL from the offset that was saved: some twice, none never", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  for (const name of span(0, 10)) await bench.send(1, name);
  await bench.go(10_000, 100);
  await until(() => bench.file() !== undefined, "the file");
  assertEquals(bench.file(), `{\n\t"offsetTable":{1:10\n\t}\n}`);
  for (const name of span(10, 20)) await bench.send(1, name);
  await bench.go(1000);
  await bench.send(1, "m20");
  await bench.kill();
  await bench.open(LEVELS);
  await bench.go(1000);
  assertEquals(await bench.bodies(), [...span(0, 20), ...span(10, 21)]);
  await bench.close();
});

Deno.test("Delays writes Java's file, and takes Java's", async () => {
  using bench = new DelayBench();
  // Level 18 is not in use here; a broker that has it again must find its place.
  const java = `{\n\t"offsetTable":{1:2,2:1,18:9007199254740991\n\t}\n}`;
  await bench.open(LEVELS);
  for (const name of span(0, 3)) await bench.send(1, name);
  for (const name of span(3, 5)) await bench.send(2, name);
  await bench.close();
  bench.writeFile(java);
  await bench.open(LEVELS);
  await bench.go(5000);
  assertEquals(await bench.bodies(), ["m2", "m4"]);
  await bench.close();
  assertEquals(bench.file(), java.replace("{1:2,2:1", "{1:3,2:2"));
});

Deno.test("Delays tells how far it is", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  const desk = new Desk((table) => bench.delays.handlers(table));
  const { ask } = desk.client();
  const told = async () => new TextDecoder().decode((await ask(GetAllDelayOffset, {})).body);
  assertEquals(await told(), `{"offsetTable":{}}`);
  for (const level of [2, 1, 1]) await bench.send(level, `m${level}`);
  await bench.go(5000, 100);
  assertEquals(await told(), `{"offsetTable":{1:2,2:1}}`);
  await desk.close();
  await bench.close();
});

Deno.test("Delays saves an offset only when the deliveries before it survive a power loss", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS, { flushIntervalCommitLog: 1_000_000 });
  await bench.send(1, "m0");
  await bench.go(5000, 100);
  let release = () => {};
  bench.place.disk.holdSyncs = new Promise((resolve) => release = resolve);
  await bench.go(5000, 100);
  assertEquals(await bench.bodies(), ["m0"]);
  assertEquals(bench.file(), undefined);
  bench.place.disk.holdSyncs = undefined;
  release();
  await until(() => bench.file() !== undefined, "the file");
  assertEquals(bench.file(), `{\n\t"offsetTable":{1:1\n\t}\n}`);
  await bench.send(1, "m1");
  await bench.go(1000, 100);
  // A store whose sync failed has perhaps lost what was delivered.
  bench.place.disk.failSyncIn = 1;
  await bench.go(9000, 100);
  await bench.close();
  assertEquals(bench.file(), `{\n\t"offsetTable":{1:1\n\t}\n}`);
});

Deno.test("Delays saves at the end what was delivered while a save was under way", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS, { flushIntervalCommitLog: 1_000_000 });
  await bench.send(1, "m0");
  await bench.go(5000, 100);
  let release = () => {};
  bench.place.disk.holdSyncs = new Promise((resolve) => release = resolve);
  await bench.go(5000, 100);
  await bench.send(1, "m1");
  await bench.go(1100, 100);
  assertEquals(await bench.bodies(), ["m0", "m1"]);
  const closing = bench.close();
  bench.place.disk.holdSyncs = undefined;
  release();
  await closing;
  assertEquals(bench.file(), `{\n\t"offsetTable":{1:2\n\t}\n}`);
});

Deno.test("Delays waits with a level whose messages the store does not take, and then delivers each, in order", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  for (const name of span(0, 500)) await bench.send(name === "m400" ? 2 : 1, name);
  bench.place.disk.used = 95;
  bench.store.removeOldFiles();
  assert(!bench.store.writable);
  await bench.go(9000, 100);
  assertEquals(await bench.bodies(), []);
  bench.place.disk.used = undefined;
  bench.store.removeOldFiles();
  await bench.goUntil(500);
  const bodies = await bench.bodies();
  assertEquals(bodies.filter((body) => body !== "m400"), span(0, 500).filter((body) => body !== "m400"));
  await bench.close();
});

Deno.test("Delays puts again from the first message that was refused, and moves no offset past it", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  for (const name of span(0, 10)) await bench.send(1, name);
  let left = 3;
  const body = (message: { body: Uint8Array }) => new TextDecoder().decode(message.body);
  bench.refuse = (message) =>
    body(message) === "m4" && left-- > 0 ? { status: "SERVICE_NOT_AVAILABLE" as const } : undefined;
  await bench.go(1000);
  assertEquals(await bench.bodies(), span(0, 4));
  await bench.go(10_000, 10);
  assertEquals(await bench.bodies(), span(0, 10));
  assertEquals(left, -1);
  await bench.close();
  assertEquals(bench.file(), `{\n\t"offsetTable":{1:10\n\t}\n}`);
});

Deno.test("Delays saves the offset of a message that is still refused at the end", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  for (const name of span(0, 10)) await bench.send(1, name);
  bench.refuse = () => bench.puts > 4 ? { status: "CREATE_MAPEDFILE_FAILED" } : undefined;
  await bench.go(1000);
  bench.refuse = () => ({ status: "CREATE_MAPEDFILE_FAILED" });
  await bench.go(5000, 100);
  await bench.close();
  assertEquals(bench.file(), `{\n\t"offsetTable":{1:4\n\t}\n}`);
  bench.refuse = () => undefined;
  await bench.open(LEVELS);
  await bench.goUntil(10);
  assertEquals(await bench.bodies(), span(0, 10));
  await bench.close();
});

Deno.test("Delays leaves out what can never be delivered, but waits with what is only larger than is allowed now", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  const schedule = (properties: string) => put(bench.store, { topic: SystemTopic.SCHEDULE, queueId: 0, properties });
  await schedule("DELAY\x011");
  await schedule("DELAY\x011\x02REAL_TOPIC\x01T\x02REAL_QID\x01x");
  await schedule("DELAY\x011\x02REAL_TOPIC\x01RMQ_SYS_TRANS_HALF_TOPIC\x02REAL_QID\x010");
  await schedule(`DELAY\x011\x02REAL_TOPIC\x01${"t".repeat(128)}\x02REAL_QID\x010`);
  await schedule("DELAY\x011\x02REAL_TOPIC\x01../T\x02REAL_QID\x010");
  await schedule("DELAY\x011\x02REAL_TOPIC\x01T\x02REAL_QID\x0199999999");
  await bench.send(1, "m0");
  await bench.send(1, "large".padEnd(3000, "."));
  await bench.send(1, "m1");
  await bench.go(500);
  bench.store.options.maxMessageSize = 2000;
  await bench.go(5000, 100);
  assertEquals(await bench.bodies(), ["m0"]);
  bench.store.options.maxMessageSize = 4000;
  await bench.go(200);
  assertEquals((await bench.bodies()).map((body) => body.slice(0, 5)), ["m0", "large", "m1"]);
  assertEquals(bench.store.maxOffset("RMQ_SYS_TRANS_HALF_TOPIC", 0), 0);
  await bench.close();
});

Deno.test("Delays reads messages back that have left the memory, in order and unchanged", async () => {
  using bench = new DelayBench();
  await bench.open([10_000, 20_000], { maxTransferCountOnMessageInMemory: 5 });
  const size = 3000;
  for (const name of span(0, 400)) await bench.send(1, name.padEnd(size, "."));
  const cold = bench.store.get(SystemTopic.SCHEDULE, 0, 0, 1);
  assert(cold instanceof Promise, "the first messages are still in memory, so this proves nothing");
  await cold;
  for (const name of span(400, 800)) await bench.send(2, name.padEnd(size, "."));
  await bench.go(20_000, 100);
  await bench.goUntil(800);
  const bodies = await bench.bodies();
  assertEquals(bodies, span(0, 800).map((name) => name.padEnd(size, ".")));
  // Two levels, and five messages a read: what a read brought into memory is used up before the next turn.
  assert(bench.putsMost > 10, `no more than ${bench.putsMost} in one turn`);
  await bench.close();
});

Deno.test("Delays ends in order while messages are being read", async () => {
  using bench = new DelayBench();
  await bench.open([1000]);
  for (const name of span(0, 300)) await bench.send(1, name.padEnd(3000, "."));
  bench.place.clock.advance(1000);
  await bench.close();
  const at = Number(/1:(\d+)/.exec(bench.file() ?? "")?.[1] ?? 0);
  assert(at < 300, "nothing was left to read, so this proves nothing");
  await bench.open([1000]);
  assertEquals(bench.store.maxOffset(TOPIC, 1), at, "the file tells what was delivered");
  await bench.goUntil(300);
  assertEquals((await bench.bodies()).map((body) => body.replace(/\.+/, "")), span(0, 300));
  await bench.close();
});

Deno.test("Delays delivers the other levels while one cannot be delivered", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  await bench.send(1, "m0");
  await bench.send(2, "m1");
  bench.refuse = ({ properties }) =>
    propertyOf(properties, PropertyName.DELAY) === "1" ? { status: "UNKNOWN_ERROR" } : undefined;
  await bench.go(6000, 50);
  assertEquals(await bench.bodies(), ["m1"]);
  bench.refuse = () => undefined;
  await bench.go(200);
  assertEquals(await bench.bodies(), ["m1", "m0"]);
  await bench.close();
});
