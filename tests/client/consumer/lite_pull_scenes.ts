/**
 * What a pulling consumer does, whatever cluster it meets.
 *
 * @module
 */
import { LitePullConsumer, type LitePullConsumerOptions, type ReceivedMessage } from "../../../src/client/mod.ts";
import { RocketdError } from "../../../src/errors.ts";
import { assertEquals, assertRejects } from "../../../src/std.ts";
import { numbered, type Scene, type Step, until } from "../scene.ts";

const texts = (messages: readonly ReceivedMessage[]) => messages.map((message) => message.text());

/** What the next poll gives: one may wait in vain for its five seconds, where the machine is slow. */
async function next(consumer: LitePullConsumer): Promise<ReceivedMessage[]> {
  let messages: ReceivedMessage[] = [];
  await until(async () => (messages = await consumer.poll()).length > 0);
  return messages;
}

async function gathered(consumer: LitePullConsumer, count: number): Promise<ReceivedMessage[]> {
  const all: ReceivedMessage[] = [];
  while (all.length < count) all.push(...await next(consumer));
  return all;
}

async function drain(consumer: LitePullConsumer, count: number): Promise<string[]> {
  return texts(await gathered(consumer, count));
}

/** Plays all scenes. */
export async function litePullScenes(scene: Scene, step: Step): Promise<void> {
  const options = (name: string): LitePullConsumerOptions => {
    return { ...scene.connection, group: `${name}-${scene.mark}`, from: "first" };
  };

  await step("poll() gives batches, and what it gave counts once the next one is asked for", async () => {
    const topic = await scene.topic("Polled");
    await scene.send(topic, numbered(10));
    const subscribed = { ...options("polled"), subscriptions: { [topic]: "*" }, pullBatchSize: 4 };
    {
      await using first = new LitePullConsumer(subscribed);
      assertEquals(texts(await next(first)), numbered(4));
      assertEquals(texts(await next(first)), numbered(4, 4));
    }
    await using second = new LitePullConsumer(subscribed);
    assertEquals(await drain(second, 6), numbered(6, 4));
    assertEquals(await second.poll(0), []);
  });

  await step("each of two iterations has a message in hand, and both end with the consumer", async () => {
    const topic = await scene.topic("Two");
    await scene.send(topic, numbered(3));
    await using consumer = new LitePullConsumer({ ...options("two"), subscriptions: { [topic]: "*" } });
    const one = consumer[Symbol.asyncIterator](), two = consumer[Symbol.asyncIterator]();
    const next = async (iteration: typeof one) => (await iteration.next()).value?.text();
    assertEquals([await next(one), await next(two)], ["m0", "m1"]);
    const [queue] = consumer.assignment().filter((queue) => queue.topic === topic);
    const committed = async () => {
      await consumer.commit();
      return await consumer.committed(queue!);
    };
    assertEquals([await committed(), await next(two), await committed()], [0, "m2", 0]);
    const ends = [next(one), next(two)];
    await until(async () => await committed() === 3);
    await consumer.close();
    assertEquals(await Promise.all(ends), [undefined, undefined]);
  });

  await step("what an iteration had in hand when it was left comes again, unless it was acknowledged", async () => {
    const topic = await scene.topic("Left");
    await scene.send(topic, numbered(3));
    await using consumer = new LitePullConsumer({ ...options("left"), subscriptions: { [topic]: "*" } });
    const seen: string[] = [];
    const failing = async () => {
      for await (const message of consumer) {
        seen.push(message.text());
        if (message.text() === "m1") throw new Error("on purpose");
      }
    };
    for (let i = 0; i < 2; i++) await assertRejects(failing, Error, "on purpose");
    consumer.acknowledge();
    for await (const message of consumer) {
      seen.push(message.text());
      break;
    }
    assertEquals([...seen, ...texts(await consumer.poll())], ["m0", "m1", "m1", "m2", "m2"]);
  });

  await step("an iteration that is left leaves alone what another one has in hand", async () => {
    const topic = await scene.topic("Alone");
    await scene.send(topic, numbered(3));
    await using consumer = new LitePullConsumer({ ...options("alone"), subscriptions: { [topic]: "*" } });
    const [one, two, three] = Array.from({ length: 3 }, () => consumer[Symbol.asyncIterator]());
    const next = async (iteration: typeof one) => (await iteration!.next()).value?.text();
    assertEquals([await next(one), await next(two)], ["m0", "m1"]);
    await one!.return(undefined);
    assertEquals([await next(three), await next(three)], ["m0", "m2"]);
  });

  await step("assigned queues are read by whoever wants, and moved about in", async () => {
    const topic = await scene.topic("Assigned", 2);
    await scene.send(topic, numbered(20));
    await using consumer = new LitePullConsumer({ ...options("assigned"), pullBatchSize: 2 });
    const [one, two] = await consumer.fetchMessageQueues(topic);
    await consumer.assign([one!]);
    assertEquals(texts(await next(consumer)), ["m0", "m2"]);
    assertEquals(consumer.assignment(), [one]);
    await consumer.seek(one!, 7);
    assertEquals(texts(await next(consumer)), ["m14", "m16"]);
    await consumer.seekToBegin(one!);
    assertEquals(texts(await next(consumer)), ["m0", "m2"]);
    await consumer.seekToEnd(one!);
    assertEquals(await consumer.poll(0), []);
    await consumer.commit();
    assertEquals(await consumer.committed(one!), 10);
    await scene.producer.send({ topic, body: "new" }, { to: one! });
    assertEquals(texts(await next(consumer)), ["new"]);
    for (const offset of [-1, 12, 0.5]) {
      await assertRejects(() => consumer.seek(one!, offset), RocketdError, "allowed is 0 to 11");
    }
    await assertRejects(() => consumer.seek(two!, 0), RocketdError, "does not read it");
    await assertRejects(() => consumer.subscribe(topic), RocketdError, "assign() already");
    await consumer.assign([two!]);
    assertEquals(consumer.assignment(), [two]);
    assertEquals(texts(await next(consumer)), ["m1", "m3"]);
  });

  await step("of two assignments at the same time the second one counts", async () => {
    const one = await scene.topic("OneTime", 2), two = await scene.topic("SameTime");
    await using consumer = new LitePullConsumer(options("same-time"));
    const [first, second] = await consumer.fetchMessageQueues(one);
    await consumer.assign([first!]);
    await consumer.start();
    const [other] = await consumer.fetchMessageQueues(two);
    await Promise.all([consumer.assign([other!]), consumer.assign([second!])]);
    assertEquals(consumer.assignment(), [second]);
  });

  await step("a queue that is assigned again with another selection is read by that", async () => {
    const topic = await scene.topic("Reselected");
    for (const tag of ["a", "b", "a", "b"]) await scene.send(topic, [tag], { tag });
    await using consumer = new LitePullConsumer(options("reselected"));
    const queues = await consumer.fetchMessageQueues(topic);
    for (const tag of ["a", "b"]) {
      await consumer.assign(queues, tag);
      await consumer.start();
      await consumer.seekToBegin(queues[0]!);
      assertEquals(await drain(consumer, 2), [tag, tag]);
    }
  });

  await step("a paused queue is silent, and goes on where it was", async () => {
    const topic = await scene.topic("Paused", 2);
    await scene.send(topic, numbered(4));
    await using consumer = new LitePullConsumer(options("paused"));
    const queues = await consumer.fetchMessageQueues(topic);
    consumer.pause([queues[0]!]);
    await consumer.assign(queues);
    assertEquals(await drain(consumer, 2), ["m1", "m3"]);
    assertEquals(await consumer.poll(100), []);
    consumer.resume([queues[0]!]);
    assertEquals(await drain(consumer, 2), ["m0", "m2"]);
  });

  await step("without autoCommit nothing is committed but by commit()", async () => {
    const topic = await scene.topic("Manual");
    await scene.send(topic, numbered(6));
    const manual = { ...options("manual"), subscriptions: { [topic]: "*" }, autoCommit: false, pullBatchSize: 2 };
    {
      await using consumer = new LitePullConsumer(manual);
      await next(consumer);
      await next(consumer);
      await consumer.commit();
      await next(consumer);
      consumer.acknowledge();
    }
    await using consumer = new LitePullConsumer(manual);
    assertEquals(texts(await next(consumer)), ["m2", "m3"]);
  });

  await step(
    "a time has an offset to seek to; a new group gets all of a young topic, as its broker wants",
    async () => {
      const topic = await scene.topic("Begin");
      await scene.send(topic, ["old"]);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const from = new Date();
      await scene.send(topic, ["young"]);
      await using consumer = new LitePullConsumer({ ...options("by-time"), subscriptions: { [topic]: "*" }, from });
      const both = await gathered(consumer, 2);
      assertEquals(texts(both), ["old", "young"]);
      const [queue] = await consumer.fetchMessageQueues(topic);
      // Brokers take the message that is nearest to a time: what was stored at it.
      await consumer.seek(queue!, await consumer.offsetForTimestamp(queue!, both[1]!.storeTimestamp));
      assertEquals(await drain(consumer, 1), ["young"]);
    },
  );

  await step("topics come and go while it reads", async () => {
    const [one, two] = [await scene.topic("Come"), await scene.topic("Go")];
    await scene.send(one, ["one"]);
    await scene.send(two, ["two"]);
    await using consumer = new LitePullConsumer({ ...options("come"), subscriptions: { [one]: "*" } });
    assertEquals(await drain(consumer, 1), ["one"]);
    await consumer.subscribe(two);
    assertEquals(await drain(consumer, 1), ["two"]);
    await consumer.unsubscribe(one);
    await scene.send(one, ["unwanted"]);
    await scene.send(two, ["wanted"]);
    assertEquals(await drain(consumer, 1), ["wanted"]);
  });

  await step("tags and SQL92 choose messages, and a broken expression is told at the start", async () => {
    const topic = await scene.topic("Chosen");
    for (const n of [1, 2, 3]) {
      await scene.producer.send({ topic, tag: n === 2 ? "even" : "odd", body: `m${n}`, properties: { n: `${n}` } });
    }
    await using tags = new LitePullConsumer({ ...options("tags"), subscriptions: { [topic]: "odd || none" } });
    assertEquals(await drain(tags, 2), ["m1", "m3"]);
    await using sql = new LitePullConsumer({ ...options("sql"), subscriptions: { [topic]: { sql: "n > 1" } } });
    assertEquals(await drain(sql, 2), ["m2", "m3"]);
    await using broken = new LitePullConsumer({ ...options("broken"), subscriptions: { [topic]: { sql: "n >" } } });
    await assertRejects(() => broken.start(), RocketdError, "the subscription to");
  });

  await step("a signal ends the iteration, and a topic that is not there is told", async () => {
    const topic = await scene.topic("Aborted");
    const ending = new AbortController();
    await using consumer = new LitePullConsumer({
      ...options("aborted"),
      subscriptions: { [topic]: "*" },
      signal: ending.signal,
    });
    await consumer.start();
    const iteration = (async () => {
      for await (const _ of consumer);
    })();
    await until(() => consumer.assignment().length > 0);
    ending.abort();
    await iteration;
    // Whenever it ends, the iteration does not wait for what comes no more.
    for (let turns = 0; turns < 12; turns++) {
      await using closed = new LitePullConsumer({ ...options("closed"), subscriptions: { [topic]: "*" } });
      await closed.start();
      const next = closed[Symbol.asyncIterator]().next();
      for (let turn = 0; turn < turns; turn++) await undefined;
      await closed.close();
      assertEquals((await next).done, true);
    }
    const early = new AbortController();
    const subscriptions = { [topic]: "*" };
    await using aborted = new LitePullConsumer({ ...options("early"), subscriptions, signal: early.signal });
    const polled = aborted.poll();
    early.abort();
    assertEquals(await polled, []);
    await using lost = new LitePullConsumer({ ...options("lost"), subscriptions: { Nowhere: "*" } });
    await assertRejects(() => lost.start(), RocketdError, "Cannot find the topic Nowhere");
  });
}
