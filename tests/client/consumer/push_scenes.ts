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
} from "../../../src/client/mod.ts";
import { assert, assertEquals } from "../../../src/std.ts";
import { numbered, type Scene, type Step, until } from "../scene.ts";

/** The delay of the first level, where brokers are started with `messageDelayLevel=1s 1s 1s …`, is the shortest. */
const SOON = 1;

type Options = Omit<PushConsumerOptions, "nameservers" | "group" | "subscriptions">;

/** Starts a consumer that is closed when it goes out of scope. */
export async function started(scene: Scene, group: string, topic: string, options: Options): Promise<PushConsumer> {
  const consumer = new PushConsumer({
    ...scene.connection,
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
    await scene.appeared(dead);
    await using undertaker = new LitePullConsumer({
      ...scene.connection,
      group: `undertaker-${scene.mark}`,
      subscriptions: { [dead]: "*" },
      from: "first",
    });
    const found: ReceivedMessage[] = [];
    await until(async () => found.push(...await undertaker.poll()) >= 2);
    assertEquals(found.map((message) => message.text()).toSorted(), ["later", "never"]);
    for (const message of found) {
      assertEquals([message.topic, message.properties.get("RETRY_TOPIC")], [dead, topic]);
    }
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
    let go = () => {}, isAtGate = false;
    const gate = new Promise<void>((resolve) => go = resolve);
    await using consumer = await started(scene, "bounds", topic, {
      pullThresholdForQueue: 8,
      pullBatchSize: 4,
      concurrency: 1,
      consumeConcurrently: async ([message]) => {
        if (seen.length === 3) {
          isAtGate = true;
          await gate;
        }
        seen.push(message!.text());
      },
    });
    await until(() => isAtGate);
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

/** What is seen by members that consume in order: whether two are ever in one queue, and what comes of each queue. */
export class OrderWatch {
  readonly faults: string[] = [];
  readonly #inside = new Map<number, string>();
  readonly #seen = new Map<number, number[]>();

  /** A listener for a member; bodies are numbers from 0 on. */
  listener(name: string, ms = 1): (messages: readonly ReceivedMessage[]) => Promise<void> {
    return async (messages) => {
      for (const message of messages) {
        const other = this.#inside.get(message.queueId);
        if (other !== undefined) this.faults.push(`${name} entered queue ${message.queueId} beside ${other}`);
        this.#inside.set(message.queueId, name);
        await new Promise((resolve) => setTimeout(resolve, ms));
        this.#inside.delete(message.queueId);
        this.#see(message);
      }
    };
  }

  #see(message: ReceivedMessage): void {
    const seen = this.#seen.get(message.queueId) ?? [];
    const number = Number(message.text().slice(1)), last = seen.at(-1) ?? -1;
    if (number > last + 1) this.faults.push(`queue ${message.queueId}: ${number} came after ${last}`);
    seen.push(number);
    this.#seen.set(message.queueId, seen);
  }

  /** Whether this number came from so many queues. */
  reached(number: number, queues: number): boolean {
    return [...this.#seen.values()].filter((seen) => seen.includes(number)).length === queues;
  }
}

/** Sends each of these bodies to each of a topic's queues. */
export async function sendToEach(
  scene: Scene,
  topic: string,
  bodies: readonly string[],
  queues: number,
): Promise<void> {
  await scene.send(topic, bodies.flatMap((body) => Array.from({ length: queues }, () => body)));
}

/** Plays all scenes about orderly listeners. */
export async function orderlyScenes(scene: Scene, step: Step): Promise<void> {
  await step("two members never are in one queue, while one comes and leaves, and no message is left out", async () => {
    const topic = await scene.topic("InOrder", 4);
    await sendToEach(scene, topic, numbered(30), 4);
    const watch = new OrderWatch();
    // Calls take so long that one runs whenever a queue changes hands.
    await using one = await started(scene, "in-order", topic, { consumeOrderly: watch.listener("one", 25) });
    await until(() => watch.reached(2, 4));
    const two = await started(scene, "in-order", topic, { consumeOrderly: watch.listener("two", 25) });
    await until(() => two.assignment().filter((queue) => queue.topic === topic).length === 2);
    await until(() => one.assignment().filter((queue) => queue.topic === topic).length === 2);
    await until(() => watch.reached(15, 4));
    await two.close();
    await sendToEach(scene, topic, ["m30"], 4);
    await until(() => watch.reached(30, 4));
    assertEquals(watch.faults, []);
  });

  await step("a message of a suspended queue comes again before the next, with its count", async () => {
    const topic = await scene.topic("Suspends", 2);
    await sendToEach(scene, topic, numbered(4), 2);
    const seen: string[] = [];
    await using _consumer = await started(scene, "suspends", topic, {
      suspendCurrentQueueTimeMs: 20,
      consumeOrderly: ([message], context) => {
        if (message!.queueId === 0) seen.push(`${message!.text()}/${message!.reconsumeTimes}`);
        const stuck = context.queue.queueId === 0 && message!.text() === "m1" && message!.reconsumeTimes < 3;
        if (stuck && message!.reconsumeTimes === 1) throw new Error("on purpose");
        return stuck ? "SUSPEND_CURRENT_QUEUE_A_MOMENT" : "SUCCESS";
      },
    });
    await until(() => seen.includes("m3/0"));
    assertEquals(seen, ["m0/0", "m1/0", "m1/1", "m1/2", "m1/3", "m2/0", "m3/0"]);
  });

  await step("a message that fails too often goes to the dead letter topic, and the queue goes on", async () => {
    const topic = await scene.topic("Dies");
    await scene.send(topic, numbered(3));
    const seen: string[] = [];
    await using _consumer = await started(scene, "dies", topic, {
      maxReconsumeTimes: 1,
      suspendCurrentQueueTimeMs: 10,
      consumeOrderly: ([message]) => {
        seen.push(message!.text());
        return message!.text() === "m1" ? "SUSPEND_CURRENT_QUEUE_A_MOMENT" : "SUCCESS";
      },
    });
    await until(() => seen.includes("m2"));
    assertEquals(seen, ["m0", "m1", "m1", "m2"]);
    const dead = `%DLQ%dies-${scene.mark}`;
    await scene.appeared(dead);
    await using undertaker = new LitePullConsumer({
      ...scene.connection,
      group: `undertaker2-${scene.mark}`,
      subscriptions: { [dead]: "*" },
      from: "first",
    });
    const found: ReceivedMessage[] = [];
    await until(async () => found.push(...await undertaker.poll()) > 0);
    assertEquals(found.map((message) => [message.text(), message.topic]), [["m1", dead]]);
  });

  await step(
    "a listener that commits by itself gets everything since its last commit again after a rollback",
    async () => {
      const topic = await scene.topic("Commits");
      await scene.send(topic, numbered(6));
      const seen: string[] = [];
      let rolledBack = false;
      await using consumer = await started(scene, "commits", topic, {
        suspendCurrentQueueTimeMs: 10,
        consumeOrderly: ([message], context) => {
          context.autoCommit = false;
          seen.push(message!.text());
          if (message!.text() === "m1") return "COMMIT";
          if (message!.text() !== "m4" || rolledBack) return "SUCCESS";
          rolledBack = true;
          return "ROLLBACK";
        },
      });
      await until(() => seen.includes("m5"));
      assertEquals(seen, ["m0", "m1", "m2", "m3", "m4", "m2", "m3", "m4", "m5"]);
      await consumer.close();
      await using after = await started(scene, "commits", topic, {
        consumeOrderly: ([message]) => void seen.push(message!.text()),
      });
      await until(() => seen.length === 13);
      assertEquals(seen.slice(9), ["m2", "m3", "m4", "m5"]);
      assertEquals(after.assignment().length > 0, true);
    },
  );
}

/** Plays all scenes about members that get everything. */
export async function broadcastingScenes(scene: Scene, step: Step): Promise<void> {
  await step("every member gets everything, goes on where it was, and what it cannot consume is dropped", async () => {
    const localOffsetStoreDir = await Deno.makeTempDir({ prefix: "rocketd-offsets-" });
    const topic = await scene.topic("Everyone", 2);
    const member = (name: string, seen: string[]) =>
      started(scene, "everyone", topic, {
        messageModel: "BROADCASTING",
        clientId: name,
        localOffsetStoreDir,
        consumeConcurrently: ([message]) => {
          seen.push(message!.text());
          return message!.text() === "m1" ? "RECONSUME_LATER" : "CONSUME_SUCCESS";
        },
      });
    try {
      const one: string[] = [], two: string[] = [];
      await using _one = await member("one", one);
      {
        await using _two = await member("two", two);
        await scene.send(topic, numbered(10));
        await until(() => one.length >= 10 && two.length >= 10);
      }
      await scene.send(topic, numbered(4, 10));
      await using _again = await member("two", two);
      await until(() => one.length >= 14 && two.length >= 14);
      assertEquals([one.toSorted(), two.toSorted()], [numbered(14).toSorted(), numbered(14).toSorted()]);
    } finally {
      await Deno.remove(localOffsetStoreDir, { recursive: true });
    }
  });
}
