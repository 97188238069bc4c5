/**
 * What a push consumer does, whatever cluster it meets.
 *
 * @module
 */
import {
  LitePullConsumer,
  PushConsumer,
  type PushConsumerOptions,
  type ReceivedMessage,
} from "../../src/client/mod.ts";
import { assert, assertEquals } from "../../src/std.ts";
import { numbered, type Scene, type Step, until } from "./scene.ts";

/** The delay of the first level, where brokers are started with `messageDelayLevel=1s 1s 1s …`, is the shortest. */
const SOON = 1;

type Options = Omit<PushConsumerOptions, "nameservers" | "group" | "subscriptions">;

/** Starts a consumer that is closed when it goes out of scope. */
export async function started(scene: Scene, group: string, topic: string, options: Options): Promise<PushConsumer> {
  const consumer = new PushConsumer({
    nameservers: scene.nameserver,
    group: `${group}-${scene.mark}`,
    subscriptions: { [topic]: "*" },
    from: "first",
    ...options,
  });
  await consumer.start();
  return consumer;
}

/** Plays all scenes about concurrent listeners. */
export async function concurrentScenes(scene: Scene, step: Step): Promise<void> {
  await step("many calls run at a time, as many as are allowed, and everything comes once", async () => {
    const topic = await scene.topic("Many", 4);
    await scene.send(topic, numbered(60));
    const seen: string[] = [];
    let running = 0, most = 0;
    await using _consumer = await started(scene, "many", topic, {
      concurrency: 7,
      consumeConcurrently: async ([message]) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running--;
        seen.push(message!.text());
      },
    });
    await until(() => seen.length === 60);
    assertEquals([most, seen.toSorted()], [7, numbered(60).toSorted()]);
  });

  await step("what fails comes again with its count, until it is in the dead letter topic", async () => {
    const topic = await scene.topic("Fails");
    await scene.send(topic, ["good", "later", "throws", "never"]);
    const seen: string[] = [];
    await using _consumer = await started(scene, "fails", topic, {
      maxReconsumeTimes: 2,
      consumeConcurrently: ([message], context) => {
        const text = message!.text();
        seen.push(`${text} ${message!.reconsumeTimes} of ${message!.topic}`);
        context.delayLevelWhenNextConsume = text === "never" ? -1 : SOON;
        if (text === "throws" && message!.reconsumeTimes === 0) throw new Error("on purpose");
        return text === "later" || text === "never" ? "RECONSUME_LATER" : "CONSUME_SUCCESS";
      },
    });
    const wanted = ["good 0", "later 0", "later 1", "later 2", "never 0", "throws 0", "throws 1"];
    await until(() => seen.length >= wanted.length);
    assertEquals(seen.toSorted(), wanted.map((text) => `${text} of ${topic}`));
    const dead = `%DLQ%fails-${scene.mark}`;
    await using undertaker = new LitePullConsumer({
      nameservers: scene.nameserver,
      group: `undertaker-${scene.mark}`,
      subscriptions: { [dead]: "*" },
      from: "first",
    });
    await until(() => undertaker.fetchMessageQueues(dead).then((queues) => queues.length > 0, () => false));
    const found: ReceivedMessage[] = [];
    while (found.length < 2) found.push(...await undertaker.poll());
    assertEquals(found.map((message) => message.text()).toSorted(), ["later", "never"]);
  });

  await step("of a batch those behind ackIndex fail, and the batch is as large as asked", async () => {
    const topic = await scene.topic("Batch");
    await scene.send(topic, numbered(6));
    const seen: string[][] = [];
    await using _consumer = await started(scene, "batch", topic, {
      consumeMessageBatchMaxSize: 3,
      consumeConcurrently: (messages, context) => {
        seen.push(messages.map((message) => `${message.text()}/${message.reconsumeTimes}`));
        context.ackIndex = messages.length === 3 ? 0 : 99;
        context.delayLevelWhenNextConsume = SOON;
      },
    });
    const all = () => seen.flat().toSorted();
    await until(() => all().length >= 10);
    assert(seen.some((batch) => batch.join() === "m0/0,m1/0,m2/0"), JSON.stringify(seen));
    const again = numbered(6).filter((text) => all().includes(`${text}/1`));
    assertEquals(again.length, 4);
    assert(!again.includes("m0"));
  });

  await step("a group goes on where it was, once calls in hand have ended", async () => {
    const topic = await scene.topic("Resumes");
    await scene.send(topic, numbered(10));
    const seen: string[] = [];
    const slow = {
      concurrency: 1,
      consumeConcurrently: async ([message]: readonly ReceivedMessage[]) => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        seen.push(message!.text());
      },
    };
    {
      await using _first = await started(scene, "resumes", topic, slow);
      await until(() => seen.length >= 3);
    }
    await using _second = await started(scene, "resumes", topic, slow);
    await until(() => seen.length >= 10);
    assertEquals(seen, numbered(10));
  });

  await step("a suspended consumer calls nobody, and one that reads little ahead still gets everything", async () => {
    const topic = await scene.topic("Bounds");
    await scene.send(topic, numbered(40));
    const seen: string[] = [];
    let go = () => {};
    const gate = new Promise<void>((resolve) => go = resolve);
    await using consumer = await started(scene, "bounds", topic, {
      pullThresholdForQueue: 8,
      pullBatchSize: 4,
      concurrency: 1,
      consumeConcurrently: async ([message]) => {
        if (seen.length === 3) await gate;
        seen.push(message!.text());
      },
    });
    await until(() => seen.length === 3);
    consumer.suspend();
    go();
    await until(() => seen.length === 4);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assertEquals(seen.length, 4);
    consumer.resume();
    await until(() => seen.length === 40);
    assertEquals(seen, numbered(40));
  });

  await step("a message whose listener never ends is given back in time, and comes again", async () => {
    const topic = await scene.topic("Stuck");
    await scene.send(topic, ["stuck", "next"]);
    const seen: string[] = [];
    await using _consumer = await started(scene, "stuck", topic, {
      consumeTimeoutMs: 200,
      awaitTerminationMs: 0,
      consumeConcurrently: async ([message]) => {
        seen.push(`${message!.text()}/${message!.reconsumeTimes}`);
        if (message!.text() === "stuck" && message!.reconsumeTimes === 0) await new Promise(() => {});
      },
    });
    await until(() => seen.includes("stuck/1"));
    assertEquals(seen.toSorted(), ["next/0", "stuck/0", "stuck/1"]);
  });
}
