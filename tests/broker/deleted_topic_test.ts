/**
 * A topic that is deleted while something still names it: a delayed message, the index, the log after a crash.
 *
 * @module
 */
import { topicHandlers } from "../../src/broker/topic_handlers.ts";
import { ConsumerOffsets } from "../../src/broker/offsets.ts";
import { TopicTable } from "../../src/broker/topics.ts";
import { topicConfig } from "../../src/protocol/bodies/mod.ts";
import { DeleteTopicInBroker } from "../../src/protocol/requests.ts";
import { HandlerTable, type Incoming } from "../../src/remoting/handlers.ts";
import { assertEquals } from "../../src/std.ts";
import { bodies } from "../store/kit.ts";
import { DelayBench, LEVELS, TOPIC } from "./delay_bench.ts";
import { settingsIn, statsOf } from "./workshop.ts";

/** A broker's topics over a store with delays. */
class Broker {
  readonly topics;
  readonly offsets;
  readonly #table = new HandlerTable();

  constructor(readonly bench: DelayBench) {
    const { place: { disk, clock, dir }, store } = bench;
    const settings = settingsIn(dir);
    const topics = this.topics = new TopicTable({ settings, disk, clock });
    const offsets = this.offsets = new ConsumerOffsets({ settings, topics, disk, clock });
    topicHandlers(this.#table, { settings, topics, store, offsets, stats: statsOf(clock) });
  }

  make(): void {
    this.topics.update(topicConfig(TOPIC, { readQueueNums: 2, writeQueueNums: 2 }));
  }

  async delete(): Promise<void> {
    const request = { header: { topic: TOPIC } } as unknown as Incoming;
    assertEquals((await this.#table.get(DeleteTopicInBroker.code)!.handler(request))?.code, 0);
  }
}

Deno.test("a delayed message comes to its topic all the same, made anew or not, and nothing from before does", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  const broker = new Broker(bench);
  broker.make();
  await bench.send("0", "before");
  for (const delayed of ["first", "second"]) await bench.send(2, delayed);
  assertEquals(broker.offsets.commit("CG", TOPIC, 1, 1), undefined);
  await broker.delete();
  assertEquals([broker.topics.get(TOPIC), broker.offsets.topicsOf("CG")], [undefined, []]);
  await bench.go(5000, 1000);
  assertEquals(await bench.bodies(), ["first", "second"]);
  // Its queues go with the next delete, though the topic is not there.
  await broker.delete();
  assertEquals(await bench.bodies(), []);
  await bench.send(2, "third");
  broker.make();
  await bench.send("0", "after");
  await bench.go(5000, 1000);
  assertEquals(await bench.bodies(), ["after", "third"]);
  await bench.close();
});

Deno.test("messages of a deleted topic are found by key, and those of the topic made anew as well", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  const broker = new Broker(bench);
  broker.make();
  const found = async () => bodies((await bench.store.queryByKey(TOPIC, "key", 32, 0, 2 ** 50)).records);
  const properties = "KEYS\x01key";
  await bench.send("0", "before", { properties });
  await broker.delete();
  assertEquals(await found(), ["before"]);
  broker.make();
  await bench.send("0", "after", { properties });
  assertEquals([await found(), await bench.bodies()], [["before", "after"], ["after"]]);
  await bench.close();
});

Deno.test("after a crash a topic that was deleted and made anew has what came since, and its numbers", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  const broker = new Broker(bench);
  broker.make();
  for (let n = 0; n < 5; n++) await bench.send("0", `before${n}`);
  await broker.delete();
  broker.make();
  for (let n = 0; n < 3; n++) await bench.send("0", `after${n}`);
  assertEquals(broker.offsets.commit("CG", TOPIC, 1, 2), undefined);
  broker.offsets.save();
  await bench.kill();
  await bench.open(LEVELS);
  const again = new Broker(bench);
  assertEquals(await bench.bodies(), ["after0", "after1", "after2"]);
  assertEquals([again.topics.get(TOPIC)?.writeQueueNums, again.offsets.get("CG", TOPIC, 1)], [2, 2]);
  await bench.close();
});

Deno.test("a topic may go with one queue after the other, while its messages come", async () => {
  using bench = new DelayBench();
  await bench.open(LEVELS);
  const { store } = bench;
  for (const queueId of [0, 1]) await bench.send("0", `m${queueId}`, { queueId });
  store.queues.flush();
  const folder = bench.place.path(`consumequeue/${TOPIC}`);
  // What is put in the same turn is in the log already.
  const late = bench.send("0", "late", { queueId: 0 });
  store.deleteTopic(TOPIC, 0);
  store.deleteTopic(TOPIC, 7);
  await late;
  assertEquals([store.queues.of(TOPIC).map(({ queueId }) => queueId), store.maxOffset(TOPIC, 0)], [[1], 0]);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["1"]);
  assertEquals((await bench.send("0", "new", { queueId: 0 })).queueOffset, 0);
  assertEquals(await bench.bodies(TOPIC, 0), ["new"]);
  store.queues.flush();
  for (const queueId of [0, 1]) store.deleteTopic(TOPIC, queueId);
  assertEquals([store.queues.topics().includes(TOPIC), bench.place.disk.existsSync(folder)], [false, false]);
  await bench.close();
});
